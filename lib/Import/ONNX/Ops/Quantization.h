//===- Quantization.h - Quantized numbers for several importers -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_IMPORT_ONNX_OPS_QUANTIZATION_H
#define ATTN_LIB_IMPORT_ONNX_OPS_QUANTIZATION_H

#include "Reduce.h"
#include "Registry.h"

namespace attn::onnx {

/// (values - zeroPoint) * scale. Scale and zero point are a number, or one for each row or column of the matrices.
struct Quantized {
  Tensor values;
  Tensor scale;
  std::optional<Tensor> zeroPoint;
};

/// float32 as uint8, as DynamicQuantizeLinear does: the range of the elements and 0 becomes 0 to 255.
mlir::FailureOr<Quantized> quantizeDynamically(Node &node, const Tensor &input);

/// NumPy's matmul of 8-bit integers less their zero points, in int32.
mlir::FailureOr<Tensor> integerMatmul(Node &node, const Tensor &a, const Tensor *zeroA, const Tensor &b,
                                      const Tensor *zeroB);

/// a * b + bias in float32, of a product of integers. Scales of `a` are by rows, those of `b` by columns; `bias`, which
/// may be null, is one number a column.
mlir::FailureOr<Tensor> quantizedMatmul(Node &node, const Quantized &a, const Quantized &b, const Tensor *bias);

/// Fails where the input is given and is neither int8 nor uint8.
llvm::LogicalResult expectBytes(Node &node, size_t i);

// The families that registerQuantization is made of.
void registerIntegerProducts(Registry &registry);
void registerBlockQuantized(Registry &registry);

} // namespace attn::onnx

#endif // ATTN_LIB_IMPORT_ONNX_OPS_QUANTIZATION_H
