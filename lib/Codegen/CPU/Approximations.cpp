//===- Approximations.cpp - Functions as polynomials ------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The coefficients are minimax ones by Remez' algorithm in 30 digits, rounded to f32.
//
//===----------------------------------------------------------------------===//

#include "attn/Codegen/CPU/Approximations.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include <cmath>
#include <limits>

using namespace mlir;
using namespace attn;
using Predicate = arith::CmpFPredicate;

static constexpr double kLog2E = 1.4426950408889634;
static constexpr double kInfinity = std::numeric_limits<double>::infinity();

// 2^f on [-1/2, 1/2]; relative error 7.5e-8 plus rounding. The first is exactly 1.
static constexpr float kExp2[] = {1.0f, 0.693146944f, 0.240221173f, 0.0555071272f, 0.00967554096f, 0.00132764748f};
// The same to 1.9e-9.
static constexpr float kExp2Precise[] = {1.0f,           0.693147182f,   0.240226462f,   0.0555032864f,
                                         0.00961848907f, 0.00133999321f, 0.000153458270f};
// (e^r - 1 - r) / r^2 on [-log(2) / 2, log(2) / 2].
static constexpr float kExp[] = {0.49999994f, 0.166665226f, 0.0416683592f, 0.00836857688f, 0.00138153404f};
// (log(1 + r) - r + r^2 / 2) / r^3 on [sqrt(1/2) - 1, sqrt(2) - 1].
static constexpr float kLog[] = {0.333333135f,  -0.249999866f, 0.200020686f,  -0.166691825f, 0.142213419f,
                                 -0.123867244f, 0.118575044f,  -0.117718466f, 0.0692662746f};
// (tanh(x) / x - 1) / x^2 in x^2 for |x| < 0.6.
static constexpr float kTanh[] = {-0.333327323f, 0.133151308f, -0.0523018427f, 0.0157368891f};
// erf(x / sqrt(2)) / (2 x) in w = 2 (x / 5.5)^2 - 1: in this variable all coefficients are small, so that rounding
// stays as small. Times x it is within 9e-9 of the function, and the result at 5.5 is exactly 1/2.
static constexpr float kHalfErfEnd = 5.5f, kHalfErfScale = 0.0661156997f;
static constexpr float kHalfErf[] = {0.12855193f,     -0.064172335f,    0.0477376245f,   -0.0387927853f,
                                     0.0320702642f,   -0.0260482561f,   0.0203645471f,   -0.0149990777f,
                                     0.0102278758f,   -0.00681994483f,  0.00462172925f,  -0.00241857953f,
                                     0.000720131153f, -0.000529188954f, 0.000631556206f, -0.000236401669f};

// log(erfc(z) / t) + z^2 with t = 2 / (2 + z), in w = (2 t - 1.15) / 0.85, for z up to 11; absolute error 1e-8.
static constexpr float kErfcEnd = 10.5f, kErfcScale = 2.35294118f, kErfcShift = -1.35294118f;
static constexpr float kErfc[] = {-0.569994986f,   0.58103478f,     0.0182180181f,    -0.0311692581f,
                                  -0.00153571961f, 0.00412334967f,  -0.000221465467f, -0.000634252152f,
                                  0.000135457754f, 6.97527648e-05f, -2.57066167e-05f};

//===----------------------------------------------------------------------===//
// Building blocks
//===----------------------------------------------------------------------===//

bool FunctionEmitter::isSupported(Type type) {
  if (auto vector = dyn_cast<VectorType>(type))
    return vector.getElementType().isF32() && !vector.isScalable();
  return type.isF32();
}

Type FunctionEmitter::integerType() {
  if (auto vector = dyn_cast<VectorType>(type))
    return vector.clone(builder.getI32Type());
  return builder.getI32Type();
}

Value FunctionEmitter::constant(double value) {
  TypedAttr attr = builder.getF32FloatAttr(float(value));
  if (auto vector = dyn_cast<VectorType>(type))
    attr = DenseElementsAttr::get(vector, Attribute(attr));
  return arith::ConstantOp::create(builder, loc, attr);
}

