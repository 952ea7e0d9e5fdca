//===- TileRows.cpp - Make tasks of blocks of rows -*- C++ -*-===//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The loop is built here rather than by tile-and-fuse from a consumer, since a chain has several results that live on
// (a norm that is also the residual of the next block) and values that are used twice, which would be computed twice.
//
//===----------------------------------------------------------------------===//

#include "FewRows.h"
#include "attn/Codegen/Tiling/Passes.h"
#include "attn/Codegen/Tiling/RowChains.h"
#include "mlir/Analysis/TopologicalSortUtils.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace attn {
#define GEN_PASS_DEF_TILEROWS
#include "attn/Codegen/Tiling/Passes.h.inc"
} // namespace attn

using namespace mlir;
using namespace attn;

namespace {

/// How the rows of a chain are cut: `tasks` blocks of `block` rows, the last one shorter.
struct RowBlocks {
  Value rows, block, tasks;
};

/// As many blocks for each worker as keep a block at most `limit` rows, of equal size and whole granules.
RowBlocks cutRows(OpBuilder &b, Location loc, Value rows, int64_t limit, int64_t granule) {
  auto constant = [&](int64_t value) { return arith::ConstantIndexOp::create(b, loc, value); };
  Value workers = NumWorkersOp::create(b, loc);
  Value share = arith::CeilDivUIOp::create(b, loc, rows, workers);
  Value rounds = arith::CeilDivUIOp::create(b, loc, share, constant(limit));
  Value wanted = arith::MaxUIOp::create(b, loc, arith::MulIOp::create(b, loc, rounds, workers), constant(1));
  Value even = arith::CeilDivUIOp::create(b, loc, rows, wanted);
  // Never 0: it divides.
  Value granules =
      arith::MaxUIOp::create(b, loc, arith::CeilDivUIOp::create(b, loc, even, constant(granule)), constant(1));
  // The minimum is never the second one, but says to who plans memory how large a block is at most, whatever `rows` is.
  Value block = arith::MinUIOp::create(b, loc, arith::MulIOp::create(b, loc, granules, constant(granule)),
                                       constant(llvm::alignTo(limit, granule)));
  return {rows, block, arith::CeilDivUIOp::create(b, loc, rows, block)};
}

/// Builds the loop of one chain.
class ChainTiler {
public:
  explicit ChainTiler(RowChain &chain) : chain(chain), last(chain.ops.back()), escaping(findEscaping(chain)) {}

  LogicalResult run() {
    OpBuilder b(last);
    Location loc = last->getLoc();
    int64_t limit = std::numeric_limits<int64_t>::max();
    for (TilingInterface op : chain.ops)
      limit = std::min(limit, scheduleOfRowOp(op).getRowBlock());
    b.setInsertionPoint(chain.ops.front());
    Value anyDestination = destinationOf(chain.ops.front());
    Value rows = b.createOrFold<tensor::DimOp>(loc, anyDestination, int64_t(0));
    b.setInsertionPoint(last);
    RowBlocks blocks = cutRows(b, loc, rows, limit, granuleOf(chain));

    SmallVector<Value> destinations;
    for (TilingInterface op : escaping)
      destinations.push_back(destinationOf(op));

    OpFoldResult tasks = getAsOpFoldResult(blocks.tasks);
    auto loop = scf::ForallOp::create(b, loc, ArrayRef<OpFoldResult>{tasks}, destinations, std::nullopt);
    b.setInsertionPoint(loop.getTerminator());
    if (failed(buildBody(b, loc, loop, blocks)))
      return failure();

    // Within the loop only shapes of full results are still asked for; a destination has the same shape.
    for (TilingInterface op : chain.ops)
      op->getResult(0).replaceUsesWithIf(destinationOf(op),
                                         [&](OpOperand &use) { return loop->isProperAncestor(use.getOwner()); });
    for (auto [op, result] : llvm::zip(escaping, loop.getResults()))
      op->getResult(0).replaceAllUsesWith(result);
    for (TilingInterface op : llvm::reverse(chain.ops))
      op->erase();
    return success();
  }

private:
  LogicalResult buildBody(OpBuilder &b, Location loc, scf::ForallOp loop, RowBlocks blocks) {
    Value task = loop.getInductionVar(0);
    Value begin = arith::MulIOp::create(b, loc, task, blocks.block);
    Value left = arith::SubIOp::create(b, loc, blocks.rows, begin);
    Value size = arith::MinUIOp::create(b, loc, left, blocks.block);

    IRMapping tiles;
    for (TilingInterface op : chain.ops) {
      Value tile;
      if (failed(buildTile(b, op, loop, blocks, begin, size, tiles, tile)))
        return failure();
      tiles.map(op->getResult(0), tile);
    }
    for (auto [op, destination] : llvm::zip(escaping, loop.getRegionOutArgs())) {
      b.setInsertionPoint(loop.getTerminator());
      auto [offsets, sizes] = rowsOf(b, destination, begin, size);
      SmallVector<OpFoldResult> strides(offsets.size(), b.getIndexAttr(1));
      b.setInsertionPointToEnd(loop.getTerminator().getBody());
      tensor::ParallelInsertSliceOp::create(b, loc, tiles.lookup(op->getResult(0)), destination, offsets, sizes,
                                            strides);
    }
    return success();
  }

