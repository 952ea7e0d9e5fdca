//===- GeneralizeAttention.cpp - Attention as linalg ops --------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Scores, softmax and the product with the values, each over [B, H, Q, K] or [B, H, Q, E], so that TileGeneric makes
// one loop of all of it: a task takes some queries of a head through the whole chain, and no more of the scores exists
// at a time than tasks run. A key that doesn't count has a score of -infinity. That is all that rows with keys need;
// where rows without keys are not zeros, whether a row has any is summed up before.
//
//===----------------------------------------------------------------------===//

#include "Generalize.h"
#include "ScalarCode.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/TypeUtilities.h"
#include <limits>

using namespace mlir;
using namespace attn;

static constexpr double kInfinity = std::numeric_limits<double>::infinity();

namespace {

using Dim = AttentionOp::Dim;
using Operand = LinalgBuilder::Operand;

class AttentionGeneralizer {
public:
  AttentionGeneralizer(OpBuilder &builder, AttentionOp op)
      : b(builder), op(op), loc(op.getLoc()), linalg(builder, loc), type(getElementTypeOrSelf(op.getInit().getType())) {
  }

  SmallVector<Value> run() {
    rows = {sizeOf(Dim::Batch), sizeOf(Dim::Head), sizeOf(Dim::Query)};
    castWhole();
    Value dots = multiplyKeys();
    if (isMasked() && op.getEmpty() != EmptyRow::Zero)
      anyKey = findRowsWithKeys(dots);
    Value scores = score(dots);
    Value maximum = reduce<arith::MaximumFOp>(scores, -kInfinity);
    Value weights = exponentiate(scores, maximum);
    Value sum = reduce<arith::AddFOp>(weights, 0);
    Value products = multiplyValues(weights);
    // Before the quotient, which leaves the loop where the result's layout is another one.
    Value log = op.getLogSumExp() ? logarithm(maximum, sum) : Value();
    SmallVector<Value> results = {divide(products, sum)};
    if (log)
      results.push_back(log);
    return results;
  }

private:
  /// The arguments of a region from b on, at one point.
  struct Point {
    ArrayRef<Value> mapped;
    SmallVector<Value, 4> indices;
  };

  bool isMasked() { return op.getRanges() || op.getKeyMask() || !op.getMask().empty(); }

  //===--- Sizes and maps ---===//

  AffineExpr dim(unsigned position) { return b.getAffineDimExpr(position); }
  AffineMap map(unsigned dims, ArrayRef<AffineExpr> results) {
    return AffineMap::get(dims, 0, results, b.getContext());
  }
  /// The loops b, h, q of `dims`, and a fourth one.
  AffineMap rowMap(unsigned dims) { return map(dims, {dim(0), dim(1), dim(2)}); }
  AffineMap tableMap(unsigned dims, unsigned last = 3) { return map(dims, {dim(0), dim(1), dim(2), dim(last)}); }

  OpFoldResult sizeOf(Dim which) {
    if (int64_t extent = op.getStaticExtent(which); !ShapedType::isDynamic(extent))
      return b.getIndexAttr(extent);
    for (auto [operand, map] : {std::pair(op.getInit(), op.getInitMap()), std::pair(op.getKey(), op.getKeyMap())})
      if (std::optional<unsigned> position = map.getResultPosition(dim(which)))
        return tensor::getMixedSize(b, loc, operand, *position);
    llvm_unreachable("a dimension that neither the result nor the key has");
  }

  SmallVector<OpFoldResult> with(OpFoldResult last) {
    SmallVector<OpFoldResult> sizes(rows);
    sizes.push_back(last);
    return sizes;
  }

  /// `operand` with what `map` reads in the order of the iteration space and `last` innermost, and its map.
  Operand arrange(Value operand, AffineMap map, Dim last) {
    auto position = [&](AffineExpr result) {
      unsigned found = 0;
      result.walk([&](AffineExpr inner) {
        if (auto dimension = dyn_cast<AffineDimExpr>(inner))
          found = dimension.getPosition() == unsigned(last) ? 6 : dimension.getPosition();
      });
      return found;
    };
    if (position(map.getResults().back()) == 6)
      return {operand, map};
    SmallVector<int64_t> order = llvm::to_vector(llvm::seq<int64_t>(0, map.getNumResults()));
    llvm::sort(order,
               [&](int64_t lhs, int64_t rhs) { return position(map.getResult(lhs)) < position(map.getResult(rhs)); });
    SmallVector<OpFoldResult> sizes;
    SmallVector<AffineExpr> results;
    for (int64_t from : order) {
      sizes.push_back(tensor::getMixedSize(b, loc, operand, from));
      results.push_back(map.getResult(from));
    }
    Value init = linalg.empty(sizes, type);
    Value arranged = linalg::TransposeOp::create(b, loc, operand, init, order).getResult()[0];
    return {arranged, AffineMap::get(map.getNumDims(), 0, results, b.getContext())};
  }

