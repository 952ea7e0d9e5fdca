//===- RaiseGelu.cpp - GELU out of its parts --------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Exporters write the formula, in every order of its factors. As one op it is one polynomial in an epilogue.
//
//===----------------------------------------------------------------------===//

#include "Expressions.h"
#include "Utils.h"
#include "attn/Dialect/Attn/Transforms/Passes.h"
#include "attn/Dialect/Attn/Transforms/Transforms.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace attn {
#define GEN_PASS_DEF_RAISEGELUPASS
#include "attn/Dialect/Attn/Transforms/Passes.h.inc"
} // namespace attn

using namespace mlir;
using namespace attn;

/// The one tensor that is a factor of `product`, as it stands.
static Value onlyFactor(const Product &product, size_t count = 1) {
  if (product.factors.size() != count)
    return {};
  for (const ElementOperand &factor : product.factors)
    if (factor.tensor != product.factors.front().tensor || !factor.map.isIdentity())
      return {};
  return product.factors.front().tensor;
}

/// The cube of `x` times 0.044715, as a product or a power.
static bool isCubeTerm(Value value, Value x) {
  Product product = productOf(value);
  if (!isNearly(product.coefficient, 0.044715))
    return false;
  if (onlyFactor(product, 3) == x)
    return true;
  Value power = onlyFactor(product);
  std::optional<ElementOp> op = power ? elementOpOf(power) : std::nullopt;
  return op && llvm::isa<math::PowFOp>(op->scalar) && op->operands[0].tensor == x && op->operands[0].map.isIdentity() &&
         op->operands[1].constant == std::optional<double>(3.0);
}

/// sqrt(2 / pi) * (x + 0.044715 x^3)
static bool isTanhArgument(Value value, Value x) {
  Product product = productOf(value);
  if (!isNearly(product.coefficient, 0.7978845608028654))
    return false;
  if (Value inner = onlyFactor(product)) {
    Sum sum = sumOf(inner);
    if (sum.constant != 0.0 || sum.terms.size() != 2)
      return false;
    for (unsigned i : {0, 1})
      if (sum.terms[i].tensor == x && sum.terms[i].map.isIdentity() && sum.terms[1 - i].map.isIdentity() &&
          isCubeTerm(sum.terms[1 - i].tensor, x))
        return true;
    return false;
  }
  // x * (1 + 0.044715 x^2)
  if (product.factors.size() != 2)
    return false;
  for (unsigned i : {0, 1}) {
    const ElementOperand &self = product.factors[i], &other = product.factors[1 - i];
    if (self.tensor != x || !self.map.isIdentity() || !other.map.isIdentity())
      continue;
    Sum sum = sumOf(other.tensor);
    if (sum.constant != 1.0 || sum.terms.size() != 1 || !sum.terms[0].map.isIdentity())
      continue;
    Product square = productOf(sum.terms[0].tensor);
    if (isNearly(square.coefficient, 0.044715) && onlyFactor(square, 2) == x)
      return true;
  }
  return false;
}

/// Whether `value` is 1 + erf(x / sqrt(2)) (0) or 1 + tanh(...) (1).
static std::optional<bool> matchGate(Value value, Value x) {
  Sum sum = sumOf(value);
  if (sum.constant != 1.0 || sum.terms.size() != 1 || !sum.terms[0].map.isIdentity())
    return std::nullopt;
  std::optional<ElementOp> function = elementOpOf(sum.terms[0].tensor);
  if (!function || function->operands.size() != 1 || !function->operands[0].tensor ||
      !function->operands[0].map.isIdentity())
    return std::nullopt;
  Value argument = function->operands[0].tensor;
  if (llvm::isa<math::ErfOp>(function->scalar)) {
    Product product = productOf(argument);
    bool matches = isNearly(product.coefficient, 0.7071067811865476) && onlyFactor(product) == x;
    return matches ? std::optional(false) : std::nullopt;
  }
  if (llvm::isa<math::TanhOp>(function->scalar) && isTanhArgument(argument, x))
    return true;
  return std::nullopt;
}

namespace {

/// Matches at the last multiplication, where everything before it has been built.
template <typename OpTy>
struct RaiseGelu final : OpRewritePattern<OpTy> {
  using OpRewritePattern<OpTy>::OpRewritePattern;

  LogicalResult matchAndRewrite(OpTy op, PatternRewriter &rewriter) const override {
    if (op->getNumResults() != 1 || !llvm::isa<RankedTensorType>(op->getResult(0).getType()))
      return failure();
    Value result = op->getResult(0);
    if (!llvm::isa<FloatType>(getElementTypeOrSelf(result.getType())))
      return failure();
    Product product = productOf(result);
    if (product.factors.size() != 2 || !isNearly(product.coefficient, 0.5))
      return rewriter.notifyMatchFailure(op, "not half of a product of two tensors");
    for (unsigned i : {0, 1}) {
      const ElementOperand &x = product.factors[i], &gate = product.factors[1 - i];
      if (!x.map.isIdentity() || !gate.map.isIdentity() || x.tensor.getType() != result.getType())
        continue;
      std::optional<bool> approximate = matchGate(gate.tensor, x.tensor);
      if (!approximate)
        continue;
      auto gelu = GeluOp::create(rewriter, op.getLoc(), result.getType(), x.tensor, *approximate);
      remarkDone(gelu, "RaiseGelu") << (*approximate ? "the tanh form is a GELU" : "the erf form is a GELU");
      rewriter.replaceOp(op, gelu);
      return success();
    }
    return rewriter.notifyMatchFailure(op, "no factor is one plus erf or tanh of the other");
  }
};

struct RaiseGeluPass final : attn::impl::RaiseGeluPassBase<RaiseGeluPass> {
  using Base::Base;

  void runOnOperation() override {
    int64_t before = countOps<GeluOp>(getOperation());
    RewritePatternSet patterns(&getContext());
    populateRaiseGeluPatterns(patterns);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      return signalPassFailure();
    numRaised += countOps<GeluOp>(getOperation()) - before;
  }
};

} // namespace

void attn::populateRaiseGeluPatterns(RewritePatternSet &patterns) {
  patterns.add<RaiseGelu<linalg::GenericOp>, RaiseGelu<arith::MulFOp>>(patterns.getContext());
}
