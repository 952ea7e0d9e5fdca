//===- Generators.cpp - Tensors made of their indices -----------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Graph.h"
#include "Indexing.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "onnx.pb.h"

using namespace mlir;
using namespace attn;
using namespace attn::onnx;

namespace {

LogicalResult importConstantOfShape(Node &node) {
  if (failed(node.expectInputs(1, 1)))
    return failure();
  FailureOr<SmallVector<Size>> given = expectSizes(node, 0, "the shape");
  if (failed(given))
    return failure();
  Shape shape(given->begin(), given->end());
  for (const Size &size : shape)
    if (isAtMost(node.symbols, size, -1))
      return node.error() << "the shape has " << node.symbols.toString(size) << " in it";
  DataType type = DataType::Float;
  TypedAttr value = node.builder.getF32FloatAttr(0);
  if (const AttributeProto *attribute = node.attribute("value")) {
    if (attribute->type() != AttributeProto::TENSOR)
      return node.error() << "attribute 'value' is no tensor";
    FailureOr<Tensor> tensor = node.graph.constant(attribute->t(), "value");
    if (failed(tensor))
      return failure();
    DenseElementsAttr dense = node.dense(*tensor);
    if (!dense || dense.getNumElements() != 1)
      return node.error() << "attribute 'value' has shape " << node.symbols.toString(tensor->shape)
                          << ", expected a single element";
    type = tensor->type;
    value = llvm::cast<TypedAttr>(*dense.getValues<Attribute>().begin());
  }
  RankedTensorType tensorType = node.tensorType(type, shape);
  std::optional<int64_t> count = productOf(shape).getConstant();
  if (tensorType.hasStaticShape() && count && *count <= kMostKnown) {
    node.set(0, constantTensor(node, DenseElementsAttr::get(tensorType, Attribute(value)), type));
    return success();
  }
  Value scalar = arith::ConstantOp::create(node.builder, node.loc, value);
  Value result = linalg::FillOp::create(node.builder, node.loc, scalar, empty(node, shape, type)).getResult(0);
  Tensor tensor = node.make(result, type, shape);
  if (canBeRamp(type)) {
    auto single = DenseElementsAttr::get(RankedTensorType::get({}, value.getType()), Attribute(value));
    tensor.ramp = std::make_shared<const Ramp>(broadcastRamp({elementsOf(single, type).front(), {}}, {}, shape));
  }
  node.set(0, std::move(tensor));
  return success();
}

//===----------------------------------------------------------------------===//
// Range
//===----------------------------------------------------------------------===//

/// A range of floats that are known.
LogicalResult importFloatRange(Node &node, DataType type) {
  SmallVector<double> numbers;
  for (size_t i = 0; i < 3; ++i) {
    DenseElementsAttr dense = denseOf(node, node.input(i), 1);
    if (!dense || dense.getNumElements() != 1)
      return node.unsupported() << "its inputs decide how many numbers there are, and are known at run time only";
    numbers.push_back(llvm::cast<FloatAttr>(*dense.getValues<Attribute>().begin()).getValueAsDouble());
  }
  double count = std::max(std::ceil((numbers[1] - numbers[0]) / numbers[2]), 0.0);
  if (!(count < 1e9)) // NaN where the step is 0
    return node.error() << "goes from " << numbers[0] << " to " << numbers[1] << " in steps of " << numbers[2];
  DataType compute = computeType(type);
  node.set(0, generate(node, type, Size(int64_t(count)), {}, {},
                       [&](OpBuilder &b, Location loc, ValueRange, ArrayRef<Value> indices) {
                         Value i = arith::IndexCastOp::create(b, loc, b.getI64Type(), indices[0]);
                         Value x = castScalar(b, loc, i, DataType::Int64, compute);
                         Value step = scalarConstant(b, loc, compute, numbers[2]);
                         Value start = scalarConstant(b, loc, compute, numbers[0]);
                         Value distance = arith::MulFOp::create(b, loc, x, step);
                         return castScalar(b, loc, arith::AddFOp::create(b, loc, start, distance), compute, type);
                       }));
  return success();
}

LogicalResult importRange(Node &node) {
  if (failed(node.expectInputs(3, 3)))
    return failure();
  FailureOr<int64_t> stash = node.integer("stash_type", 1);
  if (failed(stash))
    return failure();
  if (*stash != int64_t(DataType::Float))
    return node.unsupported() << "'stash_type' " << *stash << ", only 1 (float32) is";
  DataType type = node.input(0).type;
  SmallVector<Size> numbers;
  for (size_t i = 0; i < 3; ++i) {
    const Tensor &input = node.input(i);
    if (input.type != type || (!isFloat(type) && !isInteger(type)))
      return node.error() << "input " << i << " has elements of " << nameOf(input.type)
                          << ", expected numbers, the same for all";
    if (!productOf(input.shape).isConstant(1))
      return node.error() << "input " << i << " has shape " << node.symbols.toString(input.shape)
                          << ", expected a single element";
    if (input.elements)
      numbers.push_back(input.elements->front());
  }
  if (isFloat(type))
    return importFloatRange(node, type);
  if (numbers.size() != 3)
    return node.unsupported() << "its inputs decide how many numbers there are, and are known at run time only";
  const Size &start = numbers[0], &limit = numbers[1];
  std::optional<int64_t> step = numbers[2].getConstant();
  if (!step || *step == std::numeric_limits<int64_t>::min())
    return node.unsupported() << "a step that is not a number in the model";
  if (*step == 0)
    return node.error() << "the step is 0";
  int64_t distance = std::abs(*step);
  Size span = *step > 0 ? limit - start : start - limit;
  std::optional<Size> count;
  if (distance == 1)
    count = notNegative(node, span);
  else
    count = quotient(node, notNegative(node, span) + Size(distance - 1), Size(distance));
  if (!count || !count->isValid() || !start.isValid())
    return node.error() << "the number of elements overflows";
  Tensor range = rampTensor(node, type, *count, {start, {Size(*step)}});
  if (!canBeRamp(type))
    range.ramp.reset();
  node.set(0, std::move(range));
  return success();
}

//===----------------------------------------------------------------------===//
// EyeLike, Trilu, OneHot
//===----------------------------------------------------------------------===//

/// column - row, as int64.
Value diagonalOf(OpBuilder &b, Location loc, ArrayRef<Value> indices) {
  Value distance = arith::SubIOp::create(b, loc, indices[indices.size() - 1], indices[indices.size() - 2]);
  return arith::IndexCastOp::create(b, loc, b.getI64Type(), distance);
}

LogicalResult importEyeLike(Node &node) {
  if (failed(node.expectInputs(1, 1)))
    return failure();
  const Tensor &input = node.input(0);
  FailureOr<int64_t> k = node.integer("k", 0), dtype = node.integer("dtype", int64_t(input.type));
  if (failed(k) || failed(dtype))
    return failure();
  if (input.rank() != 2)
    return node.error() << "the input has rank " << input.rank() << ", expected 2";
  auto type = *dtype < 0 || *dtype > 1000 ? DataType::Undefined : DataType(*dtype);
  if (!node.elementType(type))
    return node.unsupported() << "elements of " << nameOf(type);
  node.set(0, generate(node, type, input.shape, {}, {},
                       [&](OpBuilder &b, Location loc, ValueRange, ArrayRef<Value> indices) -> Value {
                         Value diagonal = arith::ConstantOp::create(b, loc, b.getI64IntegerAttr(*k));
                         Value isOn = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq,
                                                            diagonalOf(b, loc, indices), diagonal);
                         return arith::SelectOp::create(b, loc, isOn, scalarConstant(b, loc, type, 1),
                                                        scalarConstant(b, loc, type, 0));
                       }));
  return success();
}

