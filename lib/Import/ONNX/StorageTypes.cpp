//===- StorageTypes.cpp - Scalars of float8, float4 and few bits *- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Floats are taken apart and put together with integers, so that lanes can do it, and so that it doesn't matter whether
// the host's numbers below the normal ones are flushed to 0.
//
//===----------------------------------------------------------------------===//

#include "StorageTypes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/ADT/APFloat.h"

using namespace mlir;
using namespace attn;
using namespace attn::onnx;
using arith::CmpIPredicate;
using llvm::APFloat;

//===----------------------------------------------------------------------===//
// Formats
//===----------------------------------------------------------------------===//

namespace {

/// A format with a sign, an exponent and a mantissa.
struct Format {
  int bits, mantissa, bias;
  int64_t sign;                    ///< its bit
  int64_t largest;                 ///< the bits of the largest number
  std::optional<int64_t> infinity; ///< its bits, without a sign
  int64_t notNumber;               ///< what NaN becomes
  bool isUnsignedZero;             ///< the bits of -0 are NaN
};

/// Emits integers of 32 or 64 bits and floats of as many.
class Emitter {
public:
  Emitter(OpBuilder &b, Location loc, bool isWide)
      : b(b), loc(loc), integer(isWide ? b.getI64Type() : b.getI32Type()),
        floating(isWide ? Type(b.getF64Type()) : Type(b.getF32Type())), mantissa(isWide ? 52 : 23),
        bias(isWide ? 1023 : 127) {}

  Value constant(int64_t value) { return arith::ConstantOp::create(b, loc, b.getIntegerAttr(integer, value)); }
  Value number(double value) { return arith::ConstantOp::create(b, loc, b.getFloatAttr(floating, value)); }
  Value add(Value x, Value y) { return arith::AddIOp::create(b, loc, x, y); }
  Value conjunction(Value x, Value y) { return arith::AndIOp::create(b, loc, x, y); }
  Value disjunction(Value x, Value y) { return arith::OrIOp::create(b, loc, x, y); }
  Value left(Value x, int64_t by) { return arith::ShLIOp::create(b, loc, x, constant(by)); }
  Value right(Value x, int64_t by) { return arith::ShRUIOp::create(b, loc, x, constant(by)); }
  Value select(Value condition, Value x, Value y) { return arith::SelectOp::create(b, loc, condition, x, y); }
  Value is(CmpIPredicate predicate, Value x, int64_t y) {
    return arith::CmpIOp::create(b, loc, predicate, x, constant(y));
  }
  /// 1 where `condition` holds.
  Value truth(Value condition) { return arith::ExtUIOp::create(b, loc, integer, condition); }
  Value bitsOf(Value x) { return arith::BitcastOp::create(b, loc, integer, x); }
  Value fromBits(Value x) { return arith::BitcastOp::create(b, loc, floating, x); }
  Value isNaN(Value x) { return arith::CmpFOp::create(b, loc, arith::CmpFPredicate::UNO, x, x); }
  Value toByte(Value x) { return arith::TruncIOp::create(b, loc, b.getI8Type(), x); }
  Value fromByte(Value x) { return arith::ExtUIOp::create(b, loc, integer, x); }

  OpBuilder &b;
  Location loc;
  Type integer, floating;
  int mantissa, bias;
};

} // namespace

static Format formatOf(MLIRContext *context, DataType type) {
  const llvm::fltSemantics &semantics = llvm::cast<FloatType>(storageTypeOf(*context, type)).getFloatSemantics();
  auto bitsOf = [](const APFloat &value) { return int64_t(value.bitcastToAPInt().getZExtValue()); };
  Format format;
  format.bits = APFloat::semanticsSizeInBits(semantics);
  format.mantissa = APFloat::semanticsPrecision(semantics) - 1;
  format.bias = 1 - APFloat::semanticsMinExponent(semantics);
  format.sign = int64_t(1) << (format.bits - 1);
  format.largest = bitsOf(APFloat::getLargest(semantics));
  if (APFloat::semanticsHasInf(semantics))
    format.infinity = bitsOf(APFloat::getInf(semantics));
  // Where there is no NaN, it becomes -0.
  format.notNumber = APFloat::semanticsHasNaN(semantics) ? bitsOf(APFloat::getNaN(semantics)) : format.sign;
  format.isUnsignedZero = type == DataType::Float8E4M3FNUZ || type == DataType::Float8E5M2FNUZ;
  return format;
}

//===----------------------------------------------------------------------===//
// From storage
//===----------------------------------------------------------------------===//

