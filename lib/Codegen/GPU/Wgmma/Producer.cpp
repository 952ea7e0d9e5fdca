//===- Producer.cpp - Attention with wgmma: the loading thread --*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Loads are asynchronous: the thread waits for an empty stage, announces to the stage's barrier how many bytes will
// come, and issues the copies. Rows beyond the end of a sequence arrive as zeros and count as bytes all the same.
//
// Within a tile the first keys go before the queries, since both are needed at once and keys were perhaps emptied
// earlier; so do the keys of the next tile, while consumers still read this one's queries.
//
//===----------------------------------------------------------------------===//

#include "Kernel.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;
using namespace attn;

using Values = ThreadEmitter::Values;

namespace {

class Producer {
public:
  explicit Producer(WarpgroupKernel &kernel)
      : kernel(kernel), emit(kernel.emit), layout(kernel.layout), barriers(kernel.barriers) {}

  void run();

private:
  /// Issues all loads of a tile; where the ring stands after it.
  RingPosition loadTile(Value index, RingPosition position, Value queryPhase);
  /// Loads a tile of keys or values into its stage once that is empty.
  void loadStage(GPUArgumentKind map, int64_t tile, int64_t full, int64_t empty, RingPosition position, Value row,
                 const Tile &where);
  void loadQueries(Value index, const Tile &where, Value queryPhase);
  /// Issues the copy of all boxes of a tile to the shared offset `to`, `boxBytes` apart.
  void copy(GPUArgumentKind map, Value to, int64_t boxBytes, Value barrier, Value row, Value head, Value batch);
  /// Tells consumers that there is no tile left, and the last block makes the counters ready for the next launch.
  void finishDynamic(Value queryPhase);

  WarpgroupKernel &kernel;
  ThreadEmitter &emit;
  const GPUSharedLayout &layout;
  Barriers &barriers;
};

} // namespace

void Producer::copy(GPUArgumentKind map, Value to, int64_t boxBytes, Value barrier, Value row, Value head,
                    Value batch) {
  for (int64_t box = 0; box < layout.boxes; ++box) {
    Value target = kernel.function.shared(emit.add(to, box * boxBytes));
    target = emit.create<LLVM::AddrSpaceCastOp>(emit.pointer(ThreadEmitter::Cluster), target);
    Values coordinates = {emit.i32(box * kBoxChannels), row, head, batch};
    emit.create<NVVM::CpAsyncBulkTensorGlobalToSharedClusterOp>(
        target, kernel.function.argument(map), coordinates, barrier, /*im2colOffsets=*/ValueRange(),
        /*multicastMask=*/Value(), /*l2CacheHint=*/Value(), NVVM::TMALoadMode::TILE, /*isCTAOnly=*/false,
        NVVM::CTAGroupKindAttr(), /*predicate=*/Value());
  }
}

void Producer::loadStage(GPUArgumentKind map, int64_t tile, int64_t full, int64_t empty, RingPosition position,
                         Value row, const Tile &where) {
  barriers.wait(barriers.get(empty, position.stage), barriers.flip(position.phase));
  Value barrier = barriers.get(full, position.stage);
  barriers.expectBytes(barrier, layout.keyTile);
  Value to = emit.add(emit.mul(position.stage, layout.keyTile), tile);
  copy(map, to, layout.keyBox, barrier, row, where.keyHead, where.batch);
}

void Producer::loadQueries(Value index, const Tile &where, Value queryPhase) {
  if (!kernel.hasOneTile())
    barriers.wait(barriers.get(layout.queryEmpty), barriers.flip(queryPhase));
  if (kernel.isDynamic())
    emit.storeVolatile(index, kernel.function.shared(layout.nextTile));
  Value barrier = barriers.get(layout.queryFull);
  barriers.expectBytes(barrier, layout.boxes * layout.queryBox);
  copy(GPUArgumentKind::QueryMap, emit.i32(layout.query), layout.queryBox, barrier, where.firstQuery, where.head,
       where.batch);
}

RingPosition Producer::loadTile(Value index, RingPosition position, Value queryPhase) {
  Tile tile = kernel.tiles.get(index);
  Value lastBlock = emit.sub(tile.keyBlocks, 1);
  Values end = emit.loopWhile(
      {emit.i32(0), position.stage, position.phase},
      [&](ValueRange carried) { return emit.less(carried[0], tile.keyBlocks); },
      [&](ValueRange carried) -> Values {
        Value step = carried[0];
        RingPosition at{carried[1], carried[2]};
        Value row = emit.mul(emit.sub(lastBlock, step), kernel.schedule.getKeyBlock());
        loadStage(GPUArgumentKind::KeyMap, layout.key, layout.keyFull, layout.keyEmpty, at, row, tile);
        emit.ifThen(emit.equal(step, 0), [&] { loadQueries(index, tile, queryPhase); });
        loadStage(GPUArgumentKind::ValueMap, layout.value, layout.valueFull, layout.valueEmpty, at, row, tile);
        RingPosition next = barriers.advance(at, kernel.schedule.getStages());
        return {emit.add(step, 1), next.stage, next.phase};
      });
  return {end[1], end[2]};
}

void Producer::finishDynamic(Value queryPhase) {
  barriers.wait(barriers.get(layout.queryEmpty), barriers.flip(queryPhase));
  emit.storeVolatile(kernel.tiles.getCount(), kernel.function.shared(layout.nextTile));
  barriers.arrive(barriers.get(layout.queryFull));

  Value tilesTaken = kernel.function.argument(GPUArgumentKind::TileCounter);
  Value blocksDone = emit.address(tilesTaken, 4);
  Value done = emit.add(emit.atomicAdd(blocksDone, 1), 1);
  emit.ifThen(emit.equal(done, kernel.function.blockCount()), [&] {
    emit.storeVolatile(emit.i32(0), tilesTaken);
    emit.storeVolatile(emit.i32(0), blocksDone);
  });
}

void Producer::run() {
  Value first = kernel.function.blockIndex(), zero = emit.i32(0);
  if (kernel.hasOneTile()) {
    loadTile(first, {zero, zero}, zero);
    return;
  }
  Value blocks = kernel.function.blockCount();
  Values end = emit.loopWhile(
      {first, zero, zero, zero}, [&](ValueRange carried) { return emit.less(carried[0], kernel.tiles.getCount()); },
      [&](ValueRange carried) -> Values {
        // Taken before this tile's loads, so that the counter's answer is there when they are issued. The first tile of
        // each block is its own number.
        Value next = kernel.isDynamic()
                         ? emit.add(blocks, emit.atomicAdd(kernel.function.argument(GPUArgumentKind::TileCounter), 1))
                         : emit.add(carried[0], blocks);
        RingPosition position = loadTile(carried[0], {carried[1], carried[2]}, carried[3]);
        return {next, position.stage, position.phase, barriers.flip(carried[3])};
      });
  if (kernel.isDynamic())
    finishDynamic(end[3]);
}

void attn::emitProducer(WarpgroupKernel &kernel) { Producer(kernel).run(); }
