//===- CopyResults.cpp - Let bufferization decide where values stand -*- C++ -*-===//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// bufferization.materialize_in_destination promises that its destination is written in place, whatever else was put
// there in the meantime by the elimination of empty tensors. linalg.copy promises nothing, and a copy of a buffer onto
// itself goes away.
//
//===----------------------------------------------------------------------===//

#include "attn/Codegen/Memory/Passes.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace attn {
#define GEN_PASS_DEF_COPYRESULTS
#include "attn/Codegen/Memory/Passes.h.inc"
} // namespace attn

using namespace mlir;

namespace {

struct CopyResults final : attn::impl::CopyResultsBase<CopyResults> {
  using Base::Base;

  void runOnOperation() override {
    getOperation().walk([](bufferization::MaterializeInDestinationOp op) {
      if (!llvm::isa<TensorType>(op.getDest().getType()))
        return;
      OpBuilder builder(op);
      auto copy = linalg::CopyOp::create(builder, op.getLoc(), op.getSource(), op.getDest());
      op.getResult().replaceAllUsesWith(copy.getResult(0));
      op.erase();
    });
  }
};

} // namespace
