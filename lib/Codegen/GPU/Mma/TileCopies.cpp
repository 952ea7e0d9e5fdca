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
}

HeadRows TileCopies::getRows(GPUArgumentKind tensor, GPUArgumentKind strides, Value batch, Value head) {
  auto stride = [&](unsigned part) { return kernel.argument(strides, part); };
  Value elements = emit.add(emit.mul(emit.extend(batch), stride(0)), emit.mul(emit.extend(head), stride(1)));
  return {emit.address(kernel.argument(tensor), emit.shiftLeft(elements, 1)), emit.shiftLeft(stride(2), 1)};
}

void TileCopies::copy(const HeadRows &source, Value firstRow, Value length, int64_t to, int64_t rows) {
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
