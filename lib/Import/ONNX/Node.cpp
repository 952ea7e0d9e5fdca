//===- Node.cpp - One node of a graph, as its importer sees it --*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Node.h"
#include "Graph.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "onnx.pb.h"

using namespace mlir;
using namespace attn;
using namespace attn::onnx;

static Location locationOf(OpBuilder &builder, const NodeProto &proto) {
  StringRef name = proto.name();
  if (name.empty() && proto.output_size())
    name = proto.output(0);
  if (name.empty())
    name = proto.op_type();
  return NameLoc::get(builder.getStringAttr(name.empty() ? "node" : name));
}

Node::Node(GraphImporter &graph, const NodeProto &proto, int64_t opset)
    : builder(graph.builder), loc(locationOf(graph.builder, proto)), symbols(graph.symbols), graph(graph), proto(proto),
      opset(opset) {
  for (const std::string &name : proto.input()) {
    const Tensor *tensor = name.empty() ? nullptr : graph.scope->lookup(name);
    inputs.push_back(tensor ? settled(*tensor) : Tensor());
  }
}

Node::Node(GraphImporter &graph, StringRef name)
    : builder(graph.builder), loc(NameLoc::get(builder.getStringAttr(name))), symbols(graph.symbols), graph(graph),
      proto(NodeProto::default_instance()), opset(0) {}

Tensor Node::settled(Tensor tensor) const {
  for (Shape *shape : {&tensor.shape, &tensor.baseShape})
    for (Size &size : *shape)
      if (std::optional<int64_t> constant = symbols.canonical(size).getConstant())
        size = Size(*constant);
  return tensor;
}

StringRef Node::getOp() const { return proto.op_type(); }

InFlightDiagnostic Node::error() const {
  InFlightDiagnostic diagnostic = graph.error();
  diagnostic << "node '" << llvm::cast<NameLoc>(loc).getName().getValue() << "' (";
  if (!proto.domain().empty())
    diagnostic << proto.domain() << ".";
  diagnostic << proto.op_type() << "): ";
  return diagnostic;
}

InFlightDiagnostic Node::unsupported() const {
  InFlightDiagnostic diagnostic = error();
  diagnostic << "not supported: ";
  return diagnostic;
}

//===----------------------------------------------------------------------===//
// Inputs
//===----------------------------------------------------------------------===//

size_t Node::numInputs() const { return inputs.size(); }
bool Node::has(size_t i) const { return i < inputs.size() && inputs[i].type != DataType::Undefined; }
const Tensor &Node::input(size_t i) const {
  assert(has(i) && "ask has() first");
  return inputs[i];
}

LogicalResult Node::expectInputs(size_t least, size_t most) const {
  if (inputs.size() > most)
    return error() << "has " << inputs.size() << " inputs, expected at most " << most;
  for (size_t i = 0; i < least; ++i)
    if (!has(i))
      return error() << "input " << i << " is missing";
  return success();
}

LogicalResult Node::expectType(size_t i, ArrayRef<DataType> types) const {
  if (!has(i) || llvm::is_contained(types, input(i).type))
    return success();
  InFlightDiagnostic diagnostic = error();
  diagnostic << "input " << i << " has elements of " << nameOf(input(i).type) << ", expected ";
  for (auto [k, type] : llvm::enumerate(types))
    diagnostic << (k == 0 ? "" : k + 1 == types.size() ? " or " : ", ") << nameOf(type);
  return diagnostic;
}

LogicalResult Node::expectFloat(size_t i) const {
  return expectType(i, {DataType::Float, DataType::Double, DataType::Float16, DataType::BFloat16});
}

LogicalResult Node::expectStorageToMove() const {
  // As in the operator set's type constraints.
  static const llvm::StringSet<> kMoving = {
      "BitCast",  "Cast", "CastLike", "ConstantOfShape", "DequantizeLinear", "Flatten",
      "Identity", "If",   "Loop",     "QuantizeLinear",  "Reshape",          "Scan",
      "Shape",    "Size", "Squeeze",  "Transpose",       "Unsqueeze"};
  if (kMoving.contains(getOp()))
    return success();
  for (auto [i, input] : llvm::enumerate(inputs))
    if (isStorage(input.type))
      return unsupported() << "input " << i << " of " << nameOf(input.type)
                           << ", which nothing computes with; convert it first, with Cast or DequantizeLinear";
  return success();
}

//===----------------------------------------------------------------------===//
// Attributes
//===----------------------------------------------------------------------===//

const AttributeProto *Node::attribute(StringRef name) {
  read.insert(name);
  for (const AttributeProto &attribute : proto.attribute()) {
    if (StringRef(attribute.name()) != name)
      continue;
    if (attribute.ref_attr_name().empty())
      return &attribute;
    // In a function's body: what the call says, or nothing.
    return graph.bindings ? graph.bindings->lookup(attribute.ref_attr_name()) : nullptr;
  }
  return nullptr;
}

bool Node::hasAttribute(StringRef name) const { return const_cast<Node *>(this)->attribute(name); }

InFlightDiagnostic Node::missing(StringRef name) const {
  InFlightDiagnostic diagnostic = error();
  diagnostic << "attribute '" << name << "' is missing";
  return diagnostic;
}

FailureOr<int64_t> Node::integer(StringRef name, std::optional<int64_t> otherwise) {
  const AttributeProto *given = attribute(name);
  if (!given) {
    if (otherwise)
      return *otherwise;
    return missing(name);
  }
  if (given->type() != AttributeProto::INT)
    return error() << "attribute '" << name << "' is no integer";
  return given->i();
}

