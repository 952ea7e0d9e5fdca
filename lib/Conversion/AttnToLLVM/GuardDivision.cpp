//===- GuardDivision.cpp - Give every integer division a value -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The values are those of AArch64's instructions. They keep x = (x / y) * y + x % y for all x and y.
//
//===----------------------------------------------------------------------===//

#include "attn/Conversion/AttnToLLVM/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Index/IR/IndexDialect.h"
#include "mlir/Dialect/Index/IR/IndexOps.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/TypeUtilities.h"

namespace attn {
#define GEN_PASS_DEF_GUARDDIVISION
#include "attn/Conversion/AttnToLLVM/Passes.h.inc"
} // namespace attn

using namespace mlir;

namespace {

bool isSignedDivision(Operation *op) {
  return llvm::isa<arith::DivSIOp, arith::CeilDivSIOp, arith::FloorDivSIOp, arith::RemSIOp, index::DivSOp,
                   index::CeilDivSOp, index::FloorDivSOp, index::RemSOp>(op);
}

bool isUnsignedDivision(Operation *op) {
  return llvm::isa<arith::DivUIOp, arith::CeilDivUIOp, arith::RemUIOp, index::DivUOp, index::CeilDivUOp, index::RemUOp>(
      op);
}

bool isRemainder(Operation *op) { return llvm::isa<arith::RemSIOp, arith::RemUIOp, index::RemSOp, index::RemUOp>(op); }

/// True for constants that nothing is undefined for.
bool isSafe(Value divisor, bool isSigned) {
  auto safe = [&](const APInt &value) { return !value.isZero() && !(isSigned && value.isAllOnes()); };
  Attribute constant;
  if (!matchPattern(divisor, m_Constant(&constant)))
    return false;
  if (auto integer = llvm::dyn_cast<IntegerAttr>(constant))
    return safe(integer.getValue());
  auto elements = llvm::dyn_cast<DenseIntElementsAttr>(constant);
  return elements && llvm::all_of(elements.getValues<APInt>(), safe);
}

void guard(Operation *op) {
  bool isSigned = isSignedDivision(op);
  Value dividend = op->getOperand(0), divisor = op->getOperand(1), quotient = op->getResult(0);
  if (isSafe(divisor, isSigned))
    return;
  OpBuilder b(op);
  Location loc = op->getLoc();
  Type type = divisor.getType(), element = getElementTypeOrSelf(type);
  unsigned width = element.isIndex() ? IndexType::kInternalStorageBitWidth : element.getIntOrFloatBitWidth();
  auto constant = [&](const APInt &value) -> Value {
    TypedAttr attr = IntegerAttr::get(element, value);
    if (auto shaped = llvm::dyn_cast<ShapedType>(type))
      attr = DenseElementsAttr::get(shaped, Attribute(attr));
    return arith::ConstantOp::create(b, loc, attr);
  };
  auto equals = [&](Value value, const APInt &other) {
    return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, value, constant(other));
  };
  Value zero = constant(APInt::getZero(width)), one = constant(APInt(width, 1));
  Value isZero = equals(divisor, APInt::getZero(width)), undefined = isZero;
  if (isSigned) {
    Value overflows = arith::AndIOp::create(b, loc, equals(dividend, APInt::getSignedMinValue(width)),
                                            equals(divisor, APInt::getAllOnes(width)));
    undefined = arith::OrIOp::create(b, loc, isZero, overflows);
  }
  // By 1, the least number overflows to itself with a remainder of 0, as it should.
  op->setOperand(1, arith::SelectOp::create(b, loc, undefined, one, divisor));
  b.setInsertionPointAfter(op);
  Value byZero = isRemainder(op) ? dividend : zero;
  auto guarded = arith::SelectOp::create(b, loc, isZero, byZero, quotient);
  quotient.replaceAllUsesExcept(guarded, guarded);
}

struct GuardDivision final : attn::impl::GuardDivisionBase<GuardDivision> {
  using Base::Base;

  void runOnOperation() override {
    SmallVector<Operation *> divisions;
    getOperation()->walk([&](Operation *op) {
      if (isSignedDivision(op) || isUnsignedDivision(op))
        divisions.push_back(op);
    });
    for (Operation *op : divisions)
      guard(op);
  }
};

} // namespace
