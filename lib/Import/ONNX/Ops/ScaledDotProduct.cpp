//===- ScaledDotProduct.cpp - What attention ops have in common -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One attn.attention, or its parts.
//
//===----------------------------------------------------------------------===//

#include "Scores.h"
#include "attn/Dialect/Attn/IR/Attn.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace attn;
using namespace attn::onnx;
using namespace attn::onnx::scores;
using utils::IteratorType;

namespace {

class DotProductBuilder {
public:
  DotProductBuilder(Node &node, ScaledDotProduct attention) : node(node), attention(std::move(attention)) {}
  FailureOr<ScaledDotProductResult> run();

private:
  LogicalResult checkShapes();
  LogicalResult repeatHeads(Tensor &tensor, bool headsFirst);
  LogicalResult scaleQuery(DataType type);
  bool isOneOp() const;
  Tensor buildOp(const ScoreCode &code);
  FailureOr<ScaledDotProductResult> buildParts(const ScoreCode &code);
  FailureOr<Tensor> products(DataType type);
  Tensor softmax(const Tensor &scores);
  FailureOr<Tensor> weightedSum(const Tensor &probabilities);
  FailureOr<Tensor> group(const Tensor &tensor, int64_t heads, ArrayRef<Size> sizes);
  /// "bhqd" or "bqhd".
  static std::string letters(char sequence, char channel, bool headsFirst) {
    return headsFirst ? std::string{'b', 'h', sequence, channel} : std::string{'b', sequence, 'h', channel};
  }

  Node &node;
  ScaledDotProduct attention;
  /// B, H, Q, K.
  Shape extents;
  Size channels, valueChannels;
  /// Heads of the query for one of the key.
  int64_t groupSize = 1;
};

} // namespace

/// The heads are dimension 1 of `tensor`, or 2.
static int64_t headDim(bool headsFirst) { return headsFirst ? 1 : 2; }
static int64_t sequenceDim(bool headsFirst) { return headsFirst ? 2 : 1; }

LogicalResult DotProductBuilder::checkShapes() {
  const Tensor &query = attention.query, &key = attention.key, &value = attention.value;
  bool q = attention.queryHeadsFirst, k = attention.keyHeadsFirst, v = attention.valueHeadsFirst;
  if (failed(expectEqual(node, query.shape[0], key.shape[0], "the batch of query and key")) ||
      failed(expectEqual(node, query.shape[0], value.shape[0], "the batch of query and value")) ||
      failed(expectEqual(node, key.shape[headDim(k)], value.shape[headDim(v)], "the heads of key and value")) ||
      failed(expectEqual(node, key.shape[sequenceDim(k)], value.shape[sequenceDim(v)], "the lengths of key and value")))
    return failure();
  // Quotients of dimensions are not known to be equal; products over the smaller one read nothing that isn't there.
  if (!query.shape[3].getConstant() && !key.shape[3].getConstant() &&
      !node.symbols.unify(query.shape[3], key.shape[3])) {
    Size common = minimumOf(node, query.shape[3], key.shape[3]);
    attention.query = slice(node, query, 3, Size(0), common);
    attention.key = slice(node, key, 3, Size(0), common);
  }
  if (failed(expectEqual(node, attention.query.shape[3], attention.key.shape[3], "the head sizes of query and key")))
    return failure();
  channels = attention.query.shape[3].getConstant() ? attention.query.shape[3] : attention.key.shape[3];
  valueChannels = value.shape[3];
  extents = {query.shape[0], query.shape[headDim(q)], query.shape[sequenceDim(q)], key.shape[sequenceDim(k)]};
  Size heads = key.shape[headDim(k)];
  if (node.symbols.equal(extents[H], heads))
    return success();
  std::optional<int64_t> many = extents[H].getConstant(), few = heads.getConstant();
  if (many && few) {
    if (*few == 0 || *many % *few != 0)
      return node.error() << *many << " heads of the query are no multiple of " << *few << " heads of the key";
    groupSize = *many / *few;
    return success();
  }
  if (failed(repeatHeads(attention.key, k)) || failed(repeatHeads(attention.value, v)))
    return failure();
  return success();
}

