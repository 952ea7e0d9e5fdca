//===- TilingUtils.cpp - Slices of operands and tiles of results -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A result `d floordiv c` (grouped heads) needs care: inside a tile the op reads `(d - offset) floordiv c` of the
// slice, which is the same element only where the tile starts at a group or stays inside one. Both are recognized from
// how the offset is computed; anything else is refused rather than compiled wrongly.
//
//===----------------------------------------------------------------------===//

#include "TilingUtils.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Dialect/Utils/StructuredOpsUtils.h"
#include "mlir/Interfaces/ValueBoundsOpInterface.h"

using namespace mlir;
using namespace attn;

bool attn::isWholeDimension(OpFoldResult offset, OpFoldResult size, Value tensor, int64_t dim) {
  if (!isZeroInteger(offset))
    return false;
  int64_t extent = cast<ShapedType>(tensor.getType()).getDimSize(dim);
  if (std::optional<int64_t> constant = getConstantIntValue(size))
    return *constant == extent;
  using Variable = ValueBoundsConstraintSet::Variable;
  FailureOr<bool> equal = ValueBoundsConstraintSet::areEqual(Variable(size), Variable(tensor, dim));
  return succeeded(equal) && *equal;
}

static bool isKnownMultiple(AffineExpr expr, ValueRange dims, ValueRange symbols, int64_t divisor) {
  if (expr.isMultipleOf(divisor))
    return true;
  if (auto dim = dyn_cast<AffineDimExpr>(expr))
    return attn::isKnownMultiple(dims[dim.getPosition()], divisor);
  if (auto symbol = dyn_cast<AffineSymbolExpr>(expr))
    return attn::isKnownMultiple(symbols[symbol.getPosition()], divisor);
  auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
  if (!binary)
    return false;
  bool left = isKnownMultiple(binary.getLHS(), dims, symbols, divisor);
  if (expr.getKind() == AffineExprKind::Mul)
    return left || isKnownMultiple(binary.getRHS(), dims, symbols, divisor);
  return expr.getKind() == AffineExprKind::Add && left && isKnownMultiple(binary.getRHS(), dims, symbols, divisor);
}

bool attn::isKnownMultiple(OpFoldResult value, int64_t divisor) {
  if (divisor == 1)
    return true;
  if (std::optional<int64_t> constant = getConstantIntValue(value))
    return *constant % divisor == 0;
  auto ssa = cast<Value>(value);
  if (auto apply = ssa.getDefiningOp<affine::AffineApplyOp>())
    return ::isKnownMultiple(apply.getAffineMap().getResult(0), apply.getDimOperands(), apply.getSymbolOperands(),
                             divisor);
  if (auto product = ssa.getDefiningOp<arith::MulIOp>())
    return isKnownMultiple(product.getLhs(), divisor) || isKnownMultiple(product.getRhs(), divisor);
  auto argument = dyn_cast<BlockArgument>(ssa);
  auto loop = argument ? dyn_cast_or_null<LoopLikeOpInterface>(argument.getOwner()->getParentOp()) : nullptr;
  if (!loop)
    return false;
  auto variables = loop.getLoopInductionVars();
  auto begins = loop.getLoopLowerBounds();
  auto steps = loop.getLoopSteps();
  if (!variables || !begins || !steps)
    return false;
  for (auto [variable, begin, step] : llvm::zip(*variables, *begins, *steps))
    if (variable == ssa)
      return isKnownMultiple(begin, divisor) && isKnownMultiple(step, divisor);
  return false;
}

/// The largest value `size` may have, where it is known.
static std::optional<int64_t> upperBound(OpFoldResult size) {
  if (std::optional<int64_t> constant = getConstantIntValue(size))
    return constant;
  auto minimum = cast<Value>(size).getDefiningOp<affine::AffineMinOp>();
  std::optional<int64_t> bound;
  if (minimum)
    for (AffineExpr result : minimum.getMap().getResults())
      if (auto constant = dyn_cast<AffineConstantExpr>(result))
        bound = std::min(bound.value_or(constant.getValue()), constant.getValue());
  return bound;
}

/// How many groups of `group` a tile of one dimension touches; failure where the tile cuts groups, see the file's head.
static FailureOr<OpFoldResult> groupsOf(OpBuilder &b, Location loc, OpFoldResult offset, OpFoldResult size,
                                        int64_t group) {
  std::optional<int64_t> bound = upperBound(size);
  if (bound && *bound > 0 && group % *bound == 0 && isKnownMultiple(offset, *bound))
    return OpFoldResult(b.getIndexAttr(1));
  if (isKnownMultiple(offset, group))
    return affine::makeComposedFoldedAffineApply(b, loc, b.getAffineDimExpr(0).ceilDiv(group), {size});
  return failure();
}

FailureOr<Value> OperandSlicer::slice(Value tensor, AffineMap map, const Tile &tile) {
  auto type = dyn_cast<RankedTensorType>(tensor.getType());
  if (!type || int64_t(map.getNumResults()) != type.getRank())
    return failure();
  SmallVector<OpFoldResult> offsets(type.getRank(), b.getIndexAttr(0)), strides(type.getRank(), b.getIndexAttr(1));
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, loc, tensor);
  bool whole = true;
  for (auto [i, result] : llvm::enumerate(map.getResults())) {
    if (isa<AffineConstantExpr>(result))
      continue;
    auto binary = dyn_cast<AffineBinaryOpExpr>(result);
    int64_t group = 1;
    if (binary) {
      auto divisor = dyn_cast<AffineConstantExpr>(binary.getRHS());
      if (result.getKind() != AffineExprKind::FloorDiv || !divisor || divisor.getValue() <= 0)
        return failure();
      group = divisor.getValue();
    }
    auto dim = dyn_cast<AffineDimExpr>(binary ? binary.getLHS() : result);
    if (!dim)
      return failure();
    std::optional<OpFoldResult> offset = tile.offsets[dim.getPosition()];
    OpFoldResult size = tile.sizes[dim.getPosition()];
    if (!offset || (group == 1 && isWholeDimension(*offset, size, tensor, i)))
      continue;
    if (group == 1) {
      offsets[i] = *offset;
      sizes[i] = size;
    } else {
      FailureOr<OpFoldResult> groups = groupsOf(b, loc, *offset, size, group);
      if (failed(groups))
        return failure();
      offsets[i] = affine::makeComposedFoldedAffineApply(b, loc, b.getAffineDimExpr(0).floorDiv(group), {*offset});
      sizes[i] = *groups;
      if (isWholeDimension(offsets[i], sizes[i], tensor, i))
        continue;
    }
    whole = false;
  }
  if (whole)
    return tensor;
  auto slice = tensor::ExtractSliceOp::create(b, loc, tensor, offsets, sizes, strides);
  slices.push_back(slice);
  return slice.getResult();
}

TilingResult attn::cloneTiled(OpBuilder &b, Operation *op, ValueRange operands, ValueRange inits,
                              ArrayRef<Operation *> slices) {
  Operation *tiled = mlir::clone(b, op, TypeRange(inits), operands);
  return TilingResult{{tiled}, SmallVector<Value>(tiled->getResults()), SmallVector<Operation *>(slices)};
}

SmallVector<Range> attn::loopsOver(OpBuilder &b, Location loc, Value tensor, ArrayRef<unsigned> dims) {
  SmallVector<Range> loops;
  for (unsigned dim : dims)
    loops.push_back({b.getIndexAttr(0), tensor::getMixedSize(b, loc, tensor, dim), b.getIndexAttr(1)});
  return loops;
}