  //===--- Scores ---===//

  /// Q K^T over (b, h, q, k, d), with keys innermost in memory: vectors of keys need no sums across lanes. A few
  /// queries would not make up for the transposition.
  Value multiplyKeys() {
    Operand key = {op.getKey(), op.getKeyMap()};
    int64_t queries = op.getStaticExtent(Dim::Query);
    if (ShapedType::isDynamic(queries) || queries >= 4)
      key = arrange(op.getKey(), op.getKeyMap(), Dim::Key);
    auto narrow = [&](AffineMap map) { return AffineMap::get(5, 0, map.getResults(), b.getContext()); };
    Value zeros = linalg.filled(with(sizeOf(Dim::Key)), type, 0);
    return linalg.contract({op.getQuery(), narrow(op.getQueryMap())}, {key.first, narrow(key.second)},
                           {zeros, tableMap(5)});
  }

  /// What an op over (b, h, q, k) reads beside the products: elements for regions, ranges, the key mask.
  SmallVector<Operand> maskOperands(Value dots) {
    SmallVector<Operand> operands = {{dots, tableMap(4)}};
    for (auto [i, mapped] : llvm::enumerate(op.getMapped()))
      operands.emplace_back(mapped, AffineMap::get(4, 0, op.getMappedMap(i).getResults(), b.getContext()));
    if (op.getRanges())
      for (int64_t column : {0, 1})
        operands.emplace_back(op.getRanges(), map(4, {dim(Dim::Batch), b.getAffineConstantExpr(column)}));
    if (op.getKeyMask())
      operands.emplace_back(op.getKeyMask(), map(4, {dim(Dim::Batch), dim(Dim::Key)}));
    return operands;
  }

  Point pointOf(OpBuilder &inner, ArrayRef<Value> arguments) {
    Point point = {arguments.slice(1, op.getMapped().size()), {}};
    for (unsigned i = 0; i < 4; ++i) {
      point.indices.push_back(linalg::IndexOp::create(inner, loc, i));
      if (!op.getOffsets().empty())
        point.indices.back() = arith::AddIOp::create(inner, loc, point.indices.back(), op.getOffsets()[i]);
    }
    return point;
  }

  /// What `region` yields; `first` stands before the indices.
  Value evaluate(OpBuilder &inner, Region &region, ValueRange first, const Point &point) {
    Block &block = region.front();
    SmallVector<Value> arguments(first);
    llvm::append_range(arguments, point.indices);
    llvm::append_range(arguments, point.mapped);
    IRMapping mapping;
    mapping.map(block.getArguments().take_front(arguments.size()), arguments);
    mapping.map(block.getArguments().drop_front(arguments.size()), &region == &op.getScore() ? scoreWhole : maskWhole);
    for (Operation &code : block.without_terminator()) {
      Operation *clone = inner.clone(code, mapping);
      // Whatever a region computes, whole operands are read inside of their memory.
      clone->walk([&](tensor::ExtractOp extract) { clampIndices(extract); });
    }
    return mapping.lookup(block.getTerminator()->getOperand(0));
  }

  static void clampIndices(tensor::ExtractOp extract) {
    OpBuilder inner(extract);
    for (auto [i, index] : llvm::enumerate(extract.getIndicesMutable())) {
      Value extent = inner.createOrFold<tensor::DimOp>(extract.getLoc(), extract.getTensor(), int64_t(i));
      index.set(createClamp(inner, extract.getLoc(), index.get(), extent));
    }
  }

  /// Whole operands in the types that the regions want them in.
  void castWhole() {
    for (auto [region, values] : {std::pair(&op.getScore(), &scoreWhole), std::pair(&op.getMask(), &maskWhole)}) {
      if (region->empty())
        continue;
      for (auto [operand, argument] :
           llvm::zip_equal(op.getWhole(), region->front().getArguments().take_back(op.getWhole().size()))) {
        Value value = operand;
        if (value.getType() != argument.getType())
          value = tensor::CastOp::create(b, loc, argument.getType(), value);
        values->push_back(value);
      }
    }
  }

