//===- BufferLifetimes.h - When a buffer lives, and which share a slot -*- C++ -*-===//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_CODEGEN_MEMORY_BUFFERLIFETIMES_H
#define ATTN_CODEGEN_MEMORY_BUFFERLIFETIMES_H

#include "mlir/Dialect/MemRef/IR/MemRef.h"

namespace attn {

/// An allocation and the first and last op of `block`, by position, between which its contents matter.
struct BufferLifetime {
  mlir::memref::AllocOp alloc;
  unsigned begin, end;
};

/// Lifetimes of the allocations in and below `block`, in order of begin.
llvm::SmallVector<BufferLifetime> findLifetimes(mlir::Block &block, llvm::ArrayRef<mlir::memref::AllocOp> allocs);

/// Puts buffers whose lifetimes do not meet into one slot (linear scan). The result are the buffers of each slot. A
/// free slot that holds buffers of the same static size a row is preferred, since its size is then shared as well.
llvm::SmallVector<llvm::SmallVector<mlir::memref::AllocOp>> colorBuffers(llvm::ArrayRef<BufferLifetime> lifetimes);

} // namespace attn

#endif // ATTN_CODEGEN_MEMORY_BUFFERLIFETIMES_H
