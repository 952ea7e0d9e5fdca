//===- DecomposeBlocks.cpp - Whole blocks into the ops that carry the time ---*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Blocks say what a model is made of; everything after works on their parts. The parts are made as plainly as possible
// (three projections, a mask region, activations and residuals as ops of their own), so that a model whose exporter had
// taken the blocks apart meets the same rewrites from here on.
//
//===----------------------------------------------------------------------===//

#include "Utils.h"
#include "attn/Dialect/Attn/Transforms/Passes.h"
#include "attn/Dialect/Attn/Transforms/Transforms.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace attn {
#define GEN_PASS_DEF_DECOMPOSEBLOCKSPASS
#include "attn/Dialect/Attn/Transforms/Passes.h.inc"
} // namespace attn

using namespace mlir;
using namespace attn;

//===----------------------------------------------------------------------===//
// Parts
//===----------------------------------------------------------------------===//

static Value createLinear(OpBuilder &b, Location loc, Value input, Value weight, Value bias) {
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, loc, input);
  sizes.back() = tensor::getMixedSize(b, loc, weight, 0);
  Value init = createDestination(b, loc, sizes, getElementTypeOrSelf(input.getType()));
  return LinearOp::create(b, loc, input, weight, bias, init).getResult(0);
}

static Value createLayerNorm(OpBuilder &b, Location loc, Value input, Value scale, Value shift, APFloat epsilon) {
  auto type = cast<RankedTensorType>(input.getType());
  Value init = createDestination(b, loc, tensor::getMixedSizes(b, loc, input), type.getElementType());
  return LayerNormOp::create(b, loc, type, input, scale, shift, init, b.getF64FloatAttr(epsilon.convertToDouble()),
                             RowKernelAttr(), ScheduleAttr())
      .getResult(0);
}

/// [N] as [1, N].
static Value asRow(OpBuilder &b, Location loc, Value value) {
  auto type = cast<RankedTensorType>(value.getType());
  SmallVector<OpFoldResult> sizes = {b.getIndexAttr(1), tensor::getMixedSize(b, loc, value, 0)};
  auto row = RankedTensorType::get({1, type.getDimSize(0)}, type.getElementType());
  return tensor::ExpandShapeOp::create(b, loc, row, value, ArrayRef<ReassociationIndices>{{0, 1}}, sizes);
}

/// [B, S, H * D] as [B, S, H, D].
static Value splitHeads(OpBuilder &b, Location loc, Value value, int64_t heads, int64_t channels) {
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, loc, value);
  auto type = cast<RankedTensorType>(value.getType());
  sizes.back() = b.getIndexAttr(heads);
  sizes.push_back(b.getIndexAttr(channels));
  auto split = RankedTensorType::get({type.getDimSize(0), type.getDimSize(1), heads, channels}, type.getElementType());
  SmallVector<ReassociationIndices> groups = {{0}, {1}, {2, 3}};
  return tensor::ExpandShapeOp::create(b, loc, split, value, groups, sizes);
}

/// The region "the element of the mask at (b, k) is not 0".
static void createKeyMaskRegion(OpBuilder &b, Location loc, Region &region, Type maskElement) {
  OpBuilder::InsertionGuard guard(b);
  SmallVector<Type> types(4, b.getIndexType());
  types.push_back(maskElement);
  Block *block = b.createBlock(&region, {}, types, SmallVector<Location>(types.size(), loc));
  Value zero = arith::ConstantOp::create(b, loc, b.getZeroAttr(maskElement));
  Value counts = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, block->getArgument(4), zero);
  YieldOp::create(b, loc, counts);
}

//===----------------------------------------------------------------------===//
// Patterns
//===----------------------------------------------------------------------===//

