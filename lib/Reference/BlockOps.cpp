//===- BlockOps.cpp - Whole blocks ------------------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Blocks are computed by their own formulas, not by decomposing them first: the decomposition is what they check.
//
//===----------------------------------------------------------------------===//

#include "Layers.h"
#include "Machine.h"
#include <cmath>

using namespace mlir;
using namespace attn;
using namespace attn::reference;

/// Attention of `heads` heads, merged as x[b, s, h * D + d], from projected queries, keys and values.
static llvm::Expected<Tensor> mergedHeads(Operation *op, const Tensor &query, const Tensor &key, const Tensor &value,
                                          const Tensor *mask, int64_t heads, EmptyRow empty) {
  int64_t batch = query.shape[0], queries = query.shape[1], keys = key.shape[1];
  int64_t width = query.shape[2], depth = width / heads, valueWidth = value.shape[2], channels = valueWidth / heads;
  if (llvm::Error error = expectShape(op, "the projected key", key, {batch, keys, width}))
    return std::move(error);
  if (llvm::Error error = expectShape(op, "the projected value", value, {batch, keys, valueWidth}))
    return std::move(error);
  if (mask)
    if (llvm::Error error = expectShape(op, "mask", *mask, {batch, keys}))
      return std::move(error);
  Tensor result({batch, queries, valueWidth}, /*isFloat=*/true);
  llvm::Error error = llvm::Error::success();
  forEachIndex({batch, heads, queries}, [&](ArrayRef<int64_t> index) {
    int64_t b = index[0], h = index[1], q = index[2];
    const double *row = query.floats.data() + (b * queries + q) * width + h * depth;
    double *out = result.floats.data() + (b * queries + q) * valueWidth + h * channels;
    llvm::Expected<double> done =
        attend({keys, channels, empty,
                [&](int64_t k) -> llvm::Expected<bool> { return !mask || mask->integers[b * keys + k] != 0; },
                [&](int64_t k) -> llvm::Expected<double> {
                  const double *other = key.floats.data() + (b * keys + k) * width + h * depth;
                  double sum = 0;
                  for (int64_t d = 0; d < depth; ++d)
                    sum += row[d] * other[d];
                  return sum / std::sqrt(double(depth));
                },
                [&](int64_t k, int64_t e) { return value.floats[(b * keys + k) * valueWidth + h * channels + e]; },
                [&](int64_t e, double sum) { out[e] = sum; }});
    if (!done)
      error = llvm::joinErrors(std::move(error), done.takeError());
    return !error;
  });
  if (error)
    return std::move(error);
  return result;
}

/// The three inputs must have the depths of the weights at run time.
static llvm::Error expectDepth(Operation *op, StringRef name, const Tensor &input, const Tensor &weight) {
  SmallVector<int64_t> shape(input.shape);
  shape.back() = weight.shape[1];
  return expectShape(op, name, input, shape);
}

/// A projection whose bias, if there is one, has the rows of its weight.
static llvm::Expected<Tensor> projected(Machine &machine, Operation *op, StringRef name, const Tensor &input,
                                        Value weight, Value bias) {
  const Tensor &matrix = machine.tensor(weight);
  if (llvm::Error error = expectDepth(op, name, input, matrix))
    return std::move(error);
  if (bias)
    if (llvm::Error error =
            expectShape(op, ("the bias that follows " + name).str(), machine.tensor(bias), {matrix.shape[0]}))
      return std::move(error);
  return project(input, matrix, machine.tensorOrNull(bias));
}

/// Projections, attention and output projection of either op that has them under the same names.
template <typename OpTy>
static llvm::Expected<Tensor> multiHead(Machine &machine, OpTy op, const Tensor &query, const Tensor &key,
                                        const Tensor &value) {
  llvm::Expected<Tensor> q = projected(machine, op, "query", query, op.getQueryWeight(), op.getQueryBias());
  if (!q)
    return q.takeError();
  llvm::Expected<Tensor> k = projected(machine, op, "key", key, op.getKeyWeight(), op.getKeyBias());
  if (!k)
    return k.takeError();
  llvm::Expected<Tensor> v = projected(machine, op, "value", value, op.getValueWeight(), op.getValueBias());
  if (!v)
    return v.takeError();
  llvm::Expected<Tensor> merged =
      mergedHeads(op, *q, *k, *v, machine.tensorOrNull(op.getMask()), op.getNumHeads(), op.getEmpty());
  if (!merged)
    return merged.takeError();
  return projected(machine, op, "the heads", *merged, op.getOutputWeight(), op.getOutputBias());
}

template <typename OpTy>
static llvm::Expected<Tensor> feedForward(Machine &machine, OpTy op, const Tensor &input) {
  llvm::Expected<Tensor> hidden = projected(machine, op, "input", input, op.getUpWeight(), op.getUpBias());
  if (!hidden)
    return hidden.takeError();
  Tensor active = activate(std::move(*hidden), op.getActivation());
  return projected(machine, op, "the hidden tensor", active, op.getDownWeight(), op.getDownBias());
}

static llvm::Expected<Tensor> encoderLayer(Machine &machine, EncoderLayerOp op) {
  const Tensor &input = machine.tensor(op.getInput());
  bool isPre = op.getNorm() == NormPlacement::Pre;
  auto norm = [&](const Tensor &tensor, Value scale, Value shift) {
    return normalize(tensor, machine.tensor(scale), machine.tensorOrNull(shift), op.getEpsilon().convertToDouble());
  };
  auto norm1 = [&](const Tensor &x) { return norm(x, op.getAttentionNormScale(), op.getAttentionNormShift()); };
  auto norm2 = [&](const Tensor &x) { return norm(x, op.getOutputNormScale(), op.getOutputNormShift()); };

  Tensor first = isPre ? norm1(input) : input;
  llvm::Expected<Tensor> attention = multiHead(machine, op, first, first, first);
  if (!attention)
    return attention.takeError();
  Tensor y = add(std::move(*attention), input);
  if (!isPre)
    y = norm1(y);
  llvm::Expected<Tensor> forward = feedForward(machine, op, isPre ? norm2(y) : y);
  if (!forward)
    return forward.takeError();
  Tensor result = add(std::move(*forward), y);
  return isPre ? std::move(result) : norm2(result);
}

llvm::Expected<bool> reference::runBlockOp(Machine &machine, Operation *op) {
  using Result = std::optional<llvm::Expected<Tensor>>;
  Result result =
      llvm::TypeSwitch<Operation *, Result>(op)
          .Case([&](MultiHeadAttentionOp op) -> Result {
            const Tensor &query = machine.tensor(op.getQuery());
            return multiHead(machine, op, query, op.getKey() ? machine.tensor(op.getKey()) : query,
                             op.getValue() ? machine.tensor(op.getValue()) : query);
          })
          .Case([&](FeedForwardOp op) -> Result { return feedForward(machine, op, machine.tensor(op.getInput())); })
          .Case([&](EncoderLayerOp op) -> Result { return encoderLayer(machine, op); })
          .Default([](Operation *) -> Result { return std::nullopt; });
  if (!result)
    return false;
  if (!*result)
    return result->takeError();
  machine.set(op->getResult(0), std::move(**result));
  return true;
}
