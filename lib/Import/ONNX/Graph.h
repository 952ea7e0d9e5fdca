//===- Graph.h - From a graph to a function ---------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_IMPORT_ONNX_GRAPH_H
#define ATTN_LIB_IMPORT_ONNX_GRAPH_H

#include "ModelFile.h"
#include "Node.h"
#include "Registry.h"
#include "attn/Dialect/Attn/IR/Attn.h"
#include "attn/Import/Importer.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/ADT/StringMap.h"

namespace attn::onnx {

class FunctionProto;
class ValueInfoProto;

/// Builds the module of one model: its main graph is the entry; graphs of nodes and functions of the model's own become
/// part of it where they are used.
class GraphImporter {
public:
  GraphImporter(mlir::MLIRContext &context, const ModelFile &file, const Registry &registry);

  mlir::FailureOr<mlir::OwningOpRef<mlir::ModuleOp>> run(llvm::StringRef entryName, llvm::ArrayRef<InputShape> given);

  /// Names of values, innermost last. A graph inside of a node sees those around it; a function doesn't.
  class Scope {
  public:
    explicit Scope(const Scope *around = nullptr) : around(around) {}
    const Tensor *lookup(llvm::StringRef name) const;
    /// False where the name is taken.
    bool define(llvm::StringRef name, Tensor tensor);
    const Scope *getAround() const { return around; }

  private:
    const Scope *around;
    llvm::StringMap<Tensor> tensors;
  };

  /// Builds the nodes of a node's own graph where the builder stands: `inputs` are what its inputs stand for, the
  /// results are its outputs.
  mlir::FailureOr<llvm::SmallVector<Tensor>> importSubgraph(Node &node, const GraphProto &graph,
                                                            llvm::ArrayRef<Tensor> inputs);

  /// The constant that `proto` is.
  mlir::FailureOr<Tensor> constant(const TensorProto &proto, llvm::StringRef name);
  /// The weight whose value is `expression`.
  mlir::Value weight(mlir::Attribute expression, mlir::Location loc);

  /// A large constant of bools, which are `bytes` in a file.
  mlir::FailureOr<Tensor> boolsOf(Tensor bytes, const ExternalData &data, llvm::StringRef name);

  mlir::InFlightDiagnostic error() const;
  llvm::StringRef getPath() const { return file.path; }

  mlir::OpBuilder builder;
  Symbols symbols;
  Scope *scope = nullptr;

private:
  friend class Node;
  using Versions = llvm::StringMap<int64_t>;
  /// What a function's attributes are in one call.
  using Bindings = llvm::StringMap<const AttributeProto *>;

  template <typename Proto>
  mlir::FailureOr<Versions> readVersions(const Proto &proto, const Versions &otherwise);
  llvm::LogicalResult listUnsupported(const GraphProto &graph, const Versions &versions);
  template <typename Nodes>
  void collectUnsupported(const Nodes &nodes, const Versions &versions, unsigned depth,
                          llvm::StringMap<unsigned> &counts);
  /// The attributes of an entry's tensor.
  mlir::Attribute describe(llvm::StringRef name, llvm::ArrayRef<Size> shape, DataType type);
  llvm::LogicalResult addInput(const ValueInfoProto &info, llvm::ArrayRef<InputShape> given);
  llvm::LogicalResult addOutputs(const GraphProto &graph);
  template <typename Nodes>
  llvm::LogicalResult importNodes(const Nodes &nodes);
  llvm::LogicalResult importNode(const NodeProto &proto);
  llvm::LogicalResult importCall(Node &node, const FunctionProto &function);
  const FunctionProto *findFunction(const NodeProto &proto) const;

  const ModelFile &file;
  const Registry &registry;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  mlir::func::FuncOp entry;
  Versions versions;
  const Bindings *bindings = nullptr;
  unsigned depth = 0;
  llvm::DenseMap<mlir::Attribute, mlir::FlatSymbolRefAttr> weights;
  llvm::SmallVector<mlir::Attribute> inputAttributes, outputAttributes;
  /// The sizes of all inputs and outputs.
  Shape entrySizes;
};

} // namespace attn::onnx

#endif // ATTN_LIB_IMPORT_ONNX_GRAPH_H
