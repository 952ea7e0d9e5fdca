//===- Slices.cpp - Parts of tensors ----------------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A slice clamps its bounds to the tensor. Where sizes are symbols that gives minima, and a minimum is no size that
// others can be told equal to. So in two cases it is assumed that a model means what nearly all models mean: the first
// n rows of a table, n being a dimension of an input, are n rows, which is then demanded of the caller or, where n is a
// sum, read without leaving the table; and the first or last one of a dimension is one.
//
//===----------------------------------------------------------------------===//

#include "Indexing.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace attn;
using namespace attn::onnx;

static SmallVector<int64_t> stepped(ArrayRef<int64_t> index, int64_t axis, const Size &begin, int64_t step) {
  SmallVector<int64_t> place(index);
  place[axis] = begin.getConstant().value_or(-1) + place[axis] * step;
  return place;
}

Tensor attn::onnx::sliceSteps(Node &node, const Tensor &input, int64_t axis, const Size &begin, int64_t step,
                              const Size &count) {
  if (step == 1 || count.isConstant(0))
    return slice(node, input, axis, begin, count);
  Shape shape = input.shape;
  shape[axis] = count;
  if (std::optional<Ramp> ramp = rampOf(node, input))
    return rampTensor(node, input.type, shape, sliceRamp(*ramp, axis, begin, step));
  auto known = rearrange(input, shape, [&](ArrayRef<int64_t> index) { return stepped(index, axis, begin, step); });
  if (known && begin.getConstant())
    return *known;
  if (step < 0)
    return sliceClamped(node, input, axis, begin, step, count);
  SmallVector<OpFoldResult> offsets(input.rank(), node.builder.getIndexAttr(0));
  SmallVector<OpFoldResult> strides(input.rank(), node.builder.getIndexAttr(1));
  offsets[axis] = node.symbols.materialize(node.builder, node.loc, begin);
  strides[axis] = node.builder.getIndexAttr(step);
  Value result = tensor::ExtractSliceOp::create(node.builder, node.loc, node.tensorType(input.type, shape),
                                                node.value(input), offsets, node.mixed(shape), strides);
  return node.make(result, input.type, shape);
}

Tensor attn::onnx::sliceClamped(Node &node, const Tensor &input, int64_t axis, const Size &begin, int64_t step,
                                const Size &count) {
  Shape shape = input.shape;
  shape[axis] = count;
  llvm::SmallBitVector unsure(input.rank());
  unsure.set(axis);
  Reader reader(node, input, unsure);
  Value first = node.index(begin), by = node.index(Size(step));
  return generate(
      node, input.type, shape, {}, {}, [&](OpBuilder &b, Location loc, ValueRange, ArrayRef<Value> indices) {
        SmallVector<Value> place(indices);
        place[axis] = arith::AddIOp::create(b, loc, first, arith::MulIOp::create(b, loc, indices[axis], by));
        return reader.read(b, loc, place);
      });
}

