//===- WorkspaceSize.cpp - Size arithmetic of the workspace -*- C++ -*-===//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Codegen/Memory/WorkspaceSize.h"

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
