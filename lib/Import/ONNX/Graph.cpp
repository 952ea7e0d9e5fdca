//===- Graph.cpp - From a graph to a function -------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Graph.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "onnx.pb.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace attn;
using namespace attn::onnx;

/// Deeper nesting of graphs and functions is no model, but an attack on the stack.
static constexpr unsigned kMaxDepth = 64;

const Tensor *GraphImporter::Scope::lookup(StringRef name) const {
  for (const Scope *scope = this; scope; scope = scope->around)
    if (auto found = scope->tensors.find(name); found != scope->tensors.end())
      return &found->getValue();
  return nullptr;
}

bool GraphImporter::Scope::define(StringRef name, Tensor tensor) {
  return tensors.try_emplace(name, std::move(tensor)).second;
}

GraphImporter::GraphImporter(MLIRContext &context, const ModelFile &file, const Registry &registry)
    : builder(&context), file(file), registry(registry) {}

InFlightDiagnostic GraphImporter::error() const {
  InFlightDiagnostic diagnostic = emitError(UnknownLoc::get(builder.getContext()));
  diagnostic << file.path << ": ";
  return diagnostic;
}

//===----------------------------------------------------------------------===//
// Versions and unsupported ops
//===----------------------------------------------------------------------===//

static StringRef shortDomain(StringRef domain) { return domain == "ai.onnx" ? "" : domain; }

template <typename Proto>
FailureOr<GraphImporter::Versions> GraphImporter::readVersions(const Proto &proto, const Versions &otherwise) {
  Versions result = otherwise;
  for (const OperatorSetId &set : proto.opset_import()) {
    StringRef domain = shortDomain(set.domain());
    if (domain.empty() && set.version() < 13)
      return error() << "operator set " << set.version()
                     << " is older than 13, the oldest that is supported; convert the model with "
                        "onnx.version_converter";
    result[domain] = set.version();
  }
  return result;
}

const FunctionProto *GraphImporter::findFunction(const NodeProto &proto) const {
  for (const FunctionProto &function : file.model->functions())
    if (function.name() == proto.op_type() && shortDomain(function.domain()) == shortDomain(proto.domain()) &&
        function.overload() == proto.overload())
      return &function;
  return nullptr;
}

template <typename Nodes>
void GraphImporter::collectUnsupported(const Nodes &nodes, const Versions &versions, unsigned depth,
                                       llvm::StringMap<unsigned> &counts) {
  if (depth > kMaxDepth)
    return;
  for (const NodeProto &node : nodes) {
    if (!findFunction(node) &&
        !registry.lookup(node.domain(), node.op_type(), versions.lookup(shortDomain(node.domain()))))
      ++counts[(node.domain().empty() ? "" : node.domain() + ".") + node.op_type()];
    for (const AttributeProto &attribute : node.attribute())
      if (attribute.has_g())
        collectUnsupported(attribute.g().node(), versions, depth + 1, counts);
  }
}

LogicalResult GraphImporter::listUnsupported(const GraphProto &graph, const Versions &versions) {
  llvm::StringMap<unsigned> counts;
  collectUnsupported(graph.node(), versions, 0, counts);
  for (const FunctionProto &function : file.model->functions()) {
    FailureOr<Versions> own = readVersions(function, versions);
    if (failed(own))
      return failure();
    collectUnsupported(function.node(), *own, 0, counts);
  }
  if (counts.empty())
    return success();
  std::vector<std::string> names;
  for (const auto &entry : counts)
    names.push_back(entry.getKey().str() + " (" + std::to_string(entry.getValue()) + ")");
  llvm::sort(names);
  return error() << "ops that are not supported, with their counts: " << llvm::join(names, ", ");
}

//===----------------------------------------------------------------------===//
// The entry
//===----------------------------------------------------------------------===//

