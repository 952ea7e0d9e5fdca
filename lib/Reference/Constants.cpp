//===- Constants.cpp - Attributes and weights as values ---------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Weight expressions are evaluated whole, one after another. Only #attn.convert rounds: it is part of the weight's
// value.
//
//===----------------------------------------------------------------------===//

#include "Machine.h"
#include "attn/Dialect/Attn/IR/WeightExpressions.h"
#include "attn/Support/Errors.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace mlir;
using namespace attn;
using namespace attn::reference;

static double toDouble(APFloat value) {
  bool lost;
  value.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &lost);
  return value.convertToDouble();
}

static int64_t toInteger(const APInt &value) {
  return value.getBitWidth() == 1 ? value.getZExtValue() : value.getSExtValue();
}

static Tensor valueOf(DenseElementsAttr elements) {
  Tensor tensor(elements.getType().getShape(), isFloat(elements.getType()));
  if (tensor.isFloat)
    for (auto [element, value] : llvm::zip(tensor.floats, elements.getValues<APFloat>()))
      element = toDouble(value);
  else
    for (auto [element, value] : llvm::zip(tensor.integers, elements.getValues<APInt>()))
      element = toInteger(value);
  return tensor;
}

llvm::Expected<Item> reference::itemOf(Operation *op, Attribute value) {
  if (auto number = dyn_cast<FloatAttr>(value))
    return Item::ofNumber(toDouble(number.getValue()));
  if (auto integer = dyn_cast<IntegerAttr>(value))
    return Item::ofInteger(toInteger(integer.getValue()));
  auto elements = dyn_cast<DenseElementsAttr>(value);
  if (elements && elements.getElementType().isIntOrIndexOrFloat())
    return Item::of(valueOf(elements));
  return fail(op, "the reference does not know this kind of constant");
}

//===----------------------------------------------------------------------===//
// Files
//===----------------------------------------------------------------------===//

llvm::Expected<Tensor> reference::readFileSlice(FileAttr slice) {
  RankedTensorType type = slice.getType();
  unsigned width = type.getElementTypeBitWidth(), bytes = width / 8;
  int64_t count = type.getNumElements();
  if (width > 64)
    return makeError("the reference does not read elements of " + llvm::Twine(width) + " bits");
  Tensor tensor(type.getShape(), isFloat(type));
  if (count == 0)
    return tensor;
  // A buffer beyond the end of the file reads as zeros, so the size is asked first.
  uint64_t size;
  if (std::error_code code = llvm::sys::fs::file_size(slice.getPath(), size))
    return makeError("can't read '" + slice.getPath() + "'", code);
  if (slice.getOffset() > size || uint64_t(count) * bytes > size - slice.getOffset())
    return makeError("'" + slice.getPath() + "' ends before a weight does");
  auto buffer = llvm::MemoryBuffer::getFileSlice(slice.getPath(), count * bytes, slice.getOffset());
  if (!buffer)
    return makeError("can't read '" + slice.getPath() + "'", buffer.getError());
  const char *data = (*buffer)->getBufferStart();
  for (int64_t i = 0; i < count; ++i) {
    uint64_t raw = 0;
    for (unsigned byte = 0; byte < bytes; ++byte)
      raw |= uint64_t(uint8_t(data[i * bytes + byte])) << (8 * byte);
    APInt value(width, raw);
    if (auto floatType = dyn_cast<FloatType>(type.getElementType()))
      tensor.floats[i] = toDouble(APFloat(floatType.getFloatSemantics(), value));
    else
      tensor.integers[i] = toInteger(value);
  }
  return tensor;
}

//===----------------------------------------------------------------------===//
// Expressions
//===----------------------------------------------------------------------===//

