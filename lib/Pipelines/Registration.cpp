//===- Registration.cpp - Everything a tool registers, once -----*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Pipelines/Registration.h"
#include "attn/Codegen/CPU/Passes.h"
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

void attn::registerAttnDialect(mlir::DialectRegistry &registry) {
  registry.insert<AttnDialect>();
  registerBufferizableOpInterfaceExternalModels(registry);
}

void attn::registerAllAttnDialects(mlir::DialectRegistry &registry) {
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  registerAttnDialect(registry);
}

void attn::registerAttnPasses() {
  registerAttnTransformsPasses();
  registerAttnSchedulePasses();
  registerAttnTilingPasses();
  registerAttnMemoryPasses();
  registerAttnCPUPasses();
  registerAttnConversionPasses();
  registerStagePipelines();
}

void attn::registerAllAttnPasses() {
  mlir::registerAllPasses();
  registerAttnPasses();
}
