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
#include "llvm/ADT/StringSet.h"
#include <optional>

namespace attn::huggingface {

/// A size of an entry's tensor: a symbol, or a number where `symbol` is empty.
struct Extent {
  llvm::StringRef symbol;
  int64_t size = mlir::ShapedType::kDynamic;
  Extent(const char *symbol) : symbol(symbol) {}
  Extent(int64_t size) : size(size) {}
};

/// A weight and its bias, which may be absent.
struct LinearWeights {
  mlir::Value weight, bias;
};

/// What a checkpoint may hold beside the tensors of the model that is built.
struct Leftovers {
  /// The layers stand in modules of this name and a number below `numLayers`, which `layersKey` of the config says.
  llvm::StringRef layers;
  int64_t numLayers;
  llvm::StringRef layersKey;
  /// Beginnings of names, with or without the base model's prefix, of what is left behind.
  llvm::SmallVector<llvm::StringRef> ignored;
  /// Only layers count: whoever builds takes a part of the model.
  bool isPart = false;
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

  /// The entry accepts no more than `size` for a dimension of this symbol.
  void boundDimension(llvm::StringRef symbol, int64_t size);

  /// The f32 value of tensor `name`, which must have `shape` and a type of f32, f16 or bf16; errors name the file, the
  /// tensor, what the config expects and what there is. A tensor under its old `gamma` / `beta` name is found, too.
  /// `view` makes another expression of the tensor's, and `suffix` the name of this weight.
  llvm::Expected<mlir::Value> weight(llvm::StringRef name, llvm::ArrayRef<int64_t> shape,
                                     llvm::function_ref<mlir::Attribute(mlir::Attribute)> view = nullptr,
                                     llvm::StringRef suffix = "");
  /// `name`.weight [out, in] and `name`.bias [out].
  llvm::Expected<LinearWeights> linearWeights(llvm::StringRef name, int64_t out, int64_t in, bool hasBias = true);
  /// `name`.weight and `name`.bias, both [width].
  llvm::Expected<LinearWeights> normWeights(llvm::StringRef name, int64_t width);
  bool hasWeight(llvm::StringRef name) const { return findName(name).has_value(); }
  /// From now on, this comes before all names of tensors.
  void setPrefix(llvm::StringRef newPrefix) { prefix = newPrefix.str(); }

  /// Fails where the checkpoint has a tensor that neither was used nor is in `leftovers`: a model of other layers or
  /// another head is not the one that the config describes. `basePrefix` is that of the base model.
  llvm::Error checkLeftovers(llvm::StringRef basePrefix, const Leftovers &leftovers) const;

  /// input W^T + b of the last dimension, as `name` holds them.
  llvm::Expected<mlir::Value> linear(mlir::Value input, llvm::StringRef name, int64_t out, bool hasBias = true);
  mlir::Value linear(mlir::Value input, const LinearWeights &weights);
  /// The norm of the last dimension, as `name` holds it.
  llvm::Expected<mlir::Value> layerNorm(mlir::Value input, llvm::StringRef name, double epsilon);
  mlir::Value layerNorm(mlir::Value input, const LinearWeights &weights, double epsilon);

  /// Ops built from now on stand at this module path of the model.
  void setLocation(llvm::StringRef module);
  mlir::OpBuilder &builder() { return ops; }
  mlir::Location loc() const { return location; }

private:
  /// The full name of the tensor `name`; nothing where there is none.
  std::optional<std::string> findName(llvm::StringRef name) const;

  const Checkpoint &checkpoint;
  std::string prefix;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  mlir::OpBuilder ops;
  mlir::Location location;
  mlir::func::FuncOp entry;
  llvm::SmallVector<mlir::Value> outputs;
  llvm::StringSet<> used;
  llvm::SmallVector<mlir::DictionaryAttr> inputAttributes, outputAttributes;
};

} // namespace attn::huggingface

#endif // ATTN_LIB_IMPORT_HUGGINGFACE_MODELBUILDER_H
