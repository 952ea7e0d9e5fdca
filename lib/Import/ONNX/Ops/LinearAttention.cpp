//===- LinearAttention.cpp - Attention as a recurrence ----------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A loop over the tokens carries the state [B, H, D, E] of each head of the key, in float32:
//
//     S = exp(g) * S                  where it decays
//     v = beta * (v - S^T k)          where the rule is a delta
//     S = S + k v^T,  o = scale * S^T q
//
//===----------------------------------------------------------------------===//

#include "AttentionOps.h"
#include "ScaledDotProduct.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace attn;
using namespace attn::onnx;
using utils::IteratorType;

namespace {

enum Input : size_t { kQuery, kKey, kValue, kPast, kDecay, kBeta };

class Recurrence {
public:
  explicit Recurrence(Node &node) : node(node) {}
  LogicalResult run();

private:
  LogicalResult readAttributes();
  LogicalResult checkInputs();
  LogicalResult splitInputs();
  LogicalResult splitDecay(const Size &channels);
  FailureOr<Tensor> initialState();
  /// Token `at` of [B, T, ...].
  Tensor token(const Tensor &tensor, Value at);
  /// One step from `state` to the next; the result is the token's output, [B, H, G, E].
  FailureOr<Tensor> step(Tensor &state, Value at);

  Node &node;
  int64_t queryHeads = 0, keyHeads = 0;
  double scale = 0;
  bool decays = false, isDelta = false;
  /// [B, T, heads of the key, group, D] and [B, T, heads of the key, D].
  Tensor query, key, value;
  /// [B, T, H, D] or [B, T, H]; [B, T, H] or [B, T].
  Tensor decay, beta;
};

} // namespace

LogicalResult Recurrence::readAttributes() {
  FailureOr<int64_t> q = node.integer("q_num_heads"), kv = node.integer("kv_num_heads"),
                     chunk = node.integer("chunk_size", 64);
  FailureOr<double> factor = node.real("scale", 0);
  FailureOr<std::string> rule = node.text("update_rule", "gated_delta");
  if (failed(q) || failed(kv) || failed(chunk) || failed(factor) || failed(rule))
    return failure();
  if (*q < 1 || *kv < 1 || *q % *kv != 0)
    return node.error() << *q << " heads of the query are no positive multiple of " << *kv << " heads of the key";
  if (*rule != "linear" && *rule != "gated" && *rule != "delta" && *rule != "gated_delta")
    return node.error() << "attribute 'update_rule' is '" << *rule
                        << "', expected 'linear', 'gated', 'delta' or 'gated_delta'";
  queryHeads = *q;
  keyHeads = *kv;
  scale = *factor;
  decays = *rule == "gated" || *rule == "gated_delta";
  isDelta = *rule == "delta" || *rule == "gated_delta";
  for (auto [i, name, needed] : {std::tuple(kDecay, "decay", decays), std::tuple(kBeta, "beta", isDelta)})
    if (node.has(i) != needed)
      return node.error() << "update_rule '" << *rule << "' " << (needed ? "needs" : "has no") << " input '" << name
                          << "'";
  return success();
}

LogicalResult Recurrence::checkInputs() {
  if (failed(node.expectInputs(3, 6)) || failed(readAttributes()))
    return failure();
  for (size_t i = 0; i < 6; ++i) {
    if (!node.has(i))
      continue;
    if (failed(node.expectType(i, {DataType::Float, DataType::Float16, DataType::BFloat16})))
      return failure();
    int64_t rank = i == kPast ? 4 : 3;
    if (node.input(i).rank() != rank)
      return node.error() << "input " << i << " has rank " << node.input(i).rank() << ", expected " << rank;
    if (i == kPast)
      continue;
    for (int64_t dim : {0, 1})
      if (failed(expectEqual(node, node.input(i).shape[dim], node.input(kQuery).shape[dim],
                             "input " + Twine(i) + " and the query, dimension " + Twine(dim))))
        return failure();
  }
  return success();
}

