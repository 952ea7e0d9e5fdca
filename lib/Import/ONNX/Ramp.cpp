//===- Ramp.cpp - Integers that are linear in their index -------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Ramp.h"
#include "Fold.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

using namespace mlir;
using namespace attn;
using namespace attn::onnx;

/// Constants of more elements are not looked through: tables of positions have thousands.
static constexpr int64_t kMostScanned = 1 << 16;

bool attn::onnx::canBeRamp(DataType type) {
  return type == DataType::Int64 || type == DataType::Int32 || type == DataType::Bool;
}

bool attn::onnx::fits(const Ramp &ramp, DataType type) {
  return fits(ramp.start, type) && llvm::all_of(ramp.steps, [&](const Size &step) { return fits(step, type); });
}

/// The ramp that row-major `elements` are.
static std::optional<Ramp> scan(ArrayRef<Size> shape, ArrayRef<Size> elements) {
  if (elements.empty() || !elements.front().isValid())
    return std::nullopt;
  Ramp ramp{elements.front(), {}};
  SmallVector<int64_t> sizes;
  int64_t stride = elements.size();
  for (const Size &size : shape) {
    sizes.push_back(*size.getConstant());
    stride /= sizes.back();
    ramp.steps.push_back(sizes.back() > 1 ? elements[stride] - ramp.start : Size(0));
  }
  for (auto [i, element] : llvm::enumerate(elements)) {
    Size expected = ramp.start;
    int64_t rest = int64_t(i);
    for (int64_t d = int64_t(sizes.size()) - 1; d >= 0; --d) {
      expected = expected + ramp.steps[d] * Size(rest % sizes[d]);
      rest /= sizes[d];
    }
    if (element != expected)
      return std::nullopt;
  }
  return ramp;
}

std::optional<Ramp> attn::onnx::rampOf(Node &node, const Tensor &tensor) {
  if (tensor.ramp)
    return *tensor.ramp;
  if (!canBeRamp(tensor.type))
    return std::nullopt;
  if (tensor.elements)
    return scan(tensor.shape, *tensor.elements);
  if (DenseElementsAttr dense = node.dense(tensor, kMostScanned))
    return scan(tensor.shape, elementsOf(dense, tensor.type));
  return std::nullopt;
}

Tensor attn::onnx::rampTensor(Node &node, DataType type, ArrayRef<Size> shape, Ramp ramp) {
  std::optional<int64_t> count = productOf(shape).getConstant();
  bool isStatic = llvm::all_of(shape, [](const Size &size) { return size.getConstant().has_value(); });
  if (isStatic && count && *count <= kMostKnown) {
    SmallVector<Size> elements;
    for (int64_t i = 0; i < *count; ++i) {
      Size element = ramp.start;
      int64_t rest = i;
      for (int64_t d = int64_t(shape.size()) - 1; d >= 0; --d) {
        element = element + ramp.steps[d] * Size(rest % *shape[d].getConstant());
        rest /= *shape[d].getConstant();
      }
      elements.push_back(element);
    }
    if (llvm::all_of(elements, [&](const Size &element) { return fits(element, type); }))
      return integers(elements, shape, type);
  }
  std::optional<int64_t> constant = ramp.start.getConstant();
  Value value;
  if (ramp.isUniform() && constant && int64_t(double(*constant)) == *constant) {
    value = filled(node, shape, type, double(*constant));
  } else {
    Value start = node.index(ramp.start);
    SmallVector<Value> steps(shape.size());
    for (auto [step, size] : llvm::zip(steps, ramp.steps))
      if (!size.isConstant(0))
        step = node.index(size);
    SmallVector<utils::IteratorType> iterators(shape.size(), utils::IteratorType::parallel);
    value = generic(node, {}, empty(node, shape, type), {llvm::to_vector(llvm::seq<int64_t>(shape.size()))}, iterators,
                    [&](OpBuilder &b, Location loc, ValueRange) {
                      Value sum = start;
                      for (auto [d, step] : llvm::enumerate(steps))
                        if (step) {
                          Value distance = arith::MulIOp::create(b, loc, linalg::IndexOp::create(b, loc, d), step);
                          sum = arith::AddIOp::create(b, loc, sum, distance);
                        }
                      Value number = arith::IndexCastOp::create(b, loc, b.getI64Type(), sum);
                      return castScalar(b, loc, number, DataType::Int64, type);
                    });
  }
  Tensor result = node.make(value, type, Shape(shape));
  result.ramp = std::make_shared<const Ramp>(std::move(ramp));
  return result;
}

Ramp attn::onnx::broadcastRamp(const Ramp &ramp, ArrayRef<Size> from, ArrayRef<Size> to) {
  Ramp result{ramp.start, {}};
  result.steps.resize(to.size(), Size(0));
  size_t skipped = to.size() - from.size();
  for (auto [i, size] : llvm::enumerate(from))
    if (!size.isConstant(1))
      result.steps[skipped + i] = ramp.steps[i];
  return result;
}

