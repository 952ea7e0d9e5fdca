//===- FoldMask.cpp - Key masks out of attention's mask region ---*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A padding mask is one integer a key. As data beside the op, not code inside it, it is looked at once at entry: where
// a batch row's keys are one range, which is nearly always so, the range becomes a loop bound and no element is ever
// tested. The mask stays as an operand for rows with holes. Lengths of batch rows are such ranges from the start.
//
//===----------------------------------------------------------------------===//

#include "Utils.h"
#include "attn/Dialect/Attn/Transforms/Passes.h"
#include "attn/Dialect/Attn/Transforms/Transforms.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
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

//===----------------------------------------------------------------------===//
// Bounds
//===----------------------------------------------------------------------===//

namespace {

/// A conjunct of a mask region that compares the key's index with an element read by b alone.
struct BoundTest {
  Value condition;
  unsigned mapped;
  /// True for the first key, false for the one after the last.
  bool isBegin;
  /// What is added to the element to make it that.
  int64_t added;
};

} // namespace

/// `value` before casts that keep what it is. Narrow integers do not hold every index.
static Value skipIndexCasts(Value value) {
  while (Operation *cast = value.getDefiningOp()) {
    if (!isa<arith::IndexCastOp, arith::ExtSIOp>(cast))
      break;
    auto type = dyn_cast<IntegerType>(value.getType());
    Value from = cast->getOperand(0);
    if (type && isa<IndexType>(from.getType()) && type.getWidth() < 32)
      break;
    value = from;
  }
  return value;
}

static std::optional<BoundTest> matchBound(AttentionOp op, Value condition) {
  using P = arith::CmpIPredicate;
  auto compare = condition.getDefiningOp<arith::CmpIOp>();
  if (!compare)
    return std::nullopt;
  Value key = skipIndexCasts(compare.getLhs()), bound = skipIndexCasts(compare.getRhs());
  P predicate = compare.getPredicate();
  Value index = op.getMask().getArgument(AttentionOp::Key);
  if (bound == index) {
    std::swap(key, bound);
    predicate = predicate == P::sgt   ? P::slt
                : predicate == P::sge ? P::sle
                : predicate == P::slt ? P::sgt
                : predicate == P::sle ? P::sge
                                      : P::eq;
  }
  std::optional<unsigned> mapped = mappedIndex(op, bound);
  AffineMap perRow = AffineMap::getMultiDimMapWithTargets(6, {AttentionOp::Batch}, op.getContext());
  if (key != index || !mapped || op.getMappedMap(*mapped) != perRow ||
      !isa<RankedTensorType>(op.getMapped()[*mapped].getType()) || bound.getType().isInteger(1))
    return std::nullopt;
  switch (predicate) {
  case P::slt:
    return BoundTest{condition, *mapped, /*isBegin=*/false, 0};
  case P::sle:
    return BoundTest{condition, *mapped, /*isBegin=*/false, 1};
  case P::sge:
    return BoundTest{condition, *mapped, /*isBegin=*/true, 0};
  case P::sgt:
    return BoundTest{condition, *mapped, /*isBegin=*/true, 1};
  default:
    return std::nullopt;
  }
}

static SmallVector<BoundTest> findBoundTests(AttentionOp op) {
  SmallVector<BoundTest> tests;
  if (!op.getKeyMask() && !op.getRanges())
    for (Value conjunct : conjunctsOf(op))
      if (std::optional<BoundTest> test = matchBound(op, conjunct))
        tests.push_back(*test);
  return tests;
}

