//===- CheckBounds.cpp - Slices and indices that stay inside -----*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What operations need beside equal sizes. Where all of it is in static types, verifiers have said it.
//
//===----------------------------------------------------------------------===//

#include "CheckBuilder.h"
#include "Utils.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/AffineExprVisitor.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace attn;
using arith::CmpIPredicate;

static bool isDynamic(Value tensor, int64_t dim) { return cast<ShapedType>(tensor.getType()).isDynamicDim(dim); }
static int64_t sizeOf(Value tensor, int64_t dim) { return cast<ShapedType>(tensor.getType()).getDimSize(dim); }
static int64_t rankOf(Value tensor) { return cast<ShapedType>(tensor.getType()).getRank(); }

/// True for sums, products and quotients of sizes.
static bool isNotNegative(OpFoldResult size) {
  if (std::optional<int64_t> number = getConstantIntValue(size))
    return *number >= 0;
  Operation *op = cast<Value>(size).getDefiningOp();
  if (isa_and_nonnull<tensor::DimOp>(op))
    return true;
  return isa_and_nonnull<arith::AddIOp, arith::MulIOp, arith::DivUIOp, arith::CeilDivUIOp, arith::DivSIOp,
                         arith::CeilDivSIOp, arith::MinSIOp, arith::MinUIOp, arith::RemUIOp>(op) &&
         llvm::all_of(op->getOperands(), [](Value operand) { return isNotNegative(operand); });
}

static LogicalResult checkSizes(CheckBuilder &check, ArrayRef<OpFoldResult> sizes) {
  for (OpFoldResult size : sizes)
    if (!isNotNegative(size) &&
        failed(check.check(check.compare(CmpIPredicate::sge, check.value(size), check.constant(0)), Violation::Shape,
                           "a size that is not negative")))
      return failure();
  return success();
}

//===----------------------------------------------------------------------===//
// Slices and elements
//===----------------------------------------------------------------------===//

/// True for the size `extent` itself, and for the smaller of it and another.
static bool isAtMost(CheckBuilder &check, OpFoldResult size, Extents::Size extent) {
  if (check.getExtents().areEqual(Extents::Size::of(size), extent))
    return true;
  auto value = dyn_cast<Value>(size);
  Operation *least = value ? value.getDefiningOp() : nullptr;
  return isa_and_nonnull<arith::MinUIOp, arith::MinSIOp>(least) && isNotNegative(size) &&
         llvm::any_of(least->getOperands(), [&](Value operand) { return isAtMost(check, operand, extent); });
}

/// offset + (size - 1) * stride < extent, or no elements, in differences that cannot overflow.
static LogicalResult checkSlice(CheckBuilder &check, Value tensor, OffsetSizeAndStrideOpInterface slice) {
  SmallVector<OpFoldResult> offsets = slice.getMixedOffsets(), sizes = slice.getMixedSizes(),
                            strides = slice.getMixedStrides();
  for (auto [i, offset, size, stride] : llvm::enumerate(offsets, sizes, strides)) {
    bool allStatic = !isDynamic(tensor, i) && getConstantIntValue(offset) && getConstantIntValue(size);
    std::optional<int64_t> step = getConstantIntValue(stride);
    if (!step || *step <= 0)
      return slice->emitOpError() << "has a stride that is not a positive constant in dimension " << i
                                  << "; reverse or gather with a linalg.generic instead";
    bool isBeginning = isZeroInteger(offset) && *step == 1 && isAtMost(check, size, {tensor, int64_t(i)});
    if (allStatic || isBeginning)
      continue;
    Value zero = check.constant(0), extent = check.dim(tensor, i);
    Value first = check.value(offset), count = check.value(size);
    Value left = check.sub(extent, first);
    // `count` elements every `step` fit where ceil(left / step) do.
    Value fits = check.compare(CmpIPredicate::sle, count, *step == 1 ? left : check.ceilDiv(left, *step));
    Value inside =
        check.all({check.compare(CmpIPredicate::sge, first, zero), check.compare(CmpIPredicate::sle, first, extent),
                   check.compare(CmpIPredicate::sge, count, zero), fits});
    // Of no elements, none is outside.
    if (!getConstantIntValue(size))
      inside = check.any(check.compare(CmpIPredicate::eq, count, zero), inside);
    if (failed(check.check(inside, Violation::Shape, "a slice inside of its tensor")))
      return failure();
  }
  return success();
}

