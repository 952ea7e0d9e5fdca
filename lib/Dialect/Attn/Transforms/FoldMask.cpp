//===- FoldMask.cpp - Key masks out of attention's mask region ---*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A padding mask is one integer a key. As data beside the op, not code inside it, it is looked at once at entry: where
// a batch row's keys are one range, which is nearly always so, the range becomes a loop bound and no element is ever
// tested. The mask stays as an operand for rows with holes.
//
//===----------------------------------------------------------------------===//

#include "Utils.h"
#include "attn/Dialect/Attn/Transforms/Passes.h"
#include "attn/Dialect/Attn/Transforms/Transforms.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Dominance.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace attn {
#define GEN_PASS_DEF_FOLDMASKPASS
#include "attn/Dialect/Attn/Transforms/Passes.h.inc"
} // namespace attn

using namespace mlir;
using namespace attn;

/// Block arguments of a region before those of `mapped`: (score,) b, h, q, k.
static constexpr unsigned kMaskLeading = 4, kScoreLeading = 5;

/// The index among `mapped` that `element` is, where it is an argument of the mask region for one of them.
static std::optional<unsigned> mappedIndex(AttentionOp op, Value element) {
  auto argument = dyn_cast<BlockArgument>(element);
  if (!argument || argument.getOwner() != &op.getMask().front() || argument.getArgNumber() < kMaskLeading)
    return std::nullopt;
  unsigned index = argument.getArgNumber() - kMaskLeading;
  return index < op.getMapped().size() ? std::optional(index) : std::nullopt;
}

/// The tensor element that `condition` asks to be not 0; null where it asks something else.
static Value testedElement(Value condition) {
  if (isa<BlockArgument>(condition))
    return condition; // An i1 element is its own test.
  auto compare = condition.getDefiningOp<arith::CmpIOp>();
  if (!compare)
    return {};
  using P = arith::CmpIPredicate;
  if (compare.getPredicate() == P::ne)
    return matchPattern(compare.getRhs(), m_Zero())   ? compare.getLhs()
           : matchPattern(compare.getLhs(), m_Zero()) ? compare.getRhs()
                                                      : Value();
  // Above 0 without a sign is not 0.
  if (compare.getPredicate() == P::ugt && matchPattern(compare.getRhs(), m_Zero()))
    return compare.getLhs();
  if (compare.getPredicate() == P::ult && matchPattern(compare.getLhs(), m_Zero()))
    return compare.getRhs();
  return {};
}

/// The conditions of which `condition` is the conjunction.
static void collectConjuncts(Value condition, SmallVectorImpl<Value> &conjuncts) {
  if (auto conjunction = condition.getDefiningOp<arith::AndIOp>()) {
    collectConjuncts(conjunction.getLhs(), conjuncts);
    collectConjuncts(conjunction.getRhs(), conjuncts);
    return;
  }
  conjuncts.push_back(condition);
}

namespace {

/// A conjunct of a mask region that a key mask can say.
struct KeyMaskTest {
  Value condition;
  unsigned mapped;
};

} // namespace

static SmallVector<Value> conjunctsOf(AttentionOp op) {
  SmallVector<Value> conjuncts;
  collectConjuncts(cast<YieldOp>(op.getMask().front().getTerminator()).getValues().front(), conjuncts);
  return conjuncts;
}

/// The first conjunct that tests an element read by (b, k), or a reason in `why`.
static std::optional<KeyMaskTest> findKeyMaskTest(AttentionOp op, std::string &why) {
  if (op.getKeyMask() || op.getRanges()) {
    why = "the op has a key mask already";
    return std::nullopt;
  }
  AffineMap perKey = AffineMap::getMultiDimMapWithTargets(6, {AttentionOp::Batch, AttentionOp::Key}, op.getContext());
  why = "the mask region does not test that an element is not 0";
  for (Value conjunct : conjunctsOf(op)) {
    Value element = testedElement(conjunct);
    std::optional<unsigned> index = element ? mappedIndex(op, element) : std::nullopt;
    if (!index)
      continue;
    if (!isa<RankedTensorType>(op.getMapped()[*index].getType()))
      why = "the mask is not a tensor";
    else if (op.getMappedMap(*index) != perKey)
      why = "the mask region tests an element that is not read by (b, k) alone";
    else
      return KeyMaskTest{conjunct, *index};
  }
  return std::nullopt;
}

std::string attn::whyMaskStays(AttentionOp op) {
  std::string why;
  if (op.getMask().empty() || findKeyMaskTest(op, why))
    return {};
  return why;
}

