//===- Products.h - Matrix products of a warpgroup -----------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// wgmma multiplies 64 rows by a tile in shared memory, asynchronously: products are issued, committed as a group, and
// waited for. It reads tiles through 64-bit descriptors:
//
//   bits  0-13  address / 16
//   bits 16-29  leading offset / 16    bits 32-45  stride offset / 16
//   bits 62-63  1: 128-byte swizzle
//
// Queries and keys are K-major (a row's channels are the sum's index): eight rows are 1024 bytes from the next eight,
// the leading offset is not used; 16 channels further is 32 bytes further, and the next 64 channels are in the next
// box. Values are MN-major (their rows are the sum's index): the leading offset is from one box of 64 channels to the
// next, eight rows are 1024 bytes, and 16 rows further is 2048 bytes further.
//
// Between issue and wait the assembler must not move accumulators. Two rules keep it from serializing products:
// accumulators are tied to the wait (they come out of it as new values), and packed factors are made after it.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_CODEGEN_GPU_WGMMA_PRODUCTS_H
#define ATTN_LIB_CODEGEN_GPU_WGMMA_PRODUCTS_H

#include "../Fragment.h"
#include "../KernelFunction.h"

namespace attn {

/// The products of attention for one warpgroup.
class WarpgroupProducts {
public:
  /// Elements are of `type`, f16 or bf16. The warpgroup's queries are rows [64 group, 64 group + 64) of the tile.
  WarpgroupProducts(KernelFunction &kernel, const AttentionKernelSpec &spec, mlir::Value group);

  /// Before products whose accumulators or factors in registers were written since the last wait.
  void fence();
  /// Issues scores = queries keys^T with the keys of `stage`.
  Fragment multiplyKeys(mlir::Value stage);
  /// Issues outputs += probabilities values with the values of `stage`.
  Fragment multiplyValues(const Fragment &outputs, mlir::ValueRange probabilities, mlir::Value stage);
  /// Ends a group of issued products.
  void commit();
  /// Waits until at most `pending` groups are in flight. `values` are those that must not be used before; they come out
  /// as new values.
  ThreadEmitter::Values wait(int64_t pending, mlir::ValueRange values);

private:
  /// A descriptor of the tile at shared address `address`.
  mlir::Value descriptor(mlir::Value address, int64_t leadingBytes);
  /// One further by `bytes`.
  mlir::Value advance(mlir::Value descriptor, int64_t bytes);
  mlir::Value ofStage(mlir::Value descriptor, mlir::Value stage);
  std::string instruction(int64_t columns) const;

  ThreadEmitter &emit;
  const AttentionKernelSpec &spec;
  GPUSharedLayout layout;
  mlir::Value queries, keys, values; ///< Descriptors, of stage 0.
};

} // namespace attn

#endif // ATTN_LIB_CODEGEN_GPU_WGMMA_PRODUCTS_H
