//===- TileCopies.cpp - Tiles from global into shared memory --*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TileCopies.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;
using namespace attn;

static constexpr int64_t kChunkBytes = 16, kElementBytes = 2;

TileCopies::TileCopies(KernelFunction &kernel, GPUAttentionKernelAttr schedule)
    : kernel(kernel), emit(kernel.getEmitter()), rowBytes(schedule.getHeadSize() * kElementBytes) {
  int64_t chunks = rowBytes / kChunkBytes;
  rowsPerStep = schedule.getThreads() / chunks;
  Value thread = kernel.threadIndex();
  row = emit.shiftRight(thread, llvm::Log2_64(chunks));
  Value chunk = emit.bitAnd(thread, chunks - 1);
  channelBytes = emit.extend(emit.shiftLeft(chunk, 4));
  Value swizzled = emit.bitXor(chunk, emit.bitAnd(row, 7));
  offset = emit.add(emit.mul(row, rowBytes), emit.shiftLeft(swizzled, 4));
  aligned = computeAligned();
}

Value TileCopies::computeAligned() {
  using Kind = GPUArgumentKind;
  Value bits = emit.i64(0);
  for (auto [tensor, strides] :
       {std::pair(Kind::Query, Kind::QueryStrides), std::pair(Kind::Key, Kind::KeyStrides),
        std::pair(Kind::Value, Kind::ValueStrides), std::pair(Kind::Output, Kind::OutputStrides)}) {
    bits = emit.eitherOf(bits, emit.create<LLVM::PtrToIntOp>(emit.i64(), kernel.argument(tensor)));
    for (unsigned part = 0; part < 3; ++part)
      bits = emit.eitherOf(bits, emit.shiftLeft(kernel.argument(strides, part), 1));
  }
  return emit.equal(emit.bitAnd(bits, kChunkBytes - 1), 0);
}

HeadRows TileCopies::getRows(GPUArgumentKind tensor, GPUArgumentKind strides, Value batch, Value head) {
  auto stride = [&](unsigned part) { return kernel.argument(strides, part); };
  Value elements = emit.add(emit.mul(emit.extend(batch), stride(0)), emit.mul(emit.extend(head), stride(1)));
  return {emit.address(kernel.argument(tensor), emit.shiftLeft(elements, 1)), emit.shiftLeft(stride(2), 1)};
}

void TileCopies::copy(const HeadRows &source, Value firstRow, Value length, int64_t to, int64_t rows) {
  emit.ifElse(
      aligned, [&] { copyChunks(source, firstRow, length, to, rows); },
      [&] { copyElements(source, firstRow, length, to, rows); });
}

void TileCopies::copyElements(const HeadRows &source, Value firstRow, Value length, int64_t to, int64_t rows) {
  emit.loopWhile(
      {emit.i32(0)}, [&](ValueRange step) { return emit.less(step[0], rows); },
      [&](ValueRange carried) -> ThreadEmitter::Values {
        Value step = carried[0], sourceRow = emit.add(emit.add(firstRow, row), step);
        Value inside = length ? emit.less(sourceRow, length) : emit.less(emit.i32(-1), sourceRow);
        ThreadEmitter::Values pairs(kChunkBytes / 4, emit.i32(0));
        pairs = emit.ifChange(inside, pairs, [&] {
          Value bytes = emit.add(emit.mul(emit.extend(sourceRow), source.stride), channelBytes);
          Value address = emit.address(source.base, bytes);
          auto element = [&](int64_t i) -> Value {
            Value loaded = emit.load(emit.getBuilder().getI16Type(), emit.address(address, kElementBytes * i));
            return emit.create<LLVM::ZExtOp>(emit.i32(), loaded);
          };
          ThreadEmitter::Values loaded;
          for (size_t i = 0; i < pairs.size(); ++i)
            loaded.push_back(emit.eitherOf(element(2 * i), emit.shiftLeft(element(2 * i + 1), 16)));
          return loaded;
        });
        Value target = emit.bitXor(offset, emit.mul(emit.bitAnd(step, 7), kChunkBytes));
        target = emit.add(emit.add(target, emit.mul(step, rowBytes)), to);
        for (auto [i, pair] : llvm::enumerate(pairs))
          emit.store(pair, kernel.shared(emit.add(target, 4 * i)));
        return {emit.add(step, rowsPerStep)};
      });
}

void TileCopies::copyChunks(const HeadRows &source, Value firstRow, Value length, int64_t to, int64_t rows) {
  for (int64_t step = 0; step < rows; step += rowsPerStep) {
    Value sourceRow = emit.add(emit.add(firstRow, row), step);
    Value bytes = emit.add(emit.mul(emit.extend(sourceRow), source.stride), channelBytes);
    // Where a step has fewer than eight rows, its number is in the bits of the swizzle too.
    Value target = offset;
    if (int64_t swizzle = step % 8)
      target = emit.bitXor(target, swizzle * kChunkBytes);
    Value size = length ? emit.select(emit.less(sourceRow, length), emit.i32(kChunkBytes), emit.i32(0)) : Value();
    emit.create<NVVM::CpAsyncOp>(kernel.shared(emit.add(target, to + step * rowBytes)),
                                 emit.address(source.base, bytes), uint32_t(kChunkBytes),
                                 NVVM::LoadCacheModifierKind::CG, size);
  }
}

void TileCopies::commit() { emit.create<NVVM::CpAsyncCommitGroupOp>(); }

void TileCopies::wait() {
  emit.create<NVVM::CpAsyncWaitGroupOp>(0u);
  emit.create<NVVM::BarrierOp>();
}