/// Where it is only known at run time how many heads of the query share one, each gets its own copy.
LogicalResult DotProductBuilder::repeatHeads(Tensor &tensor, bool headsFirst) {
  int64_t at = headDim(headsFirst);
  Value few = node.index(tensor.shape[at]), many = node.index(extents[H]);
  Value one = node.index(Size(1)), zero = node.index(Size(0));
  OpBuilder &builder = node.builder;
  Value divisor = arith::MaxSIOp::create(builder, node.loc, few, one);
  Value size = arith::MaxSIOp::create(builder, node.loc, arith::DivUIOp::create(builder, node.loc, many, divisor), one);
  // Heads that are no multiple must not read what isn't there.
  Value last = arith::MaxSIOp::create(builder, node.loc, arith::SubIOp::create(builder, node.loc, few, one), zero);
  Value source = node.value(tensor);
  Shape shape(tensor.shape);
  shape[at] = extents[H];
  auto identity = llvm::to_vector(llvm::seq<int64_t>(4));
  SmallVector<IteratorType> iterators(4, IteratorType::parallel);
  Value result = generic(node, {}, empty(node, shape, tensor.type), identity, iterators,
                         [&](OpBuilder &b, Location loc, ValueRange) -> Value {
                           SmallVector<Value> indices;
                           for (int64_t i = 0; i < 4; ++i)
                             indices.push_back(linalg::IndexOp::create(b, loc, i));
                           indices[at] =
                               arith::MinUIOp::create(b, loc, arith::DivUIOp::create(b, loc, indices[at], size), last);
                           return tensor::ExtractOp::create(b, loc, source, indices);
                         });
  tensor = node.make(result, tensor.type, shape);
  return success();
}

/// The query times the scale, in `type`; the scale is 1 then.
LogicalResult DotProductBuilder::scaleQuery(DataType type) {
  SmallVector<Tensor> factors = {attention.query};
  if (!attention.scale && !channels.getConstant()) {
    Value count = arith::IndexCastOp::create(node.builder, node.loc, node.builder.getI64Type(), node.index(channels));
    Value number = arith::SIToFPOp::create(node.builder, node.loc, node.elementType(type), count);
    Value scale = math::RsqrtOp::create(node.builder, node.loc, number);
    Value tensor = tensor::FromElementsOp::create(node.builder, node.loc, node.tensorType(type, {}), scale);
    factors.push_back(node.make(tensor, type, {}));
  }
  double scale = attention.scale.value_or(
      channels.getConstant().value_or(0) > 0 ? 1.0 / std::sqrt(double(*channels.getConstant())) : 1.0);
  FailureOr<Tensor> scaled = elementwise(node, factors, type, [&](OpBuilder &b, Location loc, ValueRange v) -> Value {
    DataType given = computeType(attention.query.type);
    Value query = castScalar(b, loc, v[0], given, type);
    return arith::MulFOp::create(b, loc, query, v.size() > 1 ? v[1] : constantLike(b, loc, query, scale));
  });
  if (failed(scaled))
    return failure();
  attention.query = *scaled;
  attention.scale = 1.0;
  return success();
}

/// Whether attn.attention says all of it.
bool DotProductBuilder::isOneOp() const {
  if (attention.wanted || attention.changeScores || attention.changeProbabilities || attention.sinks ||
      !attention.emptyIsZero)
    return false;
  // Kernels and their stand-ins need to know the head sizes.
  if (!channels.getConstant() || !valueChannels.getConstant())
    return false;
  DataType type = computeType(attention.query.type);
  return attention.softmaxType != DataType::Double || type == DataType::Double;
}

