//===- TestModel.h - A model written by hand, and tensors for it --*- C -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Stands for generated code: the tables that a compiled model has, with entries in
// plain C++. What the entries do can be watched and disturbed through Probe.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TEST_RUNTIME_TESTMODEL_H
#define ATTN_TEST_RUNTIME_TESTMODEL_H

#include "attn/Runtime/ABI.h"

#include <atomic>
#include <cstdint>
#include <vector>

namespace attn::test {

/// The entries of the test model.
///
/// Add:     ids int64 [batch, sequence] in [0, 10), x float32 [batch, sequence, 4]
///          -> y float32 [batch, sequence, 4] = x + ids, total float64 [batch] = sum of y per batch row
/// Square:  m int32 [n, n] -> t int32 [n, n] = m transposed
/// Clamp:   i uint8 [n] -> o uint8 [n] = min(i, 99), flagged where it clamps
/// Huge:    x float32 [n] -> y float32 [n]; needs n * 2^40 bytes of workspace, more than 63 bits from n = 2^22 on
/// Count:   n int64 [] -> hits int32 [] ; a parallel loop over n items with a busy body; 0 unless every item came once
/// Parts:  x float32 [rows, width] -> y float32 [rows, width / 3] = the first part of each row; width is a multiple of
/// 3, and
///          half of it, rounded down, at least rows
/// Grow:    past float32 [heads, past, 3], new float32 [heads, new, 3] -> present float32 [heads, past + new, 3], which
///          continues past; the target "best" takes strides
/// Small:   x int4 [n, 3] -> low uint2 [n, 3] = the low bits of x, twice int8 [n, 3] = 2 x
enum Entry : uint32_t { Add, Square, Clamp, Huge, Count, Parts, Grow, Small, NumEntries };

constexpr int64_t MaxSequence = 8;

/// What the running entry tells the test.
struct Probe {
  std::atomic<int64_t> runs{0};
  std::atomic<int64_t> lastThreads{0};
  std::atomic<bool> workspaceAligned{true};
  std::atomic<bool> workerClash{false}; // two tasks with one worker index at the same time
  std::atomic<int> spin{0};             // work per item of Count
  std::atomic<bool> growIsDense{false}; // Grow runs as "plain", which gets dense tensors
  std::atomic<bool> kept{false};        // Grow found past at the beginning of present
  std::atomic<void (*)()> duringRun{nullptr};
};

} // namespace attn::test

// C linkage, so that a plugin made of the same file can be loaded by name.
extern "C" const attn_library *attn_test_library(void);
extern "C" attn::test::Probe *attn_test_probe(void);

namespace attn::test {

template <typename T>
constexpr DLDataType dtypeOf();
template <>
constexpr DLDataType dtypeOf<float>() {
  return {kDLFloat, 32, 1};
}
template <>
constexpr DLDataType dtypeOf<double>() {
  return {kDLFloat, 64, 1};
}
template <>
constexpr DLDataType dtypeOf<int64_t>() {
  return {kDLInt, 64, 1};
}
template <>
constexpr DLDataType dtypeOf<int32_t>() {
  return {kDLInt, 32, 1};
}
template <>
constexpr DLDataType dtypeOf<uint8_t>() {
  return {kDLUInt, 8, 1};
}

/// A DLTensor with its own memory; strides may be set afterwards.
template <typename T>
struct Tensor {
  std::vector<int64_t> shape, strides;
  std::vector<T> data;
  DLTensor dl{};

  Tensor(std::vector<int64_t> dims, T fill = T()) : shape(std::move(dims)) {
    int64_t count = 1;
    for (int64_t size : shape)
      count *= size > 0 ? size : 0;
    data.assign(static_cast<size_t>(count), fill);
    init();
  }
  /// With strides into a buffer of `room` elements, the first at `offset`.
  Tensor(std::vector<int64_t> dims, std::vector<int64_t> steps, size_t room, int64_t offset = 0, T fill = T())
      : shape(std::move(dims)), strides(std::move(steps)), data(room, fill) {
    init();
    dl.strides = strides.data();
    dl.byte_offset = static_cast<uint64_t>(offset) * sizeof(T);
  }
  Tensor(const Tensor &) = delete;

  T &at(std::vector<int64_t> index) {
    int64_t place = static_cast<int64_t>(dl.byte_offset / sizeof(T)), step = 1;
    for (size_t i = index.size(); i-- > 0;) {
      place += index[i] * (strides.empty() ? step : strides[i]);
      step *= shape[i];
    }
    return data[static_cast<size_t>(place)];
  }

private:
  void init() {
    dl.data = data.data();
    dl.device = {kDLCPU, 0};
    dl.ndim = static_cast<int32_t>(shape.size());
    dl.dtype = dtypeOf<T>();
    dl.shape = shape.data();
  }
};

} // namespace attn::test

#endif // ATTN_TEST_RUNTIME_TESTMODEL_H
