//===- Consumer.cpp - Attention with wgmma: the computing warps --*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The loop over keys overlaps three things. Its body issues two products, the scores of block j + 1 and the outputs of
// block j; as soon as the scores are there, the softmax of block j + 1 runs on the ordinary units while the tensor
// cores do the outputs of block j:
//
//   tensor cores    S(j+1)=QK  O+=P(j)V       S(j+2)=QK  O+=P(j+1)V      ...
//   other units                softmax(j+1)              softmax(j+2)
//
// Blocks go from the last to the first, so that those with masked keys come at the beginning: the end of the keys in
// the very first block, the diagonal of a causal mask in the first few. They have loops of their own, and the main loop
// has no masks.
//
// With pingpong, warpgroups also take turns: one issues its products when the other has issued its own and is about to
// do its softmax.
//
//===----------------------------------------------------------------------===//

#include "../Softmax.h"
#include "Epilogue.h"
#include "Kernel.h"
#include "Products.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;
using namespace attn;

using Values = ThreadEmitter::Values;

namespace {

/// What the loop over keys carries.
struct LoopState {
  Value step;                ///< Blocks whose scores are done.
  RingPosition keys, values; ///< Of the scores to come and of the outputs to come: values are one block behind.
  Fragment outputs;
  SoftmaxState softmax;
  Values probabilities; ///< Of the block whose outputs come next, packed.

  Values flatten() const {
    Values flat = {step, keys.stage, keys.phase, values.stage, values.phase};
    llvm::append_range(flat, softmax.maximum);
    llvm::append_range(flat, softmax.sum);
    llvm::append_range(flat, outputs);
    llvm::append_range(flat, probabilities);
    return flat;
  }

  /// From values in flatten's order, sized as `like`.
  static LoopState unflatten(ValueRange flat, const LoopState &like) {
    LoopState state;
    auto take = [&, next = 0]() mutable -> Value { return flat[next++]; };
    for (Value *field : {&state.step, &state.keys.stage, &state.keys.phase, &state.values.stage, &state.values.phase})
      *field = take();
    for (Value &maximum : state.softmax.maximum)
      maximum = take();
    for (Value &sum : state.softmax.sum)
      sum = take();
    for (size_t i = 0; i < like.outputs.size(); ++i)
      state.outputs.push_back(take());
    for (size_t i = 0; i < like.probabilities.size(); ++i)
      state.probabilities.push_back(take());
    return state;
  }
};

class Consumer {
public:
  Consumer(WarpgroupKernel &kernel, Value group);

  void run();

private:
  /// All of a tile, whose keys and values come from `start` on; where the rings stand after it.
  RingPosition computeTile(Value index, RingPosition start);
  /// Scores and softmax of the tile's last block, whose outputs are still to be done.
  LoopState firstBlock(RingPosition start);
  /// Blocks up to step `end`.
  LoopState keyLoop(const LoopState &initial, Value end, bool masked);
  LoopState keyStep(const LoopState &state, bool masked);
  /// The outputs of the tile's first block, the last to be computed.
  Fragment lastOutputs(const LoopState &state);
  Fragment mask(const Fragment &scores, Value step);

  void waitFull(int64_t barrier, RingPosition position) {
    barriers.wait(barriers.get(barrier, position.stage), position.phase);
  }
  void release(int64_t barrier, RingPosition position) {
    barriers.arriveIf(isFirstLane, barriers.get(barrier, position.stage));
  }

  // Taking turns, for pingpong: a named barrier for each warpgroup, on which it waits and the one before it arrives.
  void startTurns();
  void waitTurn();
  void endTurn();

  WarpgroupKernel &kernel;
  ThreadEmitter &emit;
  const GPUSharedLayout &layout;
  Barriers &barriers;
  Softmax softmax;
  WarpgroupProducts products;
  Epilogue epilogue;
  Value group;
  Value isFirstLane;  ///< Of its warp.
  Value columnInQuad; ///< 2 * (lane % 4), see Fragment.h.
  Value rowInTile;    ///< The first of the thread's rows.
  Value myTurn, nextTurn;

  // Of the tile at hand.
  Tile tile;
  Value limits[kRowsPerThread]; ///< Keys from here on don't count.
};

} // namespace

