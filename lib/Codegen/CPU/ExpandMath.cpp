//===- ExpandMath.cpp - Functions of f32 as polynomials ---------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Codegen/CPU/Approximations.h"
#include "attn/Codegen/CPU/Passes.h"
#include "attn/Codegen/CPU/Patterns.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Transforms/WalkPatternRewriteDriver.h"

namespace attn {
#define GEN_PASS_DEF_EXPANDMATHPASS
#include "attn/Codegen/CPU/Passes.h.inc"
} // namespace attn

using namespace mlir;
using namespace attn;

namespace {

/// Replaces an op of one operand by what a member of FunctionEmitter emits.
template <typename OpTy>
struct ExpandFunction final : OpRewritePattern<OpTy> {
  using Function = Value (FunctionEmitter::*)(Value);
  ExpandFunction(MLIRContext *context, Function function) : OpRewritePattern<OpTy>(context), function(function) {}

  LogicalResult matchAndRewrite(OpTy op, PatternRewriter &rewriter) const override {
    if (!FunctionEmitter::isSupported(op.getType()))
      return rewriter.notifyMatchFailure(op, "neither f32 nor a vector of f32");
    FunctionEmitter emitter(rewriter, op.getLoc(), op.getType());
    rewriter.replaceOp(op, (emitter.*function)(op->getOperand(0)));
    return success();
  }

private:
  Function function;
};

struct ExpandGelu final : OpRewritePattern<GeluOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(GeluOp op, PatternRewriter &rewriter) const override {
    if (!FunctionEmitter::isSupported(op.getType()))
      return rewriter.notifyMatchFailure(op, "neither f32 nor a vector of f32");
    FunctionEmitter emitter(rewriter, op.getLoc(), op.getType());
    rewriter.replaceOp(op, op.getApproximate() ? emitter.geluTanh(op.getInput()) : emitter.gelu(op.getInput()));
    return success();
  }
};

struct ExpandMathPass final : attn::impl::ExpandMathPassBase<ExpandMathPass> {
  using Base::Base;
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    populateExpandMathPatterns(patterns);
    walkAndApplyPatterns(getOperation(), std::move(patterns));
  }
};

} // namespace

void attn::populateExpandMathPatterns(RewritePatternSet &patterns) {
  MLIRContext *context = patterns.getContext();
  patterns.add<ExpandFunction<math::ExpOp>>(context, &FunctionEmitter::exp);
  patterns.add<ExpandFunction<math::Exp2Op>>(context, &FunctionEmitter::exp2);
  patterns.add<ExpandFunction<math::LogOp>>(context, &FunctionEmitter::log);
  patterns.add<ExpandFunction<math::TanhOp>>(context, &FunctionEmitter::tanh);
  patterns.add<ExpandFunction<math::ErfOp>>(context, &FunctionEmitter::erf);
  patterns.add<ExpandFunction<math::ErfcOp>>(context, &FunctionEmitter::erfc);
  patterns.add<ExpandGelu>(context);
}