LogicalResult importTrilu(Node &node) {
  if (failed(node.expectInputs(1, 2)) || failed(node.expectType(1, DataType::Int64)))
    return failure();
  const Tensor &input = node.input(0);
  FailureOr<int64_t> upper = node.integer("upper", 1);
  if (failed(upper))
    return failure();
  if (input.rank() < 2)
    return node.error() << "the input has rank " << input.rank() << ", expected at least 2";
  FailureOr<Tensor> k = integers(Size(0), Shape());
  if (node.has(1))
    k = reshape(node, node.input(1), Shape());
  if (failed(k))
    return failure();
  auto identity = llvm::to_vector(llvm::seq<int64_t>(input.rank()));
  node.set(0, generate(node, input.type, input.shape, {input, *k}, {identity, {}},
                       [&](OpBuilder &b, Location loc, ValueRange v, ArrayRef<Value> indices) -> Value {
                         auto predicate = *upper ? arith::CmpIPredicate::sge : arith::CmpIPredicate::sle;
                         Value stays = arith::CmpIOp::create(b, loc, predicate, diagonalOf(b, loc, indices), v[1]);
                         return arith::SelectOp::create(b, loc, stays, v[0], scalarConstant(b, loc, input.type, 0));
                       }));
  return success();
}

LogicalResult importOneHot(Node &node) {
  if (failed(node.expectInputs(3, 3)))
    return failure();
  const Tensor &indices = node.input(0), &depth = node.input(1), &values = node.input(2);
  if (!isFloat(indices.type) && !isInteger(indices.type))
    return node.error() << "the indices are of " << nameOf(indices.type) << ", expected numbers";
  FailureOr<int64_t> given = node.integer("axis", -1);
  if (failed(given))
    return failure();
  FailureOr<int64_t> axis = node.axis(*given, indices.rank() + 1);
  if (failed(axis))
    return failure();
  if (values.rank() != 1 || (values.shape[0].getConstant() && !values.shape[0].isConstant(2)))
    return node.error() << "the values have shape " << node.symbols.toString(values.shape) << ", expected [2]";
  if (!productOf(depth.shape).isConstant(1))
    return node.error() << "the depth has shape " << node.symbols.toString(depth.shape)
                        << ", expected a single element";
  Tensor whole = isFloat(depth.type) ? cast(node, depth, DataType::Int64) : depth;
  if (!whole.elements || !whole.elements->front().isValid())
    return node.unsupported() << "the depth is known at run time only; make it a constant";
  Size size = whole.elements->front();
  if (isAtMost(node.symbols, size, -1))
    return node.error() << "the depth is " << node.symbols.toString(size);
  Shape shape = indices.shape;
  shape.insert(shape.begin() + *axis, size);
  SmallVector<int64_t> map;
  for (int64_t i = 0; i <= indices.rank(); ++i)
    if (i != *axis)
      map.push_back(i);
  auto valueAt = [&](int64_t i) {
    bool isThere = values.shape[0].getConstant().has_value();
    return reshape(
        node, isThere ? slice(node, values, 0, Size(i), Size(1)) : sliceClamped(node, values, 0, Size(i), 1, Size(1)),
        Shape());
  };
  FailureOr<Tensor> off = valueAt(0), on = valueAt(1);
  if (failed(off) || failed(on))
    return failure();
  Value end = node.index(size);
  node.set(0, generate(node, values.type, shape, {indices, *off, *on}, {map, {}, {}},
                       [&](OpBuilder &b, Location loc, ValueRange v, ArrayRef<Value> at) -> Value {
                         Value number = castScalar(b, loc, v[0], indices.type, DataType::Int64);
                         Value place = wrapIndex(b, loc, number, end);
                         Value isOn = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, place, at[*axis]);
                         return arith::SelectOp::create(b, loc, isOn, v[2], v[1]);
                       }));
  return success();
}

} // namespace

void attn::onnx::registerGenerators(Registry &registry) {
  registry.add("ConstantOfShape", importConstantOfShape);
  registry.add("Range", importRange);
  registry.add("EyeLike", importEyeLike);
  registry.add("Trilu", importTrilu);
  registry.add("OneHot", importOneHot);
}