  /// Whether the key counts, as an i1; null where all do. `arguments` are those of maskOperands.
  Value counts(OpBuilder &inner, ArrayRef<Value> arguments) {
    Value result;
    auto require = [&](Value condition) {
      result = result ? arith::AndIOp::create(inner, loc, result, condition).getResult() : condition;
    };
    auto compare = [&](arith::CmpIPredicate predicate, Value lhs, Value rhs) -> Value {
      return arith::CmpIOp::create(inner, loc, predicate, lhs, rhs);
    };
    Point point = pointOf(inner, arguments);
    size_t next = 1 + op.getMapped().size();
    if (op.getRanges()) {
      Value key = arith::IndexCastOp::create(inner, loc, inner.getI64Type(), point.indices[Dim::Key]);
      require(compare(arith::CmpIPredicate::sge, key, arguments[next++]));
      require(compare(arith::CmpIPredicate::slt, key, arguments[next++]));
    }
    if (op.getKeyMask()) {
      Value element = arguments[next++];
      Value zero = arith::ConstantOp::create(inner, loc, inner.getZeroAttr(element.getType()));
      require(compare(arith::CmpIPredicate::ne, element, zero));
    }
    if (!op.getMask().empty())
      require(evaluate(inner, op.getMask(), {}, point));
    return result;
  }

  /// Not 0 for each row of [B, H, Q] that a key counts for.
  Value findRowsWithKeys(Value dots) {
    Type flag = b.getI32Type();
    return linalg.generic(maskOperands(dots), {linalg.filled(rows, flag, 0), rowMap(4)},
                          [&](OpBuilder &inner, ArrayRef<Value> arguments) -> Value {
                            Value counted = arith::ExtUIOp::create(inner, loc, flag, counts(inner, arguments));
                            return arith::OrIOp::create(inner, loc, arguments.back(), counted);
                          });
  }

  /// `scale` where it is given, else 1 / sqrt(D).
  Value scale(OpBuilder &inner, OpFoldResult channels) {
    if (FailureOr<double> known = op.getScaleOrDefault(); succeeded(known))
      return createFloat(inner, loc, type, *known);
    Value integer = arith::IndexCastOp::create(inner, loc, inner.getI64Type(), cast<Value>(channels));
    Value root = math::SqrtOp::create(inner, loc, arith::SIToFPOp::create(inner, loc, type, integer));
    return arith::DivFOp::create(inner, loc, createFloat(inner, loc, type, 1), root);
  }

  /// The scores, -infinity for keys that don't count. Rows without keys are attention over all keys, with scores of 0
  /// where their weights shall be the same.
  Value score(Value dots) {
    SmallVector<Operand> inputs = maskOperands(dots);
    if (anyKey)
      inputs.emplace_back(anyKey, rowMap(4));
    OpFoldResult channels = op.getScale() ? OpFoldResult() : sizeOf(Dim::QueryChannel);
    Value init = linalg.empty(with(sizeOf(Dim::Key)), type);
    return linalg.generic(inputs, {init, tableMap(4)}, [&](OpBuilder &inner, ArrayRef<Value> arguments) -> Value {
      Value result = arith::MulFOp::create(inner, loc, arguments[0], scale(inner, channels));
      if (!op.getScore().empty()) {
        Type own = op.getScore().getArgument(0).getType();
        Value first = createFloatCast(inner, loc, result, own);
        result = createFloatCast(inner, loc, evaluate(inner, op.getScore(), first, pointOf(inner, arguments)), type);
      }
      if (!isMasked())
        return result;
      Value counted = counts(inner, arguments);
      if (anyKey) {
        Value zero = arith::ConstantOp::create(inner, loc, inner.getI32IntegerAttr(0));
        Value none = arith::CmpIOp::create(inner, loc, arith::CmpIPredicate::eq, arguments[inputs.size() - 1], zero);
        if (op.getEmpty() == EmptyRow::Uniform)
          result = arith::SelectOp::create(inner, loc, none, createFloat(inner, loc, type, 0), result);
        counted = arith::OrIOp::create(inner, loc, counted, none);
      }
      return arith::SelectOp::create(inner, loc, counted, result, createFloat(inner, loc, type, -kInfinity));
    });
  }

  //===--- Softmax ---===//

  template <typename OpTy>
  Value reduce(Value table, double neutral) {
    return linalg.generic({{table, tableMap(4)}}, {linalg.filled(rows, type, neutral), rowMap(4)},
                          [&](OpBuilder &inner, ArrayRef<Value> arguments) -> Value {
                            return OpTy::create(inner, loc, arguments[1], arguments[0]);
                          });
  }

  Value equals(OpBuilder &inner, Value value, double constant) {
    return arith::CmpFOp::create(inner, loc, arith::CmpFPredicate::OEQ, value, createFloat(inner, loc, type, constant));
  }

