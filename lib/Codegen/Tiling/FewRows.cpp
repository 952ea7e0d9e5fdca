//===- FewRows.cpp - Row chains for fewer rows than workers -----*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A decoder's step has one row: cut into blocks of rows it is one task, however many workers there are, and what takes
// the time is reading the weights. Cut into blocks of columns each worker reads its part of them.
//
//===----------------------------------------------------------------------===//

#include "FewRows.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StructuredOpsUtils.h"

using namespace mlir;
using namespace attn;

static RankedTensorType typeOf(Value value) { return llvm::cast<RankedTensorType>(value.getType()); }

int64_t attn::granuleOf(const RowChain &chain) { return llvm::any_of(chain.ops, llvm::IsaPred<LinearOp>) ? 4 : 1; }

Value attn::destinationOf(Operation *op) { return llvm::cast<DestinationStyleOpInterface>(op).getDpsInits().front(); }

SmallVector<TilingInterface> attn::findEscaping(const RowChain &chain) {
  auto isMember = [&](Operation *op) { return llvm::is_contained(chain.ops, llvm::dyn_cast<TilingInterface>(op)); };
  SmallVector<TilingInterface> escaping;
  for (TilingInterface op : chain.ops)
    if (!llvm::all_of(op->getUsers(), isMember))
      escaping.push_back(op);
  return escaping;
}

namespace {

/// Makes the parallel loops over columns of one linear.
class ColumnTiler {
public:
  /// For blocks of at least `block` columns; all are one where it is 0.
  ColumnTiler(LinearOp op, int64_t block)
      : op(op), b(op), loc(op.getLoc()), panel(typeOf(op.getWeight()).getDimSize(2)),
        columns(typeOf(op.getInit()).getDimSize(1)),
        block(block ? std::min<int64_t>(llvm::alignTo(block, panel), columns) : columns) {}

  /// Returns the whole result.
  Value run() {
    int64_t tasks = columns / block;
    Value result = loop(op.getInit(), tasks, block, 0);
    // The last columns are another size, and so another kernel.
    if (int64_t rest = columns - tasks * block)
      result = loop(result, 1, rest, tasks * block);
    return result;
  }

private:
  Value loop(Value destination, int64_t tasks, int64_t size, int64_t begin) {
    OpBuilder::InsertionGuard guard(b);
    auto loop = scf::ForallOp::create(b, loc, ArrayRef<OpFoldResult>{b.getIndexAttr(tasks)}, ValueRange{destination},
                                      std::nullopt);
    b.setInsertionPoint(loop.getTerminator());
    Value task = loop.getInductionVar(0);
    auto constant = [&](int64_t value) { return arith::ConstantIndexOp::create(b, loc, value); };
    auto at = [&](int64_t step, int64_t first) -> OpFoldResult {
      Value offset = arith::MulIOp::create(b, loc, task, constant(step));
      return first ? arith::AddIOp::create(b, loc, offset, constant(first)).getResult() : offset;
    };
    int64_t panels = llvm::divideCeil(size, panel);
    OpFoldResult firstPanel = at(panels, begin / panel), firstColumn = at(size, begin);

    SmallVector<Value> operands = {op.getInput(), slice(op.getWeight(), 0, firstPanel, panels)};
    AffineExpr column = b.getAffineDimExpr(1);
    for (auto [extra, map] : llvm::zip(op.getExtras(), op.getExtraMaps().getAsValueRange<AffineMapAttr>())) {
      std::optional<unsigned> dim = map.getResultPosition(column);
      operands.push_back(dim ? slice(extra, *dim, firstColumn, size) : extra);
    }
    Value init = slice(loop.getRegionOutArgs()[0], 1, firstColumn, size);
    operands.push_back(init);
    Operation *tile = clone(b, op, init.getType(), operands);
    tile->removeAttr("schedule");
    tile->setAttr("kernel", op.getScheduleAttr().getKernel());

    auto place = init.getDefiningOp<tensor::ExtractSliceOp>();
    b.setInsertionPointToEnd(loop.getTerminator().getBody());
    tensor::ParallelInsertSliceOp::create(b, loc, tile->getResult(0), loop.getRegionOutArgs()[0],
                                          place.getMixedOffsets(), place.getMixedSizes(), place.getMixedStrides());
    return loop.getResult(0);
  }

  /// [offset, offset + size) of dimension `dim`.
  Value slice(Value tensor, int64_t dim, OpFoldResult offset, int64_t size) {
    SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, loc, tensor);
    SmallVector<OpFoldResult> offsets(sizes.size(), b.getIndexAttr(0)), strides(sizes.size(), b.getIndexAttr(1));
    offsets[dim] = offset;
    sizes[dim] = b.getIndexAttr(size);
    return tensor::ExtractSliceOp::create(b, loc, tensor, offsets, sizes, strides);
  }

