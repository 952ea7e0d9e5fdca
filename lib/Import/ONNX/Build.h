//===- Build.h - What importers of nodes build with -------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Functions from tensors to tensors. float16 and bfloat16 compute in float32 and are rounded once for each node.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_IMPORT_ONNX_BUILD_H
#define ATTN_LIB_IMPORT_ONNX_BUILD_H

#include "Node.h"
#include "mlir/Dialect/Utils/StructuredOpsUtils.h"

namespace attn::onnx {

/// The shape of NumPy's broadcasting of `shapes`. Two dimensions that are named differently become one from here on: at
/// run time they must be equal. Fails where shapes don't fit, or where it can't be told whether they do.
mlir::FailureOr<Shape> broadcast(Node &node, llvm::ArrayRef<Shape> shapes);
/// The inputs of an elementwise op, with dimensions repeated that may be 1 though others there are not: quotients, which
/// are known at run time only. That such a dimension is 1 or the others' size is checked then.
llvm::SmallVector<Tensor> repeatQuotients(Node &node, llvm::ArrayRef<Tensor> inputs);
/// Makes two sizes equal from here on: known, demanded of the caller, or checked at run time. False where that can't
/// be.
bool agree(Node &node, const Size &a, const Size &b);
/// Fails where the sizes are not, and can't be demanded to be, equal; `what` is the beginning of the message.
llvm::LogicalResult expectEqual(Node &node, const Size &a, const Size &b, const llvm::Twine &what);
llvm::LogicalResult expectEqual(Node &node, llvm::ArrayRef<Size> a, llvm::ArrayRef<Size> b, const llvm::Twine &what);

/// The type that elements are computed in: float32 for float16 and bfloat16, else the type itself.
DataType computeType(DataType type);
/// How ONNX's Cast rounds to float8: to the nearest, ties to even, but for float8e8m0.
struct Rounding {
  bool saturate = true;                      ///< what is out of range becomes the largest number, else infinity or NaN
  enum Mode { Up, Down, Nearest } mode = Up; ///< of float8e8m0
};
/// A scalar of the type `from` in the type `to`, as ONNX's Cast with saturation where ONNX leaves it open: floats to
/// integers truncate, to bool compare with 0; a float out of an integer's range gives the nearest integer, NaN 0. Of
/// 4 and 2 bits an integer is the low bits of the nearest int32, as in ONNX's own tests.
mlir::Value castScalar(mlir::OpBuilder &b, mlir::Location loc, mlir::Value scalar, DataType from, DataType to,
                       const Rounding &rounding = {});
/// A constant of the element type.
mlir::Value scalarConstant(mlir::OpBuilder &b, mlir::Location loc, DataType type, double value);

using ScalarBody = llvm::function_ref<mlir::Value(mlir::OpBuilder &, mlir::Location, mlir::ValueRange)>;

/// An elementwise function of `inputs`, broadcast. The body gets one scalar an input, in its compute type, and yields
/// one of the compute type of `result`.
mlir::FailureOr<Tensor> elementwise(Node &node, llvm::ArrayRef<Tensor> inputs, DataType result, ScalarBody body);
/// A float64 as a float32 that rounds to fewer bits as the float64 itself does: an inexact one is odd, so never a tie.
/// No target has an instruction from float64 to 16 bits.
mlir::Value roundToOdd(mlir::OpBuilder &b, mlir::Location loc, mlir::Value scalar);
Tensor cast(Node &node, const Tensor &input, DataType type, const Rounding &rounding = {});

/// A linalg.generic over `sizes` loops: `maps` are the inputs' and then the output's, as lists of loop dimensions, or
/// -1 for an index that is 0. The body gets the inputs' elements and the output's as they are stored.
mlir::Value generic(Node &node, mlir::ValueRange inputs, mlir::Value init,
                    llvm::ArrayRef<llvm::SmallVector<int64_t>> maps,
                    llvm::ArrayRef<mlir::utils::IteratorType> iterators, ScalarBody body);

/// The same with maps that are not only loops.
mlir::Value generic(Node &node, mlir::ValueRange inputs, mlir::Value init, llvm::ArrayRef<mlir::AffineMap> maps,
                    llvm::ArrayRef<mlir::utils::IteratorType> iterators, ScalarBody body);

mlir::Value empty(Node &node, llvm::ArrayRef<Size> shape, DataType type);
mlir::Value filled(Node &node, llvm::ArrayRef<Size> shape, DataType type, double value);

/// The same elements in row-major order. The number of elements must be known to be the same.
mlir::FailureOr<Tensor> reshape(Node &node, const Tensor &input, llvm::ArrayRef<Size> shape);
/// Dimension i of the result is dimension `permutation[i]` of the input.
Tensor transpose(Node &node, const Tensor &input, llvm::ArrayRef<int64_t> permutation);
/// NumPy's broadcast_to.
mlir::FailureOr<Tensor> broadcastTo(Node &node, const Tensor &input, llvm::ArrayRef<Size> shape);
/// [begin, begin + size) along one dimension.
Tensor slice(Node &node, const Tensor &input, int64_t axis, const Size &begin, const Size &size);
Tensor concat(Node &node, llvm::ArrayRef<Tensor> inputs, int64_t axis);

/// sum over `contracted` of a * b, both given as lists of letters for their dimensions, such as "bmk", "bkn" to "bmn".
/// The result has the type of `a` or the one that is given; sums are in its compute type, or float64 where `a` is.
mlir::FailureOr<Tensor> contract(Node &node, const Tensor &a, llvm::StringRef dimsA, const Tensor &b,
                                 llvm::StringRef dimsB, llvm::StringRef dimsResult,
                                 DataType result = DataType::Undefined);

/// A tensor of a few integers that are known.
Tensor integers(llvm::ArrayRef<Size> values, llvm::ArrayRef<Size> shape, DataType type = DataType::Int64);
/// A constant tensor without dimensions.
Tensor scalar(Node &node, DataType type, double value);

} // namespace attn::onnx

#endif // ATTN_LIB_IMPORT_ONNX_BUILD_H
