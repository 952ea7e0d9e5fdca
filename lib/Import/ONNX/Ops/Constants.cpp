//===- Constants.cpp - Constants and what leaves a tensor as it is *- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Graph.h"
#include "Indexing.h"
#include "attn/Dialect/Attn/IR/Attn.h"
#include "onnx.pb.h"

using namespace mlir;
using namespace attn;
using namespace attn::onnx;

namespace {

/// A sparse tensor, densely.
FailureOr<Tensor> sparseConstant(Node &node, const SparseTensorProto &sparse) {
  FailureOr<Tensor> values = node.graph.constant(sparse.values(), "sparse_value");
  FailureOr<Tensor> indices = node.graph.constant(sparse.indices(), "sparse_value");
  if (failed(values) || failed(indices))
    return failure();
  constexpr int64_t kMost = 1 << 20;
  int64_t count = 1;
  SmallVector<int64_t> dims(sparse.dims().begin(), sparse.dims().end());
  for (int64_t dim : dims)
    if (dim < 0 || llvm::MulOverflow(count, dim, count) || count > kMost)
      return node.unsupported() << "a sparse constant of more than " << kMost << " elements; store it densely";
  DenseElementsAttr given = node.dense(*values, kMost), places = node.dense(*indices, kMost);
  if (!given || !places || indices->type != DataType::Int64 || given.getType().getRank() != 1)
    return node.error() << "a sparse constant's values or indices are no list in the model's own file";
  int64_t known = given.getNumElements(), rank = places.getType().getRank();
  bool linear = rank == 1;
  if (places.getType().getShape().empty() || places.getType().getDimSize(0) != known || rank > 2 ||
      (!linear && places.getType().getDimSize(1) != int64_t(dims.size())))
    return node.error() << "a sparse constant's indices don't fit its values and shape";
  Type element = given.getElementType();
  SmallVector<Attribute> elements(count, node.builder.getZeroAttr(element));
  auto coordinates = places.getValues<int64_t>();
  auto stored = given.getValues<Attribute>();
  for (int64_t i = 0; i < known; ++i) {
    int64_t at = linear ? coordinates[i] : 0;
    for (int64_t k = 0; !linear && k < int64_t(dims.size()); ++k) {
      int64_t coordinate = coordinates[i * dims.size() + k];
      if (coordinate < 0 || coordinate >= dims[k])
        return node.error() << "an index of a sparse constant is out of range";
      at = at * dims[k] + coordinate;
    }
    if (at < 0 || at >= count)
      return node.error() << "an index of a sparse constant is out of range";
    elements[at] = stored[i];
  }
  return constantTensor(node, DenseElementsAttr::get(RankedTensorType::get(dims, element), elements), values->type);
}

LogicalResult importConstant(Node &node) {
  if (failed(node.expectInputs(0, 0)))
    return failure();
  static constexpr StringLiteral kForms[] = {"value",        "value_int",    "value_ints",    "value_float",
                                             "value_floats", "value_string", "value_strings", "sparse_value"};
  SmallVector<StringRef> given;
  for (StringRef form : kForms)
    if (node.hasAttribute(form))
      given.push_back(form);
  if (given.size() != 1)
    return node.error() << "has " << given.size() << " attributes that give its value, expected one";
  StringRef form = given.front();
  const AttributeProto &attribute = *node.attribute(form);
  auto setList = [&](Type element, ArrayRef<Attribute> values, bool single, DataType type) {
    auto shape = single ? SmallVector<int64_t>() : SmallVector<int64_t>{int64_t(values.size())};
    node.set(0, constantTensor(node, DenseElementsAttr::get(RankedTensorType::get(shape, element), values), type));
    return success();
  };
  if (form.starts_with("value_string"))
    return node.unsupported() << "strings";
  if (form == "sparse_value") {
    if (attribute.type() != AttributeProto::SPARSE_TENSOR)
      return node.error() << "attribute 'sparse_value' is no sparse tensor";
    return node.set(0, sparseConstant(node, attribute.sparse_tensor()));
  }
  if (form == "value") {
    if (attribute.type() != AttributeProto::TENSOR)
      return node.error() << "attribute 'value' is no tensor";
    return node.set(
        0, node.graph.constant(attribute.t(), node.getProto().output_size() ? node.getProto().output(0) : "value"));
  }
  SmallVector<Attribute> values;
  if (form.starts_with("value_int")) {
    SmallVector<int64_t> numbers;
    if (form == "value_int") {
      FailureOr<int64_t> number = node.integer(form);
      if (failed(number))
        return failure();
      numbers.push_back(*number);
    } else {
      auto all = node.integers(form);
      if (failed(all))
        return failure();
      numbers = **all;
    }
    for (int64_t number : numbers)
      values.push_back(node.builder.getI64IntegerAttr(number));
    return setList(node.builder.getI64Type(), values, form == "value_int", DataType::Int64);
  }
  SmallVector<double> numbers;
  if (form == "value_float") {
    FailureOr<double> number = node.real(form);
    if (failed(number))
      return failure();
    numbers.push_back(*number);
  } else {
    auto all = node.reals(form);
    if (failed(all))
      return failure();
    numbers = **all;
  }
  for (double number : numbers)
    values.push_back(node.builder.getF32FloatAttr(float(number)));
  return setList(node.builder.getF32Type(), values, form == "value_float", DataType::Float);
}

LogicalResult importIdentity(Node &node) {
  if (failed(node.expectInputs(1, 1)))
    return failure();
  node.set(0, node.input(0));
  return success();
}

/// As in inference: nothing is dropped.
LogicalResult importDropout(Node &node) {
  if (failed(node.expectInputs(1, 3)) || failed(node.integer("seed", 0)))
    return failure();
  const Tensor &input = node.input(0);
  if (node.has(2)) {
    std::optional<SmallVector<int64_t>> training = node.constants(2);
    if (!training || training->size() != 1 || training->front() != 0)
      return node.unsupported() << "training; set its input 2, 'training_mode', to a constant false";
  }
  node.set(0, input);
  if (node.wants(1))
    node.set(1, node.make(filled(node, input.shape, DataType::Bool, 1), DataType::Bool, input.shape));
  return success();
}

} // namespace

void attn::onnx::registerConstants(Registry &registry) {
  registry.add("Constant", importConstant);
  registry.add("Identity", importIdentity);
  registry.add("Dropout", importDropout);
}
