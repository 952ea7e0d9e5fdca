//===- EncoderLayer.cpp - An encoder's layers as data -----------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One attn.encoder_layer where it says all that the layer computes. What it doesn't, causal attention and biases of
// scores, takes the same layer from its parts.
//
//===----------------------------------------------------------------------===//

#include "EncoderLayer.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace attn;
using namespace attn::huggingface;
using llvm::Expected;

namespace {

struct LayerWeights {
  LinearWeights query, key, value, output, attentionNorm, up, down, outputNorm;
};

/// One layer from its parts.
class LayerBuilder {
public:
  LayerBuilder(ModelBuilder &model, const LayerKind &kind, StringRef name, const LayerWeights &weights,
               const AttentionContext &context)
      : model(model), ops(model.builder()), kind(kind), name(name), weights(weights), context(context) {}

  Value build(Value rows) {
    bool isPost = kind.norm == NormPlacement::Post;
    Value attended = attention(isPost ? rows : norm(rows, kind.names.attentionNorm, weights.attentionNorm));
    Value sum = add(attended, rows);
    if (isPost)
      sum = norm(sum, kind.names.attentionNorm, weights.attentionNorm);
    Value fed = feedForward(isPost ? sum : norm(sum, kind.names.outputNorm, weights.outputNorm));
    Value result = add(fed, sum);
    return isPost ? norm(result, kind.names.outputNorm, weights.outputNorm) : result;
  }

private:
  void setPart(StringRef part) { model.setLocation((name + "." + part).str()); }
  Value add(Value a, Value b) { return arith::AddFOp::create(ops, model.loc(), a, b); }
  Value norm(Value rows, StringRef part, const LinearWeights &norm) {
    setPart(part);
    return model.layerNorm(rows, norm, kind.config.epsilon);
  }
  Value feedForward(Value rows) {
    setPart(kind.names.up);
    return FeedForwardOp::create(ops, model.loc(), rows.getType(), rows, weights.up.weight, weights.up.bias,
                                 weights.down.weight, weights.down.bias, kind.config.activation);
  }
  /// [B, S, H * D] as [B, S, H, D].
  Value project(Value rows, StringRef part, const LinearWeights &projection);
  Value attention(Value rows);
  /// `bias` and `mask` are their places in `mapped`.
  void fillScore(Region &region, unsigned bias);
  void fillMask(Region &region, unsigned mask);
  /// The block of a region of attention: arguments of `types`, the indices b, h, q, k, and an element of each `mapped`.
  Block *beginRegion(Region &region, SmallVector<Type> types);

  ModelBuilder &model;
  OpBuilder &ops;
  const LayerKind &kind;
  StringRef name;
  const LayerWeights &weights;
  const AttentionContext &context;
  /// What the regions of attention read.
  SmallVector<Value> mapped;
};

} // namespace

Value LayerBuilder::project(Value rows, StringRef part, const LinearWeights &projection) {
  setPart(part);
  Value flat = model.linear(rows, projection);
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(ops, model.loc(), flat);
  int64_t heads = kind.config.numHeads, channels = kind.config.hiddenSize / heads;
  sizes.back() = ops.getIndexAttr(heads);
  sizes.push_back(ops.getIndexAttr(channels));
  SmallVector<int64_t> shape(llvm::cast<ShapedType>(flat.getType()).getShape().drop_back());
  shape.append({heads, channels});
  SmallVector<ReassociationIndices> groups = {{0}, {1}, {2, 3}};
  return tensor::ExpandShapeOp::create(ops, model.loc(), RankedTensorType::get(shape, ops.getF32Type()), flat, groups,
                                       sizes);
}

Block *LayerBuilder::beginRegion(Region &region, SmallVector<Type> types) {
  types.append(4, ops.getIndexType());
  for (Value operand : mapped)
    types.push_back(llvm::cast<ShapedType>(operand.getType()).getElementType());
  return ops.createBlock(&region, {}, types, SmallVector<Location>(types.size(), model.loc()));
}

void LayerBuilder::fillScore(Region &region, unsigned bias) {
  OpBuilder::InsertionGuard guard(ops);
  Block *block = beginRegion(region, {ops.getF32Type()});
  YieldOp::create(ops, model.loc(), add(block->getArgument(0), block->getArgument(5 + bias)));
}

void LayerBuilder::fillMask(Region &region, unsigned mask) {
  OpBuilder::InsertionGuard guard(ops);
  Block *block = beginRegion(region, {});
  Value counts;
  if (context.mask) {
    Value zero = arith::ConstantIntOp::create(ops, model.loc(), ops.getI64Type(), 0);
    counts = arith::CmpIOp::create(ops, model.loc(), arith::CmpIPredicate::ne, block->getArgument(4 + mask), zero);
  }
  if (context.isCausal) {
    using Dim = AttentionOp::Dim;
    Value sees = arith::CmpIOp::create(ops, model.loc(), arith::CmpIPredicate::sle, block->getArgument(Dim::Key),
                                       block->getArgument(Dim::Query));
    counts = counts ? arith::AndIOp::create(ops, model.loc(), counts, sees).getResult() : sees;
  }
  YieldOp::create(ops, model.loc(), counts);
}

