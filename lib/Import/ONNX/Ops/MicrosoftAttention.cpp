//===- MicrosoftAttention.cpp - Attention of com.microsoft ------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Attention, MultiHeadAttention and RotaryEmbedding as onnxruntime computes them on CPUs. Its masks add a number to
// the scores of keys that don't count, so that a row without keys is as if it had no mask.
//
//===----------------------------------------------------------------------===//

#include "AttentionOps.h"
#include "MatrixProducts.h"
#include "Quantization.h"
#include "ScaledDotProduct.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

using namespace mlir;
using namespace attn;
using namespace attn::onnx;
using utils::IteratorType;

static constexpr StringLiteral kDomain = "com.microsoft";
static constexpr double kMaskValue = -10000;

LogicalResult attn::onnx::expectZero(Node &node, StringRef name) {
  FailureOr<int64_t> value = node.integer(name, 0);
  if (failed(value))
    return failure();
  if (*value != 0)
    return node.unsupported() << "attribute '" << name << "' is " << *value << ", only 0 is";
  return success();
}

LogicalResult attn::onnx::expectAbsent(Node &node, ArrayRef<std::pair<size_t, StringRef>> inputs) {
  for (auto [i, name] : inputs)
    if (node.has(i))
      return node.unsupported() << "the input '" << name << "'";
  return success();
}

LogicalResult attn::onnx::expectFloats(Node &node, ArrayRef<size_t> inputs) {
  for (size_t i : inputs)
    if (node.has(i)) {
      if (failed(node.expectType(i, {DataType::Float, DataType::Float16, DataType::BFloat16})))
        return failure();
      if (node.input(i).type != node.input(0).type)
        return node.error() << "input " << i << " has elements of " << nameOf(node.input(i).type) << ", expected "
                            << nameOf(node.input(0).type);
    }
  return success();
}

FailureOr<int64_t> attn::onnx::readHeads(Node &node, StringRef name) {
  FailureOr<int64_t> heads = node.integer(name);
  if (succeeded(heads) && *heads < 1)
    return node.error() << "attribute '" << name << "' is " << *heads << ", expected at least 1";
  return heads;
}

LogicalResult attn::onnx::readScale(Node &node, ScaledDotProduct &attention) {
  FailureOr<double> scale = node.real("scale", 0);
  if (failed(scale))
    return failure();
  if (*scale != 0)
    attention.scale = *scale;
  return success();
}

/// What Attention and MultiHeadAttention have in common.
static LogicalResult readCommon(Node &node, ScaledDotProduct &attention) {
  FailureOr<int64_t> unidirectional = node.integer("unidirectional", 0);
  FailureOr<double> value = node.real("mask_filter_value", kMaskValue);
  if (failed(unidirectional) || failed(value) || failed(readScale(node, attention)))
    return failure();
  attention.causal = *unidirectional == 1;
  attention.maskValue = *value;
  return success();
}

/// The mask that `index` is: [B, T] or [B, S, T] of 0 and 1, or [B] ends of the keys, then [B] begins where there are
/// twice as many.
static FailureOr<Tensor> maskOf(Node &node, const Tensor &index, const Size &batch, const Size &queries,
                                const Size &keys) {
  if (index.rank() == 2 || index.rank() == 3) {
    SmallVector<Size> shape =
        index.rank() == 2 ? SmallVector<Size>{batch, keys} : SmallVector<Size>{batch, queries, keys};
    if (failed(expectEqual(node, index.shape, shape, "the shape of the mask")))
      return failure();
    FailureOr<Tensor> mask =
        elementwise(node, index, DataType::Bool, [](OpBuilder &b, Location loc, ValueRange v) -> Value {
          Value zero = arith::ConstantOp::create(b, loc, b.getIntegerAttr(v[0].getType(), 0));
          return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::sgt, v[0], zero);
        });
    if (failed(mask))
      return failure();
    Shape all = {mask->shape[0], Size(1), index.rank() == 2 ? Size(1) : mask->shape[1], mask->shape.back()};
    return reshape(node, *mask, all);
  }
  if (index.rank() != 1)
    return node.unsupported() << "a mask of rank " << index.rank() << ", only 1 to 3 are";
  bool hasBegins = node.symbols.equal(index.shape[0], batch * Size(2));
  if (node.symbols.equal(index.shape[0], batch * Size(3) + Size(2)))
    return node.unsupported() << "a mask of lengths and offsets";
  if (!hasBegins && failed(expectEqual(node, index.shape[0], batch, "the batch of the mask")))
    return failure();
  SmallVector<Value> inputs = {node.value(slice(node, index, 0, Size(0), batch))};
  SmallVector<SmallVector<int64_t>> maps = {{0}};
  if (hasBegins) {
    inputs.push_back(node.value(slice(node, index, 0, batch, batch)));
    maps.push_back({0});
  }
  maps.push_back({0, 1});
  Shape shape = {batch, keys};
  Value mask =
      generic(node, inputs, empty(node, shape, DataType::Bool), maps, {IteratorType::parallel, IteratorType::parallel},
              [&](OpBuilder &b, Location loc, ValueRange v) -> Value {
                Value key = arith::IndexCastOp::create(b, loc, v[0].getType(), linalg::IndexOp::create(b, loc, 1));
                Value inside = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, key, v[0]);
                if (!hasBegins)
                  return inside;
                Value after = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::sge, key, v[1]);
                return arith::AndIOp::create(b, loc, inside, after);
              });
  return reshape(node, node.make(mask, DataType::Bool, shape), {batch, Size(1), Size(1), keys});
}

