//===- Registration.cpp - Everything a tool registers, once -----*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Pipelines/Registration.h"
#include "attn/Codegen/CPU/Passes.h"
#include "attn/Codegen/GPU/Passes.h"
#include "attn/Codegen/Memory/Passes.h"
#include "attn/Codegen/Schedule/Passes.h"
#include "attn/Codegen/Tiling/Passes.h"
#include "attn/Conversion/AttnToLLVM/Passes.h"
#include "attn/Dialect/Attn/IR/Attn.h"
#include "attn/Dialect/Attn/IR/BufferizableOpInterfaceImpl.h"
#include "attn/Dialect/Attn/Transforms/Passes.h"
#include "attn/Pipelines/Stages.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/InitAllPasses.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/GPU/GPUToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/NVVM/NVVMToLLVMIRTranslation.h"

void attn::registerAttnDialect(mlir::DialectRegistry &registry) {
  registry.insert<AttnDialect>();
  registerBufferizableOpInterfaceExternalModels(registry);
}

void attn::registerAllAttnDialects(mlir::DialectRegistry &registry) {
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  // GPU kernels are serialized through LLVM IR.
  mlir::registerBuiltinDialectTranslation(registry);
  mlir::registerGPUDialectTranslation(registry);
  mlir::registerLLVMDialectTranslation(registry);
  mlir::registerNVVMDialectTranslation(registry);
  registerAttnDialect(registry);
}

void attn::registerAttnPasses() {
  registerAttnTransformsPasses();
  registerAttnSchedulePasses();
  registerAttnTilingPasses();
  registerAttnMemoryPasses();
  registerAttnCPUPasses();
  registerAttnGPUPasses();
  registerAttnConversionPasses();
  registerStagePipelines();
}

void attn::registerAllAttnPasses() {
  mlir::registerAllPasses();
  registerAttnPasses();
}
