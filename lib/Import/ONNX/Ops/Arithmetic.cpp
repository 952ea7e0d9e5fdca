//===- Arithmetic.cpp - Functions of several numbers ------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Elementwise.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace attn;
using namespace attn::onnx;

namespace {

enum class Function { Add, Sub, Mul, Div, Min, Max };

std::optional<Size> fold(Node &node, Function function, const Size &a, const Size &b) {
  switch (function) {
  case Function::Add:
    return a + b;
  case Function::Sub:
    return a - b;
  case Function::Mul:
    return a * b;
  case Function::Div:
    return quotient(node, a, b);
  case Function::Min:
    return minimum(node, a, b);
  case Function::Max:
    return maximum(node, a, b);
  }
  llvm_unreachable("all are listed");
}

Value emit(const Scalars &s, Function function, Value a, Value b) {
  switch (function) {
  case Function::Add:
    return s.add(a, b);
  case Function::Sub:
    return s.sub(a, b);
  case Function::Mul:
    return s.mul(a, b);
  case Function::Div:
    return s.div(a, b);
  case Function::Min:
    return s.min(a, b);
  case Function::Max:
    return s.max(a, b);
  }
  llvm_unreachable("all are listed");
}

std::optional<RampFunction> rampFunctionOf(Function function) {
  switch (function) {
  case Function::Add:
    return RampFunction::Add;
  case Function::Sub:
    return RampFunction::Sub;
  case Function::Mul:
    return RampFunction::Mul;
  default:
    return std::nullopt;
  }
}

/// All inputs from left to right.
template <Function function, bool variadic>
LogicalResult importChain(Node &node) {
  if (failed(expectSameNumbers(node, variadic ? 1 : 2, variadic)))
    return failure();
  SmallVector<Tensor> inputs;
  for (size_t i = 0; i < node.numInputs(); ++i)
    inputs.push_back(node.input(i));
  DataType type = inputs.front().type;
  if (std::optional<RampFunction> linear = rampFunctionOf(function))
    if (std::optional<Tensor> ramp = combineRamps(node, inputs, *linear)) {
      node.set(0, std::move(*ramp));
      return success();
    }
  return setElementwise(
      node, inputs, type,
      [&](OpBuilder &b, Location loc, ValueRange v) {
        Scalars s(b, loc, computeType(type));
        Value result = v.front();
        for (Value next : v.drop_front())
          result = emit(s, function, result, next);
        return result;
      },
      [&](ArrayRef<Size> v) {
        std::optional<Size> result = v.front();
        for (const Size &next : v.drop_front())
          if (result)
            result = fold(node, function, *result, next);
        return result;
      });
}

LogicalResult importMean(Node &node) {
  if (failed(expectSameNumbers(node, 1, /*variadic=*/true)) || failed(node.expectFloat(0)))
    return failure();
  SmallVector<Tensor> inputs;
  for (size_t i = 0; i < node.numInputs(); ++i)
    inputs.push_back(node.input(i));
  DataType type = inputs.front().type;
  return setElementwise(node, inputs, type, [&](OpBuilder &b, Location loc, ValueRange v) {
    Scalars s(b, loc, computeType(type));
    Value sum = v.front();
    for (Value next : v.drop_front())
      sum = s.add(sum, next);
    return s.div(sum, s.constant(double(v.size())));
  });
}

LogicalResult importMod(Node &node) {
  if (failed(expectSameNumbers(node, 2)))
    return failure();
  FailureOr<int64_t> fmod = node.integer("fmod", 0);
  if (failed(fmod))
    return failure();
  if (*fmod != 0 && *fmod != 1)
    return node.error() << "attribute 'fmod' is " << *fmod << ", expected 0 or 1";
  DataType type = node.input(0).type;
  auto body = [&](OpBuilder &b, Location loc, ValueRange v) -> Value {
    Scalars s(b, loc, computeType(type));
    Value rest = s.rem(v[0], v[1]);
    if (*fmod || isUnsigned(type))
      return rest;
    // To the sign of the divisor.
    Value zero = s.constant(0);
    Value isZero = s.equal(rest, zero);
    Value differs = arith::XOrIOp::create(b, loc, s.less(rest, zero), s.less(v[1], zero));
    Value moved = s.select(differs, s.add(rest, v[1]), rest);
    Value none = isFloat(type) ? math::CopySignOp::create(b, loc, zero, v[1]).getResult() : zero;
    return s.select(isZero, none, moved);
  };
  return setElementwise(node, {node.input(0), node.input(1)}, type, body, [&](ArrayRef<Size> v) -> std::optional<Size> {
    // Where signs make no difference.
    if (!isAtLeast(node.symbols, v[0], 0) || !isAtLeast(node.symbols, v[1], 0))
      return std::nullopt;
    std::optional<Size> whole = quotient(node, v[0], v[1]);
    return whole ? std::optional(node.symbols.canonical(v[0] - *whole * v[1])) : std::nullopt;
  });
}

//===----------------------------------------------------------------------===//
// Pow
//===----------------------------------------------------------------------===//

/// base ** exponent by repeated squaring, wrapping around. A negative exponent gives the quotient toward 0.
Value integerPower(OpBuilder &b, Location loc, DataType type, Value base, Value exponent, bool signedExponent) {
  Scalars s(b, loc, type);
  auto exponentType = llvm::cast<IntegerType>(exponent.getType());
  auto index = [&](int64_t value) { return arith::ConstantIndexOp::create(b, loc, value); };
  auto number = [&](int64_t value) {
    return arith::ConstantOp::create(b, loc, b.getIntegerAttr(exponentType, value)).getResult();
  };
  Value zero = number(0), one = number(1);
  auto loop = scf::ForOp::create(
      b, loc, index(0), index(exponentType.getWidth()), index(1), ValueRange{s.constant(1), base, exponent},
      [&](OpBuilder &, Location, Value, ValueRange carried) {
        Value bit = arith::AndIOp::create(b, loc, carried[2], one);
        Value isSet = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, bit, zero);
        Value result = s.select(isSet, s.mul(carried[0], carried[1]), carried[0]);
        scf::YieldOp::create(
            b, loc, ValueRange{result, s.mul(carried[1], carried[1]), arith::ShRUIOp::create(b, loc, carried[2], one)});
      });
  Value result = loop.getResult(0);
  if (!signedExponent)
    return result;
  // Only 1 and -1 have an inverse, which is themselves.
  Value isUnit = arith::OrIOp::create(b, loc, s.equal(base, s.constant(1)), s.equal(base, s.constant(-1)));
  Value isNegative = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, exponent, zero);
  return s.select(isNegative, s.select(isUnit, result, s.constant(0)), result);
}

