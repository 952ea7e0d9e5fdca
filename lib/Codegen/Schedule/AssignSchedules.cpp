//===- AssignSchedules.cpp - Decide how each op runs on the module's target -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelSupport.h"
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

struct AssignSchedules final : attn::impl::AssignSchedulesBase<AssignSchedules> {
  using Base::Base;

  void runOnOperation() override {
    bool failed = false;
    auto assign = [&](auto op, auto schedule) {
      FailureOr<const Target *> target = targetOf(op);
      if (mlir::failed(target))
        return void(failed = true);
      if (std::string why = whyNoKernelRuns(op, **target); !why.empty()) {
        op->emitError() << "no kernel runs this op: " << why;
        return void(failed = true);
      }
      op.setScheduleAttr(schedule(op, **target));
      remarkScheduled(op, op.getScheduleAttr(), **target);
      ++numScheduled;
    };
    getOperation().walk([&](Operation *op) {
      TypeSwitch<Operation *>(op)
          .Case([&](LinearOp linear) { assign(linear, scheduleLinear); })
          .Case([&](AttentionOp attention) { assign(attention, scheduleAttention); })
          .Case<NormOpInterface, EmbeddingOp>([&](auto rows) { assign(rows, scheduleRows); })
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
