//===- Tensors.cpp - Stages on tensors: import, fuse, schedule, tile -*- C++ -*-===//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ForTarget.h"
#include "attn/Codegen/Schedule/Passes.h"
#include "attn/Codegen/Tiling/Passes.h"
#include "attn/Dialect/Attn/Transforms/Passes.h"
#include "attn/Pipelines/Stages.h"
#include "attn/TargetInfo/TargetInfo.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;
using namespace attn;

static void cleanUp(OpPassManager &pm) {
  // Sizes come from the entry's arguments where they can, so that reshapes in between die.
  pm.addPass(memref::createResolveShapedTypeResultDimsPass());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
}

void attn::buildImportPipeline(OpPassManager &pm, const PipelineOptions &options) {
  // The importer has made the module. What an entry calls becomes part of it, so that the stages see whole entries.
  pm.addPass(createInlinerPass());
  pm.addPass(createSymbolDCEPass());
  // What an entry demands of its arguments is read off it once, for all importers.
  pm.addNestedPass<func::FuncOp>(createInferBoundsPass());
  pm.addNestedPass<func::FuncOp>(createInsertChecksPass());
}

void attn::buildFusePipeline(OpPassManager &pm, const PipelineOptions &options) {
  OpPassManager &raising = pm.nest<func::FuncOp>();
  cleanUp(raising);
  raising.addPass(createRaiseGeluPass());
  raising.addPass(createRaiseNormPass());
  raising.addPass(createRaiseRotaryPass());
  raising.addPass(createRaiseAttentionPass());
  pm.addPass(createRaiseLinearPass());
  OpPassManager &functions = pm.nest<func::FuncOp>();
  functions.addPass(createDecomposeBlocksPass());
  functions.addPass(createFoldTransposesPass());
  functions.addPass(createFoldMaskPass());
  functions.addPass(createFlattenRowsPass());
  cleanUp(functions);
  functions.addPass(createFuseEpiloguesPass());
  cleanUp(functions);
  // Where a graph adds a bias by itself, a linear has it only now.
  pm.addPass(createMergeLinearsPass());
  cleanUp(pm.nest<func::FuncOp>());
  // How many tokens there are is in memory, where the host can't look for a GPU's sizes.
  bool forGPU = llvm::any_of(options.targets, [](const std::string &name) {
    const Target *target = lookupTarget(name);
    return target && target->isGpu();
  });
  if (!forGPU)
    pm.addNestedPass<func::FuncOp>(createRemovePaddingPass({options.undefinedPaddedRows}));
  pm.addPass(createPruneWeightsPass());
  pm.nest<func::FuncOp>().addPass(createMarkStatePass());
  pm.addPass(createVerifyFusedPass());
}

void attn::buildSchedulePipeline(OpPassManager &pm, const PipelineOptions &options) {
  AssignTargetsOptions targets;
  targets.targets.assign(options.targets.begin(), options.targets.end());
  pm.addPass(createAssignTargets(targets));
  pm.addPass(createWiden());
  pm.addNestedPass<ModuleOp>(createGeneralize());
  pm.addPass(createPackWeights({options.panelWidth}));
  OpPassManager &module = pm.nest<ModuleOp>();
  module.addPass(createAssignSchedules());
  module.addPass(createVerifySchedule());
}

static void tileForCpu(OpPassManager &module, const PipelineOptions &) {
  OpPassManager &functions = module.nest<func::FuncOp>();
  functions.addPass(createTileRows());
  functions.addPass(createTileAttention());
  functions.addPass(createFuseGeneric());
  cleanUp(functions);
  functions.addPass(createTileGeneric());
  functions.addPass(createAssignKernels());
  cleanUp(functions);
  module.addPass(createVerifyTile());
}

/// What a GPU's threads and blocks take is cut in the stage kernel, on buffers.
static void tileForGpu(OpPassManager &module, const PipelineOptions &) {
  OpPassManager &functions = module.nest<func::FuncOp>();
  functions.addPass(createFuseGeneric());
  cleanUp(functions);
  module.addPass(createVerifyTile());
}

void attn::buildTilePipeline(OpPassManager &pm, const PipelineOptions &options) {
  addForTarget(pm, tileForCpu, tileForGpu, options);
}