/// Ranges [B, 4] without holes, of the keys that all of `tests` admit.
static Value createRanges(OpBuilder &b, AttentionOp op, ArrayRef<BoundTest> tests) {
  Location loc = partLocation(op.getLoc(), "key_ranges");
  SmallVector<Value> inputs;
  SmallVector<AffineMap> maps;
  for (const BoundTest &test : tests) {
    inputs.push_back(op.getMapped()[test.mapped]);
    maps.push_back(AffineMap::get(2, 0, b.getAffineDimExpr(0)));
  }
  maps.push_back(b.getMultiDimIdentityMap(2));
  Type i64 = b.getI64Type();
  Value init = createDestination(b, loc, {tensor::getMixedSize(b, loc, inputs.front(), 0), b.getIndexAttr(4)}, i64);
  SmallVector<utils::IteratorType> iterators(2, utils::IteratorType::parallel);
  return linalg::GenericOp::create(
             b, loc, init.getType(), inputs, init, maps, iterators,
             [&](OpBuilder &b, Location loc, ValueRange arguments) {
               auto integer = [&](int64_t value) -> Value { return arith::ConstantIntOp::create(b, loc, i64, value); };
               auto select = [&](Value condition, Value yes, Value no) -> Value {
                 return arith::SelectOp::create(b, loc, condition, yes, no);
               };
               auto compare = [&](arith::CmpIPredicate predicate, Value lhs, Value rhs) -> Value {
                 return arith::CmpIOp::create(b, loc, predicate, lhs, rhs);
               };
               Value begin = integer(0), end = integer(std::numeric_limits<int64_t>::max());
               for (auto [test, element] : llvm::zip(tests, arguments)) {
                 Value bound = element;
                 if (isa<IndexType>(bound.getType()))
                   bound = arith::IndexCastOp::create(b, loc, i64, bound);
                 else if (bound.getType().getIntOrFloatBitWidth() < 64)
                   bound = arith::ExtSIOp::create(b, loc, i64, bound);
                 if (test.added)
                   bound = arith::AddIOp::create(b, loc, bound, integer(test.added));
                 if (test.isBegin)
                   begin = arith::MaxSIOp::create(b, loc, begin, bound);
                 else
                   end = arith::MinSIOp::create(b, loc, end, bound);
               }
               Value column = linalg::IndexOp::create(b, loc, 1);
               auto isColumn = [&](int64_t which) {
                 return compare(arith::CmpIPredicate::eq, column, arith::ConstantIndexOp::create(b, loc, which));
               };
               Value empty = select(compare(arith::CmpIPredicate::sge, begin, end), integer(1), integer(0));
               Value flags = select(isColumn(3), empty, integer(0));
               linalg::YieldOp::create(b, loc, select(isColumn(0), begin, select(isColumn(1), end, flags)));
             })
      .getResult(0);
}

std::string attn::whyMaskStays(AttentionOp op) {
  std::string why;
  if (op.getMask().empty() || findKeyMaskTest(op, why) || !findBoundTests(op).empty())
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

/// A key mask that comes alone gets its ranges.
struct AddRanges final : OpRewritePattern<AttentionOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(AttentionOp op, PatternRewriter &rewriter) const override {
    Value mask = op.getKeyMask();
    if (!mask || op.getRanges() || !isa<RankedTensorType>(mask.getType()))
      return rewriter.notifyMatchFailure(op, "there is no key mask, or there are ranges");
    // Ranges see indices with offsets, a key mask doesn't.
    if (!op.getOffsets().empty())
      return rewriter.notifyMatchFailure(op, "there are offsets");
    Value ranges = getKeyRanges(rewriter, op.getLoc(), mask, op);
    rewriter.modifyOpInPlace(op, [&] { op.getRangesMutable().assign(ranges); });
    remarkDone(op, "FoldMask") << "the key mask got key ranges";
    return success();
  }
};

/// Comparisons of the key's index with elements read by b become ranges.
struct FoldBounds final : OpRewritePattern<AttentionOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(AttentionOp op, PatternRewriter &rewriter) const override {
    std::string why;
    if (op.getMask().empty() || findKeyMaskTest(op, why))
      return rewriter.notifyMatchFailure(op, "there is no mask region, or it tests a key mask");
    SmallVector<BoundTest> tests = findBoundTests(op);
    if (tests.empty())
      return rewriter.notifyMatchFailure(op, "the region compares no key with an element read by b");
    Value ranges = createRanges(rewriter, op, tests);
    SmallVector<Value> rest = conjunctsOf(op);
    llvm::erase_if(rest, [&](Value conjunct) {
      return llvm::any_of(tests, [&](const BoundTest &test) { return test.condition == conjunct; });
    });
    rewriter.modifyOpInPlace(op, [&] {
      setMaskRegion(rewriter, op, rest);
      for (unsigned i = op.getMapped().size(); i-- > 0;)
        dropMappedIfUnused(rewriter, op, i);
      op.getRangesMutable().assign(ranges);
    });
    remarkDone(op, "FoldMask") << (rest.empty() ? "bounds became key ranges" : "part of the mask became key ranges");
    return success();
  }
};

struct FoldMaskPass final : attn::impl::FoldMaskPassBase<FoldMaskPass> {
  using Base::Base;

  void runOnOperation() override {
    auto countMasked = [&] {
      int64_t count = 0;
      getOperation().walk([&](AttentionOp op) { count += op.getKeyMask() || op.getRanges(); });
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

void attn::populateFoldMaskPatterns(RewritePatternSet &patterns) {
  patterns.add<FoldKeyMask, AddRanges, FoldBounds>(patterns.getContext());
}
