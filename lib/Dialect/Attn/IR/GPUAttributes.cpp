//===- GPUAttributes.cpp - Budgets of kernels for GPUs ----------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A schedule that does not fit a multiprocessor is refused here, where it is written, rather than by the assembler or
// the driver. The register estimates were read off what ptxas uses and spills; the tests assemble kernels at the edge.
//
//===----------------------------------------------------------------------===//

#include "attn/Dialect/Attn/IR/GPUSharedLayout.h"

using namespace mlir;
using namespace attn;

//===----------------------------------------------------------------------===//
// Shared memory
//===----------------------------------------------------------------------===//

GPUSharedLayout::GPUSharedLayout(MatrixInstruction instruction, int64_t headSize, int64_t queryBlock, int64_t keyBlock,
                                 int64_t stages, TileOrder order) {
  constexpr int64_t kBoxRow = 128, kBarrier = 8;
  int64_t end = 0;
  auto take = [&](int64_t size) { return std::exchange(end, end + size); };

  boxes = headSize / 64;
  queryBox = queryBlock * kBoxRow;
  keyBox = keyBlock * kBoxRow;
  keyTile = boxes * keyBox;
  query = take(boxes * queryBox);
  key = take(stages * keyTile);
  value = take(stages * keyTile);
  output = order == TileOrder::Grid ? query : take(boxes * queryBox);
  queryFull = queryEmpty = keyFull = keyEmpty = valueFull = valueEmpty = nextTile = end;
  if (instruction == MatrixInstruction::Wgmma) {
    queryFull = take(kBarrier);
    queryEmpty = take(kBarrier);
    for (int64_t *barrier : {&keyFull, &keyEmpty, &valueFull, &valueEmpty})
      *barrier = take(stages * kBarrier);
    nextTile = take(kBarrier);
  }
  bytes = end;
}

//===----------------------------------------------------------------------===//
// Verification
//===----------------------------------------------------------------------===//

int64_t GPUAttentionKernelAttr::getThreads() const { return 32 * (getWarps() + (isWgmma() ? 4 : 0)); }

namespace {

/// The parameters before they are an attribute.
struct Parameters {
  int64_t headSize, queryBlock, keyBlock, warps, stages;
  TileOrder order;
  bool pingpong;
  int64_t lazyRescale;
};

} // namespace

/// What is wrong with a kernel of this kind, or nothing.
static StringRef checkMma(const Parameters &p) {
  if (!llvm::is_contained({64, 128, 256}, p.headSize))
    return "K1: mma needs a headSize of 64, 128 or 256";
  if (p.warps != 4 && p.warps != 8)
    return "K1: mma needs 4 or 8 warps";
  if (p.queryBlock != 16 * p.warps && p.queryBlock != 32 * p.warps)
    return "K1: mma needs 16 or 32 queries a warp";
  int64_t rowsPerCopy = 32 * p.warps / (p.headSize / 8);
  if (p.keyBlock <= 0 || p.keyBlock % 16 != 0 || p.keyBlock % rowsPerCopy != 0)
    return "K1: mma needs a keyBlock that is a positive multiple of 16 and of warps * 256 / headSize";
  if (p.stages != 1 || p.order != TileOrder::Grid || p.pingpong || p.lazyRescale != 0)
    return "K1: mma has one stage, order = grid, no pingpong and no lazyRescale";
  int64_t rowTiles = p.queryBlock / (16 * p.warps);
  if (rowTiles * (p.keyBlock + p.headSize) / 2 + 80 > 255)
    return "K4: the accumulators need more than 255 registers a thread";
  return {};
}

static StringRef checkWgmma(const Parameters &p) {
  if (p.headSize <= 0 || p.headSize > 256 || p.headSize % 64 != 0)
    return "K2: wgmma needs a headSize that is a multiple of 64 up to 256";
  if (p.warps != 8 && p.warps != 12)
    return "K2: wgmma needs 8 or 12 warps";
  if (p.queryBlock != 16 * p.warps)
    return "K2: wgmma needs 16 queries a warp";
  if (p.keyBlock <= 0 || p.keyBlock > 256 || p.keyBlock % 16 != 0)
    return "K2: wgmma needs a keyBlock that is a multiple of 16 up to 256";
  if (p.stages < 2 || p.stages > 8)
    return "K2: wgmma needs 2 to 8 stages";
  if (p.lazyRescale < 0 || p.lazyRescale > 8)
    return "K2: lazyRescale is from 0 to 8";
  // Scores and outputs in f32, probabilities of the block before packed in pairs.
  int64_t registers = p.keyBlock / 2 + p.keyBlock / 4 + p.headSize / 2 + 32;
  if (registers > (p.warps == 8 ? 240 : 160))
    return "K4: accumulators and probabilities need more registers than a thread has";
  return {};
}

LogicalResult GPUAttentionKernelAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                                             MatrixInstruction instruction, int64_t headSize, int64_t queryBlock,
                                             int64_t keyBlock, int64_t warps, int64_t stages, TileOrder order,
                                             bool pingpong, int64_t lazyRescale) {
  Parameters parameters{headSize, queryBlock, keyBlock, warps, stages, order, pingpong, lazyRescale};
  bool wgmma = instruction == MatrixInstruction::Wgmma;
  StringRef problem = wgmma ? checkWgmma(parameters) : checkMma(parameters);
  if (!problem.empty())
    return emitError() << problem;
  int64_t bytes = GPUSharedLayout(instruction, headSize, queryBlock, keyBlock, stages, order).bytes;
  int64_t limit = (wgmma ? 227 : 99) * 1024;
  if (bytes > limit)
    return emitError() << "K3: the kernel needs " << bytes << " bytes of shared memory, more than " << limit;
  return success();
}

LogicalResult GPULinearKernelAttr::verify(function_ref<InFlightDiagnostic()> emitError, int64_t rows, int64_t columns,
                                          int64_t warpRows, int64_t warpColumns, int64_t stages, ProductKind) {
  int64_t warps = warpRows * warpColumns;
  if (rows <= 0 || columns <= 0 || warpRows <= 0 || warpColumns <= 0 || rows % (32 * warpRows) ||
      columns % (16 * warpColumns) || rows % (8 * warps) || columns % (8 * warps))
    return emitError() << "C1: rows are a multiple of 32 a row of warps, columns of 16 a column of warps, both of 8 a "
                          "warp";
  int64_t bytes = stages * (rows + columns) * 64;
  if (stages < 2 || stages > 4 || bytes > 48 * 1024 || bytes < rows / 2 * (columns + 8) * 4)
    return emitError() << "C2: 2 to 4 stages are in 48 KiB of shared memory, and hold half of the sums";
  if (rows * columns > 128 * 32 * warps)
    return emitError() << "C3: a thread has at most 128 sums";
  return success();
}
