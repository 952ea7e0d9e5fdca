//===- FoldTransposes.cpp - Transposes around attention into its maps ---*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Frameworks move the heads in front of the sequence before attention and back after it, and repeat key heads for
// groups of query heads. That is a matter of where an element stands, which attention's maps say; nothing has to move.
//
//===----------------------------------------------------------------------===//

#include "Utils.h"
#include "attn/Dialect/Attn/Transforms/Passes.h"
#include "attn/Dialect/Attn/Transforms/Transforms.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/IR/LinalgInterfaces.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace attn {
#define GEN_PASS_DEF_FOLDTRANSPOSESPASS
#include "attn/Dialect/Attn/Transforms/Passes.h.inc"
} // namespace attn

using namespace mlir;
using namespace attn;

namespace {

/// A transpose: dimension i of the result is dimension permutation[i] of `input`.
struct Transpose {
  Operation *op;
  Value input;
  SmallVector<int64_t> permutation;
};

} // namespace

static std::optional<Transpose> matchTranspose(Operation *op) {
  if (auto transpose = dyn_cast_or_null<linalg::TransposeOp>(op); transpose && transpose->getNumResults() == 1)
    return Transpose{op, transpose.getInput(), llvm::to_vector(transpose.getPermutation())};
  if (auto generic = dyn_cast_or_null<linalg::GenericOp>(op); generic && generic->getNumResults() == 1)
    if (std::optional<SmallVector<int64_t>> permutation = linalg::isaTransposeOpInterface(generic))
      return Transpose{op, generic.getInputs().front(), *permutation};
  return std::nullopt;
}

/// The operands that a map of attention belongs to, in the order of the maps, without the destinations.
static SmallVector<OpOperand *> mappedOperands(AttentionOp op) {
  SmallVector<OpOperand *> operands = {&op.getQueryMutable(), &op.getKeyMutable(), &op.getValueMutable()};
  for (OpOperand &operand : op.getMappedMutable())
    operands.push_back(&operand);
  return operands;
}

static void setMap(AttentionOp op, unsigned index, AffineMap map) {
  SmallVector<Attribute> maps(op.getMaps().getValue());
  maps[index] = AffineMapAttr::get(map);
  op.setMapsAttr(ArrayAttr::get(op.getContext(), maps));
}

namespace {

/// attention(transpose(x)) reads x through a permuted map.
struct FoldOperandTranspose final : OpRewritePattern<AttentionOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(AttentionOp op, PatternRewriter &rewriter) const override {
    SmallVector<OpOperand *> operands = mappedOperands(op);
    for (unsigned index = 0; index < operands.size(); ++index) {
      OpOperand *operand = operands[index];
      std::optional<Transpose> transpose = matchTranspose(operand->get().getDefiningOp());
      if (!transpose)
        continue;
      AffineMap map = op.getMap(index);
      SmallVector<AffineExpr> results(map.getNumResults());
      for (auto [i, from] : llvm::enumerate(transpose->permutation))
        results[from] = map.getResult(i);
      rewriter.modifyOpInPlace(op, [&] {
        operand->set(transpose->input);
        setMap(op, index, AffineMap::get(map.getNumDims(), 0, results, op.getContext()));
      });
      remarkDone(op, "FoldTransposes") << "a transpose of an operand became part of its map";
      return success();
    }
    return failure();
  }
};

/// transpose(attention) writes where the transpose would have.
struct FoldResultTranspose final : OpRewritePattern<AttentionOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(AttentionOp op, PatternRewriter &rewriter) const override {
    if (op->getNumResults() == 0 || !op->getResult(0).hasOneUse())
      return failure();
    std::optional<Transpose> transpose = matchTranspose(*op->getResult(0).getUsers().begin());
    // The transpose may also read the result as its destination's shape only.
    if (!transpose || transpose->input != op->getResult(0))
      return failure();

    SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(rewriter, op.getLoc(), op.getInit()), permuted;
    AffineMap map = op.getInitMap();
    SmallVector<AffineExpr> results;
    for (int64_t from : transpose->permutation) {
      permuted.push_back(sizes[from]);
      results.push_back(map.getResult(from));
    }
    // Attention writes every element of its destination and reads none.
    Value init = createDestination(rewriter, op.getLoc(), permuted, getElementTypeOrSelf(op.getInit().getType()));
    rewriter.modifyOpInPlace(op, [&] {
      op.getInitMutable().set(init);
      op->getResult(0).setType(init.getType());
      setMap(op, 3 + op.getMapped().size(), AffineMap::get(map.getNumDims(), 0, results, op.getContext()));
    });
    Value result = op->getResult(0);
    Type expected = transpose->op->getResult(0).getType();
    if (result.getType() != expected) {
      rewriter.setInsertionPointAfter(op);
      result = tensor::CastOp::create(rewriter, op.getLoc(), expected, result);
    }
    remarkDone(op, "FoldTransposes") << "a transpose of the result became part of its map";
    rewriter.replaceOp(transpose->op, result);
    return success();
  }
};

/// Heads that are repeated: `input` with a new dimension of copies, dimensions moved, then copies merged into others.
struct Repeat {
  Value input;
  /// For each dimension of the repeated tensor the one of `input` that it is, or whose elements it repeats.
  SmallVector<int64_t> from;
  /// The dimension of the repeated tensor that has copies, and how many there are.
  unsigned position = 0;
  int64_t copies = 0;
};

} // namespace

