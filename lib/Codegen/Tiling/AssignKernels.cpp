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
        return;
      if (!llvm::isa<KeyRangesOp, PackOp>(op.getOperation())) {
        op->emitError("this op has no schedule");
        failed = true;
        return;
      }
      op->setAttr("kernel", scheduleRows(op, **target).getKernel());
    });
    if (failed)
      signalPassFailure();
  }
};

} // namespace
