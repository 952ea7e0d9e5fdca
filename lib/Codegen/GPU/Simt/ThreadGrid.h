//===- ThreadGrid.h - Launches of a thread for each index -------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_CODEGEN_GPU_SIMT_THREADGRID_H
#define ATTN_LIB_CODEGEN_GPU_SIMT_THREADGRID_H

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/IR/Builders.h"

namespace attn {

/// Threads of a block.
constexpr int64_t kBlockThreads = 256;

/// Launches a thread for each index in the box of `extents`, the last of which neighbouring threads count along; one
/// thread where there are none. `body` emits what a thread does at its place.
void launchThreads(mlir::OpBuilder &b, mlir::Location loc, mlir::ValueRange extents,
                   llvm::function_ref<void(mlir::OpBuilder &, mlir::ValueRange place)> body);

} // namespace attn

#endif // ATTN_LIB_CODEGEN_GPU_SIMT_THREADGRID_H
