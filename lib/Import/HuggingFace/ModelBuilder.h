//===- ModelBuilder.h - Weights and an entry of a model ---------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What all architectures of a Hugging Face directory need: an entry with named tensors, weights by the names of their
// tensors, and locations named after the model's modules.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_IMPORT_HUGGINGFACE_MODELBUILDER_H
#define ATTN_LIB_IMPORT_HUGGINGFACE_MODELBUILDER_H

#include "attn/Dialect/Attn/IR/Attn.h"
#include "attn/Import/HuggingFace/Safetensors.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

namespace attn::huggingface {

/// A size of an entry's tensor: a symbol, or a number where `symbol` is empty.
struct Extent {
  llvm::StringRef symbol;
  int64_t size = mlir::ShapedType::kDynamic;
  Extent(const char *symbol) : symbol(symbol) {}
  Extent(int64_t size) : size(size) {}
};

/// Builds a module with one entry. Weights are placed before it in the order of their first use.
class ModelBuilder {
public:
  /// `prefix` comes before all names of tensors, such as "bert.".
  ModelBuilder(mlir::MLIRContext &context, const Checkpoint &checkpoint, llvm::StringRef prefix);

  /// The entry, without arguments and results yet, and with a body to build in.
  void beginEntry(llvm::StringRef name);
  mlir::Value addInput(llvm::StringRef name, mlir::Type elementType, llvm::ArrayRef<Extent> shape);
  /// Returns `value` under `name` from the entry.
  void addOutput(llvm::StringRef name, mlir::Value value, llvm::ArrayRef<Extent> shape);
  /// Ends the entry and hands the module over.
  mlir::OwningOpRef<mlir::ModuleOp> finish();

  /// The f32 value of tensor `name`, which must have `shape` and a type of f32, f16 or bf16; errors name the file, the
  /// tensor, what the config expects and what there is. A tensor under its old `gamma` / `beta` name is found, too.
  llvm::Expected<mlir::Value> weight(llvm::StringRef name, llvm::ArrayRef<int64_t> shape);
  bool hasWeight(llvm::StringRef name) const { return findTensor(name); }

  /// Ops built from now on stand at this module path of the model.
  void setLocation(llvm::StringRef module);
  mlir::OpBuilder &builder() { return ops; }
  mlir::Location loc() const { return location; }

private:
  const StoredTensor *findTensor(llvm::StringRef name) const;

  const Checkpoint &checkpoint;
  std::string prefix;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  mlir::OpBuilder ops;
  mlir::Location location;
  mlir::func::FuncOp entry;
  llvm::SmallVector<mlir::Value> outputs;
  llvm::SmallVector<mlir::DictionaryAttr> inputAttributes, outputAttributes;
};

} // namespace attn::huggingface

#endif // ATTN_LIB_IMPORT_HUGGINGFACE_MODELBUILDER_H
