//===- Symbols.h - Names of symbols in the object file -*- C++ -*-===//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_CONVERSION_ATTNTOLLVM_SYMBOLS_H
#define ATTN_CONVERSION_ATTNTOLLVM_SYMBOLS_H

#include "llvm/ADT/StringRef.h"
#include <string>

namespace attn {

/// All symbols that are seen outside of an object begin with the library's prefix, so that several models link into one
/// program.
std::string runSymbol(llvm::StringRef prefix, llvm::StringRef entry, llvm::StringRef target);
std::string workspaceSymbol(llvm::StringRef prefix, llvm::StringRef entry, llvm::StringRef target);
/// The table of a GPU target: attn_gpu_code of Runtime/Model.h.
std::string gpuCodeSymbol(llvm::StringRef prefix, llvm::StringRef target);
std::string weightSymbol(llvm::StringRef prefix, llvm::StringRef weight);

} // namespace attn

#endif // ATTN_CONVERSION_ATTNTOLLVM_SYMBOLS_H
