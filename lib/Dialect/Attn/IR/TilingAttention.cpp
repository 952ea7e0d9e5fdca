//===- TilingAttention.cpp - TilingInterface of attn.attention --*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The loops are (b, h, q). Keys and channels are not loops: a softmax needs all keys, which the stage `tile` turns into
// a loop over attn.online_attention by itself. Operands are sliced through their maps; where regions read indices, the
// tile's offsets enter the op's `offsets` so that they keep seeing those of the whole.
//
//===----------------------------------------------------------------------===//

#include "TilingUtils.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace attn;

static constexpr unsigned kNumLoops = 3;
static constexpr unsigned kNumDims = 6;

/// Which dimension of an operand stands for `dim`; none where its map has no such result.
static std::optional<unsigned> positionOf(AffineMap map, unsigned dim) {
  return map.getResultPosition(getAffineDimExpr(dim, map.getContext()));
}

static Tile tileOf(ArrayRef<OpFoldResult> offsets, ArrayRef<OpFoldResult> sizes) {
  Tile tile(kNumDims);
  for (auto [i, offset, size] : llvm::enumerate(offsets, sizes))
    tile.set(i, offset, size);
  return tile;
}

SmallVector<utils::IteratorType> AttentionOp::getLoopIteratorTypes() {
  return SmallVector<utils::IteratorType>(kNumLoops, utils::IteratorType::parallel);
}

SmallVector<Range> AttentionOp::getIterationDomain(OpBuilder &b) {
  SmallVector<unsigned> dims;
  for (unsigned loop = 0; loop < kNumLoops; ++loop)
    if (std::optional<unsigned> dim = positionOf(getInitMap(), loop))
      dims.push_back(*dim);
  return loopsOver(b, getLoc(), getInit(), dims);
}

/// The operand `offsets` of a tile that starts at `tileOffsets`: the op's own plus those.
static SmallVector<Value> offsetsInTile(OpBuilder &b, AttentionOp op, ArrayRef<OpFoldResult> tileOffsets) {
  SmallVector<Value> values;
  bool hasRegions = !op.getScore().empty() || !op.getMask().empty();
  if (op.getOffsets().empty() && !hasRegions)
    return values;
  for (unsigned dim = 0; dim < 4; ++dim) {
    OpFoldResult own = op.getOffsets().empty() ? OpFoldResult(b.getIndexAttr(0)) : op.getOffsets()[dim];
    OpFoldResult inner = dim < tileOffsets.size() ? tileOffsets[dim] : OpFoldResult(b.getIndexAttr(0));
    AffineExpr sum = b.getAffineDimExpr(0) + b.getAffineDimExpr(1);
    OpFoldResult total = affine::makeComposedFoldedAffineApply(b, op.getLoc(), sum, {own, inner});
    values.push_back(getValueOrCreateConstantIndexOp(b, op.getLoc(), total));
  }
  return values;
}

