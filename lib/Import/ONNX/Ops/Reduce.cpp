//===- Reduce.cpp - Loops over several tensors ------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Reduce.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

using namespace mlir;
using namespace attn;
using namespace attn::onnx;
using utils::IteratorType;

Operand attn::onnx::along(const Tensor &tensor, int64_t first) {
  return {tensor, llvm::to_vector(llvm::seq(first, first + tensor.rank()))};
}

Operand attn::onnx::alongLast(const Tensor &tensor, int64_t loops) { return along(tensor, loops - tensor.rank()); }

Operand attn::onnx::alongOthers(const Tensor &tensor, int64_t loops, ArrayRef<int64_t> left) {
  Operand operand{tensor, {}};
  for (int64_t i = 0; i < loops; ++i)
    if (!llvm::is_contained(left, i))
      operand.loops.push_back(i);
  return operand;
}

Shape attn::onnx::shapeWithout(ArrayRef<Size> shape, ArrayRef<int64_t> dims, bool keep) {
  Shape result;
  for (auto [i, size] : llvm::enumerate(shape)) {
    if (!llvm::is_contained(dims, int64_t(i)))
      result.push_back(size);
    else if (keep)
      result.push_back(Size(1));
  }
  return result;
}

Size attn::onnx::countOf(ArrayRef<Size> shape, ArrayRef<int64_t> dims) {
  Size count(1);
  for (int64_t dim : dims)
    count = count * shape[dim];
  return count;
}

Value attn::onnx::multiply(OpBuilder &b, Location loc, DataType type, Value x, Value y) {
  if (isFloat(type))
    return arith::MulFOp::create(b, loc, x, y);
  return arith::MulIOp::create(b, loc, x, y);
}

//===----------------------------------------------------------------------===//
// Sizes as scalars
//===----------------------------------------------------------------------===//

ScalarSize::ScalarSize(Node &node, const Size &size, DataType type) : constant(size.getConstant()), type(type) {
  if (constant)
    return;
  OpBuilder &b = node.builder;
  Value integer = arith::IndexCastOp::create(b, node.loc, b.getI64Type(), node.index(size));
  value = castScalar(b, node.loc, integer, DataType::Int64, type);
}

Value ScalarSize::get(OpBuilder &b, Location loc) const {
  return constant ? scalarConstant(b, loc, type, double(*constant)) : value;
}

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

/// The operands' values and maps, without dimensions that are repeated. `place` is where each loop stands.
static LogicalResult prepare(Node &node, ArrayRef<Operand> operands, ArrayRef<Size> sizes, ArrayRef<int64_t> place,
                             SmallVector<Value> &values, SmallVector<AffineMap> &maps) {
  auto loopAt = [&](int64_t loop) { return node.builder.getAffineDimExpr(place[loop]); };
  for (const Operand &operand : operands) {
    Tensor tensor = operand.tensor;
    SmallVector<AffineExpr> map;
    Shape kept;
    for (auto [i, loop, size] : llvm::enumerate(operand.loops, tensor.shape)) {
      Slide slide = operand.slides.empty() ? Slide() : operand.slides[i];
      if (slide.window < 0 && size.isConstant(1) && !sizes[loop].isConstant(1))
        continue;
      map.push_back(loopAt(loop) * slide.stride);
      if (slide.window >= 0)
        map.back() = map.back() + loopAt(slide.window) * slide.dilation;
      kept.push_back(size);
    }
    if (kept.size() != tensor.shape.size()) {
      FailureOr<Tensor> dropped = reshape(node, tensor, kept);
      if (failed(dropped))
        return failure();
      tensor = *dropped;
    }
    values.push_back(node.value(tensor));
    maps.push_back(AffineMap::get(sizes.size(), 0, map, node.builder.getContext()));
  }
  return success();
}

static SmallVector<Value> toComputeTypes(OpBuilder &b, Location loc, ValueRange arguments, ArrayRef<Operand> operands) {
  SmallVector<Value> scalars;
  for (auto [scalar, operand] : llvm::zip_equal(arguments.drop_back(), operands))
    scalars.push_back(castScalar(b, loc, scalar, operand.tensor.type, computeType(operand.tensor.type)));
  return scalars;
}

FailureOr<Tensor> attn::onnx::mapOver(Node &node, ArrayRef<Operand> operands, ArrayRef<Size> sizes, DataType result,
                                      ScalarBody body) {
  SmallVector<Value> values;
  SmallVector<AffineMap> maps;
  auto place = llvm::to_vector(llvm::seq<int64_t>(sizes.size()));
  if (failed(prepare(node, operands, sizes, place, values, maps)))
    return failure();
  maps.push_back(node.builder.getMultiDimIdentityMap(sizes.size()));
  SmallVector<IteratorType> iterators(sizes.size(), IteratorType::parallel);
  Value value = generic(node, values, empty(node, sizes, result), maps, iterators,
                        [&](OpBuilder &b, Location loc, ValueRange arguments) {
                          Value scalar = body(b, loc, toComputeTypes(b, loc, arguments, operands));
                          return castScalar(b, loc, scalar, computeType(result), result);
                        });
  return node.make(value, result, Shape(sizes));
}

