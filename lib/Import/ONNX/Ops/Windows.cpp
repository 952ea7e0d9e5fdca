//===- Windows.cpp - Windows that slide over a tensor -----------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Windows.h"
#include "Fold.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace attn;
using namespace attn::onnx;

/// More is no window but a mistake, and would overflow.
constexpr int64_t kMostElements = int64_t(1) << 31;

/// The attribute `name`: `count` numbers in [least, kMostElements], or as many `otherwise`.
static FailureOr<SmallVector<int64_t>> readNumbers(Node &node, StringRef name, size_t count, int64_t least,
                                                   int64_t otherwise) {
  FailureOr<std::optional<SmallVector<int64_t>>> given = node.integers(name);
  if (failed(given))
    return failure();
  if (!*given)
    return SmallVector<int64_t>(count, otherwise);
  if ((*given)->size() != count)
    return node.error() << "attribute '" << name << "' has " << (*given)->size() << " numbers, expected " << count;
  for (int64_t number : **given)
    if (number < least || number > kMostElements)
      return node.error() << "attribute '" << name << "' has " << number << " in it";
  return **given;
}

FailureOr<std::optional<SmallVector<int64_t>>> attn::onnx::readKernelShape(Node &node, size_t rank) {
  if (!node.hasAttribute("kernel_shape"))
    return std::optional<SmallVector<int64_t>>();
  FailureOr<SmallVector<int64_t>> given = readNumbers(node, "kernel_shape", rank, 1, 1);
  if (failed(given))
    return failure();
  return std::optional(*given);
}

/// Pads and count where the windows begin at every stride-th element.
static LogicalResult padSame(Node &node, const Size &size, bool upper, Window &window) {
  std::optional<Size> count = quotient(node, size + Size(window.stride - 1), Size(window.stride));
  if (!count)
    return node.unsupported() << "the number of windows over " << node.symbols.toString(size);
  window.count = *count;
  Size total = notNegative(node, (*count - Size(1)) * Size(window.stride) + window.extent() - size);
  std::optional<Size> half = quotient(node, total, Size(2));
  if (!half)
    return node.unsupported() << "a pad of half of " << node.symbols.toString(total);
  window.before = upper ? *half : total - *half;
  window.after = total - window.before;
  return success();
}

/// The count where pads are given.
static LogicalResult countWindows(Node &node, const Size &size, bool ceil, int64_t dim, Window &window) {
  Size padded = size + window.before + window.after, rest = padded - window.extent();
  Size stride(window.stride);
  if (!isAtLeast(node.symbols, rest, 0) && !node.symbols.limit(rest, 0))
    return node.error() << "a window of " << node.symbols.toString(window.extent())
                        << " elements is larger than dimension " << dim << ", which has "
                        << node.symbols.toString(padded) << " with its pads";
  std::optional<Size> steps = quotient(node, ceil ? rest + stride - Size(1) : rest, stride);
  // A window begins at an element or in the pad before it, not in the one after.
  if (steps && ceil && window.stride > 1) {
    std::optional<Size> last = quotient(node, size + window.before - Size(1), stride);
    steps = last ? minimum(node, *steps, *last) : std::nullopt;
  }
  if (!steps)
    return node.unsupported() << "the number of windows over " << node.symbols.toString(padded);
  window.count = *steps + Size(1);
  if (ceil)
    window.after = window.after + notNegative(node, *steps * stride - rest);
  return success();
}

FailureOr<SmallVector<Window>> attn::onnx::readWindows(Node &node, const Tensor &input, ArrayRef<Size> kernel,
                                                       bool ceil) {
  size_t rank = kernel.size();
  FailureOr<std::string> mode = node.text("auto_pad", StringRef("NOTSET"));
  FailureOr<SmallVector<int64_t>> strides = readNumbers(node, "strides", rank, 1, 1);
  FailureOr<SmallVector<int64_t>> dilations = readNumbers(node, "dilations", rank, 1, 1);
  FailureOr<SmallVector<int64_t>> pads = readNumbers(node, "pads", 2 * rank, 0, 0);
  if (failed(mode) || failed(strides) || failed(dilations) || failed(pads))
    return failure();
  if (!llvm::is_contained({"NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"}, *mode))
    return node.error() << "attribute 'auto_pad' is '" << *mode
                        << "', expected NOTSET, VALID, SAME_UPPER or SAME_LOWER";
  SmallVector<Window> windows;
  for (size_t i = 0; i < rank; ++i) {
    Window window;
    window.kernel = kernel[i];
    window.stride = (*strides)[i];
    window.dilation = (*dilations)[i];
    if (std::optional<int64_t> constant = window.kernel.getConstant(); constant && *constant > kMostElements)
      return node.error() << "a window of " << *constant << " elements is too large";
    const Size &size = input.shape[i + 2];
    bool isSame = mode->rfind("SAME", 0) == 0;
    window.before = Size(*mode == "NOTSET" ? (*pads)[i] : 0);
    window.after = Size(*mode == "NOTSET" ? (*pads)[i + rank] : 0);
    if (failed(isSame ? padSame(node, size, *mode == "SAME_UPPER", window)
                      : countWindows(node, size, ceil, int64_t(i) + 2, window)))
      return failure();
    windows.push_back(window);
  }
  return windows;
}

Tensor attn::onnx::padWindows(Node &node, const Tensor &input, ArrayRef<Window> windows, int64_t first, Value padding) {
  Shape shape(input.shape);
  SmallVector<Size> offsets(input.rank(), Size(0));
  bool isPadded = false;
  for (auto [i, window] : llvm::enumerate(windows)) {
    isPadded |= !window.before.isConstant(0) || !window.after.isConstant(0);
    offsets[first + i] = window.before;
    shape[first + i] = shape[first + i] + window.before + window.after;
  }
  if (!isPadded)
    return input;
  Value border = linalg::FillOp::create(node.builder, node.loc, padding, empty(node, shape, input.type)).getResult(0);
  SmallVector<OpFoldResult> strides(input.rank(), node.builder.getIndexAttr(1));
  Value result = tensor::InsertSliceOp::create(node.builder, node.loc, node.value(input), border, node.mixed(offsets),
                                               node.mixed(input.shape), strides);
  return node.make(result, input.type, shape);
}
