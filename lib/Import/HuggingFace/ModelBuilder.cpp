//===- ModelBuilder.cpp - Weights and an entry of a model -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ModelBuilder.h"
#include "attn/Support/Errors.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace attn;
using namespace attn::huggingface;
using llvm::Expected;
using llvm::formatv;

ModelBuilder::ModelBuilder(MLIRContext &context, const Checkpoint &checkpoint, StringRef prefix)
    : checkpoint(checkpoint), prefix(prefix), module(ModuleOp::create(UnknownLoc::get(&context))), ops(&context),
      location(UnknownLoc::get(&context)) {}

void ModelBuilder::setLocation(StringRef module) { location = NameLoc::get(ops.getStringAttr(module)); }

void ModelBuilder::beginEntry(StringRef name) {
  setLocation(name);
  ops.setInsertionPointToEnd(module->getBody());
  entry = func::FuncOp::create(ops, location, name, ops.getFunctionType({}, {}));
  ops.setInsertionPointToStart(entry.addEntryBlock());
}

/// The attributes that name an entry's tensor.
static DictionaryAttr describe(OpBuilder &ops, StringRef name, ArrayRef<Extent> shape) {
  SmallVector<Attribute> extents;
  for (const Extent &extent : shape)
    extents.push_back(extent.symbol.empty() ? Attribute(ops.getI64IntegerAttr(extent.size))
                                            : Attribute(ops.getStringAttr(extent.symbol)));
  return ops.getDictionaryAttr(
      {ops.getNamedAttr(kNameAttr, ops.getStringAttr(name)), ops.getNamedAttr(kShapeAttr, ops.getArrayAttr(extents))});
}

Value ModelBuilder::addInput(StringRef name, Type elementType, ArrayRef<Extent> shape) {
  SmallVector<int64_t> sizes;
  for (const Extent &extent : shape)
    sizes.push_back(extent.size);
  inputAttributes.push_back(describe(ops, name, shape));
  return entry.getBody().addArgument(RankedTensorType::get(sizes, elementType), NameLoc::get(ops.getStringAttr(name)));
}

void ModelBuilder::addOutput(StringRef name, Value value, ArrayRef<Extent> shape) {
  outputs.push_back(value);
  outputAttributes.push_back(describe(ops, name, shape));
}

OwningOpRef<ModuleOp> ModelBuilder::finish() {
  func::ReturnOp::create(ops, location, outputs);
  entry.setType(ops.getFunctionType(entry.getBody().getArgumentTypes(), ValueRange(outputs).getTypes()));
  entry.setAllArgAttrs(inputAttributes);
  entry.setAllResultAttrs(outputAttributes);
  return std::move(module);
}

const StoredTensor *ModelBuilder::findTensor(StringRef name) const {
  if (const StoredTensor *tensor = checkpoint.find(prefix + name.str()))
    return tensor;
  // The names that the first conversions from TensorFlow gave to a norm's parameters.
  StringRef base = name;
  if (base.consume_back("LayerNorm.weight"))
    return checkpoint.find(prefix + base.str() + "LayerNorm.gamma");
  if (base.consume_back("LayerNorm.bias"))
    return checkpoint.find(prefix + base.str() + "LayerNorm.beta");
  return nullptr;
}

static std::string toString(ArrayRef<int64_t> shape) {
  return "[" + llvm::join(llvm::map_range(shape, [](int64_t size) { return std::to_string(size); }), ", ") + "]";
}

Expected<Value> ModelBuilder::weight(StringRef name, ArrayRef<int64_t> shape) {
  const StoredTensor *tensor = findTensor(name);
  if (!tensor)
    return makeError(formatv("{0}: tensor '{1}{2}' is missing; the config expects it with shape {3}",
                             checkpoint.getSource(), prefix, name, toString(shape))
                         .str());
  if (ArrayRef<int64_t>(tensor->shape) != shape)
    return makeError(formatv("{0}: tensor '{1}{2}': the config expects shape {3}, the file has {4}", tensor->file,
                             prefix, name, toString(shape), toString(tensor->shape))
                         .str());
  Type stored;
  if (tensor->dtype == "F32")
    stored = ops.getF32Type();
  else if (tensor->dtype == "F16")
    stored = ops.getF16Type();
  else if (tensor->dtype == "BF16")
    stored = ops.getBF16Type();
  else
    return makeError(formatv("{0}: tensor '{1}{2}': expected dtype F32, F16 or BF16, the file has {3}", tensor->file,
                             prefix, name, tensor->dtype)
                         .str());

  auto type = RankedTensorType::get(shape, ops.getF32Type());
  if (!SymbolTable::lookupSymbolIn(*module, name)) {
    Attribute value = FileAttr::get(ops.getContext(), tensor->file, tensor->offset, type.clone(stored));
    if (stored != type.getElementType())
      value = ConvertAttr::get(ops.getContext(), value, type.getElementType());
    OpBuilder::InsertionGuard guard(ops);
    ops.setInsertionPoint(entry);
    WeightOp::create(ops, location, name, type, value);
  }
  return GetWeightOp::create(ops, location, type, name).getResult();
}
