//===- TileCopies.h - Tiles from global into shared memory ---*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// All threads of a block copy a tile together with cp.async, 16 bytes a thread and step: a row's chunks by adjacent
// threads, as many rows in a step as there are threads for, at the swizzled places that GPUSharedLayout.h describes.
// Where a caller's tensor is aligned to its elements only, these are copied one by one.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_CODEGEN_GPU_MMA_TILECOPIES_H
#define ATTN_LIB_CODEGEN_GPU_MMA_TILECOPIES_H

#include "../KernelFunction.h"

namespace attn {

/// The rows of one head in global memory.
struct HeadRows {
  mlir::Value base;   ///< Address of row 0.
  mlir::Value stride; ///< Bytes from one row to the next, an i64.
};

class TileCopies {
public:
  TileCopies(KernelFunction &kernel, GPUAttentionKernelAttr schedule);

  /// Rows of `tensor` for this batch row and head.
  HeadRows getRows(GPUArgumentKind tensor, GPUArgumentKind strides, mlir::Value batch, mlir::Value head);
  /// Issues the copy of `rows` rows from `firstRow` on to the shared offset `to`. Rows from `length` on become zeros;
  /// none are that far where `length` is null.
  void copy(const HeadRows &source, mlir::Value firstRow, mlir::Value length, int64_t to, int64_t rows);
  /// True where addresses and strides of all tensors are multiples of 16 bytes.
  mlir::Value isAligned() const { return aligned; }
  /// Ends a group of copies.
  void commit();
  /// Waits for all copies of all threads; what threads read before, they have read.
  void wait();

private:
  void copyChunks(const HeadRows &source, mlir::Value firstRow, mlir::Value length, int64_t to, int64_t rows);
  void copyElements(const HeadRows &source, mlir::Value firstRow, mlir::Value length, int64_t to, int64_t rows);
  mlir::Value computeAligned();

  KernelFunction &kernel;
  ThreadEmitter &emit;
  int64_t rowBytes;
  int64_t rowsPerStep;
  mlir::Value row, channelBytes; ///< The thread's place in a step.
  mlir::Value offset;            ///< The same in shared memory.
  mlir::Value aligned;
};

} // namespace attn

#endif // ATTN_LIB_CODEGEN_GPU_MMA_TILECOPIES_H
