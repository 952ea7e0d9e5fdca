//===- Layers.cpp - The formulas that several ops share ---------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The matrix product is the only place where the reference cares about speed at all: four columns at a time keep the
// machine's adders busy, which is what makes whole models bearable as oracles.
//
//===----------------------------------------------------------------------===//

#include "Layers.h"
#include <cmath>

using namespace mlir;
using namespace attn;
using namespace attn::reference;

/// Panels [panels, K, P] as rows [columns, K].
static std::vector<double> unpack(const Tensor &panels, int64_t columns) {
  int64_t depth = panels.shape[1], width = panels.shape[2];
  std::vector<double> rows(columns * depth);
  for (int64_t n = 0; n < columns; ++n)
    for (int64_t k = 0; k < depth; ++k)
      rows[n * depth + k] = panels.floats[((n / width) * depth + k) * width + n % width];
  return rows;
}

Tensor reference::multiply(const Tensor &input, const Tensor &weight, int64_t columns) {
  std::vector<double> unpacked;
  if (weight.rank() == 3)
    unpacked = unpack(weight, columns);
  const double *w = weight.rank() == 3 ? unpacked.data() : weight.floats.data();
  int64_t depth = input.shape.back();
  SmallVector<int64_t> shape(input.shape);
  shape.back() = columns;
  Tensor result(shape, /*isFloat=*/true);
  int64_t rows = countElements(ArrayRef(shape).drop_back());
  for (int64_t m = 0; m < rows; ++m) {
    const double *x = input.floats.data() + m * depth;
    for (int64_t n = 0; n < columns; n += 4) {
      int64_t count = std::min<int64_t>(4, columns - n);
      double sums[4] = {0, 0, 0, 0};
      for (int64_t k = 0; k < depth; ++k)
        for (int64_t i = 0; i < count; ++i)
          sums[i] += x[k] * w[(n + i) * depth + k];
      std::copy_n(sums, count, result.floats.begin() + m * columns + n);
    }
  }
  return result;
}

Tensor reference::project(const Tensor &input, const Tensor &weight, const Tensor *bias) {
  Tensor result = multiply(input, weight, weight.shape[0]);
  if (bias)
    for (auto [i, element] : llvm::enumerate(result.floats))
      element += bias->floats[i % bias->floats.size()];
  return result;
}

Tensor reference::normalize(const Tensor &input, const Tensor &scale, const Tensor *shift, double epsilon,
                            bool centered) {
  Tensor result = input;
  int64_t size = input.shape.back();
  for (int64_t begin = 0, end = input.size(); begin < end; begin += size) {
    double *row = result.floats.data() + begin;
    double mean = 0, variance = 0;
    for (int64_t n = 0; centered && n < size; ++n)
      mean += row[n] / size;
    for (int64_t n = 0; n < size; ++n)
      variance += (row[n] - mean) * (row[n] - mean) / size;
    double deviation = std::sqrt(variance + epsilon);
    for (int64_t n = 0; n < size; ++n) {
      double normal = deviation == 0 ? 0 : (row[n] - mean) / deviation;
      row[n] = normal * scale.floats[n] + (shift ? shift->floats[n] : 0);
    }
  }
  return result;
}

double reference::gelu(double x, bool approximate) {
  if (approximate)
    return x / 2 * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
  // erfc keeps the small results of large negative x, where 1 + erf is 0.
  return x / 2 * std::erfc(-x / M_SQRT2);
}

static double activation(double x, Activation kind) {
  switch (kind) {
  case Activation::Gelu:
    return gelu(x, /*approximate=*/false);
  case Activation::GeluTanh:
    return gelu(x, /*approximate=*/true);
  case Activation::Relu:
    return x > 0 ? x : std::isnan(x) ? x : 0;
  case Activation::Silu:
    return x / (1 + std::exp(-x));
  case Activation::Tanh:
    return std::tanh(x);
  case Activation::QuickGelu:
    return x / (1 + std::exp(-1.702 * x));
  }
  return x;
}

Tensor reference::activate(Tensor input, Activation kind) {
  for (double &element : input.floats)
    element = activation(element, kind);
  return input;
}

Tensor reference::add(Tensor left, const Tensor &right) {
  for (auto [element, other] : llvm::zip_equal(left.floats, right.floats))
    element += other;
  return left;
}

llvm::Expected<double> reference::attend(const AttentionRow &row) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  SmallVector<int64_t> keys;
  for (int64_t k = 0; k < row.keys; ++k) {
    llvm::Expected<bool> counts = row.counts(k);
    if (!counts)
      return counts.takeError();
    if (*counts)
      keys.push_back(k);
  }
  bool isEmpty = keys.empty();
  if (isEmpty && row.empty != EmptyRow::Zero)
    llvm::append_range(keys, llvm::seq<int64_t>(0, row.keys));
  std::vector<double> weights;
  double maximum = -infinity, sum = 0;
  for (int64_t k : keys) {
    llvm::Expected<double> score = isEmpty && row.empty == EmptyRow::Uniform ? 0.0 : row.score(k);
    if (!score)
      return score.takeError();
    weights.push_back(*score);
    maximum = std::isnan(*score) ? *score : std::max(maximum, *score);
  }
  for (double &weight : weights) {
    weight = weight == -infinity ? 0 : std::exp(weight - maximum);
    sum += weight;
  }
  for (int64_t e = 0; e < row.channels; ++e) {
    double total = 0;
    for (auto [k, weight] : llvm::zip_equal(keys, weights))
      total += sum == 0 ? 0 : weight / sum * row.value(k, e);
    row.write(e, total);
  }
  return isEmpty || sum == 0 ? -infinity : maximum + std::log(sum);
}
