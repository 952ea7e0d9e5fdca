//===- OpCounts.h - Which ops a model has -----------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_DRIVER_OPCOUNTS_H
#define ATTN_LIB_DRIVER_OPCOUNTS_H

#include "mlir/IR/BuiltinOps.h"
#include <string>

namespace attn {

/// A line for each kind of op in the functions of `module`: how often it occurs and its name, the most frequent first.
std::string formatOpCounts(mlir::ModuleOp module);

/// The names of all ops of the attn dialect, a line each.
std::string formatAttnOps();

} // namespace attn

#endif // ATTN_LIB_DRIVER_OPCOUNTS_H