/// The broadcast that `op` is, as the dimensions of its input that those of the result are, -1 for new ones.
static std::optional<std::pair<Value, SmallVector<int64_t>>> matchBroadcast(Operation *op) {
  auto structured = dyn_cast_or_null<linalg::LinalgOp>(op);
  if (!structured || structured->getNumResults() != 1 || structured.getNumDpsInputs() != 1 ||
      structured.getNumReductionLoops() != 0)
    return std::nullopt;
  AffineMap read = structured.getIndexingMapsArray().front(), written = structured.getIndexingMapsArray().back();
  OpOperand *input = structured.getDpsInputOperand(0);
  if (!written.isIdentity() || !read.isProjectedPermutation() ||
      structured.getBlock()->getTerminator()->getOperand(0) != structured.getMatchingBlockArgument(input))
    return std::nullopt;
  SmallVector<int64_t> from(written.getNumDims(), -1);
  for (auto [i, expr] : llvm::enumerate(read.getResults()))
    from[cast<AffineDimExpr>(expr).getPosition()] = i;
  return std::pair(input->get(), from);
}

/// Whether and how `value` repeats heads; fails where the copies are not groups of neighbours of a static size.
static FailureOr<Repeat> matchRepeat(Value value) {
  auto merge = value.getDefiningOp<tensor::CollapseShapeOp>();
  if (!merge)
    return failure();
  Value whole = merge.getSrc();
  std::optional<Transpose> transpose = matchTranspose(whole.getDefiningOp());
  auto broadcast = matchBroadcast((transpose ? transpose->input : whole).getDefiningOp());
  if (!broadcast)
    return failure();
  SmallVector<int64_t> from(broadcast->second);
  if (transpose)
    from = applyPermutation(ArrayRef<int64_t>(broadcast->second), transpose->permutation);
  Repeat repeat;
  repeat.input = broadcast->first;
  for (auto [i, group] : llvm::enumerate(merge.getReassociationIndices())) {
    // [head, copy] becomes one dimension, of which there may be one; all else stays as it is.
    bool isRepeated = group.size() == 2 && from[group[1]] < 0 && repeat.copies == 0;
    if (from[group[0]] < 0 || (group.size() != 1 && !isRepeated))
      return failure();
    repeat.from.push_back(from[group[0]]);
    if (isRepeated) {
      repeat.position = i;
      repeat.copies = cast<ShapedType>(whole.getType()).getDimSize(group[1]);
    }
  }
  if (repeat.copies <= 0) // none, or a number that is not known
    return failure();
  return repeat;
}

namespace {

/// A key or value whose heads are each repeated for a group of query heads is read by `h floordiv group`.
struct FoldHeadBroadcast final : OpRewritePattern<AttentionOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(AttentionOp op, PatternRewriter &rewriter) const override {
    AffineExpr head = rewriter.getAffineDimExpr(AttentionOp::Head);
    SmallVector<OpOperand *> operands = mappedOperands(op);
    for (unsigned index = 0; index < operands.size(); ++index) {
      OpOperand *operand = operands[index];
      FailureOr<Repeat> repeat = matchRepeat(operand->get());
      AffineMap map = op.getMap(index);
      if (failed(repeat) || map.getResult(repeat->position) != head)
        continue;
      SmallVector<AffineExpr> results(map.getNumResults());
      for (auto [i, from] : llvm::enumerate(repeat->from))
        results[from] = i == repeat->position ? head.floorDiv(repeat->copies) : map.getResult(i);
      rewriter.modifyOpInPlace(op, [&] {
        operand->set(repeat->input);
        setMap(op, index, AffineMap::get(map.getNumDims(), 0, results, op.getContext()));
      });
      remarkDone(op, "FoldTransposes") << "repeated heads became part of a map";
      return success();
    }
    return failure();
  }
};

/// Whether `value` is the result of a broadcast and a reshape.
bool isRepeated(Value value) {
  auto merge = value.getDefiningOp<tensor::CollapseShapeOp>();
  auto broadcast = merge ? matchBroadcast(merge.getSrc().getDefiningOp()) : std::nullopt;
  return broadcast && llvm::is_contained(broadcast->second, -1);
}

/// The ops right before or after attention that only say where elements stand.
llvm::SmallPtrSet<Operation *, 8> findAround(AttentionOp op) {
  llvm::SmallPtrSet<Operation *, 8> around;
  for (OpOperand *operand : mappedOperands(op))
    if (matchTranspose(operand->get().getDefiningOp()) || isRepeated(operand->get()))
      around.insert(operand->get().getDefiningOp());
  for (Operation *user : op->getUsers())
    if (matchTranspose(user))
      around.insert(user);
  return around;
}

struct FoldTransposesPass final : attn::impl::FoldTransposesPassBase<FoldTransposesPass> {
  using Base::Base;

  void runOnOperation() override {
    auto count = [&] {
      llvm::SmallPtrSet<Operation *, 8> all;
      getOperation().walk([&](AttentionOp op) { all.insert_range(findAround(op)); });
      return int64_t(all.size());
    };
    int64_t before = count();
    RewritePatternSet patterns(&getContext());
    populateFoldTransposesPatterns(patterns);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      return signalPassFailure();
    numFolded += before - count();
    getOperation().walk([&](AttentionOp op) {
      for (Operation *stays : findAround(op))
        remarkMissed(op, "FoldTransposes")
            << (matchTranspose(stays)
                    ? "a transpose stays: the result has other users"
                    : "repeated heads stay: the copies are not groups of neighbours of a static size");
    });
  }
};

} // namespace

void attn::populateFoldTransposesPatterns(RewritePatternSet &patterns) {
  patterns.add<FoldOperandTranspose, FoldResultTranspose, FoldHeadBroadcast>(patterns.getContext());
}
