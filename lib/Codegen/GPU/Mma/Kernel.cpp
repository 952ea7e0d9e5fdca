//===- Kernel.cpp - Attention with mma -----------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Kernel.h"
#include "../Softmax.h"
#include "../Tiles.h"
#include "Products.h"
#include "TileCopies.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;
using namespace attn;

using Values = ThreadEmitter::Values;

namespace {

/// What the loop over keys carries, for each row tile of a warp.
struct LoopState {
  Value step; ///< Blocks that are done.
  SmallVector<Fragment> outputs;
  SmallVector<SoftmaxState> softmax;

  Values flatten() const {
    Values flat = {step};
    for (const auto &[fragment, rows] : llvm::zip(outputs, softmax)) {
      llvm::append_range(flat, fragment);
      llvm::append_range(flat, rows.maximum);
      llvm::append_range(flat, rows.sum);
    }
    return flat;
  }

  /// From values in flatten's order, sized as `like`.
  static LoopState unflatten(ValueRange flat, LoopState like) {
    auto take = [&, next = 0]() mutable -> Value { return flat[next++]; };
    like.step = take();
    for (auto [fragment, rows] : llvm::zip(like.outputs, like.softmax)) {
      for (Value &output : fragment)
        output = take();
      for (Value &maximum : rows.maximum)
        maximum = take();
      for (Value &sum : rows.sum)
        sum = take();
    }
    return like;
  }
};

class WarpKernel {
public:
  WarpKernel(KernelFunction &function, const AttentionKernelSpec &spec);

  void run();

private:
  LoopState keyLoop(const LoopState &initial, Value end, bool masked);
  LoopState keyStep(LoopState state, bool masked);
  void store(const LoopState &state);
  void storeRow(const Fragment &outputs, unsigned row, Value query, Value inverseSum, Value logSumExp);

  /// The query of a thread's row.
  Value queryOf(int64_t rowTile, unsigned row) { return emit.add(firstQuery, 16 * rowTile + 8 * row); }
  Value argument(GPUArgumentKind kind) { return function.argument(kind); }

  KernelFunction &function;
  ThreadEmitter &emit;
  const AttentionKernelSpec &spec;
  GPUAttentionKernelAttr schedule;
  GPUSharedLayout layout;
  Tiles tiles;
  TileCopies copies;
  WarpProducts products;
  Softmax softmax;
  Tile tile;
  HeadRows keys, values;
  Value lane, columnInQuad;
  Value firstQuery; ///< Of the thread's first row.
};

} // namespace

WarpKernel::WarpKernel(KernelFunction &function, const AttentionKernelSpec &spec)
    : function(function), emit(function.getEmitter()), spec(spec), schedule(spec.schedule), layout(schedule),
      tiles(function, spec), copies(function, schedule), products(function, spec),
      softmax(emit, function.argument(GPUArgumentKind::Scale)), tile(tiles.get(function.blockIndex())) {
  keys = copies.getRows(GPUArgumentKind::Key, GPUArgumentKind::KeyStrides, tile.batch, tile.keyHead);
  values = copies.getRows(GPUArgumentKind::Value, GPUArgumentKind::ValueStrides, tile.batch, tile.keyHead);
  lane = emit.bitAnd(function.threadIndex(), 31);
  columnInQuad = emit.shiftLeft(emit.bitAnd(lane, 3), 1);
  firstQuery = emit.add(emit.add(tile.firstQuery, products.getFirstRow()), emit.shiftRight(lane, 2));
}

LoopState WarpKernel::keyStep(LoopState state, bool masked) {
  int64_t keyBlock = schedule.getKeyBlock();
  Value keyLength = argument(GPUArgumentKind::KeyLength);
  Value block = emit.sub(emit.sub(tile.keyBlocks, 1), state.step), firstKey = emit.mul(block, keyBlock);

  copies.copy(values, firstKey, masked ? keyLength : Value(), layout.value, keyBlock);
  copies.commit();
  SmallVector<Fragment> scores = products.multiplyKeys();
  copies.wait(); // This block's values; and all warps have read its keys.
  emit.ifThen(emit.less(emit.i32(0), block),
              [&] { copies.copy(keys, emit.sub(firstKey, keyBlock), Value(), layout.key, keyBlock); });
  copies.commit();

  SmallVector<Values> probabilities;
  for (int64_t rowTile = 0; rowTile < products.getRowTiles(); ++rowTile) {
    if (masked) {
      Value limits[kRowsPerThread];
      for (unsigned row = 0; row < kRowsPerThread; ++row)
        limits[row] = spec.causal ? emit.min(emit.add(queryOf(rowTile, row), 1), keyLength) : keyLength;
      scores[rowTile] = softmax.mask(scores[rowTile], limits, emit.add(firstKey, columnInQuad));
    }
    SoftmaxStep step = softmax.update(scores[rowTile], state.softmax[rowTile], {masked});
    state.softmax[rowTile] = step.state;
    state.outputs[rowTile] = scaleRows(emit, state.outputs[rowTile], step.factor);
    probabilities.push_back(packFragment(emit, step.probabilities, spec.elementType));
  }
  products.multiplyValues(state.outputs, probabilities);
  copies.wait(); // The next block's keys; and all warps have read this one's values.
  state.step = emit.add(state.step, 1);
  return state;
}