/// The decay as [B, T, H] or [B, T, H, D], where D is `channels`.
LogicalResult Recurrence::splitDecay(const Size &channels) {
  decay = node.input(kDecay);
  const Size &size = decay.shape[2];
  Size whole = channels * Size(keyHeads);
  if (size.isConstant(keyHeads))
    return success();
  if (node.symbols.equal(size, whole)) {
    FailureOr<Tensor> apart = splitHeads(node, decay, keyHeads, "the decay", channels);
    if (failed(apart))
      return failure();
    decay = *apart;
    return success();
  }
  if (size.getConstant() && whole.getConstant())
    return node.error() << "the decay has " << *size.getConstant() << " channels, expected " << keyHeads << " or "
                        << *whole.getConstant();
  // At run time it is either.
  Value source = node.value(decay), count = node.index(size), width = node.index(channels);
  Value isPerHead =
      arith::CmpIOp::create(node.builder, node.loc, arith::CmpIPredicate::eq, count, node.index(Size(keyHeads)));
  Value one = node.index(Size(1)), zero = node.index(Size(0));
  Value last =
      arith::MaxSIOp::create(node.builder, node.loc, arith::SubIOp::create(node.builder, node.loc, count, one), zero);
  Shape shape = {decay.shape[0], decay.shape[1], Size(keyHeads), channels};
  Value value = generic(node, {}, empty(node, shape, decay.type), SmallVector<int64_t>{0, 1, 2, 3},
                        SmallVector<IteratorType>(4, IteratorType::parallel),
                        [&](OpBuilder &b, Location loc, ValueRange) -> Value {
                          SmallVector<Value> at;
                          for (int64_t i = 0; i < 4; ++i)
                            at.push_back(linalg::IndexOp::create(b, loc, i));
                          Value begin = arith::MulIOp::create(b, loc, at[2], width);
                          Value channel = arith::AddIOp::create(b, loc, begin, at[3]);
                          channel = arith::SelectOp::create(b, loc, isPerHead, at[2], channel);
                          channel = arith::MinUIOp::create(b, loc, channel, last);
                          return tensor::ExtractOp::create(b, loc, source, ValueRange{at[0], at[1], channel});
                        });
  decay = node.make(value, decay.type, shape);
  return success();
}

/// The heads of all inputs apart.
LogicalResult Recurrence::splitInputs() {
  // What is known only at run time is told apart by what it must be a multiple of.
  Size heads(keyHeads), group(queryHeads / keyHeads), hidden = node.input(kKey).shape[2];
  if (node.has(kPast)) {
    (void)node.symbols.unify(hidden, node.input(kPast).shape[2] * heads);
    (void)node.symbols.unify(node.input(kValue).shape[2], node.input(kPast).shape[3] * heads);
  }
  bool sameChannels = node.symbols.unify(node.input(kQuery).shape[2], hidden * group);
  FailureOr<Tensor> k = splitHeads(node, node.input(kKey), keyHeads, "the key");
  FailureOr<Tensor> v = splitHeads(node, node.input(kValue), keyHeads, "the value");
  if (failed(k) || failed(v))
    return failure();
  FailureOr<Tensor> q = splitHeads(node, node.input(kQuery), queryHeads, "the query",
                                   sameChannels ? std::optional(k->shape[3]) : std::nullopt);
  if (failed(q) || failed(q = fitTo(node, *q, 3, k->shape[3], "the head sizes of query and key")) ||
      failed(q = reshape(node, *q, {q->shape[0], q->shape[1], heads, group, k->shape[3]})))
    return failure();
  query = *q;
  key = *k;
  value = *v;
  if (decays && failed(splitDecay(key.shape[3])))
    return failure();
  if (!isDelta)
    return success();
  beta = node.input(kBeta);
  FailureOr<Tensor> rate = beta.shape[2].isConstant(1) && keyHeads != 1
                               ? reshape(node, beta, {beta.shape[0], beta.shape[1]})
                               : fitTo(node, beta, 2, heads, "the heads of beta and the key");
  if (failed(rate))
    return failure();
  beta = *rate;
  return success();
}

