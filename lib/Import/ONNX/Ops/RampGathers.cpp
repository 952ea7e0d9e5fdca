//===- RampGathers.cpp - Gathers whose indices are ramps --------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What is read one after the other is a slice, and what is read at k + row * length in a flattened matrix is the
// matrix: nothing is looked up. As for slices, the first n rows of a table, n being a dimension of an input, are n
// rows, which is then demanded of the caller.
//
//===----------------------------------------------------------------------===//

#include "Indexing.h"

using namespace mlir;
using namespace attn;
using namespace attn::onnx;

/// True where start, ..., start + count - 1 are indices of `size` elements.
static bool isInside(Node &node, const Size &start, const Size &count, const Size &size) {
  if (!isAtLeast(node.symbols, start, 0))
    return false;
  if (isAtMost(node.symbols, start + count - size, 0))
    return true;
  return size.getConstant() && node.symbols.limit(start + count, 0, *size.getConstant());
}

/// The dimensions along which `ramp` changes. One of size 1 is none.
static SmallVector<int64_t> changingDims(const Ramp &ramp, ArrayRef<Size> sizes) {
  SmallVector<int64_t> dims;
  for (auto [dim, step] : llvm::enumerate(ramp.steps))
    if (!step.isConstant(0) && !sizes[dim].isConstant(1))
      dims.push_back(int64_t(dim));
  return dims;
}

/// [..., n, m, ...] for the n * m elements along `axis`, the indices being start + sum of steps: those along each
/// dimension of `dims`. None where they are not neighbours in this order.
static FailureOr<std::optional<Tensor>> split(Node &node, const Tensor &data, int64_t axis, const Ramp &ramp,
                                              ArrayRef<int64_t> dims, ArrayRef<Size> sizes) {
  Size count(1);
  for (int64_t dim : llvm::reverse(dims)) {
    if (!node.symbols.equal(ramp.steps[dim], count))
      return std::optional<Tensor>();
    count = count * sizes[dim];
  }
  if (!isInside(node, ramp.start, count, data.shape[axis]))
    return std::optional<Tensor>();
  Tensor part = slice(node, data, axis, ramp.start, count);
  Shape shape(part.shape.begin(), part.shape.begin() + axis);
  for (int64_t dim : dims)
    shape.push_back(sizes[dim]);
  shape.append(part.shape.begin() + axis + 1, part.shape.end());
  FailureOr<Tensor> result = reshape(node, part, shape);
  return failed(result) ? FailureOr<std::optional<Tensor>>(failure()) : std::optional(std::move(*result));
}

/// `part`, whose dimensions from `axis` on are those of `dims` among `sizes`, with all of `sizes` there.
static FailureOr<std::optional<Tensor>> spread(Node &node, const Tensor &part, int64_t axis, ArrayRef<int64_t> dims,
                                               ArrayRef<Size> sizes) {
  Shape ones(part.shape.begin(), part.shape.begin() + axis), whole = ones;
  for (auto [dim, size] : llvm::enumerate(sizes)) {
    ones.push_back(llvm::is_contained(dims, int64_t(dim)) ? size : Size(1));
    whole.push_back(size);
  }
  auto rest = ArrayRef<Size>(part.shape).drop_front(axis + int64_t(dims.size()));
  llvm::append_range(ones, rest);
  llvm::append_range(whole, rest);
  FailureOr<Tensor> result = reshape(node, part, ones);
  if (succeeded(result))
    result = broadcastTo(node, *result, whole);
  return failed(result) ? FailureOr<std::optional<Tensor>>(failure()) : std::optional(std::move(*result));
}

FailureOr<std::optional<Tensor>> attn::onnx::gatherRamp(Node &node, const Tensor &data, int64_t axis,
                                                        const Tensor &indices) {
  std::optional<Ramp> ramp = rampOf(node, indices);
  if (!ramp)
    return std::optional<Tensor>();
  SmallVector<int64_t> dims = changingDims(*ramp, indices.shape);
  FailureOr<std::optional<Tensor>> part = split(node, data, axis, *ramp, dims, indices.shape);
  if (failed(part) || !*part)
    return part;
  return spread(node, **part, axis, dims, indices.shape);
}

FailureOr<std::optional<Tensor>> attn::onnx::gatherColumns(Node &node, const Tensor &data, const Tensor &indices) {
  auto sizes = ArrayRef<Size>(indices.shape).drop_back();
  // Each column may say where along one dimension, and a later one a later dimension.
  SmallVector<int64_t> dims;
  for (const Ramp &column : indices.columns) {
    SmallVector<int64_t> own = changingDims(column, sizes);
    if (own.size() > 1 || (!own.empty() && !dims.empty() && own.front() <= dims.back()))
      return std::optional<Tensor>();
    dims.append(own);
  }
  if (indices.columns.empty())
    return std::optional<Tensor>();
  Tensor part = data;
  int64_t axis = 0;
  for (const Ramp &column : indices.columns) {
    SmallVector<int64_t> own = changingDims(column, sizes);
    FailureOr<std::optional<Tensor>> next = split(node, part, axis, column, own, sizes);
    if (failed(next) || !*next)
      return next;
    part = std::move(**next);
    axis += int64_t(own.size());
  }
  return spread(node, part, 0, dims, sizes);
}
