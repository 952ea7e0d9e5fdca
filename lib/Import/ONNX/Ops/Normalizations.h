//===- Normalizations.h - Norms for several importers -----------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_IMPORT_ONNX_OPS_NORMALIZATIONS_H
#define ATTN_LIB_IMPORT_ONNX_OPS_NORMALIZATIONS_H

#include "Reduce.h"

namespace attn::onnx {

/// Mean and 1 / sqrt(variance + epsilon), without the dimensions that they go over.
struct Moments {
  Tensor mean, inverse;
};
mlir::FailureOr<Moments> momentsOf(Node &node, const Tensor &input, llvm::ArrayRef<int64_t> dims, double epsilon,
                                   DataType type);

/// (input - mean) * inverse * scale + shift. Without a mean, a scale or a shift where they are null; these have the
/// loops that go with them.
mlir::FailureOr<Tensor> normalize(Node &node, const Tensor &input, llvm::ArrayRef<int64_t> dims, const Tensor *mean,
                                  const Tensor &inverse, const Operand *scale, const Operand *shift, DataType result);

/// Layer norm over the dimensions from `axis` on, of the type of `input`. It is the op with a kernel where `scale` and
/// `shift` (which may be null) have the shape of these dimensions.
mlir::FailureOr<Tensor> layerNorm(Node &node, const Tensor &input, int64_t axis, const Tensor &scale,
                                  const Tensor *shift, double epsilon);
/// The same for RMS norm, of type `resultType`.
mlir::FailureOr<Tensor> rmsNorm(Node &node, const Tensor &input, int64_t axis, const Tensor &scale, double epsilon,
                                DataType resultType);

/// The attribute of that name; fails where it is negative or no number.
mlir::FailureOr<double> readEpsilon(Node &node, double otherwise = 1e-5f);

} // namespace attn::onnx

#endif // ATTN_LIB_IMPORT_ONNX_OPS_NORMALIZATIONS_H
