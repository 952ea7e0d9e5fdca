//===- Reduce.h - Loops over several tensors --------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What sums, products and norms are made of: functions of elements that are met along named loops, and reductions of
// these. A dimension of size 1 along a loop of another size is repeated.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_IMPORT_ONNX_OPS_REDUCE_H
#define ATTN_LIB_IMPORT_ONNX_OPS_REDUCE_H

#include "Build.h"

namespace attn::onnx {

/// A window that slides along a dimension: it begins at `stride` times the dimension's loop and has an element at every
/// `dilation` times the loop `window`.
struct Slide {
  int64_t window = -1; ///< -1: there is none
  int64_t stride = 1, dilation = 1;
};

/// A tensor with the loop that each of its dimensions goes along.
struct Operand {
  Tensor tensor;
  llvm::SmallVector<int64_t> loops;
  /// One for each dimension, or none at all.
  llvm::SmallVector<Slide, 0> slides = {};
};

/// An operand whose dimensions are the loops from `first` on.
Operand along(const Tensor &tensor, int64_t first = 0);
/// An operand whose dimensions are the last ones of `loops` loops, as NumPy broadcasts.
Operand alongLast(const Tensor &tensor, int64_t loops);
/// An operand whose dimensions are all loops of `loops` but those in `left`.
Operand alongOthers(const Tensor &tensor, int64_t loops, llvm::ArrayRef<int64_t> left);

enum class Reduction { Sum, Product, Max, Min };

/// An elementwise function over loops of `sizes`, which is the shape of the result. As in elementwise(), the body works
/// in compute types.
mlir::FailureOr<Tensor> mapOver(Node &node, llvm::ArrayRef<Operand> operands, llvm::ArrayRef<Size> sizes,
                                DataType result, ScalarBody body);

/// Reduces the elements that the body yields along the loops `reduced`; the shape of the result is the sizes of the
/// others. The body yields scalars of the type `result`, which is also what they are reduced in.
mlir::FailureOr<Tensor> reduceOver(Node &node, llvm::ArrayRef<Operand> operands, llvm::ArrayRef<Size> sizes,
                                   llvm::ArrayRef<int64_t> reduced, Reduction reduction, DataType result,
                                   ScalarBody body);

/// reduceOver() with the order of the result's dimensions: `kept` are its loops.
mlir::FailureOr<Tensor> reduceTo(Node &node, llvm::ArrayRef<Operand> operands, llvm::ArrayRef<Size> sizes,
                                 llvm::ArrayRef<int64_t> kept, Reduction reduction, DataType result, ScalarBody body);

/// a * b of the type.
mlir::Value multiply(mlir::OpBuilder &b, mlir::Location loc, DataType type, mlir::Value x, mlir::Value y);

/// A size as a scalar of a floating-point or integer type, for use inside of bodies.
class ScalarSize {
public:
  ScalarSize(Node &node, const Size &size, DataType type);
  mlir::Value get(mlir::OpBuilder &b, mlir::Location loc) const;

private:
  std::optional<int64_t> constant;
  DataType type;
  mlir::Value value; // where it is no constant
};

/// The sum of `input` along the dimensions, divided by their number of elements, of the type `type`.
mlir::FailureOr<Tensor> meanOver(Node &node, const Tensor &input, llvm::ArrayRef<int64_t> dims, DataType type);
/// Dimensions of `input` that `dims` are not, and 1 for those that they are where `keep`.
Shape shapeWithout(llvm::ArrayRef<Size> shape, llvm::ArrayRef<int64_t> dims, bool keep = false);
/// The product of the sizes of the dimensions.
Size countOf(llvm::ArrayRef<Size> shape, llvm::ArrayRef<int64_t> dims);

} // namespace attn::onnx

#endif // ATTN_LIB_IMPORT_ONNX_OPS_REDUCE_H