Value FunctionEmitter::integer(int32_t value) {
  TypedAttr attr = builder.getI32IntegerAttr(value);
  if (isa<VectorType>(type))
    attr = DenseElementsAttr::get(cast<VectorType>(integerType()), Attribute(attr));
  return arith::ConstantOp::create(builder, loc, attr);
}

Value FunctionEmitter::fma(Value a, Value b, Value c) { return math::FmaOp::create(builder, loc, a, b, c); }
Value FunctionEmitter::add(Value a, Value b) { return arith::AddFOp::create(builder, loc, a, b); }
Value FunctionEmitter::sub(Value a, Value b) { return arith::SubFOp::create(builder, loc, a, b); }
Value FunctionEmitter::mul(Value a, Value b) { return arith::MulFOp::create(builder, loc, a, b); }

Value FunctionEmitter::select(Predicate predicate, Value a, Value b, Value yes, Value no) {
  Value condition = arith::CmpFOp::create(builder, loc, predicate, a, b);
  return arith::SelectOp::create(builder, loc, condition, yes, no);
}

Value FunctionEmitter::bits(Value x) { return arith::BitcastOp::create(builder, loc, integerType(), x); }
Value FunctionEmitter::fromBits(Value x) { return arith::BitcastOp::create(builder, loc, type, x); }

Value FunctionEmitter::polynomial(Value x, ArrayRef<float> c) {
  Value result = constant(c.back());
  for (float coefficient : llvm::reverse(c.drop_back()))
    result = fma(result, x, constant(coefficient));
  return result;
}

//===----------------------------------------------------------------------===//
// Exponentials and logarithm
//===----------------------------------------------------------------------===//

std::pair<Value, Value> FunctionEmitter::roundToPower(Value x, double factor, int32_t bias) {
  // Adding 1.5 * 2^23 leaves the rounded product in the low bits of the sum, and adding the exponent's bias besides
  // makes those bits the exponent field of the power.
  Value magic = constant(12582912.0 + 127 - bias);
  Value shifted = factor == 1 ? add(x, magic) : fma(x, constant(factor), magic);
  Value power = arith::ShLIOp::create(builder, loc, bits(shifted), integer(23));
  return {sub(shifted, magic), fromBits(power)};
}

Value FunctionEmitter::exp2OfNonPositive(Value x, double factor) {
  auto [rounded, power] = roundToPower(x, factor, 0);
  Value fraction = fma(x, constant(factor), arith::NegFOp::create(builder, loc, rounded));
  Value result = mul(polynomial(fraction, kExp2), power);
  // Smaller powers would be denormal, which makes each product with them a hundred times slower. A NaN stays.
  return select(Predicate::UGE, x, constant(-125.9999 / factor), result, constant(0));
}

Value FunctionEmitter::finishExp2(Value x, Value fraction, Value power) {
  // Half the power is representable for every finite result.
  Value result = mul(mul(fraction, power), constant(2));
  result = select(Predicate::UGE, x, constant(-125), result, constant(0));
  return select(Predicate::OGE, x, constant(128), constant(kInfinity), result);
}

Value FunctionEmitter::exp2(Value x) {
  auto [rounded, power] = roundToPower(x, 1, 1);
  return finishExp2(x, polynomial(sub(x, rounded), kExp2Precise), power);
}

Value FunctionEmitter::exp(Value x) {
  Value scaled = mul(x, constant(kLog2E));
  auto [rounded, power] = roundToPower(scaled, 1, 1);
  // x - n log(2), with log(2) in two parts of which the first times n is exact.
  Value rest = fma(rounded, constant(-0.693359375), x);
  rest = fma(rounded, constant(2.12194440e-4), rest);
  Value tail = mul(mul(rest, rest), polynomial(rest, kExp));
  Value fraction = add(add(rest, tail), constant(1));
  return finishExp2(scaled, fraction, power);
}

