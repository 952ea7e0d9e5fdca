//===- Pools.cpp - MaxPool and AveragePool ----------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Elementwise.h"
#include "Windows.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace attn;
using namespace attn::onnx;

namespace {

/// Reduces each window of `padded`, whose first dimensions are not slid over.
FailureOr<Tensor> reduceWindows(Node &node, const Tensor &padded, ArrayRef<Window> windows, Reduction reduction,
                                DataType type) {
  int64_t rank = padded.rank(), first = rank - int64_t(windows.size());
  Shape sizes(padded.shape.begin(), padded.shape.begin() + first), kernel;
  Operand from{padded, llvm::to_vector(llvm::seq<int64_t>(0, rank)), SmallVector<Slide, 0>(rank)};
  for (auto [i, window] : llvm::enumerate(windows)) {
    sizes.push_back(window.count);
    kernel.push_back(window.kernel);
    from.slides[first + i] = {rank + int64_t(i), window.stride, window.dilation};
  }
  llvm::append_range(sizes, kernel);
  // Nothing else has the windows' size; its elements are not read.
  Operand shape{node.make(empty(node, kernel, padded.type), padded.type, kernel),
                llvm::to_vector(llvm::seq<int64_t>(rank, int64_t(sizes.size())))};
  return reduceTo(node, {from, shape}, sizes, llvm::to_vector(llvm::seq<int64_t>(0, rank)), reduction, type,
                  [&](OpBuilder &b, Location loc, ValueRange v) -> Value { return v[0]; });
}

/// The windows of a pool; fails where the input is not [batch, channels, space...].
FailureOr<SmallVector<Window>> readPool(Node &node) {
  const Tensor &input = node.input(0);
  if (input.rank() < 3)
    return node.error() << "the input has rank " << input.rank() << ", expected at least 3";
  FailureOr<std::optional<SmallVector<int64_t>>> kernel = readKernelShape(node, input.rank() - 2);
  FailureOr<int64_t> ceil = node.integer("ceil_mode", 0);
  if (failed(kernel) || failed(ceil))
    return failure();
  if (!*kernel)
    return node.error() << "attribute 'kernel_shape' is missing";
  return readWindows(node, input, Shape((*kernel)->begin(), (*kernel)->end()), *ceil != 0);
}

LogicalResult importMaxPool(Node &node) {
  if (failed(node.expectInputs(1, 1)) ||
      failed(node.expectType(0, {DataType::Float, DataType::Double, DataType::Float16, DataType::BFloat16,
                                 DataType::Int8, DataType::UInt8})))
    return failure();
  FailureOr<SmallVector<Window>> windows = readPool(node);
  FailureOr<int64_t> order = node.integer("storage_order", 0);
  if (failed(windows) || failed(order))
    return failure();
  if (node.numOutputs() > 1 && node.wants(1))
    return node.unsupported() << "output 1, the places of the largest elements";
  const Tensor &input = node.input(0);
  DataType type = computeType(input.type);
  double least = isFloat(type) ? -std::numeric_limits<double>::infinity() : isUnsigned(type) ? 0 : -128;
  Tensor padded = padWindows(node, input, *windows, 2, scalarConstant(node.builder, node.loc, input.type, least));
  FailureOr<Tensor> most = reduceWindows(node, padded, *windows, Reduction::Max, type);
  if (failed(most))
    return failure();
  node.set(0, cast(node, *most, input.type));
  return success();
}

LogicalResult importAveragePool(Node &node) {
  if (failed(node.expectInputs(1, 1)) || failed(node.expectFloat(0)))
    return failure();
  FailureOr<SmallVector<Window>> windows = readPool(node);
  FailureOr<int64_t> withPads = node.integer("count_include_pad", 0);
  if (failed(windows) || failed(withPads))
    return failure();
  const Tensor &input = node.input(0);
  DataType type = computeType(input.type);
  auto constant = [&](DataType of, double value) { return scalarConstant(node.builder, node.loc, of, value); };
  FailureOr<Tensor> sum = reduceWindows(node, padWindows(node, input, *windows, 2, constant(input.type, 0)), *windows,
                                        Reduction::Sum, type);
  if (failed(sum))
    return failure();
  // What counts: the elements, with the pads that are asked for, but not what lies behind them for a last window.
  Shape space(input.shape.begin() + 2, input.shape.end());
  SmallVector<Window> outside(*windows);
  FailureOr<std::optional<SmallVector<int64_t>>> pads = node.integers("pads");
  if (failed(pads))
    return failure();
  for (auto [i, window] : llvm::enumerate(outside))
    if (*withPads && *pads) {
      Size before(window.before), after((**pads)[i + space.size()]);
      space[i] = space[i] + before + after;
      window.after = window.after - after;
      window.before = Size(0);
    }
  Tensor ones = node.make(filled(node, space, type, 1), type, space);
  FailureOr<Tensor> count =
      reduceWindows(node, padWindows(node, ones, outside, 0, constant(type, 0)), outside, Reduction::Sum, type);
  if (failed(count))
    return failure();
  FailureOr<Tensor> mean = elementwise(node, {*sum, *count}, type, [&](OpBuilder &b, Location loc, ValueRange v) {
    return Scalars(b, loc, type).div(v[0], v[1]);
  });
  if (failed(mean))
    return failure();
  node.set(0, cast(node, *mean, input.type));
  return success();
}

} // namespace

void attn::onnx::registerPools(Registry &registry) {
  registry.add("MaxPool", importMaxPool);
  registry.add("AveragePool", importAveragePool);
}
