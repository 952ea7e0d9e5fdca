//===- VerifyFused.cpp - The contract of the stage `fuse` ---*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the stages after may rely on. Checked in every build, so that a rewrite that gives up is an error with a place
// and a reason, not a surprise three stages later.
//
//===----------------------------------------------------------------------===//

#include "attn/Dialect/Attn/Transforms/Passes.h"
#include "attn/Dialect/Attn/Transforms/Transforms.h"

namespace attn {
#define GEN_PASS_DEF_VERIFYFUSEDPASS
#include "attn/Dialect/Attn/Transforms/Passes.h.inc"
} // namespace attn

using namespace mlir;
using namespace attn;

static InFlightDiagnostic violation(Operation *op) { return op->emitOpError() << "after the stage 'fuse' "; }

template <typename OpTy>
static LogicalResult checkRows(OpTy op) {
  if (!isa<RankedTensorType>(op.getInit().getType()))
    return violation(op) << "must be on tensors";
  int64_t rank = cast<ShapedType>(op.getInit().getType()).getRank();
  if (rank != 2)
    return violation(op) << "must be two-dimensional, got rank " << rank;
  if (op.getScheduleAttr() || op.getKernelAttr())
    return violation(op) << "must not have a schedule or kernel: those are chosen by the stage 'schedule'";
  return success();
}

static LogicalResult checkLinear(LinearOp op) {
  if (op.isPacked())
    return violation(op) << "must have a weight [N, K]: panels are chosen by the stage 'schedule'";
  return checkRows(op);
}

static LogicalResult checkAttention(AttentionOp op) {
  if (!isa<RankedTensorType>(op.getInit().getType()))
    return violation(op) << "must be on tensors";
  // Query, key, value, `mapped` and what is written.
  size_t expected = 4 + op.getMapped().size() + (op.getLogSumExp() ? 1 : 0);
  if (op.getMaps().size() != expected)
    return violation(op) << "must have " << expected << " maps, got " << op.getMaps().size();
  if (op.getSchedule())
    return violation(op) << "must not have a schedule: it is chosen by the stage 'schedule'";
  return success();
}

static LogicalResult checkOp(Operation *op) {
  return llvm::TypeSwitch<Operation *, LogicalResult>(op)
      .Case<EncoderLayerOp, MultiHeadAttentionOp, FeedForwardOp>([](auto op) {
        return violation(op) << "must be taken apart, but could not be: its projections need static sizes";
      })
      .Case<LinearOp>(checkLinear)
      .Case<NormOpInterface>([](auto op) { return checkRows(op); })
      .Case<AttentionOp>(checkAttention)
      .Case<GetWeightOp>([](auto op) -> LogicalResult {
        if (!WeightOp::lookup(op, op.getNameAttr()))
          return violation(op) << "reads a weight that is not there: " << op.getNameAttr();
        return success();
      })
      .Default([](Operation *) { return success(); });
}

LogicalResult attn::verifyFused(ModuleOp module, int64_t &checked) {
  LogicalResult result = success();
  module.walk([&](Operation *op) {
    if (!isa_and_present<AttnDialect>(op->getDialect()))
      return;
    ++checked;
    if (failed(checkOp(op)))
      result = failure();
  });
  return result;
}

namespace {

struct VerifyFusedPass final : attn::impl::VerifyFusedPassBase<VerifyFusedPass> {
  using Base::Base;

  void runOnOperation() override {
    int64_t checked = 0;
    LogicalResult result = verifyFused(getOperation(), checked);
    numChecked += checked;
    markAllAnalysesPreserved();
    if (failed(result))
      signalPassFailure();
  }
};

} // namespace
