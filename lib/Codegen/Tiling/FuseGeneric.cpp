//===- FuseGeneric.cpp - Elementwise ops as linalg ops, fused -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What is left for the generic path gets one form. Only a producer that its consumer reads element by element is fused:
// one that is broadcast would be computed again and again.
//
//===----------------------------------------------------------------------===//

#include "attn/Codegen/Tiling/Passes.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Linalg/Utils/Utils.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Dialect/MemRef/Transforms/Transforms.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Interfaces/ViewLikeInterface.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace attn {
#define GEN_PASS_DEF_FUSEGENERIC
#include "attn/Codegen/Tiling/Passes.h.inc"
} // namespace attn

using namespace mlir;
using namespace attn;

namespace {

/// linalg.softmax and its like as the linalg ops they stand for.
struct DecomposeSoftmax final : OpRewritePattern<linalg::SoftmaxOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(linalg::SoftmaxOp op, PatternRewriter &rewriter) const override {
    if (!op.hasPureTensorSemantics())
      return rewriter.notifyMatchFailure(op, "not on tensors");
    FailureOr<SmallVector<Value>> values = op.decomposeOperation(rewriter);
    if (failed(values))
      return failure();
    rewriter.replaceOp(op, *values);
    return success();
  }
};

/// Named elementwise ops as generic ones, which alone can be fused.
struct GeneralizeElementwise final : OpInterfaceRewritePattern<linalg::LinalgOp> {
  using OpInterfaceRewritePattern::OpInterfaceRewritePattern;
  LogicalResult matchAndRewrite(linalg::LinalgOp op, PatternRewriter &rewriter) const override {
    if (llvm::isa<linalg::GenericOp, linalg::FillOp>(op) || !op.hasPureTensorSemantics() || !linalg::isElementwise(op))
      return rewriter.notifyMatchFailure(op, "generic, or not elementwise");
    return linalg::generalizeNamedOp(rewriter, op);
  }
};

/// True where the consumer reads the producer's result element by element, and nobody else reads it.
bool isWorthFusing(OpOperand *operand) {
  auto consumer = llvm::dyn_cast<linalg::LinalgOp>(operand->getOwner());
  return consumer && operand->get().hasOneUse() && !consumer.isDpsInit(operand) &&
         consumer.getMatchingIndexingMap(operand).isPermutation();
}

struct FuseGeneric final : attn::impl::FuseGenericBase<FuseGeneric> {
  using Base::Base;

  void runOnOperation() override {
    RewritePatternSet raising(&getContext());
    linalg::populateElementwiseToLinalgConversionPatterns(raising);
    raising.add<DecomposeSoftmax, GeneralizeElementwise>(&getContext());
    RewritePatternSet fusing(&getContext());
    linalg::populateElementwiseOpsFusionPatterns(fusing, isWorthFusing);
    // Else an op has a second user that takes its result for a buffer, or that asks for its size.
    linalg::populateEraseUnusedOperandsAndResultsPatterns(fusing);
    memref::populateResolveRankedShapedTypeResultDimsPatterns(fusing);
    if (failed(applyPatternsGreedily(getOperation(), std::move(raising))) ||
        failed(applyPatternsGreedily(getOperation(), std::move(fusing))))
      signalPassFailure();
  }
};

} // namespace
