//===- Node.h - One node of a graph, as its importer sees it ----*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A node's importer reads inputs and attributes from it, builds ops, and sets the outputs. Attributes that nobody read
// are an error, so an importer reads each that its op has, and refuses the values that it doesn't know.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_IMPORT_ONNX_NODE_H
#define ATTN_LIB_IMPORT_ONNX_NODE_H

#include "Ramp.h"
#include "Symbols.h"
#include "Types.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/Diagnostics.h"
#include "llvm/ADT/StringSet.h"

namespace attn::onnx {

class AttributeProto;
class GraphProto;
class NodeProto;
class TensorProto;
class GraphImporter;

/// What a name in the graph stands for. At least one of value, weight and elements is there.
struct Tensor {
  DataType type = DataType::Undefined;
  Shape shape;
  /// The value in the IR; null until somebody needs it (Node::value).
  mlir::Value value;
  /// Where the value is another tensor's under another shape: that tensor, and its shape.
  mlir::Value base;
  Shape baseShape;
  /// A constant: the weight expression that computes it.
  mlir::Attribute weight;
  /// Integers and bools that are known or sizes, in row-major order: what shapes are computed with.
  std::optional<llvm::SmallVector<Size>> elements;
  /// Integers and bools that are linear in their index; a value is there, too.
  std::shared_ptr<const Ramp> ramp;
  /// Lists of indices, which stand along the last dimension: what each one is over the dimensions before.
  llvm::SmallVector<Ramp, 0> columns;

  int64_t rank() const { return int64_t(shape.size()); }
};

class Node {
public:
  Node(GraphImporter &graph, const NodeProto &proto, int64_t opset);
  /// For what is built where the graph has no node: it has a name, and nothing else.
  Node(GraphImporter &graph, llvm::StringRef name);

  llvm::StringRef getOp() const;
  /// The version of the operator set that the model uses for this op's domain.
  int64_t getOpset() const { return opset; }

  // Inputs. An input that isn't given has an empty name.
  size_t numInputs() const;
  bool has(size_t i) const;
  const Tensor &input(size_t i) const;
  /// Fails where there are fewer or more inputs, or one of the first `least` isn't given.
  llvm::LogicalResult expectInputs(size_t least, size_t most) const;
  /// Fails where input `i` is given and has another type than one of `types`.
  llvm::LogicalResult expectType(size_t i, llvm::ArrayRef<DataType> types) const;
  llvm::LogicalResult expectFloat(size_t i) const;
  /// Fails where an input has a type for storage and the op doesn't only move or convert its elements.
  llvm::LogicalResult expectStorageToMove() const;

  // Attributes. Each fails where it has another type than asked for.
  bool hasAttribute(llvm::StringRef name) const;
  mlir::FailureOr<int64_t> integer(llvm::StringRef name, std::optional<int64_t> otherwise = std::nullopt);
  mlir::FailureOr<double> real(llvm::StringRef name, std::optional<double> otherwise = std::nullopt);
  mlir::FailureOr<std::string> text(llvm::StringRef name, std::optional<llvm::StringRef> otherwise = std::nullopt);
  /// Nothing where it isn't there.
  mlir::FailureOr<std::optional<llvm::SmallVector<int64_t>>> integers(llvm::StringRef name);
  mlir::FailureOr<std::optional<llvm::SmallVector<double>>> reals(llvm::StringRef name);
  mlir::FailureOr<std::optional<llvm::SmallVector<std::string>>> texts(llvm::StringRef name);
  const AttributeProto *attribute(llvm::StringRef name); ///< as it is; null where it isn't there
  /// A dimension of a tensor of `rank`: negative ones count from the end.
  mlir::FailureOr<int64_t> axis(int64_t given, int64_t rank, llvm::StringRef what = "axis") const;

  // Outputs.
  size_t numOutputs() const;
  bool wants(size_t i) const; ///< somebody may use it
  void set(size_t i, Tensor tensor);
  /// Fails where making the tensor did.
  llvm::LogicalResult set(size_t i, mlir::FailureOr<Tensor> tensor);

  // Values.
  /// The tensor in the IR.
  mlir::Value value(const Tensor &tensor);
  mlir::Value value(size_t i) { return value(input(i)); }
  /// The integers of input `i`, where all are known at compile time.
  std::optional<llvm::SmallVector<int64_t>> constants(size_t i) const;
  /// The value of a constant of at most `most` elements as it stands in the file; null where it is none.
  mlir::DenseElementsAttr dense(const Tensor &tensor, int64_t most = 1024) const;

  // Building.
  mlir::OpBuilder &builder;
  mlir::Location loc;
  Symbols &symbols;
  GraphImporter &graph;
  mlir::Type elementType(DataType type) const;
  mlir::RankedTensorType tensorType(DataType type, llvm::ArrayRef<Size> shape) const;
  llvm::SmallVector<mlir::OpFoldResult> mixed(llvm::ArrayRef<Size> shape);
  mlir::Value index(const Size &size); ///< as an index value
  /// A size computed at run time, which is not negative.
  Size derived(mlir::Value value) { return Size::of(symbols.derived(value)); }
  Tensor make(mlir::Value value, DataType type, Shape shape) const;

  /// "FILE: node 'NAME' (OP): ", to be completed.
  mlir::InFlightDiagnostic error() const;
  /// "FILE: node 'NAME' (OP): unsupported: " for what ONNX allows and this importer doesn't.
  mlir::InFlightDiagnostic unsupported() const;
  /// Fails where an attribute was never asked for.
  llvm::LogicalResult finish() const;
  const NodeProto &getProto() const { return proto; }

  /// The same with dimensions that turned out to be numbers as numbers.
  Tensor settled(Tensor tensor) const;

private:
  mlir::InFlightDiagnostic missing(llvm::StringRef attribute) const;
  const NodeProto &proto;
  int64_t opset;
  llvm::StringSet<> read;
  llvm::SmallVector<Tensor> inputs;
};

/// Builds one node.
using NodeImporter = llvm::LogicalResult (*)(Node &node);

} // namespace attn::onnx

#endif // ATTN_LIB_IMPORT_ONNX_NODE_H
