//===- Kernel.h - Attention with mma -------------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Each warp of a block has 16 or 32 queries; all warps load tiles of keys and of values together, by cp.async, one
// buffer each: the next block's keys arrive while outputs are computed, and a block's values while its scores are.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_CODEGEN_GPU_MMA_KERNEL_H
#define ATTN_LIB_CODEGEN_GPU_MMA_KERNEL_H

#include "../KernelFunction.h"

namespace attn {

/// Emits all of the kernel.
void emitWarpKernel(KernelFunction &function, const AttentionKernelSpec &spec);

} // namespace attn

#endif // ATTN_LIB_CODEGEN_GPU_MMA_KERNEL_H
