//===- GenericChains.cpp - Chains of linalg ops -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A scan in program order with one open chain, as for row ops. Sizes are compared as values: common subexpressions were
// eliminated, so equal sizes mostly are the same value.
//
//===----------------------------------------------------------------------===//

#include "GenericChains.h"
#include "mlir/Dialect/Linalg/Utils/Utils.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace attn;

static bool dividesInside(AffineExpr expr) {
  bool divides = false;
  expr.walk([&](AffineExpr inner) {
    AffineExprKind kind = inner.getKind();
    divides |= kind == AffineExprKind::FloorDiv || kind == AffineExprKind::CeilDiv || kind == AffineExprKind::Mod;
  });
  return divides;
}

SmallVector<unsigned> attn::taskLoops(linalg::LinalgOp op, unsigned dims) {
  auto iterators = op.getIteratorTypesArray();
  SmallVector<unsigned> loops;
  for (OpOperand &init : op.getDpsInitsMutable()) {
    AffineMap map = op.getMatchingIndexingMap(&init);
    SmallVector<unsigned> own;
    for (unsigned i = 0; i < dims && i < map.getNumResults(); ++i) {
      auto loop = llvm::dyn_cast<AffineDimExpr>(map.getResult(i));
      if (!loop || !linalg::isParallelIterator(iterators[loop.getPosition()]))
        return {};
      own.push_back(loop.getPosition());
    }
    if (own.size() != dims || (!loops.empty() && own != loops))
      return {};
    loops = own;
  }
  // A block of the last dimension begins anywhere: a quotient or remainder of it is not that of its part.
  for (AffineMap map : op.getIndexingMapsArray())
    for (AffineExpr result : map.getResults())
      if (!loops.empty() && result.isFunctionOfDim(loops.back()) && dividesInside(result))
        return {};
  return loops;
}

Value attn::originOf(Value init) {
  while (auto op = init.getDefiningOp<linalg::LinalgOp>())
    init = op.getDpsInitOperand(llvm::cast<OpResult>(init).getResultNumber())->get();
  return init;
}

/// How many leading dimensions of its results `op` had best be cut along: all where a reduction goes in lanes, being
/// innermost in memory, else all but the last, which does.
static unsigned preferredDims(linalg::LinalgOp op) {
  unsigned rank = llvm::cast<ShapedType>(op.getDpsInits().front().getType()).getRank();
  auto iterators = op.getIteratorTypesArray();
  auto innermost = [](AffineMap map) -> AffineExpr {
    bool isDim = map.getNumResults() > 0 && llvm::isa<AffineDimExpr>(map.getResults().back());
    return isDim ? map.getResults().back() : AffineExpr();
  };
  AffineExpr written = innermost(op.getMatchingIndexingMap(op.getDpsInitOperand(0)));
  bool reduces = false, readsAsWritten = false;
  for (OpOperand *input : op.getDpsInputOperands())
    if (AffineExpr last = innermost(op.getMatchingIndexingMap(input))) {
      reduces |= !linalg::isParallelIterator(iterators[llvm::cast<AffineDimExpr>(last).getPosition()]);
      readsAsWritten |= last == written;
    }
  return reduces && !readsAsWritten ? rank : std::max(1u, rank - std::min(rank, 1u));
}

/// Sizes of the first `dims` dimensions of what `op` computes, where they can be named.
static SmallVector<OpFoldResult> sizesOf(linalg::LinalgOp op, unsigned dims) {
  Value origin = originOf(op.getDpsInits().front());
  auto type = llvm::cast<RankedTensorType>(origin.getType());
  SmallVector<OpFoldResult> sizes;
  auto empty = origin.getDefiningOp<tensor::EmptyOp>();
  unsigned dynamic = 0;
  for (unsigned i = 0; i < dims; ++i) {
    if (!type.isDynamicDim(i))
      sizes.push_back(Builder(op.getContext()).getIndexAttr(type.getDimSize(i)));
    else if (empty)
      sizes.push_back(empty.getDynamicSizes()[dynamic++]);
    else
      sizes.push_back(Value());
  }
  return sizes;
}

static bool sameSizes(ArrayRef<OpFoldResult> lhs, ArrayRef<OpFoldResult> rhs) {
  for (auto [left, right] : llvm::zip(lhs, rhs)) {
    if (left.isNull() || right.isNull() || !isEqualConstantIntOrValue(left, right))
      return false;
  }
  return true;
}

