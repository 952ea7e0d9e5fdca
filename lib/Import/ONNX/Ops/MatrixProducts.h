//===- MatrixProducts.h - Products for several importers --------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_IMPORT_ONNX_OPS_MATRIXPRODUCTS_H
#define ATTN_LIB_IMPORT_ONNX_OPS_MATRIXPRODUCTS_H

#include "Reduce.h"

namespace attn::onnx {

/// An operand with names for its dimensions.
struct Term {
  Tensor tensor;
  llvm::SmallVector<int64_t> labels;
};

/// The sum of a * b over all labels but those of the result, in compute types. A product with a constant matrix is one
/// that has a kernel.
mlir::FailureOr<Tensor> contractTerms(Node &node, const Term &a, const Term &b, llvm::ArrayRef<int64_t> result);

/// NumPy's matmul, in compute types; the last two dimensions of an operand may be given transposed.
mlir::FailureOr<Tensor> matmul(Node &node, const Tensor &a, const Tensor &b, bool transposeA = false,
                               bool transposeB = false);

} // namespace attn::onnx

#endif // ATTN_LIB_IMPORT_ONNX_OPS_MATRIXPRODUCTS_H