Tensor DotProductBuilder::buildOp(const ScoreCode &code) {
  OpBuilder &b = node.builder;
  auto map = [&](ArrayRef<AffineExpr> results) {
    return AffineMapAttr::get(AffineMap::get(6, 0, results, b.getContext()));
  };
  auto dim = [&](AttentionOp::Dim dim) { return b.getAffineDimExpr(dim); };
  auto layout = [&](AffineExpr heads, AttentionOp::Dim sequence, AttentionOp::Dim channel, bool headsFirst) {
    return headsFirst ? map({dim(AttentionOp::Batch), heads, dim(sequence), dim(channel)})
                      : map({dim(AttentionOp::Batch), dim(sequence), heads, dim(channel)});
  };
  AffineExpr heads = dim(AttentionOp::Head);
  AffineExpr shared = groupSize == 1 ? heads : heads.floorDiv(groupSize);
  SmallVector<Attribute> maps = {
      layout(heads, AttentionOp::Query, AttentionOp::QueryChannel, attention.queryHeadsFirst),
      layout(shared, AttentionOp::Key, AttentionOp::QueryChannel, attention.keyHeadsFirst),
      layout(shared, AttentionOp::Key, AttentionOp::ValueChannel, attention.valueHeadsFirst)};
  SmallVector<Value> mapped;
  SmallVector<Type> elements;
  SmallVector<Location> locations;
  for (const Mapped &operand : code.getMapped()) {
    mapped.push_back(node.value(operand.tensor));
    elements.push_back(node.elementType(operand.tensor.type));
    maps.push_back(map(llvm::map_to_vector(operand.dims, [&](int64_t dim) { return b.getAffineDimExpr(dim); })));
  }
  maps.push_back(layout(heads, AttentionOp::Query, AttentionOp::ValueChannel, attention.resultHeadsFirst));
  Shape shape = {extents[B], extents[H], extents[Q], valueChannels};
  if (!attention.resultHeadsFirst)
    std::swap(shape[1], shape[2]);
  DataType type = attention.value.type;
  Value init = empty(node, shape, type);
  FloatAttr scale = attention.scale ? b.getF64FloatAttr(*attention.scale) : FloatAttr();
  auto op = AttentionOp::create(
      b, node.loc, init.getType(), node.value(attention.query), node.value(attention.key), node.value(attention.value),
      /*ranges=*/Value(), /*key_mask=*/Value(), mapped,
      /*whole=*/ValueRange(), /*offsets=*/ValueRange(), init, /*log_sum_exp=*/Value(), b.getArrayAttr(maps), scale,
      EmptyRowAttr::get(b.getContext(), code.isUnmaskedWhenEmpty() ? EmptyRow::Unmasked : EmptyRow::Zero),
      ScheduleAttr());
  auto fill = [&](Region &region, bool isScore, auto body) {
    OpBuilder::InsertionGuard guard(b);
    SmallVector<Type> types;
    if (isScore)
      types.push_back(node.elementType(computeType(attention.query.type)));
    types.append(4, b.getIndexType());
    types.append(elements);
    Block *block = b.createBlock(&region, {}, types, SmallVector<Location>(types.size(), node.loc));
    ValueRange arguments = block->getArguments();
    YieldOp::create(b, node.loc, body(arguments));
  };
  if (code.hasCap() || code.hasBias())
    fill(op.getScore(), true, [&](ValueRange arguments) -> Value {
      Value score = arguments[0];
      if (code.hasCap())
        score = code.cap(b, node.loc, score);
      return code.hasBias() ? code.bias(b, node.loc, score, arguments.drop_front(5)) : score;
    });
  if (code.hasMask())
    fill(op.getMask(), false, [&](ValueRange arguments) -> Value {
      return code.mask(b, node.loc, arguments.take_front(4), arguments.drop_front(4));
    });
  return node.make(op.getResult(0), type, shape);
}

/// The dimension `heads` of `tensor` as `sizes`.
FailureOr<Tensor> DotProductBuilder::group(const Tensor &tensor, int64_t heads, ArrayRef<Size> sizes) {
  Shape shape(tensor.shape.begin(), tensor.shape.begin() + heads);
  llvm::append_range(shape, sizes);
  shape.append(tensor.shape.begin() + heads + 1, tensor.shape.end());
  return reshape(node, tensor, shape);
}

