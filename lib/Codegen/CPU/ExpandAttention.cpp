//===- ExpandAttention.cpp - Tiled attention as register tiles --*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The kernels are in OnlineAttention.cpp, OnlineFinish.cpp and Pack.cpp.
//
//===----------------------------------------------------------------------===//

#include "KernelPattern.h"
#include "attn/Codegen/CPU/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace attn {
#define GEN_PASS_DEF_EXPANDATTENTIONPASS
#include "attn/Codegen/CPU/Passes.h.inc"
} // namespace attn

using namespace mlir;
using namespace attn;

namespace {
struct ExpandAttentionPass final : attn::impl::ExpandAttentionPassBase<ExpandAttentionPass> {
  using Base::Base;
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    populateOnlineAttentionPatterns(patterns);
    populateOnlineFinishPatterns(patterns);
    populatePackPatterns(patterns);
    if (failed(expandKernels<OnlineAttentionOp, OnlineFinishOp, PackOp>(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace
