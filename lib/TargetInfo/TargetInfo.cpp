//===- TargetInfo.cpp - Machines as plain structs ---------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// To add a target: a line in the table, and what its run-time bits are in the runtime's CPU detection.
//
//===----------------------------------------------------------------------===//

#include "attn/TargetInfo/TargetInfo.h"
#include "attn/Runtime/Model.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/TargetParser/Host.h"

using namespace attn;

// Cache sizes are the smallest that machines of the level commonly have.
static constexpr Target kTargets[] = {
    {"x86-64-v4", "x86_64-unknown-linux-gnu", "skylake-avx512", "-prefer-256-bit", ATTN_CPU_AVX2_FMA | ATTN_CPU_AVX512,
     512, 32, 32 << 10, 8, 1 << 20},
    {"x86-64-v3", "x86_64-unknown-linux-gnu", "haswell", "", ATTN_CPU_AVX2_FMA, 256, 16, 32 << 10, 8, 256 << 10},
};

llvm::ArrayRef<Target> attn::allTargets() { return kTargets; }

const Target *attn::lookupTarget(llvm::StringRef name) {
  const auto *it = llvm::find_if(kTargets, [&](const Target &target) { return target.name == name; });
  return it == std::end(kTargets) ? nullptr : it;
}

llvm::Expected<const Target *> attn::hostTarget() {
  llvm::StringMap<bool> host = llvm::sys::getHostCPUFeatures();
  auto has = [&](std::initializer_list<llvm::StringRef> features) {
    return llvm::all_of(features, [&](llvm::StringRef feature) { return host.lookup(feature); });
  };
  if (has({"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl", "avx2", "fma", "bmi2"}))
    return lookupTarget("x86-64-v4");
  if (has({"avx2", "fma", "bmi2", "f16c"}))
    return lookupTarget("x86-64-v3");
  return llvm::createStringError("this machine runs none of the targets " + targetNames() +
                                 "; name the machine the library is for with --target");
}

std::string attn::targetNames() {
  return llvm::join(llvm::map_range(kTargets, [](const Target &target) { return target.name.str(); }), ", ");
}
