//===- AssignSchedules.cpp - Decide how each op runs on the module's target -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Remarks.h"
#include "attn/Codegen/Schedule/CostModel.h"
#include "attn/Codegen/Schedule/Passes.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "llvm/ADT/TypeSwitch.h"

namespace attn {
#define GEN_PASS_DEF_ASSIGNSCHEDULES
#include "attn/Codegen/Schedule/Passes.h.inc"
} // namespace attn

using namespace mlir;
using namespace attn;

namespace {

/// The kernels compute in f32.
LogicalResult checkElementType(Operation *op) {
  for (Value operand : llvm::concat<Value>(op->getOperands(), op->getResults())) {
    Type element = getElementTypeOrSelf(operand.getType());
    if (llvm::isa<FloatType>(element) && !element.isF32())
      return op->emitError() << "element type " << element << " is not supported on CPUs; convert to f32";
  }
  return success();
}

LogicalResult checkAttention(AttentionOp op) {
  if (!op.getScore().empty())
    return op.emitError("attention with a score region is not supported on CPUs");
  if (!op.getMask().empty())
    return op.emitError(
        "this attention mask is not supported on CPUs: only masks over keys that hold for all queries and "
        "heads of a batch row are");
  if (op.getLogSumExp())
    return op.emitError("attention with a log-sum-exp result is not supported on CPUs");
  if (!op.getRanges() && op.getKeyMask())
    return op.emitError("attention with a key mask needs the ranges that attn.key_ranges computes from it");
  for (auto dim : {AttentionOp::QueryChannel, AttentionOp::ValueChannel})
    if (ShapedType::isDynamic(op.getStaticExtent(dim)))
      return op.emitError("attention needs static head sizes");
  return success();
}

struct AssignSchedules final : attn::impl::AssignSchedulesBase<AssignSchedules> {
  using Base::Base;

  void runOnOperation() override {
    bool failed = false;
    auto assign = [&](auto op, auto schedule) {
      FailureOr<const Target *> target = targetOf(op);
      if (mlir::failed(target) || mlir::failed(checkElementType(op)))
        return void(failed = true);
      op.setScheduleAttr(schedule(op, **target));
      remarkScheduled(op, op.getScheduleAttr(), **target);
      ++numScheduled;
    };
    getOperation().walk([&](Operation *op) {
      TypeSwitch<Operation *>(op)
          .Case([&](LinearOp linear) { assign(linear, scheduleLinear); })
          .Case([&](AttentionOp attention) {
            if (mlir::failed(checkAttention(attention)))
              return void(failed = true);
            assign(attention, scheduleAttention);
          })
          .Case<LayerNormOp, EmbeddingOp>([&](auto rows) { assign(rows, scheduleRows); })
          .Case([&](linalg::LinalgOp generic) {
            if (FailureOr<const Target *> target = targetOf(generic); mlir::succeeded(target))
              remarkGeneric(generic, **target);
          });
    });
    if (failed)
      signalPassFailure();
  }
};

} // namespace
