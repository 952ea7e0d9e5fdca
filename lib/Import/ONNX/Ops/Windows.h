//===- Windows.h - Windows that slide over a tensor -------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What convolutions and pools have in common: the attributes strides, dilations, pads and auto_pad.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_IMPORT_ONNX_OPS_WINDOWS_H
#define ATTN_LIB_IMPORT_ONNX_OPS_WINDOWS_H

#include "Reduce.h"

namespace attn::onnx {

/// The windows along one dimension.
struct Window {
  Size kernel = 1;
  int64_t stride = 1, dilation = 1;
  Size before, after; ///< what is padded
  Size count;         ///< how many windows there are

  /// How many elements a window spans.
  Size extent() const { return Size(dilation) * (kernel - Size(1)) + Size(1); }
};

/// The windows over dimensions 2 and on of `input`, from the node's attributes. The last window may reach beyond the
/// end where `ceil`. Source: ONNX operators, Conv and MaxPool.
mlir::FailureOr<llvm::SmallVector<Window>> readWindows(Node &node, const Tensor &input, llvm::ArrayRef<Size> kernel,
                                                       bool ceil = false);
/// The attribute 'kernel_shape', for `rank` dimensions; none where it isn't given.
mlir::FailureOr<std::optional<llvm::SmallVector<int64_t>>> readKernelShape(Node &node, size_t rank);

/// `input` with `padding` around the dimensions from `first` on.
Tensor padWindows(Node &node, const Tensor &input, llvm::ArrayRef<Window> windows, int64_t first, mlir::Value padding);

} // namespace attn::onnx

#endif // ATTN_LIB_IMPORT_ONNX_OPS_WINDOWS_H
