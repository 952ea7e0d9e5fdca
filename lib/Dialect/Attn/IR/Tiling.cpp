//===- Tiling.cpp - TilingInterface of the ops on rows ----------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The loops of attn.linear are the dimensions of its destination; K is not a loop, since its kernel sums all of it in
// registers. attn.layer_norm and attn.embedding have a loop for each dimension but the last, which a kernel handles
// whole. Panels of a packed weight are not cut: a tile of such an attn.linear has all columns.
//
//===----------------------------------------------------------------------===//

#include "TilingUtils.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace attn;

/// The tile that the loops' `offsets` and `sizes` say, as one of `rank` dimensions: those without a loop are whole.
static Tile tileOf(unsigned rank, ArrayRef<OpFoldResult> offsets, ArrayRef<OpFoldResult> sizes) {
  Tile tile(rank);
  for (auto [i, offset, size] : llvm::enumerate(offsets, sizes))
    tile.set(i, offset, size);
  return tile;
}

/// The map of an operand that is read at the first `count` of `rank` dimensions.
static AffineMap leading(MLIRContext *context, unsigned rank, unsigned count) {
  return AffineMap::getMultiDimIdentityMap(rank, context).getMajorSubMap(count);
}

static unsigned rankOf(Value value) { return cast<ShapedType>(value.getType()).getRank(); }

/// Ops whose loops are the first dimensions of their only destination: what a tile of the loops writes.
static LogicalResult leadingResultTile(OpBuilder &b, Value init, ArrayRef<OpFoldResult> offsets,
                                       ArrayRef<OpFoldResult> sizes, SmallVector<OpFoldResult> &resultOffsets,
                                       SmallVector<OpFoldResult> &resultSizes) {
  resultOffsets.assign(offsets.begin(), offsets.end());
  resultSizes.assign(sizes.begin(), sizes.end());
  for (unsigned dim = offsets.size(), rank = rankOf(init); dim < rank; ++dim) {
    resultOffsets.push_back(b.getIndexAttr(0));
    resultSizes.push_back(tensor::getMixedSize(b, init.getLoc(), init, dim));
  }
  return success();
}

/// The reverse: the tile of the loops that writes a tile of the destination; fails where a dimension without a loop is
/// not whole.
static LogicalResult leadingLoopTile(Value init, unsigned numLoops, ArrayRef<OpFoldResult> offsets,
                                     ArrayRef<OpFoldResult> sizes, SmallVectorImpl<OpFoldResult> &loopOffsets,
                                     SmallVectorImpl<OpFoldResult> &loopSizes) {
  for (unsigned dim = numLoops, rank = rankOf(init); dim < rank; ++dim)
    if (!isWholeDimension(offsets[dim], sizes[dim], init, dim))
      return failure();
  loopOffsets.assign(offsets.begin(), offsets.begin() + numLoops);
  loopSizes.assign(sizes.begin(), sizes.begin() + numLoops);
  return success();
}

/// The methods that follow from the loops being the first `LOOPS` dimensions of the destination.
#define ATTN_TILING_OF_LEADING_DIMENSIONS(OP, LOOPS)                                                                   \
  SmallVector<utils::IteratorType> OP::getLoopIteratorTypes() {                                                        \
    return SmallVector<utils::IteratorType>(LOOPS, utils::IteratorType::parallel);                                     \
  }                                                                                                                    \
  SmallVector<Range> OP::getIterationDomain(OpBuilder &b) {                                                            \
    return loopsOver(b, getLoc(), getInit(), llvm::to_vector(llvm::seq<unsigned>(0, LOOPS)));                          \
  }                                                                                                                    \
  LogicalResult OP::getResultTilePosition(OpBuilder &b, unsigned, ArrayRef<OpFoldResult> offsets,                      \
                                          ArrayRef<OpFoldResult> sizes, SmallVector<OpFoldResult> &resultOffsets,      \
                                          SmallVector<OpFoldResult> &resultSizes) {                                    \
    return leadingResultTile(b, getInit(), offsets, sizes, resultOffsets, resultSizes);                                \
  }                                                                                                                    \
  LogicalResult OP::getIterationDomainTileFromResultTile(                                                              \
      OpBuilder &, unsigned, ArrayRef<OpFoldResult> offsets, ArrayRef<OpFoldResult> sizes,                             \
      SmallVectorImpl<OpFoldResult> &loopOffsets, SmallVectorImpl<OpFoldResult> &loopSizes) {                          \
    return leadingLoopTile(getInit(), LOOPS, offsets, sizes, loopOffsets, loopSizes);                                  \
  }                                                                                                                    \
  FailureOr<TilingResult> OP::generateResultTileValue(OpBuilder &b, unsigned result, ArrayRef<OpFoldResult> offsets,   \
                                                      ArrayRef<OpFoldResult> sizes) {                                  \
    SmallVector<OpFoldResult> loopOffsets, loopSizes;                                                                  \
    if (failed(getIterationDomainTileFromResultTile(b, result, offsets, sizes, loopOffsets, loopSizes)))               \
      return failure();                                                                                                \
    return getTiledImplementation(b, loopOffsets, loopSizes);                                                          \
  }

ATTN_TILING_OF_LEADING_DIMENSIONS(LinearOp, rankOf(getInit()))
ATTN_TILING_OF_LEADING_DIMENSIONS(LayerNormOp, rankOf(getInit()) - 1)
ATTN_TILING_OF_LEADING_DIMENSIONS(RMSNormOp, rankOf(getInit()) - 1)
ATTN_TILING_OF_LEADING_DIMENSIONS(EmbeddingOp, rankOf(getInit()) - 1)