  /// Offsets and sizes of rows [begin, begin + size) of `tensor`, whole in its other dimensions.
  static std::pair<SmallVector<OpFoldResult>, SmallVector<OpFoldResult>> rowsOf(OpBuilder &b, Value tensor, Value begin,
                                                                                Value size) {
    SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, tensor.getLoc(), tensor);
    SmallVector<OpFoldResult> offsets(sizes.size(), b.getIndexAttr(0));
    offsets[0] = begin;
    sizes[0] = size;
    return {offsets, sizes};
  }

  LogicalResult buildTile(OpBuilder &b, TilingInterface op, scf::ForallOp loop, RowBlocks blocks, Value begin,
                          Value size, IRMapping &tiles, Value &tile) {
    auto [offsets, sizes] = rowsOf(b, destinationOf(op), begin, size);
    SmallVector<OpFoldResult> domainOffsets(offsets), domainSizes(sizes);
    size_t loops = op.getLoopIteratorTypes().size();
    domainOffsets.resize(loops);
    domainSizes.resize(loops);
    FailureOr<TilingResult> tiled = op.getTiledImplementation(b, domainOffsets, domainSizes);
    if (failed(tiled))
      return op->emitError("this op cannot be cut into blocks of rows");
    Operation *tiledOp = tiled->tiledOps.front();
    // Rows of a value that the chain itself computes are the tile of it.
    for (OpOperand &operand : tiledOp->getOpOperands())
      if (auto slice = operand.get().getDefiningOp<tensor::ExtractSliceOp>())
        if (Value inner = tiles.lookupOrNull(slice.getSource()))
          operand.set(inner);
    auto destination = llvm::cast<DestinationStyleOpInterface>(tiledOp);
    OpBuilder before(tiledOp);
    destination.getDpsInitsMutable()[0].set(destinationTile(before, op, loop, blocks, offsets, sizes));
    tile = tiledOp->getResult(0);
    ScheduleAttr schedule = scheduleOfRowOp(op);
    tiledOp->removeAttr("schedule");
    tiledOp->setAttr("kernel", schedule.getKernel());
    for (Operation *slice : tiled->generatedSlices)
      if (slice->use_empty())
        slice->erase();
    return success();
  }

  /// Where a tile is written: rows of the loop's output, or a buffer of the task's own. The latter is as large as a
  /// full block, so that its size is known outside of the loop, and sliced to the rows there are.
  Value destinationTile(OpBuilder &b, TilingInterface op, scf::ForallOp loop, RowBlocks blocks,
                        ArrayRef<OpFoldResult> offsets, ArrayRef<OpFoldResult> sizes) {
    Location loc = op->getLoc();
    auto type = llvm::cast<RankedTensorType>(op->getResult(0).getType());
    SmallVector<OpFoldResult> strides(type.getRank(), b.getIndexAttr(1));
    auto it = llvm::find(escaping, op);
    if (it != escaping.end())
      return tensor::ExtractSliceOp::create(b, loc, loop.getRegionOutArgs()[it - escaping.begin()], offsets, sizes,
                                            strides);
    SmallVector<int64_t> shape(type.getShape());
    shape[0] = ShapedType::kDynamic;
    // Unlike an empty tensor it is never merged with that of another tile.
    Value buffer = bufferization::AllocTensorOp::create(b, loc, RankedTensorType::get(shape, type.getElementType()),
                                                        ValueRange{blocks.block});
    SmallVector<OpFoldResult> zeros(type.getRank(), b.getIndexAttr(0));
    return tensor::ExtractSliceOp::create(b, loc, buffer, zeros, sizes, strides);
  }

  RowChain &chain;
  TilingInterface last;
  SmallVector<TilingInterface> escaping;
};

struct TileRows final : attn::impl::TileRowsBase<TileRows> {
  using Base::Base;

  void runOnOperation() override {
    // Blocks of loops and branches around row ops as well, but not of tasks: one parallel loop is not inside another.
    SmallVector<Block *> blocks;
    getOperation().walk<WalkOrder::PreOrder>([&](Block *block) {
      if (llvm::isa<scf::ForallOp>(block->getParentOp()))
        return WalkResult::skip();
      if (llvm::any_of(*block, [](Operation &op) { return bool(scheduleOfRowOp(&op)); }))
        blocks.push_back(block);
      return WalkResult::advance();
    });
    for (Block *block : blocks) {
      for (RowChain &chain : findRowChains(*block)) {
        numRowOps += chain.ops.size();
        ++numChains;
        SmallVector<RowChain> parts = {chain};
        if (hasFormForFewRows(chain)) {
          parts = splitFewRows(chain);
          ++numSplit;
        }
        for (RowChain &part : parts)
          if (failed(ChainTiler(part).run()))
            return signalPassFailure();
      }
      // What used a result in the middle of a chain now stands before its loop.
      sortTopologically(block);
    }
  }
};

} // namespace
