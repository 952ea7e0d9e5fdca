//===- TensorOps.cpp - The tensor dialect and weights -----------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Shapes are those at run time; a slice or an index that leaves its tensor is an error.
//
//===----------------------------------------------------------------------===//

#include "Machine.h"
#include "Slices.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace attn;
using namespace attn::reference;

llvm::Error reference::checkSlice(Operation *op, const Tensor &tensor, const Slice &slice) {
  for (auto [extent, offset, size, stride] : llvm::zip_equal(tensor.shape, slice.offsets, slice.sizes, slice.strides))
    if (offset < 0 || size < 0 || stride <= 0 || (size > 0 && offset + (size - 1) * stride >= extent) ||
        offset > extent)
      return fail(op, "the slice [" + llvm::Twine(offset) + ", " + llvm::Twine(size) +
                          " elements] leaves an extent of " + llvm::Twine(extent));
  return llvm::Error::success();
}

int64_t reference::offsetInSlice(const Tensor &tensor, const Slice &slice, ArrayRef<int64_t> index) {
  int64_t position = 0;
  for (auto [extent, offset, stride, i] : llvm::zip_equal(tensor.shape, slice.offsets, slice.strides, index))
    position = position * extent + offset + i * stride;
  return position;
}

static llvm::Expected<Tensor> extractSlice(Machine &machine, tensor::ExtractSliceOp op) {
  const Tensor &source = machine.tensor(op.getSource());
  Slice slice = sliceOf(machine, op);
  if (llvm::Error error = checkSlice(op, source, slice))
    return std::move(error);
  llvm::SmallBitVector dropped = op.getDroppedDims();
  SmallVector<int64_t> shape;
  for (auto [i, size] : llvm::enumerate(slice.sizes))
    if (!dropped.test(i))
      shape.push_back(size);
  Tensor result(shape, source.isFloat);
  int64_t next = 0;
  forEachIndex(slice.sizes, [&](ArrayRef<int64_t> index) {
    result.copyElement(next++, source, offsetInSlice(source, slice, index));
    return true;
  });
  return result;
}

llvm::Error reference::insert(Operation *op, Tensor &target, const Tensor &source, const Slice &slice) {
  if (llvm::Error error = checkSlice(op, target, slice))
    return error;
  if (countElements(slice.sizes) != source.size())
    return fail(op, "the source has another number of elements than the slice");
  int64_t next = 0;
  forEachIndex(slice.sizes, [&](ArrayRef<int64_t> index) {
    target.copyElement(offsetInSlice(target, slice, index), source, next++);
    return true;
  });
  return llvm::Error::success();
}

/// The shape at run time of a result of static type `type` whose dynamic extents are `dynamic`.
static SmallVector<int64_t> shapeOf(Machine &machine, RankedTensorType type, ValueRange dynamic) {
  SmallVector<int64_t> shape(type.getShape());
  unsigned next = 0;
  for (int64_t &extent : shape)
    if (ShapedType::isDynamic(extent))
      extent = machine.get(dynamic[next++]).integer;
  return shape;
}

static llvm::Expected<Item> extracted(Machine &machine, tensor::ExtractOp op) {
  const Tensor &source = machine.tensor(op.getTensor());
  SmallVector<int64_t> index;
  for (Value i : op.getIndices())
    index.push_back(machine.get(i).integer);
  if (!source.contains(index))
    return fail(op, "an index is out of bounds");
  return Item::elementOf(source, source.offset(index));
}

/// The block of tensor.generate and tensor.pad for each index.
static llvm::Error fill(Machine &machine, Block &block, Tensor &tensor) {
  llvm::Error error = llvm::Error::success();
  int64_t next = 0;
  forEachIndex(tensor.shape, [&](ArrayRef<int64_t> index) {
    auto arguments = llvm::map_to_vector(index, [](int64_t i) { return Item::ofInteger(i); });
    llvm::Expected<Item> item = machine.evaluate(block, arguments);
    if (!item) {
      error = llvm::joinErrors(std::move(error), item.takeError());
      return false;
    }
    store(tensor, next++, *item);
    return true;
  });
  return error;
}

static llvm::Expected<Tensor> pad(Machine &machine, tensor::PadOp op) {
  const Tensor &source = machine.tensor(op.getSource());
  Slice slice;
  slice.offsets = machine.indices(op.getMixedLowPad());
  slice.sizes = source.shape;
  slice.strides.assign(source.rank(), 1);
  SmallVector<int64_t> high = machine.indices(op.getMixedHighPad()), shape(source.shape);
  for (auto [extent, low, more] : llvm::zip(shape, slice.offsets, high))
    extent += low + more;
  if (llvm::any_of(shape, [](int64_t extent) { return extent < 0; }))
    return fail(op, "the result has a negative extent");
  Tensor result(shape, source.isFloat);
  if (llvm::Error error = fill(machine, op.getRegion().front(), result))
    return std::move(error);
  if (llvm::Error error = insert(op, result, source, slice))
    return std::move(error);
  return result;
}

/// `source` under `shape`.
static llvm::Expected<Tensor> reshaped(Operation *op, const Tensor &source, ArrayRef<int64_t> shape) {
  if (countElements(shape) != source.size())
    return fail(op, "the result has " + llvm::Twine(countElements(shape)) + " elements, the source " +
                        llvm::Twine(source.size()));
  Tensor result = source;
  result.shape.assign(shape.begin(), shape.end());
  return result;
}