/// Powers that are cheaper than by way of logarithms; null for others.
Value simplePower(const Scalars &s, Value x, double exponent) {
  if (exponent == 0.5)
    return math::SqrtOp::create(s.b, s.loc, x);
  if (exponent == 1)
    return x;
  if (exponent == 2)
    return s.mul(x, x);
  if (exponent == 3)
    return s.mul(s.mul(x, x), x);
  if (exponent == -1)
    return s.div(s.constant(1), x);
  if (exponent == -0.5)
    return s.div(s.constant(1), math::SqrtOp::create(s.b, s.loc, x));
  return {};
}

LogicalResult importPow(Node &node) {
  if (failed(node.expectInputs(2, 2)))
    return failure();
  const Tensor &base = node.input(0), &exponent = node.input(1);
  for (const Tensor *tensor : {&base, &exponent})
    if (!isFloat(tensor->type) && !isInteger(tensor->type))
      return node.error() << "elements of " << nameOf(tensor->type) << " have no power";
  if (isFloat(base.type)) {
    std::optional<double> known;
    if (DenseElementsAttr dense = denseOf(node, exponent, 1); dense && dense.getNumElements() == 1) {
      Attribute value = *dense.getValues<Attribute>().begin();
      if (auto number = llvm::dyn_cast<FloatAttr>(value))
        known = number.getValueAsDouble();
      else if (!isUnsigned(exponent.type))
        known = double(llvm::cast<IntegerAttr>(value).getValue().getSExtValue());
    }
    bool simple = known && llvm::is_contained({0.5, 1.0, 2.0, 3.0, -1.0, -0.5}, *known);
    if (simple && exponent.rank() <= base.rank())
      return setElementwise(node, base, base.type, [&](OpBuilder &b, Location loc, ValueRange v) {
        return simplePower(Scalars(b, loc, computeType(base.type)), v[0], *known);
      });
  }
  return setElementwise(
      node, {base, exponent}, base.type,
      [&](OpBuilder &b, Location loc, ValueRange v) -> Value {
        if (isInteger(base.type) && isInteger(exponent.type))
          return integerPower(b, loc, base.type, v[0], v[1], !isUnsigned(exponent.type));
        bool wide = isInteger(base.type) || exponent.type == DataType::Double || base.type == DataType::Double;
        DataType type = wide ? DataType::Double : DataType::Float;
        Value x = castScalar(b, loc, v[0], computeType(base.type), type);
        Value y = castScalar(b, loc, v[1], computeType(exponent.type), type);
        return castScalar(b, loc, math::PowFOp::create(b, loc, x, y), type, computeType(base.type));
      },
      [](ArrayRef<Size> v) -> std::optional<Size> {
        std::optional<int64_t> times = v[1].getConstant();
        if (!times || *times < 0 || *times > 64)
          return std::nullopt;
        Size result(1);
        for (int64_t i = 0; i < *times; ++i)
          result = result * v[0];
        return result;
      });
}

//===----------------------------------------------------------------------===//
// Clip
//===----------------------------------------------------------------------===//

