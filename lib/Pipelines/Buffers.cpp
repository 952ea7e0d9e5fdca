//===- Buffers.cpp - Stages on buffers: memory, kernel, lower -*- C++ -*-===//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Codegen/CPU/Passes.h"
#include "attn/Codegen/Memory/Passes.h"
#include "attn/Codegen/Tiling/Passes.h"
#include "attn/Conversion/AttnToLLVM/Passes.h"
#include "attn/Pipelines/Stages.h"
#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/Bufferization/Transforms/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;
using namespace attn;

static void cleanUp(OpPassManager &pm) {
  // CSE first: it makes the two sides of a copy of a buffer onto itself the same value.
  pm.addPass(createCSEPass());
  pm.addPass(createCanonicalizerPass());
}

void attn::buildMemoryPipeline(OpPassManager &pm, const PipelineOptions &options) {
  OpPassManager &module = pm.nest<ModuleOp>();
  module.addNestedPass<func::FuncOp>(createWriteResults());
  module.addPass(bufferization::createEmptyTensorEliminationPass());
  module.addNestedPass<func::FuncOp>(createCopyResults());
  module.addPass(createBufferize());
  module.addNestedPass<func::FuncOp>(createDropResults());
  cleanUp(module);
  module.addNestedPass<func::FuncOp>(createKeepState());
  module.addNestedPass<func::FuncOp>(createAllocateScratch());
  module.addPass(memref::createResolveShapedTypeResultDimsPass());
  cleanUp(module);
  module.addPass(createPlanWorkspace());
  cleanUp(module);
  module.addPass(createVerifyMemory());
}

void attn::buildKernelPipeline(OpPassManager &pm, const PipelineOptions &options) {
  OpPassManager &module = pm.nest<ModuleOp>();
  module.addPass(createOutlineKernelsPass());
  module.addPass(createExpandLinearPass());
  module.addPass(createExpandAttentionPass());
  module.addPass(createExpandRowsPass());
  // No CPU computes in bf16 outside of dot products.
  module.addPass(arith::createArithEmulateUnsupportedFloats({{"bf16"}, "f32"}));
  module.addNestedPass<func::FuncOp>(createVectorizeGeneric());
  module.addNestedPass<func::FuncOp>(createConvertLinalgToLoopsPass());
  module.addPass(createExpandMathPass());
  cleanUp(module);
  module.addPass(createVerifyKernel());
}

void attn::buildLowerPipeline(OpPassManager &pm, const PipelineOptions &options) {
  OpPassManager &module = pm.nest<ModuleOp>();
  module.addPass(createExpandReshapes());
  module.addPass(createOutlineTasks());
  module.addPass(createLowerEntries({options.prefix}));
  module.addPass(createLowerWeights({options.prefix}));
  module.addNestedPass<func::FuncOp>(createConvertLinalgToLoopsPass());
  module.addPass(createConvertVectorToSCFPass());
  module.addPass(createLowerAffinePass());
  module.addPass(memref::createExpandStridedMetadataPass());
  module.addPass(createLowerAffinePass());
  module.addPass(createGuardDivision());
  module.addPass(createSCFToControlFlowPass());
  module.addPass(createLowerChecks());
  // Functions that become calls take vectors apart, so vectors are lowered after them.
  module.addPass(createConvertMathToLLVMPass());
  module.addPass(createConvertMathToLibmPass());
  module.addPass(createConvertVectorToLLVMPass());
  module.addPass(createFinalizeMemRefToLLVMConversionPass());
  module.addPass(createConvertIndexToLLVMPass());
  module.addPass(createArithToLLVMConversionPass());
  module.addPass(createUBToLLVMConversionPass());
  module.addPass(createConvertControlFlowToLLVMPass());
  module.addPass(createConvertFuncToLLVMPass());
  module.addPass(createReconcileUnrealizedCastsPass());
  cleanUp(module);
  module.addPass(createVerifyLower());
}