  LinearOp op;
  OpBuilder b;
  Location loc;
  int64_t panel, columns;
  int64_t block; ///< Whole panels, or all columns.
};

} // namespace

/// Whether the schedule of `op` asks for blocks of columns.
static bool hasColumnBlock(Operation *op) {
  auto linear = llvm::dyn_cast<LinearOp>(op);
  return linear && linear.getScheduleAttr().getColumnBlock() > 0;
}

/// Whether `op` can stand in the form for few rows: a linear is cut between panels of known columns.
static bool canCutColumns(Operation *op) {
  auto linear = llvm::dyn_cast<LinearOp>(op);
  if (!linear)
    return true;
  auto init = llvm::dyn_cast<RankedTensorType>(linear.getInit().getType());
  return init && init.getRank() == 2 && !init.isDynamicDim(1) && linear.isPacked() &&
         typeOf(linear.getWeight()).hasStaticShape();
}

bool attn::hasFormForFewRows(const RowChain &chain) {
  int64_t rows = typeOf(destinationOf(chain.ops.front())).getDimSize(0);
  return (ShapedType::isDynamic(rows) || rows <= kFewRows) && !findEscaping(chain).empty() &&
         llvm::any_of(chain.ops, hasColumnBlock) && llvm::all_of(chain.ops, canCutColumns);
}

SmallVector<RowChain> attn::splitFewRows(const RowChain &chain) {
  Operation *last = chain.ops.back();
  Value anyDestination = destinationOf(chain.ops.front());
  SmallVector<TilingInterface> escaping = findEscaping(chain);
  OpBuilder b(chain.ops.front());
  Location loc = last->getLoc();
  Value rows = b.createOrFold<tensor::DimOp>(loc, anyDestination, int64_t(0));
  b.setInsertionPoint(last);
  auto constant = [&](int64_t value) { return arith::ConstantIndexOp::create(b, loc, value); };
  Value blocks = arith::CeilDivUIOp::create(b, loc, rows, constant(granuleOf(chain)));
  Value idle = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, blocks, NumWorkersOp::create(b, loc));
  Value few = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ule, rows, constant(kFewRows));
  Value condition = arith::AndIOp::create(b, loc, idle, few);

  SmallVector<Type> types = llvm::map_to_vector(escaping, [](Operation *op) { return op->getResult(0).getType(); });
  auto branch = scf::IfOp::create(b, loc, types, condition, /*withElseRegion=*/true);
  b.setInsertionPoint(branch);
  auto cloneInto = [&](Block *block, auto destinationFor) {
    OpBuilder inner = OpBuilder::atBlockBegin(block);
    IRMapping mapping;
    RowChain copy;
    for (TilingInterface op : chain.ops) {
      Value destination = destinationFor(inner, op);
      auto cloned = llvm::cast<TilingInterface>(inner.clone(*op, mapping));
      llvm::cast<DestinationStyleOpInterface>(*cloned).getDpsInitsMutable()[0].set(destination);
      copy.ops.push_back(cloned);
    }
    scf::YieldOp::create(
        inner, loc, llvm::map_to_vector(escaping, [&](Operation *op) { return mapping.lookup(op->getResult(0)); }));
    return copy;
  };

  SmallVector<RowChain> left = {
      cloneInto(branch.elseBlock(), [](OpBuilder &, Operation *op) { return destinationOf(op); })};
  RowChain ofFew = cloneInto(branch.thenBlock(), [&](OpBuilder &inner, TilingInterface op) -> Value {
    if (llvm::is_contained(escaping, op))
      return destinationOf(op);
    auto type = typeOf(op->getResult(0));
    SmallVector<int64_t> shape(type.getShape());
    shape[0] = kFewRows;
    // Unlike an empty tensor it is never merged with another one.
    Value buffer =
        bufferization::AllocTensorOp::create(b, loc, RankedTensorType::get(shape, type.getElementType()), ValueRange());
    SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(inner, loc, buffer);
    sizes[0] = type.isDynamicDim(0) ? OpFoldResult(rows) : inner.getIndexAttr(type.getDimSize(0));
    SmallVector<OpFoldResult> zeros(sizes.size(), inner.getIndexAttr(0)), ones(sizes.size(), inner.getIndexAttr(1));
    return tensor::ExtractSliceOp::create(inner, loc, type, buffer, zeros, sizes, ones);
  });
  for (TilingInterface op : ofFew.ops) {
    auto linear = llvm::dyn_cast<LinearOp>(*op);
    if (!linear) {
      left.push_back({{op}});
      continue;
    }
    linear->getResult(0).replaceAllUsesWith(ColumnTiler(linear, linear.getScheduleAttr().getColumnBlock()).run());
    linear->erase();
  }
  for (auto [op, result] : llvm::zip(escaping, branch.getResults()))
    op->getResult(0).replaceAllUsesWith(result);
  for (Operation *op : llvm::reverse(chain.ops))
    op->erase();
  return left;
}
