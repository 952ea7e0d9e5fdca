//===- Attention.cpp - Attention and its neighbours -------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Attention of operator sets 23 to 25. Where the specification and its reference implementation differ, the
// specification counts: qk_matmul_output of mode 0 is without the soft cap.
//
//===----------------------------------------------------------------------===//

#include "AttentionOps.h"
#include "Registry.h"
#include "ScaledDotProduct.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace attn;
using namespace attn::onnx;
using utils::IteratorType;

namespace {

enum Input : size_t { kQuery, kKey, kValue, kMask, kPastKey, kPastValue, kKeyLengths };
enum Output : size_t { kResult, kPresentKey, kPresentValue, kScores };

struct Attributes {
  int64_t queryHeads = 0, keyHeads = 0;
  ScoreStage stage = ScoreStage::Product;
};

} // namespace

FailureOr<DataType> attn::onnx::readSoftmaxPrecision(Node &node) {
  FailureOr<int64_t> precision = node.integer("softmax_precision", 0);
  if (failed(precision))
    return failure();
  DataType type = DataType(*precision);
  if (*precision != 0 && (*precision < 0 || *precision > 64 || !isFloat(type) || !node.elementType(type) ||
                          (type != DataType::Float && type != DataType::Double && type != DataType::Float16 &&
                           type != DataType::BFloat16)))
    return node.error() << "attribute 'softmax_precision' is " << *precision
                        << ", expected 1 (float32), 10 (float16), 11 (float64) or 16 (bfloat16)";
  return type;
}

/// `value` where it is 0 or 1.
static FailureOr<bool> readFlag(Node &node, StringRef name) {
  FailureOr<int64_t> value = node.integer(name, 0);
  if (succeeded(value) && *value != 0 && *value != 1)
    return node.error() << "attribute '" << name << "' is " << *value << ", expected 0 or 1";
  if (failed(value))
    return failure();
  return *value == 1;
}

static LogicalResult readAttributes(Node &node, ScaledDotProduct &attention, Attributes &attributes) {
  FailureOr<bool> causal = readFlag(node, "is_causal");
  FailureOr<double> softcap = node.real("softcap", 0);
  FailureOr<DataType> precision = readSoftmaxPrecision(node);
  FailureOr<int64_t> mode = node.integer("qk_matmul_output_mode", 0);
  if (failed(causal) || failed(softcap) || failed(precision) || failed(mode))
    return failure();
  if (*mode < 0 || *mode > 3)
    return node.error() << "attribute 'qk_matmul_output_mode' is " << *mode << ", expected 0 to 3";
  attributes.stage = ScoreStage(*mode);
  attention.causal = *causal;
  attention.softcap = *softcap;
  attention.softmaxType = *precision;
  if (node.hasAttribute("scale")) {
    FailureOr<double> scale = node.real("scale");
    if (failed(scale))
      return failure();
    attention.scale = *scale;
  }
  if (node.getOpset() >= 25)
    for (auto [name, window] : {std::pair("left_window_size", &attention.leftWindow),
                                std::pair("right_window_size", &attention.rightWindow)}) {
      FailureOr<int64_t> size = node.integer(name, -1);
      if (failed(size))
        return failure();
      if (*size < -1)
        return node.error() << "attribute '" << name << "' is " << *size << ", expected -1 or a number of keys";
      *window = *size;
    }
  int64_t rank = node.input(kQuery).rank();
  for (auto [name, heads] :
       {std::pair("q_num_heads", &attributes.queryHeads), std::pair("kv_num_heads", &attributes.keyHeads)}) {
    bool given = node.hasAttribute(name);
    if (rank == 3 && !given)
      return node.error() << "attribute '" << name << "' is missing, which inputs of rank 3 need";
    if (rank == 4 && given && node.getOpset() >= 25)
      return node.error() << "attribute '" << name << "' is given, but the inputs have rank 4 and say it themselves";
    FailureOr<int64_t> value = node.integer(name, 1);
    if (failed(value))
      return failure();
    if (*value < 1)
      return node.error() << "attribute '" << name << "' is " << *value << ", expected at least 1";
    *heads = *value;
  }
  return success();
}

