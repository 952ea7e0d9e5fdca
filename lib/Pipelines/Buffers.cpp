//===- Buffers.cpp - Stages on buffers: memory, kernel, lower -*- C++ -*-===//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ForTarget.h"
#include "attn/Codegen/CPU/Passes.h"
#include "attn/Codegen/GPU/Passes.h"
#include "attn/Codegen/Memory/Passes.h"
#include "attn/Codegen/Tiling/Passes.h"
#include "attn/Conversion/AttnToLLVM/Passes.h"
#include "attn/Pipelines/Stages.h"
#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/Bufferization/Transforms/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/GPU/Transforms/Passes.h"
#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
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

static void kernelsForCpu(OpPassManager &module, const PipelineOptions &) {
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

static void kernelsForGpu(OpPassManager &module, const PipelineOptions &) {
  module.addPass(createBuildKernels());
  module.addNestedPass<func::FuncOp>(createLaunchKernels());
  module.addNestedPass<func::FuncOp>(createLaunchLinears());
  module.addPass(arith::createArithEmulateUnsupportedFloats({{"bf16"}, "f32"}));
  module.addNestedPass<func::FuncOp>(createMapToThreads());
  math::MathExpandOpsPassOptions functions;
  functions.opMnemonics = {"rsqrt", "powf"};
  module.addPass(math::createMathExpandOpsPass(functions));
  module.addPass(createExpandMathPass());
  cleanUp(module);
  module.addPass(createOutlineLaunches());
  cleanUp(module);
  module.addNestedPass<gpu::GPUModuleOp>(createLowerFunctions());
  module.addPass(createVerifyKernel());
}

void attn::buildKernelPipeline(OpPassManager &pm, const PipelineOptions &options) {
  addForTarget(pm, kernelsForCpu, kernelsForGpu, options);
}

/// From entries with the runtime's calling convention to the LLVM dialect.
static void lowerToLLVM(OpPassManager &module) {
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

static void lowerForCpu(OpPassManager &module, const PipelineOptions &options) {
  module.addPass(createExpandReshapes());
  module.addPass(createOutlineTasks());
  module.addPass(createLowerEntries({options.prefix}));
  module.addPass(createLowerWeights({options.prefix}));
  lowerToLLVM(module);
}

/// The kernels, to PTX.
static void lowerKernels(OpPassManager &module) {
  OpPassManager &kernels = module.nest<gpu::GPUModuleOp>();
  kernels.addPass(memref::createExpandStridedMetadataPass());
  kernels.addPass(createLowerAffinePass());
  kernels.addPass(createGuardDivision());
  cleanUp(kernels);
  kernels.addPass(createSCFToControlFlowPass());
  kernels.addPass(createConvertMathToLLVMPass());
  kernels.addPass(createConvertGpuOpsToNVVMOps());
  kernels.addPass(createConvertNVVMToLLVMPass());
  kernels.addPass(createReconcileUnrealizedCastsPass());
  cleanUp(kernels);
  kernels.addPass(createVerifyDevice());
  GpuModuleToBinaryPassOptions binary;
  binary.compilationTarget = "isa";
  module.addPass(createGpuModuleToBinaryPass(binary));
}

static void lowerForGpu(OpPassManager &module, const PipelineOptions &options) {
  module.addPass(createExpandReshapes());
  lowerKernels(module);
  module.addPass(createLowerEntries({options.prefix}));
  module.addPass(createLowerLaunches({options.prefix}));
  lowerToLLVM(module);
}

void attn::buildLowerPipeline(OpPassManager &pm, const PipelineOptions &options) {
  addForTarget(pm, lowerForCpu, lowerForGpu, options);
}
