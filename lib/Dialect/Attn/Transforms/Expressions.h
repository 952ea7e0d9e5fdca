//===- Expressions.h - Tensors as expressions of their elements -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What exporters take apart stands in the IR as one elementwise op for each scalar operation, as a linalg.generic with
// broadcasting maps or as an arith or math op on tensors. The passes that raise such code look at it through this file:
// as scalar operations between tensors' elements, whichever form they have.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_DIALECT_ATTN_TRANSFORMS_EXPRESSIONS_H
#define ATTN_LIB_DIALECT_ATTN_TRANSFORMS_EXPRESSIONS_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/AffineMap.h"
#include "mlir/IR/Value.h"
#include <optional>

namespace attn {

/// An operand of a scalar operation: an element of a tensor, read through a map from the result's index; or a constant.
struct ElementOperand {
  mlir::Value tensor;
  mlir::AffineMap map;
  std::optional<double> constant;
};

/// An element of a tensor as one scalar operation.
struct ElementOp {
  mlir::Operation *scalar;
  llvm::SmallVector<ElementOperand> operands;
};

/// The operation whose result the elements of `tensor` are, where it is just one. Conversions between float types don't
/// count as one.
std::optional<ElementOp> elementOpOf(mlir::Value tensor);

/// The same elements, read from where they come from: through broadcasts and permutations, and reshapes that only add
/// or drop dimensions of size 1. Of where a dimension is read at 0 only it comes no further, unless `allowZeros`.
ElementOperand resolve(ElementOperand operand, bool allowZeros = false);

/// Each element of `tensor`, at its own index.
ElementOperand wholeOf(mlir::Value tensor);

/// The value of a floating-point constant, all of whose elements are equal.
std::optional<double> constantOf(mlir::Value value);

/// A tensor as a coefficient times a product of others, read through maps.
struct Product {
  double coefficient = 1.0;
  llvm::SmallVector<ElementOperand> factors;
};
/// Takes products, quotients by constants, and negations apart.
Product productOf(mlir::Value tensor);

/// A tensor as a constant plus a sum of others, each read through its map.
struct Sum {
  double constant = 0.0;
  llvm::SmallVector<ElementOperand> terms;
};
Sum sumOf(mlir::Value tensor);

/// True where `a` is `b` but for the rounding of a float32.
bool isNearly(double a, double b);

} // namespace attn

#endif // ATTN_LIB_DIALECT_ATTN_TRANSFORMS_EXPRESSIONS_H
