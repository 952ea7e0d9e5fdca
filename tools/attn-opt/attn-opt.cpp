//===- attn-opt.cpp - Runs passes on MLIR text ------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Pipelines/Registration.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"

int main(int argc, char **argv) {
  attn::registerAllAttnPasses();
  mlir::DialectRegistry registry;
  attn::registerAllAttnDialects(registry);
  return mlir::asMainReturnCode(mlir::MlirOptMain(argc, argv, "attn-mlir pass driver\n", registry));
}
