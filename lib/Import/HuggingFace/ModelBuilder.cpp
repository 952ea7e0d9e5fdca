//===- ModelBuilder.cpp - Weights and an entry of a model -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ModelBuilder.h"
#include "attn/Support/Errors.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
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

void ModelBuilder::boundDimension(StringRef symbol, int64_t size) { limitDim(entry, symbol, size); }

OwningOpRef<ModuleOp> ModelBuilder::finish() {
  func::ReturnOp::create(ops, location, outputs);
  entry.setType(ops.getFunctionType(entry.getBody().getArgumentTypes(), ValueRange(outputs).getTypes()));
  entry.setAllArgAttrs(inputAttributes);
  entry.setAllResultAttrs(outputAttributes);
  return std::move(module);
}

std::optional<std::string> ModelBuilder::findName(StringRef name) const {
  std::string full = prefix + name.str();
  if (checkpoint.find(full))
    return full;
  // The names that the first conversions from TensorFlow gave to a norm's parameters.
  StringRef base = full;
  for (auto [now, then] : {std::pair("LayerNorm.weight", "LayerNorm.gamma"), {"LayerNorm.bias", "LayerNorm.beta"}})
    if (base.consume_back(now))
      if (std::string old = base.str() + then; checkpoint.find(old))
        return old;
  return std::nullopt;
}

static std::string toString(ArrayRef<int64_t> shape) {
  return "[" + llvm::join(llvm::map_range(shape, [](int64_t size) { return std::to_string(size); }), ", ") + "]";
}

Expected<Value> ModelBuilder::weight(StringRef name, ArrayRef<int64_t> shape,
                                     llvm::function_ref<Attribute(Attribute)> view, StringRef suffix) {
  std::optional<std::string> fullName = findName(name);
  if (!fullName)
    return makeError(formatv("{0}: tensor '{1}{2}' is missing; the config expects it with shape {3}",
                             checkpoint.getSource(), prefix, name, toString(shape))
                         .str());
  const StoredTensor *tensor = checkpoint.find(*fullName);
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

  used.insert(*fullName);
  std::string symbol = (name + suffix).str();
  auto weight = module->lookupSymbol<WeightOp>(symbol);
  if (!weight) {
    auto type = RankedTensorType::get(shape, stored);
    Attribute value = FileAttr::get(ops.getContext(), tensor->file, tensor->offset, type);
    if (view)
      value = view(value);
    if (!stored.isF32())
      value = ConvertAttr::get(ops.getContext(), value, ops.getF32Type());
    auto expression = llvm::cast<WeightExprInterface>(value);
    OpBuilder::InsertionGuard guard(ops);
    ops.setInsertionPoint(entry);
    weight = WeightOp::create(ops, location, symbol, expression.getValueType(), value);
  }
  return GetWeightOp::create(ops, location, weight.getType(), symbol).getResult();
}

Expected<LinearWeights> ModelBuilder::linearWeights(StringRef name, int64_t out, int64_t in, bool hasBias) {
  Expected<Value> matrix = weight((name + ".weight").str(), {out, in});
  if (!matrix)
    return matrix.takeError();
  if (!hasBias)
    return LinearWeights{*matrix, Value()};
  Expected<Value> bias = weight((name + ".bias").str(), {out});
  if (!bias)
    return bias.takeError();
  return LinearWeights{*matrix, *bias};
}

Expected<LinearWeights> ModelBuilder::normWeights(StringRef name, int64_t width) {
  Expected<Value> scale = weight((name + ".weight").str(), {width});
  if (!scale)
    return scale.takeError();
  Expected<Value> shift = weight((name + ".bias").str(), {width});
  if (!shift)
    return shift.takeError();
  return LinearWeights{*scale, *shift};
}

static int64_t lastSize(Value value) { return llvm::cast<ShapedType>(value.getType()).getShape().back(); }

Value ModelBuilder::linear(Value input, const LinearWeights &weights) {
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(ops, location, input);
  sizes.back() = ops.getIndexAttr(llvm::cast<ShapedType>(weights.weight.getType()).getDimSize(0));
  Value init = tensor::EmptyOp::create(ops, location, sizes, ops.getF32Type());
  auto op = weights.bias ? LinearOp::create(ops, location, input, weights.weight, weights.bias, init)
                         : LinearOp::create(ops, location, input, weights.weight, init);
  return op->getResult(0);
}

Expected<Value> ModelBuilder::linear(Value input, StringRef name, int64_t out, bool hasBias) {
  Expected<LinearWeights> weights = linearWeights(name, out, lastSize(input), hasBias);
  return weights ? Expected<Value>(linear(input, *weights)) : weights.takeError();
}

Value ModelBuilder::layerNorm(Value input, const LinearWeights &weights, double epsilon) {
  Value init = tensor::EmptyOp::create(ops, location, tensor::getMixedSizes(ops, location, input), ops.getF32Type());
  return LayerNormOp::create(ops, location, init.getType(), input, weights.weight, weights.bias, init,
                             llvm::APFloat(epsilon), /*kernel=*/nullptr, /*schedule=*/nullptr)
      .getResult(0);
}

Expected<Value> ModelBuilder::layerNorm(Value input, StringRef name, double epsilon) {
  Expected<LinearWeights> weights = normWeights(name, lastSize(input));
  return weights ? Expected<Value>(layerNorm(input, *weights, epsilon)) : weights.takeError();
}

llvm::Error ModelBuilder::checkLeftovers(StringRef basePrefix, const Leftovers &leftovers) const {
  for (StringRef name : checkpoint.names()) {
    if (used.contains(name))
      continue;
    StringRef inner = name;
    inner.consume_front(basePrefix);
    int64_t layer;
    if (StringRef rest = inner;
        rest.consume_front(leftovers.layers) && rest.consume_front(".") && !rest.consumeInteger(10, layer)) {
      if (layer >= leftovers.numLayers)
        return makeError(formatv("{0}: tensor '{1}' is of layer {2}, but {3} is {4}", checkpoint.getSource(), name,
                                 layer, leftovers.layersKey, leftovers.numLayers)
                             .str());
    }
    auto isIgnored = [&](StringRef start) { return name.starts_with(start) || inner.starts_with(start); };
    if (!leftovers.isPart && !llvm::any_of(leftovers.ignored, isIgnored))
      return makeError(
          formatv("{0}: tensor '{1}' is no part of the model that config.json describes; where it is of a task's head, "
                  "'architectures' must name that task's model; an encoder alone is what "
                  "AutoModel.from_pretrained(...).save_pretrained(...) saves",
                  checkpoint.getSource(), name)
              .str());
  }
  return llvm::Error::success();
}
