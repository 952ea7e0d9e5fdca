//===- Merge.h - Several models in one module -------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_IMPORT_MERGE_H
#define ATTN_IMPORT_MERGE_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/ADT/StringRef.h"

namespace attn {

/// Moves all of `from`, the model at `path`, to the end of `into`, so that one library has the entries of both. Weights
/// and private functions are renamed where their names are taken. An error where an entry's name is.
llvm::LogicalResult mergeModule(mlir::ModuleOp into, mlir::OwningOpRef<mlir::ModuleOp> from, llvm::StringRef path);

} // namespace attn

#endif // ATTN_IMPORT_MERGE_H
