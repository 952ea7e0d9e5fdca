//===- FlattenRows.cpp - Row-wise ops become two-dimensional ---*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A linear, a norm or an activation doesn't care which sequence a row belongs to. As [M, N] with M = batch * sequence
// it is cut into tasks and tiles evenly, whatever the two sizes are, and kernels know one shape only. Each op collapses
// its operands and expands its result; what stands between two such ops cancels. Elementwise ops are drawn into the
// two-dimensional world where one of their operands already lives there.
//
//===----------------------------------------------------------------------===//

#include "Utils.h"
#include "attn/Dialect/Attn/Transforms/Passes.h"
#include "attn/Dialect/Attn/Transforms/Transforms.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/Transforms/Transforms.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Tensor/Transforms/Transforms.h"
#include "mlir/Dialect/Utils/StructuredOpsUtils.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace attn {
#define GEN_PASS_DEF_FLATTENROWSPASS
#include "attn/Dialect/Attn/Transforms/Passes.h.inc"
} // namespace attn

using namespace mlir;
using namespace attn;

static Value collapse(OpBuilder &b, Location loc, Value value, ArrayRef<ReassociationIndices> groups) {
  return tensor::CollapseShapeOp::create(b, loc, value, groups);
}

static Value collapseRows(OpBuilder &b, Location loc, Value value) {
  return collapse(b, loc, value, rowReassociation(cast<RankedTensorType>(value.getType()).getRank()));
}

/// `flat` as a tensor of the shape that `like` has.
static Value expandLike(OpBuilder &b, Location loc, Value flat, Value like, ArrayRef<ReassociationIndices> groups) {
  return tensor::ExpandShapeOp::create(b, loc, like.getType(), flat, groups, tensor::getMixedSizes(b, loc, like));
}

/// The tensor type of `value` where it has more than two dimensions, else null.
static RankedTensorType highRankType(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  return type && type.getRank() > 2 ? type : RankedTensorType();
}

namespace {

struct FlattenLinear final : OpRewritePattern<LinearOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(LinearOp op, PatternRewriter &rewriter) const override {
    RankedTensorType type = highRankType(op.getInit());
    if (!type)
      return failure();
    // An extra is read per column, or per element; one that is read along some of the row dimensions has no map from
    // a single row index.
    SmallVector<AffineMap> maps = llvm::to_vector(op.getExtraMaps().getAsValueRange<AffineMapAttr>());
    AffineMap perColumn = AffineMap::get(type.getRank(), 0, rewriter.getAffineDimExpr(type.getRank() - 1));
    for (AffineMap map : maps)
      if (map != perColumn && !map.isIdentity())
        return rewriter.notifyMatchFailure(op, "an extra is read along some of the row dimensions only");

    Location loc = op.getLoc();
    SmallVector<Value> extras;
    for (auto [extra, map] : llvm::zip(op.getExtras(), maps)) {
      bool column = map == perColumn;
      extras.push_back(column ? extra : collapseRows(rewriter, loc, extra));
      map = column ? AffineMap::get(2, 0, rewriter.getAffineDimExpr(1)) : rewriter.getMultiDimIdentityMap(2);
    }
    Value input = collapseRows(rewriter, loc, op.getInput()), init = collapseRows(rewriter, loc, op.getInit());
    auto flat = LinearOp::create(rewriter, loc, init.getType(), input, op.getWeight(), extras, init,
                                 rewriter.getAffineMapArrayAttr(maps), op.getKernelAttr(), op.getScheduleAttr());
    rewriter.inlineRegionBefore(op.getEpilogue(), flat.getEpilogue(), flat.getEpilogue().end());
    rewriter.replaceOp(op,
                       expandLike(rewriter, loc, flat.getResult(0), op.getInit(), rowReassociation(type.getRank())));
    return success();
  }
};

struct FlattenLayerNorm final : OpRewritePattern<LayerNormOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(LayerNormOp op, PatternRewriter &rewriter) const override {
    RankedTensorType type = highRankType(op.getInit());
    if (!type)
      return failure();
    Location loc = op.getLoc();
    Value input = collapseRows(rewriter, loc, op.getInput()), init = collapseRows(rewriter, loc, op.getInit());
    auto flat = LayerNormOp::create(rewriter, loc, init.getType(), input, op.getScale(), op.getShift(), init,
                                    op.getEpsilonAttr(), op.getKernelAttr(), op.getScheduleAttr());
    rewriter.replaceOp(op,
                       expandLike(rewriter, loc, flat.getResult(0), op.getInit(), rowReassociation(type.getRank())));
    return success();
  }
};

/// The reshape of a matrix that defines an operand of `op`, if there is one.
tensor::ExpandShapeOp findExpandedMatrix(Operation *op) {
  for (Value operand : op->getOperands())
    if (auto expand = operand.getDefiningOp<tensor::ExpandShapeOp>())
      if (expand.getSrcType().getRank() == 2)
        return expand;
  return {};
}

/// op(expand(x), y) = expand(op(x, collapse(y))) for ops of the ElementwiseMappable kind.
struct FlattenElementwise final : RewritePattern {
  FlattenElementwise(MLIRContext *context) : RewritePattern(MatchAnyOpTypeTag(), /*benefit=*/1, context) {}

