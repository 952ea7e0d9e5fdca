//===- CostModel.cpp - Schedules from a target's description -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The register tile of a product keeps rows x vectors accumulators, one vector of each column and one broadcast. Most
// products per load come from tiles near a square; 20 to 24 of 32 registers (12 of 16) as accumulators leave room for
// what the compiler adds. Tasks take as many rows as fit the second-level cache beside what they read.
//
//===----------------------------------------------------------------------===//

#include "attn/Codegen/Schedule/CostModel.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/MathExtras.h"
#include <numeric>

using namespace mlir;
using namespace attn;

static constexpr unsigned kFloatBits = 32;

/// From how many columns on a product is worth a copy of its input.
static constexpr int64_t kColumnsWorthACopy = 128;

/// From how many bytes on a weight is worth more than one task for few rows: reading them takes some microseconds.
static constexpr int64_t kBytesWorthATask = 1 << 17;

/// Into how many tasks, at most, columns are cut.
static constexpr int64_t kColumnTasks = 16;

/// Rows of a register tile with `vectors` vectors a row.
static int64_t tileRows(const Target &target, int64_t vectors) {
  int64_t accumulators = target.vectorRegisters * 3 / 4;
  return accumulators / vectors;
}

/// True if `rows` rows, `stride` bytes apart, have so many lines at one column in one set of the first-level cache that
/// these push each other out before a line is used up. A panel of the weight goes through the cache beside them.
static bool conflictInL1(const Target &target, int64_t rows, int64_t stride) {
  int64_t wayBytes = target.l1Bytes / target.l1Ways;
  int64_t sets = wayBytes / std::gcd(wayBytes, stride);
  return int64_t(llvm::divideCeil(rows, sets)) >= target.l1Ways;
}

/// How many columns a task takes of the products of few rows, which cost what reading the weight does; 0 where that is
/// less than it costs to wake other workers.
static int64_t columnBlock(int64_t channels, int64_t columns, int64_t panel) {
  if (channels * columns * 4 < kBytesWorthATask || columns < 2 * panel)
    return 0;
  return llvm::divideCeil(llvm::divideCeil(columns, panel), kColumnTasks) * panel;
}

static ScheduleAttr scheduleGPULinear(LinearOp op) {
  // Large parts, of which each warp computes 64 x 32, spare shared memory's bandwidth; small ones leave less unused.
  auto type = cast<ShapedType>(op.getInit().getType());
  auto part = [&](int64_t dim) { return type.isDynamicDim(dim) || type.getDimSize(dim) > 64 ? 128 : 64; };
  int64_t rows = part(0), columns = part(1);
  bool isWide = getElementTypeOrSelf(type).isF32();
  return ScheduleAttr::get(op.getContext(), rows,
                           GPULinearKernelAttr::get(op.getContext(), rows, columns, /*warpRows=*/2,
                                                    /*warpColumns=*/rows == 128 && columns == 128 ? 4 : 2, /*stages=*/3,
                                                    isWide ? ProductKind::SplitTF32 : ProductKind::Narrow));
}

ScheduleAttr attn::scheduleLinear(LinearOp op, const Target &target) {
  if (target.isGpu())
    return scheduleGPULinear(op);
  MLIRContext *context = op.getContext();
  int64_t lanes = target.lanes(kFloatBits);
  int64_t rows = tileRows(target, 2);
  // As many rows as keep the input rows of a task in three quarters of the second-level cache.
  auto input = llvm::cast<ShapedType>(op.getInput().getType());
  int64_t channels = std::max<int64_t>(input.getDimSize(input.getRank() - 1), 1);
  int64_t fitting = target.l2Bytes * 3 / 4 / (channels * 4);
  int64_t rowBlock = std::clamp<int64_t>(fitting, rows, 12 * rows);
  // A copy of an element costs a fraction of a cycle, and its products with few columns not much more.
  auto output = llvm::cast<ShapedType>(op.getInit().getType());
  int64_t columns = output.getDimSize(output.getRank() - 1);
  bool copies = conflictInL1(target, rows, channels * 4) && columns >= kColumnsWorthACopy;
  return ScheduleAttr::get(context, rowBlock,
                           LinearKernelAttr::get(context, rows, 2 * lanes, lanes, copies ? rowBlock : 0),
                           columnBlock(channels, columns, 2 * lanes));
}

ScheduleAttr attn::scheduleGPUAttention(AttentionOp op) {
  // Tiles that two blocks of a multiprocessor hold without spills; scores and outputs stay in registers.
  struct Tile {
    int64_t headSize, queryBlock, keyBlock, warps;
  };
  static constexpr Tile kTiles[] = {{64, 128, 64, 4}, {128, 128, 64, 8}, {256, 64, 32, 4}};
  int64_t headSize = op.getStaticExtent(AttentionOp::QueryChannel);
  const Tile *tile = llvm::find_if(kTiles, [&](const Tile &tile) { return tile.headSize == headSize; });
  if (tile == std::end(kTiles))
    return {};
  MLIRContext *context = op.getContext();
  return ScheduleAttr::get(context, tile->queryBlock,
                           GPUAttentionKernelAttr::get(context, MatrixInstruction::Mma, headSize, tile->queryBlock,
                                                       tile->keyBlock, tile->warps, /*stages=*/1, TileOrder::Grid,
                                                       /*pingpong=*/false, /*lazyRescale=*/0));
}

ScheduleAttr attn::scheduleAttention(AttentionOp op, const Target &target) {
  if (target.isGpu())
    return scheduleGPUAttention(op);
  MLIRContext *context = op.getContext();
  int64_t lanes = target.lanes(kFloatBits);
  // Queries stand in lanes: two vectors where there are 32 registers, three where there are 16.
  int64_t queryVectors = target.vectorRegisters >= 32 ? 2 : 3;
  // Lanes without a query are computed on all the same.
  if (int64_t queries = op.getStaticExtent(AttentionOp::Query); !ShapedType::isDynamic(queries))
    queryVectors = std::clamp<int64_t>(llvm::divideCeil(queries, lanes), 1, queryVectors);
  int64_t queries = queryVectors * lanes;
  int64_t keyRows = tileRows(target, queryVectors);
  int64_t valueRows = tileRows(target, 2);
  // The scores of a block stay in half of the first-level cache, beside the values they meet.
  int64_t keyBlock = std::max<int64_t>(target.l1Bytes / 2 / (queries * 4), keyRows);
  auto kernel = AttentionKernelAttr::get(context, queries, keyRows, valueRows, 2 * lanes, keyBlock, lanes);
  return ScheduleAttr::get(context, queries, kernel);
}

ScheduleAttr attn::scheduleRows(Operation *op, const Target &target) {
  MLIRContext *context = op->getContext();
  return ScheduleAttr::get(context, 128, RowKernelAttr::get(context, target.lanes(kFloatBits)));
}

TargetAttr attn::findTargetName(Operation *op) {
  for (; op; op = op->getParentOp())
    if (auto named = op->getAttrOfType<TargetAttr>(kTargetAttr))
      return named;
  return {};
}

FailureOr<const Target *> attn::targetOf(Operation *op) {
  TargetAttr named = findTargetName(op);
  if (!named)
    return op->emitError() << "no module around this op names its target in '" << kTargetAttr << "'";
  if (const Target *target = lookupTarget(named.getName()))
    return target;
  return op->emitError() << "unknown target '" << named.getName() << "'; the known ones are " << targetNames();
}
