//===- Tensor.cpp - Values of the reference interpreter ---------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See the header.
//
//===----------------------------------------------------------------------===//

#include "attn/Reference/Tensor.h"
#include "llvm/ADT/STLExtras.h"
#include <cassert>
#include <limits>

using namespace attn::reference;

/// What an integer nobody has written reads as.
static constexpr int64_t kUnwritten = -0x5A5A5A5A;

int64_t attn::reference::countElements(llvm::ArrayRef<int64_t> shape) {
  int64_t count = 1;
  for (int64_t extent : shape)
    count *= extent;
  return count;
}

Tensor::Tensor(llvm::ArrayRef<int64_t> shape, bool isFloat) : shape(shape), isFloat(isFloat) {
  int64_t count = countElements(shape);
  if (isFloat)
    floats.assign(count, std::numeric_limits<double>::quiet_NaN());
  else
    integers.assign(count, kUnwritten);
}

Tensor Tensor::of(llvm::ArrayRef<int64_t> shape, llvm::ArrayRef<double> values) {
  assert(countElements(shape) == int64_t(values.size()));
  Tensor tensor(shape, /*isFloat=*/true);
  tensor.floats.assign(values.begin(), values.end());
  return tensor;
}

Tensor Tensor::ofIntegers(llvm::ArrayRef<int64_t> shape, llvm::ArrayRef<int64_t> values) {
  assert(countElements(shape) == int64_t(values.size()));
  Tensor tensor(shape, /*isFloat=*/false);
  tensor.integers.assign(values.begin(), values.end());
  return tensor;
}

int64_t Tensor::offset(llvm::ArrayRef<int64_t> index) const {
  int64_t position = 0;
  for (auto [extent, i] : llvm::zip_equal(shape, index))
    position = position * extent + i;
  return position;
}

bool Tensor::contains(llvm::ArrayRef<int64_t> index) const {
  if (index.size() != shape.size())
    return false;
  for (auto [extent, i] : llvm::zip_equal(shape, index))
    if (i < 0 || i >= extent)
      return false;
  return true;
}

bool attn::reference::forEachIndex(llvm::ArrayRef<int64_t> shape,
                                   llvm::function_ref<bool(llvm::ArrayRef<int64_t>)> visit) {
  if (llvm::is_contained(shape, 0))
    return true;
  llvm::SmallVector<int64_t> index(shape.size(), 0);
  while (true) {
    if (!visit(index))
      return false;
    int64_t dim = int64_t(shape.size()) - 1;
    while (dim >= 0 && ++index[dim] == shape[dim])
      index[dim--] = 0;
    if (dim < 0)
      return true;
  }
}
