//===- KernelFunction.h - The function of a GPU kernel and its arguments --*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The order of a kernel's arguments is data, `arguments` of #attn.gpu_launch. Here it becomes a signature, and
// arguments are found by what they are, so no code counts positions.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_CODEGEN_GPU_KERNELFUNCTION_H
#define ATTN_LIB_CODEGEN_GPU_KERNELFUNCTION_H

#include "attn/Codegen/GPU/AttentionKernel.h"
#include "attn/Codegen/GPU/ThreadEmitter.h"
#include "attn/Dialect/Attn/IR/GPUSharedLayout.h"

namespace attn {

/// A kernel's function while its body is emitted.
class KernelFunction {
public:
  KernelFunction(mlir::OpBuilder &builder, mlir::LLVM::LLVMFuncOp function, GPULaunchAttr launch);

  /// An empty function at the end of `module`.
  static mlir::LLVM::LLVMFuncOp create(mlir::gpu::GPUModuleOp module, mlir::Location loc, llvm::StringRef name,
                                       GPULaunchAttr launch);

  ThreadEmitter &getEmitter() { return emit; }
  /// The argument of this kind, of three strides the `part`-th: those of batch rows, heads, rows. Null if there is
  /// none.
  mlir::Value argument(GPUArgumentKind kind, unsigned part = 0);

  /// The block's shared memory from `offset` on.
  mlir::Value shared(int64_t offset) { return emit.address(sharedBase, offset); }
  mlir::Value shared(mlir::Value offset) { return emit.address(sharedBase, offset); }
  /// Its address as an i32.
  mlir::Value sharedAddress(int64_t offset);

  mlir::Value threadIndex(); ///< In the block.
  mlir::Value blockIndex();  ///< In the grid.
  mlir::Value blockCount();  ///< Of the grid.

private:
  mlir::LLVM::LLVMFuncOp function;
  GPULaunchAttr launch;
  ThreadEmitter emit;
  mlir::Value sharedBase;
};

} // namespace attn

#endif // ATTN_LIB_CODEGEN_GPU_KERNELFUNCTION_H
