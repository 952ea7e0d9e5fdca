//===- ScalarCode.cpp - Scalar arithmetic that rewrites share ---*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ScalarCode.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/TypeUtilities.h"
#include <cmath>

using namespace mlir;
using namespace attn;

Value attn::createFloatCast(OpBuilder &b, Location loc, Value value, Type element) {
  auto withElement = [&](Type other) -> Type {
    auto shaped = dyn_cast<ShapedType>(value.getType());
    return shaped ? Type(shaped.clone(other)) : other;
  };
  Type from = getElementTypeOrSelf(value.getType());
  if (from == element)
    return value;
  if ((from.isF64() && isNarrowFloat(element)) || (isNarrowFloat(from) && element.isF64()) ||
      (isNarrowFloat(from) && isNarrowFloat(element)))
    return createFloatCast(b, loc, createFloatCast(b, loc, value, b.getF32Type()), element);
  if (from.getIntOrFloatBitWidth() < element.getIntOrFloatBitWidth())
    return arith::ExtFOp::create(b, loc, withElement(element), value);
  return arith::TruncFOp::create(b, loc, withElement(element), value);
}

Value attn::createFloat(OpBuilder &b, Location loc, Type type, double value) {
  return arith::ConstantOp::create(b, loc, b.getFloatAttr(type, value));
}

Value attn::createGelu(OpBuilder &b, Location loc, Value x, bool approximate) {
  Type type = x.getType();
  auto constant = [&](double value) { return createFloat(b, loc, type, value); };
  auto multiply = [&](Value lhs, Value rhs) -> Value { return arith::MulFOp::create(b, loc, lhs, rhs); };
  auto add = [&](Value lhs, Value rhs) -> Value { return arith::AddFOp::create(b, loc, lhs, rhs); };
  if (!approximate) {
    // erfc keeps the small results of large negative x, where 1 + erf is 0.
    Value tail = math::ErfcOp::create(b, loc, multiply(x, constant(-M_SQRT1_2)));
    return multiply(multiply(x, constant(0.5)), tail);
  }
  // x / 2 (1 + tanh(u)) = x / (1 + exp(-2 u)).
  const double linear = -2 * std::sqrt(2 / M_PI);
  Value factor = add(multiply(multiply(x, x), constant(linear * 0.044715)), constant(linear));
  Value decay = math::ExpOp::create(b, loc, multiply(x, factor));
  return arith::DivFOp::create(b, loc, x, add(decay, constant(1)));
}

Value attn::createClamp(OpBuilder &b, Location loc, Value index, Value extent) {
  Value zero = arith::ConstantIndexOp::create(b, loc, 0), one = arith::ConstantIndexOp::create(b, loc, 1);
  Value last = b.createOrFold<arith::SubIOp>(loc, extent, one);
  return arith::MaxSIOp::create(b, loc, arith::MinSIOp::create(b, loc, index, last), zero);
}
