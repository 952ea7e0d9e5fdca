//===- Products.h - Matrix products of a warp ----------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// mma multiplies 16 x 16 by 16 x 8 from registers. ldmatrix brings four 8 x 8 matrices from shared memory into them, to
// which the lanes give the rows' addresses, eight each: the left factor of a product, or the right ones of two.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_CODEGEN_GPU_MMA_PRODUCTS_H
#define ATTN_LIB_CODEGEN_GPU_MMA_PRODUCTS_H

#include "../Fragment.h"
#include "../KernelFunction.h"

namespace attn {

/// The products of attention for one warp.
class WarpProducts {
public:
  WarpProducts(KernelFunction &kernel, const AttentionKernelSpec &spec);

  /// Fragments of 16 rows each that a warp has.
  int64_t getRowTiles() const { return rowTiles; }
  /// The warp's first row in the tile of queries.
  mlir::Value getFirstRow() const { return firstRow; }

  /// scores = queries keys^T for each of the row tiles.
  llvm::SmallVector<Fragment> multiplyKeys();
  /// outputs += probabilities values, probabilities packed.
  void multiplyValues(llvm::MutableArrayRef<Fragment> outputs, llvm::ArrayRef<ThreadEmitter::Values> probabilities);

private:
  /// Where a lane's row stands in a 16 x 16 part of a tile, for each of the four places that 16 channels have in a
  /// swizzled row of 64.
  struct LaneOffsets {
    mlir::Value places[4];
  };
  LaneOffsets laneOffsets(mlir::Value row, mlir::Value rightHalf);
  /// 16 rows from `row` on and 16 channels from `channel` on of the tile at `tile`, as four registers.
  ThreadEmitter::Values loadMatrices(int64_t tile, int64_t row, int64_t channel, const LaneOffsets &lanes,
                                     bool transposed);
  /// accumulators[first ... first + 4) += left x right.
  void multiply(Fragment &accumulators, unsigned first, mlir::ValueRange left, mlir::ValueRange right);

  KernelFunction &kernel;
  ThreadEmitter &emit;
  const AttentionKernelSpec &spec;
  GPUSharedLayout layout;
  int64_t rowTiles;
  int64_t rowBytes;
  mlir::Value firstRow;
  LaneOffsets queryLanes, keyLanes, valueLanes;
};

} // namespace attn

#endif // ATTN_LIB_CODEGEN_GPU_MMA_PRODUCTS_H