static LogicalResult checkInputs(Node &node) {
  if (failed(node.expectInputs(3, node.getOpset() >= 24 ? 7 : 6)))
    return failure();
  for (size_t i : {kQuery, kKey, kValue, kPastKey, kPastValue})
    if (failed(node.expectFloat(i)))
      return failure();
  int64_t rank = node.input(kQuery).rank();
  if (rank != 3 && rank != 4)
    return node.error() << "the query has rank " << rank << ", expected 3 or 4";
  for (auto [i, name] : {std::pair(kKey, "key"), std::pair(kValue, "value")})
    if (node.input(i).rank() != rank)
      return node.error() << "the " << name << " has rank " << node.input(i).rank() << ", expected " << rank
                          << " as the query";
  if (node.has(kPastKey) != node.has(kPastValue))
    return node.error() << "past_key and past_value are given one without the other";
  for (auto [i, name, like] : {std::tuple(kPastKey, "past_key", kKey), std::tuple(kPastValue, "past_value", kValue)}) {
    if (!node.has(i))
      continue;
    if (node.input(i).rank() != 4)
      return node.error() << name << " has rank " << node.input(i).rank() << ", expected 4";
    if (node.input(i).type != node.input(like).type)
      return node.error() << name << " has elements of " << nameOf(node.input(i).type) << ", expected "
                          << nameOf(node.input(like).type);
  }
  if (node.input(kKey).type != node.input(kQuery).type)
    return node.error() << "query and key have elements of " << nameOf(node.input(kQuery).type) << " and "
                        << nameOf(node.input(kKey).type);
  if (node.has(kMask)) {
    const Tensor &mask = node.input(kMask);
    if (mask.type != DataType::Bool && !isInteger(mask.type) && failed(node.expectFloat(kMask)))
      return failure();
    if (mask.rank() > 4)
      return node.error() << "the mask has rank " << mask.rank() << ", expected at most 4";
  }
  if (!node.has(kKeyLengths))
    return success();
  if (node.has(kPastKey))
    return node.error() << "nonpad_kv_seqlen and past_key exclude each other";
  if (failed(node.expectType(kKeyLengths, {DataType::Int64})))
    return failure();
  if (node.input(kKeyLengths).rank() != 1)
    return node.error() << "nonpad_kv_seqlen has rank " << node.input(kKeyLengths).rank() << ", expected 1";
  return expectEqual(node, node.input(kKeyLengths).shape[0], node.input(kQuery).shape[0],
                     "the batch of nonpad_kv_seqlen and query");
}

/// kQuery, key and value with their heads apart.
static LogicalResult splitInputs(Node &node, ScaledDotProduct &attention, const Attributes &attributes) {
  Tensor *tensors[] = {&attention.query, &attention.key, &attention.value};
  for (size_t i : {kQuery, kKey, kValue})
    *tensors[i] = node.input(i);
  if (attention.query.rank() == 4)
    return success();
  if (attributes.queryHeads % attributes.keyHeads != 0)
    return node.error() << attributes.queryHeads << " heads of the query are no multiple of " << attributes.keyHeads
                        << " heads of the key";
  // What is known only at run time is told apart by what it must be a multiple of.
  Size heads(attributes.keyHeads), group(attributes.queryHeads / attributes.keyHeads);
  for (auto [i, past] : {std::pair(kKey, kPastKey), std::pair(kValue, kPastValue)})
    if (node.has(past))
      (void)node.symbols.unify(node.input(i).shape[2], node.input(past).shape[3] * heads);
  Size hidden = attention.key.shape[2];
  bool sameChannels = node.symbols.unify(attention.query.shape[2], hidden * group);
  FailureOr<Tensor> key = splitHeads(node, attention.key, attributes.keyHeads, "the key");
  FailureOr<Tensor> value = splitHeads(node, attention.value, attributes.keyHeads, "the value");
  if (failed(key) || failed(value))
    return failure();
  FailureOr<Tensor> query = splitHeads(node, attention.query, attributes.queryHeads, "the query",
                                       sameChannels ? std::optional(key->shape[3]) : std::nullopt);
  if (failed(query))
    return failure();
  attention.query = *query;
  attention.key = *key;
  attention.value = *value;
  attention.queryHeadsFirst = attention.keyHeadsFirst = attention.valueHeadsFirst = attention.resultHeadsFirst = false;
  return success();
}

LogicalResult attn::onnx::appendToCache(Node &node, Tensor &tensor, bool &headsFirst, const Tensor *past,
                                        StringRef name) {
  if (!headsFirst)
    tensor = transpose(node, tensor, {0, 2, 1, 3});
  headsFirst = true;
  if (!past || past->shape[2].isConstant(0))
    return success();
  Tensor before = *past;
  for (int64_t dim : {0, 1, 3}) {
    Size size = tensor.shape[dim].getConstant() ? tensor.shape[dim] : past->shape[dim];
    std::string what = (name + ", dimension " + Twine(dim) + " of what was and what is added").str();
    for (Tensor *part : {&before, &tensor}) {
      FailureOr<Tensor> fitted = fitTo(node, *part, dim, size, what);
      if (failed(fitted))
        return failure();
      *part = *fitted;
    }
  }
  tensor = concat(node, {before, tensor}, 2);
  return success();
}

