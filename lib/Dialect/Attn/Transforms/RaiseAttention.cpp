//===- RaiseAttention.cpp - softmax(QK^T)V as attn.attention ----*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Starts at the second product and goes back: its first factor is a softmax over the summed dimension; the softmax is of
// a sum, one term of which is the product of queries and keys with a scale, the others are biases; a bias that is 0 or a
// very negative number is a mask. Scales may stand at the scores, at the queries or at the keys.
//
// A row of scores that are all -infinity becomes zeros, where the graph would give NaN.
//
//===----------------------------------------------------------------------===//

#include "Expressions.h"
#include "Utils.h"
#include "attn/Dialect/Attn/Transforms/Passes.h"
#include "attn/Dialect/Attn/Transforms/Transforms.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace attn {
#define GEN_PASS_DEF_RAISEATTENTIONPASS
#include "attn/Dialect/Attn/Transforms/Passes.h.inc"
} // namespace attn

using namespace mlir;
using namespace attn;

namespace {

/// A batched product: out[batch..., m, n] = sum over one dimension of lhs * rhs.
struct MatrixProduct {
  linalg::LinalgOp op;
  Value lhs, rhs;
  AffineMap lhsMap, rhsMap; ///< from the dimensions of the result, then the summed one
  unsigned rank;            ///< of the result
};

/// A mask as data: a key counts where the element is not 0, or where it is (`inverted`).
struct MaskTerm {
  ElementOperand element;
  bool inverted;
  EmptyRow empty;
};

struct Attention {
  MatrixProduct scores, output;
  double scale = 1.0;
  SmallVector<ElementOperand> biases;
  SmallVector<MaskTerm> masks;
};

} // namespace

//===----------------------------------------------------------------------===//
// Products and softmax
//===----------------------------------------------------------------------===//

static std::optional<MatrixProduct> matchProduct(Operation *op) {
  auto structured = llvm::dyn_cast_or_null<linalg::LinalgOp>(op);
  if (!structured || !structured.hasPureTensorSemantics() || !linalg::isaContractionOpInterface(structured) ||
      structured.getNumReductionLoops() != 1)
    return std::nullopt;
  auto fill = structured.getDpsInits()[0].getDefiningOp<linalg::FillOp>();
  if (!fill || !matchPattern(fill.getInputs().front(), m_AnyZeroFloat()))
    return std::nullopt;
  SmallVector<AffineMap> maps = structured.getIndexingMapsArray();
  unsigned rank = maps[2].getNumResults();
  // Loops in the order of the result's dimensions, the summed one last.
  SmallVector<AffineExpr> order(maps[2].getNumDims());
  for (auto [i, expr] : llvm::enumerate(maps[2].getResults()))
    order[llvm::cast<AffineDimExpr>(expr).getPosition()] = getAffineDimExpr(i, op->getContext());
  for (AffineExpr &expr : order)
    if (!expr)
      expr = getAffineDimExpr(rank, op->getContext());
  AffineMap inOrder = AffineMap::get(rank + 1, 0, order, op->getContext());
  MatrixProduct product{structured,           structured.getDpsInputs()[0], structured.getDpsInputs()[1],
                        maps[0].compose(inOrder), maps[1].compose(inOrder),     rank};
  // The one that has the row dimension comes first.
  if (rank >= 2 && !product.lhsMap.isFunctionOfDim(rank - 2)) {
    std::swap(product.lhs, product.rhs);
    std::swap(product.lhsMap, product.rhsMap);
  }
  bool fits = (rank == 3 || rank == 4) && product.lhsMap.isFunctionOfDim(rank - 2) &&
              !product.lhsMap.isFunctionOfDim(rank - 1) && product.rhsMap.isFunctionOfDim(rank - 1) &&
              !product.rhsMap.isFunctionOfDim(rank - 2) && product.lhsMap.isProjectedPermutation() &&
              product.rhsMap.isProjectedPermutation();
  return fits ? std::optional(product) : std::nullopt;
}