Attribute GraphImporter::describe(StringRef name, ArrayRef<Size> shape, DataType type) {
  SmallVector<Attribute> sizes;
  for (const Size &size : shape) {
    if (std::optional<int64_t> constant = size.getConstant()) {
      sizes.push_back(builder.getI64IntegerAttr(*constant));
      continue;
    }
    // A dimension of an input keeps its name, also where it turned out to be computed from others.
    sizes.push_back(builder.getStringAttr(symbols.nameOf(size)));
    entrySizes.push_back(size);
  }
  NamedAttrList attributes;
  attributes.set(kNameAttr, builder.getStringAttr(name));
  attributes.set(kShapeAttr, builder.getArrayAttr(sizes));
  if (isUnsigned(type))
    attributes.set(kUnsignedAttr, builder.getUnitAttr());
  if (Type storage = storageTypeOf(*builder.getContext(), type))
    attributes.set(kStorageAttr, TypeAttr::get(storage));
  return attributes.getDictionary(builder.getContext());
}

LogicalResult GraphImporter::addInput(const ValueInfoProto &info, ArrayRef<InputShape> given) {
  StringRef name = info.name();
  auto fail = [&]() -> InFlightDiagnostic {
    InFlightDiagnostic diagnostic = error();
    diagnostic << "input '" << name << "': ";
    return diagnostic;
  };
  if (name.empty())
    return error() << "an input of the graph has no name";
  if (!info.type().has_tensor_type())
    return fail() << "is no tensor; sequences, optionals and maps are not supported";
  const TypeProto::Tensor &proto = info.type().tensor_type();
  const auto *wanted = llvm::find_if(given, [&](const InputShape &shape) { return shape.name == name; });
  bool isGiven = wanted != given.end();
  if (!proto.has_shape() && !isGiven)
    return fail() << "has no shape; give it one with --shape=" << name << "=...";
  if (proto.has_shape() && isGiven && int64_t(wanted->sizes.size()) != proto.shape().dim_size())
    return fail() << "has rank " << proto.shape().dim_size() << ", but --shape gives it " << wanted->sizes.size()
                  << " sizes";
  Tensor tensor;
  tensor.type = DataType(proto.elem_type());
  Type element = elementTypeOf(*builder.getContext(), tensor.type);
  if (!element)
    return fail() << "elements of " << nameOf(tensor.type) << " are not supported";
  SmallVector<int64_t> sizes(isGiven && !proto.has_shape() ? wanted->sizes.size() : proto.shape().dim_size(),
                             ShapedType::kDynamic);
  for (auto [i, dim] : llvm::enumerate(proto.shape().dim())) {
    if (dim.has_dim_value() && dim.dim_value() < 0)
      return fail() << "dimension " << i << " is " << dim.dim_value();
    if (dim.has_dim_value())
      sizes[i] = dim.dim_value();
  }
  for (size_t i = 0; isGiven && i < sizes.size(); ++i) {
    std::optional<int64_t> size = wanted->sizes[i];
    if (size && !ShapedType::isDynamic(sizes[i]) && sizes[i] != *size)
      return fail() << "dimension " << i << " is " << sizes[i] << ", but --shape makes it " << *size;
    if (size)
      sizes[i] = *size;
  }
  Location loc = NameLoc::get(builder.getStringAttr(name));
  Value value = entry.getBody().addArgument(RankedTensorType::get(sizes, element), loc);
  for (auto [i, size] : llvm::enumerate(sizes)) {
    if (!ShapedType::isDynamic(size)) {
      tensor.shape.push_back(Size(size));
      continue;
    }
    std::string symbol = proto.has_shape() ? proto.shape().dim(i).dim_param() : "";
    if (symbol.empty())
      symbol = (name + "_" + llvm::Twine(i)).str();
    tensor.shape.push_back(Size::of(symbols.named(symbol, tensor::DimOp::create(builder, loc, value, i))));
  }
  tensor.value = value;
  if (!scope->define(name, tensor))
    return fail() << "the name is taken twice";
  return success();
}