  LogicalResult matchAndRewrite(Operation *op, PatternRewriter &rewriter) const override {
    if (op->getNumResults() != 1 || !OpTrait::hasElementwiseMappableTraits(op) || !highRankType(op->getResult(0)))
      return failure();
    tensor::ExpandShapeOp expand = findExpandedMatrix(op);
    if (!expand)
      return failure();
    SmallVector<ReassociationIndices> groups = expand.getReassociationIndices();
    SmallVector<Value> operands = llvm::map_to_vector(op->getOperands(), [&](Value operand) {
      return highRankType(operand) ? collapse(rewriter, op->getLoc(), operand, groups) : operand;
    });
    auto type = cast<RankedTensorType>(op->getResult(0).getType());
    Operation *flat = clone(rewriter, op, expand.getSrcType().clone(type.getElementType()), operands);
    rewriter.replaceOp(op, tensor::ExpandShapeOp::create(rewriter, op->getLoc(), type, flat->getResult(0), groups,
                                                         expand.getMixedOutputShape()));
    return success();
  }
};

/// The same for a linalg.generic all of whose maps are identities.
struct FlattenGeneric final : OpRewritePattern<linalg::GenericOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(linalg::GenericOp op, PatternRewriter &rewriter) const override {
    bool elementwise = op.hasPureTensorSemantics() && op.getNumResults() == 1 && highRankType(op.getResult(0)) &&
                       op.getNumParallelLoops() == op.getNumLoops() && !op.hasIndexSemantics() &&
                       llvm::all_of(op.getIndexingMapsArray(), [](AffineMap map) { return map.isIdentity(); });
    tensor::ExpandShapeOp expand = elementwise ? findExpandedMatrix(op) : tensor::ExpandShapeOp();
    if (!expand)
      return failure();
    SmallVector<ReassociationIndices> groups = expand.getReassociationIndices();
    auto flatten = [&](Value value) { return collapse(rewriter, op.getLoc(), value, groups); };
    SmallVector<Value> inputs = llvm::map_to_vector(op.getInputs(), flatten);
    Value init = flatten(op.getOutputs().front());
    SmallVector<AffineMap> maps(inputs.size() + 1, rewriter.getMultiDimIdentityMap(2));
    SmallVector<utils::IteratorType> iterators(2, utils::IteratorType::parallel);
    auto flat = linalg::GenericOp::create(rewriter, op.getLoc(), init.getType(), inputs, init, maps, iterators);
    rewriter.inlineRegionBefore(op.getRegion(), flat.getRegion(), flat.getRegion().end());
    rewriter.replaceOp(op, tensor::ExpandShapeOp::create(rewriter, op.getLoc(), op.getResult(0).getType(),
                                                         flat.getResult(0), groups, expand.getMixedOutputShape()));
    return success();
  }
};

/// Whether `a` is defined before `b`, in one block or as an argument.
bool isDefinedBefore(Value a, Value b) {
  Operation *first = a.getDefiningOp(), *second = b.getDefiningOp();
  if (!first || !second)
    return !first && second;
  return first != second && first->getBlock() == second->getBlock() && first->isBeforeInBlock(second);
}

/// The number of rows, batch * sequence, comes out of compositions in either order. In one order it is one value.
struct OrderProduct final : OpRewritePattern<affine::AffineApplyOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(affine::AffineApplyOp op, PatternRewriter &rewriter) const override {
    AffineMap map = op.getAffineMap();
    AffineExpr product = rewriter.getAffineSymbolExpr(0) * rewriter.getAffineSymbolExpr(1);
    if (map != AffineMap::get(0, 2, product) || !isDefinedBefore(op.getOperand(1), op.getOperand(0)))
      return failure();
    rewriter.modifyOpInPlace(op, [&] { op->setOperands({op.getOperand(1), op.getOperand(0)}); });
    return success();
  }
};

struct FlattenRowsPass final : attn::impl::FlattenRowsPassBase<FlattenRowsPass> {
  using Base::Base;

  void runOnOperation() override {
    auto countHighRank = [&] {
      int64_t count = 0;
      getOperation().walk([&](Operation *op) {
        if (auto destination = dyn_cast<DestinationStyleOpInterface>(op); isa<LinearOp, LayerNormOp>(op))
          count += highRankType(destination.getDpsInits().front()) != nullptr;
      });
      return count;
    };
    int64_t before = countHighRank();
    RewritePatternSet patterns(&getContext());
    populateFlattenRowsPatterns(patterns);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      return signalPassFailure();
    numFlattened += before - countHighRank();
    getOperation().walk([&](LinearOp op) {
      if (highRankType(op.getInit()))
        remarkMissed(op, "FlattenRows") << "stays of a higher rank: an extra is read along some of the row dimensions";
    });
  }
};

} // namespace

void attn::populateFlattenRowsPatterns(RewritePatternSet &patterns) {
  MLIRContext *context = patterns.getContext();
  patterns.add<FlattenLinear, FlattenLayerNorm, FlattenElementwise, FlattenGeneric, OrderProduct>(context);
  tensor::CollapseShapeOp::getCanonicalizationPatterns(patterns, context);
  tensor::ExpandShapeOp::getCanonicalizationPatterns(patterns, context);
  tensor::DimOp::getCanonicalizationPatterns(patterns, context);
  tensor::EmptyOp::getCanonicalizationPatterns(patterns, context);
  affine::AffineApplyOp::getCanonicalizationPatterns(patterns, context);
  tensor::populateFoldTensorEmptyPatterns(patterns);
  // Sizes in terms of the arguments' sizes, so that equal ones become one value.
  memref::populateResolveRankedShapedTypeResultDimsPatterns(patterns);
}
