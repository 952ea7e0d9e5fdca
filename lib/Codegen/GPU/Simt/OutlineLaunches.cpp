//===- OutlineLaunches.cpp - Kernels of launches, equal ones once --*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Kernels are compared by how they are printed: layers of a model differ in what they are launched with only.
//
//===----------------------------------------------------------------------===//

#include "../KernelModule.h"
#include "attn/Codegen/GPU/Passes.h"
#include "attn/Dialect/Attn/IR/Attn.h"
#include "attn/TargetInfo/TargetInfo.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/DLTI/DLTI.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/GPU/Utils/GPUUtils.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "llvm/ADT/StringMap.h"

namespace attn {
#define GEN_PASS_DEF_OUTLINELAUNCHES
#include "attn/Codegen/GPU/Passes.h.inc"
} // namespace attn

using namespace mlir;
using namespace attn;

namespace {

struct OutlineLaunches final : attn::impl::OutlineLaunchesBase<OutlineLaunches> {
  using Base::Base;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    auto name = module->getAttrOfType<TargetAttr>(kTargetAttr);
    const Target *target = name ? lookupTarget(name.getName()) : nullptr;
    if (!target || !target->isGpu()) {
      module.emitError() << "the module names no GPU in '" << kTargetAttr << "'";
      return signalPassFailure();
    }
    SmallVector<gpu::LaunchOp> launches;
    module.walk([&](gpu::LaunchOp launch) { launches.push_back(launch); });
    if (launches.empty())
      return;
    SymbolTable symbols(getOrCreateKernelModule(module, target->name));
    known.clear();
    for (gpu::LaunchOp launch : launches)
      outline(launch, symbols);
    numKernels += known.size();
  }

private:
  void outline(gpu::LaunchOp launch, SymbolTable &symbols) {
    (void)sinkOperationsIntoLaunchOp(
        launch, [](Operation *op) { return isa<memref::DimOp>(op) || op->hasTrait<OpTrait::ConstantLike>(); });
    SmallVector<Value> operands;
    gpu::GPUFuncOp kernel = outlineKernelFunc(launch, "kernel", operands);
    std::string text;
    llvm::raw_string_ostream os(text);
    kernel->print(os, OpPrintingFlags().useLocalScope());
    gpu::GPUFuncOp &found = known[text];
    if (found) {
      kernel->erase();
    } else {
      found = kernel;
      symbols.insert(kernel);
    }
    auto kernels = cast<gpu::GPUModuleOp>(symbols.getOp());
    auto reference = SymbolRefAttr::get(kernels.getNameAttr(), FlatSymbolRefAttr::get(found.getNameAttr()));
    OpBuilder b(launch);
    gpu::LaunchFuncOp::create(b, launch.getLoc(), reference, launch.getGridSizeOperandValues(),
                              launch.getBlockSizeOperandValues(), launch.getDynamicSharedMemorySize(), operands);
    launch.erase();
  }

  llvm::StringMap<gpu::GPUFuncOp> known;
};

} // namespace
