//===- Packing.h - Elements of less than a byte -----------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Integers of 4 and 2 bits and float4 are packed in bytes, the first one in the lowest bits, in ONNX's files as in
// onnxruntime's weights. In the IR each is a byte: the value of an integer, the bits of a float.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_IMPORT_ONNX_PACKING_H
#define ATTN_LIB_IMPORT_ONNX_PACKING_H

#include "Node.h"

namespace attn::onnx {

/// [.., bytes] of uint8 as [.., bytes, elements in a byte] of `type`.
Tensor unpackBytes(Node &node, const Tensor &packed, DataType type);

/// [bytes] of uint8 as elements of `type` in the shape; what the last byte has more is left out.
mlir::FailureOr<Tensor> unpack(Node &node, const Tensor &packed, DataType type, llvm::ArrayRef<Size> shape);

} // namespace attn::onnx

#endif // ATTN_LIB_IMPORT_ONNX_PACKING_H