namespace {

struct DecomposeEncoderLayer final : OpRewritePattern<EncoderLayerOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(EncoderLayerOp op, PatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Type type = op.getInput().getType();
    auto attention = [&](Value x) -> Value {
      return MultiHeadAttentionOp::create(rewriter, partLocation(loc, "attention"), type, x, Value(), Value(),
                                          op.getMask(), op.getQueryWeight(), op.getQueryBias(), op.getKeyWeight(),
                                          op.getKeyBias(), op.getValueWeight(), op.getValueBias(), op.getOutputWeight(),
                                          op.getOutputBias(), op.getNumHeadsAttr(), op.getEmptyAttr());
    };
    auto feedForward = [&](Value x) -> Value {
      return FeedForwardOp::create(rewriter, partLocation(loc, "feed_forward"), type, x, op.getUpWeight(),
                                   op.getUpBias(), op.getDownWeight(), op.getDownBias(), op.getActivationAttr());
    };
    auto attentionNorm = [&](Value x) {
      return createLayerNorm(rewriter, partLocation(loc, "attention_norm"), x, op.getAttentionNormScale(),
                             op.getAttentionNormShift(), op.getEpsilon());
    };
    auto outputNorm = [&](Value x) {
      return createLayerNorm(rewriter, partLocation(loc, "output_norm"), x, op.getOutputNormScale(),
                             op.getOutputNormShift(), op.getEpsilon());
    };
    auto add = [&](StringRef part, Value x, Value residual) -> Value {
      return arith::AddFOp::create(rewriter, partLocation(loc, part), x, residual);
    };

    Value x = op.getInput(), result;
    if (op.getNorm() == NormPlacement::Post) {
      Value y = attentionNorm(add("attention_residual", attention(x), x));
      result = outputNorm(add("feed_forward_residual", feedForward(y), y));
    } else {
      Value y = add("attention_residual", attention(attentionNorm(x)), x);
      result = add("feed_forward_residual", feedForward(outputNorm(y)), y);
    }
    remarkDone(op, "DecomposeBlocks") << "encoder layer taken apart";
    rewriter.replaceOp(op, result);
    return success();
  }
};

struct DecomposeMultiHeadAttention final : OpRewritePattern<MultiHeadAttentionOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(MultiHeadAttentionOp op, PatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    auto queryType = cast<RankedTensorType>(op.getQueryWeight().getType());
    auto valueType = cast<RankedTensorType>(op.getValueWeight().getType());
    if (queryType.isDynamicDim(0) || valueType.isDynamicDim(0))
      return rewriter.notifyMatchFailure(op, "the projections have no static number of rows");

    int64_t heads = op.getNumHeads();
    int64_t queryChannels = queryType.getDimSize(0) / heads, valueChannels = valueType.getDimSize(0) / heads;
    auto project = [&](StringRef part, Value x, Value weight, Value bias, int64_t channels) {
      Location partLoc = partLocation(loc, part);
      return splitHeads(rewriter, partLoc, createLinear(rewriter, partLoc, x, weight, bias), heads, channels);
    };
    Value key = op.getKey() ? op.getKey() : op.getQuery();
    Value value = op.getValue() ? op.getValue() : op.getQuery();
    Value q = project("query", op.getQuery(), op.getQueryWeight(), op.getQueryBias(), queryChannels);
    Value k = project("key", key, op.getKeyWeight(), op.getKeyBias(), queryChannels);
    Value v = project("value", value, op.getValueWeight(), op.getValueBias(), valueChannels);

    Location coreLoc = partLocation(loc, "core");
    SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(rewriter, coreLoc, q);
    sizes.back() = rewriter.getIndexAttr(valueChannels);
    Value init = createDestination(rewriter, coreLoc, sizes, getElementTypeOrSelf(q.getType()));
    auto map = [&](std::initializer_list<unsigned> dims) { return selectDims(rewriter, dims); };
    using Dim = AttentionOp::Dim;
    SmallVector<AffineMap> maps = {map({Dim::Batch, Dim::Query, Dim::Head, Dim::QueryChannel}),
                                   map({Dim::Batch, Dim::Key, Dim::Head, Dim::QueryChannel}),
                                   map({Dim::Batch, Dim::Key, Dim::Head, Dim::ValueChannel})};
    SmallVector<Value> mapped;
    if (op.getMask()) {
      mapped.push_back(op.getMask());
      maps.push_back(map({Dim::Batch, Dim::Key}));
    }
    maps.push_back(map({Dim::Batch, Dim::Query, Dim::Head, Dim::ValueChannel}));
    auto core = AttentionOp::create(rewriter, coreLoc, init.getType(), q, k, v, /*ranges=*/Value(),
                                    /*key_mask=*/Value(), mapped, /*whole=*/ValueRange(), /*offsets=*/ValueRange(),
                                    init, /*log_sum_exp=*/Value(), rewriter.getAffineMapArrayAttr(maps),
                                    /*scale=*/FloatAttr(), op.getEmptyAttr(), /*schedule=*/ScheduleAttr());
    if (op.getMask())
      createKeyMaskRegion(rewriter, coreLoc, core.getMask(), getElementTypeOrSelf(op.getMask().getType()));

    Location outputLoc = partLocation(loc, "output");
    Value joined = tensor::CollapseShapeOp::create(rewriter, outputLoc, core.getResult(0),
                                                   ArrayRef<ReassociationIndices>{{0}, {1}, {2, 3}});
    Value result = createLinear(rewriter, outputLoc, joined, op.getOutputWeight(), op.getOutputBias());
    remarkDone(op, "DecomposeBlocks") << "multi-head attention taken apart";
    replaceWithCast(rewriter, op, result);
    return success();
  }