static AffineMap withoutLast(int64_t rank, MLIRContext *context) {
  return AffineMap::getMultiDimIdentityMap(rank, context).dropResult(rank - 1);
}

/// What `value` reduces over its last dimension with an op of type `OpTy`; null where it doesn't.
template <typename... OpTy>
static Value reducedRow(Value value) {
  auto structured = value.getDefiningOp<linalg::LinalgOp>();
  if (!structured || structured.getNumDpsInputs() != 1 || structured.getNumDpsInits() != 1 ||
      structured.getNumReductionLoops() != 1)
    return {};
  auto type = llvm::dyn_cast<RankedTensorType>(structured.getDpsInputs()[0].getType());
  SmallVector<AffineMap> maps = structured.getIndexingMapsArray();
  if (!type || !maps[0].isIdentity() || maps[1] != withoutLast(type.getRank(), value.getContext()))
    return {};
  Operation *combine = structured.getBlock()->getTerminator()->getOperand(0).getDefiningOp();
  bool fits = combine && llvm::isa<OpTy...>(combine) &&
              llvm::all_of(combine->getOperands(), llvm::IsaPred<BlockArgument>) &&
              combine->getOperand(0) != combine->getOperand(1);
  return fits ? structured.getDpsInputs()[0] : Value();
}

/// The scores of which `powers` are exp(score - largest of the row); null where they are something else.
static Value matchPowers(Value powers) {
  auto generic = powers.getDefiningOp<linalg::GenericOp>();
  int64_t rank = llvm::cast<RankedTensorType>(powers.getType()).getRank();
  Value scores, largest;
  if (std::optional<ElementOp> exp = elementOpOf(powers); exp && llvm::isa<math::ExpOp>(exp->scalar)) {
    Operation *inner = generic ? exp->scalar->getOperand(0).getDefiningOp() : nullptr;
    std::optional<ElementOp> difference = inner ? std::nullopt : elementOpOf(exp->operands[0].tensor);
    if (!difference || !llvm::isa<arith::SubFOp>(difference->scalar) || !difference->operands[0].map.isIdentity())
      return {};
    scores = difference->operands[0].tensor;
    if (difference->operands[1].tensor && difference->operands[1].map == withoutLast(rank, powers.getContext()))
      largest = difference->operands[1].tensor;
  } else if (generic && generic.getNumDpsInputs() == 2) {
    auto exp2 = generic.getBody()->getTerminator()->getOperand(0).getDefiningOp<math::ExpOp>();
    auto minus = exp2 ? exp2.getOperand().getDefiningOp<arith::SubFOp>() : arith::SubFOp();
    auto first = minus ? llvm::dyn_cast<BlockArgument>(minus.getLhs()) : BlockArgument();
    auto second = minus ? llvm::dyn_cast<BlockArgument>(minus.getRhs()) : BlockArgument();
    if (!first || !second)
      return {};
    OpOperand *from = generic.getMatchingOpOperand(first), *by = generic.getMatchingOpOperand(second);
    if (!generic.getMatchingIndexingMap(from).isIdentity() ||
        generic.getMatchingIndexingMap(by) != withoutLast(rank, powers.getContext()))
      return {};
    scores = from->get();
    largest = by->get();
  }
  bool isMaximum = scores && largest && reducedRow<arith::MaximumFOp, arith::MaxNumFOp>(largest) == scores;
  return isMaximum ? scores : Value();
}