std::optional<Ramp> attn::onnx::reshapeRamp(const Symbols &symbols, const Ramp &ramp, ArrayRef<Size> from,
                                            ArrayRef<Size> to) {
  Ramp result{ramp.start, {}};
  result.steps.resize(to.size(), Size(0));
  if (ramp.isUniform())
    return result;
  size_t next = 0;
  auto skipOnes = [&] {
    while (next < from.size() && from[next].isConstant(1))
      ++next;
  };
  for (auto [i, size] : llvm::enumerate(to)) {
    if (size.isConstant(1))
      continue;
    skipOnes();
    if (next == from.size() || !symbols.equal(from[next], size))
      return std::nullopt;
    result.steps[i] = ramp.steps[next++];
  }
  skipOnes();
  return next == from.size() ? std::optional(result) : std::nullopt;
}

Ramp attn::onnx::sliceRamp(const Ramp &ramp, int64_t axis, const Size &begin, int64_t step) {
  Ramp result = ramp;
  result.start = ramp.start + ramp.steps[axis] * begin;
  result.steps[axis] = ramp.steps[axis] * Size(step);
  return result;
}

/// `a` and `b` over the same shape.
static std::optional<Ramp> combine(const Ramp &a, const Ramp &b, RampFunction function) {
  if (function == RampFunction::Mul && !a.isUniform() && !b.isUniform())
    return std::nullopt;
  Ramp result;
  auto apply = [&](const Size &x, const Size &y) { return function == RampFunction::Sub ? x - y : x + y; };
  if (function == RampFunction::Mul) {
    const Ramp &scaled = a.isUniform() ? b : a;
    const Size &factor = a.isUniform() ? a.start : b.start;
    result.start = scaled.start * factor;
    for (const Size &step : scaled.steps)
      result.steps.push_back(step * factor);
  } else {
    result.start = apply(a.start, b.start);
    for (auto [x, y] : llvm::zip_equal(a.steps, b.steps))
      result.steps.push_back(apply(x, y));
  }
  bool isValid = result.start.isValid() && llvm::all_of(result.steps, [](const Size &step) { return step.isValid(); });
  return isValid ? std::optional(result) : std::nullopt;
}

/// The shape of a broadcast that demands nothing of the caller.
static std::optional<Shape> commonShape(const Symbols &symbols, ArrayRef<Shape> shapes) {
  size_t rank = 0;
  for (const Shape &shape : shapes)
    rank = std::max(rank, shape.size());
  Shape result(rank, Size(1));
  for (const Shape &shape : shapes)
    for (auto [i, size] : llvm::enumerate(shape)) {
      Size &common = result[rank - shape.size() + i];
      if (common.isConstant(1))
        common = size;
      else if (!size.isConstant(1) && !symbols.equal(common, size))
        return std::nullopt;
    }
  return result;
}

std::optional<Tensor> attn::onnx::combineRamps(Node &node, ArrayRef<Tensor> inputs, RampFunction function) {
  SmallVector<Ramp> ramps;
  SmallVector<Shape> shapes;
  for (const Tensor &input : inputs) {
    std::optional<Ramp> ramp = rampOf(node, input);
    if (!ramp)
      return std::nullopt;
    ramps.push_back(std::move(*ramp));
    shapes.push_back(input.shape);
  }
  std::optional<Shape> shape = commonShape(node.symbols, shapes);
  if (!shape)
    return std::nullopt;
  std::optional<Ramp> result = broadcastRamp(ramps.front(), shapes.front(), *shape);
  for (size_t i = 1; result && i < ramps.size(); ++i)
    result = combine(*result, broadcastRamp(ramps[i], shapes[i], *shape), function);
  DataType type = inputs.front().type;
  if (!result || !fits(*result, type))
    return std::nullopt;
  return rampTensor(node, type, *shape, std::move(*result));
}

std::optional<Tensor> attn::onnx::foldUniform(Node &node, ArrayRef<Tensor> inputs, DataType result,
                                              SizeFunction function) {
  SmallVector<Size> values;
  SmallVector<Shape> shapes;
  for (const Tensor &input : inputs) {
    std::optional<Ramp> ramp = rampOf(node, input);
    if (!ramp || !ramp->isUniform())
      return std::nullopt;
    values.push_back(ramp->start);
    shapes.push_back(input.shape);
  }
  std::optional<Shape> shape = commonShape(node.symbols, shapes);
  std::optional<Size> value = shape ? function(values) : std::nullopt;
  if (!value || !canBeRamp(result) || !fits(*value, result))
    return std::nullopt;
  return rampTensor(node, result, *shape, broadcastRamp({*value, {}}, {}, *shape));
}

std::optional<bool> attn::onnx::isRampLess(Node &node, const Tensor &a, const Tensor &b) {
  std::optional<Ramp> x = rampOf(node, a), y = rampOf(node, b);
  if (!x || !y)
    return std::nullopt;
  std::optional<Shape> shape = commonShape(node.symbols, {a.shape, b.shape});
  if (!shape)
    return std::nullopt;
  std::optional<Ramp> difference =
      combine(broadcastRamp(*x, a.shape, *shape), broadcastRamp(*y, b.shape, *shape), RampFunction::Sub);
  if (!difference)
    return std::nullopt;
  Size least = difference->start, most = difference->start;
  for (auto [step, size] : llvm::zip_equal(difference->steps, *shape)) {
    Size span = step * (size - Size(1));
    if (isAtLeast(node.symbols, step, 0))
      most = most + span;
    else if (isAtMost(node.symbols, step, 0))
      least = least + span;
    else
      return std::nullopt;
  }
  if (isAtMost(node.symbols, most, -1))
    return true;
  return isAtLeast(node.symbols, least, 0) ? std::optional(false) : std::nullopt;
}
