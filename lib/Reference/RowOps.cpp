//===- RowOps.cpp - linear, norms, rotary, embedding, key_ranges, pack -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// As the ops' documentation defines them. The destination gives the shape and, beside that, is not read.
//
//===----------------------------------------------------------------------===//

#include "Layers.h"
#include "Machine.h"

using namespace mlir;
using namespace attn;
using namespace attn::reference;

static std::string describe(ArrayRef<int64_t> shape) {
  return "[" + llvm::join(llvm::map_range(shape, [](int64_t extent) { return std::to_string(extent); }), ", ") + "]";
}

llvm::Error reference::expectShape(Operation *op, StringRef name, const Tensor &tensor, ArrayRef<int64_t> shape) {
  if (ArrayRef(tensor.shape) == shape)
    return llvm::Error::success();
  return fail(op, name + " is " + describe(tensor.shape) + " at run time, expected " + describe(shape));
}

static llvm::Expected<Tensor> linear(Machine &machine, LinearOp op) {
  const Tensor &input = machine.tensor(op.getInput()), &weight = machine.tensor(op.getWeight());
  const Tensor &init = machine.tensor(op.getInit());
  int64_t columns = init.shape.back(), depth = input.shape.back();
  SmallVector<int64_t> inputShape(init.shape);
  inputShape.back() = depth;
  if (llvm::Error error = expectShape(op, "input", input, inputShape))
    return std::move(error);
  SmallVector<int64_t> weightShape = {columns, depth};
  if (op.isPacked())
    weightShape = {llvm::divideCeilSigned(columns, weight.shape[2]), depth, weight.shape[2]};
  if (llvm::Error error = expectShape(op, "weight", weight, weightShape))
    return std::move(error);

  Tensor result = multiply(input, weight, columns);
  if (op.hasTrivialEpilogue())
    return result;
  SmallVector<AffineMap> maps(op.getExtraMaps().getAsValueRange<AffineMapAttr>());
  llvm::Error error = llvm::Error::success();
  int64_t next = 0;
  forEachIndex(result.shape, [&](ArrayRef<int64_t> index) {
    SmallVector<Item> arguments = {Item::ofNumber(result.floats[next])};
    for (auto [extra, map] : llvm::zip_equal(op.getExtras(), maps)) {
      const Tensor &tensor = machine.tensor(extra);
      SmallVector<int64_t> at = evaluateAffine(map, index);
      if (!tensor.contains(at)) {
        error = llvm::joinErrors(std::move(error), fail(op, "a map leaves its extra"));
        return false;
      }
      arguments.push_back(Item::elementOf(tensor, tensor.offset(at)));
    }
    llvm::Expected<Item> item = machine.evaluate(op.getEpilogue().front(), arguments);
    if (!item) {
      error = llvm::joinErrors(std::move(error), item.takeError());
      return false;
    }
    result.floats[next++] = item->number;
    return true;
  });
  if (error)
    return std::move(error);
  return result;
}

static llvm::Expected<Tensor> norm(Machine &machine, NormOpInterface op) {
  const Tensor &input = machine.tensor(op.getInput()), &scale = machine.tensor(op.getScale());
  const Tensor *shift = machine.tensorOrNull(op.getShift());
  if (llvm::Error error = expectShape(op, "input", input, machine.tensor(op.getInit()).shape))
    return std::move(error);
  if (llvm::Error error = expectShape(op, "scale", scale, {input.shape.back()}))
    return std::move(error);
  if (shift)
    if (llvm::Error error = expectShape(op, "shift", *shift, {input.shape.back()}))
      return std::move(error);
  return normalize(input, scale, shift, op.getEpsilon().convertToDouble(), op.isCentered());
}

static llvm::Expected<Tensor> rotary(Machine &machine, RotaryOp op) {
  const Tensor &input = machine.tensor(op.getInput()), &cosine = machine.tensor(op.getCosine());
  const Tensor &sine = machine.tensor(op.getSine());
  Tensor result(machine.tensor(op.getInit()).shape, /*isFloat=*/true);
  if (llvm::Error error = expectShape(op, "input", input, result.shape))
    return std::move(error);
  if (llvm::Error error = expectShape(op, "sine", sine, cosine.shape))
    return std::move(error);
  int64_t channels = result.shape.back(), half = channels / 2, next = 0;
  bool failed = false;
  forEachIndex(result.shape, [&](ArrayRef<int64_t> index) {
    int64_t channel = index.back(), row = next - channel;
    bool isFirst = op.getInterleaved() ? channel % 2 == 0 : channel < half;
    int64_t step = op.getInterleaved() ? 1 : half;
    double other = input.floats[row + (isFirst ? channel + step : channel - step)];
    SmallVector<int64_t> at = evaluateAffine(op.getMap(), index.drop_back());
    at.push_back(!op.hasAngleOfPairs() ? channel : op.getInterleaved() ? channel / 2 : channel % half);
    if (!cosine.contains(at)) {
      failed = true;
      return false;
    }
    double turned = other * sine.floats[sine.offset(at)];
    result.floats[next] = input.floats[next] * cosine.floats[cosine.offset(at)] + (isFirst ? -turned : turned);
    ++next;
    return true;
  });
  if (failed)
    return fail(op, "the map leaves the tables");
  return result;
}

