//===- MaskBounds.h - Mask regions as bounds of loops -----------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A mask region is a conjunction. Conditions that compare k with a value that is the same for all queries and keys, or
// k - q with one, bound the keys of a tile: causal masks, sliding windows, lengths. What is left is asked for each key
// and query.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_CODEGEN_SCHEDULE_MASKBOUNDS_H
#define ATTN_CODEGEN_SCHEDULE_MASKBOUNDS_H

#include "attn/Dialect/Attn/IR/Attn.h"
#include "mlir/IR/IRMapping.h"

namespace attn {

/// A sum of values of a region, integers or indices, and a constant, plus multiples of k and q.
struct LinearIndex {
  int64_t key = 0, query = 0, constant = 0;
  llvm::SmallVector<std::pair<int64_t, mlir::Value>> terms;
};

/// `k <= rest` or `k - q <= rest` (`isUpper`), or >=. `rest` has neither k nor q.
struct MaskBound {
  bool isUpper = true, ofDifference = false;
  LinearIndex rest;
};

struct MaskConditions {
  llvm::SmallVector<MaskBound> bounds;
  /// Values of the region, i1, that are no bounds.
  llvm::SmallVector<mlir::Value> others;
};

/// What the mask region of `op` is the conjunction of; nothing where it has none.
MaskConditions analyzeMask(AttentionOp op);

/// `sum`, without k and q, as an index where a task runs: `arguments` maps the arguments of the region that are the
/// same for all of its queries and keys, and gets what is computed from them.
mlir::Value emitLinearIndex(mlir::OpBuilder &b, mlir::Location loc, const LinearIndex &sum, mlir::IRMapping &arguments);

/// Makes `to` a copy of the mask region of `op` that yields the conjunction of `conditions`, at least one.
void copyConditions(AttentionOp op, llvm::ArrayRef<mlir::Value> conditions, mlir::Region &to);

/// True where mapped operand `i` is read at one element by all queries and keys of a task.
bool isMappedByTask(AttentionOp op, unsigned i);

} // namespace attn

#endif // ATTN_CODEGEN_SCHEDULE_MASKBOUNDS_H
