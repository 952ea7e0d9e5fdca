//===- AttentionFolds.cpp - Canonicalizations of attention -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A region that says nothing goes away, then operands that no region reads, then offsets that nobody sees: what is left
// is what the fast kernels recognize.
//
//===----------------------------------------------------------------------===//

#include "attn/Dialect/Attn/IR/Attn.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/PatternMatch.h"

using namespace mlir;
using namespace attn;

namespace {

/// Removes a score region that yields its score, and a mask region that yields true.
struct DropTrivialRegions final : OpRewritePattern<AttentionOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(AttentionOp op, PatternRewriter &rewriter) const override {
    auto yielded = [](Region &region) {
      return region.empty() ? Value() : cast<YieldOp>(region.front().back()).getValues().front();
    };
    Value score = yielded(op.getScore()), mask = yielded(op.getMask());
    bool dropScore = score && score == op.getScore().getArgument(0);
    bool dropMask = mask && matchPattern(mask, m_One());
    if (!dropScore && !dropMask)
      return rewriter.notifyMatchFailure(op, "no region is trivial");
    rewriter.modifyOpInPlace(op, [&] {
      for (auto [drop, region] : {std::pair(dropScore, &op.getScore()), std::pair(dropMask, &op.getMask())})
        if (drop)
          rewriter.eraseBlock(&region->front());
    });
    return success();
  }
};

/// Removes operands `mapped` and `whole` that no region reads, and offsets where there is neither a region nor a range
/// that could see them.
struct DropUnreadOperands final : OpRewritePattern<AttentionOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(AttentionOp op, PatternRewriter &rewriter) const override {
    // From the end, operand i of mapped and whole together is the last argument but i of either region.
    unsigned count = op.getMapped().size() + op.getWhole().size();
    llvm::BitVector unread(count, true);
    for (Region *region : {&op.getScore(), &op.getMask()})
      if (!region->empty())
        for (auto [i, argument] : llvm::enumerate(region->getArguments().take_back(count)))
          if (!argument.use_empty())
            unread.reset(i);
    bool dropOffsets = !op.getOffsets().empty() && op.getScore().empty() && op.getMask().empty() && !op.getRanges();
    if (unread.none() && !dropOffsets)
      return rewriter.notifyMatchFailure(op, "everything is read");

    unsigned numMapped = op.getMapped().size();
    SmallVector<Value> mapped, whole;
    SmallVector<Attribute> maps(op.getMaps().getValue().take_front(3));
    for (unsigned i = 0; i < count; ++i) {
      if (unread.test(i))
        continue;
      if (i < numMapped) {
        mapped.push_back(op.getMapped()[i]);
        maps.push_back(op.getMaps()[3 + i]);
      } else {
        whole.push_back(op.getWhole()[i - numMapped]);
      }
    }
    llvm::append_range(maps, op.getMaps().getValue().drop_front(3 + numMapped));
    rewriter.modifyOpInPlace(op, [&] {
      for (Region *region : {&op.getScore(), &op.getMask()})
        if (!region->empty()) {
          Block &block = region->front();
          unsigned first = block.getNumArguments() - count;
          block.eraseArguments([&](BlockArgument argument) {
            return argument.getArgNumber() >= first && unread.test(argument.getArgNumber() - first);
          });
        }
      op.getMappedMutable().assign(mapped);
      op.getWholeMutable().assign(whole);
      op.setMapsAttr(rewriter.getArrayAttr(maps));
      if (dropOffsets)
        op.getOffsetsMutable().clear();
    });
    return success();
  }
};

/// Takes what casts are made of, and casts the results whose types change. The tensor dialect has this for all
/// destination-style ops, but it does not survive empty regions (MLIR 22); the benefit puts this pattern before that.
template <typename OpTy>
struct FoldCasts final : OpRewritePattern<OpTy> {
  explicit FoldCasts(MLIRContext *context) : OpRewritePattern<OpTy>(context, /*benefit=*/10) {}

  LogicalResult matchAndRewrite(OpTy op, PatternRewriter &rewriter) const override {
    if (!tensor::hasFoldableTensorCastOperand(op))
      return rewriter.notifyMatchFailure(op, "no operand is a cast from a more static type");
    SmallVector<Type> types;
    SmallVector<Value> operands = tensor::getUpdatedOperandsAfterCastOpFolding(op, types);
    rewriter.modifyOpInPlace(op, [&] { op->setOperands(operands); });
    rewriter.setInsertionPointAfter(op);
    for (unsigned i = 0, e = types.size(); i < e; ++i) {
      OpResult result = op->getResult(i);
      Type old = result.getType();
      if (old == types[i])
        continue;
      rewriter.modifyOpInPlace(op, [&] { result.setType(types[i]); });
      auto cast = tensor::CastOp::create(rewriter, op.getLoc(), old, result);
      rewriter.replaceAllUsesExcept(result, cast, cast);
    }
    return success();
  }
};

} // namespace

void AttentionOp::getCanonicalizationPatterns(RewritePatternSet &patterns, MLIRContext *context) {
  patterns.add<FoldCasts<AttentionOp>, DropTrivialRegions, DropUnreadOperands>(context);
}

void OnlineAttentionOp::getCanonicalizationPatterns(RewritePatternSet &patterns, MLIRContext *context) {
  patterns.add<FoldCasts<OnlineAttentionOp>>(context);
}