/// What `value` is the softmax of, over its last dimension; null where it isn't one.
static Value matchSoftmax(Value value) {
  if (auto softmax = value.getDefiningOp<linalg::SoftmaxOp>())
    return int64_t(softmax.getDimension()) == softmax.getInputOperandRank() - 1 ? softmax.getInput() : Value();
  std::optional<ElementOp> quotient = elementOpOf(value);
  if (!quotient || !llvm::isa<arith::DivFOp>(quotient->scalar) || quotient->operands.size() != 2)
    return {};
  const ElementOperand &powers = quotient->operands[0], &sum = quotient->operands[1];
  int64_t rank = llvm::cast<RankedTensorType>(value.getType()).getRank();
  if (rank < 1 || !powers.tensor || !sum.tensor || !powers.map.isIdentity() ||
      sum.map != withoutLast(rank, value.getContext()) || reducedRow<arith::AddFOp>(sum.tensor) != powers.tensor)
    return {};
  return matchPowers(powers.tensor);
}

//===----------------------------------------------------------------------===//
// Masks
//===----------------------------------------------------------------------===//

static bool isIntegerZero(const ElementOperand &operand) {
  Attribute attribute;
  if (!operand.tensor || !matchPattern(operand.tensor, m_Constant(&attribute)))
    return false;
  if (auto scalar = llvm::dyn_cast<IntegerAttr>(attribute))
    return scalar.getValue().isZero();
  auto dense = llvm::dyn_cast<DenseIntElementsAttr>(attribute);
  return dense && dense.isSplat() && dense.getSplatValue<llvm::APInt>().isZero();
}

/// What a row without keys yields where masked scores got `value` added.
static std::optional<EmptyRow> emptyRowOf(double value) {
  if (std::isinf(value) && value < 0)
    return EmptyRow::Zero;
  // So large a number absorbs every score, so that all are equal.
  if (value <= -1e8)
    return EmptyRow::Uniform;
  // What is left of exp(score - 9000) is 0, but where all scores got it, it cancels.
  if (value <= -9000.0)
    return EmptyRow::Unmasked;
  return std::nullopt;
}

/// The integers that `condition`, an element of i1, compares with 0, where it does that.
static MaskTerm throughComparison(MaskTerm mask) {
  for (;;) {
    mask.element = resolve(mask.element);
    std::optional<ElementOp> op = elementOpOf(mask.element.tensor);
    if (!op || op->operands.empty() || !op->operands[0].tensor)
      return mask;
    ElementOperand inner = op->operands[0];
    inner.map = inner.map.compose(mask.element.map);
    auto compare = llvm::dyn_cast<arith::CmpIOp>(op->scalar);
    if (compare && isIntegerZero(op->operands[1]) &&
        (compare.getPredicate() == arith::CmpIPredicate::ne || compare.getPredicate() == arith::CmpIPredicate::eq)) {
      mask.inverted ^= compare.getPredicate() == arith::CmpIPredicate::eq;
      mask.element = inner;
      continue;
    }
    auto negation = llvm::dyn_cast<arith::XOrIOp>(op->scalar);
    if (negation && negation.getType().isInteger(1) && op->operands[1].tensor &&
        matchPattern(op->operands[1].tensor, m_One())) {
      mask.inverted ^= true;
      mask.element = inner;
      continue;
    }
    return mask;
  }
}

/// A bias that is 0 for keys that count and very negative for others.
static std::optional<MaskTerm> matchMask(const ElementOperand &bias) {
  if (std::optional<ElementOp> op = elementOpOf(bias.tensor); op && llvm::isa<arith::SelectOp>(op->scalar)) {
    const ElementOperand &yes = op->operands[1], &no = op->operands[2];
    if (!op->operands[0].tensor || !yes.constant || !no.constant)
      return std::nullopt;
    bool inverted = *no.constant == 0.0;
    std::optional<EmptyRow> empty = emptyRowOf(inverted ? *yes.constant : *no.constant);
    if (!empty || (inverted ? *no.constant : *yes.constant) != 0.0)
      return std::nullopt;
    ElementOperand condition = op->operands[0];
    condition.map = condition.map.compose(bias.map);
    return throughComparison({condition, inverted, *empty});
  }
  // (1 - mask) * value, with an integer mask of zeros and ones.
  Product product = productOf(bias.tensor);
  std::optional<EmptyRow> empty = emptyRowOf(product.coefficient);
  if (!empty || product.factors.size() != 1)
    return std::nullopt;
  std::optional<ElementOp> difference = elementOpOf(product.factors[0].tensor);
  if (!difference || !llvm::isa<arith::SubFOp>(difference->scalar) ||
      difference->operands[0].constant != std::optional<double>(1.0) || !difference->operands[1].tensor)
    return std::nullopt;
  std::optional<ElementOp> convert = elementOpOf(difference->operands[1].tensor);
  if (!convert || !llvm::isa<arith::SIToFPOp, arith::UIToFPOp>(convert->scalar))
    return std::nullopt;
  ElementOperand mask = convert->operands[0];
  mask.map = mask.map.compose(difference->operands[1].map).compose(product.factors[0].map).compose(bias.map);
  return throughComparison({mask, false, *empty});
}

