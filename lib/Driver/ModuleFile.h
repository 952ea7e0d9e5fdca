//===- ModuleFile.h - Texts as files ----------------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_DRIVER_MODULEFILE_H
#define ATTN_LIB_DRIVER_MODULEFILE_H

#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/Error.h"

namespace attn {

/// Writes what `write` prints to `path`; "-" is standard output. A regular file appears whole or not at all.
llvm::Error writeTextFile(llvm::StringRef path, llvm::function_ref<void(llvm::raw_ostream &)> write);

/// Prints `module` as dumps show it: without locations, which would be most of the text.
void printModule(mlir::ModuleOp module, llvm::raw_ostream &os);

} // namespace attn

#endif // ATTN_LIB_DRIVER_MODULEFILE_H
