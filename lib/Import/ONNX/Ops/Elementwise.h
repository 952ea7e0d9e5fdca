//===- Elementwise.h - Shared by elementwise ops ----------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_IMPORT_ONNX_OPS_ELEMENTWISE_H
#define ATTN_LIB_IMPORT_ONNX_OPS_ELEMENTWISE_H

#include "Fold.h"
#include "Registry.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

namespace attn::onnx {

/// Sets the only output to an elementwise function of `inputs`; `fold` is the same function of known integers.
llvm::LogicalResult setElementwise(Node &node, llvm::ArrayRef<Tensor> inputs, DataType result, ScalarBody body,
                                   SizeFunction fold = nullptr);
/// Fails unless all inputs are there and have elements of the same numeric type; `least` is their number, or where
/// `variadic` the smallest.
llvm::LogicalResult expectSameNumbers(Node &node, size_t least, bool variadic = false);

/// Arithmetic of scalars of one type, integers or floats.
class Scalars {
public:
  Scalars(mlir::OpBuilder &b, mlir::Location loc, DataType type) : b(b), loc(loc), type(type) {}

  mlir::Value constant(double value) const { return scalarConstant(b, loc, type, value); }
  mlir::Value add(mlir::Value x, mlir::Value y) const;
  mlir::Value sub(mlir::Value x, mlir::Value y) const;
  mlir::Value mul(mlir::Value x, mlir::Value y) const;
  /// Integer division by 0 gives 0.
  mlir::Value div(mlir::Value x, mlir::Value y) const;
  /// The remainder of the division toward 0.
  mlir::Value rem(mlir::Value x, mlir::Value y) const;
  /// NaN where one of both is.
  mlir::Value min(mlir::Value x, mlir::Value y) const;
  mlir::Value max(mlir::Value x, mlir::Value y) const;
  mlir::Value less(mlir::Value x, mlir::Value y) const;
  mlir::Value equal(mlir::Value x, mlir::Value y) const;
  mlir::Value select(mlir::Value condition, mlir::Value x, mlir::Value y) const {
    return mlir::arith::SelectOp::create(b, loc, condition, x, y);
  }
  mlir::Value exp(mlir::Value x) const;
  mlir::Value log(mlir::Value x) const;
  mlir::Value abs(mlir::Value x) const;
  mlir::Value sigmoid(mlir::Value x) const;
  /// log(1 + exp(x)), which overflows nowhere.
  mlir::Value softplus(mlir::Value x) const;

  mlir::OpBuilder &b;
  mlir::Location loc;
  DataType type;

private:
  mlir::Value safeDivisor(mlir::Value x, mlir::Value y) const;
};

// The families that registerElementwise is made of.
void registerArithmetic(Registry &registry);
void registerActivations(Registry &registry);
void registerLogic(Registry &registry);
void registerCasts(Registry &registry);

} // namespace attn::onnx

#endif // ATTN_LIB_IMPORT_ONNX_OPS_ELEMENTWISE_H
