//===- TaskMask.h - The regions of attention in one task --------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_CODEGEN_TILING_TASKMASK_H
#define ATTN_LIB_CODEGEN_TILING_TASKMASK_H

#include "attn/Codegen/Schedule/MaskBounds.h"

namespace attn {

/// Turns mapped operands so that queries or keys stand last, in which kernels read vectors. What layers share is turned
/// once for all of them.
void arrangeMapped(AttentionOp op);

/// The queries [begin, begin + count) of one batch row and head.
struct AttentionTask {
  mlir::Value batch, head, queryBegin, queryCount;
};

/// The regions and mapped operands of attn.attention in one task.
class TaskMask {
public:
  TaskMask(AttentionOp op, mlir::OpBuilder &builder)
      : op(op), b(builder), loc(op.getLoc()), conditions(analyzeMask(op)) {}

  /// True where a key of a later query may count that doesn't for an earlier one: later tiles are more work.
  bool hasUpperDiagonal() const;

  /// Emits the bounds for `task`: [begin, end), the keys that may count for one of its queries, gets narrower.
  void emitBounds(const AttentionTask &task, mlir::Value &begin, mlir::Value &end);

  /// Gives attn.online_attention the bounds and regions for keys from `first` on, `count` of them.
  struct Parts {
    bool mask, score;
  };
  void addTo(OnlineAttentionOp online, Parts parts, mlir::Value first, mlir::Value count);

private:
  mlir::Value constant(int64_t value);
  mlir::Value indexOf(mlir::AffineExpr result);
  /// The slice of mapped operand `i` for the task's queries and these keys, and the map from (j, k).
  std::pair<mlir::Value, mlir::AffineMap> sliceMapped(unsigned i, mlir::Value first, mlir::Value count);
  mlir::Value extractMapped(unsigned i);

  AttentionOp op;
  mlir::OpBuilder &b;
  mlir::Location loc;
  MaskConditions conditions;
  AttentionTask task;
  mlir::Value lower, upper; ///< Of k - q, null where there is none.
};

} // namespace attn

#endif // ATTN_LIB_CODEGEN_TILING_TASKMASK_H