/// Sets output 0, [B, S, H * E].
static LogicalResult finish(Node &node, ScaledDotProduct attention) {
  attention.resultHeadsFirst = false;
  FailureOr<ScaledDotProductResult> result = buildScaledDotProduct(node, std::move(attention));
  if (failed(result))
    return failure();
  const Shape &shape = result->output.shape;
  FailureOr<Tensor> joined = joinHeads(node, result->output, shape[2] * shape[3]);
  return node.set(0, joined);
}

FailureOr<Tensor> attn::onnx::addBias(Node &node, const Tensor &tensor, const Tensor &bias, const Size &begin) {
  return elementwise(
      node, {tensor, slice(node, bias, 0, begin, tensor.shape.back())}, tensor.type,
      [](OpBuilder &b, Location loc, ValueRange v) -> Value { return arith::AddFOp::create(b, loc, v[0], v[1]); });
}

LogicalResult attn::onnx::expectBias(Node &node, size_t i, const Size &size) {
  if (!node.has(i))
    return success();
  if (node.input(i).rank() != 1)
    return node.error() << "the bias has rank " << node.input(i).rank() << ", expected 1";
  return expectEqual(node, node.input(i).shape[0], size, "the size of the bias");
}

//===----------------------------------------------------------------------===//
// Attention
//===----------------------------------------------------------------------===//

FailureOr<SmallVector<Size>> attn::onnx::readHiddenSizes(Node &node, const Size &columns) {
  FailureOr<std::optional<SmallVector<int64_t>>> sizes = node.integers("qkv_hidden_sizes");
  if (failed(sizes))
    return failure();
  if (*sizes && (**sizes).size() != 3)
    return node.error() << "attribute 'qkv_hidden_sizes' has " << (**sizes).size() << " sizes, expected 3";
  if (!*sizes) {
    std::optional<int64_t> all = columns.getConstant();
    if (!all || *all % 3 != 0)
      return node.error() << "the weights have " << node.symbols.toString(columns)
                          << " columns, which is no multiple of 3";
    return SmallVector<Size>(3, Size(*all / 3));
  }
  SmallVector<Size> result;
  for (int64_t size : **sizes) {
    if (size < 1)
      return node.error() << "attribute 'qkv_hidden_sizes' has " << size << ", expected positive sizes";
    result.push_back(Size(size));
  }
  if (failed(expectEqual(node, result[0] + result[1] + result[2], columns, "the columns of the weights")))
    return failure();
  return result;
}

using Project = llvm::function_ref<FailureOr<Tensor>(const Size &begin, const Size &size)>;