FailureOr<Tensor> Recurrence::initialState() {
  Shape shape = {key.shape[0], Size(keyHeads), key.shape[3], value.shape[3]};
  if (!node.has(kPast))
    return node.make(filled(node, shape, DataType::Float, 0), DataType::Float, shape);
  Tensor past = node.input(kPast);
  for (int64_t dim : {0, 1, 2, 3}) {
    FailureOr<Tensor> fitted = fitTo(node, past, dim, shape[dim], "past_state, dimension " + Twine(dim));
    if (failed(fitted))
      return failure();
    past = *fitted;
  }
  past.shape = shape;
  return cast(node, past, DataType::Float);
}

Tensor Recurrence::token(const Tensor &tensor, Value at) {
  Shape shape(tensor.shape);
  shape.erase(shape.begin() + 1);
  SmallVector<OpFoldResult> offsets(tensor.rank(), node.builder.getIndexAttr(0));
  SmallVector<OpFoldResult> strides(tensor.rank(), node.builder.getIndexAttr(1));
  SmallVector<OpFoldResult> sizes = node.mixed(tensor.shape);
  offsets[1] = at;
  sizes[1] = node.builder.getIndexAttr(1);
  Value value = tensor::ExtractSliceOp::create(node.builder, node.loc, node.tensorType(tensor.type, shape),
                                               node.value(tensor), offsets, sizes, strides);
  return node.make(value, tensor.type, shape);
}

static Value product(OpBuilder &b, Location loc, Value x, Value y) { return arith::MulFOp::create(b, loc, x, y); }

FailureOr<Tensor> Recurrence::step(Tensor &state, Value at) {
  DataType f32 = DataType::Float;
  Tensor q = token(query, at), k = token(key, at), v = token(value, at);
  SmallVector<int64_t> all = {0, 1, 2, 3}; // b, h, d, e
  SmallVector<IteratorType> parallel(4, IteratorType::parallel);
  Value decayed = node.value(state);
  auto f = [&](OpBuilder &b, Location loc, Value scalar, DataType type) {
    return castScalar(b, loc, scalar, type, f32);
  };
  if (decays) {
    Tensor g = token(decay, at);
    SmallVector<int64_t> dims = {0, 1};
    if (g.rank() == 3)
      dims.push_back(2);
    decayed = generic(node, {decayed, node.value(g)}, empty(node, state.shape, f32), {all, dims, all}, parallel,
                      [&](OpBuilder &b, Location loc, ValueRange x) {
                        return product(b, loc, x[0], math::ExpOp::create(b, loc, f(b, loc, x[1], g.type)));
                      });
  }
  Tensor added = v;
  if (isDelta) {
    Tensor rate = token(beta, at);
    FailureOr<Tensor> retrieved = contract(node, node.make(decayed, f32, state.shape), "bhde", k, "bhd", "bhe", f32);
    if (failed(retrieved))
      return failure();
    SmallVector<int64_t> row = {0, 1, 2};
    SmallVector<int64_t> dims = rate.rank() == 2 ? SmallVector<int64_t>{0, 1} : SmallVector<int64_t>{0};
    Value change = generic(node, {node.value(v), node.value(*retrieved), node.value(rate)}, empty(node, v.shape, f32),
                           {row, row, dims, row}, SmallVector<IteratorType>(3, IteratorType::parallel),
                           [&](OpBuilder &b, Location loc, ValueRange x) {
                             Value difference = arith::SubFOp::create(b, loc, f(b, loc, x[0], v.type), x[1]);
                             return product(b, loc, f(b, loc, x[2], rate.type), difference);
                           });
    added = node.make(change, f32, v.shape);
  }
  Value next =
      generic(node, {decayed, node.value(k), node.value(added)}, empty(node, state.shape, f32),
              {all, {0, 1, 2}, {0, 1, 3}, all}, parallel, [&](OpBuilder &b, Location loc, ValueRange x) -> Value {
                Value outer = product(b, loc, f(b, loc, x[1], k.type), f(b, loc, x[2], added.type));
                return arith::AddFOp::create(b, loc, x[0], outer);
              });
  state = node.make(next, f32, state.shape);
  FailureOr<Tensor> read = contract(node, q, "bhgd", state, "bhde", "bhge", f32);
  if (failed(read))
    return failure();
  return read;
}