/// Q K^T as [B, H, Q, K].
FailureOr<Tensor> DotProductBuilder::products(DataType type) {
  std::string q = letters('q', 'd', attention.queryHeadsFirst), k = letters('k', 'd', attention.keyHeadsFirst);
  if (groupSize == 1)
    return contract(node, attention.query, q, attention.key, k, "bhqk", type);
  int64_t heads = headDim(attention.queryHeadsFirst);
  Size few = attention.key.shape[headDim(attention.keyHeadsFirst)];
  FailureOr<Tensor> query = group(attention.query, heads, {few, Size(groupSize)});
  q.insert(heads + 1, "g");
  FailureOr<Tensor> scores = failure();
  if (succeeded(query))
    scores = contract(node, *query, q, attention.key, k, "bhgqk", type);
  if (failed(scores))
    return failure();
  return reshape(node, *scores, extents);
}

/// P V in the layout of the result.
FailureOr<Tensor> DotProductBuilder::weightedSum(const Tensor &probabilities) {
  std::string v = letters('k', 'e', attention.valueHeadsFirst), o = letters('q', 'e', attention.resultHeadsFirst);
  DataType type = attention.value.type;
  if (groupSize == 1)
    return contract(node, probabilities, "bhqk", attention.value, v, o, type);
  Size few = attention.value.shape[headDim(attention.valueHeadsFirst)];
  FailureOr<Tensor> grouped = group(probabilities, 1, {few, Size(groupSize)});
  int64_t heads = headDim(attention.resultHeadsFirst);
  o.insert(heads + 1, "g");
  FailureOr<Tensor> sum = failure();
  if (succeeded(grouped))
    sum = contract(node, *grouped, "bhgqk", attention.value, v, o, type);
  if (failed(sum))
    return failure();
  Shape shape = {extents[B], extents[H], extents[Q], valueChannels};
  if (!attention.resultHeadsFirst)
    std::swap(shape[1], shape[2]);
  return reshape(node, *sum, shape);
}

/// Over the last dimension.
Tensor DotProductBuilder::softmax(const Tensor &scores) {
  SmallVector<IteratorType> rows(4, IteratorType::parallel), reduced(rows);
  reduced.back() = IteratorType::reduction;
  SmallVector<int64_t> all = {0, 1, 2, 3}, row = {0, 1, 2};
  DataType type = scores.type;
  Shape shape(scores.shape.begin(), scores.shape.begin() + 3);
  double least = -std::numeric_limits<double>::infinity();
  Value begin = filled(node, shape, type, least), first = filled(node, shape, type, 0);
  SmallVector<IteratorType> perRow(3, IteratorType::parallel);
  const std::optional<Tensor> &sinks = attention.sinks;
  if (sinks)
    begin = generic(
        node, node.value(*sinks), empty(node, shape, type), {{H}, row}, perRow,
        [&](OpBuilder &b, Location loc, ValueRange v) -> Value { return castScalar(b, loc, v[0], sinks->type, type); });
  Value maxima = generic(
      node, node.value(scores), begin, {all, row}, reduced,
      [](OpBuilder &b, Location loc, ValueRange v) -> Value { return arith::MaximumFOp::create(b, loc, v[0], v[1]); });
  Value powers = generic(node, {node.value(scores), maxima}, empty(node, scores.shape, type), {all, row, all}, rows,
                         [&](OpBuilder &b, Location loc, ValueRange v) -> Value {
                           Value maximum = v[1];
                           if (attention.emptyIsZero) {
                             Value isEmpty = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OEQ, maximum,
                                                                   constantLike(b, loc, maximum, least));
                             maximum =
                                 arith::SelectOp::create(b, loc, isEmpty, constantLike(b, loc, maximum, 0), maximum);
                           }
                           return math::ExpOp::create(b, loc, arith::SubFOp::create(b, loc, v[0], maximum));
                         });
  if (sinks)
    first = generic(node, {node.value(*sinks), maxima}, first, {{H}, row, row}, perRow,
                    [&](OpBuilder &b, Location loc, ValueRange v) -> Value {
                      Value sink = castScalar(b, loc, v[0], sinks->type, type);
                      return math::ExpOp::create(b, loc, arith::SubFOp::create(b, loc, sink, v[1]));
                    });
  Value sums = generic(node, powers, first, {all, row}, reduced, [](OpBuilder &b, Location loc, ValueRange v) -> Value {
    return arith::AddFOp::create(b, loc, v[1], v[0]);
  });
  Value quotients = generic(node, {powers, sums}, empty(node, scores.shape, type), {all, row, all}, rows,
                            [&](OpBuilder &b, Location loc, ValueRange v) -> Value {
                              Value sum = v[1];
                              if (attention.emptyIsZero) {
                                Value isEmpty = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OEQ, sum,
                                                                      constantLike(b, loc, sum, 0));
                                sum = arith::SelectOp::create(b, loc, isEmpty, constantLike(b, loc, sum, 1), sum);
                              }
                              return arith::DivFOp::create(b, loc, v[0], sum);
                            });
  return node.make(quotients, type, scores.shape);
}