/// 2^(byte - 127), and NaN for 255.
static Value decodeExponent(Emitter &e, Value byte) {
  Value code = e.fromByte(byte);
  Value bits = e.select(e.is(CmpIPredicate::eq, code, 0), e.constant(1 << 22), e.left(code, 23));
  bits = e.select(e.is(CmpIPredicate::eq, code, 255), e.constant(0x7fc00000), bits);
  return e.fromBits(bits);
}

static Value decode(Emitter &e, Value byte, const Format &format) {
  Value code = e.fromByte(byte);
  Value magnitude = e.conjunction(code, e.constant(format.sign - 1));
  Value normal =
      e.add(e.left(magnitude, e.mantissa - format.mantissa), e.constant(int64_t(e.bias - format.bias) << e.mantissa));
  Value small = arith::SIToFPOp::create(e.b, e.loc, e.floating, magnitude);
  small = arith::MulFOp::create(e.b, e.loc, small, e.number(std::ldexp(1.0, 1 - format.bias - format.mantissa)));
  Value isSmall = e.is(CmpIPredicate::ult, magnitude, int64_t(1) << format.mantissa);
  Value bits = e.select(isSmall, e.bitsOf(small), normal);
  constexpr int64_t kInfinity = 0x7f800000, kNaN = 0x7fc00000;
  if (format.infinity)
    bits = e.select(e.is(CmpIPredicate::eq, magnitude, *format.infinity), e.constant(kInfinity), bits);
  if (format.isUnsignedZero)
    bits = e.select(e.is(CmpIPredicate::eq, code, format.notNumber), e.constant(kNaN), bits);
  else if (format.notNumber != format.sign)
    bits =
        e.select(e.is(CmpIPredicate::ugt, magnitude, format.infinity.value_or(format.largest)), e.constant(kNaN), bits);
  Value sign = e.left(e.conjunction(code, e.constant(format.sign)), 32 - format.bits);
  return e.fromBits(e.disjunction(bits, sign));
}

Computable attn::onnx::fromStorage(OpBuilder &b, Location loc, Value scalar, DataType from) {
  if (isSmallInteger(from))
    return {scalar, isUnsigned(from) ? DataType::UInt8 : DataType::Int8};
  Emitter e(b, loc, /*isWide=*/false);
  if (from == DataType::Float8E8M0)
    return {decodeExponent(e, scalar), DataType::Float};
  return {decode(e, scalar, formatOf(b.getContext(), from)), DataType::Float};
}

//===----------------------------------------------------------------------===//
// To storage
//===----------------------------------------------------------------------===//

/// The exponent of a float32 that is rounded to a power of two. What is negative is NaN, and where nothing saturates,
/// so is what is out of range before it is rounded, 0 included: as the table in the documentation of ONNX's Cast says.
static Value encodeExponent(Emitter &e, Value x, const Rounding &rounding) {
  constexpr int64_t kNaN = 255, kLargest = 254, kLeast = 1 << 22; // bits of 2^-127
  Value bits = e.bitsOf(x), magnitude = e.conjunction(bits, e.constant(0x7fffffff));
  Value exponent = e.right(magnitude, 23), fraction = e.conjunction(magnitude, e.constant((1 << 23) - 1));
  Value isSmall = e.is(CmpIPredicate::eq, exponent, 0);
  Value code = exponent;
  if (rounding.mode == Rounding::Up)
    code = e.add(exponent, e.truth(e.is(CmpIPredicate::ugt, fraction, 0)));
  else if (rounding.mode == Rounding::Nearest)
    code = e.add(exponent, e.truth(e.is(CmpIPredicate::uge, fraction, 1 << 22)));
  // From here on the exponent is 0 and the fraction has the leading bit, but what is below 2^-126 rounds as the rest.
  Value small = e.constant(0);
  if (rounding.mode == Rounding::Up)
    small = e.truth(e.is(CmpIPredicate::ugt, magnitude, kLeast));
  else if (rounding.mode == Rounding::Nearest)
    small = e.truth(e.is(CmpIPredicate::uge, magnitude, kLeast + kLeast / 2));
  code = e.select(isSmall, small, code);
  if (rounding.saturate) {
    code = e.select(e.is(CmpIPredicate::ugt, code, kLargest), e.constant(kLargest), code);
  } else {
    Value isBeyond =
        e.disjunction(e.is(CmpIPredicate::ult, magnitude, kLeast), e.is(CmpIPredicate::ugt, magnitude, kLargest << 23));
    code = e.select(isBeyond, e.constant(kNaN), code);
  }
  Value isNegative = e.is(CmpIPredicate::ugt, bits, int64_t(1) << 31);
  code = e.select(e.disjunction(isNegative, e.isNaN(x)), e.constant(kNaN), code);
  return e.toByte(code);
}

