//===- VerifySchedule.cpp - The contract of the stage schedule -*- C++ -*-===//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Codegen/Schedule/CostModel.h"
#include "attn/Codegen/Schedule/GPUSupport.h"
#include "attn/Codegen/Schedule/Passes.h"
#include "attn/Dialect/Attn/IR/Contract.h"
#include "mlir/IR/BuiltinOps.h"

namespace attn {
#define GEN_PASS_DEF_VERIFYSCHEDULE
#include "attn/Codegen/Schedule/Passes.h.inc"
} // namespace attn

using namespace mlir;
using namespace attn;

namespace {

LogicalResult verify(Operation *op) {
  if (llvm::isa<ModuleOp>(op))
    return targetOf(op);
  if (llvm::isa<LinearOp, AttentionOp, NormOpInterface, EmbeddingOp>(op) &&
      !op->getAttrOfType<ScheduleAttr>("schedule"))
    return op->emitOpError("has no schedule after the stage 'schedule'");
  if (auto linear = llvm::dyn_cast<LinearOp>(op); linear && !linear.isPacked() && !hasGPUKernel(op))
    return op->emitOpError("reads a weight that is not in panels after the stage 'schedule'");
  return success();
}

struct VerifySchedule final : attn::impl::VerifyScheduleBase<VerifySchedule> {
  using Base::Base;

  void runOnOperation() override {
    if (failed(verifyContract(getOperation(), verify)))
      signalPassFailure();
  }
};

} // namespace
