//===- attn-reduce.cpp - Makes a failing module small -------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// attn-reduce crash.mlir --reduction-tree='traversal-mode=0 test=script.sh', where the script exits 1 for a module that
// still shows the failure.
//
//===----------------------------------------------------------------------===//

#include "attn/Pipelines/Registration.h"
#include "mlir/IR/DialectRegistry.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Tools/mlir-reduce/MlirReduceMain.h"

int main(int argc, char **argv) {
  attn::registerAllAttnPasses();
  mlir::DialectRegistry registry;
  attn::registerAllAttnDialects(registry);
  mlir::MLIRContext context(registry);
  return mlir::failed(mlir::mlirReduceMain(argc, argv, context));
}
