//===- WeightExpressions.cpp - Types of weight expressions -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Every expression checks its own parameters against the types of its parts when it is made, so that the type of a
// whole expression is always defined and its number of elements fits into 63 bits.
//
//===----------------------------------------------------------------------===//

#include "attn/Dialect/Attn/IR/Attn.h"
#include "mlir/Dialect/Utils/IndexingUtils.h"

using namespace mlir;
using namespace attn;

static RankedTensorType typeOf(Attribute expression) {
  auto value = llvm::dyn_cast_or_null<WeightExprInterface>(expression);
  return value ? value.getValueType() : RankedTensorType();
}

/// The type of `source`, or an error: the part every expression over another one checks first.
static FailureOr<RankedTensorType> checkedTypeOf(function_ref<InFlightDiagnostic()> emitError, Attribute source) {
  RankedTensorType type = typeOf(source);
  if (!type)
    return emitError() << "expected a weight expression, got " << source;
  return type;
}

/// The number of elements of `shape`; nothing where it is dynamic or does not fit.
static std::optional<int64_t> countElements(ArrayRef<int64_t> shape) {
  int64_t elements = 1;
  bool empty = llvm::is_contained(shape, 0);
  for (int64_t size : shape)
    if (size < 0 || (!empty && llvm::MulOverflow(elements, size, elements)))
      return std::nullopt;
  return empty ? 0 : elements;
}

//===----------------------------------------------------------------------===//
// file, dense
//===----------------------------------------------------------------------===//

RankedTensorType FileAttr::getValueType() const { return getType(); }

LogicalResult FileAttr::verify(function_ref<InFlightDiagnostic()> emitError, StringRef path, uint64_t offset,
                               RankedTensorType type) {
  if (!type.hasStaticShape())
    return emitError() << "a slice of a file needs a static type, got " << type;
  if (!type.getElementType().isIntOrFloat() || type.getElementTypeBitWidth() % 8 != 0)
    return emitError() << "a slice of a file needs elements of whole bytes, got " << type.getElementType();
  std::optional<int64_t> elements = countElements(type.getShape());
  int64_t bytes = 0;
  if (!elements || llvm::MulOverflow(*elements, int64_t(type.getElementTypeBitWidth() / 8), bytes) ||
      offset > uint64_t(std::numeric_limits<int64_t>::max()) || llvm::AddOverflow(bytes, int64_t(offset), bytes))
    return emitError() << "a slice of a file ends beyond any file: " << type << " at offset " << offset;
  return success();
}

RankedTensorType DenseExprAttr::getValueType() const { return llvm::cast<RankedTensorType>(getValue().getType()); }

LogicalResult DenseExprAttr::verify(function_ref<InFlightDiagnostic()> emitError, DenseElementsAttr value) {
  if (!llvm::isa<RankedTensorType>(value.getType()))
    return emitError() << "a value in the IR is a tensor, got " << value.getType();
  return success();
}

//===----------------------------------------------------------------------===//
// concat
//===----------------------------------------------------------------------===//

RankedTensorType ConcatAttr::getValueType() const {
  RankedTensorType first = typeOf(getParts().front());
  SmallVector<int64_t> shape(first.getShape());
  for (Attribute part : getParts().drop_front())
    shape[getAxis()] += typeOf(part).getDimSize(getAxis());
  return RankedTensorType::get(shape, first.getElementType());
}

LogicalResult ConcatAttr::verify(function_ref<InFlightDiagnostic()> emitError, int64_t axis,
                                 ArrayRef<Attribute> parts) {
  if (parts.empty())
    return emitError() << "concat needs at least one part";
  RankedTensorType first;
  int64_t extent = 0;
  for (Attribute part : parts) {
    FailureOr<RankedTensorType> type = checkedTypeOf(emitError, part);
    if (failed(type))
      return failure();
    if (!first)
      first = *type;
    if (axis < 0 || axis >= first.getRank())
      return emitError() << "concat along dimension " << axis << " of " << first;
    bool same = type->getRank() == first.getRank() && type->getElementType() == first.getElementType();
    for (int64_t i = 0; same && i < first.getRank(); ++i)
      same = i == axis || type->getDimSize(i) == first.getDimSize(i);
    if (!same)
      return emitError() << "parts of concat differ outside dimension " << axis << ": " << first << " and " << *type;
    if (llvm::AddOverflow(extent, type->getDimSize(axis), extent))
      return emitError() << "concat has too many elements";
  }
  SmallVector<int64_t> shape(first.getShape());
  shape[axis] = extent;
  if (!countElements(shape))
    return emitError() << "concat has too many elements";
  return success();
}

