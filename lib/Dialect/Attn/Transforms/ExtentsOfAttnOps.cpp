//===- ExtentsOfAttnOps.cpp - Which sizes attn ops make and need equal -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the verifiers compare where types are static, for sizes that are known at run time only: each name of a size in
// an op's constraints that occurs twice is one requirement. Results of ops with destinations are not mentioned, since
// every destination's result has its shape.
//
//===----------------------------------------------------------------------===//

#include "attn/Dialect/Attn/IR/Attn.h"
#include "attn/Dialect/Attn/Transforms/Extents.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace attn;

static int64_t rankOf(Value value) { return llvm::cast<ShapedType>(value.getType()).getRank(); }

/// A weight [rows, columns] with its bias [rows].
void Extents::requireProjection(Operation *op, Value weight, Value bias, Size rows, Size columns) {
  require(op, {weight, 0}, rows);
  require(op, {weight, 1}, columns);
  if (bias)
    require(op, {bias, 0}, {weight, 0});
}

bool Extents::visitBlock(Operation *op) {
  return llvm::TypeSwitch<Operation *, bool>(op)
      .Case([&](EncoderLayerOp layer) {
        Value input = layer.getInput();
        equalShapes(op, layer.getResult(), input, rankOf(input));
        if (layer.getMask())
          requireShapes(op, layer.getMask(), input, 2);
        Size channels{input, 2}, hidden{layer.getUpWeight(), 0};
        requireProjection(op, layer.getQueryWeight(), layer.getQueryBias(), channels, channels);
        requireProjection(op, layer.getKeyWeight(), layer.getKeyBias(), channels, channels);
        requireProjection(op, layer.getValueWeight(), layer.getValueBias(), channels, channels);
        requireProjection(op, layer.getOutputWeight(), layer.getOutputBias(), channels, channels);
        requireProjection(op, layer.getUpWeight(), layer.getUpBias(), hidden, channels);
        requireProjection(op, layer.getDownWeight(), layer.getDownBias(), channels, hidden);
        for (Value norm : {layer.getAttentionNormScale(), layer.getAttentionNormShift(), layer.getOutputNormScale(),
                           layer.getOutputNormShift()})
          require(op, {norm, 0}, channels);
        return true;
      })
      .Case([&](MultiHeadAttentionOp attention) {
        Value query = attention.getQuery(), result = attention.getResult();
        Value key = attention.getKey() ? attention.getKey() : query;
        Value value = attention.getValue() ? attention.getValue() : query;
        equalShapes(op, result, query, 2);
        equal(op, {result, 2}, {attention.getOutputWeight(), 0});
        require(op, {key, 0}, {query, 0});
        requireShapes(op, value, key, 2);
        if (attention.getMask())
          requireShapes(op, attention.getMask(), key, 2);
        Size channels{attention.getQueryWeight(), 0}, valueChannels{attention.getValueWeight(), 0};
        requireProjection(op, attention.getQueryWeight(), attention.getQueryBias(), channels, {query, 2});
        requireProjection(op, attention.getKeyWeight(), attention.getKeyBias(), channels, {key, 2});
        requireProjection(op, attention.getValueWeight(), attention.getValueBias(), valueChannels, {value, 2});
        requireProjection(op, attention.getOutputWeight(), attention.getOutputBias(), {attention.getOutputWeight(), 0},
                          valueChannels);
        return true;
      })
      .Case([&](FeedForwardOp block) {
        Value input = block.getInput();
        int64_t last = rankOf(input) - 1;
        equalShapes(op, block.getResult(), input, last);
        equal(op, {block.getResult(), last}, {block.getDownWeight(), 0});
        Size hidden{block.getUpWeight(), 0};
        requireProjection(op, block.getUpWeight(), block.getUpBias(), hidden, {input, last});
        requireProjection(op, block.getDownWeight(), block.getDownBias(), {block.getDownWeight(), 0}, hidden);
        return true;
      })
      .Default(false);
}

