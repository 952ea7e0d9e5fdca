//===- WorkspaceSize.cpp - Size arithmetic of the workspace -*- C++ -*-===//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Codegen/Memory/WorkspaceSize.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Affine/Utils.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace attn;

void SizeBuilder::note(Value flag) {
  overflow = overflow ? arith::OrIOp::create(b, loc, overflow, flag).getResult() : flag;
}

Value SizeBuilder::add(Value lhs, Value rhs) {
  if (!checked)
    return arith::AddIOp::create(b, loc, lhs, rhs);
  // Sizes stay below 2^63, so a sum that overflows is negative.
  Value sum = arith::AddIOp::create(b, loc, lhs, rhs);
  note(arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, sum, constant(0)));
  return sum;
}

Value SizeBuilder::mul(Value lhs, Value rhs) {
  if (!checked)
    return arith::MulIOp::create(b, loc, lhs, rhs);
  Type i64 = b.getI64Type();
  Value left = arith::IndexCastOp::create(b, loc, i64, lhs), right = arith::IndexCastOp::create(b, loc, i64, rhs);
  auto product = arith::MulUIExtendedOp::create(b, loc, left, right);
  Value zero = arith::ConstantIntOp::create(b, loc, i64, 0);
  note(arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, product.getHigh(), zero));
  note(arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, product.getLow(), zero));
  return arith::IndexCastOp::create(b, loc, b.getIndexType(), product.getLow());
}

/// True for a factor that only turns a sum into a difference: the product is not a size.
static bool isNegative(Value value) {
  llvm::APInt constant;
  return matchPattern(value, m_ConstantInt(&constant)) && constant.isNegative();
}

Value SizeBuilder::apply(AffineExpr expr, ValueRange operands, unsigned numDims) {
  auto binary = llvm::dyn_cast<AffineBinaryOpExpr>(expr);
  if (!binary)
    return affine::expandAffineExpr(b, loc, expr, operands.take_front(numDims), operands.drop_front(numDims));
  Value lhs = apply(binary.getLHS(), operands, numDims), rhs = apply(binary.getRHS(), operands, numDims);
  if (expr.getKind() == AffineExprKind::Mul && !isNegative(rhs))
    return mul(lhs, rhs);
  AffineExpr other = binary.getRHS();
  if (!llvm::isa<AffineConstantExpr>(other))
    other = getAffineSymbolExpr(1, expr.getContext());
  AffineExpr step = getAffineBinaryOpExpr(expr.getKind(), getAffineSymbolExpr(0, expr.getContext()), other);
  return affine::expandAffineExpr(b, loc, step, {}, {lhs, rhs});
}

void SizeBuilder::repeat(Operation &op, IRMapping &mapping) {
  SmallVector<Value> operands;
  for (Value operand : op.getOperands())
    operands.push_back(mapping.lookupOrDefault(operand));
  if (auto product = llvm::dyn_cast<arith::MulIOp>(op);
      product && product.getType().isIndex() && !isNegative(operands[0]) && !isNegative(operands[1]))
    mapping.map(product.getResult(), mul(operands[0], operands[1]));
  else if (auto apply = llvm::dyn_cast<affine::AffineApplyOp>(op))
    mapping.map(apply.getResult(),
                this->apply(apply.getAffineMap().getResult(0), operands, apply.getAffineMap().getNumDims()));
  else
    b.clone(op, mapping);
}

Value SizeBuilder::bytes(MemRefType type, ValueRange dynamicSizes, int64_t alignment) {
  int64_t fixed = std::max<int64_t>(1, llvm::divideCeil(type.getElementTypeBitWidth(), 8));
  for (int64_t dim : type.getShape())
    if (!ShapedType::isDynamic(dim))
      fixed *= dim;
  Value size = constant(fixed);
  for (Value dynamic : dynamicSizes)
    size = mul(size, dynamic);
  Value rounded = arith::DivUIOp::create(b, loc, add(size, constant(alignment - 1)), constant(alignment));
  return arith::MulIOp::create(b, loc, rounded, constant(alignment));
}
