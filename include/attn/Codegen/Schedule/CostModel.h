//===- CostModel.h - Schedules from a target's description ------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_CODEGEN_SCHEDULE_COSTMODEL_H
#define ATTN_CODEGEN_SCHEDULE_COSTMODEL_H

#include "attn/Dialect/Attn/IR/Attn.h"
#include "attn/TargetInfo/TargetInfo.h"

namespace attn {

/// The schedule of `op` on `target`. Sizes are in elements of f32.
ScheduleAttr scheduleLinear(LinearOp op, const Target &target);
ScheduleAttr scheduleAttention(AttentionOp op, const Target &target);
/// The same on every GPU; null where there is no kernel for the size of the heads.
ScheduleAttr scheduleGPUAttention(AttentionOp op);
/// Ops on rows without a register tile: norms, embedding.
ScheduleAttr scheduleRows(mlir::Operation *op, const Target &target);

/// The name of the target of the module that `op` is in; null where none has one.
TargetAttr findTargetName(mlir::Operation *op);
/// That target; an error at `op` where there is none.
mlir::FailureOr<const Target *> targetOf(mlir::Operation *op);

} // namespace attn

#endif // ATTN_CODEGEN_SCHEDULE_COSTMODEL_H