bool Extents::visitRows(Operation *op) {
  return llvm::TypeSwitch<Operation *, bool>(op)
      .Case([&](LinearOp linear) {
        Value init = linear.getInit(), weight = linear.getWeight();
        int64_t last = rankOf(init) - 1;
        requireShapes(op, linear.getInput(), init, last);
        require(op, {linear.getInput(), last}, {weight, 1});
        if (!linear.isPacked())
          require(op, {weight, 0}, {init, last});
        for (auto [extra, map] : llvm::zip(linear.getExtras(), linear.getExtraMaps().getAsValueRange<AffineMapAttr>()))
          for (auto [i, expr] : llvm::enumerate(map.getResults()))
            if (auto dim = llvm::dyn_cast<AffineDimExpr>(expr))
              require(op, {extra, int64_t(i)}, {init, int64_t(dim.getPosition())});
        return true;
      })
      .Case([&](NormOpInterface norm) {
        int64_t last = rankOf(norm.getInit()) - 1;
        requireShapes(op, norm.getInput(), norm.getInit(), last + 1);
        require(op, {norm.getScale(), 0}, {norm.getInit(), last});
        if (norm.getShift())
          require(op, {norm.getShift(), 0}, {norm.getInit(), last});
        return true;
      })
      .Case([&](RotaryOp rotary) {
        requireShapes(op, rotary.getInput(), rotary.getInit(), rankOf(rotary.getInit()));
        for (Value table : {rotary.getCosine(), rotary.getSine()})
          for (auto [i, expr] : llvm::enumerate(rotary.getMap().getResults()))
            if (auto dim = llvm::dyn_cast<AffineDimExpr>(expr))
              require(op, {table, int64_t(i)}, {rotary.getInit(), int64_t(dim.getPosition())});
        return true;
      })
      .Case([&](EmbeddingOp embedding) {
        int64_t last = rankOf(embedding.getInit()) - 1;
        for (Value indices : embedding.getIndices())
          requireShapes(op, indices, embedding.getInit(), last);
        for (Value table : embedding.getTables())
          require(op, {table, 1}, {embedding.getInit(), last});
        if (embedding.getPositions())
          require(op, {embedding.getPositions(), 1}, {embedding.getInit(), last});
        return true;
      })
      .Case([&](KeyRangesOp ranges) {
        require(op, {ranges.getMask(), 0}, {ranges.getInit(), 0});
        return true;
      })
      .Default(false);
}

bool Extents::visitAttnOp(Operation *op) {
  if (visitBlock(op) || visitRows(op))
    return true;
  return llvm::TypeSwitch<Operation *, bool>(op)
      .Case([&](AttentionOp attention) {
        // What is written says how large a loop is where it can.
        SmallVector<Value> values = {attention.getQuery(), attention.getKey(), attention.getValue()};
        llvm::append_range(values, attention.getMapped());
        values.push_back(attention.getInit());
        if (attention.getLogSumExp())
          values.push_back(attention.getLogSumExp());
        for (unsigned i = values.size(); i-- > 0;)
          for (auto [j, expr] : llvm::enumerate(attention.getMap(i).getResults()))
            if (auto dim = llvm::dyn_cast<AffineDimExpr>(expr))
              requireLoop(op, dim.getPosition(), {values[i], int64_t(j)});
        if (attention.getRanges())
          requireLoop(op, AttentionOp::Batch, {attention.getRanges(), 0});
        if (attention.getKeyMask()) {
          requireLoop(op, AttentionOp::Batch, {attention.getKeyMask(), 0});
          requireLoop(op, AttentionOp::Key, {attention.getKeyMask(), 1});
        }
        return true;
      })
      .Case([&](OnlineAttentionOp online) {
        require(op, {online.getValue(), 0}, {online.getKey(), 0});
        require(op, {online.getValue(), 1}, {online.getAccumulator(), 1});
        if (online.getKeyMask())
          require(op, {online.getKeyMask(), 0}, {online.getKey(), 0});
        return true;
      })
      .Case([&](OnlineFinishOp finish) {
        require(op, {finish.getInit(), 1}, {finish.getAccumulator(), 1});
        if (finish.getLogSumExp())
          require(op, {finish.getLogSumExp(), 0}, {finish.getInit(), 0});
        return true;
      })
      .Default(false);
}
