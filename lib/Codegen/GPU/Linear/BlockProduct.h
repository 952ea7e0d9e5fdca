//===- BlockProduct.h - A block's part of a matrix product ------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Slices of 64 bytes of the input's and the weight's rows come by cp.async into a ring of buffers in shared memory. A
// row there is four chunks of 16 bytes, chunk c of row r at place c ^ (r / 2 % 4), so that the eight rows of a matrix
// that ldmatrix loads are in different banks. An mma sums over two chunks: 16 elements of 16 bits or 8 of f32, of which
// ldmatrix then loads halves by pairs, which are where mma wants them.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_CODEGEN_GPU_LINEAR_BLOCKPRODUCT_H
#define ATTN_LIB_CODEGEN_GPU_LINEAR_BLOCKPRODUCT_H

#include "attn/Dialect/Attn/IR/Attn.h"
#include "mlir/IR/Builders.h"

namespace attn {

/// A matrix of rows in global memory, as the host computes it.
struct GlobalRows {
  mlir::Value address;   ///< Of its first element, an i64.
  mlir::Value rowStride; ///< In bytes, an i64.
  mlir::Value stride;    ///< From one element of a row to the next, in bytes, an i64.
  mlir::Value rows;      ///< How many there are, an i64.
  mlir::Value first;     ///< The first that the block takes, an i64.
};

/// What a block multiplies.
struct BlockOperands {
  GlobalRows input, weight;
  mlir::Value depth;   ///< Elements of a row, an i64.
  mlir::Value aligned; ///< An i1: chunks can be copied whole.
  mlir::Type element;
};

/// Emits the code of a thread.
class BlockProduct {
public:
  /// `shared` is the address of the block's shared memory, an i64; `thread` an i32.
  BlockProduct(mlir::OpBuilder &b, mlir::Location loc, GPULinearKernelAttr schedule, const BlockOperands &operands,
               mlir::Value shared, mlir::Value thread);

  /// The sums of the thread, four for each 16 x 8 part of its warp's rows and columns, row after row of parts. After
  /// it, shared memory is free.
  llvm::SmallVector<mlir::Value> run();

  /// Stores the sums of the first or second half of each warp's rows at `shared`, as rows of getSumStride() f32.
  void storeHalf(llvm::ArrayRef<mlir::Value> sums, int64_t half);
  /// The f32 at `row` of the half and `column`, both i64.
  mlir::Value loadSum(mlir::Value row, mlir::Value column);
  /// The block's row that stands in `row` of a half; an i64.
  mlir::Value rowOfHalf(mlir::Value row, int64_t half);

  static int64_t getSharedBytes(GPULinearKernelAttr schedule);

private:
  using Values = llvm::SmallVector<mlir::Value>;

  void copy(const GlobalRows &from, int64_t rows, mlir::Value slice, mlir::Value to);
  void copyChunks(const GlobalRows &from, int64_t rows, mlir::Value element, mlir::Value to);
  void copyElements(const GlobalRows &from, int64_t rows, mlir::Value element, mlir::Value to);
  void copySlice(mlir::Value slice);
  Values multiplySlice(mlir::Value slice, mlir::ValueRange sums);
  /// Registers of a factor; of f32 the high parts and the low ones as tf32.
  struct Factor {
    Values high, low;
  };
  Factor loadMatrices(mlir::Value address, int64_t offset);
  void split(Factor &factor);
  /// sums += left x half number `half` of right.
  void multiply(llvm::MutableArrayRef<mlir::Value> sums, const Factor &left, const Factor &right, int64_t half);

  mlir::Value stageOf(mlir::Value slice);
  mlir::Value pointer(mlir::Value address, unsigned space);
  mlir::Value i32(int64_t value);
  mlir::Value i64(int64_t value);
  mlir::Value add(mlir::Value a, mlir::Value b);
  mlir::Value mul(mlir::Value a, mlir::Value b);
  mlir::Value bitAnd(mlir::Value a, int64_t bits);
  mlir::Value bitXor(mlir::Value a, mlir::Value b);
  mlir::Value shiftRight(mlir::Value a, int64_t bits);
  mlir::Value extend(mlir::Value a);
  bool isSplit() const { return schedule.getProducts() == ProductKind::SplitTF32; }

  mlir::OpBuilder &b;
  mlir::Location loc;
  GPULinearKernelAttr schedule;
  BlockOperands operands;
  mlir::Value shared;
  int64_t elementBytes, stageBytes, rowTiles, columnTiles; ///< Tiles of 16 rows and of 16 columns of a warp.
  mlir::Value lane, warpRow, warpColumn;
  mlir::Value copiedRow, copiedChunk; ///< The thread's place in a step of a copy, i64.
  mlir::Value inputLane, weightLane;  ///< What the thread loads matrices from, bytes from a stage's begin, i64.
};

} // namespace attn

#endif // ATTN_LIB_CODEGEN_GPU_LINEAR_BLOCKPRODUCT_H
