//===- ForTarget.cpp - Passes by the kind of a module's target --*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ForTarget.h"
#include "attn/Codegen/Schedule/CostModel.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

using namespace mlir;
using namespace attn;

namespace {

class ForTarget final : public PassWrapper<ForTarget, OperationPass<ModuleOp>> {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(ForTarget)

  ForTarget(PipelineBuilder cpu, PipelineBuilder gpu, const PipelineOptions &options)
      : cpu(ModuleOp::getOperationName()), gpu(ModuleOp::getOperationName()) {
    cpu(this->cpu, options);
    gpu(this->gpu, options);
  }

  StringRef getName() const override { return "ForTarget"; }
  StringRef getDescription() const override { return "Runs the passes for the kind of machine that the module is for"; }

  void getDependentDialects(DialectRegistry &registry) const override {
    cpu.getDependentDialects(registry);
    gpu.getDependentDialects(registry);
  }

  void runOnOperation() override {
    FailureOr<const Target *> target = targetOf(getOperation());
    if (failed(target) || failed(runPipeline((*target)->isGpu() ? gpu : cpu, getOperation())))
      signalPassFailure();
  }

private:
  OpPassManager cpu, gpu;
};

} // namespace

void attn::addForTarget(OpPassManager &pm, PipelineBuilder cpu, PipelineBuilder gpu, const PipelineOptions &options) {
  pm.addNestedPass<ModuleOp>(std::make_unique<ForTarget>(cpu, gpu, options));
}