static llvm::Expected<Tensor> embedding(Machine &machine, EmbeddingOp op) {
  Tensor result(machine.tensor(op.getInit()).shape, /*isFloat=*/true);
  int64_t channels = result.shape.back();
  SmallVector<int64_t> indexShape(ArrayRef(result.shape).drop_back());
  std::fill(result.floats.begin(), result.floats.end(), 0);
  /// Adds row `row` of `table`, or the nearest there is, to row `to` of the result.
  auto addRow = [&](const Tensor &table, int64_t row, int64_t to) {
    row = std::clamp<int64_t>(row, 0, table.shape[0] - 1);
    for (int64_t n = 0; n < channels; ++n)
      result.floats[to * channels + n] += table.floats[row * channels + n];
  };
  int64_t rows = countElements(indexShape);
  for (auto [indices, table] : llvm::zip_equal(op.getIndices(), op.getTables())) {
    const Tensor &rowsOf = machine.tensor(table), &index = machine.tensor(indices);
    if (llvm::Error error = expectShape(op, "indices", index, indexShape))
      return std::move(error);
    if (llvm::Error error = expectShape(op, "a table", rowsOf, {rowsOf.shape[0], channels}))
      return std::move(error);
    if (rows > 0 && rowsOf.shape[0] == 0)
      return fail(op, "a table has no rows");
    for (int64_t i = 0; i < rows; ++i)
      addRow(rowsOf, index.integers[i], i);
  }
  if (const Tensor *positions = machine.tensorOrNull(op.getPositions())) {
    int64_t sequence = indexShape.back();
    if (rows > 0 && positions->shape[0] < sequence)
      return fail(op, "there are " + llvm::Twine(positions->shape[0]) + " positions for " + llvm::Twine(sequence) +
                          " indices");
    for (int64_t i = 0; i < rows; ++i)
      addRow(*positions, i % sequence, i);
  }
  return result;
}

static llvm::Expected<Tensor> keyRanges(Machine &machine, KeyRangesOp op) {
  const Tensor &mask = machine.tensor(op.getMask());
  if (llvm::Error error = expectShape(op, "init", machine.tensor(op.getInit()), {mask.shape[0], 4}))
    return std::move(error);
  Tensor result({mask.shape[0], 4}, /*isFloat=*/false);
  int64_t keys = mask.shape[1];
  for (int64_t b = 0; b < mask.shape[0]; ++b) {
    ArrayRef<int64_t> row = ArrayRef(mask.integers).slice(b * keys, keys);
    auto counts = [](int64_t key) { return key != 0; };
    int64_t begin = llvm::find_if(row, counts) - row.begin(), end = keys;
    bool empty = begin == keys;
    begin = empty ? 0 : begin;
    while (!empty && !counts(row[end - 1]))
      --end;
    bool holes = !empty && !llvm::all_of(row.slice(begin, end - begin), counts);
    llvm::copy(ArrayRef<int64_t>{begin, end, holes, empty}, result.integers.begin() + b * 4);
  }
  return result;
}

static llvm::Expected<Tensor> pack(Machine &machine, PackOp op) {
  const Tensor &source = machine.tensor(op.getSource());
  Tensor result(machine.tensor(op.getInit()).shape, source.isFloat);
  int64_t width = result.shape[2];
  // Where the source is shorter than the panels, they are zero.
  int64_t panels = std::max(result.shape[0], llvm::divideCeilSigned(source.shape[0], width));
  if (llvm::Error error = expectShape(op, "init", result, {panels, source.shape[1], width}))
    return std::move(error);
  int64_t next = 0;
  forEachIndex(result.shape, [&](ArrayRef<int64_t> index) {
    int64_t row = index[0] * width + index[2];
    store(result, next++, row < source.shape[0] ? Item::elementOf(source, row * source.shape[1] + index[1]) : Item());
    return true;
  });
  return result;
}

llvm::Expected<bool> reference::runRowOp(Machine &machine, Operation *op) {
  using Result = std::optional<llvm::Expected<Tensor>>;
  Result result = llvm::TypeSwitch<Operation *, Result>(op)
                      .Case([&](LinearOp op) -> Result { return linear(machine, op); })
                      .Case([&](NormOpInterface op) -> Result { return norm(machine, op); })
                      .Case([&](RotaryOp op) -> Result { return rotary(machine, op); })
                      .Case([&](EmbeddingOp op) -> Result { return embedding(machine, op); })
                      .Case([&](KeyRangesOp op) -> Result { return keyRanges(machine, op); })
                      .Case([&](PackOp op) -> Result { return pack(machine, op); })
                      .Default([](Operation *) -> Result { return std::nullopt; });
  if (!result)
    return false;
  if (!*result)
    return result->takeError();
  if (op->getNumResults() != 1)
    return fail(op, "the reference works on tensors only");
  machine.set(op->getResult(0), std::move(**result));
  return true;
}