FailureOr<TilingResult> AttentionOp::getTiledImplementation(OpBuilder &b, ArrayRef<OpFoldResult> offsets,
                                                            ArrayRef<OpFoldResult> sizes) {
  Tile tile = tileOf(offsets, sizes);
  OperandSlicer slicer(b, getLoc());
  bool ok = true;
  auto sliced = [&](Value operand, AffineMap map) -> Value {
    if (!ok)
      return Value();
    FailureOr<Value> slice = slicer.slice(operand, map, tile);
    ok = succeeded(slice);
    return ok ? *slice : Value();
  };
  auto batchRows = AffineMap::get(kNumDims, 0, {b.getAffineDimExpr(Batch), b.getAffineDimExpr(Key)}, b.getContext());

  Value query = sliced(getQuery(), getQueryMap());
  Value key = sliced(getKey(), getKeyMap());
  Value value = sliced(getValue(), getValueMap());
  Value ranges = getRanges() ? sliced(getRanges(), batchRows) : Value();
  Value keyMask = getKeyMask() ? sliced(getKeyMask(), batchRows) : Value();
  SmallVector<Value> mapped;
  for (auto [i, operand] : llvm::enumerate(getMapped()))
    mapped.push_back(sliced(operand, getMappedMap(i)));
  SmallVector<Value> inits = {sliced(getInit(), getInitMap())};
  if (getLogSumExp())
    inits.push_back(sliced(getLogSumExp(), getLogSumExpMap()));
  if (!ok)
    return failure();

  SmallVector<Type> types = llvm::map_to_vector(inits, [](Value init) { return init.getType(); });
  auto tiled =
      AttentionOp::create(b, getLoc(), types, query, key, value, ranges, keyMask, mapped, getWhole(),
                          offsetsInTile(b, *this, offsets), inits.front(), inits.size() > 1 ? inits.back() : Value(),
                          getMaps(), getScaleAttr(), getEmptyAttr(), getScheduleAttr());
  tiled->setDiscardableAttrs(getOperation()->getDiscardableAttrDictionary());
  IRMapping mapping;
  getScore().cloneInto(&tiled.getScore(), mapping);
  getMask().cloneInto(&tiled.getMask(), mapping);
  return TilingResult{{tiled}, SmallVector<Value>(tiled->getResults()), SmallVector<Operation *>(slicer.getSlices())};
}

LogicalResult AttentionOp::getResultTilePosition(OpBuilder &b, unsigned result, ArrayRef<OpFoldResult> offsets,
                                                 ArrayRef<OpFoldResult> sizes, SmallVector<OpFoldResult> &resultOffsets,
                                                 SmallVector<OpFoldResult> &resultSizes) {
  Value init = result == 0 ? getInit() : getLogSumExp();
  AffineMap map = result == 0 ? getInitMap() : getLogSumExpMap();
  resultSizes = tensor::getMixedSizes(b, getLoc(), init);
  resultOffsets.assign(resultSizes.size(), b.getIndexAttr(0));
  for (unsigned loop = 0; loop < kNumLoops; ++loop)
    if (std::optional<unsigned> dim = positionOf(map, loop)) {
      resultOffsets[*dim] = offsets[loop];
      resultSizes[*dim] = sizes[loop];
    }
  return success();
}

LogicalResult AttentionOp::getIterationDomainTileFromResultTile(OpBuilder &b, unsigned result,
                                                                ArrayRef<OpFoldResult> offsets,
                                                                ArrayRef<OpFoldResult> sizes,
                                                                SmallVectorImpl<OpFoldResult> &loopOffsets,
                                                                SmallVectorImpl<OpFoldResult> &loopSizes) {
  Value init = result == 0 ? getInit() : getLogSumExp();
  AffineMap map = result == 0 ? getInitMap() : getLogSumExpMap();
  loopOffsets.clear();
  loopSizes.clear();
  for (unsigned loop = 0; loop < kNumLoops; ++loop) {
    std::optional<unsigned> dim = positionOf(map, loop);
    if (!dim)
      return failure();
    loopOffsets.push_back(offsets[*dim]);
    loopSizes.push_back(sizes[*dim]);
  }
  std::optional<unsigned> channel = positionOf(map, ValueChannel);
  if (channel && !isWholeDimension(offsets[*channel], sizes[*channel], init, *channel))
    return failure();
  return success();
}

FailureOr<TilingResult> AttentionOp::generateResultTileValue(OpBuilder &b, unsigned result,
                                                             ArrayRef<OpFoldResult> offsets,
                                                             ArrayRef<OpFoldResult> sizes) {
  SmallVector<OpFoldResult> loopOffsets, loopSizes;
  if (failed(getIterationDomainTileFromResultTile(b, result, offsets, sizes, loopOffsets, loopSizes)))
    return failure();
  FailureOr<TilingResult> tiled = getTiledImplementation(b, loopOffsets, loopSizes);
  if (failed(tiled))
    return failure();
  // The caller replaces one result.
  Value wanted = tiled->tiledValues[result];
  return TilingResult{tiled->tiledOps, {wanted}, tiled->generatedSlices};
}
