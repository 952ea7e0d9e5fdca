//===- Products.cpp - Matrix products of a warp --------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Products.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;
using namespace attn;

using Values = ThreadEmitter::Values;

/// Rows of a row tile, and what one instruction sums over.
static constexpr int64_t kRows = 16, kDepth = 16;

WarpProducts::WarpProducts(KernelFunction &kernel, const AttentionKernelSpec &spec)
    : kernel(kernel), emit(kernel.getEmitter()), spec(spec), layout(spec.schedule),
      rowTiles(spec.schedule.getQueryBlock() / (kRows * spec.schedule.getWarps())),
      rowBytes(2 * spec.schedule.getHeadSize()) {
  Value thread = kernel.threadIndex(), lane = emit.bitAnd(thread, 31);
  firstRow = emit.mul(emit.shiftRight(thread, 5), kRows * rowTiles);

  // Which of the four matrices a lane gives an address to, and of which row of it.
  Value inMatrix = emit.bitAnd(lane, 7);
  Value lowBit = emit.bitAnd(emit.shiftRight(lane, 3), 1), highBit = emit.shiftRight(lane, 4);
  Value lowRow = emit.add(inMatrix, emit.shiftLeft(lowBit, 3)),
        highRow = emit.add(inMatrix, emit.shiftLeft(highBit, 3));
  // A left factor: rows 0-7 and 8-15, then the same of the next eight channels. Values, transposed by the load,
  // likewise yield two right factors of eight channels each; keys are not transposed, so their rows are the factor's
  // columns.
  queryLanes = laneOffsets(emit.add(firstRow, lowRow), highBit);
  keyLanes = laneOffsets(highRow, lowBit);
  valueLanes = laneOffsets(lowRow, highBit);
}

WarpProducts::LaneOffsets WarpProducts::laneOffsets(Value row, Value rightHalf) {
  LaneOffsets offsets;
  Value swizzle = emit.bitXor(rightHalf, emit.bitAnd(row, 7));
  for (int64_t place = 0; place < 4; ++place) {
    Value chunk = emit.bitXor(swizzle, 2 * place);
    offsets.places[place] = emit.add(emit.mul(row, rowBytes), emit.shiftLeft(chunk, 4));
  }
  return offsets;
}

Values WarpProducts::loadMatrices(int64_t tile, int64_t row, int64_t channel, const LaneOffsets &lanes,
                                  bool transposed) {
  int64_t offset = tile + row * rowBytes + channel / 64 * 128;
  Value address = kernel.shared(emit.add(lanes.places[channel % 64 / 16], offset));
  MLIRContext *context = emit.getBuilder().getContext();
  Type result = LLVM::LLVMStructType::getLiteral(context, SmallVector<Type>(4, emit.i32()));
  Value loaded =
      emit.create<NVVM::LdMatrixOp>(result, address, 4u, transposed ? NVVM::MMALayout::col : NVVM::MMALayout::row,
                                    NVVM::LdStMatrixShapeAttr::get(context, 8, 8), NVVM::LdStMatrixEltType::B16);
  Values registers;
  for (int64_t i = 0; i < 4; ++i)
    registers.push_back(emit.create<LLVM::ExtractValueOp>(loaded, ArrayRef<int64_t>{i}));
  return registers;
}

void WarpProducts::multiply(Fragment &accumulators, unsigned first, ValueRange left, ValueRange right) {
  // NVVM has pairs of bf16 as i32 and pairs of f16 as vectors.
  bool isBF16 = spec.elementType.isBF16();
  auto asPairs = [&](ValueRange registers) {
    Values pairs(registers);
    if (!isBF16)
      for (Value &pair : pairs)
        pair = emit.create<LLVM::BitcastOp>(VectorType::get(2, spec.elementType), pair);
    return pairs;
  };
  MLIRContext *context = emit.getBuilder().getContext();
  NVVM::MMATypes type = isBF16 ? NVVM::MMATypes::bf16 : NVVM::MMATypes::f16;
  Type result = LLVM::LLVMStructType::getLiteral(context, SmallVector<Type>(4, emit.f32()));
  Value sums = emit.create<NVVM::MmaOp>(result, asPairs(left), asPairs(right), ValueRange(accumulators).slice(first, 4),
                                        ArrayRef<int64_t>{16, 8, 16}, std::nullopt, std::nullopt,
                                        std::array<NVVM::MMATypes, 2>{type, type},
                                        std::array<NVVM::MMALayout, 2>{NVVM::MMALayout::row, NVVM::MMALayout::col});
  for (int64_t i = 0; i < 4; ++i)
    accumulators[first + i] = emit.create<LLVM::ExtractValueOp>(sums, ArrayRef<int64_t>{i});
}

SmallVector<Fragment> WarpProducts::multiplyKeys() {
  int64_t keyBlock = spec.schedule.getKeyBlock();
  SmallVector<Fragment> scores(rowTiles, zeroFragment(emit, keyBlock));
  for (int64_t channel = 0; channel < spec.schedule.getHeadSize(); channel += kDepth) {
    SmallVector<Values> left;
    for (int64_t tile = 0; tile < rowTiles; ++tile)
      left.push_back(loadMatrices(layout.query, tile * kRows, channel, queryLanes, /*transposed=*/false));
    for (int64_t key = 0; key < keyBlock; key += 16) {
      Values right = loadMatrices(layout.key, key, channel, keyLanes, /*transposed=*/false);
      for (int64_t tile = 0; tile < rowTiles; ++tile)
        for (int64_t half : {0, 1})
          multiply(scores[tile], key / 2 + 4 * half, left[tile], ValueRange(right).slice(2 * half, 2));
    }
  }
  return scores;
}

void WarpProducts::multiplyValues(MutableArrayRef<Fragment> outputs, ArrayRef<Values> probabilities) {
  for (int64_t key = 0; key < spec.schedule.getKeyBlock(); key += kDepth)
    for (int64_t channel = 0; channel < spec.schedule.getHeadSize(); channel += 16) {
      Values right = loadMatrices(layout.value, key, channel, valueLanes, /*transposed=*/true);
      for (int64_t tile = 0; tile < rowTiles; ++tile)
        for (int64_t half : {0, 1})
          multiply(outputs[tile], channel / 2 + 4 * half, ValueRange(probabilities[tile]).slice(key / 4, 4),
                   ValueRange(right).slice(2 * half, 2));
    }
}
