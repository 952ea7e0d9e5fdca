//===- RaiseLayerNorm.cpp - Layer norm out of its parts ---------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// ONNX has layer norms since operator set 17; before that exporters wrote the formula. As one op it is one pass over a
// row, and part of a chain of rows.
//
//===----------------------------------------------------------------------===//

#include "Expressions.h"
#include "Utils.h"
#include "attn/Dialect/Attn/Transforms/Passes.h"
#include "attn/Dialect/Attn/Transforms/Transforms.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace attn {
#define GEN_PASS_DEF_RAISELAYERNORMPASS
#include "attn/Dialect/Attn/Transforms/Passes.h.inc"
} // namespace attn

using namespace mlir;
using namespace attn;

/// `inner`, an operand of what `outer` reads, from outer's index.
static ElementOperand through(const ElementOperand &outer, ElementOperand inner) {
  inner.map = inner.map.compose(outer.map);
  return resolve(inner, /*allowZeros=*/true);
}

/// True for the maps of `rank` dimensions to all but the last.
static bool isRow(AffineMap map, unsigned rank) {
  // Behind the row's dimensions there may be one of size 1.
  for (auto [i, result] : llvm::enumerate(map.getResults()))
    if (result != (i < rank - 1 ? getAffineDimExpr(i, map.getContext()) : getAffineConstantExpr(0, map.getContext())))
      return false;
  return map.getNumResults() + 1 >= rank;
}

/// What `sum` sums over its last dimension, from 0; null if it is no such sum.
static Value summedRows(Value sum) {
  auto reduce = sum ? sum.getDefiningOp<linalg::LinalgOp>() : nullptr;
  if (!reduce || reduce.getNumDpsInputs() != 1 || reduce.getNumDpsInits() != 1 || reduce.getNumReductionLoops() != 1)
    return {};
  OpOperand *input = reduce.getDpsInputOperand(0), *init = reduce.getDpsInitOperand(0);
  unsigned rank = reduce.getNumLoops();
  AffineMap written = reduce.getMatchingIndexingMap(init);
  if (!reduce.getMatchingIndexingMap(input).isIdentity() || written.getNumResults() + 1 != rank ||
      !isRow(written, rank) || constantOf(init->get()) != std::optional(0.0))
    return {};
  auto add = reduce.getBlock()->getTerminator()->getOperand(0).getDefiningOp<arith::AddFOp>();
  BlockArgument element = reduce.getMatchingBlockArgument(input), before = reduce.getMatchingBlockArgument(init);
  bool adds = add && ((add.getLhs() == before && add.getRhs() == element) ||
                      (add.getLhs() == element && add.getRhs() == before));
  return adds ? input->get() : Value();
}

/// What `mean` is the mean of over its last dimension, read by the rows of `rank` dimensions; null if it is none.
static Value meanOf(const ElementOperand &mean, unsigned rank) {
  Product product = mean.tensor ? productOf(mean.tensor) : Product();
  if (product.factors.size() != 1)
    return {};
  ElementOperand sum = through(mean, product.factors.front());
  Value rows = summedRows(sum.tensor);
  auto type = rows ? llvm::cast<RankedTensorType>(rows.getType()) : RankedTensorType();
  if (!type || type.getRank() != rank || type.isDynamicDim(rank - 1) || !isRow(sum.map, rank) ||
      !isNearly(product.coefficient * double(type.getDimSize(rank - 1)), 1.0))
    return {};
  return rows;
}

static bool isElement(const ElementOperand &operand) { return operand.tensor && operand.map.isIdentity(); }

/// x, where `value` is x minus its rows' means.
static Value deviationOf(Value value) {
  std::optional<ElementOp> op = elementOpOf(value);
  if (!op || !llvm::isa<arith::SubFOp>(op->scalar) || !isElement(op->operands[0]))
    return {};
  unsigned rank = llvm::cast<RankedTensorType>(value.getType()).getRank();
  Value x = op->operands[0].tensor;
  return meanOf(resolve(op->operands[1], /*allowZeros=*/true), rank) == x ? x : Value();
}

