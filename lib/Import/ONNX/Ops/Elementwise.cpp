//===- Elementwise.cpp - Functions of single elements -----------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Each op is a function from scalars to a scalar; broadcasting and the types that are computed in are Build.h's. Here
// are the functions of one number; Arithmetic.cpp, Logic.cpp, Activations.cpp and Casts.cpp have the others.
//
//===----------------------------------------------------------------------===//

#include "Elementwise.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace attn;
using namespace attn::onnx;

LogicalResult attn::onnx::setElementwise(Node &node, ArrayRef<Tensor> inputs, DataType result, ScalarBody body,
                                         SizeFunction fold) {
  if (fold) {
    std::optional<Tensor> known = foldElements(node, inputs, result, fold);
    if (!known)
      known = foldUniform(node, inputs, result, fold);
    if (known) {
      node.set(0, std::move(*known));
      return success();
    }
  }
  FailureOr<Tensor> tensor = elementwise(node, inputs, result, body);
  if (failed(tensor))
    return failure();
  node.set(0, std::move(*tensor));
  return success();
}

LogicalResult attn::onnx::expectSameNumbers(Node &node, size_t least, bool variadic) {
  size_t count = variadic ? std::max(node.numInputs(), least) : least;
  if (failed(node.expectInputs(count, count)))
    return failure();
  for (size_t i = 0; i < count; ++i) {
    DataType type = node.input(i).type;
    if (!isFloat(type) && !isInteger(type))
      return node.error() << "input " << i << " has elements of " << nameOf(type) << ", expected numbers";
    if (type != node.input(0).type)
      return node.error() << "inputs have elements of " << nameOf(node.input(0).type) << " and " << nameOf(type);
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Scalars
//===----------------------------------------------------------------------===//

template <typename FloatOp, typename SignedOp, typename UnsignedOp>
static Value create(const Scalars &s, Value x, Value y) {
  if (isFloat(s.type))
    return FloatOp::create(s.b, s.loc, x, y);
  if (isUnsigned(s.type))
    return UnsignedOp::create(s.b, s.loc, x, y);
  return SignedOp::create(s.b, s.loc, x, y);
}

Value Scalars::add(Value x, Value y) const { return create<arith::AddFOp, arith::AddIOp, arith::AddIOp>(*this, x, y); }
Value Scalars::sub(Value x, Value y) const { return create<arith::SubFOp, arith::SubIOp, arith::SubIOp>(*this, x, y); }
Value Scalars::mul(Value x, Value y) const { return create<arith::MulFOp, arith::MulIOp, arith::MulIOp>(*this, x, y); }
Value Scalars::min(Value x, Value y) const {
  return create<arith::MinimumFOp, arith::MinSIOp, arith::MinUIOp>(*this, x, y);
}
Value Scalars::max(Value x, Value y) const {
  return create<arith::MaximumFOp, arith::MaxSIOp, arith::MaxUIOp>(*this, x, y);
}

/// A divisor that doesn't trap: neither 0 nor -1 where the quotient overflows.
Value Scalars::safeDivisor(Value x, Value y) const {
  Value traps = equal(y, constant(0));
  if (!isUnsigned(type)) {
    auto least = llvm::APInt::getSignedMinValue(x.getType().getIntOrFloatBitWidth());
    Value smallest = arith::ConstantOp::create(b, loc, b.getIntegerAttr(x.getType(), least));
    Value overflows = arith::AndIOp::create(b, loc, equal(x, smallest), equal(y, constant(-1)));
    traps = arith::OrIOp::create(b, loc, traps, overflows);
  }
  return select(traps, constant(1), y);
}

Value Scalars::div(Value x, Value y) const {
  if (isFloat(type))
    return arith::DivFOp::create(b, loc, x, y);
  Value divisor = safeDivisor(x, y);
  Value result = isUnsigned(type) ? arith::DivUIOp::create(b, loc, x, divisor).getResult()
                                  : arith::DivSIOp::create(b, loc, x, divisor).getResult();
  return select(equal(y, constant(0)), constant(0), result);
}

Value Scalars::rem(Value x, Value y) const {
  if (isFloat(type))
    return arith::RemFOp::create(b, loc, x, y);
  Value divisor = safeDivisor(x, y);
  return isUnsigned(type) ? arith::RemUIOp::create(b, loc, x, divisor).getResult()
                          : arith::RemSIOp::create(b, loc, x, divisor).getResult();
}

Value Scalars::less(Value x, Value y) const {
  if (isFloat(type))
    return arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OLT, x, y);
  return arith::CmpIOp::create(b, loc, isUnsigned(type) ? arith::CmpIPredicate::ult : arith::CmpIPredicate::slt, x, y);
}

Value Scalars::equal(Value x, Value y) const {
  if (isFloat(type))
    return arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OEQ, x, y);
  return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, x, y);
}

Value Scalars::exp(Value x) const { return math::ExpOp::create(b, loc, x); }
Value Scalars::log(Value x) const { return math::LogOp::create(b, loc, x); }

Value Scalars::abs(Value x) const {
  if (isFloat(type))
    return math::AbsFOp::create(b, loc, x);
  return isUnsigned(type) ? x : max(x, sub(constant(0), x));
}

Value Scalars::sigmoid(Value x) const {
  Value one = constant(1);
  return div(one, add(one, exp(arith::NegFOp::create(b, loc, x))));
}

Value Scalars::softplus(Value x) const {
  Value decay = exp(arith::NegFOp::create(b, loc, abs(x)));
  return add(max(x, constant(0)), log(add(constant(1), decay)));
}

//===----------------------------------------------------------------------===//
// Functions of one number
//===----------------------------------------------------------------------===//

