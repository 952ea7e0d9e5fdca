//===- GroupQueryAttention.cpp - Attention with a cache ---------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// com.microsoft.GroupQueryAttention as onnxruntime computes it on CPUs. In row b of the batch, p = max(seqlens_k[b] + 1
// - S, 0) tokens are in the cache before: the S new ones go behind them, query s is at p + s.
//
//===----------------------------------------------------------------------===//

#include "AttentionOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace attn;
using namespace attn::onnx;
using utils::IteratorType;

namespace {

enum Input : size_t {
  kQuery,
  kKey,
  kValue,
  kPastKey,
  kPastValue,
  kLengths,
  kTotalLength,
  kCosines,
  kSines,
  kPositions,
  kBias,
  kSink
};

class GroupQuery {
public:
  explicit GroupQuery(Node &node) : node(node) {}
  LogicalResult run();

private:
  LogicalResult readAttributes();
  LogicalResult checkInputs();
  LogicalResult splitInputs();
  LogicalResult findLengths();
  LogicalResult rotateNew();
  FailureOr<Tensor> append(Tensor added, const Tensor *past, StringRef name);

  Node &node;
  ScaledDotProduct attention;
  int64_t queryHeads = 0, keyHeads = 0, window = -1;
  bool rotates = false, interleaved = false;
  Size batch, added, before, total;
  /// int64 [B]: p.
  Tensor offsets;
};

} // namespace

LogicalResult GroupQuery::readAttributes() {
  FailureOr<int64_t> q = readHeads(node, "num_heads"), kv = readHeads(node, "kv_num_heads"),
                     causal = node.integer("causal", 1), local = node.integer("local_window_size", -1),
                     rotary = node.integer("do_rotary", 0), pairs = node.integer("rotary_interleaved", 0),
                     smooth = node.integer("smooth_softmax", -1);
  FailureOr<double> softcap = node.real("softcap", 0);
  if (failed(q) || failed(kv) || failed(causal) || failed(local) || failed(rotary) || failed(pairs) || failed(smooth) ||
      failed(softcap) || failed(readScale(node, attention)))
    return failure();
  for (StringRef name : {"sliding_window_cache", "qk_output", "kv_cache_bit_width"})
    if (failed(expectZero(node, name)))
      return failure();
  for (StringRef name : {"k_quant_type", "v_quant_type"}) {
    FailureOr<std::string> type = node.text(name, "NONE");
    if (failed(type))
      return failure();
    if (*type != "NONE")
      return node.unsupported() << "attribute '" << name << "' is '" << *type << "', only 'NONE' is";
  }
  // Of norms whose weights are refused.
  for (StringRef name : {"qk_norm_epsilon", "q_norm_epsilon", "k_norm_epsilon"})
    (void)node.attribute(name);
  if (*q % *kv != 0)
    return node.error() << *q << " heads of the query are no multiple of " << *kv << " heads of the key";
  if (*causal != 0 && *causal != 1)
    return node.error() << "attribute 'causal' is " << *causal << ", expected 0 or 1";
  if (*local == 0 || *local < -1 || (*local > 0 && !*causal))
    return node.error() << "attribute 'local_window_size' is " << *local << ", expected -1"
                        << (*causal ? " or a positive number" : " where causal is 0");
  queryHeads = *q;
  keyHeads = *kv;
  window = *local;
  rotates = *rotary == 1;
  interleaved = *pairs == 1;
  attention.causal = *causal == 1;
  attention.softcap = *softcap;
  if (*smooth == 1 && !node.has(kSink))
    attention.sinks =
        node.make(filled(node, Size(queryHeads), DataType::Float, 0), DataType::Float, {Size(queryHeads)});
  return success();
}