/// Slices each (operand, map) of `reads` and clones `op` with the slices; the last one is the destination.
static FailureOr<TilingResult> tileReads(OpBuilder &b, Operation *op, ArrayRef<std::pair<Value, AffineMap>> reads,
                                         const Tile &tile) {
  OperandSlicer slicer(b, op->getLoc());
  SmallVector<Value> operands;
  for (auto [operand, map] : reads) {
    FailureOr<Value> slice = slicer.slice(operand, map, tile);
    if (failed(slice))
      return failure();
    operands.push_back(*slice);
  }
  return cloneTiled(b, op, operands, operands.back(), slicer.getSlices());
}

//===----------------------------------------------------------------------===//
// linear
//===----------------------------------------------------------------------===//

FailureOr<TilingResult> LinearOp::getTiledImplementation(OpBuilder &b, ArrayRef<OpFoldResult> offsets,
                                                         ArrayRef<OpFoldResult> sizes) {
  unsigned rank = rankOf(getInit()), n = rank - 1;
  if (isPacked() && !isWholeDimension(offsets[n], sizes[n], getInit(), n))
    return failure();
  // One more dimension than loops: K, of which every tile reads all.
  Tile tile = tileOf(rank + 1, offsets, sizes);
  AffineExpr k = b.getAffineDimExpr(rank);
  auto map = [&](ArrayRef<AffineExpr> results) { return AffineMap::get(rank + 1, 0, results, b.getContext()); };
  auto rows = llvm::map_to_vector(llvm::seq<unsigned>(0, n), [&](unsigned i) { return b.getAffineDimExpr(i); });
  SmallVector<AffineExpr> inputResults(rows), initResults(rows);
  inputResults.push_back(k);
  initResults.push_back(b.getAffineDimExpr(n));

  SmallVector<std::pair<Value, AffineMap>> reads = {{getInput(), map(inputResults)}};
  AffineExpr zero = b.getAffineConstantExpr(0);
  reads.emplace_back(getWeight(), isPacked() ? map({zero, zero, zero}) : map({b.getAffineDimExpr(n), k}));
  for (auto [extra, attribute] : llvm::zip(getExtras(), getExtraMaps()))
    reads.emplace_back(extra, map(cast<AffineMapAttr>(attribute).getValue().getResults()));
  reads.emplace_back(getInit(), map(initResults));
  return tileReads(b, *this, reads, tile);
}

//===----------------------------------------------------------------------===//
// layer_norm, rms_norm
//===----------------------------------------------------------------------===//

static FailureOr<TilingResult> tileNorm(OpBuilder &b, NormOpInterface op, ArrayRef<OpFoldResult> offsets,
                                        ArrayRef<OpFoldResult> sizes) {
  unsigned rank = rankOf(op.getInit());
  Tile tile = tileOf(rank, offsets, sizes);
  AffineMap all = leading(op.getContext(), rank, rank);
  AffineMap channels = AffineMap::get(rank, 0, b.getAffineDimExpr(rank - 1));
  SmallVector<std::pair<Value, AffineMap>> reads = {{op.getInput(), all}, {op.getScale(), channels}};
  if (op.getShift())
    reads.emplace_back(op.getShift(), channels);
  reads.emplace_back(op.getInit(), all);
  return tileReads(b, op, reads, tile);
}

FailureOr<TilingResult> LayerNormOp::getTiledImplementation(OpBuilder &b, ArrayRef<OpFoldResult> offsets,
                                                            ArrayRef<OpFoldResult> sizes) {
  return tileNorm(b, *this, offsets, sizes);
}

FailureOr<TilingResult> RMSNormOp::getTiledImplementation(OpBuilder &b, ArrayRef<OpFoldResult> offsets,
                                                          ArrayRef<OpFoldResult> sizes) {
  return tileNorm(b, *this, offsets, sizes);
}

//===----------------------------------------------------------------------===//
// embedding
//===----------------------------------------------------------------------===//

FailureOr<TilingResult> EmbeddingOp::getTiledImplementation(OpBuilder &b, ArrayRef<OpFoldResult> offsets,
                                                            ArrayRef<OpFoldResult> sizes) {
  unsigned rank = rankOf(getInit());
  Tile tile = tileOf(rank, offsets, sizes);
  AffineExpr zero = b.getAffineConstantExpr(0);
  AffineMap table = AffineMap::get(rank, 0, {zero, zero}, getContext());
  SmallVector<std::pair<Value, AffineMap>> reads;
  for (Value indices : getIndices())
    reads.emplace_back(indices, leading(getContext(), rank, rank - 1));
  for (Value rows : getTables())
    reads.emplace_back(rows, table);
  if (getPositions()) {
    if (rank < 2)
      return failure();
    // Row s of the tile's positions is row offset + s. Rows from 0 on are where they were.
    AffineExpr row = isZeroInteger(offsets[rank - 2]) ? zero : b.getAffineDimExpr(rank - 2);
    reads.emplace_back(getPositions(), AffineMap::get(rank, 0, {row, zero}, getContext()));
  }
  reads.emplace_back(getInit(), leading(getContext(), rank, rank));
  return tileReads(b, *this, reads, tile);
}