/// Query, key and value as columns of one product, [B, S, size] each, with the inputs `past` and `mask`. Sets the
/// cache.
static LogicalResult readProjected(Node &node, ScaledDotProduct &attention, int64_t heads, ArrayRef<Size> sizes,
                                   size_t mask, size_t past, Project project) {
  const Tensor &input = node.input(0);
  Tensor *parts[] = {&attention.query, &attention.key, &attention.value};
  StringRef names[] = {"the query", "the key", "the value"};
  Size begin(0);
  for (auto [part, name, size] : llvm::zip(parts, names, sizes)) {
    FailureOr<Tensor> projected = project(begin, size);
    if (succeeded(projected))
      projected = splitHeads(node, *projected, heads, name);
    if (failed(projected))
      return failure();
    *part = *projected;
    begin = begin + size;
  }
  attention.queryHeadsFirst = attention.keyHeadsFirst = attention.valueHeadsFirst = false;
  Size keys = input.shape[1];
  if (node.has(past) || node.wants(1)) {
    std::optional<Tensor> before[2];
    if (node.has(past)) {
      const Tensor &both = node.input(past);
      if (both.rank() != 5)
        return node.error() << "past has rank " << both.rank() << ", expected 5";
      if (failed(expectEqual(node, both.shape[0], Size(2), "dimension 0 of past")))
        return failure();
      for (int64_t i : {0, 1}) {
        FailureOr<Tensor> one =
            reshape(node, slice(node, both, 0, Size(i), Size(1)), ArrayRef<Size>(both.shape).drop_front());
        if (failed(one))
          return failure();
        before[i] = *one;
      }
      attention.offset = both.shape[3];
      keys = keys + both.shape[3];
    }
    if (failed(appendToCache(node, attention.key, attention.keyHeadsFirst, before[0] ? &*before[0] : nullptr, "key")) ||
        failed(appendToCache(node, attention.value, attention.valueHeadsFirst, before[1] ? &*before[1] : nullptr,
                             "value")))
      return failure();
    if (node.wants(1)) {
      SmallVector<Tensor> both;
      for (const Tensor *tensor : {&attention.key, &attention.value}) {
        Shape shape(tensor->shape);
        shape.insert(shape.begin(), Size(1));
        FailureOr<Tensor> one = reshape(node, *tensor, shape);
        if (failed(one))
          return failure();
        both.push_back(*one);
      }
      if (failed(expectEqual(node, both[0].shape, both[1].shape, "the shapes of key and value")))
        return failure();
      node.set(1, concat(node, both, 0));
    }
  }
  if (node.has(mask)) {
    FailureOr<Tensor> expanded = maskOf(node, node.input(mask), input.shape[0], input.shape[1], keys);
    if (failed(expanded))
      return failure();
    attention.mask = *expanded;
  }
  return success();
}

/// The attributes and inputs that Attention has whatever its numbers are.
static LogicalResult readShared(Node &node, ScaledDotProduct &attention, size_t mask) {
  (void)node.attribute("rotary_embedding_dim"); // of do_rotary
  if (failed(node.expectType(mask, DataType::Int32)) || failed(readCommon(node, attention)) ||
      failed(expectZero(node, "do_rotary")) || failed(expectZero(node, "past_present_share_buffer")))
    return failure();
  const Tensor &input = node.input(0), &weights = node.input(1);
  if (input.rank() != 3 || weights.rank() != 2)
    return node.error() << "input and weights have ranks " << input.rank() << " and " << weights.rank()
                        << ", expected 3 and 2";
  return expectEqual(node, input.shape[2], weights.shape[0], "the channels of input and weights");
}

static LogicalResult importAttention(Node &node) {
  ScaledDotProduct attention;
  FailureOr<int64_t> heads = readHeads(node, "num_heads");
  if (failed(heads) || failed(node.expectInputs(2, 7)) || failed(expectFloats(node, {0, 1, 2, 4, 5})) ||
      failed(expectAbsent(node, {{6, "past_sequence_length"}})) || failed(readShared(node, attention, 3)))
    return failure();
  const Tensor &input = node.input(0), &weights = node.input(1);
  FailureOr<SmallVector<Size>> sizes = readHiddenSizes(node, weights.shape[1]);
  if (failed(sizes) || failed(expectBias(node, 2, weights.shape[1])))
    return failure();
  auto project = [&](const Size &begin, const Size &size) {
    FailureOr<Tensor> projected = matmul(node, input, slice(node, weights, 1, begin, size));
    return succeeded(projected) && node.has(2) ? addBias(node, *projected, node.input(2), begin) : projected;
  };
  if (failed(readProjected(node, attention, *heads, *sizes, 3, 4, project)))
    return failure();
  if (node.has(5))
    attention.bias = node.input(5);
  return finish(node, std::move(attention));
}