/// What a reduction starts with, which is also its value where there are no elements.
static TypedAttr neutral(Builder b, Type element, Reduction reduction, bool isUnsignedType) {
  if (auto floating = llvm::dyn_cast<FloatType>(element)) {
    const llvm::fltSemantics &semantics = floating.getFloatSemantics();
    switch (reduction) {
    case Reduction::Sum:
      return b.getFloatAttr(floating, 0.0);
    case Reduction::Product:
      return b.getFloatAttr(floating, 1.0);
    case Reduction::Max:
      return b.getFloatAttr(floating, APFloat::getInf(semantics, /*Negative=*/true));
    case Reduction::Min:
      return b.getFloatAttr(floating, APFloat::getInf(semantics));
    }
  }
  unsigned width = element.getIntOrFloatBitWidth();
  isUnsignedType |= width == 1;
  switch (reduction) {
  case Reduction::Sum:
    return b.getIntegerAttr(element, 0);
  case Reduction::Product:
    return b.getIntegerAttr(element, 1);
  case Reduction::Max:
    return b.getIntegerAttr(element, isUnsignedType ? APInt::getMinValue(width) : APInt::getSignedMinValue(width));
  case Reduction::Min:
    return b.getIntegerAttr(element, isUnsignedType ? APInt::getMaxValue(width) : APInt::getSignedMaxValue(width));
  }
  llvm_unreachable("all are listed");
}

/// The largest and least numbers are those of NumPy: NaN where there is one.
static Value combine(OpBuilder &b, Location loc, DataType type, Reduction reduction, Value x, Value y) {
  bool isUnsignedType = isUnsigned(type) || type == DataType::Bool;
  switch (reduction) {
  case Reduction::Sum:
    if (isFloat(type))
      return arith::AddFOp::create(b, loc, x, y);
    return arith::AddIOp::create(b, loc, x, y);
  case Reduction::Product:
    return multiply(b, loc, type, x, y);
  case Reduction::Max:
    if (isFloat(type))
      return arith::MaximumFOp::create(b, loc, x, y);
    if (isUnsignedType)
      return arith::MaxUIOp::create(b, loc, x, y);
    return arith::MaxSIOp::create(b, loc, x, y);
  case Reduction::Min:
    if (isFloat(type))
      return arith::MinimumFOp::create(b, loc, x, y);
    if (isUnsignedType)
      return arith::MinUIOp::create(b, loc, x, y);
    return arith::MinSIOp::create(b, loc, x, y);
  }
  llvm_unreachable("all are listed");
}

FailureOr<Tensor> attn::onnx::reduceTo(Node &node, ArrayRef<Operand> operands, ArrayRef<Size> sizes,
                                       ArrayRef<int64_t> kept, Reduction reduction, DataType result, ScalarBody body) {
  // The loops of the result come first, in its order.
  SmallVector<int64_t> place(sizes.size(), -1);
  Shape shape;
  for (auto [i, loop] : llvm::enumerate(kept)) {
    place[loop] = i;
    shape.push_back(sizes[loop]);
  }
  int64_t next = kept.size();
  for (int64_t &at : place)
    if (at < 0)
      at = next++;
  SmallVector<Value> values;
  SmallVector<AffineMap> maps;
  if (failed(prepare(node, operands, sizes, place, values, maps)))
    return failure();
  SmallVector<AffineExpr> results;
  for (size_t i = 0; i < kept.size(); ++i)
    results.push_back(node.builder.getAffineDimExpr(i));
  maps.push_back(AffineMap::get(sizes.size(), 0, results, node.builder.getContext()));
  SmallVector<IteratorType> iterators(sizes.size(), IteratorType::reduction);
  std::fill_n(iterators.begin(), kept.size(), IteratorType::parallel);

  TypedAttr start = neutral(node.builder, node.elementType(result), reduction, isUnsigned(result));
  Value scalar = arith::ConstantOp::create(node.builder, node.loc, start);
  Value init = linalg::FillOp::create(node.builder, node.loc, scalar, empty(node, shape, result)).getResult(0);
  Value value = generic(node, values, init, maps, iterators, [&](OpBuilder &b, Location loc, ValueRange arguments) {
    Value element = body(b, loc, toComputeTypes(b, loc, arguments, operands));
    return combine(b, loc, result, reduction, arguments.back(), element);
  });
  return node.make(value, result, shape);
}

FailureOr<Tensor> attn::onnx::reduceOver(Node &node, ArrayRef<Operand> operands, ArrayRef<Size> sizes,
                                         ArrayRef<int64_t> reduced, Reduction reduction, DataType result,
                                         ScalarBody body) {
  SmallVector<int64_t> kept;
  for (int64_t i = 0; i < int64_t(sizes.size()); ++i)
    if (!llvm::is_contained(reduced, i))
      kept.push_back(i);
  return reduceTo(node, operands, sizes, kept, reduction, result, body);
}

FailureOr<Tensor> attn::onnx::meanOver(Node &node, const Tensor &input, ArrayRef<int64_t> dims, DataType type) {
  FailureOr<Tensor> sum = reduceOver(node, along(input), input.shape, dims, Reduction::Sum, type,
                                     [&](OpBuilder &b, Location loc, ValueRange v) {
                                       return castScalar(b, loc, v[0], computeType(input.type), type);
                                     });
  if (failed(sum))
    return failure();
  ScalarSize count(node, countOf(input.shape, dims), type);
  return mapOver(node, along(*sum), sum->shape, type, [&](OpBuilder &b, Location loc, ValueRange v) -> Value {
    return arith::DivFOp::create(b, loc, v[0], count.get(b, loc));
  });
}