LogicalResult GroupQuery::checkInputs() {
  if (failed(node.expectInputs(1, 17)) || failed(expectFloats(node, {0, 1, 2, 3, 4, 7, 8, 10, 11})))
    return failure();
  if (!node.has(kLengths) || !node.has(kTotalLength))
    return node.error() << "input " << (node.has(kLengths) ? kTotalLength : kLengths) << " is missing";
  if (failed(expectAbsent(
          node,
          {{12, "k_scale"}, {13, "v_scale"}, {14, "q_norm_weight"}, {15, "k_norm_weight"}, {16, "query_seqlens"}})) ||
      failed(node.expectType(kLengths, DataType::Int32)) || failed(node.expectType(kTotalLength, DataType::Int32)) ||
      failed(node.expectType(kPositions, DataType::Int64)) || failed(readAttributes()))
    return failure();
  if (node.has(kKey) != node.has(kValue) || node.has(kPastKey) != node.has(kPastValue) ||
      node.has(kCosines) != node.has(kSines))
    return node.error() << "key and value, past_key and past_value, cos_cache and sin_cache are each given together "
                           "or not at all";
  for (auto [i, rank] : {std::pair(kQuery, 3), std::pair(kKey, 3), std::pair(kValue, 3), std::pair(kPastKey, 4),
                         std::pair(kPastValue, 4), std::pair(kCosines, 2), std::pair(kSines, 2),
                         std::pair(kPositions, 2), std::pair(kSink, 1)})
    if (node.has(i) && node.input(i).rank() != rank)
      return node.error() << "input " << size_t(i) << " has rank " << node.input(i).rank() << ", expected " << rank;
  if (rotates && !node.has(kCosines))
    return node.error() << "do_rotary needs cos_cache and sin_cache";
  const Tensor &lengths = node.input(kLengths);
  batch = node.input(kQuery).shape[0];
  added = node.input(kQuery).shape[1];
  // onnxruntime takes [B] and [B, 1].
  if (lengths.rank() != 1 && (lengths.rank() != 2 || !lengths.shape[1].isConstant(1)))
    return node.error() << "seqlens_k has the shape " << node.symbols.toString(lengths.shape) << ", expected ["
                        << node.symbols.toString(batch) << "]";
  if (failed(expectEqual(node, lengths.shape[0], batch, "the batch of seqlens_k and query")))
    return failure();
  if (node.has(kSink)) {
    if (failed(expectEqual(node, node.input(kSink).shape[0], Size(queryHeads), "the size of head_sink")))
      return failure();
    attention.sinks = node.input(kSink);
  }
  return success();
}

LogicalResult GroupQuery::splitInputs() {
  const Tensor &query = node.input(kQuery);
  attention.queryHeadsFirst = attention.keyHeadsFirst = attention.valueHeadsFirst = attention.resultHeadsFirst = false;
  if (!node.has(kKey)) {
    // Query, key and value side by side.
    FailureOr<Tensor> all = splitHeads(node, query, queryHeads + 2 * keyHeads, "the query");
    if (failed(all))
      return failure();
    attention.query = slice(node, *all, 2, Size(0), Size(queryHeads));
    attention.key = slice(node, *all, 2, Size(queryHeads), Size(keyHeads));
    attention.value = slice(node, *all, 2, Size(queryHeads + keyHeads), Size(keyHeads));
    return success();
  }
  for (auto [i, name] : {std::pair(kKey, "the key"), std::pair(kValue, "the value")})
    for (int64_t dim : {0, 1})
      if (failed(expectEqual(node, node.input(i).shape[dim], query.shape[dim],
                             Twine(name) + " and the query, dimension " + Twine(dim))))
        return failure();
  bool same = node.symbols.unify(query.shape[2], node.input(kKey).shape[2] * Size(queryHeads / keyHeads));
  FailureOr<Tensor> k = splitHeads(node, node.input(kKey), keyHeads, "the key");
  FailureOr<Tensor> v = splitHeads(node, node.input(kValue), keyHeads, "the value");
  if (failed(k) || failed(v))
    return failure();
  FailureOr<Tensor> q =
      splitHeads(node, query, queryHeads, "the query", same ? std::optional(k->shape[3]) : std::nullopt);
  if (failed(q))
    return failure();
  attention.query = *q;
  attention.key = *k;
  attention.value = *v;
  return success();
}