LogicalResult GraphImporter::addOutputs(const GraphProto &graph) {
  SmallVector<Value> values;
  llvm::StringSet<> names;
  for (const ValueInfoProto &info : graph.input())
    names.insert(info.name());
  for (const ValueInfoProto &info : graph.output()) {
    const Tensor *known = scope->lookup(info.name());
    auto fail = [&]() -> InFlightDiagnostic {
      InFlightDiagnostic diagnostic = error();
      diagnostic << "output '" << info.name() << "': ";
      return diagnostic;
    };
    if (!known)
      return fail() << "no node computes it";
    Node node(*this, info.name());
    Tensor tensor = node.settled(*known);
    std::string name = info.name();
    while (!names.insert(name).second)
      name += "_out";
    for (auto [i, size] : llvm::enumerate(tensor.shape))
      if (!symbols.isComputable(size))
        return fail() << "not supported: its dimension " << i << ", " << symbols.toString(size)
                      << ", can't be computed from the inputs' dimensions alone";
    values.push_back(node.value(tensor));
    outputAttributes.push_back(describe(name, tensor.shape, tensor.type));
  }
  func::ReturnOp::create(builder, entry.getLoc(), values);
  entry.setType(builder.getFunctionType(entry.getBody().getArgumentTypes(), ValueRange(values).getTypes()));
  entry.setAllResultAttrs(outputAttributes);
  return success();
}

FailureOr<OwningOpRef<ModuleOp>> GraphImporter::run(StringRef entryName, ArrayRef<InputShape> given) {
  const ModelProto &model = *file.model;
  if (!model.has_graph())
    return error() << "not an ONNX model: it has no graph";
  const GraphProto &graph = model.graph();
  FailureOr<Versions> read = readVersions(model, Versions());
  if (failed(read))
    return failure();
  versions = std::move(*read);
  if (!versions.count(""))
    return error() << "the model names no version of ONNX's operator set";
  if (failed(listUnsupported(graph, versions)))
    return failure();
  if (graph.sparse_initializer_size())
    return error() << "sparse initializers are not supported; store them densely";

  module = ModuleOp::create(UnknownLoc::get(builder.getContext()));
  builder.setInsertionPointToEnd(module->getBody());
  Location loc = NameLoc::get(builder.getStringAttr(entryName));
  entry = func::FuncOp::create(builder, loc, entryName, builder.getFunctionType({}, {}));
  builder.setInsertionPointToStart(entry.addEntryBlock());

  Scope top;
  scope = &top;
  for (const TensorProto &initializer : graph.initializer()) {
    FailureOr<Tensor> tensor = constant(initializer, initializer.name());
    if (failed(tensor))
      return failure();
    if (!scope->define(initializer.name(), std::move(*tensor)))
      return error() << "tensor '" << initializer.name() << "': the name is taken twice";
  }
  SmallVector<const ValueInfoProto *> inputs;
  for (const ValueInfoProto &info : graph.input()) {
    // An initializer of the same name is the input's default, and that is what it is here.
    if (scope->lookup(info.name()))
      continue;
    inputs.push_back(&info);
    if (failed(addInput(info, given)))
      return failure();
  }
  if (failed(importNodes(graph.node())) || failed(addOutputs(graph)))
    return failure();
  // Now it is known which dimensions are equal, and which are numbers.
  builder.setInsertionPointToStart(&entry.getBody().front());
  for (auto [info, argument] : llvm::zip_equal(inputs, entry.getArguments())) {
    Node node(*this, info->name());
    Tensor tensor = node.settled(*scope->lookup(info->name()));
    inputAttributes.push_back(describe(info->name(), tensor.shape, tensor.type));
    Type type = node.tensorType(tensor.type, tensor.shape), old = argument.getType();
    if (type == old)
      continue;
    argument.setType(type);
    auto cast = tensor::CastOp::create(builder, argument.getLoc(), old, argument);
    argument.replaceAllUsesExcept(cast, cast);
  }
  entry.setType(builder.getFunctionType(entry.getBody().getArgumentTypes(), entry.getResultTypes()));
  entry.setAllArgAttrs(inputAttributes);
  if (DictionaryAttr dims = symbols.describe(builder.getContext(), entrySizes); !dims.empty())
    entry->setAttr(kDimsAttr, dims);
  return std::move(module);
}

//===----------------------------------------------------------------------===//
// Nodes
//===----------------------------------------------------------------------===//

