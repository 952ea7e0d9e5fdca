//===- AssignKernels.cpp - Give a kernel to the ops that are not cut into tasks -*- C++ -*-===//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Codegen/Schedule/CostModel.h"
#include "attn/Codegen/Tiling/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace attn {
#define GEN_PASS_DEF_ASSIGNKERNELS
#include "attn/Codegen/Tiling/Passes.h.inc"
} // namespace attn

using namespace mlir;
using namespace attn;

namespace {

struct AssignKernels final : attn::impl::AssignKernelsBase<AssignKernels> {
  using Base::Base;

  void runOnOperation() override {
    FailureOr<const Target *> target = targetOf(getOperation());
    if (failed(target))
      return signalPassFailure();
    bool failed = false;
    getOperation().walk([&](KernelOpInterface op) {
      if (op.getKernelAttribute())
        return WalkResult::advance();
      if (!llvm::isa<KeyRangesOp, PackOp>(op.getOperation())) {
        op->emitOpError("has no kernel, and none is chosen for it outside of attn.attention; write attn.attention, or "
                        "give it a kernel attribute");
        failed = true;
        return WalkResult::interrupt();
      }
      op->setAttr("kernel", scheduleRows(op, **target).getKernel());
      return WalkResult::advance();
    });
    if (failed)
      signalPassFailure();
  }
};

} // namespace
