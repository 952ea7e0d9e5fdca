//===- VerifyLower.cpp - The contract of the stage lower -*- C++ -*-===//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Conversion/AttnToLLVM/Passes.h"
#include "attn/Dialect/Attn/IR/Contract.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/BuiltinOps.h"

namespace attn {
#define GEN_PASS_DEF_VERIFYLOWER
#include "attn/Conversion/AttnToLLVM/Passes.h.inc"
} // namespace attn

using namespace mlir;
using namespace attn;

namespace {

LogicalResult verify(Operation *op) {
  if (llvm::isa<ModuleOp>(op) || llvm::isa_and_nonnull<LLVM::LLVMDialect>(op->getDialect()))
    return success();
  return op->emitOpError("is left after the stage 'lower', which converts it to the LLVM dialect");
}

struct VerifyLower final : attn::impl::VerifyLowerBase<VerifyLower> {
  using Base::Base;

  void runOnOperation() override {
    if (failed(verifyContract(getOperation(), verify)))
      signalPassFailure();
  }
};

} // namespace
