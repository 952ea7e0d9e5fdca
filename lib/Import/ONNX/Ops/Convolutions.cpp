//===- Convolutions.cpp - Conv ----------------------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Channels come last while a convolution is computed: what its windows see then lies in rows, and the convolution is a
// linear layer of these. Source: Chellapilla, Puri, Simard, "High Performance Convolutional Neural Networks for
// Document Processing" (2006). In groups of channels there is too little in a row for that, so these are summed window
// by window.
//
//===----------------------------------------------------------------------===//

#include "Elementwise.h"
#include "Fold.h"
#include "MatrixProducts.h"
#include "Windows.h"

using namespace mlir;
using namespace attn;
using namespace attn::onnx;

namespace {

Shape kernelOf(ArrayRef<Window> windows) {
  Shape kernel;
  for (const Window &window : windows)
    kernel.push_back(window.kernel);
  return kernel;
}

Shape countsOf(ArrayRef<Window> windows) {
  Shape counts;
  for (const Window &window : windows)
    counts.push_back(window.count);
  return counts;
}

/// Slides for dimensions [batch, space..., rest...], where the loops of the windows begin at `first`.
SmallVector<Slide, 0> slidesOf(ArrayRef<Window> windows, int64_t first, int64_t rank) {
  SmallVector<Slide, 0> slides(rank);
  for (auto [i, window] : llvm::enumerate(windows))
    slides[1 + i] = {first + int64_t(i), window.stride, window.dilation};
  return slides;
}

Tensor moveChannels(Node &node, const Tensor &tensor, bool toEnd) {
  SmallVector<int64_t> permutation{0};
  for (int64_t i = 1; i < tensor.rank(); ++i)
    permutation.push_back(toEnd ? (i + 1 < tensor.rank() ? i + 1 : 1) : (i == 1 ? tensor.rank() - 1 : i - 1));
  return transpose(node, tensor, permutation);
}

/// [batch, space..., channels] times a weight [features, channels, kernel...] as a linear layer of windows.
FailureOr<Tensor> convolveDense(Node &node, const Tensor &input, const Tensor &weight, ArrayRef<Window> windows) {
  int64_t space = int64_t(windows.size());
  Shape kernel = kernelOf(windows);
  bool isPoint =
      llvm::all_of(windows, [](const Window &window) { return window.kernel.isConstant(1) && window.stride == 1; });
  Size channels = input.shape.back(), length = channels * productOf(kernel);
  Tensor rows = input;
  if (!isPoint) {
    // Loops: batch, counts, kernel, channels.
    Shape sizes{input.shape[0]};
    llvm::append_range(sizes, countsOf(windows));
    llvm::append_range(sizes, kernel);
    sizes.push_back(channels);
    Operand from{input, llvm::to_vector(llvm::seq<int64_t>(0, space + 1)), slidesOf(windows, space + 1, space + 2)};
    from.loops.push_back(2 * space + 1);
    FailureOr<Tensor> patches =
        mapOver(node, from, sizes, input.type, [](OpBuilder &, Location, ValueRange v) -> Value { return v[0]; });
    if (failed(patches))
      return failure();
    rows = *patches;
  }
  Shape shape{input.shape[0]};
  llvm::append_range(shape, countsOf(windows));
  shape.push_back(length);
  FailureOr<Tensor> matrix = reshape(node, rows, shape);
  FailureOr<Tensor> factor = reshape(node, moveChannels(node, weight, true), {weight.shape[0], length});
  if (failed(matrix) || failed(factor))
    return failure();
  return matmul(node, *matrix, *factor, false, true);
}

/// The same for channels in groups, each with features of its own.
FailureOr<Tensor> convolveGroups(Node &node, const Tensor &input, const Tensor &weight, const Size &groups,
                                 const Size &features, ArrayRef<Window> windows) {
  int64_t space = int64_t(windows.size());
  Shape kernel = kernelOf(windows);
  Size channels = weight.shape[1];
  bool isDepthwise = channels.isConstant(1) && features.isConstant(1);
  Shape split(input.shape), splitWeight{groups, features, channels};
  split.back() = groups;
  split.push_back(channels);
  llvm::append_range(splitWeight, kernel);
  if (isDepthwise) {
    split.pop_back();
    splitWeight.erase(splitWeight.begin() + 1, splitWeight.begin() + 3);
  }
  FailureOr<Tensor> x = reshape(node, input, split), w = reshape(node, weight, splitWeight);
  if (failed(x) || failed(w))
    return failure();
  // The weight as [kernel..., groups, channels, features], so that neighbours in the result read neighbours.
  SmallVector<int64_t> order = llvm::to_vector(llvm::seq<int64_t>(isDepthwise ? 1 : 3, w->rank()));
  llvm::append_range(order, isDepthwise ? SmallVector<int64_t>{0} : SmallVector<int64_t>{0, 2, 1});
  *w = transpose(node, *w, order);
  // Loops: batch, counts, groups, features; kernel, channels.
  int64_t group = space + 1, feature = group + 1, window = isDepthwise ? feature : feature + 1,
          channel = window + space;
  Shape sizes{input.shape[0]};
  llvm::append_range(sizes, countsOf(windows));
  sizes.push_back(groups);
  if (!isDepthwise)
    sizes.push_back(features);
  llvm::append_range(sizes, kernel);
  if (!isDepthwise)
    sizes.push_back(channels);
  Operand a{*x, llvm::to_vector(llvm::seq<int64_t>(0, group + 1)), slidesOf(windows, window, x->rank())};
  Operand b{*w, llvm::to_vector(llvm::seq<int64_t>(window, window + space))};
  b.loops.push_back(group);
  if (!isDepthwise) {
    a.loops.push_back(channel);
    b.loops.append({channel, feature});
  }
  DataType type = computeType(input.type);
  FailureOr<Tensor> sum = reduceTo(
      node, {a, b}, sizes, llvm::to_vector(llvm::seq<int64_t>(0, window)), Reduction::Sum, type,
      [&](OpBuilder &builder, Location loc, ValueRange v) { return multiply(builder, loc, type, v[0], v[1]); });
  if (failed(sum))
    return failure();
  Shape merged{input.shape[0]};
  llvm::append_range(merged, countsOf(windows));
  merged.push_back(groups * features);
  return reshape(node, *sum, merged);
}

LogicalResult importConv(Node &node) {
  if (failed(node.expectInputs(2, 3)))
    return failure();
  const Tensor &input = node.input(0), &weight = node.input(1);
  for (size_t i = 0; i < node.numInputs(); ++i)
    if (failed(node.expectFloat(i)) || failed(node.expectType(i, input.type)))
      return failure();
  int64_t rank = input.rank();
  if (rank < 3 || rank > 5)
    return node.error() << "the input has rank " << rank << ", expected 3, 4 or 5";
  if (weight.rank() != rank)
    return node.error() << "the weight has rank " << weight.rank() << ", expected " << rank << " as the input";
  Shape kernel(weight.shape.begin() + 2, weight.shape.end());
  for (auto [i, size] : llvm::enumerate(kernel))
    if (!isAtLeast(node.symbols, size, 1) && !node.symbols.limit(size, 1))
      return node.error() << "dimension " << i + 2 << " of the weight is " << node.symbols.toString(size);
  FailureOr<std::optional<SmallVector<int64_t>>> said = readKernelShape(node, kernel.size());
  FailureOr<int64_t> group = node.integer("group", 1);
  if (failed(said) || failed(group))
    return failure();
  if (*said && failed(expectEqual(node, kernel, Shape((*said)->begin(), (*said)->end()),
                                  "the weight's windows and attribute 'kernel_shape'")))
    return failure();
  if (*group < 1)
    return node.error() << "attribute 'group' is " << *group;
  std::optional<Size> features = node.symbols.exactQuotient(node.builder, weight.shape[0], Size(*group));
  if (!features)
    return node.error() << "the weight has " << node.symbols.toString(weight.shape[0])
                        << " features, which is no multiple of " << *group << " groups";
  if (failed(expectEqual(node, input.shape[1], weight.shape[1] * Size(*group), "the channels of input and weight")) ||
      (node.has(2) && failed(expectEqual(node, node.input(2).shape, weight.shape[0], "the bias"))))
    return failure();
  FailureOr<SmallVector<Window>> windows = readWindows(node, input, kernel);
  if (failed(windows))
    return failure();

  Tensor padded = padWindows(node, moveChannels(node, input, true), *windows, 1,
                             scalarConstant(node.builder, node.loc, input.type, 0));
  FailureOr<Tensor> sum = *group == 1 ? convolveDense(node, padded, weight, *windows)
                                      : convolveGroups(node, padded, weight, Size(*group), *features, *windows);
  if (failed(sum))
    return failure();
  if (node.has(2)) {
    DataType type = sum->type;
    sum = elementwise(node, {*sum, cast(node, node.input(2), type)}, type,
                      [&](OpBuilder &b, Location loc, ValueRange v) { return Scalars(b, loc, type).add(v[0], v[1]); });
    if (failed(sum))
      return failure();
  }
  node.set(0, moveChannels(node, cast(node, *sum, input.type), false));
  return success();
}

} // namespace

void attn::onnx::registerConvolutions(Registry &registry) { registry.add("Conv", importConv); }