//===----------------------------------------------------------------------===//
// The whole
//===----------------------------------------------------------------------===//

/// Reads `tensor` without a factor that all its elements have; that goes into `scale`.
static Value withoutScale(Value tensor, double &scale) {
  Product product = productOf(tensor);
  if (product.factors.size() != 1 || !product.factors[0].map.isIdentity() ||
      product.factors[0].tensor.getType() != tensor.getType() || product.coefficient == 0.0)
    return tensor;
  scale *= product.coefficient;
  return product.factors[0].tensor;
}

static std::optional<Attention> matchAttention(Operation *op, std::string &why) {
  std::optional<MatrixProduct> output = matchProduct(op);
  if (!output)
    return std::nullopt;
  Value scores = matchSoftmax(output->lhs);
  if (!scores || !output->lhsMap.isProjectedPermutation())
    return std::nullopt;
  why = "the softmax is not of scores in the order that they are multiplied with the values";
  // The probabilities are [batch..., query, key]: the summed dimension is their last.
  MLIRContext *context = op->getContext();
  SmallVector<AffineExpr> expected;
  for (unsigned i = 0; i + 1 < output->rank; ++i)
    expected.push_back(getAffineDimExpr(i, context));
  expected.push_back(getAffineDimExpr(output->rank, context));
  if (output->lhsMap != AffineMap::get(output->rank + 1, 0, expected, context))
    return std::nullopt;

  Attention attention{{}, *output, 1.0, {}, {}};
  Sum sum = sumOf(scores);
  why = "the scores are not a scaled product of queries and keys plus biases";
  if (sum.constant != 0.0)
    return std::nullopt;
  std::optional<MatrixProduct> product;
  for (const ElementOperand &term : sum.terms) {
    Product scaled = productOf(term.tensor);
    bool plain = scaled.factors.size() == 1 && scaled.factors[0].map.isIdentity() && term.map.isIdentity();
    std::optional<MatrixProduct> found =
        plain && !product ? matchProduct(scaled.factors[0].tensor.getDefiningOp()) : std::nullopt;
    if (found && found->rank == output->rank) {
      product = found;
      attention.scale = scaled.coefficient;
    } else if (std::optional<MaskTerm> mask = matchMask(term)) {
      attention.masks.push_back(*mask);
    } else {
      attention.biases.push_back(resolve(term));
    }
  }
  if (!product)
    return std::nullopt;
  attention.scores = *product;
  attention.scores.lhs = withoutScale(product->lhs, attention.scale);
  attention.scores.rhs = withoutScale(product->rhs, attention.scale);
  why = "a bias or mask is read by something else than batch, head, query and key";
  for (const ElementOperand &bias : attention.biases)
    if (!bias.map.isProjectedPermutation())
      return std::nullopt;
  for (const MaskTerm &mask : attention.masks)
    if (!mask.element.map.isProjectedPermutation() || mask.empty != attention.masks.front().empty)
      return std::nullopt;
  return attention;
}