FailureOr<ScaledDotProductResult> DotProductBuilder::buildParts(const ScoreCode &code) {
  DataType output = attention.query.type, type = computeType(output);
  if (failed(scaleQuery(type)))
    return failure();
  FailureOr<Tensor> scores = products(type);
  if (failed(scores))
    return failure();
  ScaledDotProductResult result;
  auto keep = [&](ScoreStage stage, const Tensor &tensor) {
    if (attention.wanted == stage)
      result.scores = cast(node, tensor, output);
  };
  keep(ScoreStage::Product, *scores);
  bool isCapped = !code.hasCap();
  if (!isCapped && attention.wanted == ScoreStage::Capped) {
    scores = elementwise(node, *scores, type,
                         [&](OpBuilder &b, Location loc, ValueRange v) -> Value { return code.cap(b, loc, v[0]); });
    if (failed(scores))
      return failure();
    isCapped = true;
  }
  keep(ScoreStage::Capped, *scores);
  if (!isCapped || code.hasBias() || code.hasMask()) {
    SmallVector<int64_t> all = {0, 1, 2, 3};
    SmallVector<Value> inputs = {node.value(*scores)};
    SmallVector<SmallVector<int64_t>> maps = {all};
    for (const Mapped &operand : code.getMapped()) {
      inputs.push_back(node.value(operand.tensor));
      maps.push_back(operand.dims);
    }
    maps.push_back(all);
    SmallVector<IteratorType> iterators(4, IteratorType::parallel);
    Value value = generic(node, inputs, empty(node, extents, type), maps, iterators,
                          [&](OpBuilder &b, Location loc, ValueRange arguments) -> Value {
                            Value score = arguments[0];
                            ValueRange elements = arguments.drop_front().drop_back();
                            if (!isCapped)
                              score = code.cap(b, loc, score);
                            if (code.hasBias())
                              score = code.bias(b, loc, score, elements);
                            if (!code.hasMask())
                              return score;
                            SmallVector<Value> indices;
                            for (int64_t dim : all)
                              indices.push_back(linalg::IndexOp::create(b, loc, dim));
                            Value counts = code.mask(b, loc, indices, elements);
                            Value least = constantLike(b, loc, score, -std::numeric_limits<double>::infinity());
                            return arith::SelectOp::create(b, loc, counts, score, least);
                          });
    scores = node.make(value, type, extents);
  }
  keep(ScoreStage::Biased, *scores);
  if (attention.softmaxType == DataType::Double)
    scores = cast(node, *scores, DataType::Double);
  if (attention.changeScores && failed(scores = attention.changeScores(*scores)))
    return failure();
  Tensor probabilities = softmax(*scores);
  keep(ScoreStage::Probability, probabilities);
  if (attention.changeProbabilities) {
    FailureOr<Tensor> changed = attention.changeProbabilities(probabilities);
    if (failed(changed))
      return failure();
    probabilities = *changed;
  }
  FailureOr<Tensor> sum = weightedSum(probabilities);
  if (failed(sum))
    return failure();
  result.output = *sum;
  return result;
}

FailureOr<ScaledDotProductResult> DotProductBuilder::run() {
  if (failed(checkShapes()))
    return failure();
  ScoreCode code(node, attention, extents, isOneOp());
  if (failed(code.prepare()))
    return failure();
  if (!isOneOp())
    return buildParts(code);
  ScaledDotProductResult result;
  result.output = buildOp(code);
  return result;
}

FailureOr<ScaledDotProductResult> attn::onnx::buildScaledDotProduct(Node &node, ScaledDotProduct attention) {
  return DotProductBuilder(node, std::move(attention)).run();
}
