//===- VerifyTile.cpp - The contract of the stage tile -*- C++ -*-===//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Codegen/Schedule/GPUSupport.h"
#include "attn/Codegen/Tiling/Passes.h"
#include "attn/Dialect/Attn/IR/Attn.h"
#include "attn/Dialect/Attn/IR/Contract.h"
#include "mlir/IR/BuiltinOps.h"

namespace attn {
#define GEN_PASS_DEF_VERIFYTILE
#include "attn/Codegen/Tiling/Passes.h.inc"
} // namespace attn

using namespace mlir;
using namespace attn;

namespace {

LogicalResult verify(Operation *op) {
  if (hasGPUKernel(op))
    return success();
  if (llvm::isa<AttentionOp>(op))
    return op->emitOpError("is not cut into tasks after the stage 'tile'");
  if (op->hasAttr("schedule"))
    return op->emitOpError("still has a schedule after the stage 'tile'");
  if (auto kernel = llvm::dyn_cast<KernelOpInterface>(op); kernel && !kernel.getKernelAttribute())
    return op->emitOpError("has no kernel after the stage 'tile'");
  return success();
}

struct VerifyTile final : attn::impl::VerifyTileBase<VerifyTile> {
  using Base::Base;

  void runOnOperation() override {
    if (failed(verifyContract(getOperation(), verify)))
      signalPassFailure();
  }
};

} // namespace
