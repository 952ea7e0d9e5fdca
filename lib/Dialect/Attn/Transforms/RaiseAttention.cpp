//===- RaiseAttention.cpp - softmax(QK^T)V as attn.attention ----*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Starts at the second product and goes back: its first factor is a softmax over the summed dimension; the softmax is
// of a sum, one term of which is the product of queries and keys with a scale, the others are biases; a bias that is 0
// or a very negative number is a mask. Scales may stand at the scores, at the queries or at the keys.
//
// A row of scores that are all -infinity becomes zeros, where the graph would give NaN.
//
//===----------------------------------------------------------------------===//

#include "AttentionMasks.h"
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

struct Attention {
  MatrixProduct scores, output;
  double scale = 1.0;
  SmallVector<ElementOperand> biases;
  /// Conditions that say the same for all queries and heads, and others.
  SmallVector<MaskTerm> keyMasks, masks;
  /// What computes the others.
  ElementCode code;
  EmptyRow empty = EmptyRow::Zero;
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
  MatrixProduct product{structured,
                        structured.getDpsInputs()[0],
                        structured.getDpsInputs()[1],
                        maps[0].compose(inOrder),
                        maps[1].compose(inOrder),
                        rank};
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

/// What `value` is but for zeros in the place of NaNs; null where it isn't that.
static Value withoutGuard(Value value) {
  std::optional<ElementOp> choice = elementOpOf(value);
  if (!choice || !llvm::isa<arith::SelectOp>(choice->scalar) || choice->operands[1].constant != 0.0 ||
      !choice->operands[0].tensor || !choice->operands[2].tensor || !choice->operands[0].map.isIdentity() ||
      !choice->operands[2].map.isIdentity())
    return {};
  std::optional<ElementOp> test = elementOpOf(choice->operands[0].tensor);
  auto compare = test ? llvm::dyn_cast<arith::CmpFOp>(test->scalar) : arith::CmpFOp();
  Value kept = choice->operands[2].tensor;
  bool isNaN = compare && compare.getPredicate() == arith::CmpFPredicate::UNO &&
               llvm::all_of(test->operands, [&](const ElementOperand &operand) {
                 return operand.tensor == kept && operand.map.isIdentity();
               });
  return isNaN ? kept : Value();
}

/// What `value` is the softmax of, over its last dimension; null where it isn't one.
static Value matchSoftmax(Value value) {
  // A row without keys is zeros, with or without the graph's own guard.
  if (Value guarded = withoutGuard(value))
    value = guarded;
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
// The whole
//===----------------------------------------------------------------------===//

/// Reads `tensor` through `map` without a factor that all its elements have; that goes into `scale`. What is multiplied
/// may be a permutation of another tensor, which is then read.
static void takeScale(Value &tensor, AffineMap &map, double &scale) {
  Product product = productOf(tensor);
  if (product.factors.size() != 1 || product.coefficient == 0.0)
    return;
  const ElementOperand &factor = product.factors[0];
  if (!factor.map.isPermutation() || getElementTypeOrSelf(factor.tensor) != getElementTypeOrSelf(tensor))
    return;
  scale *= product.coefficient;
  tensor = factor.tensor;
  map = factor.map.compose(map);
}

/// True for maps from the dimensions of scores that read by the key, and by the batch row at most.
static bool isPerKey(AffineMap map, unsigned rank) {
  bool perKey = map.isProjectedPermutation(/*allowZeroInResults=*/true) && map.isFunctionOfDim(rank - 1);
  for (unsigned dim = 1; dim + 1 < rank; ++dim)
    perKey &= !map.isFunctionOfDim(dim);
  return perKey;
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

  Attention attention;
  attention.output = *output;
  SmallVector<MaskTerm> masks;
  while (std::optional<MaskedScores> masked = matchMaskedScores(scores)) {
    masks.append(masked->masks);
    scores = masked->scores;
  }
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
    } else if (SmallVector<MaskTerm> conditions = matchMask(term); !conditions.empty()) {
      masks.append(conditions);
    } else {
      attention.biases.push_back(resolve(term));
    }
  }
  if (!product)
    return std::nullopt;
  attention.scores = *product;
  takeScale(attention.scores.lhs, attention.scores.lhsMap, attention.scale);
  takeScale(attention.scores.rhs, attention.scores.rhsMap, attention.scale);
  why = "a bias or mask is read by something else than batch, head, query and key";
  for (const ElementOperand &bias : attention.biases)
    if (!bias.map.isProjectedPermutation(/*allowZeroInResults=*/true))
      return std::nullopt;
  for (const MaskTerm &mask : masks) {
    bool perKey = isPerKey(mask.element.map, output->rank);
    if (mask.empty != masks.front().empty) {
      why = "masks lower scores by numbers that make different rows without keys";
      return std::nullopt;
    }
    if (!perKey && !attention.code.add(mask.element))
      return std::nullopt;
    (perKey ? attention.keyMasks : attention.masks).push_back(mask);
  }
  if (!masks.empty())
    attention.empty = masks.front().empty;
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
    Value query = attention.scores.lhs, key = attention.scores.rhs, value = attention.output.rhs;
    maps = {mapOf(attention.scores.lhsMap, AttentionOp::Query, AttentionOp::QueryChannel),
            mapOf(attention.scores.rhsMap, AttentionOp::Key, AttentionOp::QueryChannel),
            mapOf(attention.output.rhsMap, AttentionOp::ValueChannel, AttentionOp::Key)};
    SmallVector<Value> mapped;
    if (!attention.keyMasks.empty())
      addMapped(keyMask(), mapped);
    for (const ElementOperand &leaf : attention.code.getLeaves())
      addMapped(leaf, mapped);
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
    auto op =
        AttentionOp::create(b, loc, init.getType(), query, key, value, /*ranges=*/Value(), /*key_mask=*/Value(), mapped,
                            /*whole=*/ValueRange(), /*offsets=*/ValueRange(), init,
                            /*log_sum_exp=*/Value(), b.getAffineMapArrayAttr(maps), b.getF64FloatAttr(attention.scale),
                            EmptyRowAttr::get(context, attention.empty), ScheduleAttr());
    if (!attention.biases.empty())
      buildScore(op, element, mapped);
    if (!attention.masks.empty() || !attention.keyMasks.empty())
      buildMask(op, mapped);
    remarkDone(op, "RaiseAttention") << remark::add("softmax(QK^T)V is one attention with {0} masks and {1} biases",
                                                    attention.masks.size() + attention.keyMasks.size(),
                                                    attention.biases.size());
    if (!threeDimensional)
      return op->getResult(0);
    return tensor::CollapseShapeOp::create(b, loc, result.getType(), op->getResult(0),
                                           SmallVector<ReassociationIndices>{{0, 1}, {2}, {3}});
  }