Consumer::Consumer(WarpgroupKernel &kernel, Value group)
    : kernel(kernel), emit(kernel.emit), layout(kernel.layout), barriers(kernel.barriers),
      softmax(emit, kernel.function.argument(GPUArgumentKind::Scale)), products(kernel.function, kernel.spec, group),
      epilogue(kernel, group), group(group) {
  Value thread = kernel.function.threadIndex();
  Value lane = emit.bitAnd(thread, 31), warp = emit.bitAnd(emit.shiftRight(thread, 5), 3);
  isFirstLane = emit.equal(lane, 0);
  columnInQuad = emit.shiftLeft(emit.bitAnd(lane, 3), 1);
  rowInTile = emit.add(emit.add(emit.mul(group, 64), emit.mul(warp, 16)), emit.shiftRight(lane, 2));
}

//===----------------------------------------------------------------------===//
// Turns
//===----------------------------------------------------------------------===//

/// Threads of the two warpgroups that meet at a turn's barrier.
static constexpr int64_t kTurnThreads = 256;
/// The barrier of warpgroup 0; barrier 0 is the block's.
static constexpr int64_t kFirstTurn = 2;

void Consumer::startTurns() {
  int64_t groups = kernel.getGroups();
  myTurn = emit.add(group, kFirstTurn);
  Value isLast = emit.equal(group, groups - 1);
  nextTurn = emit.add(emit.select(isLast, emit.i32(0), emit.add(group, 1)), kFirstTurn);
  emit.ifThen(isLast, [&] { endTurn(); });
}

void Consumer::waitTurn() {
  if (kernel.schedule.getPingpong())
    emit.create<NVVM::BarrierOp>(Type(), myTurn, emit.i32(kTurnThreads), NVVM::BarrierReductionAttr(), Value());
}

void Consumer::endTurn() {
  if (kernel.schedule.getPingpong())
    emit.create<NVVM::BarrierArriveOp>(nextTurn, emit.i32(kTurnThreads));
}

//===----------------------------------------------------------------------===//
// A tile
//===----------------------------------------------------------------------===//

Fragment Consumer::mask(const Fragment &scores, Value step) {
  Value block = emit.sub(emit.sub(tile.keyBlocks, 1), step);
  Value firstColumn = emit.add(emit.mul(block, kernel.schedule.getKeyBlock()), columnInQuad);
  return softmax.mask(scores, limits, firstColumn);
}

LoopState Consumer::firstBlock(RingPosition start) {
  waitFull(layout.keyFull, start);
  products.fence();
  Fragment scores = products.multiplyKeys(start.stage);
  products.commit();
  scores = products.wait(0, scores);
  release(layout.keyEmpty, start);

  SoftmaxStep step = softmax.update(mask(scores, emit.i32(0)), softmax.begin(), {/*masked=*/true});
  LoopState state;
  state.step = emit.i32(1);
  state.keys = barriers.advance(start, kernel.schedule.getStages());
  state.values = start;
  state.outputs = zeroFragment(emit, kernel.schedule.getHeadSize());
  state.softmax = step.state;
  state.probabilities = packFragment(emit, step.probabilities, kernel.spec.elementType);
  return state;
}

LoopState Consumer::keyStep(const LoopState &state, bool masked) {
  waitFull(layout.keyFull, state.keys);
  waitTurn();
  products.fence();
  Fragment scores = products.multiplyKeys(state.keys.stage);
  products.commit();
  waitFull(layout.valueFull, state.values);
  Fragment outputs = products.multiplyValues(state.outputs, state.probabilities, state.values.stage);
  products.commit();
  endTurn();

  scores = products.wait(1, scores);
  release(layout.keyEmpty, state.keys);
  if (masked)
    scores = mask(scores, state.step);
  SoftmaxStep step = softmax.update(scores, state.softmax, {masked, kernel.schedule.getLazyRescale()});
  RingPosition nextKeys = barriers.advance(state.keys, kernel.schedule.getStages());

  // All that the softmax made is tied to the wait, so that the assembler can't move the wait in front of it.
  Values tied = outputs;
  for (auto values : {ArrayRef<Value>(step.factor), ArrayRef<Value>(step.probabilities),
                      ArrayRef<Value>(step.state.sum), ArrayRef<Value>(step.state.maximum)})
    llvm::append_range(tied, values);
  tied = products.wait(0, tied);
  ArrayRef<Value> rest = tied;
  auto take = [&](auto &values) {
    size_t count = std::size(values);
    llvm::copy(rest.take_front(count), std::begin(values));
    rest = rest.drop_front(count);
  };
  take(outputs);
  take(step.factor);
  take(step.probabilities);
  take(step.state.sum);
  take(step.state.maximum);
  release(layout.valueEmpty, state.values);

  LoopState next;
  next.step = emit.add(state.step, 1);
  next.keys = nextKeys;
  next.values = state.keys;
  next.softmax = step.state;
  // Packed only now: the registers of the probabilities before were being read until the wait.
  next.probabilities = packFragment(emit, step.probabilities, kernel.spec.elementType);
  auto rescaled = [&] { return scaleRows(emit, outputs, step.factor); };
  next.outputs = step.rescale ? emit.ifChange(step.rescale, outputs, rescaled) : rescaled();
  return next;
}

