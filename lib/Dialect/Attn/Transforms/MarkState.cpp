//===- MarkState.cpp - Results that continue an argument --------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The caches of a decoder: a step returns what it was given, and some rows more. Whoever has both in one buffer need
// not have the old rows copied.
//
//===----------------------------------------------------------------------===//

#include "attn/Dialect/Attn/Transforms/Passes.h"
#include "attn/Dialect/Attn/Transforms/Transforms.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

namespace attn {
#define GEN_PASS_DEF_MARKSTATEPASS
#include "attn/Dialect/Attn/Transforms/Passes.h.inc"
} // namespace attn

using namespace mlir;
using namespace attn;

/// The argument of the entry that `result` begins with, along one dimension, and adds one tensor to; null if it is no
/// such result.
static BlockArgument continuedArgument(Value result) {
  auto added = result.getDefiningOp<tensor::InsertSliceOp>();
  auto kept = added ? added.getDest().getDefiningOp<tensor::InsertSliceOp>() : nullptr;
  auto empty = kept ? kept.getDest().getDefiningOp<tensor::EmptyOp>() : nullptr;
  auto argument = kept ? llvm::dyn_cast<BlockArgument>(kept.getSource()) : BlockArgument();
  if (!empty || !argument || !kept->hasOneUse() || !llvm::isa<func::FuncOp>(argument.getOwner()->getParentOp()))
    return {};
  SmallVector<OpFoldResult> whole = empty.getMixedSizes(), old = kept.getMixedSizes();
  int64_t rank = whole.size();
  if (kept.getSourceType().getRank() != rank || added.getSourceType().getRank() != rank || !kept.hasUnitStride() ||
      !added.hasUnitStride() || !llvm::all_of(kept.getMixedOffsets(), isZeroInteger))
    return {};
  SmallVector<int64_t> grown;
  for (int64_t i = 0; i < rank; ++i)
    if (!isEqualConstantIntOrValue(whole[i], old[i]))
      grown.push_back(i);
  // What is added must not touch what was there.
  if (grown.size() != 1 || !isEqualConstantIntOrValue(added.getMixedOffsets()[grown[0]], old[grown[0]]))
    return {};
  return argument;
}

int64_t attn::markState(func::FuncOp entry) {
  if (!entry.isPublic() || entry.isExternal() || !entry.getBody().hasOneBlock())
    return 0;
  int64_t marked = 0;
  llvm::SmallDenseSet<unsigned> taken;
  for (OpOperand &result : entry.getBody().front().getTerminator()->getOpOperands()) {
    // A mark that was written by hand would let a caller overlap what must not be.
    entry.removeResultAttr(result.getOperandNumber(), StringAttr::get(entry.getContext(), kStateAttr));
    BlockArgument argument = continuedArgument(result.get());
    if (!argument || !taken.insert(argument.getArgNumber()).second)
      continue;
    entry.setResultAttr(result.getOperandNumber(), kStateAttr,
                        IntegerAttr::get(IntegerType::get(entry.getContext(), 64), argument.getArgNumber()));
    ++marked;
  }
  return marked;
}

namespace {

struct MarkStatePass final : attn::impl::MarkStatePassBase<MarkStatePass> {
  using Base::Base;

  void runOnOperation() override { numMarked += markState(getOperation()); }
};

} // namespace
