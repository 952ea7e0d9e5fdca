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

/// How an operand is read along [M, N] that was read through `map` along [m..., N]: at every element, so that it is
/// collapsed too, or by the column alone. Null where it follows some of the row dimensions: there is no map from a
/// single row index to those.
static AffineMap flattenMap(AffineMap map) {
  MLIRContext *context = map.getContext();
  if (map.isIdentity())
    return AffineMap::getMultiDimIdentityMap(2, context);
  AffineExpr column = getAffineDimExpr(map.getNumDims() - 1, context);
  if (!llvm::all_of(map.getResults(), [&](AffineExpr result) { return result == column; }))
    return {};
  SmallVector<AffineExpr> results(map.getNumResults(), getAffineDimExpr(1, context));
  return AffineMap::get(2, 0, results, context);
}

namespace {

struct FlattenLinear final : OpRewritePattern<LinearOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(LinearOp op, PatternRewriter &rewriter) const override {
    RankedTensorType type = highRankType(op.getInit());
    if (!type)
      return failure();
    SmallVector<AffineMap> maps;
    for (AffineMap map : op.getExtraMaps().getAsValueRange<AffineMapAttr>()) {
      maps.push_back(flattenMap(map));
      if (!maps.back())
        return rewriter.notifyMatchFailure(op, "an extra is read along some of the row dimensions only");
    }

    Location loc = op.getLoc();
    SmallVector<Value> extras;
    for (auto [extra, map] : llvm::zip(op.getExtras(), maps))
      extras.push_back(map.isIdentity() ? collapseRows(rewriter, loc, extra) : extra);
    Value input = collapseRows(rewriter, loc, op.getInput()), init = collapseRows(rewriter, loc, op.getInit());
    auto flat =
        LinearOp::create(rewriter, loc, init.getType(), input, op.getWeight(), extras, init, /*scratch=*/ValueRange(),
                         rewriter.getAffineMapArrayAttr(maps), op.getKernelAttr(), op.getScheduleAttr());
    rewriter.inlineRegionBefore(op.getEpilogue(), flat.getEpilogue(), flat.getEpilogue().end());
    rewriter.replaceOp(op,
                       expandLike(rewriter, loc, flat.getResult(0), op.getInit(), rowReassociation(type.getRank())));
    return success();
  }
};

struct FlattenNorm final : OpInterfaceRewritePattern<NormOpInterface> {
  using OpInterfaceRewritePattern::OpInterfaceRewritePattern;

  LogicalResult matchAndRewrite(NormOpInterface op, PatternRewriter &rewriter) const override {
    auto type = dyn_cast<RankedTensorType>(op.getInit().getType());
    if (!type || type.getRank() == 2)
      return failure();
    Location loc = op.getLoc();
    bool single = type.getRank() == 1;
    auto flatten = [&](Value value) {
      return single ? asRow(rewriter, loc, value) : collapseRows(rewriter, loc, value);
    };
    Value input = flatten(op.getInput()), init = flatten(op.getInit());
    SmallVector<Value> operands(op->getOperands());
    operands.front() = input;
    operands.back() = init;
    Value flat = clone(rewriter, op, init.getType(), operands)->getResult(0);
    rewriter.replaceOp(op, single ? collapse(rewriter, loc, flat, oneRow())
                                  : expandLike(rewriter, loc, flat, op.getInit(), rowReassociation(type.getRank())));
    return success();
  }

private:
  /// [N] as [1, N].
  static Value asRow(OpBuilder &b, Location loc, Value value) {
    auto type = cast<RankedTensorType>(value.getType());
    SmallVector<OpFoldResult> sizes = {b.getIndexAttr(1), tensor::getMixedSize(b, loc, value, 0)};
    return tensor::ExpandShapeOp::create(b, loc, type.clone({1, type.getDimSize(0)}), value, oneRow(), sizes);
  }

  static SmallVector<ReassociationIndices> oneRow() { return {{0, 1}}; }
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

/// The same for a linalg.generic that is elementwise, up to inputs that are read by the column alone.
struct FlattenGeneric final : OpRewritePattern<linalg::GenericOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(linalg::GenericOp op, PatternRewriter &rewriter) const override {
    bool elementwise = op.hasPureTensorSemantics() && op.getNumResults() == 1 && highRankType(op.getResult(0)) &&
                       op.getNumParallelLoops() == op.getNumLoops() && !op.hasIndexSemantics() &&
                       op.getMatchingIndexingMap(op.getDpsInitOperand(0)).isIdentity();
    tensor::ExpandShapeOp expand = elementwise ? findExpandedMatrix(op) : tensor::ExpandShapeOp();
    if (!expand)
      return failure();
    SmallVector<ReassociationIndices> groups = expand.getReassociationIndices();
    bool rows = groups == rowReassociation(op.getNumLoops());
    SmallVector<AffineMap> maps;
    for (AffineMap map : op.getIndexingMapsArray()) {
      maps.push_back(rows || map.isIdentity() ? flattenMap(map) : AffineMap());
      if (!maps.back())
        return rewriter.notifyMatchFailure(op, "an operand is read along some of the row dimensions only");
    }
    auto flatten = [&](Value value, AffineMap map) {
      return map.isIdentity() ? collapse(rewriter, op.getLoc(), value, groups) : value;
    };
    SmallVector<Value> inputs;
    for (auto [input, map] : llvm::zip(op.getInputs(), maps))
      inputs.push_back(flatten(input, map));
    Value init = flatten(op.getOutputs().front(), maps.back());
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
    auto countOtherRanks = [&] {
      int64_t count = 0;
      getOperation().walk([&](Operation *op) {
        if (isa<LinearOp, NormOpInterface>(op))
          count +=
              cast<ShapedType>(cast<DestinationStyleOpInterface>(op).getDpsInits().front().getType()).getRank() != 2;
      });
      return count;
    };
    int64_t before = countOtherRanks();
    RewritePatternSet patterns(&getContext());
    populateFlattenRowsPatterns(patterns);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      return signalPassFailure();
    numFlattened += before - countOtherRanks();
    getOperation().walk([&](LinearOp op) {
      if (highRankType(op.getInit()))
        remarkMissed(op, "FlattenRows") << "stays of a higher rank: an extra is read along some of the row dimensions";
    });
  }
};

} // namespace

void attn::populateFlattenRowsPatterns(RewritePatternSet &patterns) {
  MLIRContext *context = patterns.getContext();
  patterns.add<FlattenLinear, FlattenNorm, FlattenElementwise, FlattenGeneric, OrderProduct>(context);
  tensor::CollapseShapeOp::getCanonicalizationPatterns(patterns, context);
  tensor::ExpandShapeOp::getCanonicalizationPatterns(patterns, context);
  tensor::DimOp::getCanonicalizationPatterns(patterns, context);
  tensor::EmptyOp::getCanonicalizationPatterns(patterns, context);
  affine::AffineApplyOp::getCanonicalizationPatterns(patterns, context);
  tensor::populateFoldTensorEmptyPatterns(patterns);
  // Sizes in terms of the arguments' sizes, so that equal ones become one value.
  memref::populateResolveRankedShapedTypeResultDimsPatterns(patterns);
}