//===----------------------------------------------------------------------===//
// slice, reshape, transpose
//===----------------------------------------------------------------------===//

RankedTensorType SliceAttr::getValueType() const {
  return RankedTensorType::get(getSizes().asArrayRef(), typeOf(getSource()).getElementType());
}

LogicalResult SliceAttr::verify(function_ref<InFlightDiagnostic()> emitError, Attribute source,
                                DenseI64ArrayAttr offsets, DenseI64ArrayAttr sizes) {
  FailureOr<RankedTensorType> type = checkedTypeOf(emitError, source);
  if (failed(type))
    return failure();
  if (offsets.size() != type->getRank() || sizes.size() != type->getRank())
    return emitError() << "slice needs " << type->getRank() << " offsets and sizes";
  for (auto [dim, offset, size] : llvm::zip(type->getShape(), offsets.asArrayRef(), sizes.asArrayRef()))
    if (offset < 0 || size < 0 || offset > dim || size > dim - offset)
      return emitError() << "slice [" << offset << ", " << offset << " + " << size << ") is outside of " << *type;
  return success();
}

RankedTensorType ReshapeAttr::getValueType() const {
  return RankedTensorType::get(getShape().asArrayRef(), typeOf(getSource()).getElementType());
}

LogicalResult ReshapeAttr::verify(function_ref<InFlightDiagnostic()> emitError, Attribute source,
                                  DenseI64ArrayAttr shape) {
  FailureOr<RankedTensorType> type = checkedTypeOf(emitError, source);
  if (failed(type))
    return failure();
  std::optional<int64_t> elements = countElements(shape.asArrayRef());
  if (!elements)
    return emitError() << "reshape to an impossible shape";
  if (*elements != type->getNumElements())
    return emitError() << "reshape of " << *type << " to " << *elements << " elements";
  return success();
}

RankedTensorType TransposeAttr::getValueType() const {
  RankedTensorType type = typeOf(getSource());
  SmallVector<int64_t> shape;
  for (int64_t dim : getPermutation().asArrayRef())
    shape.push_back(type.getDimSize(dim));
  return RankedTensorType::get(shape, type.getElementType());
}

LogicalResult TransposeAttr::verify(function_ref<InFlightDiagnostic()> emitError, Attribute source,
                                    DenseI64ArrayAttr permutation) {
  FailureOr<RankedTensorType> type = checkedTypeOf(emitError, source);
  if (failed(type))
    return failure();
  if (permutation.size() != type->getRank() || !isPermutationVector(permutation.asArrayRef()))
    return emitError() << "transpose of " << *type << " needs a permutation of its dimensions";
  return success();
}

//===----------------------------------------------------------------------===//
// convert, panels
//===----------------------------------------------------------------------===//

RankedTensorType ConvertAttr::getValueType() const {
  return RankedTensorType::get(typeOf(getSource()).getShape(), getElementType());
}

LogicalResult ConvertAttr::verify(function_ref<InFlightDiagnostic()> emitError, Attribute source, Type elementType) {
  FailureOr<RankedTensorType> type = checkedTypeOf(emitError, source);
  if (failed(type))
    return failure();
  if (!llvm::isa<FloatType>(type->getElementType()) || !llvm::isa<FloatType>(elementType))
    return emitError() << "convert is between floating-point types, got " << type->getElementType() << " and "
                       << elementType;
  return success();
}

RankedTensorType PanelsAttr::getValueType() const {
  RankedTensorType type = typeOf(getSource());
  return RankedTensorType::get(
      {int64_t(llvm::divideCeil(type.getDimSize(0), getWidth())), type.getDimSize(1), getWidth()},
      type.getElementType());
}

LogicalResult PanelsAttr::verify(function_ref<InFlightDiagnostic()> emitError, Attribute source, int64_t width) {
  FailureOr<RankedTensorType> type = checkedTypeOf(emitError, source);
  if (failed(type))
    return failure();
  if (type->getRank() != 2)
    return emitError() << "panels are of a matrix, got " << *type;
  if (width <= 0)
    return emitError() << "panels need a positive width";
  int64_t padded;
  if (llvm::AddOverflow(type->getDimSize(0), width - 1, padded) ||
      !countElements({padded / width, width, type->getDimSize(1)}))
    return emitError() << "panels of width " << width << " have too many elements";
  return success();
}
