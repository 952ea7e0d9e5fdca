//===- attn-example-opt.cpp - The opt tool of another project ---*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Dialect/Attn/IR/Attn.h"
#include "attn/Pipelines/Registration.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"

namespace example {
#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "Passes.h.inc"
} // namespace example

int main(int argc, char **argv) {
  attn::registerAllAttnPasses();
  example::registerExamplePasses();
  mlir::DialectRegistry registry;
  attn::registerAllAttnDialects(registry);
  return mlir::asMainReturnCode(mlir::MlirOptMain(argc, argv, "example pass driver\n", registry));
}