static LogicalResult checkElement(CheckBuilder &check, Value tensor, ValueRange indices) {
  for (auto [i, index] : llvm::enumerate(indices)) {
    std::optional<int64_t> number = getConstantIntValue(index);
    if (number && !isDynamic(tensor, i) && *number >= 0 && *number < sizeOf(tensor, i))
      continue;
    // A negative index is a large one without a sign.
    Value inside = check.compare(CmpIPredicate::ult, index, check.dim(tensor, i));
    if (failed(check.check(inside, Violation::Index, "an index inside of its tensor")))
      return failure();
  }
  return success();
}

/// Each group of the wide shape has as many elements as the dimension of the flat one.
static LogicalResult checkExpand(CheckBuilder &check, tensor::ExpandShapeOp op) {
  SmallVector<OpFoldResult> sizes = op.getMixedOutputShape();
  if (failed(checkSizes(check, sizes)))
    return failure();
  auto collapse = op.getSrc().getDefiningOp<tensor::CollapseShapeOp>();
  auto productOf = [&](Value tensor, ArrayRef<int64_t> group) {
    Value product = check.constant(1);
    for (int64_t dim : group)
      product = check.mul(product, check.dim(tensor, dim));
    return product;
  };
  for (auto [i, group] : llvm::enumerate(op.getReassociationIndices())) {
    if (group.size() == 1 || llvm::none_of(group, [&](int64_t dim) { return isDynamic(op.getResult(), dim); }))
      if (group.size() == 1 || !isDynamic(op.getSrc(), i))
        continue;
    Value flat;
    if (collapse) {
      // What was collapsed and has the sizes that it gets back is the common case.
      ReassociationIndices from = collapse.getReassociationIndices()[i];
      bool same = from.size() == group.size();
      for (size_t j = 0; same && j < group.size(); ++j)
        same = check.getExtents().areEqual({collapse.getSrc(), from[j]}, {op.getResult(), group[j]});
      if (same)
        continue;
      flat = productOf(collapse.getSrc(), from);
    } else {
      flat = check.dim(op.getSrc(), i);
    }
    if (failed(check.check(check.compare(CmpIPredicate::eq, flat, productOf(op.getResult(), group)), Violation::Shape,
                           "as many elements after a reshape as before")))
      return failure();
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Structured ops
//===----------------------------------------------------------------------===//

namespace {

/// The least and the greatest value of an affine expression over loops from 0 to below their extents.
struct Interval {
  Value least, greatest;
};

class Intervals : public AffineExprVisitor<Intervals, std::optional<Interval>> {
public:
  Intervals(CheckBuilder &check, ArrayRef<Value> extents) : check(check), extents(extents) {}

  std::optional<Interval> visitDimExpr(AffineDimExpr expr) {
    Value extent = extents[expr.getPosition()];
    if (!extent)
      return std::nullopt;
    return Interval{check.constant(0), check.add(extent, -1)};
  }
  std::optional<Interval> visitConstantExpr(AffineConstantExpr expr) {
    Value number = check.constant(expr.getValue());
    return Interval{number, number};
  }
  std::optional<Interval> visitAddExpr(AffineBinaryOpExpr expr) {
    std::optional<Interval> a = visit(expr.getLHS()), b = visit(expr.getRHS());
    if (!a || !b)
      return std::nullopt;
    return Interval{check.sum(a->least, b->least), check.sum(a->greatest, b->greatest)};
  }
  std::optional<Interval> visitMulExpr(AffineBinaryOpExpr expr) {
    auto factor = dyn_cast<AffineConstantExpr>(expr.getRHS());
    std::optional<Interval> a = visit(expr.getLHS());
    if (!a || !factor)
      return std::nullopt;
    Value number = check.constant(factor.getValue());
    Interval scaled{check.mul(a->least, number), check.mul(a->greatest, number)};
    if (factor.getValue() < 0)
      std::swap(scaled.least, scaled.greatest);
    return scaled;
  }
  std::optional<Interval> visitModExpr(AffineBinaryOpExpr expr) {
    auto divisor = dyn_cast<AffineConstantExpr>(expr.getRHS());
    if (!divisor || divisor.getValue() <= 0)
      return std::nullopt;
    return Interval{check.constant(0), check.constant(divisor.getValue() - 1)};
  }
  std::optional<Interval> visitFloorDivExpr(AffineBinaryOpExpr) { return std::nullopt; }
  std::optional<Interval> visitCeilDivExpr(AffineBinaryOpExpr) { return std::nullopt; }
  std::optional<Interval> visitSymbolExpr(AffineSymbolExpr) { return std::nullopt; }

private:
  CheckBuilder &check;
  ArrayRef<Value> extents;
};

} // namespace

/// Operands that are read at sums of loops, such as those of convolutions, are large enough.
static LogicalResult checkStructured(CheckBuilder &check, linalg::LinalgOp op) {
  SmallVector<Value> extents(op.getNumLoops());
  auto isSimple = [](AffineExpr expr) { return isa<AffineDimExpr>(expr); };
  bool needed = false, anyDynamic = false;
  for (OpOperand &operand : op->getOpOperands()) {
    auto type = dyn_cast<RankedTensorType>(operand.get().getType());
    anyDynamic |= type && !type.hasStaticShape();
    needed |= type && !llvm::all_of(op.getMatchingIndexingMap(&operand).getResults(), isSimple);
  }
  if (!needed || !anyDynamic)
    return success();
  for (OpOperand &operand : op->getOpOperands())
    if (isa<RankedTensorType>(operand.get().getType()))
      for (auto [i, expr] : llvm::enumerate(op.getMatchingIndexingMap(&operand).getResults()))
        if (auto dim = dyn_cast<AffineDimExpr>(expr); dim && !extents[dim.getPosition()])
          extents[dim.getPosition()] = check.dim(operand.get(), i);
  Value nothing = check.compare(CmpIPredicate::ne, check.constant(0), check.constant(0));
  for (Value extent : extents)
    if (extent)
      nothing = check.any(nothing, check.compare(CmpIPredicate::eq, extent, check.constant(0)));
  Intervals intervals(check, extents);
  for (OpOperand &operand : op->getOpOperands()) {
    if (!isa<RankedTensorType>(operand.get().getType()))
      continue;
    for (auto [i, expr] : llvm::enumerate(op.getMatchingIndexingMap(&operand).getResults())) {
      if (isSimple(expr))
        continue;
      std::optional<Interval> read = intervals.visit(expr);
      if (!read)
        return op->emitOpError() << "reads operand " << operand.getOperandNumber() << ", " << operand.get().getType()
                                 << ", at an index for which no bound is known; make its operands' sizes static";
      Value inside = check.all({check.compare(CmpIPredicate::sge, read->least, check.constant(0)),
                                check.compare(CmpIPredicate::slt, read->greatest, check.dim(operand.get(), i))});
      if (failed(check.check(check.any(nothing, inside), Violation::Shape, "operands that are as large as it reads")))
        return failure();
    }
  }
  return success();
}

//===----------------------------------------------------------------------===//
// attn ops
//===----------------------------------------------------------------------===//

/// A dimension that stands for `h floordiv G` has ceil(H / G) groups.
static LogicalResult checkGroups(CheckBuilder &check, AttentionOp op) {
  SmallVector<Value> values = {op.getQuery(), op.getKey(), op.getValue()};
  llvm::append_range(values, op.getMapped());
  auto extentOf = [&](unsigned dim) -> Value {
    AffineExpr whole = getAffineDimExpr(dim, op.getContext());
    if (std::optional<unsigned> position = op.getInitMap().getResultPosition(whole))
      return check.dim(op.getInit(), *position);
    for (auto [i, value] : llvm::enumerate(values))
      if (std::optional<unsigned> position = op.getMap(i).getResultPosition(whole))
        return check.dim(value, *position);
    return {};
  };
  for (auto [i, value] : llvm::enumerate(values))
    for (auto [j, expr] : llvm::enumerate(op.getMap(i).getResults())) {
      auto group = dyn_cast<AffineBinaryOpExpr>(expr);
      if (!group)
        continue;
      Value extent = extentOf(cast<AffineDimExpr>(group.getLHS()).getPosition());
      if (!extent)
        return op.emitOpError() << "divides a dimension whose extent no operand says; give one that has it undivided";
      Value groups = check.ceilDiv(extent, cast<AffineConstantExpr>(group.getRHS()).getValue());
      if (failed(check.check(check.compare(CmpIPredicate::eq, check.dim(value, j), groups), Violation::Shape,
                             "one group for each of its heads")))
        return failure();
    }
  return success();
}

/// True where the entry's own bounds say that the last dimension of `indices` is at most `rows`.
static bool isBounded(CheckBuilder &check, Value indices, int64_t rows) {
  auto function = indices.getParentRegion()->getParentOfType<func::FuncOp>();
  for (BlockArgument argument : function.getArguments()) {
    auto shape = function.getArgAttrOfType<ArrayAttr>(argument.getArgNumber(), kShapeAttr);
    for (int64_t dim = 0; shape && dim < int64_t(shape.size()); ++dim) {
      auto symbol = dyn_cast<StringAttr>(shape[dim]);
      DimAttr known = symbol ? getDim(function, symbol) : DimAttr();
      if (known && known.getMax() <= rows &&
          check.getExtents().areEqual({argument, dim}, {indices, rankOf(indices) - 1}))
        return true;
    }
  }
  return false;
}

/// True where all indices are known, or checked by the entry, to be of rows of `table`.
static bool isInside(Value indices, Value table) {
  auto hasRow = [&](const llvm::APInt &index) {
    return !isDynamic(table, 0) && index.getSignificantBits() <= 64 && index.getSExtValue() >= 0 &&
           index.getSExtValue() < sizeOf(table, 0);
  };
  llvm::APInt same;
  if (auto fill = indices.getDefiningOp<linalg::FillOp>();
      fill && matchPattern(fill.getInputs().front(), m_ConstantInt(&same)))
    return hasRow(same);
  DenseIntElementsAttr each;
  if (matchPattern(indices, m_Constant(&each)))
    return llvm::all_of(each.getValues<llvm::APInt>(), hasRow);
  BlockArgument argument = findIndexArgument(indices);
  auto function = argument ? dyn_cast<func::FuncOp>(argument.getOwner()->getParentOp()) : func::FuncOp();
  auto range = function ? function.getArgAttrOfType<DenseI64ArrayAttr>(argument.getArgNumber(), kIndexRangeAttr)
                        : DenseI64ArrayAttr();
  return range && range.size() == 2 && range[0] >= 0 && !isDynamic(table, 0) && range[1] <= sizeOf(table, 0);
}

/// The same indices, each checked to be of a row of `table`.
static Value checkedIndices(OpBuilder &b, Location loc, Value indices, Value table) {
  auto type = cast<RankedTensorType>(indices.getType());
  Value rows = b.createOrFold<tensor::DimOp>(loc, table, int64_t(0));
  Value init = tensor::EmptyOp::create(b, loc, tensor::getMixedSizes(b, loc, indices), type.getElementType());
  AffineMap all = b.getMultiDimIdentityMap(type.getRank());
  SmallVector<utils::IteratorType> iterators(type.getRank(), utils::IteratorType::parallel);
  return linalg::GenericOp::create(
             b, loc, init.getType(), indices, init, ArrayRef<AffineMap>{all, all}, iterators,
             [&](OpBuilder &inner, Location, ValueRange arguments) {
               Value index = arith::IndexCastOp::create(inner, loc, inner.getIndexType(), arguments[0]);
               // Negative ones are large where they have no sign.
               CheckOp::create(inner, loc, arith::CmpIOp::create(inner, loc, CmpIPredicate::ult, index, rows), Value(),
                               Violation::Index);
               linalg::YieldOp::create(inner, loc, arguments[0]);
             })
      .getResult(0);
}

/// Indices are rows of their tables. A kernel moves them into the table besides; that needs one with rows.
static LogicalResult checkTables(CheckBuilder &check, EmbeddingOp op) {
  Value indices = op.getIndices().front();
  OpBuilder b(op);
  for (auto [operand, table] : llvm::zip(op.getIndicesMutable(), op.getTables()))
    if (isa<RankedTensorType>(operand.get().getType()) && !isInside(operand.get(), table))
      operand.set(checkedIndices(b, op.getLoc(), operand.get(), table));
  for (Value table : op.getTables()) {
    if (!isDynamic(table, 0) && sizeOf(table, 0) > 0)
      continue;
    Value hasRows = check.compare(CmpIPredicate::sgt, check.dim(table, 0), check.constant(0));
    for (int64_t i = 0; i < rankOf(indices); ++i)
      hasRows = check.any(hasRows, check.compare(CmpIPredicate::eq, check.dim(indices, i), check.constant(0)));
    if (failed(check.check(hasRows, Violation::Index, "a table with rows")))
      return failure();
  }
  Value positions = op.getPositions();
  if (!positions)
    return success();
  int64_t last = rankOf(indices) - 1, rows = sizeOf(positions, 0);
  if (!ShapedType::isDynamic(rows) && isBounded(check, indices, rows))
    return success();
  return check.check(check.compare(CmpIPredicate::sle, check.dim(indices, last), check.dim(positions, 0)),
                     Violation::Shape, "a table with a row for each position");
}

static LogicalResult checkPanels(CheckBuilder &check, Value rows, Value panels, int64_t dim, int64_t width) {
  return check.check(check.compare(CmpIPredicate::sge, check.dim(panels, dim), check.ceilDiv(rows, width)),
                     Violation::Shape, "panels for all rows");
}

LogicalResult attn::checkBounds(Operation *op, CheckBuilder &check) {
  check.startAt(op);
  return llvm::TypeSwitch<Operation *, LogicalResult>(op)
      .Case([&](tensor::ExtractSliceOp slice) { return checkSlice(check, slice.getSource(), slice); })
      .Case([&](tensor::InsertSliceOp slice) { return checkSlice(check, slice.getDest(), slice); })
      .Case([&](tensor::ParallelInsertSliceOp slice) { return checkSlice(check, slice.getDest(), slice); })
      .Case([&](tensor::ExtractOp extract) { return checkElement(check, extract.getTensor(), extract.getIndices()); })
      .Case([&](tensor::InsertOp insert) { return checkElement(check, insert.getDest(), insert.getIndices()); })
      .Case([&](tensor::ExpandShapeOp expand) { return checkExpand(check, expand); })
      .Case([&](tensor::EmptyOp empty) { return checkSizes(check, empty.getMixedSizes()); })
      .Case([&](tensor::PadOp pad) {
        SmallVector<OpFoldResult> paddings = pad.getMixedLowPad();
        llvm::append_range(paddings, pad.getMixedHighPad());
        return checkSizes(check, paddings);
      })
      .Case([&](linalg::LinalgOp structured) { return checkStructured(check, structured); })
      .Case([&](AttentionOp attention) { return checkGroups(check, attention); })
      .Case([&](EmbeddingOp embedding) { return checkTables(check, embedding); })
      .Case([&](LinearOp linear) {
        if (!linear.isPacked())
          return success();
        return checkPanels(check, check.dim(linear.getInit(), rankOf(linear.getInit()) - 1), linear.getWeight(), 0,
                           sizeOf(linear.getWeight(), 2));
      })
      .Case([&](PackOp pack) {
        return checkPanels(check, check.dim(pack.getSource(), 0), pack.getInit(), 0, sizeOf(pack.getInit(), 2));
      })
      .Case([&](OnlineFinishOp finish) {
        return check.check(
            check.compare(CmpIPredicate::sle, check.dim(finish.getInit(), 0), check.dim(finish.getAccumulator(), 0)),
            Violation::Shape, "as many queries as rows");
      })
      .Default(success());
}
