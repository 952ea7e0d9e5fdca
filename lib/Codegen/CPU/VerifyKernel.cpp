//===- VerifyKernel.cpp - The contract of the stage kernel -*- C++ -*-===//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Codegen/CPU/Passes.h"
#include "attn/Dialect/Attn/IR/Attn.h"
#include "attn/Dialect/Attn/IR/Contract.h"
#include "mlir/IR/BuiltinOps.h"

namespace attn {
#define GEN_PASS_DEF_VERIFYKERNEL
#include "attn/Codegen/CPU/Passes.h.inc"
} // namespace attn

using namespace mlir;
using namespace attn;

namespace {

LogicalResult verify(Operation *op) {
  StringRef dialect = op->getName().getDialectNamespace();
  if (dialect == "linalg" || dialect == "tensor")
    return op->emitOpError("is left after the stage 'kernel', which expands it");
  if (dialect == "attn" && !llvm::isa<GetWeightOp, WorkerOp, NumWorkersOp, CheckOp, RunFlagOp>(op))
    return op->emitOpError("has no kernel that expands it");
  return success();
}

struct VerifyKernel final : attn::impl::VerifyKernelBase<VerifyKernel> {
  using Base::Base;

  void runOnOperation() override {
    if (failed(verifyContract(getOperation(), verify)))
      signalPassFailure();
  }
};

} // namespace