/// The epsilon, where `operand` is the mean of the squares of `deviation` plus it.
static std::optional<double> epsilonOf(const ElementOperand &operand, Value deviation) {
  Sum sum = operand.tensor ? sumOf(operand.tensor) : Sum();
  if (sum.terms.size() != 1 || !(sum.constant > 0))
    return std::nullopt;
  unsigned rank = llvm::cast<RankedTensorType>(deviation.getType()).getRank();
  Value squares = meanOf(through(operand, sum.terms.front()), rank);
  Product square = squares ? productOf(squares) : Product();
  bool isSquare = square.coefficient == 1.0 && square.factors.size() == 2 &&
                  llvm::all_of(square.factors, [&](const ElementOperand &factor) {
                    return factor.tensor == deviation && isElement(factor);
                  });
  return isSquare ? std::optional(sum.constant) : std::nullopt;
}

/// The epsilon, where `operand` is sqrt(variance + epsilon) of `deviation`, or with `isInverse` 1 divided by that.
static std::optional<double> rootOf(const ElementOperand &operand, Value deviation, bool isInverse) {
  ElementOperand root = resolve(operand, /*allowZeros=*/true);
  std::optional<ElementOp> op = root.tensor ? elementOpOf(root.tensor) : std::nullopt;
  if (!op)
    return std::nullopt;
  if (isInverse && llvm::isa<arith::DivFOp>(op->scalar) && op->operands[0].constant == std::optional(1.0))
    return rootOf(through(root, op->operands[1]), deviation, /*isInverse=*/false);
  bool isRoot = isInverse ? llvm::isa<math::RsqrtOp>(op->scalar) : llvm::isa<math::SqrtOp>(op->scalar);
  return isRoot ? epsilonOf(through(root, op->operands[0]), deviation) : std::nullopt;
}

namespace {

struct Normalized {
  Value x;
  double epsilon;
};

} // namespace

/// What the product of `factors`, without the scale, normalizes.
static std::optional<Normalized> matchNormalized(ArrayRef<ElementOperand> factors) {
  auto match = [](const ElementOperand &deviation, const ElementOperand &root,
                  bool isInverse) -> std::optional<Normalized> {
    Value x = isElement(deviation) ? deviationOf(deviation.tensor) : Value();
    std::optional<double> epsilon = x ? rootOf(root, deviation.tensor, isInverse) : std::nullopt;
    return epsilon ? std::optional(Normalized{x, *epsilon}) : std::nullopt;
  };
  if (factors.size() == 2) {
    std::optional<Normalized> result = match(factors[0], factors[1], /*isInverse=*/true);
    return result ? result : match(factors[1], factors[0], /*isInverse=*/true);
  }
  std::optional<ElementOp> op =
      factors.size() == 1 && isElement(factors[0]) ? elementOpOf(factors[0].tensor) : std::nullopt;
  if (!op || !llvm::isa<arith::DivFOp>(op->scalar))
    return std::nullopt;
  return match(op->operands[0], op->operands[1], /*isInverse=*/false);
}

/// True for a vector of f32 along the last of `rank` dimensions.
static bool isVector(const ElementOperand &operand, unsigned rank) {
  auto type = operand.tensor ? llvm::dyn_cast<RankedTensorType>(operand.tensor.getType()) : RankedTensorType();
  return type && type.getRank() == 1 && type.getElementType().isF32() && operand.map.getNumResults() == 1 &&
         operand.map.getResult(0) == getAffineDimExpr(rank - 1, operand.map.getContext());
}

static LayerNormOp createLayerNorm(OpBuilder &b, Location loc, Value x, Value scale, Value shift, double epsilon) {
  auto type = llvm::cast<RankedTensorType>(x.getType());
  Value init = createDestination(b, loc, tensor::getMixedSizes(b, loc, x), type.getElementType());
  return LayerNormOp::create(b, loc, type, x, scale, shift, init, b.getF64FloatAttr(epsilon), RowKernelAttr(),
                             ScheduleAttr());
}