/// The ranges of `mask`, computed right after it; those that are there already are used again.
static Value getKeyRanges(PatternRewriter &rewriter, Location loc, Value mask, AttentionOp user) {
  DominanceInfo dominance;
  for (Operation *other : mask.getUsers())
    if (auto ranges = dyn_cast<KeyRangesOp>(other))
      if (ranges.getMask() == mask && ranges->getNumResults() == 1 && dominance.properlyDominates(other, user))
        return ranges.getResult(0);
  OpBuilder::InsertionGuard guard(rewriter);
  rewriter.setInsertionPointAfterValue(mask);
  Location rangesLoc = partLocation(mask.getLoc(), "key_ranges");
  SmallVector<OpFoldResult> sizes = {tensor::getMixedSize(rewriter, rangesLoc, mask, 0), rewriter.getIndexAttr(4)};
  Value init = createDestination(rewriter, rangesLoc, sizes, rewriter.getI64Type());
  return KeyRangesOp::create(rewriter, rangesLoc, init.getType(), mask, init, RowKernelAttr()).getResult(0);
}

/// Removes the operand `index` of `mapped`, its map and its region arguments, where neither region reads it.
static void dropMappedIfUnused(PatternRewriter &rewriter, AttentionOp op, unsigned index) {
  auto argumentOf = [&](Region &region, unsigned leading) {
    return region.empty() ? BlockArgument() : region.getArgument(leading + index);
  };
  BlockArgument inMask = argumentOf(op.getMask(), kMaskLeading), inScore = argumentOf(op.getScore(), kScoreLeading);
  if ((inMask && !inMask.use_empty()) || (inScore && !inScore.use_empty()))
    return;
  for (BlockArgument argument : {inMask, inScore})
    if (argument)
      argument.getOwner()->eraseArgument(argument.getArgNumber());
  op.getMappedMutable().erase(index);
  SmallVector<Attribute> maps(op.getMaps().getValue());
  maps.erase(maps.begin() + 3 + index);
  op.setMapsAttr(rewriter.getArrayAttr(maps));
}

/// Makes the mask region yield the conjunction of `conditions`; without any, there is no region.
static void setMaskRegion(PatternRewriter &rewriter, AttentionOp op, ArrayRef<Value> conditions) {
  if (conditions.empty()) {
    rewriter.eraseBlock(&op.getMask().front());
    return;
  }
  OpBuilder::InsertionGuard guard(rewriter);
  Operation *yield = op.getMask().front().getTerminator();
  rewriter.setInsertionPoint(yield);
  Value all = conditions.front();
  for (Value condition : conditions.drop_front())
    all = arith::AndIOp::create(rewriter, yield->getLoc(), all, condition);
  rewriter.modifyOpInPlace(yield, [&] { yield->setOperand(0, all); });
  // What computed the folded condition is dead now; it is still a use of the element.
  for (Operation &dead : llvm::make_early_inc_range(llvm::reverse(op.getMask().front())))
    if (isOpTriviallyDead(&dead))
      rewriter.eraseOp(&dead);
}

namespace {

struct FoldKeyMask final : OpRewritePattern<AttentionOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(AttentionOp op, PatternRewriter &rewriter) const override {
    if (op.getMask().empty())
      return failure();
    std::string why;
    std::optional<KeyMaskTest> test = findKeyMaskTest(op, why);
    if (!test)
      return rewriter.notifyMatchFailure(op, why);

    Value mask = op.getMapped()[test->mapped];
    Value ranges = getKeyRanges(rewriter, op.getLoc(), mask, op);
    SmallVector<Value> rest = conjunctsOf(op);
    llvm::erase(rest, test->condition);
    rewriter.modifyOpInPlace(op, [&] {
      setMaskRegion(rewriter, op, rest);
      dropMappedIfUnused(rewriter, op, test->mapped);
      op.getRangesMutable().assign(ranges);
      op.getKeyMaskMutable().assign(mask);
    });
    remarkDone(op, "FoldMask") << (rest.empty() ? "mask became key ranges" : "part of the mask became key ranges");
    return success();
  }
};

struct FoldMaskPass final : attn::impl::FoldMaskPassBase<FoldMaskPass> {
  using Base::Base;

  void runOnOperation() override {
    auto countMasked = [&] {
      int64_t count = 0;
      getOperation().walk([&](AttentionOp op) { count += op.getKeyMask() != nullptr; });
      return count;
    };
    int64_t before = countMasked();
    RewritePatternSet patterns(&getContext());
    populateFoldMaskPatterns(patterns);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      return signalPassFailure();
    numFolded += countMasked() - before;
    getOperation().walk([&](AttentionOp op) {
      if (std::string why = whyMaskStays(op); !why.empty())
        remarkMissed(op, "FoldMask") << remark::add("a mask region stays: {0}", why);
    });
  }
};

} // namespace

void attn::populateFoldMaskPatterns(RewritePatternSet &patterns) { patterns.add<FoldKeyMask>(patterns.getContext()); }
