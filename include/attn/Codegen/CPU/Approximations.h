//===- Approximations.h - Functions as polynomials --------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// exp2, exp, log, tanh, erf and GELU in f32 without a call: range reduction in integer arithmetic, a minimax
// polynomial, and selects for the ends. Nothing here depends on the instruction set: a power of two is made by shifting
// the rounded exponent into place, which costs as much as AVX-512's scalef and is the same everywhere. All are for
// scalars and vectors of f32 alike; NaNs pass through. Bounds below are measured over all of f32 or a dense part of it.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_CODEGEN_CPU_APPROXIMATIONS_H
#define ATTN_CODEGEN_CPU_APPROXIMATIONS_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Value.h"

namespace attn {

/// Emits functions of values of one type: f32, or a vector of f32.
class FunctionEmitter {
public:
  FunctionEmitter(mlir::OpBuilder &builder, mlir::Location loc, mlir::Type type)
      : builder(builder), loc(loc), type(type) {}

  /// True for the types that functions are emitted for.
  static bool isSupported(mlir::Type type);

  /// 2^(factor x) for x <= 0 and a positive factor, and 0 where that is below 2^-126: the exponential of softmax. The
  /// product is not rounded. Exactly 1 of 0 and 0 of -infinity; relative error 1.7e-7 beside that of the factor in f32.
  mlir::Value exp2OfNonPositive(mlir::Value x, double factor);
  /// 2^x; 0 where it is below 2^-125, infinity where it isn't finite. Relative error 1e-7.
  mlir::Value exp2(mlir::Value x);
  /// e^x; 0 where it is below 2^-125, infinity where it isn't finite. Relative error 1e-7.
  mlir::Value exp(mlir::Value x);
  /// The natural logarithm, denormals included; -infinity of 0, NaN of negative numbers. Relative error 1e-7.
  mlir::Value log(mlir::Value x);
  /// Relative error 2e-7.
  mlir::Value tanh(mlir::Value x);
  /// Absolute error 2.4e-7.
  mlir::Value erf(mlir::Value x);
  /// 1 - erf(x), where that is tiny too; 0 where it is below 2^-125. Relative error 5e-7.
  mlir::Value erfc(mlir::Value x);
  /// x Phi(x) with Phi of absolute error 1.2e-7; exactly x above 5.5 and exactly 0 below -5.5.
  mlir::Value gelu(mlir::Value x);
  /// The form of GELU with tanh; error 1.2e-7 |x|.
  mlir::Value geluTanh(mlir::Value x);

private:
  mlir::Value constant(double value);
  mlir::Value integer(int32_t value);
  mlir::Type integerType();
  mlir::Value fma(mlir::Value a, mlir::Value b, mlir::Value c);
  mlir::Value add(mlir::Value a, mlir::Value b);
  mlir::Value sub(mlir::Value a, mlir::Value b);
  mlir::Value mul(mlir::Value a, mlir::Value b);
  mlir::Value select(mlir::arith::CmpFPredicate predicate, mlir::Value a, mlir::Value b, mlir::Value yes,
                     mlir::Value no);
  mlir::Value bits(mlir::Value x);
  mlir::Value fromBits(mlir::Value x);
  /// c[0] + c[1] x + c[2] x^2 ..., by Horner's rule.
  mlir::Value polynomial(mlir::Value x, llvm::ArrayRef<float> c);
  /// factor x rounded to an integer n, and 2^(n - bias) for n - bias in [-126, 127].
  std::pair<mlir::Value, mlir::Value> roundToPower(mlir::Value x, double factor, int32_t bias);
  /// `fraction` 2^n with results and arguments x out of range replaced; `power` is 2^(n - 1).
  mlir::Value finishExp2(mlir::Value x, mlir::Value fraction, mlir::Value power);
  /// erf(x / sqrt(2)) / 2, exactly +-1/2 from 5.5 on.
  mlir::Value halfErf(mlir::Value x);

  mlir::OpBuilder &builder;
  mlir::Location loc;
  mlir::Type type;
};

} // namespace attn

#endif // ATTN_CODEGEN_CPU_APPROXIMATIONS_H