private:
  static AffineMap selectDims(Builder &b, ArrayRef<unsigned> dims) {
    return AffineMap::getMultiDimMapWithTargets(6, dims, b.getContext());
  }

  /// The result's type may know less, or more, than what its parts infer.
  static void replaceWithCast(PatternRewriter &rewriter, MultiHeadAttentionOp op, Value result) {
    if (result.getType() != op.getType())
      result = tensor::CastOp::create(rewriter, op.getLoc(), op.getType(), result);
    rewriter.replaceOp(op, result);
  }
};

struct DecomposeFeedForward final : OpRewritePattern<FeedForwardOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(FeedForwardOp op, PatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    // A linear layer has rows; one alone is the row of a matrix.
    bool single = cast<RankedTensorType>(op.getInput().getType()).getRank() == 1;
    Value input = single ? asRow(rewriter, loc, op.getInput()) : Value(op.getInput());
    Value up = createLinear(rewriter, partLocation(loc, "up"), input, op.getUpWeight(), op.getUpBias());
    Value active = createActivation(rewriter, partLocation(loc, "activation"), op.getActivation(), up);
    Value down = createLinear(rewriter, partLocation(loc, "down"), active, op.getDownWeight(), op.getDownBias());
    if (single)
      down = tensor::CollapseShapeOp::create(rewriter, loc, down, ArrayRef<ReassociationIndices>{{0, 1}});
    if (down.getType() != op.getType())
      down = tensor::CastOp::create(rewriter, loc, op.getType(), down);
    remarkDone(op, "DecomposeBlocks") << "feed-forward block taken apart";
    rewriter.replaceOp(op, down);
    return success();
  }
};

struct DecomposeBlocksPass final : attn::impl::DecomposeBlocksPassBase<DecomposeBlocksPass> {
  using Base::Base;

  void runOnOperation() override {
    auto count = countOps<EncoderLayerOp, MultiHeadAttentionOp, FeedForwardOp>;
    int64_t before = count(getOperation());
    RewritePatternSet patterns(&getContext());
    populateDecomposeBlocksPatterns(patterns);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      return signalPassFailure();
    numBlocks += before - count(getOperation());
  }
};

} // namespace

void attn::populateDecomposeBlocksPatterns(RewritePatternSet &patterns) {
  patterns.add<DecomposeEncoderLayer, DecomposeMultiHeadAttention, DecomposeFeedForward>(patterns.getContext());
}
