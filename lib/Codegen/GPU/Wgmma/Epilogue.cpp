//===- Epilogue.cpp - Attention with wgmma: results to memory --*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Epilogue.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;
using namespace attn;

using Values = ThreadEmitter::Values;

/// Rows of a warpgroup, and the bytes of a row in a box.
static constexpr int64_t kGroupRows = 64, kBoxRowBytes = 128;

Epilogue::Epilogue(WarpgroupKernel &kernel, Value group) : kernel(kernel), emit(kernel.emit), group(group) {
  thread = kernel.function.threadIndex();
  lane = emit.bitAnd(thread, 31);
  warp = emit.bitAnd(emit.shiftRight(thread, 5), 3);
  issues = emit.equal(emit.bitAnd(thread, 127), 0);
}

void Epilogue::meet() {
  constexpr int64_t kFirstBarrier = 8; // of warpgroup 0; those below are used elsewhere
  emit.create<NVVM::BarrierOp>(Type(), emit.add(group, kFirstBarrier), emit.i32(128), NVVM::BarrierReductionAttr(),
                               Value());
}

void Epilogue::waitForCopies() { emit.create<NVVM::CpAsyncBulkWaitGroupOp>(0u, emit.getBuilder().getUnitAttr()); }

void Epilogue::storeLogSumExp(ArrayRef<Value> values, const Tile &tile, Value row) {
  // The four threads of a quad hold the same.
  Value isFirstOfQuad = emit.equal(emit.bitAnd(lane, 3), 0);
  Value length = kernel.function.argument(GPUArgumentKind::QueryLength);
  Value heads = kernel.function.argument(GPUArgumentKind::Heads);
  Value pair = emit.extend(emit.add(emit.mul(tile.batch, heads), tile.head));
  Value firstOfHead = emit.mul(pair, emit.extend(length));
  for (unsigned i = 0; i < kRowsPerThread; ++i) {
    Value query = emit.add(row, 8 * i);
    emit.ifThen(emit.bothOf(isFirstOfQuad, emit.less(query, length)), [&] {
      Value offset = emit.shiftLeft(emit.add(firstOfHead, emit.extend(query)), 2);
      emit.store(values[i], emit.address(kernel.function.argument(GPUArgumentKind::LogSumExp), offset));
    });
  }
}

void Epilogue::storeOutputs(const Fragment &outputs, const Tile &tile) {
  const GPUSharedLayout &layout = kernel.layout;
  Values packed = packFragment(emit, outputs, kernel.spec.elementType);
  if (!kernel.hasOneTile()) {
    // The copies of the tile before may still be reading.
    emit.ifThen(issues, [&] { waitForCopies(); });
    meet();
  }

  // stmatrix stores four 8 x 8 matrices, of which lanes 8m ... 8m + 7 give the rows' addresses of matrix m. The four
  // registers of 16 columns (see Fragment.h) are matrices at rows 0 and 8, then at rows 0 and 8 eight columns on.
  Value inMatrix = emit.bitAnd(lane, 7), matrix = emit.shiftRight(lane, 3);
  Value lowerRows = emit.shiftLeft(emit.bitAnd(matrix, 1), 3), rightChunk = emit.shiftRight(matrix, 1);
  Value row = emit.add(emit.add(emit.mul(warp, 16), lowerRows), inMatrix);
  Value rowOffset = emit.add(emit.mul(group, kGroupRows * kBoxRowBytes), emit.mul(row, kBoxRowBytes));
  MLIRContext *context = emit.getBuilder().getContext();
  for (int64_t step = 0; step < kernel.schedule.getHeadSize() / 16; ++step) {
    int64_t box = step / 4, firstChunk = 2 * step % 8;
    Value chunk = emit.bitXor(emit.add(rightChunk, firstChunk), inMatrix);
    Value offset = emit.add(rowOffset, emit.shiftLeft(chunk, 4));
    emit.create<NVVM::StMatrixOp>(kernel.function.shared(emit.add(offset, layout.output + box * layout.queryBox)),
                                  ValueRange(packed).slice(4 * step, 4), NVVM::MMALayout::row,
                                  NVVM::LdStMatrixShapeAttr::get(context, 8, 8), NVVM::LdStMatrixEltType::B16);
  }

  // TMA reads through another proxy than these stores.
  emit.create<NVVM::FenceProxyOp>(NVVM::ProxyKind::async_shared,
                                  NVVM::SharedSpaceAttr::get(context, NVVM::SharedSpace::shared_cta));
  meet();
  emit.ifThen(issues, [&] {
    Value firstRow = emit.add(tile.firstQuery, emit.mul(group, kGroupRows));
    for (int64_t box = 0; box < layout.boxes; ++box) {
      Value offset = emit.add(emit.mul(group, kGroupRows * kBoxRowBytes), layout.output + box * layout.queryBox);
      Values coordinates = {emit.i32(box * kBoxChannels), firstRow, tile.head, tile.batch};
      emit.create<NVVM::CpAsyncBulkTensorSharedCTAToGlobalOp>(
          kernel.function.argument(GPUArgumentKind::OutputMap), kernel.function.shared(offset), coordinates,
          /*l2CacheHint=*/Value(), NVVM::TMAStoreMode::TILE, /*predicate=*/Value());
    }
    emit.create<NVVM::CpAsyncBulkCommitGroupOp>();
  });
}

void Epilogue::finish() { waitForCopies(); }
