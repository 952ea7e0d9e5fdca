//===- WeightFolds.cpp - Normal forms of weight expressions -----*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See WeightExpressions.h. Nothing here reads a file: only shapes and offsets are computed.
//
//===----------------------------------------------------------------------===//

#include "attn/Dialect/Attn/IR/WeightExpressions.h"
#include "mlir/IR/PatternMatch.h"

using namespace mlir;
using namespace attn;

RankedTensorType attn::getWeightType(Attribute expression) {
  auto value = llvm::dyn_cast_or_null<WeightExprInterface>(expression);
  return value ? value.getValueType() : RankedTensorType();
}

static DenseI64ArrayAttr array(Attribute expression, ArrayRef<int64_t> values) {
  return DenseI64ArrayAttr::get(expression.getContext(), values);
}

Attribute attn::concatWeights(int64_t axis, ArrayRef<Attribute> parts) {
  SmallVector<Attribute> flat;
  for (Attribute part : parts) {
    auto nested = dyn_cast<ConcatAttr>(part);
    if (nested && nested.getAxis() == axis)
      llvm::append_range(flat, nested.getParts());
    else
      flat.push_back(part);
  }
  if (flat.size() == 1)
    return flat.front();
  return ConcatAttr::get(parts.front().getContext(), axis, flat);
}

/// The rows [begin, begin + count) of a file's slice, where `offsets` and `sizes` are whole rows; null otherwise.
static Attribute sliceRows(FileAttr file, ArrayRef<int64_t> offsets, ArrayRef<int64_t> sizes) {
  ArrayRef<int64_t> shape = file.getType().getShape();
  if (shape.empty() || sizes.drop_front() != shape.drop_front())
    return {};
  int64_t elements = offsets.front();
  for (int64_t size : shape.drop_front())
    elements *= size;
  uint64_t bytes = uint64_t(elements) * (file.getType().getElementTypeBitWidth() / 8);
  return FileAttr::get(file.getContext(), file.getPath(), file.getOffset() + bytes, file.getType().clone(sizes));
}

Attribute attn::sliceWeight(Attribute source, ArrayRef<int64_t> offsets, ArrayRef<int64_t> sizes) {
  RankedTensorType type = getWeightType(source);
  if (sizes == type.getShape())
    return source;
  if (auto file = dyn_cast<FileAttr>(source))
    if (Attribute rows = sliceRows(file, offsets, sizes))
      return rows;
  if (auto inner = dyn_cast<SliceAttr>(source)) {
    SmallVector<int64_t> sums(offsets);
    for (auto [sum, offset] : llvm::zip(sums, inner.getOffsets().asArrayRef()))
      sum += offset;
    return sliceWeight(inner.getSource(), sums, sizes);
  }
  if (auto concat = dyn_cast<ConcatAttr>(source)) {
    int64_t axis = concat.getAxis(), begin = 0;
    for (Attribute part : concat.getParts()) {
      int64_t extent = getWeightType(part).getDimSize(axis);
      if (sizes[axis] > 0 && offsets[axis] >= begin && offsets[axis] + sizes[axis] <= begin + extent) {
        SmallVector<int64_t> inPart(offsets);
        inPart[axis] -= begin;
        return sliceWeight(part, inPart, sizes);
      }
      begin += extent;
    }
  }
  return SliceAttr::get(source.getContext(), source, array(source, offsets), array(source, sizes));
}

Attribute attn::reshapeWeight(Attribute source, ArrayRef<int64_t> shape) {
  RankedTensorType type = getWeightType(source);
  if (shape == type.getShape())
    return source;
  if (auto inner = dyn_cast<ReshapeAttr>(source))
    return reshapeWeight(inner.getSource(), shape);
  if (auto file = dyn_cast<FileAttr>(source))
    return FileAttr::get(file.getContext(), file.getPath(), file.getOffset(), type.clone(shape));
  return ReshapeAttr::get(source.getContext(), source, array(source, shape));
}

Attribute attn::transposeWeight(Attribute source, ArrayRef<int64_t> permutation) {
  SmallVector<int64_t> composed(permutation);
  if (auto inner = dyn_cast<TransposeAttr>(source)) {
    for (int64_t &dim : composed)
      dim = inner.getPermutation().asArrayRef()[dim];
    source = inner.getSource();
  }
  if (llvm::equal(composed, llvm::seq<int64_t>(0, composed.size())))
    return source;
  return TransposeAttr::get(source.getContext(), source, array(source, composed));
}

Attribute attn::convertWeight(Attribute source, Type elementType) {
  if (getWeightType(source).getElementType() == elementType)
    return source;
  return ConvertAttr::get(source.getContext(), source, elementType);
}

Attribute attn::normalizeWeight(Attribute expression) {
  return llvm::TypeSwitch<Attribute, Attribute>(expression)
      .Case([](ConcatAttr concat) {
        return concatWeights(concat.getAxis(), llvm::map_to_vector(concat.getParts(), normalizeWeight));
      })
      .Case([](SliceAttr slice) {
        return sliceWeight(normalizeWeight(slice.getSource()), slice.getOffsets(), slice.getSizes());
      })
      .Case([](ReshapeAttr reshape) { return reshapeWeight(normalizeWeight(reshape.getSource()), reshape.getShape()); })
      .Case([](TransposeAttr transpose) {
        return transposeWeight(normalizeWeight(transpose.getSource()), transpose.getPermutation());
      })
      .Case([](ConvertAttr convert) {
        return convertWeight(normalizeWeight(convert.getSource()), convert.getElementType());
      })
      .Case([](PanelsAttr panels) -> Attribute {
        return PanelsAttr::get(panels.getContext(), normalizeWeight(panels.getSource()), panels.getWidth());
      })
      .Default([](Attribute other) { return other; });
}

LogicalResult WeightOp::canonicalize(WeightOp op, PatternRewriter &rewriter) {
  Attribute normal = normalizeWeight(op.getValue());
  if (normal == op.getValue())
    return rewriter.notifyMatchFailure(op, "the expression is in normal form");
  rewriter.modifyOpInPlace(op, [&] { op.setValueAttr(normal); });
  return success();
}
