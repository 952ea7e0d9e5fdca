//===- Version.h - Which attn-mlir this is ----------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The project's version has one place, the root CMakeLists.txt; everything that prints it asks here.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_SUPPORT_VERSION_H
#define ATTN_SUPPORT_VERSION_H

#include "llvm/ADT/StringRef.h"
#include <string>

namespace attn {

/// "0.1.0"
llvm::StringRef version();

/// What `--version` prints for a tool: "attnc 0.1.0 (LLVM 22.1.8)".
std::string versionLine(llvm::StringRef tool);

} // namespace attn

#endif // ATTN_SUPPORT_VERSION_H