FailureOr<double> Node::real(StringRef name, std::optional<double> otherwise) {
  const AttributeProto *given = attribute(name);
  if (!given) {
    if (otherwise)
      return *otherwise;
    return missing(name);
  }
  if (given->type() != AttributeProto::FLOAT)
    return error() << "attribute '" << name << "' is no floating-point number";
  return double(given->f());
}

FailureOr<std::string> Node::text(StringRef name, std::optional<StringRef> otherwise) {
  const AttributeProto *given = attribute(name);
  if (!given) {
    if (otherwise)
      return otherwise->str();
    return missing(name);
  }
  if (given->type() != AttributeProto::STRING)
    return error() << "attribute '" << name << "' is no string";
  return given->s();
}

FailureOr<std::optional<SmallVector<int64_t>>> Node::integers(StringRef name) {
  const AttributeProto *given = attribute(name);
  if (!given)
    return std::optional<SmallVector<int64_t>>();
  if (given->type() != AttributeProto::INTS)
    return error() << "attribute '" << name << "' is no list of integers";
  return std::optional(SmallVector<int64_t>(given->ints().begin(), given->ints().end()));
}

FailureOr<std::optional<SmallVector<double>>> Node::reals(StringRef name) {
  const AttributeProto *given = attribute(name);
  if (!given)
    return std::optional<SmallVector<double>>();
  if (given->type() != AttributeProto::FLOATS)
    return error() << "attribute '" << name << "' is no list of floating-point numbers";
  return std::optional(SmallVector<double>(given->floats().begin(), given->floats().end()));
}

FailureOr<std::optional<SmallVector<std::string>>> Node::texts(StringRef name) {
  const AttributeProto *given = attribute(name);
  if (!given)
    return std::optional<SmallVector<std::string>>();
  if (given->type() != AttributeProto::STRINGS)
    return error() << "attribute '" << name << "' is no list of texts";
  return std::optional(SmallVector<std::string>(given->strings().begin(), given->strings().end()));
}

FailureOr<int64_t> Node::axis(int64_t given, int64_t rank, StringRef what) const {
  if (given < -rank || given >= rank)
    return error() << what << " " << given << " is not in [" << -rank << ", " << rank - 1 << "]";
  return given < 0 ? given + rank : given;
}

LogicalResult Node::finish() const {
  for (const AttributeProto &attribute : proto.attribute())
    if (!read.contains(attribute.name()))
      return error() << "attribute '" << attribute.name() << "' is not known of this op";
  return success();
}

//===----------------------------------------------------------------------===//
// Outputs
//===----------------------------------------------------------------------===//

size_t Node::numOutputs() const { return proto.output_size(); }
bool Node::wants(size_t i) const { return i < numOutputs() && !proto.output(i).empty(); }

void Node::set(size_t i, Tensor tensor) {
  // One that nobody can name is dropped; the importer's loop reports those that are wanted and missing.
  if (wants(i))
    graph.scope->define(proto.output(i), std::move(tensor));
}

LogicalResult Node::set(size_t i, FailureOr<Tensor> tensor) {
  if (failed(tensor))
    return failure();
  set(i, std::move(*tensor));
  return success();
}

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

Type Node::elementType(DataType type) const { return elementTypeOf(*builder.getContext(), type); }

RankedTensorType Node::tensorType(DataType type, ArrayRef<Size> shape) const {
  SmallVector<int64_t> sizes;
  for (const Size &size : shape)
    sizes.push_back(size.getConstant().value_or(ShapedType::kDynamic));
  return RankedTensorType::get(sizes, elementType(type));
}

SmallVector<OpFoldResult> Node::mixed(ArrayRef<Size> shape) {
  SmallVector<OpFoldResult> sizes;
  for (const Size &size : shape)
    sizes.push_back(symbols.materialize(builder, loc, size));
  return sizes;
}

Value Node::index(const Size &size) {
  return getValueOrCreateConstantIndexOp(builder, loc, symbols.materialize(builder, loc, size));
}

Tensor Node::make(Value value, DataType type, Shape shape) const {
  Tensor tensor;
  tensor.type = type;
  tensor.shape = std::move(shape);
  tensor.value = value;
  return tensor;
}

DenseElementsAttr Node::dense(const Tensor &tensor, int64_t most) const {
  auto expression = llvm::dyn_cast_or_null<DenseExprAttr>(tensor.weight);
  if (!expression || expression.getValue().getNumElements() > most)
    return {};
  return expression.getValue();
}

std::optional<SmallVector<int64_t>> Node::constants(size_t i) const {
  const Tensor &tensor = input(i);
  SmallVector<int64_t> values;
  if (tensor.elements) {
    for (const Size &element : *tensor.elements) {
      std::optional<int64_t> constant = element.getConstant();
      if (!constant)
        return std::nullopt;
      values.push_back(*constant);
    }
    return values;
  }
  return std::nullopt;
}

Value Node::value(const Tensor &tensor) {
  RankedTensorType type = tensorType(tensor.type, tensor.shape);
  if (tensor.value && tensor.value.getType() == type)
    return tensor.value;
  if (tensor.value) // a dimension turned out to be a number
    return tensor::CastOp::create(builder, loc, type, tensor.value);
  if (tensor.weight) {
    if (DenseElementsAttr small = dense(tensor))
      return arith::ConstantOp::create(builder, loc, small.reshape(type));
    return graph.weight(tensor.weight, loc);
  }
  SmallVector<Value> scalars;
  for (const Size &element : *tensor.elements) {
    if (std::optional<int64_t> constant = element.getConstant())
      scalars.push_back(
          arith::ConstantOp::create(builder, loc, builder.getIntegerAttr(type.getElementType(), *constant)));
    else
      scalars.push_back(arith::IndexCastOp::create(builder, loc, type.getElementType(), index(element)));
  }
  return tensor::FromElementsOp::create(builder, loc, type, scalars);
}
