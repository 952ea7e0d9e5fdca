//===- GPUSupport.h - What GPU kernels can run ------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_CODEGEN_SCHEDULE_GPUSUPPORT_H
#define ATTN_CODEGEN_SCHEDULE_GPUSUPPORT_H

#include "attn/Dialect/Attn/IR/Attn.h"
#include "attn/TargetInfo/TargetInfo.h"

namespace attn {

/// The GPU that a module around `op` names as its target; null where none does.
const Target *findGPU(mlir::Operation *op);

/// Why no kernel of tensor cores computes this op, whatever its schedule; empty where one can.
std::string whyNotOnTensorCores(AttentionOp op);
std::string whyNotOnTensorCores(LinearOp op);

/// True for the mask key <= query; other masks than it and none have no kernel.
bool isCausalMask(mlir::Region &mask);

/// How many heads of queries share a head of keys, as the maps of an op with a kernel say it.
int64_t getHeadsPerKeyHead(AttentionOp op);

/// True where the schedule of `op` is a kernel of a GPU: the op stays whole until the stage `kernel`.
bool hasGPUKernel(mlir::Operation *op);

} // namespace attn

#endif // ATTN_CODEGEN_SCHEDULE_GPUSUPPORT_H