template <typename Nodes>
LogicalResult GraphImporter::importNodes(const Nodes &nodes) {
  if (depth >= kMaxDepth)
    return error() << "graphs and functions nest more than " << kMaxDepth << " deep";
  ++depth;
  auto leave = llvm::scope_exit([&] { --depth; });
  for (const NodeProto &node : nodes)
    if (failed(importNode(node)))
      return failure();
  return success();
}

LogicalResult GraphImporter::importNode(const NodeProto &proto) {
  Node node(*this, proto, versions.lookup(shortDomain(proto.domain())));
  for (const std::string &name : proto.input())
    if (!name.empty() && !scope->lookup(name))
      return node.error() << "input '" << name
                          << "' is not computed before it: the graph is cut, cyclic or not in order";
  for (const std::string &name : proto.output())
    if (!name.empty() && scope->lookup(name))
      return node.error() << "output '" << name << "' is the name of something else already";
  if (const FunctionProto *function = findFunction(proto))
    return importCall(node, *function);
  if (failed(node.expectStorageToMove()))
    return failure();
  NodeImporter import = registry.lookup(proto.domain(), proto.op_type(), node.getOpset());
  if (failed(import(node)) || failed(node.finish()))
    return failure();
  for (const std::string &name : proto.output()) {
    const Tensor *tensor = name.empty() ? nullptr : scope->lookup(name);
    if (!name.empty() && !tensor)
      return node.unsupported() << "the optional output '" << name << "'";
    if (tensor && llvm::any_of(tensor->shape, [](const Size &size) { return !size.isValid(); }))
      return node.error() << "the size of output '" << name << "' overflows";
  }
  return success();
}

LogicalResult GraphImporter::importCall(Node &node, const FunctionProto &function) {
  const NodeProto &call = node.getProto();
  Scope inner;
  for (int i = 0; i < function.input_size(); ++i)
    if (node.has(i))
      inner.define(function.input(i), node.input(i));
  Bindings attributes;
  for (const AttributeProto &attribute : function.attribute_proto())
    attributes[attribute.name()] = &attribute;
  for (const AttributeProto &attribute : call.attribute())
    attributes[attribute.name()] = node.attribute(attribute.name());

  FailureOr<Versions> inside = readVersions(function, versions);
  if (failed(inside))
    return failure();
  Scope *outerScope = std::exchange(scope, &inner);
  const Bindings *outerBindings = std::exchange(bindings, &attributes);
  std::swap(versions, *inside);
  LogicalResult result = importNodes(function.node());
  std::swap(versions, *inside);
  scope = outerScope;
  bindings = outerBindings;
  if (failed(result))
    return failure();
  for (int i = 0; i < call.output_size(); ++i) {
    if (!node.wants(i))
      continue;
    const Tensor *tensor = i < function.output_size() ? inner.lookup(function.output(i)) : nullptr;
    if (!tensor)
      return node.error() << "the function computes no output " << i;
    node.set(i, *tensor);
  }
  return success();
}

FailureOr<SmallVector<Tensor>> GraphImporter::importSubgraph(Node &node, const GraphProto &graph,
                                                             ArrayRef<Tensor> inputs) {
  if (int64_t(inputs.size()) != graph.input_size())
    return node.error() << "its graph has " << graph.input_size() << " inputs, expected " << inputs.size();
  Scope inner(scope);
  for (const TensorProto &initializer : graph.initializer()) {
    FailureOr<Tensor> tensor = constant(initializer, initializer.name());
    if (failed(tensor))
      return failure();
    inner.define(initializer.name(), std::move(*tensor));
  }
  for (auto [i, tensor] : llvm::enumerate(inputs))
    inner.define(graph.input(i).name(), tensor);
  Scope *outer = std::exchange(scope, &inner);
  LogicalResult result = importNodes(graph.node());
  scope = outer;
  if (failed(result))
    return failure();
  SmallVector<Tensor> outputs;
  for (const ValueInfoProto &info : graph.output()) {
    const Tensor *tensor = inner.lookup(info.name());
    if (!tensor)
      return node.error() << "no node of its graph computes '" << info.name() << "'";
    outputs.push_back(*tensor);
  }
  return outputs;
}