/// Attention whose input and weights are 8-bit integers; what they are multiplied by and moved by is one number, or one
/// for each column of the weights.
static LogicalResult importQAttention(Node &node) {
  enum { Input, Weights, Bias, InputScale, WeightScale, Mask, InputZero, WeightZero, Past };
  ScaledDotProduct attention;
  FailureOr<int64_t> heads = readHeads(node, "num_heads");
  if (failed(heads) || failed(node.expectInputs(5, 9)) || failed(expectBytes(node, Input)) ||
      failed(expectBytes(node, Weights)) || failed(node.expectType(InputZero, node.input(Input).type)) ||
      failed(node.expectType(WeightZero, node.input(Weights).type)) || failed(readShared(node, attention, Mask)))
    return failure();
  for (size_t i : {Bias, InputScale, WeightScale, Past})
    if (failed(node.expectType(i, DataType::Float)))
      return failure();
  const Tensor &weights = node.input(Weights);
  FailureOr<SmallVector<Size>> sizes = readHiddenSizes(node, weights.shape[1]);
  if (failed(sizes) || failed(expectBias(node, Bias, weights.shape[1])))
    return failure();
  if (!productOf(node.input(InputScale).shape).isConstant(1))
    return node.error() << "the input's scale has shape " << node.symbols.toString(node.input(InputScale).shape)
                        << ", expected a single element";
  // The columns of a number for each.
  auto part = [&](size_t i, const Size &begin, const Size &size) {
    const Tensor &all = node.input(i);
    bool isEach = all.rank() == 1 && !all.shape[0].isConstant(1);
    return isEach ? slice(node, all, 0, begin, size) : all;
  };
  auto project = [&](const Size &begin, const Size &size) {
    Quantized x{node.input(Input), node.input(InputScale), std::nullopt};
    if (node.has(InputZero))
      x.zeroPoint = node.input(InputZero);
    Quantized w{slice(node, weights, 1, begin, size), part(WeightScale, begin, size), std::nullopt};
    if (node.has(WeightZero))
      w.zeroPoint = part(WeightZero, begin, size);
    Tensor bias = slice(node, node.input(Bias), 0, begin, size);
    return quantizedMatmul(node, x, w, &bias);
  };
  if (failed(readProjected(node, attention, *heads, *sizes, Mask, Past, project)))
    return failure();
  return finish(node, std::move(attention));
}

//===----------------------------------------------------------------------===//
// MultiHeadAttention
//===----------------------------------------------------------------------===//

/// Members of a packed tensor [B, S, H, members, D] as [B, S, H, D].
static FailureOr<Tensor> unpack(Node &node, const Tensor &packed, int64_t member) {
  Shape shape(packed.shape);
  shape.erase(shape.begin() + 3);
  return reshape(node, slice(node, packed, 3, Size(member), Size(1)), shape);
}

static LogicalResult expectPacked(Node &node, size_t i, int64_t heads, int64_t members) {
  if (failed(expectEqual(node, node.input(i).shape[2], Size(heads), "the heads of input " + Twine(i))))
    return failure();
  return expectEqual(node, node.input(i).shape[3], Size(members), "dimension 3 of input " + Twine(i));
}