LoopState WarpKernel::keyLoop(const LoopState &initial, Value end, bool masked) {
  Values result = emit.loopWhile(
      initial.flatten(), [&](ValueRange carried) { return emit.less(carried[0], end); },
      [&](ValueRange carried) { return keyStep(LoopState::unflatten(carried, initial), masked).flatten(); });
  return LoopState::unflatten(result, initial);
}

void WarpKernel::storeRow(const Fragment &outputs, unsigned row, Value query, Value inverseSum, Value logSumExp) {
  HeadRows rows = copies.getRows(GPUArgumentKind::Output, GPUArgumentKind::OutputStrides, tile.batch, tile.head);
  Value bytes = emit.add(emit.mul(emit.extend(query), rows.stride), emit.extend(emit.shiftLeft(columnInQuad, 1)));
  Value address = emit.address(rows.base, bytes);
  for (size_t i = 2 * row; i < outputs.size(); i += 4) {
    Value pair =
        emit.packPair(emit.mulf(outputs[i], inverseSum), emit.mulf(outputs[i + 1], inverseSum), spec.elementType);
    Value place = emit.address(address, 2 * columnOfAccumulator(i));
    emit.ifElse(
        copies.isAligned(), [&] { emit.store(pair, place); },
        [&] {
          Type element = emit.getBuilder().getI16Type();
          emit.store(emit.create<LLVM::TruncOp>(element, pair), place);
          emit.store(emit.create<LLVM::TruncOp>(element, emit.shiftRight(pair, 16)), emit.address(place, 2));
        });
  }
  if (!logSumExp)
    return;
  // The four threads of a quad hold the same.
  emit.ifThen(emit.equal(emit.bitAnd(lane, 3), 0), [&] {
    Value pair = emit.add(emit.mul(tile.batch, argument(GPUArgumentKind::Heads)), tile.head);
    Value first = emit.mul(emit.extend(pair), emit.extend(argument(GPUArgumentKind::QueryLength)));
    Value offset = emit.shiftLeft(emit.add(first, emit.extend(query)), 2);
    emit.store(logSumExp, emit.address(argument(GPUArgumentKind::LogSumExp), offset));
  });
}

void WarpKernel::store(const LoopState &state) {
  for (int64_t rowTile = 0; rowTile < products.getRowTiles(); ++rowTile) {
    Softmax::Result result = softmax.finish(state.softmax[rowTile], spec.logSumExp);
    for (unsigned row = 0; row < kRowsPerThread; ++row) {
      Value query = queryOf(rowTile, row);
      emit.ifThen(emit.less(query, argument(GPUArgumentKind::QueryLength)),
                  [&] { storeRow(state.outputs[rowTile], row, query, result.inverseSum[row], result.logSumExp[row]); });
    }
  }
}

void WarpKernel::run() {
  int64_t queryBlock = schedule.getQueryBlock(), keyBlock = schedule.getKeyBlock();
  HeadRows queries = copies.getRows(GPUArgumentKind::Query, GPUArgumentKind::QueryStrides, tile.batch, tile.head);
  Value lastBlock = emit.mul(emit.sub(tile.keyBlocks, 1), keyBlock);
  copies.copy(queries, tile.firstQuery, argument(GPUArgumentKind::QueryLength), layout.query, queryBlock);
  copies.copy(keys, lastBlock, argument(GPUArgumentKind::KeyLength), layout.key, keyBlock);
  copies.commit();
  copies.wait();

  LoopState state;
  state.step = emit.i32(0);
  state.outputs.assign(products.getRowTiles(), zeroFragment(emit, schedule.getHeadSize()));
  state.softmax.assign(products.getRowTiles(), softmax.begin());
  state = keyLoop(state, emit.min(tile.keyBlocks, tiles.getMaskedBlocks()), /*masked=*/true);
  state = keyLoop(state, tile.keyBlocks, /*masked=*/false);
  store(state);
  emit.create<LLVM::ReturnOp>(ValueRange());
}

void attn::emitWarpKernel(KernelFunction &function, const AttentionKernelSpec &spec) {
  WarpKernel(function, spec).run();
}
