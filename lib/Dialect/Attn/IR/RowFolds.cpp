//===- RowFolds.cpp - Folds and canonicalizations of ops on rows -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// attn.linear drops extras that its epilogue doesn't read and merges those it reads twice, so that every kernel with
// the same meaning is the same kernel. Casts of operands fold by the tensor dialect's pattern for destination-style
// ops.
//
//===----------------------------------------------------------------------===//

#include "attn/Dialect/Attn/IR/Attn.h"
#include "mlir/Dialect/CommonFolders.h"
#include "mlir/IR/PatternMatch.h"
#include <cmath>

using namespace mlir;
using namespace attn;

//===----------------------------------------------------------------------===//
// gelu
//===----------------------------------------------------------------------===//

static double gelu(double x, bool approximate) {
  if (approximate)
    return x / 2 * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
  // erfc keeps the small results of large negative x, where 1 + erf is 0.
  return x / 2 * std::erfc(-x / M_SQRT2);
}

OpFoldResult GeluOp::fold(FoldAdaptor adaptor) {
  auto compute = [&](const APFloat &value) -> std::optional<APFloat> {
    bool lost;
    APFloat wide = value;
    wide.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &lost);
    APFloat result(gelu(wide.convertToDouble(), getApproximate()));
    if (!result.isFinite())
      return std::nullopt;
    result.convert(value.getSemantics(), APFloat::rmNearestTiesToEven, &lost);
    return result;
  };
  return constFoldUnaryOpConditional<FloatAttr, APFloat, void>(adaptor.getOperands(), compute);
}

//===----------------------------------------------------------------------===//
// linear
//===----------------------------------------------------------------------===//

namespace {

/// Removes extras that nothing reads and those that stand there twice.
struct SimplifyExtras final : OpRewritePattern<LinearOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(LinearOp op, PatternRewriter &rewriter) const override {
    Block &block = op.getEpilogue().front();
    SmallVector<Value> extras(op.getExtras());
    SmallVector<Attribute> maps(op.getExtraMaps().getValue());
    SmallVector<unsigned> dropped;
    for (unsigned i = 0; i < extras.size(); ++i) {
      BlockArgument argument = block.getArgument(1 + i);
      unsigned first = 0;
      while (first < i && (extras[first] != extras[i] || maps[first] != maps[i]))
        ++first;
      if (first < i)
        rewriter.replaceAllUsesWith(argument, block.getArgument(1 + first));
      if (first < i || argument.use_empty())
        dropped.push_back(i);
    }
    if (dropped.empty())
      return rewriter.notifyMatchFailure(op, "every extra is read");
    rewriter.modifyOpInPlace(op, [&] {
      for (unsigned i : llvm::reverse(dropped)) {
        block.eraseArgument(1 + i);
        extras.erase(extras.begin() + i);
        maps.erase(maps.begin() + i);
      }
      op.getExtrasMutable().assign(extras);
      op.setExtraMapsAttr(rewriter.getArrayAttr(maps));
    });
    return success();
  }
};

} // namespace

void LinearOp::getCanonicalizationPatterns(RewritePatternSet &patterns, MLIRContext *context) {
  patterns.add<SimplifyExtras>(context);
}