/// True where `operand`, a result of the chain, is read along the first `dims` dimensions of the task alone.
static bool isReadByTask(linalg::LinalgOp op, OpOperand &operand, ArrayRef<unsigned> loops) {
  // A buffer that others read too cannot be written in place by the task.
  if (op.isDpsInit(&operand) && !operand.get().hasOneUse())
    return false;
  AffineMap map = op.getMatchingIndexingMap(&operand);
  if (map.getNumResults() < loops.size())
    return false;
  for (auto [result, loop] : llvm::zip(map.getResults(), loops)) {
    auto dim = llvm::dyn_cast<AffineDimExpr>(result);
    if (!dim || dim.getPosition() != loop)
      return false;
  }
  // The rest of a row is whole in every task.
  return llvm::none_of(map.getResults().drop_front(loops.size()), [&](AffineExpr expr) {
    return llvm::any_of(loops, [&](unsigned loop) { return expr.isFunctionOfDim(loop); });
  });
}

SmallVector<GenericChain> attn::findGenericChains(Block &block) {
  SmallVector<GenericChain> chains;
  // Values that exist only after the open chain's loop: its results, and what was computed from them.
  llvm::DenseSet<Value> chainResults, dependent;
  for (Operation &op : block) {
    bool readsChain = false, readsInside = false, readsDependent = false;
    op.walk([&](Operation *inner) {
      for (Value operand : inner->getOperands()) {
        readsChain |= chainResults.contains(operand);
        readsInside |= inner != &op && chainResults.contains(operand);
        readsDependent |= dependent.contains(operand);
      }
    });
    auto structured = llvm::dyn_cast<linalg::LinalgOp>(op);
    unsigned dims = 0;
    // Slices of an extent that is 0 mean another thing to linalg, and there is nothing to cut.
    if (structured && structured.hasPureTensorSemantics() && structured.getNumDpsInits() > 0 &&
        structured.getShapesToLoopsMap() && !llvm::is_contained(structured.getStaticLoopRanges(), 0))
      dims = preferredDims(structured);
    if (dims == 0 || taskLoops(structured, dims).empty()) {
      if (readsChain || readsDependent)
        dependent.insert(op.result_begin(), op.result_end());
      continue;
    }

    // What a body reads of a tensor by itself may be anywhere in it.
    bool joins = !chains.empty() && !readsDependent && !readsInside;
    if (joins) {
      GenericChain &open = chains.back();
      // Fills follow what is made of them; other ops are not cut along fewer dimensions for the sake of one that joins.
      bool onlyFills =
          llvm::all_of(open.ops, [](linalg::LinalgOp member) { return llvm::isa<linalg::FillOp>(member); });
      unsigned common = std::min(open.dims, dims);
      bool fits = onlyFills ? common > 0 : taskLoops(structured, open.dims).size() == open.dims;
      if (fits && !onlyFills)
        common = open.dims;
      SmallVector<unsigned> loops = fits ? taskLoops(structured, common) : SmallVector<unsigned>();
      bool byTask = !loops.empty();
      for (OpOperand &operand : op.getOpOperands())
        if (byTask && chainResults.contains(operand.get()))
          byTask = isReadByTask(structured, operand, loops);
      joins = byTask && sameSizes(ArrayRef(open.sizes).take_front(common), sizesOf(structured, common));
      if (joins) {
        open.dims = common;
        open.sizes.resize(common);
      }
    }
    if (!joins) {
      // What only fills this op's results is no reason for the chain before to hand it over.
      SmallVector<linalg::LinalgOp> fills;
      if (!chains.empty())
        llvm::erase_if(chains.back().ops, [&](linalg::LinalgOp member) {
          bool isOwn = llvm::isa<linalg::FillOp>(member) && !taskLoops(member, dims).empty() &&
                       llvm::all_of(member->getUsers(), [&](Operation *user) { return user == &op; });
          if (isOwn)
            fills.push_back(member);
          return isOwn;
        });
      if (!chains.empty() && chains.back().ops.empty())
        chains.pop_back();
      chains.emplace_back();
      chains.back().dims = dims;
      chains.back().sizes = sizesOf(structured, dims);
      chainResults.clear();
      dependent.clear();
      for (linalg::LinalgOp fill : fills) {
        chains.back().ops.push_back(fill);
        chainResults.insert(fill->result_begin(), fill->result_end());
      }
    }
    chains.back().ops.push_back(structured);
    chainResults.insert(op.result_begin(), op.result_end());
  }
  return chains;
}