LogicalResult Recurrence::run() {
  if (failed(checkInputs()) || failed(splitInputs()))
    return failure();
  FailureOr<Tensor> state = initialState();
  if (failed(state))
    return failure();
  OpBuilder &builder = node.builder;
  DataType f32 = DataType::Float;
  Shape shape = {query.shape[0], query.shape[1], Size(keyHeads), Size(queryHeads / keyHeads), value.shape[3]};
  // In the loop nothing may be computed that is needed after it.
  for (Tensor *tensor : {&query, &key, &value, &decay, &beta})
    if (tensor->type != DataType::Undefined)
      tensor->value = node.value(*tensor);
  Value zero = node.index(Size(0)), one = node.index(Size(1)), tokens = node.index(query.shape[1]);
  auto loop =
      scf::ForOp::create(builder, node.loc, zero, tokens, one, ValueRange{node.value(*state), empty(node, shape, f32)});
  {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(loop.getBody());
    Tensor carried = node.make(loop.getRegionIterArg(0), f32, state->shape);
    FailureOr<Tensor> output = step(carried, loop.getInductionVar());
    if (failed(output))
      return failure();
    SmallVector<OpFoldResult> offsets(5, builder.getIndexAttr(0)), strides(5, builder.getIndexAttr(1));
    SmallVector<OpFoldResult> sizes = node.mixed(shape);
    offsets[1] = loop.getInductionVar();
    sizes[1] = builder.getIndexAttr(1);
    Value outputs = tensor::InsertSliceOp::create(builder, node.loc, node.value(*output), loop.getRegionIterArg(1),
                                                  offsets, sizes, strides);
    scf::YieldOp::create(builder, node.loc, ValueRange{node.value(carried), outputs});
  }
  Tensor result = node.make(loop.getResult(1), f32, shape), last = node.make(loop.getResult(0), f32, state->shape);

  // The scale, and the types that the outputs have.
  SmallVector<Tensor> factors = {result};
  double factor = scale;
  if (scale == 0) {
    const Size &channels = key.shape[3];
    if (std::optional<int64_t> constant = channels.getConstant()) {
      factor = *constant > 0 ? 1.0 / std::sqrt(double(*constant)) : 1.0;
    } else {
      Value count = arith::IndexCastOp::create(builder, node.loc, builder.getI64Type(), node.index(channels));
      Value number = arith::SIToFPOp::create(builder, node.loc, builder.getF32Type(), count);
      Value root = math::RsqrtOp::create(builder, node.loc, number);
      Value tensor = tensor::FromElementsOp::create(builder, node.loc, node.tensorType(f32, {}), root);
      factors.push_back(node.make(tensor, f32, {}));
    }
  }
  FailureOr<Tensor> scaled =
      elementwise(node, factors, node.input(kQuery).type, [&](OpBuilder &b, Location loc, ValueRange x) {
        Value by = x.size() > 1 ? x[1] : arith::ConstantOp::create(b, loc, b.getF32FloatAttr(factor)).getResult();
        return product(b, loc, x[0], by);
      });
  if (failed(scaled))
    return failure();
  FailureOr<Tensor> flat = reshape(node, *scaled, {shape[0], shape[1], Size(queryHeads), shape[4]});
  if (failed(flat))
    return failure();
  Size hidden = node.input(kValue).shape[2] * Size(queryHeads / keyHeads);
  FailureOr<Tensor> joined = joinHeads(node, *flat, hidden);
  if (failed(joined))
    return failure();
  node.set(0, *joined);
  if (node.wants(1))
    node.set(1, cast(node, last, node.input(node.has(kPast) ? kPast : kQuery).type));
  return success();
}

static LogicalResult importLinearAttention(Node &node) { return Recurrence(node).run(); }

void attn::onnx::registerLinearAttention(Registry &registry) {
  registry.add("LinearAttention", importLinearAttention, 27);
}
