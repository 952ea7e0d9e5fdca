//===- Epilogue.h - Attention with wgmma: results to memory --*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Outputs go from registers through shared memory, where each warpgroup has its own 64 rows of the output tile:
// stmatrix writes them in the swizzled layout of TMA, and one thread issues the copies, which leave out rows and
// channels beyond the tensor's ends. The copies run on while the warps begin the next tile.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_CODEGEN_GPU_WGMMA_EPILOGUE_H
#define ATTN_LIB_CODEGEN_GPU_WGMMA_EPILOGUE_H

#include "../Fragment.h"
#include "Kernel.h"

namespace attn {

class Epilogue {
public:
  Epilogue(WarpgroupKernel &kernel, mlir::Value group);

  /// `row` is the query of the thread's first row.
  void storeLogSumExp(llvm::ArrayRef<mlir::Value> values, const Tile &tile, mlir::Value row);
  void storeOutputs(const Fragment &outputs, const Tile &tile);
  /// Before the block ends: its shared memory has been read.
  void finish();

private:
  /// All threads of the warpgroup meet.
  void meet();
  void waitForCopies();

  WarpgroupKernel &kernel;
  ThreadEmitter &emit;
  mlir::Value group;
  mlir::Value thread, lane, warp;
  mlir::Value issues; ///< Whether this thread issues its warpgroup's copies.
};

} // namespace attn

#endif // ATTN_LIB_CODEGEN_GPU_WGMMA_EPILOGUE_H
