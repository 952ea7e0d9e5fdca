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

static constexpr llvm::StringLiteral kX86 = "x86_64-unknown-linux-gnu";

/// A GPU: `registers` of 32 bits a thread, a first-level cache that shared memory is a part of. PTX 8.0 is what drivers
/// since CUDA 12.0 (R525) read.
static constexpr Target gpu(llvm::StringLiteral name, int32_t capability, bool exact, int64_t l1Bytes,
                            int64_t l2Bytes) {
  return {name, kX86, "x86-64", "", 0, 32, 255, l1Bytes, 4, l2Bytes, capability, exact, "+ptx80"};
}

// Cache sizes are the smallest that machines of the level commonly have.
static constexpr Target kTargets[] = {
    gpu("sm_90a", 90, true, 256 << 10, 50 << 20),
    gpu("sm_90", 90, false, 256 << 10, 50 << 20),
    gpu("sm_89", 89, false, 128 << 10, 32 << 20),
    gpu("sm_86", 86, false, 128 << 10, 4 << 20),
    gpu("sm_80", 80, false, 192 << 10, 40 << 20),
    {"x86-64-v4", kX86, "skylake-avx512", "-prefer-256-bit", ATTN_CPU_AVX2_FMA | ATTN_CPU_AVX512, 512, 32, 32 << 10, 8,
     1 << 20},
    {"x86-64-v3", kX86, "haswell", "", ATTN_CPU_AVX2_FMA, 256, 16, 32 << 10, 8, 256 << 10},
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
