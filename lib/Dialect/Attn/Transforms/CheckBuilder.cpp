//===- CheckBuilder.cpp - Conditions on sizes, as values --------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See the header.
//
//===----------------------------------------------------------------------===//

#include "CheckBuilder.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace attn;

CheckBuilder::CheckBuilder(func::FuncOp function, Extents &extents)
    : extents(extents), function(function), dominance(function), b(function.getContext(), &listener),
      front(&function.getBody().front().front()) {}

CheckBuilder::~CheckBuilder() {
  for (Operation *op : llvm::reverse(listener.built))
    if (isOpTriviallyDead(op))
      op->erase();
}

void CheckBuilder::startAt(Operation *op) {
  // Nothing else may stand beside a parallel_insert_slice.
  current = isa<scf::InParallelOp>(op->getParentOp()) ? op->getParentOp() : op;
  b.setInsertionPoint(current);
}

Value CheckBuilder::constant(int64_t value) {
  return arith::ConstantIndexOp::create(b, current->getLoc(), value).getResult();
}

Value CheckBuilder::value(Extents::Size size) {
  unsigned id = extents.classOf(size);
  if (std::optional<int64_t> number = extents.constantOf(id))
    return constant(*number);
  auto dimOf = [&](Value tensor, int64_t dim) -> Value {
    return tensor::DimOp::create(b, current->getLoc(), tensor, constant(dim)).getResult();
  };
  for (BlockArgument argument : function.getArguments())
    if (auto type = dyn_cast<RankedTensorType>(argument.getType()))
      for (int64_t dim = 0; dim < type.getRank(); ++dim)
        if (type.isDynamicDim(dim) && extents.areEqual({argument, dim}, size))
          return dimOf(argument, dim);
  if (size.dim == Extents::kScalar)
    return size.value;
  for (Value scalar : SmallVector<Value>(extents.getScalars()))
    if (extents.areEqual({scalar, Extents::kScalar}, size) && !extents.isTemporary(scalar) &&
        dominance.properlyDominates(scalar, current))
      return scalar;
  return dimOf(size.value, size.dim);
}

Value CheckBuilder::add(Value a, int64_t number) {
  return number == 0 ? a : arith::AddIOp::create(b, current->getLoc(), a, constant(number)).getResult();
}
Value CheckBuilder::sum(Value a, Value c) { return arith::AddIOp::create(b, current->getLoc(), a, c); }
Value CheckBuilder::sub(Value a, Value c) { return arith::SubIOp::create(b, current->getLoc(), a, c); }
Value CheckBuilder::mul(Value a, Value c) { return arith::MulIOp::create(b, current->getLoc(), a, c); }

Value CheckBuilder::ceilDiv(Value a, int64_t divisor) {
  return arith::CeilDivSIOp::create(b, current->getLoc(), a, constant(divisor));
}

Value CheckBuilder::compare(arith::CmpIPredicate predicate, Value a, Value c) {
  return arith::CmpIOp::create(b, current->getLoc(), predicate, a, c);
}

Value CheckBuilder::all(ArrayRef<Value> conditions) {
  Value result = conditions.front();
  for (Value condition : conditions.drop_front())
    result = arith::AndIOp::create(b, current->getLoc(), result, condition);
  return result;
}

Value CheckBuilder::any(Value a, Value c) { return arith::OrIOp::create(b, current->getLoc(), a, c); }

/// True where `value` is the same computed at the beginning of the function.
bool CheckBuilder::canHoist(Value value) {
  Operation *op = value.getDefiningOp();
  if (!op)
    return value.getParentBlock() == &function.getBody().front();
  if (hoisted.contains(op))
    return true;
  bool known = isa<arith::ArithDialect>(op->getDialect()) ||
               isa<affine::AffineApplyOp, affine::AffineMinOp, affine::AffineMaxOp>(op) ||
               (isa<tensor::DimOp>(op) && isa<BlockArgument>(op->getOperand(0)));
  return known && op->getBlock() == &function.getBody().front() &&
         llvm::all_of(op->getOperands(), [&](Value operand) { return canHoist(operand); });
}

void CheckBuilder::hoist(Operation *op) {
  if (!hoisted.insert(op).second)
    return;
  for (Value operand : op->getOperands())
    if (Operation *definition = operand.getDefiningOp())
      hoist(definition);
  if (op == front)
    front = front->getNextNode();
  else
    op->moveBefore(front);
}

/// The number that `value` folds to.
static std::optional<APInt> numberOf(Value value) {
  Operation *op = value.getDefiningOp();
  APInt number;
  if (matchPattern(value, m_ConstantInt(&number)))
    return number;
  if (!op || !isa<arith::ArithDialect>(op->getDialect()) || op->getNumResults() != 1)
    return std::nullopt;
  SmallVector<Attribute> operands;
  for (Value operand : op->getOperands()) {
    std::optional<APInt> inner = numberOf(operand);
    operands.push_back(inner ? Attribute(IntegerAttr::get(operand.getType(), *inner)) : Attribute());
  }
  SmallVector<OpFoldResult> results;
  if (failed(op->fold(operands, results)) || results.size() != 1)
    return std::nullopt;
  if (auto folded = dyn_cast<Value>(results.front()))
    return folded == value ? std::nullopt : numberOf(folded);
  auto attribute = dyn_cast_or_null<IntegerAttr>(cast<Attribute>(results.front()));
  return attribute ? std::optional(attribute.getValue()) : std::nullopt;
}

LogicalResult CheckBuilder::check(Value condition, Violation violation, StringRef need) {
  // Numbers fold at once, so that what never holds is said here.
  if (std::optional<APInt> number = numberOf(condition)) {
    if (number->isZero())
      return current->emitOpError() << "needs " << need << ", which never holds";
    return success();
  }
  auto check = CheckOp::create(b, current->getLoc(), condition, Value(), violation);
  ++numChecks;
  if (current->getBlock() == &function.getBody().front() && canHoist(condition))
    hoist(check);
  return success();
}
