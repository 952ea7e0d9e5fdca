//===- Tensor.h - Values of the reference interpreter -----------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The reference computes every floating-point type in double and every integer type in 64 bits, so a tensor needs no
// element type beyond which of the two it holds.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_REFERENCE_TENSOR_H
#define ATTN_REFERENCE_TENSOR_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/SmallVector.h"
#include <cstdint>
#include <vector>

namespace attn::reference {

/// A dense row-major tensor: `floats` or `integers` has one value an element, the other is empty.
struct Tensor {
  llvm::SmallVector<int64_t> shape;
  bool isFloat = true;
  std::vector<double> floats;
  std::vector<int64_t> integers;

  Tensor() = default;

  /// Of the given shape. Elements that nobody has written are NaN, or a conspicuous integer, so that a reference that
  /// reads them does not pass for right.
  Tensor(llvm::ArrayRef<int64_t> shape, bool isFloat);

  /// With these values in row-major order; their number must be that of the shape's elements.
  static Tensor of(llvm::ArrayRef<int64_t> shape, llvm::ArrayRef<double> values);
  static Tensor ofIntegers(llvm::ArrayRef<int64_t> shape, llvm::ArrayRef<int64_t> values);

  int64_t rank() const { return shape.size(); }
  int64_t size() const { return isFloat ? floats.size() : integers.size(); }

  /// The position of an element in row-major order.
  int64_t offset(llvm::ArrayRef<int64_t> index) const;

  /// True where `index` is an element's.
  bool contains(llvm::ArrayRef<int64_t> index) const;

  /// Copies element `from` of `source`, which holds the same kind of values, to element `to`.
  void copyElement(int64_t to, const Tensor &source, int64_t from) {
    if (isFloat)
      floats[to] = source.floats[from];
    else
      integers[to] = source.integers[from];
  }
};

/// The product of the extents.
int64_t countElements(llvm::ArrayRef<int64_t> shape);

/// Calls `visit` with every index of `shape` in row-major order, until it returns false; then returns false.
bool forEachIndex(llvm::ArrayRef<int64_t> shape, llvm::function_ref<bool(llvm::ArrayRef<int64_t>)> visit);

} // namespace attn::reference

#endif // ATTN_REFERENCE_TENSOR_H
