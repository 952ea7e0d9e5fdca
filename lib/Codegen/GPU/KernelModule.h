//===- KernelModule.h - The module that kernels stand in --------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_CODEGEN_GPU_KERNELMODULE_H
#define ATTN_LIB_CODEGEN_GPU_KERNELMODULE_H

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/IR/BuiltinOps.h"

namespace attn {

/// The `gpu.module` for kernels of `parent`, made at its end if there is none: @kernels of the GPU that the module's
/// `attn.target` names, which is one image in the end; where it names none, one for `chip`.
mlir::gpu::GPUModuleOp getOrCreateKernelModule(mlir::ModuleOp parent, llvm::StringRef chip);

} // namespace attn

#endif // ATTN_LIB_CODEGEN_GPU_KERNELMODULE_H