LogicalResult importClip(Node &node) {
  if (failed(node.expectInputs(1, 3)))
    return failure();
  DataType type = node.input(0).type;
  if (!isFloat(type) && !isInteger(type))
    return node.error() << "input 0 has elements of " << nameOf(type) << ", expected numbers";
  SmallVector<Tensor> inputs{node.input(0)};
  bool hasLeast = node.has(1), hasMost = node.has(2);
  for (size_t i : {1, 2}) {
    if (!node.has(i))
      continue;
    if (failed(node.expectType(i, type)))
      return failure();
    if (!productOf(node.input(i).shape).isConstant(1))
      return node.error() << "input " << i << " has shape " << node.symbols.toString(node.input(i).shape)
                          << ", expected a single element";
    FailureOr<Tensor> bound = reshape(node, node.input(i), Shape());
    if (failed(bound))
      return failure();
    inputs.push_back(std::move(*bound));
  }
  return setElementwise(
      node, inputs, type,
      [&](OpBuilder &b, Location loc, ValueRange v) {
        Scalars s(b, loc, computeType(type));
        Value result = hasLeast ? s.max(v[0], v[1]) : v[0];
        return hasMost ? s.min(result, v.back()) : result;
      },
      [&](ArrayRef<Size> v) {
        std::optional<Size> result = hasLeast ? maximum(node, v[0], v[1]) : std::optional(v[0]);
        return result && hasMost ? minimum(node, *result, v.back()) : result;
      });
}

//===----------------------------------------------------------------------===//
// Bits
//===----------------------------------------------------------------------===//

template <typename OpTy>
LogicalResult importBitwise(Node &node) {
  if (failed(expectSameNumbers(node, 2)))
    return failure();
  DataType type = node.input(0).type;
  if (!isInteger(type))
    return node.error() << "inputs have elements of " << nameOf(type) << ", expected integers";
  return setElementwise(
      node, {node.input(0), node.input(1)}, type,
      [](OpBuilder &b, Location loc, ValueRange v) -> Value { return OpTy::create(b, loc, v[0], v[1]); });
}

LogicalResult importBitwiseNot(Node &node) {
  if (failed(expectSameNumbers(node, 1)))
    return failure();
  DataType type = node.input(0).type;
  if (!isInteger(type))
    return node.error() << "the input has elements of " << nameOf(type) << ", expected integers";
  return setElementwise(node, node.input(0), type, [&](OpBuilder &b, Location loc, ValueRange v) -> Value {
    return arith::XOrIOp::create(b, loc, v[0], arith::ConstantOp::create(b, loc, b.getIntegerAttr(v[0].getType(), -1)));
  });
}

LogicalResult importBitShift(Node &node) {
  if (failed(expectSameNumbers(node, 2)))
    return failure();
  FailureOr<std::string> direction = node.text("direction");
  if (failed(direction))
    return failure();
  if (*direction != "LEFT" && *direction != "RIGHT")
    return node.error() << "attribute 'direction' is '" << *direction << "', expected LEFT or RIGHT";
  DataType type = node.input(0).type;
  if (!isInteger(type))
    return node.error() << "inputs have elements of " << nameOf(type) << ", expected integers";
  return setElementwise(
      node, {node.input(0), node.input(1)}, type, [&](OpBuilder &b, Location loc, ValueRange v) -> Value {
        Scalars s(b, loc, type);
        unsigned width = v[0].getType().getIntOrFloatBitWidth();
        auto number = [&](int64_t value) {
          return arith::ConstantOp::create(b, loc, b.getIntegerAttr(v[0].getType(), value)).getResult();
        };
        // A negative distance is a large one.
        Value isFar = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::uge, v[1], number(width));
        Value distance = s.select(isFar, number(width - 1), v[1]);
        if (*direction == "RIGHT" && !isUnsigned(type))
          return arith::ShRSIOp::create(b, loc, v[0], distance);
        Value result = *direction == "RIGHT" ? arith::ShRUIOp::create(b, loc, v[0], distance).getResult()
                                             : arith::ShLIOp::create(b, loc, v[0], distance).getResult();
        return s.select(isFar, number(0), result);
      });
}

} // namespace

void attn::onnx::registerArithmetic(Registry &registry) {
  registry.add("Add", importChain<Function::Add, false>);
  registry.add("Sub", importChain<Function::Sub, false>);
  registry.add("Mul", importChain<Function::Mul, false>);
  registry.add("Div", importChain<Function::Div, false>);
  registry.add("Sum", importChain<Function::Add, true>);
  registry.add("Min", importChain<Function::Min, true>);
  registry.add("Max", importChain<Function::Max, true>);
  registry.add("Mean", importMean);
  registry.add("Mod", importMod);
  registry.add("Pow", importPow);
  registry.add("Clip", importClip);
  registry.add("BitwiseAnd", importBitwise<arith::AndIOp>);
  registry.add("BitwiseOr", importBitwise<arith::OrIOp>);
  registry.add("BitwiseXor", importBitwise<arith::XOrIOp>);
  registry.add("BitwiseNot", importBitwiseNot);
  registry.add("BitShift", importBitShift);
}