Value LayerBuilder::attention(Value rows) {
  Value q = project(rows, kind.names.query, weights.query);
  Value k = project(rows, kind.names.key, weights.key);
  Value v = project(rows, kind.names.value, weights.value);
  setPart("attention");
  using Dim = AttentionOp::Dim;
  SmallVector<AffineMap> maps;
  auto map = [&](ArrayRef<unsigned> dims) {
    maps.push_back(AffineMap::getMultiDimMapWithTargets(6, dims, ops.getContext()));
  };
  map({Dim::Batch, Dim::Query, Dim::Head, Dim::QueryChannel});
  map({Dim::Batch, Dim::Key, Dim::Head, Dim::QueryChannel});
  map({Dim::Batch, Dim::Key, Dim::Head, Dim::ValueChannel});
  unsigned mask = mapped.size();
  if (context.mask) {
    mapped.push_back(context.mask);
    map({Dim::Batch, Dim::Key});
  }
  unsigned bias = mapped.size();
  if (context.bias) {
    mapped.push_back(context.bias);
    map({Dim::Head, Dim::Query, Dim::Key});
  }
  map({Dim::Batch, Dim::Query, Dim::Head, Dim::ValueChannel});
  Value init = tensor::EmptyOp::create(ops, model.loc(), tensor::getMixedSizes(ops, model.loc(), q), ops.getF32Type());
  auto op = AttentionOp::create(ops, model.loc(), init.getType(), q, k, v, /*ranges=*/Value(), /*key_mask=*/Value(),
                                mapped, /*whole=*/ValueRange(), /*offsets=*/ValueRange(), init,
                                /*log_sum_exp=*/Value(), ops.getAffineMapArrayAttr(maps), /*scale=*/FloatAttr(),
                                EmptyRow::Uniform, /*schedule=*/nullptr);
  if (context.bias)
    fillScore(op.getScore(), bias);
  if (context.mask || context.isCausal)
    fillMask(op.getMask(), mask);
  setPart(kind.names.output);
  SmallVector<ReassociationIndices> groups = {{0}, {1}, {2, 3}};
  Value joined = tensor::CollapseShapeOp::create(ops, model.loc(), op.getResult(0), groups);
  return model.linear(joined, weights.output);
}

static llvm::Error readWeights(ModelBuilder &model, const LayerKind &kind, StringRef name, LayerWeights &weights) {
  int64_t e = kind.config.hiddenSize, f = kind.config.intermediateSize;
  struct Part {
    StringRef name;
    LinearWeights LayerWeights::*member;
    int64_t out, in;
    bool hasBias = true;
  };
  auto read = [&](const Part &part) -> llvm::Error {
    std::string module = (name + "." + part.name).str();
    Expected<LinearWeights> found =
        part.in ? model.linearWeights(module, part.out, part.in, part.hasBias) : model.normWeights(module, part.out);
    if (!found)
      return found.takeError();
    weights.*part.member = *found;
    return llvm::Error::success();
  };
  const LayerNames &names = kind.names;
  for (const Part &part :
       {Part{names.query, &LayerWeights::query, e, e, kind.hasProjectionBiases},
        Part{names.key, &LayerWeights::key, e, e, kind.hasProjectionBiases},
        Part{names.value, &LayerWeights::value, e, e, kind.hasProjectionBiases},
        Part{names.output, &LayerWeights::output, e, e}, Part{names.attentionNorm, &LayerWeights::attentionNorm, e, 0},
        Part{names.up, &LayerWeights::up, f, e}, Part{names.down, &LayerWeights::down, e, f},
        Part{names.outputNorm, &LayerWeights::outputNorm, e, 0}})
    if (llvm::Error error = read(part))
      return error;
  return llvm::Error::success();
}

Expected<Value> attn::huggingface::buildEncoderLayer(ModelBuilder &model, const LayerKind &kind, StringRef name,
                                                     Value rows, const AttentionContext &context) {
  model.setLocation(name);
  LayerWeights w;
  if (llvm::Error error = readWeights(model, kind, name, w))
    return std::move(error);
  if (context.isCausal || context.bias)
    return LayerBuilder(model, kind, name, w, context).build(rows);
  return EncoderLayerOp::create(model.builder(), model.loc(), rows.getType(), rows, context.mask, w.query.weight,
                                w.query.bias, w.key.weight, w.key.bias, w.value.weight, w.value.bias, w.output.weight,
                                w.output.bias, w.attentionNorm.weight, w.attentionNorm.bias, w.up.weight, w.up.bias,
                                w.down.weight, w.down.bias, w.outputNorm.weight, w.outputNorm.bias,
                                uint64_t(kind.config.numHeads), llvm::APFloat(kind.config.epsilon),
                                kind.config.activation, kind.norm, context.mask ? EmptyRow::Uniform : EmptyRow::Zero)
      .getResult();
}