/// The size of the cache after, and p.
LogicalResult GroupQuery::findLengths() {
  const Tensor &given = node.input(kTotalLength);
  if (!given.elements || given.elements->size() != 1)
    return node.unsupported() << "a total_sequence_length that is known only at run time; compute it from a dimension "
                                 "of an input, such as that of the attention mask";
  Size all = given.elements->front();
  before = Size(0);
  if (node.has(kPastKey)) {
    before = node.input(kPastKey).shape[2];
    if (failed(expectEqual(node, before, node.input(kPastValue).shape[2], "the lengths of both pasts")))
      return failure();
  }
  // What was before and what is new; or a cache that is as long as it will ever be.
  total = before + added;
  if (!node.symbols.unify(all, total)) {
    if (!all.getConstant() || !before.getConstant())
      return node.unsupported() << "a cache of " << node.symbols.toString(before) << " positions where "
                                << node.symbols.toString(all)
                                << " are used; the model's inputs must have sizes that say "
                                << "that the cache grows by the new ones";
    total = Size(std::max(*all.getConstant(), *before.getConstant()));
  }
  FailureOr<Tensor> lengths = reshape(node, node.input(kLengths), batch);
  if (failed(lengths))
    return failure();
  SmallVector<Value> inputs = {node.value(*lengths), node.value(integers(added, {}))};
  Value value = generic(node, inputs, empty(node, batch, DataType::Int64), {{0}, {}, {0}}, IteratorType::parallel,
                        [](OpBuilder &b, Location loc, ValueRange v) -> Value {
                          Type i64 = b.getI64Type();
                          Value length = arith::ExtSIOp::create(b, loc, i64, v[0]);
                          Value one = arith::ConstantOp::create(b, loc, b.getI64IntegerAttr(1));
                          Value zero = arith::ConstantOp::create(b, loc, b.getI64IntegerAttr(0));
                          Value count = arith::AddIOp::create(b, loc, length, one);
                          Value offset = arith::SubIOp::create(b, loc, count, v[1]);
                          return arith::MaxSIOp::create(b, loc, offset, zero);
                        });
  offsets = node.make(value, DataType::Int64, {batch});
  return success();
}

/// Query and key at their positions.
LogicalResult GroupQuery::rotateNew() {
  Tensor positions;
  if (node.has(kPositions)) {
    positions = node.input(kPositions);
  } else {
    Shape shape = {batch, added};
    Value value = generic(
        node, node.value(offsets), empty(node, shape, DataType::Int64), {{0}, {0, 1}},
        {IteratorType::parallel, IteratorType::parallel}, [](OpBuilder &b, Location loc, ValueRange v) -> Value {
          Value at = arith::IndexCastOp::create(b, loc, b.getI64Type(), linalg::IndexOp::create(b, loc, 1));
          return arith::AddIOp::create(b, loc, v[0], at);
        });
    positions = node.make(value, DataType::Int64, shape);
  }
  if (failed(expectEqual(node, positions.shape, {batch, added}, "the shape of position_ids")) ||
      failed(expectEqual(node, node.input(kCosines).shape, node.input(kSines).shape, "the shapes of both caches")))
    return failure();
  FailureOr<Tensor> cosines = rowsAt(node, node.input(kCosines), positions),
                    sines = rowsAt(node, node.input(kSines), positions);
  if (failed(cosines) || failed(sines))
    return failure();
  for (Tensor *tensor : {&attention.query, &attention.key}) {
    Size columns = cosines->shape[2], half = quotientOf(node, tensor->shape[3], 2);
    if (columns.getConstant() && half.getConstant() && *columns.getConstant() > *half.getConstant())
      return node.error() << "cos_cache has " << *columns.getConstant() << " columns, but heads have "
                          << *tensor->shape[3].getConstant() << " channels";
    if (!columns.getConstant() || !half.getConstant())
      half = minimumOf(node, half, columns);
    else
      half = columns;
    FailureOr<Tensor> rotated = rotate(node, *tensor, 1, slice(node, *cosines, 2, Size(0), half),
                                       slice(node, *sines, 2, Size(0), half), interleaved);
    if (failed(rotated))
      return failure();
    *tensor = *rotated;
  }
  return success();
}