namespace {

template <typename OpTy>
LogicalResult importFloat(Node &node) {
  if (failed(node.expectInputs(1, 1)) || failed(node.expectFloat(0)))
    return failure();
  return setElementwise(node, node.input(0), node.input(0).type,
                        [](OpBuilder &b, Location loc, ValueRange v) -> Value { return OpTy::create(b, loc, v[0]); });
}

LogicalResult importReciprocal(Node &node) {
  if (failed(node.expectInputs(1, 1)) || failed(node.expectFloat(0)))
    return failure();
  DataType type = node.input(0).type;
  return setElementwise(node, node.input(0), type, [&](OpBuilder &b, Location loc, ValueRange v) {
    Scalars s(b, loc, computeType(type));
    return s.div(s.constant(1), v[0]);
  });
}

LogicalResult importAbs(Node &node) {
  if (failed(expectSameNumbers(node, 1)))
    return failure();
  DataType type = node.input(0).type;
  auto fold = [&](ArrayRef<Size> v) { return maximum(node, v[0], Size(0) - v[0]); };
  return setElementwise(
      node, node.input(0), type,
      [&](OpBuilder &b, Location loc, ValueRange v) { return Scalars(b, loc, computeType(type)).abs(v[0]); }, fold);
}

LogicalResult importNeg(Node &node) {
  if (failed(expectSameNumbers(node, 1)))
    return failure();
  DataType type = node.input(0).type;
  if (isUnsigned(type))
    return node.error() << "elements of " << nameOf(type) << " have no negative";
  return setElementwise(
      node, node.input(0), type,
      [&](OpBuilder &b, Location loc, ValueRange v) -> Value {
        if (isFloat(type))
          return arith::NegFOp::create(b, loc, v[0]);
        Scalars s(b, loc, type);
        return s.sub(s.constant(0), v[0]);
      },
      [](ArrayRef<Size> v) { return std::optional(Size(0) - v[0]); });
}

LogicalResult importSign(Node &node) {
  if (failed(expectSameNumbers(node, 1)))
    return failure();
  DataType type = node.input(0).type;
  return setElementwise(node, node.input(0), type, [&](OpBuilder &b, Location loc, ValueRange v) {
    Scalars s(b, loc, computeType(type));
    Value zero = s.constant(0), one = s.constant(1);
    Value otherwise = zero;
    if (isFloat(type)) // NaN stays NaN
      otherwise = s.select(s.equal(v[0], v[0]), zero, v[0]);
    if (!isUnsigned(type))
      otherwise = s.select(s.less(v[0], zero), s.constant(-1), otherwise);
    return s.select(s.less(zero, v[0]), one, otherwise);
  });
}

LogicalResult importIsNaN(Node &node) {
  if (failed(node.expectInputs(1, 1)) || failed(node.expectFloat(0)))
    return failure();
  return setElementwise(node, node.input(0), DataType::Bool, [](OpBuilder &b, Location loc, ValueRange v) -> Value {
    return arith::CmpFOp::create(b, loc, arith::CmpFPredicate::UNO, v[0], v[0]);
  });
}

LogicalResult importIsInf(Node &node) {
  if (failed(node.expectInputs(1, 1)) || failed(node.expectFloat(0)))
    return failure();
  FailureOr<int64_t> negative = node.integer("detect_negative", 1), positive = node.integer("detect_positive", 1);
  if (failed(negative) || failed(positive))
    return failure();
  DataType type = node.input(0).type;
  return setElementwise(node, node.input(0), DataType::Bool, [&](OpBuilder &b, Location loc, ValueRange v) -> Value {
    Scalars s(b, loc, computeType(type));
    Value result = arith::ConstantOp::create(b, loc, b.getBoolAttr(false));
    auto detect = [&](double infinity) {
      result = arith::OrIOp::create(b, loc, result, s.equal(v[0], s.constant(infinity)));
    };
    if (*negative)
      detect(-std::numeric_limits<double>::infinity());
    if (*positive)
      detect(std::numeric_limits<double>::infinity());
    return result;
  });
}

} // namespace

void attn::onnx::registerElementwise(Registry &registry) {
  registry.add("Exp", importFloat<math::ExpOp>);
  registry.add("Log", importFloat<math::LogOp>);
  registry.add("Sqrt", importFloat<math::SqrtOp>);
  registry.add("Floor", importFloat<math::FloorOp>);
  registry.add("Ceil", importFloat<math::CeilOp>);
  registry.add("Round", importFloat<math::RoundEvenOp>);
  registry.add("Erf", importFloat<math::ErfOp>);
  registry.add("Sin", importFloat<math::SinOp>);
  registry.add("Cos", importFloat<math::CosOp>);
  registry.add("Tan", importFloat<math::TanOp>);
  registry.add("Asin", importFloat<math::AsinOp>);
  registry.add("Acos", importFloat<math::AcosOp>);
  registry.add("Atan", importFloat<math::AtanOp>);
  registry.add("Sinh", importFloat<math::SinhOp>);
  registry.add("Cosh", importFloat<math::CoshOp>);
  registry.add("Tanh", importFloat<math::TanhOp>);
  registry.add("Asinh", importFloat<math::AsinhOp>);
  registry.add("Acosh", importFloat<math::AcoshOp>);
  registry.add("Atanh", importFloat<math::AtanhOp>);
  registry.add("Reciprocal", importReciprocal);
  registry.add("Abs", importAbs);
  registry.add("Neg", importNeg);
  registry.add("Sign", importSign);
  registry.add("IsNaN", importIsNaN);
  registry.add("IsInf", importIsInf);
  registerArithmetic(registry);
  registerLogic(registry);
  registerActivations(registry);
  registerCasts(registry);
}