namespace {

/// Builds the op from what was matched.
class AttentionBuilder {
public:
  AttentionBuilder(OpBuilder &b, Attention &attention)
      : b(b), attention(attention), loc(attention.output.op.getLoc()), context(b.getContext()),
        threeDimensional(attention.output.rank == 3) {}

  Value build() {
    Value query = operand(attention.scores.lhs), key = operand(attention.scores.rhs),
          value = operand(attention.output.rhs);
    maps = {mapOf(attention.scores.lhsMap, AttentionOp::Query, AttentionOp::QueryChannel),
            mapOf(attention.scores.rhsMap, AttentionOp::Key, AttentionOp::QueryChannel),
            mapOf(attention.output.rhsMap, AttentionOp::ValueChannel, AttentionOp::Key)};
    SmallVector<Value> mapped;
    for (const MaskTerm &mask : attention.masks)
      addMapped(mask.element, mapped);
    for (const ElementOperand &bias : attention.biases)
      addMapped(bias, mapped);
    maps.push_back(AffineMap::getMultiDimMapWithTargets(
        6, {AttentionOp::Batch, AttentionOp::Head, AttentionOp::Query, AttentionOp::ValueChannel}, context));

    Value result = attention.output.op->getResult(0);
    Type element = getElementTypeOrSelf(result.getType());
    SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, loc, attention.output.op.getDpsInits()[0]);
    if (threeDimensional)
      sizes.insert(sizes.begin() + 1, b.getIndexAttr(1));
    Value init = createDestination(b, loc, sizes, element);
    EmptyRow empty = attention.masks.empty() ? EmptyRow::Zero : attention.masks.front().empty;
    auto op = AttentionOp::create(b, loc, init.getType(), query, key, value, /*ranges=*/Value(), /*key_mask=*/Value(),
                                  mapped, /*whole=*/ValueRange(), /*offsets=*/ValueRange(), init,
                                  /*log_sum_exp=*/Value(), b.getAffineMapArrayAttr(maps),
                                  b.getF64FloatAttr(attention.scale), EmptyRowAttr::get(context, empty),
                                  ScheduleAttr());
    if (!attention.biases.empty())
      buildScore(op, element, mapped);
    if (!attention.masks.empty())
      buildMask(op, mapped);
    remarkDone(op, "RaiseAttention") << remark::add("softmax(QK^T)V is one attention with {0} masks and {1} biases",
                                                    attention.masks.size(), attention.biases.size());
    if (!threeDimensional)
      return op->getResult(0);
    return tensor::CollapseShapeOp::create(b, loc, result.getType(), op->getResult(0),
                                           SmallVector<ReassociationIndices>{{0, 1}, {2}, {3}});
  }

private:
  /// [N, S, D] as [N, 1, S, D]: a batch of one head.
  Value operand(Value tensor) {
    auto type = llvm::cast<RankedTensorType>(tensor.getType());
    if (!threeDimensional || type.getRank() != 3)
      return tensor;
    SmallVector<int64_t> shape(type.getShape());
    shape.insert(shape.begin() + 1, 1);
    SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, loc, tensor);
    sizes.insert(sizes.begin() + 1, b.getIndexAttr(1));
    return tensor::ExpandShapeOp::create(b, loc, type.clone(shape), tensor,
                                         SmallVector<ReassociationIndices>{{0, 1}, {2}, {3}}, sizes);
  }

  /// A product's map in the dimensions of attention; `last` and `summed` are what its last and its summed dimension are.
  AffineMap mapOf(AffineMap map, unsigned last, unsigned summed) {
    unsigned rank = attention.output.rank;
    SmallVector<unsigned> targets(rank + 1);
    targets[0] = AttentionOp::Batch;
    if (rank == 4)
      targets[1] = AttentionOp::Head;
    targets[rank - 2] = AttentionOp::Query;
    targets[rank - 1] = last;
    targets[rank] = summed;
    SmallVector<unsigned> dims;
    for (AffineExpr expr : map.getResults()) {
      dims.push_back(targets[llvm::cast<AffineDimExpr>(expr).getPosition()]);
      // The dimension that operand() put in.
      if (threeDimensional && map.getNumResults() == 3 && dims.size() == 1)
        dims.push_back(AttentionOp::Head);
    }
    return AffineMap::getMultiDimMapWithTargets(6, dims, context);
  }

  void addMapped(const ElementOperand &element, SmallVectorImpl<Value> &mapped) {
    static constexpr unsigned kFour[] = {AttentionOp::Batch, AttentionOp::Head, AttentionOp::Query, AttentionOp::Key};
    static constexpr unsigned kThree[] = {AttentionOp::Batch, AttentionOp::Query, AttentionOp::Key};
    SmallVector<unsigned> dims;
    for (AffineExpr expr : element.map.getResults()) {
      unsigned position = llvm::cast<AffineDimExpr>(expr).getPosition();
      dims.push_back(threeDimensional ? kThree[position] : kFour[position]);
    }
    mapped.push_back(element.tensor);
    maps.push_back(AffineMap::getMultiDimMapWithTargets(6, dims, context));
  }

  Block &beginRegion(Region &region, Type first, ValueRange mapped) {
    SmallVector<Type> types(first ? 1 : 0, first);
    types.append(4, b.getIndexType());
    for (Value value : mapped)
      types.push_back(getElementTypeOrSelf(value.getType()));
    Block &block = region.emplaceBlock();
    block.addArguments(types, SmallVector<Location>(types.size(), loc));
    b.setInsertionPointToStart(&block);
    return block;
  }

  void buildScore(AttentionOp op, Type element, ValueRange mapped) {
    OpBuilder::InsertionGuard guard(b);
    Block &block = beginRegion(op.getScore(), element, mapped);
    Value score = block.getArgument(0);
    for (size_t i = 0; i < attention.biases.size(); ++i)
      score = arith::AddFOp::create(b, loc, score, block.getArgument(5 + attention.masks.size() + i));
    YieldOp::create(b, loc, score);
  }

  void buildMask(AttentionOp op, ValueRange mapped) {
    OpBuilder::InsertionGuard guard(b);
    Block &block = beginRegion(op.getMask(), Type(), mapped);
    Value all;
    for (auto [i, mask] : llvm::enumerate(attention.masks)) {
      Value counts = block.getArgument(4 + i);
      if (mask.inverted || !counts.getType().isInteger(1)) {
        Value zero = arith::ConstantOp::create(b, loc, b.getZeroAttr(counts.getType()));
        counts = arith::CmpIOp::create(
            b, loc, mask.inverted ? arith::CmpIPredicate::eq : arith::CmpIPredicate::ne, counts, zero);
      }
      all = all ? arith::AndIOp::create(b, loc, all, counts).getResult() : counts;
    }
    YieldOp::create(b, loc, all);
  }

  OpBuilder &b;
  Attention &attention;
  Location loc;
  MLIRContext *context;
  bool threeDimensional;
  SmallVector<AffineMap> maps;
};

struct RaiseAttentionPass final : attn::impl::RaiseAttentionPassBase<RaiseAttentionPass> {
  using Base::Base;

  void runOnOperation() override {
    SmallVector<Operation *> products;
    getOperation().walk([&](linalg::LinalgOp op) { products.push_back(op); });
    for (Operation *op : products) {
      std::string why;
      std::optional<Attention> attention = matchAttention(op, why);
      if (!attention) {
        if (!why.empty())
          remarkMissed(op, "RaiseAttention") << remark::add("a softmax times a matrix stays: {0}", why);
        continue;
      }
      OpBuilder b(op);
      Value result = AttentionBuilder(b, *attention).build();
      op->getResult(0).replaceAllUsesWith(result);
      op->erase();
      ++numRaised;
    }
  }
};

} // namespace
