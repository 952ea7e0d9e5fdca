//===- Softmax.h - Softmax for several importers ----------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_IMPORT_ONNX_OPS_SOFTMAX_H
#define ATTN_LIB_IMPORT_ONNX_OPS_SOFTMAX_H

#include "Reduce.h"

namespace attn::onnx {

/// exp(x) / sum exp(x) along `axis`, or the logarithm of that.
mlir::FailureOr<Tensor> softmax(Node &node, const Tensor &input, int64_t axis, bool isLog = false);

} // namespace attn::onnx

#endif // ATTN_LIB_IMPORT_ONNX_OPS_SOFTMAX_H
