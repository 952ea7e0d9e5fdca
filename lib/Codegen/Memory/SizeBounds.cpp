//===- SizeBounds.cpp - How large a size can be, known at entry -*- C++ -*-===//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Codegen/Memory/SizeBounds.h"
#include "attn/Dialect/Attn/IR/Attn.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;
using namespace attn;

void SizeBounds::eraseUnused(llvm::function_ref<bool(Operation *)> isKept) {
  for (Operation *op : llvm::reverse(created))
    if (op->use_empty() && !isKept(op))
      op->erase();
  created.clear();
  known.clear();
}

/// True for what is never 0: sizes are divided by such values.
static bool isPositive(Value value) {
  llvm::APInt constant;
  if (matchPattern(value, m_ConstantInt(&constant)))
    return constant.isStrictlyPositive();
  if (auto max = value.getDefiningOp<arith::MaxUIOp>())
    return isPositive(max.getLhs()) || isPositive(max.getRhs());
  return bool(value.getDefiningOp<NumWorkersOp>());
}

/// True where `op` may run although the code around it does not.
static bool mayRunEarly(Operation *op) {
  if (llvm::isa<arith::CeilDivUIOp, arith::DivUIOp, arith::RemUIOp>(op))
    return isPositive(op->getOperand(1));
  return isSpeculatable(op);
}

/// True for expressions that do not shrink when a dimension or symbol grows.
static bool growsWithOperands(AffineExpr expr) {
  if (auto constant = llvm::dyn_cast<AffineConstantExpr>(expr))
    return constant.getValue() >= 0;
  auto binary = llvm::dyn_cast<AffineBinaryOpExpr>(expr);
  if (!binary)
    return true;
  switch (expr.getKind()) {
  case AffineExprKind::Add:
  case AffineExprKind::Mul:
    return growsWithOperands(binary.getLHS()) && growsWithOperands(binary.getRHS());
  case AffineExprKind::FloorDiv:
  case AffineExprKind::CeilDiv:
    return growsWithOperands(binary.getLHS()) && llvm::isa<AffineConstantExpr>(binary.getRHS()) &&
           growsWithOperands(binary.getRHS());
  default:
    return false;
  }
}

Value SizeBounds::fail(Operation *op) {
  culprit = op;
  return Value();
}

template <typename OpTy>
Value SizeBounds::make(Value lhs, Value rhs) {
  if (!lhs || !rhs)
    return Value();
  auto op = OpTy::create(b, lhs.getLoc(), lhs, rhs);
  created.push_back(op);
  return op->getResult(0);
}

Value SizeBounds::of(Value size) {
  auto [it, isNew] = known.try_emplace(size, Value());
  if (!isNew)
    return it->second;
  Value bound = find(size);
  known[size] = bound;
  return bound;
}

Value SizeBounds::find(Value size) {
  if (Operation *op = size.getDefiningOp())
    return findOfOp(op);
  auto argument = llvm::cast<BlockArgument>(size);
  return argument.getOwner() == &body ? size : fail(argument.getOwner()->getParentOp());
}

Value SizeBounds::findOfOp(Operation *op) {
  if (op->getNumResults() != 1 || !isMemoryEffectFree(op) || op->getNumRegions() != 0)
    return fail(op);
  if (auto dim = llvm::dyn_cast<memref::DimOp>(op)) {
    auto argument = llvm::dyn_cast<BlockArgument>(dim.getSource());
    if (argument && argument.getOwner() == &body)
      return dim.getResult();
    std::optional<int64_t> position = dim.getConstantIndex();
    return position ? ofDim(dim.getSource(), *position) : fail(op);
  }
  if (llvm::isa<arith::MinUIOp, arith::MinSIOp>(op)) {
    Value lhs = of(op->getOperand(0)), rhs = of(op->getOperand(1));
    if (!lhs || !rhs)
      return lhs ? lhs : rhs;
    return lhs == op->getOperand(0) && rhs == op->getOperand(1) ? op->getResult(0) : make<arith::MinUIOp>(lhs, rhs);
  }

  bool exact = true;
  SmallVector<Value> bounds;
  for (Value operand : op->getOperands()) {
    bounds.push_back(of(operand));
    if (!bounds.back())
      return Value();
    exact &= bounds.back() == operand;
  }
  if (exact)
    return mayRunEarly(op) || op->getBlock() == &body ? op->getResult(0) : fail(op);
  // What grows with its operands is bounded by what it is of their bounds.
  if (llvm::isa<arith::MaxUIOp, arith::MaxSIOp>(op))
    return make<arith::MaxUIOp>(bounds[0], bounds[1]);
  if (llvm::isa<arith::MulIOp>(op))
    return make<arith::MulIOp>(bounds[0], bounds[1]);
  if (llvm::isa<arith::AddIOp>(op))
    return make<arith::AddIOp>(bounds[0], bounds[1]);
  if (llvm::isa<arith::CeilDivUIOp>(op) && bounds[1] == op->getOperand(1) && isPositive(bounds[1]))
    return make<arith::CeilDivUIOp>(bounds[0], bounds[1]);
  if (llvm::isa<arith::DivUIOp>(op) && bounds[1] == op->getOperand(1) && isPositive(bounds[1]))
    return make<arith::DivUIOp>(bounds[0], bounds[1]);
  auto apply = llvm::dyn_cast<affine::AffineApplyOp>(op);
  if (!apply || !growsWithOperands(apply.getAffineMap().getResult(0)))
    return fail(op);
  auto bound = affine::AffineApplyOp::create(b, op->getLoc(), apply.getAffineMap(), bounds);
  created.push_back(bound);
  return bound.getResult();
}