namespace {

//===----------------------------------------------------------------------===//
// Slice
//===----------------------------------------------------------------------===//

/// Where a bound is before it is clamped.
Size resolve(Node &node, const Size &given, const Size &size) {
  // Exporters write the largest number there is, of 32 or 64 bits.
  if (isAtLeast(node.symbols, given, std::numeric_limits<int32_t>::max()))
    return size;
  return isAtMost(node.symbols, given, -1) ? size + given : given;
}

/// begin, begin + step, ... before end, for a step that is positive.
Tensor sliceForward(Node &node, const Tensor &input, int64_t axis, Size begin, Size end, int64_t step) {
  Symbols &symbols = node.symbols;
  const Size &size = input.shape[axis];
  for (Size *bound : {&begin, &end}) {
    if (isAtMost(symbols, *bound, 0))
      *bound = Size(0);
    else if (isAtLeast(symbols, *bound - size, 0))
      *bound = size;
  }
  auto isInside = [&](const Size &bound) { return isAtLeast(symbols, bound, 0) && isAtMost(symbols, bound - size, 0); };
  // The first or last one.
  bool isOutermost = begin.isConstant(0) || symbols.equal(end, size);
  if (isOutermost && symbols.equal(end - begin, Size(1)) && !isAtLeast(symbols, size, 1))
    return sliceClamped(node, input, axis, begin, 1, Size(1));

  bool isSure = true;
  if (!isInside(end)) {
    std::optional<Size> exact;
    if (end.getConstant())
      exact = minimum(node, end, size);
    else if (isAtMost(symbols, end - size, 0))
      exact = end; // where it is negative, there is nothing before it
    else if (size.getConstant() && symbols.limit(end, 0, *size.getConstant()))
      exact = end;
    isSure &= exact.has_value();
    end = exact.value_or(end);
  }
  if (!isInside(begin)) {
    std::optional<Size> exact;
    std::optional<int64_t> fromEnd = (size - begin).getConstant();
    if (begin.getConstant())
      exact = begin; // where it is behind the end, there is nothing after it
    else if (fromEnd)
      if (std::optional<Size> last = minimum(node, size, Size(*fromEnd)))
        exact = size - *last;
    isSure &= exact.has_value();
    begin = exact.value_or(begin);
  }
  Size span = notNegative(node, end - begin);
  Size count = step == 1 ? span : quotient(node, span + Size(step - 1), Size(step)).value_or(Size::invalid());
  return isSure ? sliceSteps(node, input, axis, begin, step, count)
                : sliceClamped(node, input, axis, begin, step, count);
}

/// The same for a negative step: from begin down to what is after end, which may be -1.
Tensor sliceBackward(Node &node, const Tensor &input, int64_t axis, Size begin, Size end, int64_t step) {
  const Symbols &symbols = node.symbols;
  const Size &size = input.shape[axis];
  Size last = size - Size(1);
  for (Size *bound : {&begin, &end}) {
    if (isAtMost(symbols, *bound, -1))
      *bound = Size(-1);
    else if (isAtLeast(symbols, *bound - last, 0))
      *bound = last;
    else if (!isAtMost(symbols, *bound - last, 0))
      if (std::optional<Size> exact = minimum(node, *bound + Size(1), size))
        *bound = *exact - Size(1);
    if (!symbols.equal(*bound, last) && !isAtLeast(symbols, *bound, -1))
      *bound = notNegative(node, *bound + Size(1)) - Size(1);
  }
  Size span = notNegative(node, begin - end);
  Size count = step == -1 ? span : quotient(node, span + Size(-(step + 1)), Size(-step)).value_or(Size::invalid());
  return sliceSteps(node, input, axis, begin, step, count);
}

LogicalResult importSlice(Node &node) {
  if (failed(node.expectInputs(3, 5)))
    return failure();
  Tensor result = node.input(0);
  int64_t rank = result.rank();
  FailureOr<SmallVector<Size>> starts = expectSizes(node, 1, "where the slice starts");
  FailureOr<SmallVector<Size>> ends = expectSizes(node, 2, "where the slice ends");
  if (failed(starts) || failed(ends))
    return failure();
  // Numbers that mean "as far as there is something" stay that where sizes are added to them.
  constexpr int64_t kFar = int64_t(1) << 62;
  for (SmallVector<Size> *bounds : {&*starts, &*ends})
    for (Size &bound : *bounds)
      if (std::optional<int64_t> constant = bound.getConstant())
        bound = Size(std::clamp(*constant, -kFar, kFar));
  auto axes = llvm::to_vector(llvm::seq<int64_t>(starts->size()));
  SmallVector<int64_t> steps(starts->size(), 1);
  for (auto [i, list, what] : {std::tuple(3, &axes, "the axes"), std::tuple(4, &steps, "the steps")}) {
    if (!node.has(i))
      continue;
    FailureOr<SmallVector<int64_t>> given = expectConstants(node, i, what);
    if (failed(given))
      return failure();
    *list = *given;
  }
  if (ends->size() != starts->size() || axes.size() != starts->size() || steps.size() != starts->size())
    return node.error() << starts->size() << " starts, " << ends->size() << " ends, " << axes.size() << " axes and "
                        << steps.size() << " steps are given, expected as many of each";
  llvm::SmallBitVector seen(rank);
  for (auto [start, end, given, step] : llvm::zip(*starts, *ends, axes, steps)) {
    FailureOr<int64_t> axis = node.axis(given, rank);
    if (failed(axis))
      return failure();
    if (seen.test(*axis))
      return node.error() << "axis " << given << " is named twice";
    seen.set(*axis);
    if (step == 0)
      return node.error() << "the step along axis " << given << " is 0";
    // A larger one meets one element as well.
    step = std::clamp<int64_t>(step, -(1ll << 40), 1ll << 40);
    const Size size = result.shape[*axis];
    Size first = resolve(node, start, size), last = resolve(node, end, size);
    bool toStart = isAtMost(node.symbols, end, std::numeric_limits<int32_t>::min() + 1);
    if (step < 0 && toStart)
      last = Size(-1);
    result = step > 0 ? sliceForward(node, result, *axis, first, last, step)
                      : sliceBackward(node, result, *axis, first, last, step);
  }
  node.set(0, std::move(result));
  return success();
}

//===----------------------------------------------------------------------===//
// Split
//===----------------------------------------------------------------------===//

/// The sizes of `count` equal parts, of which the last may be smaller from version 18 on.
FailureOr<SmallVector<Size>> equalParts(Node &node, const Size &size, int64_t count) {
  if (count < 1)
    return node.error() << "it has no outputs";
  if (std::optional<Size> part = node.symbols.canonical(size).dividedBy(Size(count)))
    return SmallVector<Size>(count, *part);
  if (node.getOpset() < 18) {
    if (std::optional<Size> part = node.symbols.exactQuotient(node.builder, size, Size(count)))
      return SmallVector<Size>(count, *part);
    return node.error() << node.symbols.toString(size) << " elements are not known to be a multiple of the " << count
                        << " parts";
  }
  std::optional<Size> each = quotient(node, size + Size(count - 1), Size(count));
  if (!each)
    return node.unsupported() << count << " parts of " << node.symbols.toString(size) << " elements";
  SmallVector<Size> parts(count, *each);
  Size left = size;
  if (std::optional<int64_t> constant = size.getConstant())
    for (Size &part : parts) {
      part = Size(std::min(*left.getConstant(), *each->getConstant()));
      left = left - part;
    }
  else
    parts.back() = size - *each * Size(count - 1);
  return parts;
}

LogicalResult importSplit(Node &node) {
  if (failed(node.expectInputs(1, 2)))
    return failure();
  const Tensor &input = node.input(0);
  FailureOr<int64_t> given = node.integer("axis", 0);
  int64_t outputs = int64_t(node.numOutputs());
  FailureOr<int64_t> wanted = node.integer("num_outputs", outputs);
  if (failed(given) || failed(wanted))
    return failure();
  FailureOr<int64_t> axis = node.axis(*given, input.rank());
  if (failed(axis))
    return failure();
  if (*wanted != outputs)
    return node.error() << "attribute 'num_outputs' is " << *wanted << ", but there are " << outputs << " outputs";
  const Size &size = input.shape[*axis];
  FailureOr<SmallVector<Size>> parts =
      node.has(1) ? expectSizes(node, 1, "the sizes of the parts") : equalParts(node, size, outputs);
  if (failed(parts))
    return failure();
  if (int64_t(parts->size()) != outputs)
    return node.error() << parts->size() << " parts are given for " << outputs << " outputs";
  Size sum(0);
  for (const Size &part : *parts) {
    if (!isAtLeast(node.symbols, part, 0) && !node.symbols.limit(part, 0))
      return node.error() << "the size of a part, " << node.symbols.toString(part) << ", is or may be negative";
    sum = sum + part;
  }
  if (failed(expectEqual(node, sum, size, "the parts are not the whole dimension")))
    return failure();
  Size begin(0);
  for (auto [i, part] : llvm::enumerate(*parts)) {
    node.set(i, slice(node, input, *axis, begin, part));
    begin = begin + part;
  }
  return success();
}

} // namespace

void attn::onnx::registerSlices(Registry &registry) {
  registry.add("Slice", importSlice);
  registry.add("Split", importSplit);
}
