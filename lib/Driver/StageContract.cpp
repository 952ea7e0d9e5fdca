//===- StageContract.cpp - Whether a file is a dump of a stage --*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A stage's verifier says what is no longer there after it. A dump of a later stage has even less, so what such a dump
// has in addition is looked for here.
//
//===----------------------------------------------------------------------===//

#include "StageContract.h"
#include "StoredModel.h"
#include "attn/Codegen/CPU/Passes.h"
#include "attn/Codegen/Memory/Passes.h"
#include "attn/Codegen/Schedule/Passes.h"
#include "attn/Codegen/Tiling/Passes.h"
#include "attn/Conversion/AttnToLLVM/Passes.h"
#include "attn/Dialect/Attn/IR/Attn.h"
#include "attn/Dialect/Attn/Transforms/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Pass/PassManager.h"

using namespace mlir;
using namespace attn;

/// Adds the verifier that the stage itself ends with.
static void addVerifier(Stage stage, OpPassManager &pm) {
  switch (stage) {
  case Stage::Import:
  case Stage::Emit:
    return;
  case Stage::Fuse:
    return pm.addPass(createVerifyFusedPass());
  case Stage::Schedule:
    return pm.addNestedPass<ModuleOp>(createVerifySchedule());
  case Stage::Tile:
    return pm.addNestedPass<ModuleOp>(createVerifyTile());
  case Stage::Memory:
    return pm.addNestedPass<ModuleOp>(createVerifyMemory());
  case Stage::Kernel:
    return pm.addNestedPass<ModuleOp>(createVerifyKernel());
  case Stage::Lower:
    return pm.addNestedPass<ModuleOp>(createVerifyLower());
  }
}

/// What tells the module from one of `stage` at a glance; empty where nothing does.
static std::string whyOther(Stage stage, ModuleOp module) {
  bool hasTargets = !module.getOps<ModuleOp>().empty(), isStored = hasStoredModel(module);
  if (stage >= Stage::Schedule && !hasTargets)
    return "it has no module for a target, which the stage schedule makes";
  if (stage < Stage::Schedule && hasTargets)
    return "it has modules for targets, which the stage schedule makes";
  if (stage >= Stage::Kernel && !isStored)
    return "it has no table of its entries, which the stage kernel writes";
  if (stage < Stage::Kernel && isStored)
    return "it has a table of its entries, which the stage kernel writes";
  bool onBuffers = false, hasKernels = false;
  module.walk([&](Operation *op) {
    if (auto function = llvm::dyn_cast<func::FuncOp>(op))
      onBuffers |= llvm::any_of(function.getArgumentTypes(), [](Type type) { return llvm::isa<MemRefType>(type); });
    if (auto kernel = llvm::dyn_cast<KernelOpInterface>(op))
      hasKernels |= bool(kernel.getKernelAttribute());
  });
  if (stage < Stage::Memory && onBuffers)
    return "its functions are on buffers, which the stage memory makes";
  if (stage == Stage::Schedule && hasKernels)
    return "its operations have kernels, which the stage tile gives them";
  return "";
}

LogicalResult attn::verifyAfter(Stage stage, ModuleOp module) {
  std::string why = whyOther(stage, module);
  if (why.empty()) {
    // One reason is enough, and it stands in the sentence.
    ScopedDiagnosticHandler handler(module.getContext(), [&](Diagnostic &diagnostic) {
      if (why.empty() && diagnostic.getSeverity() == DiagnosticSeverity::Error)
        why = diagnostic.str();
      return success();
    });
    PassManager pm(module.getContext());
    addVerifier(stage, pm);
    if (succeeded(pm.run(module)))
      return success();
  }
  return module.emitError() << "this is not a module after the stage '" << infoOf(stage).flag << "': " << why
                            << "; give --compile-from the stage whose dump it is";
}