Value SizeBounds::ofSize(OpFoldResult size) {
  if (auto value = llvm::dyn_cast<Value>(size))
    return of(value);
  Value constant = getValueOrCreateConstantIndexOp(b, b.getUnknownLoc(), size);
  created.push_back(constant.getDefiningOp());
  return constant;
}

Value SizeBounds::ofDim(Value buffer, int64_t dim) {
  auto type = llvm::cast<MemRefType>(buffer.getType());
  if (!type.isDynamicDim(dim))
    return ofSize(b.getIndexAttr(type.getDimSize(dim)));
  if (auto argument = llvm::dyn_cast<BlockArgument>(buffer)) {
    if (argument.getOwner() == &body) {
      auto size = memref::DimOp::create(b, argument.getLoc(), argument, dim);
      created.push_back(size.getIndex().getDefiningOp());
      created.push_back(size);
      return size.getResult();
    }
    // All iterations work in buffers of the first one's shape.
    auto loop = llvm::dyn_cast<scf::ForOp>(argument.getOwner()->getParentOp());
    OpOperand *init = loop ? loop.getTiedLoopInit(argument) : nullptr;
    return init ? ofDim(init->get(), dim) : fail(argument.getOwner()->getParentOp());
  }
  Operation *op = buffer.getDefiningOp();
  if (auto loop = llvm::dyn_cast<scf::ForOp>(op))
    return ofDim(loop.getTiedLoopInit(llvm::cast<OpResult>(buffer))->get(), dim);
  if (auto branch = llvm::dyn_cast<scf::IfOp>(op)) {
    unsigned number = llvm::cast<OpResult>(buffer).getResultNumber();
    return make<arith::MaxUIOp>(ofDim(branch.thenYield().getOperand(number), dim),
                                ofDim(branch.elseYield().getOperand(number), dim));
  }
  if (auto select = llvm::dyn_cast<arith::SelectOp>(op))
    return make<arith::MaxUIOp>(ofDim(select.getTrueValue(), dim), ofDim(select.getFalseValue(), dim));
  unsigned dynamic = type.getDynamicDimIndex(dim);
  if (auto alloc = llvm::dyn_cast<memref::AllocOp>(op))
    return of(alloc.getDynamicSizes()[dynamic]);
  if (auto cast = llvm::dyn_cast<memref::CastOp>(op))
    return ofDim(cast.getSource(), dim);
  if (auto expand = llvm::dyn_cast<memref::ExpandShapeOp>(op))
    return ofSize(expand.getMixedOutputShape()[dim]);
  if (auto collapse = llvm::dyn_cast<memref::CollapseShapeOp>(op)) {
    Value product;
    for (int64_t source : collapse.getReassociationIndices()[dim]) {
      Value extent = ofDim(collapse.getSrc(), source);
      if (!extent)
        return Value();
      product = product ? make<arith::MulIOp>(product, extent) : extent;
    }
    return product;
  }
  if (auto view = llvm::dyn_cast<memref::SubViewOp>(op)) {
    llvm::SmallBitVector dropped = view.getDroppedDims();
    for (auto [i, size] : llvm::enumerate(view.getMixedSizes()))
      if (!dropped.test(i) && dim-- == 0)
        return ofSize(size);
  }
  return fail(op);
}
