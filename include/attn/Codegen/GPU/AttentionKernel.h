//===- AttentionKernel.h - Attention as one GPU kernel -------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Builds the function of a kernel from data: its schedule (#attn.gpu_attention_kernel), element type and mask. Softmax
// and its inner loop are in lib/Codegen/GPU; what differs between tensor core instructions is in Mma and Wgmma there:
//
//   Wgmma/Kernel.cpp     who does what: one warp loads, the others compute
//   Wgmma/Producer.cpp   TMA loads into the rings of key and value tiles
//   Wgmma/Consumer.cpp   the loop over keys: scores, softmax, outputs
//   Wgmma/Epilogue.cpp   outputs and log-sum-exps on their way to memory
//   Mma/Kernel.cpp       the same for mma, where each warp loads and computes
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_CODEGEN_GPU_ATTENTIONKERNEL_H
#define ATTN_CODEGEN_GPU_ATTENTIONKERNEL_H

#include "attn/Dialect/Attn/IR/Attn.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

namespace attn {

/// What a kernel computes and how.
struct AttentionKernelSpec {
  GPUAttentionKernelAttr schedule;
  mlir::Type elementType; ///< f16 or bf16, of queries, keys, values and outputs.
  bool causal = false;    ///< Key k counts for query q if k <= q.
  bool logSumExp = false; ///< Writes the log-sum-exp of each row too.

  bool operator==(const AttentionKernelSpec &other) const {
    return schedule == other.schedule && elementType == other.elementType && causal == other.causal &&
           logSumExp == other.logSumExp;
  }
};

/// What the kernel is called: unique among kernels that differ in more than details of their schedules.
std::string getKernelName(const AttentionKernelSpec &spec);

/// How the kernel is launched, and with which arguments.
GPULaunchAttr getLaunch(const AttentionKernelSpec &spec);

/// Makes the kernel's function `name` at the end of `module`, with its launch as the attribute `attn.gpu_launch`.
mlir::LLVM::LLVMFuncOp buildAttentionKernel(mlir::gpu::GPUModuleOp module, mlir::Location loc, llvm::StringRef name,
                                            const AttentionKernelSpec &spec);

} // namespace attn

#endif // ATTN_CODEGEN_GPU_ATTENTIONKERNEL_H