namespace {

template <typename OpTy>
struct RaiseLayerNorm : OpRewritePattern<OpTy> {
  using OpRewritePattern<OpTy>::OpRewritePattern;

  LogicalResult matchAndRewrite(OpTy op, PatternRewriter &rewriter) const override {
    auto type = op->getNumResults() == 1 ? llvm::dyn_cast<RankedTensorType>(op->getResult(0).getType()) : nullptr;
    if (!type || type.getRank() == 0 || !type.getElementType().isF32())
      return failure();
    return raise(op, type, rewriter);
  }

  virtual LogicalResult raise(OpTy op, RankedTensorType type, PatternRewriter &rewriter) const = 0;
};

/// At the multiplication with the scale, where everything before it has been built.
template <typename OpTy>
struct RaiseScaled final : RaiseLayerNorm<OpTy> {
  using RaiseLayerNorm<OpTy>::RaiseLayerNorm;

  LogicalResult raise(OpTy op, RankedTensorType type, PatternRewriter &rewriter) const override {
    Product product = productOf(op->getResult(0));
    if (product.coefficient != 1.0)
      return failure();
    for (auto [i, factor] : llvm::enumerate(product.factors)) {
      if (!isVector(factor, type.getRank()))
        continue;
      SmallVector<ElementOperand> others(product.factors);
      others.erase(others.begin() + i);
      std::optional<Normalized> normalized = matchNormalized(others);
      if (!normalized || normalized->x.getType() != type)
        continue;
      LayerNormOp norm =
          createLayerNorm(rewriter, op.getLoc(), normalized->x, factor.tensor, Value(), normalized->epsilon);
      remarkDone(norm, "RaiseLayerNorm") << "the quotient of deviations and their root mean square is a layer norm";
      rewriter.replaceOp(op, norm);
      return success();
    }
    return rewriter.notifyMatchFailure(op, "no factor is a scale of normalized rows");
  }
};

/// At the addition of the shift.
template <typename OpTy>
struct AddShift final : RaiseLayerNorm<OpTy> {
  using RaiseLayerNorm<OpTy>::RaiseLayerNorm;

  LogicalResult raise(OpTy op, RankedTensorType type, PatternRewriter &rewriter) const override {
    std::optional<ElementOp> sum = elementOpOf(op->getResult(0));
    if (!sum || !llvm::isa<arith::AddFOp>(sum->scalar))
      return failure();
    for (unsigned i : {0, 1}) {
      const ElementOperand &rows = sum->operands[i], &shift = sum->operands[1 - i];
      auto norm = isElement(rows) ? rows.tensor.getDefiningOp<LayerNormOp>() : LayerNormOp();
      if (!norm || norm.getShift() || !norm->hasOneUse() || !isVector(shift, type.getRank()))
        continue;
      LayerNormOp shifted = createLayerNorm(rewriter, norm.getLoc(), norm.getInput(), norm.getScale(), shift.tensor,
                                            norm.getEpsilon().convertToDouble());
      rewriter.replaceOp(op, shifted);
      rewriter.eraseOp(norm);
      return success();
    }
    return rewriter.notifyMatchFailure(op, "no operand is a layer norm without a shift");
  }
};

struct RaiseLayerNormPass final : attn::impl::RaiseLayerNormPassBase<RaiseLayerNormPass> {
  using Base::Base;

  void runOnOperation() override {
    int64_t before = countOps<LayerNormOp>(getOperation());
    RewritePatternSet patterns(&getContext());
    populateRaiseLayerNormPatterns(patterns);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      return signalPassFailure();
    numRaised += countOps<LayerNormOp>(getOperation()) - before;
  }
};

} // namespace

void attn::populateRaiseLayerNormPatterns(RewritePatternSet &patterns) {
  patterns.add<RaiseScaled<linalg::GenericOp>, RaiseScaled<arith::MulFOp>, AddShift<linalg::GenericOp>,
               AddShift<arith::AddFOp>>(patterns.getContext());
}
