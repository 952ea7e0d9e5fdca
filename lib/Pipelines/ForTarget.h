//===- ForTarget.h - Passes by the kind of a module's target ----*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// CPUs and GPUs share the stages and go through other passes in some: each kind's are a straight line of their own.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_PIPELINES_FORTARGET_H
#define ATTN_LIB_PIPELINES_FORTARGET_H

#include "attn/Pipelines/Stages.h"
#include "mlir/Pass/PassManager.h"

namespace attn {

/// Adds passes on a target's module.
using PipelineBuilder = void (*)(mlir::OpPassManager &module, const PipelineOptions &options);

/// Runs on each target's module what `cpu` or `gpu` adds.
void addForTarget(mlir::OpPassManager &pm, PipelineBuilder cpu, PipelineBuilder gpu, const PipelineOptions &options);

} // namespace attn

#endif // ATTN_LIB_PIPELINES_FORTARGET_H
