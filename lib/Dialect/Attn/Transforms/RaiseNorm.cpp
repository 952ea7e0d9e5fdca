//===- RaiseNorm.cpp - Norms of rows out of their parts ---------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// ONNX has layer norms since operator set 17 and RMS norms since 23; before that exporters wrote the formulas. As one
// op a norm is one pass over a row, and part of a chain of rows.
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
#define GEN_PASS_DEF_RAISENORMPASS
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
  std::optional<ElementOp> square = squares ? elementOpOf(squares) : std::nullopt;
  bool isSquare = square && llvm::isa<arith::MulFOp>(square->scalar) &&
                  llvm::all_of(square->operands, [&](const ElementOperand &factor) {
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
  bool isCentered;
};

} // namespace

/// What `rows` over `root`, or times it with `isInverse`, normalizes. Rows that are no differences to their means are
/// divided by their own root mean square.
static std::optional<Normalized> matchQuotient(const ElementOperand &rows, const ElementOperand &root, bool isInverse) {
  std::optional<double> epsilon = isElement(rows) ? rootOf(root, rows.tensor, isInverse) : std::nullopt;
  if (!epsilon)
    return std::nullopt;
  Value x = deviationOf(rows.tensor);
  return Normalized{x ? x : rows.tensor, *epsilon, /*isCentered=*/x != nullptr};
}

/// What the product of `factors`, without the scale, normalizes.
static std::optional<Normalized> matchNormalized(ArrayRef<ElementOperand> factors) {
  if (factors.size() == 2) {
    std::optional<Normalized> result = matchQuotient(factors[0], factors[1], /*isInverse=*/true);
    return result ? result : matchQuotient(factors[1], factors[0], /*isInverse=*/true);
  }
  std::optional<ElementOp> op =
      factors.size() == 1 && isElement(factors[0]) ? elementOpOf(factors[0].tensor) : std::nullopt;
  if (!op || !llvm::isa<arith::DivFOp>(op->scalar))
    return std::nullopt;
  return matchQuotient(op->operands[0], op->operands[1], /*isInverse=*/false);
}

/// True for a vector of f32 along the last of `rank` dimensions.
static bool isVector(const ElementOperand &operand, unsigned rank) {
  auto type = operand.tensor ? llvm::dyn_cast<RankedTensorType>(operand.tensor.getType()) : RankedTensorType();
  return type && type.getRank() == 1 && type.getElementType().isF32() && operand.map.getNumResults() == 1 &&
         operand.map.getResult(0) == getAffineDimExpr(rank - 1, operand.map.getContext());
}

static NormOpInterface createNorm(OpBuilder &b, Location loc, const Normalized &rows, Value scale, Value shift) {
  auto type = llvm::cast<RankedTensorType>(rows.x.getType());
  Value init = createDestination(b, loc, tensor::getMixedSizes(b, loc, rows.x), type.getElementType());
  FloatAttr epsilon = b.getF64FloatAttr(rows.epsilon);
  if (!rows.isCentered)
    return RMSNormOp::create(b, loc, type, rows.x, scale, init, epsilon, RowKernelAttr(), ScheduleAttr());
  return LayerNormOp::create(b, loc, type, rows.x, scale, shift, init, epsilon, RowKernelAttr(), ScheduleAttr());
}

namespace {

template <typename OpTy>
struct RaiseNorm : OpRewritePattern<OpTy> {
  using OpRewritePattern<OpTy>::OpRewritePattern;

  LogicalResult matchAndRewrite(OpTy op, PatternRewriter &rewriter) const override {
    auto type = op->getNumResults() == 1 ? llvm::dyn_cast<RankedTensorType>(op->getResult(0).getType()) : nullptr;
    if (!type || type.getRank() == 0 || !type.getElementType().isF32())
      return failure();
    return raise(op, type, rewriter);
  }