/// Query, key and value of MultiHeadAttention in its layouts.
static LogicalResult readOperands(Node &node, ScaledDotProduct &attention, int64_t heads) {
  Tensor *parts[] = {&attention.query, &attention.key, &attention.value};
  bool *first[] = {&attention.queryHeadsFirst, &attention.keyHeadsFirst, &attention.valueHeadsFirst};
  StringRef names[] = {"the query", "the key", "the value"};
  int64_t rank = node.input(0).rank();
  int64_t keyRank = node.has(1) ? node.input(1).rank() : 0;
  bool packedAll = rank == 5 && !node.has(1) && !node.has(2);
  bool packedKey = rank == 3 && keyRank == 5 && !node.has(2);
  if (!packedAll && !packedKey &&
      (rank != 3 || !node.has(1) || !node.has(2) || (keyRank != 3 && keyRank != 4) || node.input(2).rank() != keyRank))
    return node.error() << "query, key and value have ranks that don't go together: expected 3, 3, 3; 3, 4, 4; a "
                           "query of rank 5 alone; or 3 and a key of rank 5";
  if (packedAll && failed(expectPacked(node, 0, heads, 3)))
    return failure();
  if (packedKey && failed(expectPacked(node, 1, heads, 2)))
    return failure();
  // The bias is that of the projections; what comes projected already has none.
  bool hasBias = node.has(3);
  if (hasBias && (packedAll || packedKey))
    return node.unsupported() << "a bias of a packed tensor";
  Size begin(0);
  for (size_t i : {0, 1, 2}) {
    FailureOr<Tensor> part = failure();
    *first[i] = false;
    if (packedAll || (packedKey && i > 0)) {
      part = unpack(node, node.input(packedAll ? 0 : 1), packedAll ? i : i - 1);
    } else if (node.input(i).rank() == 4) {
      part = node.input(i);
      *first[i] = true;
      if (failed(expectEqual(node, part->shape[1], Size(heads), names[i] + Twine("'s heads"))))
        return failure();
    } else {
      part = node.input(i);
      if (hasBias)
        part = addBias(node, *part, node.input(3), begin);
      if (succeeded(part))
        part = splitHeads(node, *part, heads, names[i]);
      begin = begin + node.input(i).shape[2];
    }
    if (failed(part))
      return failure();
    *parts[i] = *part;
  }
  return success();
}

/// That the bias has as many elements as the projected channels.
static LogicalResult checkBias(Node &node) {
  if (!node.has(3))
    return success();
  if (node.input(0).rank() != 3 || !node.has(1) || !node.has(2))
    return success(); // refused by readOperands
  Size size = node.input(0).shape[2];
  for (size_t i : {1, 2})
    size = size + (node.input(i).rank() == 3   ? node.input(i).shape[2]
                   : node.input(i).rank() == 4 ? node.input(i).shape[1] * node.input(i).shape[3]
                                               : Size(0));
  return expectBias(node, 3, size);
}

static LogicalResult importMultiHeadAttention(Node &node) {
  ScaledDotProduct attention;
  FailureOr<int64_t> heads = readHeads(node, "num_heads");
  if (failed(heads) || failed(node.expectInputs(1, 10)) || failed(expectFloats(node, {0, 1, 2, 3, 5, 6, 7})) ||
      failed(node.expectType(4, DataType::Int32)) || failed(readCommon(node, attention)) ||
      failed(expectAbsent(node, {{8, "past_sequence_length"}, {9, "cache_indirection"}})) || failed(checkBias(node)) ||
      failed(readOperands(node, attention, *heads)))
    return failure();
  if (node.has(6) != node.has(7))
    return node.error() << "past_key and past_value are given one without the other";
  if (node.has(6) || node.wants(1) || node.wants(2)) {
    for (size_t i : {6, 7})
      if (node.has(i) && node.input(i).rank() != 4)
        return node.error() << "input " << i << " has rank " << node.input(i).rank() << ", expected 4";
    if (node.has(6)) {
      attention.offset = node.input(6).shape[2];
      if (failed(expectEqual(node, node.input(6).shape[2], node.input(7).shape[2], "the lengths of both pasts")))
        return failure();
    }
    if (failed(expectEqual(node, attention.key.shape[attention.keyHeadsFirst ? 2 : 1],
                           attention.value.shape[attention.valueHeadsFirst ? 2 : 1], "the lengths of key and value")) ||
        failed(appendToCache(node, attention.key, attention.keyHeadsFirst, node.has(6) ? &node.input(6) : nullptr,
                             "key")) ||
        failed(appendToCache(node, attention.value, attention.valueHeadsFirst, node.has(7) ? &node.input(7) : nullptr,
                             "value")))
      return failure();
    node.set(1, attention.key);
    node.set(2, attention.value);
  }
  if (node.has(4)) {
    FailureOr<Tensor> mask = maskOf(node, node.input(4), attention.query.shape[0], attention.query.shape[1],
                                    attention.key.shape[attention.keyHeadsFirst ? 2 : 1]);
    if (failed(mask))
      return failure();
    attention.mask = *mask;
  }
  if (node.has(5))
    attention.bias = node.input(5);
  return finish(node, std::move(attention));
}

void attn::onnx::registerMicrosoftAttention(Registry &registry) {
  registry.add("Attention", importAttention, 1, kDomain);
  registry.add("QAttention", importQAttention, 1, kDomain);
  registry.add("MultiHeadAttention", importMultiHeadAttention, 1, kDomain);
}