private:
  /// A product's map in the dimensions of attention; `last` and `summed` are what its last and its summed dimension
  /// are.
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
    for (AffineExpr expr : map.getResults())
      dims.push_back(targets[llvm::cast<AffineDimExpr>(expr).getPosition()]);
    return AffineMap::getMultiDimMapWithTargets(6, dims, context);
  }

  /// All conditions per key as one tensor [batch, key] that is not 0 where a key counts.
  ElementOperand keyMask() {
    unsigned last = attention.output.rank - 1;
    AffineMap perKey = AffineMap::getMultiDimMapWithTargets(last + 1, {0, last}, context);
    const MaskTerm &first = attention.keyMasks.front();
    if (attention.keyMasks.size() == 1 && !first.inverted && first.element.map == perKey)
      return first.element;
    SmallVector<OpFoldResult> scores = tensor::getMixedSizes(b, loc, attention.scores.op.getDpsInits()[0]);
    Value init = createDestination(b, loc, {scores.front(), scores.back()}, b.getI1Type());
    // From [batch, key] to the scores' dimensions, of which no other is read.
    SmallVector<AffineExpr> dims(last + 1, b.getAffineConstantExpr(0));
    dims[0] = b.getAffineDimExpr(0);
    dims[last] = b.getAffineDimExpr(1);
    AffineMap toScores = AffineMap::get(2, 0, dims, context);
    SmallVector<Value> inputs;
    SmallVector<AffineMap> inputMaps;
    for (const MaskTerm &mask : attention.keyMasks) {
      SmallVector<int64_t> kept;
      SmallVector<AffineExpr> read;
      for (auto [i, expr] : llvm::enumerate(mask.element.map.getResults()))
        if (llvm::isa<AffineDimExpr>(expr)) {
          kept.push_back(int64_t(i));
          read.push_back(expr);
        }
      inputs.push_back(withDims(mask.element.tensor, kept));
      inputMaps.push_back(AffineMap::get(last + 1, 0, read, context).compose(toScores));
    }
    inputMaps.push_back(b.getMultiDimIdentityMap(2));
    SmallVector<utils::IteratorType> iterators(2, utils::IteratorType::parallel);
    auto mask = linalg::GenericOp::create(b, loc, init.getType(), inputs, init, inputMaps, iterators,
                                          [&](OpBuilder &b, Location loc, ValueRange elements) {
                                            Value all;
                                            for (auto [mask, element] : llvm::zip(attention.keyMasks, elements))
                                              all = conjunction(b, all, condition(b, mask, element));
                                            linalg::YieldOp::create(b, loc, all);
                                          });
    return {mask.getResult(0), perKey, std::nullopt};
  }

  /// Whether a key counts, by an element of the mask.
  Value condition(OpBuilder &b, const MaskTerm &mask, Value element) const {
    if (!mask.inverted && element.getType().isInteger(1))
      return element;
    Value zero = arith::ConstantOp::create(b, loc, b.getZeroAttr(element.getType()));
    auto predicate = mask.inverted ? arith::CmpIPredicate::eq : arith::CmpIPredicate::ne;
    return arith::CmpIOp::create(b, loc, predicate, element, zero);
  }

  Value conjunction(OpBuilder &b, Value all, Value next) const {
    return all ? arith::AndIOp::create(b, loc, all, next).getResult() : next;
  }

  void addMapped(const ElementOperand &element, SmallVectorImpl<Value> &mapped) {
    static constexpr unsigned kFour[] = {AttentionOp::Batch, AttentionOp::Head, AttentionOp::Query, AttentionOp::Key};
    static constexpr unsigned kThree[] = {AttentionOp::Batch, AttentionOp::Query, AttentionOp::Key};
    SmallVector<unsigned> dims;
    SmallVector<int64_t> kept;
    for (auto [i, expr] : llvm::enumerate(element.map.getResults()))
      if (auto dim = llvm::dyn_cast<AffineDimExpr>(expr)) {
        dims.push_back(threeDimensional ? kThree[dim.getPosition()] : kFour[dim.getPosition()]);
        kept.push_back(int64_t(i));
      }
    mapped.push_back(withDims(element.tensor, kept));
    maps.push_back(AffineMap::getMultiDimMapWithTargets(6, dims, context));
  }

  /// `value` without the dimensions that are not `kept`, which have size 1.
  Value collapsed(Value value, ArrayRef<int64_t> kept) {
    SmallVector<ReassociationIndices> groups(kept.size());
    size_t group = 0;
    for (int64_t dim = 0; dim < llvm::cast<RankedTensorType>(value.getType()).getRank(); ++dim) {
      groups[group].push_back(dim);
      // The dimensions after the last one that is kept are its, too.
      if (group + 1 < kept.size() && dim == kept[group])
        ++group;
    }
    return tensor::CollapseShapeOp::create(b, loc, value, groups);
  }

  /// `value` at index 0 of all dimensions but `kept`; a scalar as a tensor.
  Value withDims(Value value, ArrayRef<int64_t> kept) {
    auto type = llvm::dyn_cast<RankedTensorType>(value.getType());
    if (!type) {
      Value number = value.getType().isIndex() ? arith::IndexCastOp::create(b, loc, b.getI64Type(), value) : value;
      return tensor::FromElementsOp::create(b, loc, RankedTensorType::get({}, number.getType()), number);
    }
    if (int64_t(kept.size()) == type.getRank())
      return value;
    SmallVector<OpFoldResult> offsets(type.getRank(), b.getIndexAttr(0)), strides(type.getRank(), b.getIndexAttr(1));
    SmallVector<OpFoldResult> whole = tensor::getMixedSizes(b, loc, value), sizes(type.getRank(), b.getIndexAttr(1));
    SmallVector<int64_t> shape;
    if (llvm::all_of(llvm::seq<int64_t>(type.getRank()),
                     [&](int64_t dim) { return type.getDimSize(dim) == 1 || llvm::is_contained(kept, dim); }) &&
        !kept.empty())
      return collapsed(value, kept);
    for (int64_t dim : kept) {
      sizes[dim] = whole[dim];
      shape.push_back(type.getDimSize(dim));
    }
    return tensor::ExtractSliceOp::create(b, loc, RankedTensorType::get(shape, type.getElementType()), value, offsets,
                                          sizes, strides);
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
    ValueRange biases = block.getArguments().take_back(attention.biases.size());
    for (Value bias : biases)
      score = arith::AddFOp::create(b, loc, score, bias);
    YieldOp::create(b, loc, score);
  }

  void buildMask(AttentionOp op, ValueRange mapped) {
    OpBuilder::InsertionGuard guard(b);
    Block &block = beginRegion(op.getMask(), Type(), mapped);
    SmallVector<Value> indices(block.getArguments().take_front(4));
    if (threeDimensional)
      indices.erase(indices.begin() + AttentionOp::Head);
    bool perKey = !attention.keyMasks.empty();
    Value all;
    if (perKey) {
      MaskTerm counts{{}, false, attention.empty};
      all = condition(b, counts, block.getArgument(4));
    }
    SmallVector<Value> values(block.getArguments().slice(4 + perKey, attention.code.getLeaves().size()));
    for (auto [value, leaf] : llvm::zip(values, attention.code.getLeaves()))
      if (leaf.tensor.getType().isIndex())
        value = arith::IndexCastOp::create(b, loc, b.getIndexType(), value);
    for (const MaskTerm &mask : attention.masks) {
      Value element = attention.code.emit(b, loc, mask.element, indices, values);
      all = conjunction(b, all, condition(b, mask, element));
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