/// Rounds to nearest, ties to even.
static Value encode(Emitter &e, Value x, const Format &format, bool saturates) {
  int width = llvm::cast<IntegerType>(e.integer).getWidth(), dropped = e.mantissa - format.mantissa;
  Value bits = e.bitsOf(x);
  Value magnitude = e.conjunction(bits, e.constant(std::numeric_limits<int64_t>::max() >> (64 - width)));
  // Normal numbers: a carry out of the mantissa goes to the exponent.
  Value isOdd = e.conjunction(e.right(magnitude, dropped), e.constant(1));
  Value rounded = e.add(e.add(magnitude, e.constant((int64_t(1) << (dropped - 1)) - 1)), isOdd);
  Value normal = e.add(e.right(rounded, dropped), e.constant(-(int64_t(e.bias - format.bias) << format.mantissa)));
  // Below them: multiples of the least number, of which the largest is the least normal number.
  Value isSmall = e.is(CmpIPredicate::ult, magnitude, int64_t(e.bias - format.bias + 1) << e.mantissa);
  Value multiple = e.fromBits(e.select(isSmall, magnitude, e.constant(0)));
  multiple = arith::MulFOp::create(e.b, e.loc, multiple, e.number(std::ldexp(1.0, format.bias - 1 + format.mantissa)));
  Value small = arith::FPToSIOp::create(e.b, e.loc, e.b.getI32Type(), math::RoundEvenOp::create(e.b, e.loc, multiple));
  if (width == 64)
    small = arith::ExtUIOp::create(e.b, e.loc, e.integer, small);
  Value code = e.select(isSmall, small, normal);
  int64_t beyond = saturates || (format.notNumber == format.sign && !format.isUnsignedZero)
                       ? format.largest
                       : format.infinity.value_or(format.notNumber);
  code = e.select(e.is(CmpIPredicate::ugt, code, format.largest), e.constant(beyond), code);
  Value isNaN = e.isNaN(x);
  if (!format.isUnsignedZero)
    code = e.select(isNaN, e.constant(format.notNumber), code);
  Value sign = e.conjunction(e.right(bits, width - format.bits), e.constant(format.sign));
  if (format.isUnsignedZero)
    sign = e.select(e.is(CmpIPredicate::eq, code, 0), e.constant(0), sign);
  code = e.disjunction(code, sign);
  if (format.isUnsignedZero)
    code = e.select(isNaN, e.constant(format.notNumber), code);
  return e.toByte(code);
}

Value attn::onnx::fillByte(OpBuilder &b, Location loc, Value byte, DataType type) {
  auto constant = [&](int64_t value) { return scalarConstant(b, loc, DataType::Int8, value); };
  int64_t bits = bitsOf(type);
  Value element = arith::AndIOp::create(b, loc, byte, constant((1 << bits) - 1));
  if (!isSmallInteger(type) || isUnsigned(type))
    return element;
  Value sign = constant(1 << (bits - 1));
  return arith::SubIOp::create(b, loc, arith::XOrIOp::create(b, loc, element, sign), sign);
}

Value attn::onnx::toStorage(OpBuilder &b, Location loc, Value scalar, DataType from, DataType to,
                            const Rounding &rounding) {
  if (isSmallInteger(to)) {
    DataType whole = isFloat(from) ? DataType::Int32 : from;
    scalar = castScalar(b, loc, scalar, from, whole);
    return fillByte(b, loc, castScalar(b, loc, scalar, whole, DataType::UInt8), to);
  }
  // Integers of 32 bits are exact in float64, and larger ones are out of range but for float8e8m0.
  bool isWide = llvm::is_contained(
      {DataType::Double, DataType::Int32, DataType::UInt32, DataType::Int64, DataType::UInt64}, from);
  Value x = castScalar(b, loc, scalar, from, isWide ? DataType::Double : DataType::Float);
  if (to == DataType::Float8E8M0) {
    Emitter e(b, loc, /*isWide=*/false);
    return encodeExponent(e, isWide ? roundToOdd(b, loc, x) : x, rounding);
  }
  Emitter e(b, loc, isWide);
  return encode(e, x, formatOf(b.getContext(), to), rounding.saturate);
}