static llvm::Expected<Tensor> castTo(Operation *op, const Tensor &source, RankedTensorType type) {
  bool fits = type && source.rank() == type.getRank();
  for (int64_t i = 0; fits && i < source.rank(); ++i)
    fits = type.isDynamicDim(i) || type.getDimSize(i) == source.shape[i];
  if (!fits)
    return fail(op, "the tensor does not have the shape it is cast to");
  return source;
}

static llvm::Expected<Tensor> getWeight(Machine &machine, GetWeightOp op) {
  WeightOp weight = WeightOp::lookup(op, op.getNameAttr());
  if (!weight)
    return fail(op, "there is no such weight");
  return evaluateWeight(weight.getValue(), machine.getReader());
}

/// Ops whose result is a tensor; nothing for others.
static std::optional<llvm::Expected<Tensor>> tensorResult(Machine &machine, Operation *op) {
  using Result = std::optional<llvm::Expected<Tensor>>;
  return llvm::TypeSwitch<Operation *, Result>(op)
      .Case([&](tensor::EmptyOp op) -> Result {
        return Tensor(shapeOf(machine, op.getType(), op.getDynamicSizes()), isFloat(op.getType()));
      })
      .Case([&](bufferization::AllocTensorOp op) -> Result {
        if (op.getCopy())
          return machine.tensor(op.getCopy());
        return Tensor(shapeOf(machine, op.getType(), op.getDynamicSizes()), isFloat(op.getType()));
      })
      .Case([&](tensor::CastOp op) -> Result {
        return castTo(op, machine.tensor(op.getSource()), dyn_cast<RankedTensorType>(op.getType()));
      })
      .Case([&](tensor::ExtractSliceOp op) -> Result { return extractSlice(machine, op); })
      .Case([&](tensor::InsertSliceOp op) -> Result {
        Tensor result = machine.tensor(op.getDest());
        if (llvm::Error error = insert(op, result, machine.tensor(op.getSource()), sliceOf(machine, op)))
          return llvm::Expected<Tensor>(std::move(error));
        return result;
      })
      .Case([&](tensor::CollapseShapeOp op) -> Result {
        const Tensor &source = machine.tensor(op.getSrc());
        SmallVector<int64_t> shape;
        for (const ReassociationIndices &group : op.getReassociationIndices()) {
          shape.push_back(1);
          for (int64_t dim : group)
            shape.back() *= source.shape[dim];
        }
        return reshaped(op, source, shape);
      })
      .Case([&](tensor::ExpandShapeOp op) -> Result {
        return reshaped(op, machine.tensor(op.getSrc()), machine.indices(op.getMixedOutputShape()));
      })
      .Case([&](tensor::SplatOp op) -> Result {
        Tensor result(shapeOf(machine, cast<RankedTensorType>(op.getType()), op.getDynamicSizes()),
                      isFloat(op.getType()));
        for (int64_t i = 0, e = result.size(); i < e; ++i)
          store(result, i, machine.get(op.getInput()));
        return result;
      })
      .Case([&](tensor::FromElementsOp op) -> Result {
        Tensor result(op.getType().getShape(), isFloat(op.getType()));
        for (auto [i, element] : llvm::enumerate(op.getElements()))
          store(result, i, machine.get(element));
        return result;
      })
      .Case([&](tensor::InsertOp op) -> Result {
        Tensor result = machine.tensor(op.getDest());
        SmallVector<int64_t> index;
        for (Value i : op.getIndices())
          index.push_back(machine.get(i).integer);
        if (!result.contains(index))
          return llvm::Expected<Tensor>(fail(op, "an index is out of bounds"));
        store(result, result.offset(index), machine.get(op.getScalar()));
        return result;
      })
      .Case([&](tensor::GenerateOp op) -> Result {
        Tensor result(shapeOf(machine, cast<RankedTensorType>(op.getType()), op.getDynamicExtents()),
                      isFloat(op.getType()));
        if (llvm::Error error = fill(machine, op.getBody().front(), result))
          return llvm::Expected<Tensor>(std::move(error));
        return result;
      })
      .Case([&](tensor::PadOp op) -> Result { return pad(machine, op); })
      .Case([&](GetWeightOp op) -> Result { return getWeight(machine, op); })
      .Default([](Operation *) { return std::nullopt; });
}

llvm::Expected<bool> reference::runTensorOp(Machine &machine, Operation *op) {
  if (auto dim = dyn_cast<tensor::DimOp>(op)) {
    const Tensor &source = machine.tensor(dim.getSource());
    int64_t position = machine.get(dim.getIndex()).integer;
    if (position < 0 || position >= source.rank())
      return fail(op, "there is no such dimension");
    machine.set(dim, Item::ofInteger(source.shape[position]));
    return true;
  }
  if (auto extract = dyn_cast<tensor::ExtractOp>(op)) {
    llvm::Expected<Item> item = extracted(machine, extract);
    if (!item)
      return item.takeError();
    machine.set(extract, std::move(*item));
    return true;
  }
  std::optional<llvm::Expected<Tensor>> result = tensorResult(machine, op);
  if (!result)
    return false;
  if (!*result)
    return result->takeError();
  machine.set(op->getResult(0), std::move(**result));
  return true;
}