LoopState Consumer::keyLoop(const LoopState &initial, Value end, bool masked) {
  Values result = emit.loopWhile(
      initial.flatten(), [&](ValueRange carried) { return emit.less(carried[0], end); },
      [&](ValueRange carried) { return keyStep(LoopState::unflatten(carried, initial), masked).flatten(); });
  return LoopState::unflatten(result, initial);
}

Fragment Consumer::lastOutputs(const LoopState &state) {
  waitFull(layout.valueFull, state.values);
  products.fence();
  Fragment outputs = products.multiplyValues(state.outputs, state.probabilities, state.values.stage);
  products.commit();
  outputs = products.wait(0, outputs);
  if (!kernel.hasOneTile())
    release(layout.valueEmpty, state.values);
  return outputs;
}

RingPosition Consumer::computeTile(Value index, RingPosition start) {
  tile = kernel.tiles.get(index);
  Value keyLength = kernel.function.argument(GPUArgumentKind::KeyLength);
  Value row = emit.add(tile.firstQuery, rowInTile);
  for (unsigned i = 0; i < kRowsPerThread; ++i)
    limits[i] = kernel.spec.causal ? emit.min(emit.add(row, 8 * i + 1), keyLength) : keyLength;

  LoopState state = firstBlock(start);
  int64_t maskedBlocks = kernel.tiles.getMaskedBlocks();
  if (maskedBlocks > 1)
    state = keyLoop(state, emit.min(tile.keyBlocks, maskedBlocks), /*masked=*/true);
  state = keyLoop(state, tile.keyBlocks, /*masked=*/false);
  if (!kernel.hasOneTile())
    barriers.arriveIf(isFirstLane, barriers.get(layout.queryEmpty));
  Fragment outputs = lastOutputs(state);

  Softmax::Result result = softmax.finish(state.softmax, kernel.spec.logSumExp);
  if (kernel.spec.logSumExp)
    epilogue.storeLogSumExp(result.logSumExp, tile, row);
  epilogue.storeOutputs(scaleRows(emit, outputs, result.inverseSum), tile);
  return barriers.advance(state.values, kernel.schedule.getStages());
}

void Consumer::run() {
  if (kernel.schedule.getPingpong())
    startTurns();
  Value first = kernel.function.blockIndex(), zero = emit.i32(0);
  auto waitQueries = [&](Value phase) { barriers.wait(barriers.get(layout.queryFull), phase); };
  if (kernel.hasOneTile()) {
    waitQueries(zero);
    computeTile(first, {zero, zero});
    epilogue.finish();
    return;
  }
  Value current;
  emit.loopWhile(
      {first, zero, zero, zero},
      [&](ValueRange carried) {
        current = carried[0];
        if (kernel.isDynamic()) {
          waitQueries(carried[3]);
          current = emit.loadVolatile(emit.i32(), kernel.function.shared(layout.nextTile));
        }
        return emit.less(current, kernel.tiles.getCount());
      },
      [&](ValueRange carried) -> Values {
        if (!kernel.isDynamic())
          waitQueries(carried[3]);
        RingPosition next = computeTile(current, {carried[1], carried[2]});
        return {emit.add(carried[0], kernel.function.blockCount()), next.stage, next.phase, barriers.flip(carried[3])};
      });
  epilogue.finish();
}

void attn::emitConsumers(WarpgroupKernel &kernel, Value group) { Consumer(kernel, group).run(); }
