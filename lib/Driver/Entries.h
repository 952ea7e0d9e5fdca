//===- Entries.h - The entries of a module as plain data -*- C++ -*-===//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_DRIVER_ENTRIES_H
#define ATTN_LIB_DRIVER_ENTRIES_H

#include "attn/Target/ModelInfo.h"
#include "mlir/IR/BuiltinOps.h"

namespace attn {

/// The entries of `module`: its public functions, or those of its first target's module, with a variant for each
/// target. Call it while the functions still have their arguments' attributes, before the stage `lower`.
mlir::FailureOr<std::vector<EntryInfo>> describeEntries(mlir::ModuleOp module, llvm::StringRef prefix);

} // namespace attn

#endif // ATTN_LIB_DRIVER_ENTRIES_H
