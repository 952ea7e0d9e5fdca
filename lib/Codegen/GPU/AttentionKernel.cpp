//===- AttentionKernel.cpp - Attention as one GPU kernel -----*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Codegen/GPU/AttentionKernel.h"
#include "Mma/Kernel.h"
#include "Wgmma/Kernel.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace attn;

std::string attn::getKernelName(const AttentionKernelSpec &spec) {
  GPUAttentionKernelAttr schedule = spec.schedule;
  return llvm::formatv("attention_{0}_{1}_d{2}_{3}x{4}{5}{6}", stringifyMatrixInstruction(schedule.getInstruction()),
                       spec.elementType.isBF16() ? "bf16" : "f16", schedule.getHeadSize(), schedule.getQueryBlock(),
                       schedule.getKeyBlock(), spec.causal ? "_causal" : "", spec.logSumExp ? "_lse" : "");
}

GPULaunchAttr attn::getLaunch(const AttentionKernelSpec &spec) {
  using Kind = GPUArgumentKind;
  GPUAttentionKernelAttr schedule = spec.schedule;
  MLIRContext *context = schedule.getContext();
  SmallVector<GPUArgumentAttr> arguments;
  auto add = [&](Kind kind, int64_t rows = 0) { arguments.push_back(GPUArgumentAttr::get(context, kind, rows)); };

  if (schedule.isWgmma()) {
    add(Kind::QueryMap, schedule.getQueryBlock());
    add(Kind::KeyMap, schedule.getKeyBlock());
    add(Kind::ValueMap, schedule.getKeyBlock());
    add(Kind::OutputMap, 64); // of one warpgroup
  } else {
    for (Kind kind : {Kind::Query, Kind::Key, Kind::Value, Kind::Output, Kind::QueryStrides, Kind::KeyStrides,
                      Kind::ValueStrides, Kind::OutputStrides})
      add(kind);
  }
  if (spec.logSumExp)
    add(Kind::LogSumExp);
  for (Kind kind : {Kind::QueryLength, Kind::KeyLength, Kind::Scale, Kind::Batch, Kind::Heads, Kind::HeadsPerKeyHead,
                    Kind::HeadsTogether})
    add(kind);
  if (schedule.getOrder() == TileOrder::Dynamic)
    add(Kind::TileCounter);
  return GPULaunchAttr::get(context, schedule.getThreads(), GPUSharedLayout(schedule).bytes, schedule.getQueryBlock(),
                            schedule.getOrder(), arguments);
}

LLVM::LLVMFuncOp attn::buildAttentionKernel(gpu::GPUModuleOp module, Location loc, StringRef name,
                                            const AttentionKernelSpec &spec) {
  GPULaunchAttr launch = getLaunch(spec);
  LLVM::LLVMFuncOp function = KernelFunction::create(module, loc, name, launch);
  OpBuilder builder(module.getContext());
  KernelFunction kernel(builder, function, launch);
  if (spec.schedule.isWgmma())
    emitWarpgroupKernel(kernel, spec);
  else
    emitWarpKernel(kernel, spec);
  return function;
}