  /// exp(score - maximum), 0 of -infinity even where that is the maximum.
  Value exponentiate(Value scores, Value maximum) {
    Value init = linalg.empty(with(sizeOf(Dim::Key)), type);
    return linalg.generic({{scores, tableMap(4)}, {maximum, rowMap(4)}}, {init, tableMap(4)},
                          [&](OpBuilder &inner, ArrayRef<Value> arguments) -> Value {
                            Value difference = arith::SubFOp::create(inner, loc, arguments[0], arguments[1]);
                            Value weight = math::ExpOp::create(inner, loc, difference);
                            return arith::SelectOp::create(inner, loc, equals(inner, arguments[0], -kInfinity),
                                                           createFloat(inner, loc, type, 0), weight);
                          });
  }

  /// P V over (b, h, q, e, k). Values of keys that don't count may be anything, NaN included.
  Value multiplyValues(Value weights) {
    Operand value = arrange(op.getValue(), op.getValueMap(), Dim::ValueChannel);
    AffineMap valueMap = value.second.replaceDimsAndSymbols({dim(0), dim(1), dim(2), dim(4), dim(0), dim(3)}, {}, 5, 0);
    Value zeros = linalg.filled(with(sizeOf(Dim::ValueChannel)), type, 0);
    return linalg.generic({{weights, tableMap(5, 4)}, {value.first, valueMap}}, {zeros, tableMap(5)},
                          [&](OpBuilder &inner, ArrayRef<Value> arguments) -> Value {
                            Value element = arguments[1];
                            if (isMasked())
                              element = arith::SelectOp::create(inner, loc, equals(inner, arguments[0], 0),
                                                                createFloat(inner, loc, type, 0), element);
                            Value product = arith::MulFOp::create(inner, loc, arguments[0], element);
                            return arith::AddFOp::create(inner, loc, arguments[2], product);
                          });
  }

  /// The loops of an op that writes `init` in the order of its dimensions, as a map from these to b, h, q (and e).
  AffineMap inverse(AffineMap initMap, ArrayRef<unsigned> dims) {
    SmallVector<AffineExpr> results;
    for (unsigned which : dims)
      results.push_back(dim(*initMap.getResultPosition(dim(which))));
    return map(initMap.getNumResults(), results);
  }

  /// sums / sum, and 0 where no key has a weight.
  Value divide(Value products, Value sum) {
    AffineMap initMap = op.getInitMap();
    return linalg.generic({{products, inverse(initMap, {Dim::Batch, Dim::Head, Dim::Query, Dim::ValueChannel})},
                           {sum, inverse(initMap, {Dim::Batch, Dim::Head, Dim::Query})}},
                          {op.getInit(), b.getMultiDimIdentityMap(4)},
                          [&](OpBuilder &inner, ArrayRef<Value> arguments) -> Value {
                            Value quotient = arith::DivFOp::create(inner, loc, arguments[0], arguments[1]);
                            return arith::SelectOp::create(inner, loc, equals(inner, arguments[1], 0),
                                                           createFloat(inner, loc, type, 0), quotient);
                          });
  }

  Value logarithm(Value maximum, Value sum) {
    AffineMap place = inverse(op.getLogSumExpMap(), {Dim::Batch, Dim::Head, Dim::Query});
    SmallVector<Operand> inputs = {{maximum, place}, {sum, place}};
    if (anyKey)
      inputs.emplace_back(anyKey, place);
    return linalg.generic(
        inputs, {op.getLogSumExp(), b.getMultiDimIdentityMap(3)},
        [&](OpBuilder &inner, ArrayRef<Value> arguments) -> Value {
          Value log = math::LogOp::create(inner, loc, arguments[1]);
          Value result = arith::AddFOp::create(inner, loc, arguments[0], log);
          Value none = equals(inner, arguments[1], 0);
          if (anyKey) {
            Value zero = arith::ConstantOp::create(inner, loc, inner.getI32IntegerAttr(0));
            Value empty = arith::CmpIOp::create(inner, loc, arith::CmpIPredicate::eq, arguments[2], zero);
            none = arith::OrIOp::create(inner, loc, none, empty);
          }
          return arith::SelectOp::create(inner, loc, none, createFloat(inner, loc, type, -kInfinity), result);
        });
  }

  OpBuilder &b;
  AttentionOp op;
  Location loc;
  LinalgBuilder linalg;
  Type type;
  SmallVector<OpFoldResult> rows; // extents of b, h, q
  SmallVector<Value> scoreWhole, maskWhole;
  Value anyKey;
};

} // namespace

SmallVector<Value> attn::generalize(OpBuilder &b, AttentionOp op) { return AttentionGeneralizer(b, op).run(); }
