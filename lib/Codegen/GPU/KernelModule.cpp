//===- KernelModule.cpp - The module that kernels stand in ------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelModule.h"
#include "attn/Dialect/Attn/IR/Attn.h"
#include "attn/TargetInfo/TargetInfo.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;
using namespace attn;

gpu::GPUModuleOp attn::getOrCreateKernelModule(ModuleOp parent, StringRef chip) {
  MLIRContext *context = parent.getContext();
  auto named = parent->getAttrOfType<TargetAttr>(kTargetAttr);
  const Target *target = named ? lookupTarget(named.getName()) : nullptr;
  std::string name = target ? "kernels" : ("attn_" + chip).str();
  // PTX 8.0, the first with all of sm_90a's instructions, which drivers since CUDA 12.0 compile.
  StringRef ptx = "+ptx80";
  if (target) {
    chip = target->name;
    ptx = target->ptx;
  }
  if (auto module = parent.lookupSymbol<gpu::GPUModuleOp>(name))
    return module;
  parent->setAttr(gpu::GPUDialect::getContainerModuleAttrName(), UnitAttr::get(context));
  OpBuilder builder = OpBuilder::atBlockEnd(parent.getBody());
  auto attribute = NVVM::NVVMTargetAttr::get(context, /*optLevel=*/3, "nvptx64-nvidia-cuda", chip, ptx);
  return gpu::GPUModuleOp::create(builder, parent.getLoc(), name, ArrayRef<Attribute>{attribute});
}
