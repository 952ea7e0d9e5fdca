//===- ExpandRows.cpp - Row ops as loops on vectors -------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The kernels are in LayerNorm.cpp, Embedding.cpp and KeyRanges.cpp.
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
#define GEN_PASS_DEF_EXPANDROWSPASS
#include "attn/Codegen/CPU/Passes.h.inc"
} // namespace attn

using namespace mlir;
using namespace attn;

namespace {
struct ExpandRowsPass final : attn::impl::ExpandRowsPassBase<ExpandRowsPass> {
  using Base::Base;
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    populateNormPatterns(patterns);
    populateEmbeddingPatterns(patterns);
    populateKeyRangesPatterns(patterns);
    if (failed(expandKernels<LayerNormOp, RMSNormOp, EmbeddingOp, KeyRangesOp>(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace
