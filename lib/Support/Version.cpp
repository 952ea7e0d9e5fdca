//===- Version.cpp - Which attn-mlir this is --------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// ATTN_VERSION comes from CMake.
//
//===----------------------------------------------------------------------===//

#include "attn/Support/Version.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Config/llvm-config.h"

using namespace attn;

llvm::StringRef attn::version() { return ATTN_VERSION; }

std::string attn::versionLine(llvm::StringRef tool) {
  return (tool + " " + version() + " (LLVM " LLVM_VERSION_STRING ")").str();
}