Value FunctionEmitter::log(Value x) {
  // x = m 2^e with m in [sqrt(1/2), sqrt(2)); denormals are scaled up before.
  Value smallest = constant(1.17549435e-38);
  Value scaled = select(Predicate::OLT, x, smallest, mul(x, constant(8388608)), x);
  Value shift = select(Predicate::OLT, x, smallest, constant(-23), constant(0));
  constexpr int32_t kSqrtHalf = 0x3f3504f3;
  Value offset = arith::SubIOp::create(builder, loc, bits(scaled), integer(kSqrtHalf));
  Value exponent = arith::ShRSIOp::create(builder, loc, offset, integer(23));
  Value mantissa = arith::AndIOp::create(builder, loc, offset, integer(0x007fffff));
  Value m = fromBits(arith::AddIOp::create(builder, loc, mantissa, integer(kSqrtHalf)));
  Value e = add(arith::SIToFPOp::create(builder, loc, type, exponent), shift);
  Value r = sub(m, constant(1));
  Value square = mul(r, r);
  Value tail = mul(mul(square, r), polynomial(r, kLog));
  tail = fma(e, constant(-2.12194440e-4), tail);
  tail = fma(square, constant(-0.5), tail);
  Value result = fma(e, constant(0.693359375), add(r, tail));
  result = select(Predicate::OEQ, x, constant(kInfinity), x, result);
  result = select(Predicate::OEQ, x, constant(0), constant(-kInfinity), result);
  return select(Predicate::UGE, x, constant(0), select(Predicate::UNO, x, x, x, result),
                constant(std::numeric_limits<double>::quiet_NaN()));
}

//===----------------------------------------------------------------------===//
// Sigmoids
//===----------------------------------------------------------------------===//

Value FunctionEmitter::tanh(Value x) {
  Value magnitude = math::AbsFOp::create(builder, loc, x);
  Value power = exp2(mul(magnitude, constant(2 * kLog2E)));
  Value quotient = arith::DivFOp::create(builder, loc, constant(2), add(power, constant(1)));
  Value large = math::CopySignOp::create(builder, loc, sub(constant(1), quotient), x);
  Value square = mul(x, x);
  Value small = fma(mul(square, x), polynomial(square, kTanh), x);
  return select(Predicate::OLT, magnitude, constant(0.6), small, large);
}

Value FunctionEmitter::halfErf(Value x) {
  Value end = constant(kHalfErfEnd), begin = constant(-kHalfErfEnd);
  Value clamped = select(Predicate::OGT, x, end, end, x);
  clamped = select(Predicate::OLT, clamped, begin, begin, clamped);
  Value w = fma(mul(clamped, clamped), constant(kHalfErfScale), constant(-1));
  return mul(clamped, polynomial(w, kHalfErf));
}

Value FunctionEmitter::erf(Value x) { return mul(halfErf(mul(x, constant(std::sqrt(2.0)))), constant(2)); }

Value FunctionEmitter::erfc(Value x) {
  Value magnitude = math::AbsFOp::create(builder, loc, x);
  Value end = constant(kErfcEnd);
  Value z = select(Predicate::OGT, magnitude, end, end, magnitude);
  Value t = arith::DivFOp::create(builder, loc, constant(2), add(z, constant(2)));
  Value w = fma(t, constant(kErfcScale), constant(kErfcShift));
  // e^(-z^2) in two factors: what the square's rounding lost goes into the small one.
  Value square = mul(z, z);
  Value minus = arith::NegFOp::create(builder, loc, square);
  Value lost = fma(z, z, minus);
  Value tail = mul(mul(t, exp(minus)), exp(sub(polynomial(w, kErfc), lost)));
  return select(Predicate::OLT, x, constant(0), sub(constant(2), tail), tail);
}

Value FunctionEmitter::gelu(Value x) { return fma(x, halfErf(x), mul(x, constant(0.5))); }

Value FunctionEmitter::geluTanh(Value x) {
  // x / 2 (1 + tanh(u)) = x / (1 + exp(-2 u)).
  const double linear = -2 * kLog2E * std::sqrt(2 / 3.14159265358979323846);
  Value factor = fma(mul(x, x), constant(linear * 0.044715), constant(linear));
  return arith::DivFOp::create(builder, loc, x, add(exp2(mul(x, factor)), constant(1)));
}