/// The mask for all keys: where it is shorter, those beyond don't count.
static FailureOr<Tensor> widenMask(Node &node, const Tensor &mask, const Size &keys) {
  if (mask.rank() == 0)
    return mask;
  int64_t last = mask.rank() - 1;
  Size given = mask.shape[last];
  // Before operator set 24 a mask is as long as the keys, or is repeated.
  bool mayBeShorter = node.getOpset() >= 24;
  if (node.symbols.equal(given, keys) || (!mayBeShorter && given.isConstant(1)))
    return mask;
  if (given.getConstant() && keys.getConstant() && (!mayBeShorter || *given.getConstant() > *keys.getConstant()))
    return node.error() << "the mask's last dimension is " << *given.getConstant() << ", expected "
                        << (mayBeShorter ? "at most " : "") << *keys.getConstant();
  if (!mayBeShorter && node.symbols.unify(given, keys))
    return mask;
  Tensor source = isInteger(mask.type) ? cast(node, mask, DataType::Float) : mask;
  Size size = given.getConstant() && keys.getConstant() ? given : minimumOf(node, given, keys);
  source = slice(node, source, last, Size(0), size);
  Shape shape(source.shape);
  shape[last] = keys;
  double beyond = source.type == DataType::Bool ? 0 : -std::numeric_limits<double>::infinity();
  SmallVector<OpFoldResult> offsets(shape.size(), node.builder.getIndexAttr(0));
  SmallVector<OpFoldResult> strides(shape.size(), node.builder.getIndexAttr(1));
  Value value = tensor::InsertSliceOp::create(node.builder, node.loc, node.value(source),
                                              filled(node, shape, source.type, beyond), offsets,
                                              node.mixed(source.shape), strides);
  return node.make(value, source.type, shape);
}

/// nonpad_kv_seqlen - q_sequence_length for each row of the batch.
static Tensor offsetsOf(Node &node, const Tensor &lengths, const Size &queries) {
  SmallVector<Value> inputs = {node.value(lengths), node.value(integers(queries, {}))};
  Value value = generic(
      node, inputs, empty(node, lengths.shape, DataType::Int64), {{0}, {}, {0}}, IteratorType::parallel,
      [](OpBuilder &b, Location loc, ValueRange v) -> Value { return arith::SubIOp::create(b, loc, v[0], v[1]); });
  return node.make(value, DataType::Int64, lengths.shape);
}

static LogicalResult importAttention(Node &node) {
  ScaledDotProduct attention;
  Attributes attributes;
  if (failed(checkInputs(node)) || failed(readAttributes(node, attention, attributes)) ||
      failed(splitInputs(node, attention, attributes)))
    return failure();
  bool isFlat = !attention.resultHeadsFirst;
  Size queries = attention.query.shape[isFlat ? 1 : 2];

  bool hasPast = node.has(kPastKey);
  if (hasPast || node.wants(kPresentKey) || node.wants(kPresentValue)) {
    const Tensor *past = hasPast ? &node.input(kPastKey) : nullptr;
    if (hasPast) {
      attention.offset = past->shape[2];
      // Equal parts make equal sums.
      if (failed(expectEqual(node, past->shape[2], node.input(kPastValue).shape[2], "the lengths of both pasts")) ||
          failed(expectEqual(node, attention.key.shape[isFlat ? 1 : 2], attention.value.shape[isFlat ? 1 : 2],
                             "the lengths of key and value")))
        return failure();
    }
    if (failed(appendToCache(node, attention.key, attention.keyHeadsFirst, past, "key")) ||
        failed(appendToCache(node, attention.value, attention.valueHeadsFirst,
                             hasPast ? &node.input(kPastValue) : nullptr, "value")))
      return failure();
    node.set(kPresentKey, attention.key);
    node.set(kPresentValue, attention.value);
  }
  if (node.has(kMask)) {
    FailureOr<Tensor> mask = widenMask(node, node.input(kMask), attention.key.shape[attention.keyHeadsFirst ? 2 : 1]);
    if (failed(mask))
      return failure();
    (mask->type == DataType::Bool ? attention.mask : attention.bias) = *mask;
  }
  if (node.has(kKeyLengths)) {
    if (attention.causal || attention.leftWindow >= 0 || attention.rightWindow >= 0)
      attention.offsets = offsetsOf(node, node.input(kKeyLengths), queries);
    // With causal, no query stands behind the keys that count.
    if (!attention.causal)
      attention.keyLengths = node.input(kKeyLengths);
  }
  if (node.wants(kScores))
    attention.wanted = attributes.stage;
  int64_t queryHeads = attributes.queryHeads, keyHeads = attributes.keyHeads;
  FailureOr<ScaledDotProductResult> result = buildScaledDotProduct(node, std::move(attention));
  if (failed(result))
    return failure();
  if (isFlat) {
    // As many channels as the value has for each group of heads.
    Size hidden = node.input(kValue).shape[2] * Size(queryHeads / keyHeads);
    FailureOr<Tensor> joined = joinHeads(node, result->output, hidden);
    if (failed(joined))
      return failure();
    result->output = *joined;
  }
  // Y has the type of the query.
  node.set(kResult, cast(node, result->output, node.input(kQuery).type));
  if (node.wants(kScores))
    node.set(kScores, result->scores);
  return success();
}

void attn::onnx::registerAttention(Registry &registry) {
  registry.add("Attention", importAttention, 23);
  registerFlexAttention(registry);
  registerRotaryEmbedding(registry);
  registerLinearAttention(registry);
  registerCausalConvolution(registry);
  registerMicrosoftAttention(registry);
  registerPackedAttention(registry);
  registerRelativePositionBias(registry);
  registerGroupQueryAttention(registry);
}