/// The cache after: [B, H, T, D].
FailureOr<Tensor> GroupQuery::append(Tensor tensor, const Tensor *past, StringRef name) {
  bool headsFirst = false;
  if (failed(appendToCache(node, tensor, headsFirst, past, name)))
    return failure();
  // With one row there is nothing to fill up: it is as long as the cache says.
  bool grows = node.symbols.equal(total, before + added);
  if (grows && (batch.isConstant(1) || before.isConstant(0)))
    return tensor;
  if (tensor.shape[2].isConstant(0))
    return tensor;
  Shape shape(tensor.shape);
  shape[2] = total;
  Value source = node.value(tensor), cached = node.index(before), whole = node.index(tensor.shape[2]);
  Value value = generic(node, node.value(offsets), empty(node, shape, tensor.type), {{0}, {0, 1, 2, 3}},
                        SmallVector<IteratorType>(4, IteratorType::parallel),
                        [&](OpBuilder &b, Location loc, ValueRange v) -> Value {
                          SmallVector<Value> at;
                          for (int64_t i = 0; i < 4; ++i)
                            at.push_back(linalg::IndexOp::create(b, loc, i));
                          // Behind p tokens of what was before there are the new ones, and then nothing that counts.
                          Value p = arith::IndexCastOp::create(b, loc, b.getIndexType(), v[0]);
                          Value isOld = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, at[2], p);
                          Value among = arith::SubIOp::create(b, loc, at[2], p);
                          Value fresh = arith::AddIOp::create(b, loc, cached, among);
                          Value one = arith::ConstantIndexOp::create(b, loc, 1);
                          Value zero = arith::ConstantIndexOp::create(b, loc, 0);
                          Value last = arith::SubIOp::create(b, loc, whole, one);
                          Value index = arith::SelectOp::create(b, loc, isOld, at[2], fresh);
                          index = arith::MaxSIOp::create(b, loc, arith::MinSIOp::create(b, loc, index, last), zero);
                          at[2] = index;
                          return tensor::ExtractOp::create(b, loc, source, at);
                        });
  return node.make(value, tensor.type, shape);
}

LogicalResult GroupQuery::run() {
  if (failed(checkInputs()) || failed(splitInputs()) || failed(findLengths()) || (rotates && failed(rotateNew())))
    return failure();
  FailureOr<Tensor> key = append(attention.key, node.has(kPastKey) ? &node.input(kPastKey) : nullptr, "key");
  FailureOr<Tensor> value = append(attention.value, node.has(kPastValue) ? &node.input(kPastValue) : nullptr, "value");
  if (failed(key) || failed(value))
    return failure();
  attention.key = *key;
  attention.value = *value;
  attention.keyHeadsFirst = attention.valueHeadsFirst = true;
  node.set(1, *key);
  node.set(2, *value);
  attention.offsets = offsets;
  if (attention.causal) {
    // The query's own key is one of the window's.
    attention.leftWindow = window < 0 ? -1 : window - 1;
  } else {
    Value ends =
        generic(node, {node.value(offsets), node.value(integers(added, {}))}, empty(node, batch, DataType::Int64),
                {{0}, {}, {0}}, IteratorType::parallel, [](OpBuilder &b, Location loc, ValueRange v) -> Value {
                  return arith::AddIOp::create(b, loc, v[0], v[1]);
                });
    attention.keyLengths = node.make(ends, DataType::Int64, {batch});
  }
  if (node.has(kBias))
    attention.bias = node.input(kBias);
  FailureOr<ScaledDotProductResult> result = buildScaledDotProduct(node, std::move(attention));
  if (failed(result))
    return failure();
  const Shape &shape = result->output.shape;
  FailureOr<Tensor> joined = joinHeads(node, result->output, shape[2] * shape[3]);
  return node.set(0, joined);
}

static LogicalResult importGroupQueryAttention(Node &node) { return GroupQuery(node).run(); }

void attn::onnx::registerGroupQueryAttention(Registry &registry) {
  registry.add("GroupQueryAttention", importGroupQueryAttention, 1, "com.microsoft");
}