  virtual LogicalResult raise(OpTy op, RankedTensorType type, PatternRewriter &rewriter) const = 0;
};

/// The factors of `tensor`: all, and those of the last two products alone, as rows may be a product, too.
static SmallVector<SmallVector<ElementOperand>, 3> factorsOf(Value tensor) {
  SmallVector<SmallVector<ElementOperand>, 3> all;
  if (Product product = productOf(tensor); product.coefficient == 1.0)
    all.push_back(product.factors);
  std::optional<ElementOp> last = elementOpOf(tensor);
  if (!last || !llvm::isa<arith::MulFOp>(last->scalar))
    return all;
  for (unsigned i : {0, 1}) {
    const ElementOperand &part = last->operands[i];
    std::optional<ElementOp> before = isElement(part) ? elementOpOf(part.tensor) : std::nullopt;
    if (before && llvm::isa<arith::MulFOp>(before->scalar))
      all.push_back({last->operands[1 - i], before->operands[0], before->operands[1]});
  }
  return all;
}

/// At the multiplication with the scale, where everything before it has been built.
template <typename OpTy>
struct RaiseScaled final : RaiseNorm<OpTy> {
  using RaiseNorm<OpTy>::RaiseNorm;

  LogicalResult raise(OpTy op, RankedTensorType type, PatternRewriter &rewriter) const override {
    for (ArrayRef<ElementOperand> factors : factorsOf(op->getResult(0)))
      for (auto [i, factor] : llvm::enumerate(factors)) {
        if (!isVector(factor, type.getRank()))
          continue;
        SmallVector<ElementOperand> others(factors);
        others.erase(others.begin() + i);
        std::optional<Normalized> normalized = matchNormalized(others);
        if (!normalized || normalized->x.getType() != type)
          continue;
        NormOpInterface norm = createNorm(rewriter, op.getLoc(), *normalized, factor.tensor, Value());
        remarkDone(norm, "RaiseNorm") << (normalized->isCentered
                                              ? "the quotient of deviations and their root mean square is a layer norm"
                                              : "the quotient of rows and their root mean square is an RMS norm");
        rewriter.replaceOp(op, norm);
        return success();
      }
    return rewriter.notifyMatchFailure(op, "no factor is a scale of normalized rows");
  }
};

/// At the addition of the shift.
template <typename OpTy>
struct AddShift final : RaiseNorm<OpTy> {
  using RaiseNorm<OpTy>::RaiseNorm;

  LogicalResult raise(OpTy op, RankedTensorType type, PatternRewriter &rewriter) const override {
    std::optional<ElementOp> sum = elementOpOf(op->getResult(0));
    if (!sum || !llvm::isa<arith::AddFOp>(sum->scalar))
      return failure();
    for (unsigned i : {0, 1}) {
      const ElementOperand &rows = sum->operands[i], &shift = sum->operands[1 - i];
      auto norm = isElement(rows) ? rows.tensor.getDefiningOp<LayerNormOp>() : LayerNormOp();
      if (!norm || norm.getShift() || !norm->hasOneUse() || !isVector(shift, type.getRank()))
        continue;
      Normalized normalized = {norm.getInput(), norm.getEpsilon().convertToDouble(), /*isCentered=*/true};
      NormOpInterface shifted = createNorm(rewriter, norm.getLoc(), normalized, norm.getScale(), shift.tensor);
      rewriter.replaceOp(op, shifted);
      rewriter.eraseOp(norm);
      return success();
    }
    return rewriter.notifyMatchFailure(op, "no operand is a layer norm without a shift");
  }
};

struct RaiseNormPass final : attn::impl::RaiseNormPassBase<RaiseNormPass> {
  using Base::Base;

  void runOnOperation() override {
    int64_t before = countOps<NormOpInterface>(getOperation());
    RewritePatternSet patterns(&getContext());
    populateRaiseNormPatterns(patterns);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      return signalPassFailure();
    numRaised += countOps<NormOpInterface>(getOperation()) - before;
  }
};

} // namespace

void attn::populateRaiseNormPatterns(RewritePatternSet &patterns) {
  patterns.add<RaiseScaled<linalg::GenericOp>, RaiseScaled<arith::MulFOp>, AddShift<linalg::GenericOp>,
               AddShift<arith::AddFOp>>(patterns.getContext());
}