/// A tensor of type `type` whose element at each index is that of `source` at the index that `where` gives.
static Tensor gather(const Tensor &source, RankedTensorType type,
                     llvm::function_ref<SmallVector<int64_t>(ArrayRef<int64_t>)> where) {
  Tensor result(type.getShape(), source.isFloat);
  int64_t next = 0;
  forEachIndex(result.shape, [&](ArrayRef<int64_t> index) {
    result.copyElement(next++, source, source.offset(where(index)));
    return true;
  });
  return result;
}

static llvm::Expected<Tensor> concat(ConcatAttr concat, WeightReader reader) {
  Tensor result(concat.getValueType().getShape(), isFloat(concat.getValueType()));
  int64_t begin = 0;
  for (Attribute part : concat.getParts()) {
    llvm::Expected<Tensor> value = evaluateWeight(part, reader);
    if (!value)
      return value.takeError();
    int64_t next = 0;
    forEachIndex(value->shape, [&](ArrayRef<int64_t> index) {
      SmallVector<int64_t> at(index);
      at[concat.getAxis()] += begin;
      result.copyElement(result.offset(at), *value, next++);
      return true;
    });
    begin += value->shape[concat.getAxis()];
  }
  return result;
}

static Tensor convert(Tensor value, FloatType type) {
  for (double &element : value.floats) {
    APFloat rounded(element);
    bool lost;
    rounded.convert(type.getFloatSemantics(), APFloat::rmNearestTiesToEven, &lost);
    element = toDouble(rounded);
  }
  return value;
}

static Tensor panels(const Tensor &source, PanelsAttr panels) {
  Tensor result(panels.getValueType().getShape(), source.isFloat);
  int64_t next = 0;
  forEachIndex(result.shape, [&](ArrayRef<int64_t> index) {
    int64_t row = index[0] * panels.getWidth() + index[2];
    Item element = row < source.shape[0] ? Item::elementOf(source, row * source.shape[1] + index[1]) : Item();
    store(result, next++, element);
    return true;
  });
  return result;
}

llvm::Expected<Tensor> reference::evaluateWeight(Attribute expression, WeightReader reader) {
  if (auto file = dyn_cast<FileAttr>(expression))
    return reader(file);
  if (auto dense = dyn_cast<DenseExprAttr>(expression))
    return valueOf(dense.getValue());
  if (auto parts = dyn_cast<ConcatAttr>(expression))
    return concat(parts, reader);
  Attribute source = llvm::TypeSwitch<Attribute, Attribute>(expression)
                         .Case<SliceAttr, ReshapeAttr, TransposeAttr, ConvertAttr, PanelsAttr>(
                             [](auto attribute) { return attribute.getSource(); })
                         .Default([](Attribute) { return Attribute(); });
  if (!source)
    return makeError("the reference does not know this weight expression");
  llvm::Expected<Tensor> value = evaluateWeight(source, reader);
  if (!value)
    return value.takeError();
  RankedTensorType type = getWeightType(expression);
  return llvm::TypeSwitch<Attribute, Tensor>(expression)
      .Case([&](SliceAttr slice) {
        return gather(*value, type, [&](ArrayRef<int64_t> index) {
          SmallVector<int64_t> at(index);
          for (auto [i, offset] : llvm::zip(at, slice.getOffsets().asArrayRef()))
            i += offset;
          return at;
        });
      })
      .Case([&](ReshapeAttr) {
        value->shape.assign(type.getShape().begin(), type.getShape().end());
        return std::move(*value);
      })
      .Case([&](TransposeAttr transpose) {
        return gather(*value, type, [&](ArrayRef<int64_t> index) {
          SmallVector<int64_t> at(index.size());
          for (auto [i, dim] : llvm::enumerate(transpose.getPermutation().asArrayRef()))
            at[dim] = index[i];
          return at;
        });
      })
      .Case(
          [&](ConvertAttr convert) { return ::convert(std::move(*value), cast<FloatType>(convert.getElementType())); })
      .Case([&](PanelsAttr attribute) { return panels(*value, attribute); });
}
