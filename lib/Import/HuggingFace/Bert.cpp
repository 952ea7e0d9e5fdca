//===- Bert.cpp - The BERT family -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Where a row of the mask is all zero, the model adds the most negative finite number to every score, which absorbs
// them: such rows attend to all keys equally, and the layers say so (`empty = uniform`).
//
//===----------------------------------------------------------------------===//

#include "Architectures.h"
#include "attn/Support/Errors.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace attn;
using namespace attn::huggingface;
using llvm::Expected;

namespace {
class BertBuilder {
public:
  BertBuilder(MLIRContext &context, const BertConfig &config, const ModelSource &source, StringRef prefix)
      : config(config), source(source), model(context, source.checkpoint, prefix), ops(model.builder()) {}

  Expected<OwningOpRef<ModuleOp>> build();

private:
  Expected<Value> embeddings();
  Expected<Value> layer(Value input, int64_t index);
  Expected<Value> pooler(Value hidden);

  /// The weights `names` with their shapes, in this order.
  llvm::Error weights(StringRef module, ArrayRef<std::pair<StringRef, SmallVector<int64_t>>> names,
                      SmallVectorImpl<Value> &values);
  /// Of a value with a row for each sentence: [batch, width].
  SmallVector<OpFoldResult> rowSizes() { return {sizes[0], sizes[2]}; }

  const BertConfig &config;
  const ModelSource &source;
  ModelBuilder model;
  OpBuilder &ops;
  Value ids, mask, types;
  /// Of a value with a row for each token: [batch, sequence, width].
  SmallVector<OpFoldResult> sizes;
};
} // namespace

llvm::Error BertBuilder::weights(StringRef module, ArrayRef<std::pair<StringRef, SmallVector<int64_t>>> names,
                                 SmallVectorImpl<Value> &values) {
  for (const auto &[name, shape] : names) {
    Expected<Value> value = model.weight((module + "." + name).str(), shape);
    if (!value)
      return value.takeError();
    values.push_back(*value);
  }
  return llvm::Error::success();
}

Expected<Value> BertBuilder::embeddings() {
  model.setLocation("embeddings");
  int64_t width = config.hiddenSize;
  SmallVector<Value> w;
  if (llvm::Error error = weights("embeddings",
                                  {{"word_embeddings.weight", {config.vocabularySize, width}},
                                   {"token_type_embeddings.weight", {config.numTokenTypes, width}},
                                   {"position_embeddings.weight", {config.maxPositions, width}},
                                   {"LayerNorm.weight", {width}},
                                   {"LayerNorm.bias", {width}}},
                                  w))
    return std::move(error);
  Value init = tensor::EmptyOp::create(ops, model.loc(), sizes, ops.getF32Type());
  Value sum = EmbeddingOp::create(ops, model.loc(), init.getType(), ValueRange{ids, types}, ValueRange{w[0], w[1]},
                                  /*positions=*/w[2], init, /*kernel=*/nullptr, /*schedule=*/nullptr)
                  .getResult(0);
  return LayerNormOp::create(ops, model.loc(), init.getType(), sum, /*scale=*/w[3], /*shift=*/w[4], init,
                             llvm::APFloat(config.epsilon), /*kernel=*/nullptr, /*schedule=*/nullptr)
      .getResult(0);
}

Expected<Value> BertBuilder::layer(Value input, int64_t index) {
  std::string module = "encoder.layer." + std::to_string(index);
  model.setLocation(module);
  int64_t e = config.hiddenSize, f = config.intermediateSize;
  SmallVector<Value> w;
  if (llvm::Error error = weights(module,
                                  {{"attention.self.query.weight", {e, e}},
                                   {"attention.self.query.bias", {e}},
                                   {"attention.self.key.weight", {e, e}},
                                   {"attention.self.key.bias", {e}},
                                   {"attention.self.value.weight", {e, e}},
                                   {"attention.self.value.bias", {e}},
                                   {"attention.output.dense.weight", {e, e}},
                                   {"attention.output.dense.bias", {e}},
                                   {"attention.output.LayerNorm.weight", {e}},
                                   {"attention.output.LayerNorm.bias", {e}},
                                   {"intermediate.dense.weight", {f, e}},
                                   {"intermediate.dense.bias", {f}},
                                   {"output.dense.weight", {e, f}},
                                   {"output.dense.bias", {e}},
                                   {"output.LayerNorm.weight", {e}},
                                   {"output.LayerNorm.bias", {e}}},
                                  w))
    return std::move(error);
  return EncoderLayerOp::create(ops, model.loc(), input.getType(), input, mask, w[0], w[1], w[2], w[3], w[4], w[5],
                                w[6], w[7], w[8], w[9], w[10], w[11], w[12], w[13], w[14], w[15],
                                uint64_t(config.numHeads), llvm::APFloat(config.epsilon), config.activation,
                                NormPlacement::Post, EmptyRow::Uniform)
      .getResult();
}

/// tanh(first row * W^T + b), which a plain model returns beside its rows.
Expected<Value> BertBuilder::pooler(Value hidden) {
  model.setLocation("pooler");
  int64_t width = config.hiddenSize;
  SmallVector<Value> w;
  if (llvm::Error error = weights("pooler", {{"dense.weight", {width, width}}, {"dense.bias", {width}}}, w))
    return std::move(error);
  Value first = buildPooling(model, hidden, mask, sizes, Pooling::First);
  Value init = tensor::EmptyOp::create(ops, model.loc(), rowSizes(), ops.getF32Type());
  auto linear = LinearOp::create(ops, model.loc(), first, w[0], w[1], init);
  auto yield = llvm::cast<YieldOp>(linear.getEpilogue().front().getTerminator());
  OpBuilder::InsertionGuard guard(ops);
  ops.setInsertionPoint(yield);
  Value tanh = math::TanhOp::create(ops, model.loc(), yield.getValues().front());
  yield->setOperand(0, tanh);
  return linear->getResult(0);
}

Expected<OwningOpRef<ModuleOp>> BertBuilder::build() {
  model.beginEntry(source.name);
  Type i64 = ops.getI64Type();
  ids = model.addInput("input_ids", i64, {"batch", "sequence"});
  mask = model.addInput("attention_mask", i64, {"batch", "sequence"});
  types = model.addInput("token_type_ids", i64, {"batch", "sequence"});

  sizes = tensor::getMixedSizes(ops, model.loc(), ids);
  sizes.push_back(ops.getIndexAttr(config.hiddenSize));

  Expected<Value> hidden = embeddings();
  for (int64_t i = 0; hidden && i < config.numLayers; ++i)
    hidden = layer(*hidden, i);
  if (!hidden)
    return hidden.takeError();
  model.addOutput("last_hidden_state", *hidden, {"batch", "sequence", config.hiddenSize});

  if (source.sentence) {
    model.setLocation("pooling");
    Value embedding = buildPooling(model, *hidden, mask, sizes, source.sentence->pooling);
    if (source.sentence->normalize) {
      model.setLocation("normalize");
      embedding = buildNormalize(model, embedding, rowSizes());
    }
    model.addOutput("sentence_embedding", embedding, {"batch", config.hiddenSize});
  } else if (model.hasWeight("pooler.dense.weight")) {
    Expected<Value> pooled = pooler(*hidden);
    if (!pooled)
      return pooled.takeError();
    model.addOutput("pooler_output", *pooled, {"batch", config.hiddenSize});
  }
  model.setLocation(source.name);
  return model.finish();
}

/// What the checkpoint has and the model would not use: layers beyond those of the config, and a task's head.
static llvm::Error checkLeftovers(const BertConfig &config, const ModelSource &source, StringRef prefix) {
  // Without an encoder, what is missing of it is the better message.
  if (!source.checkpoint.find((prefix + "embeddings.word_embeddings.weight").str()))
    return llvm::Error::success();
  for (StringRef name : source.checkpoint.names()) {
    StringRef inner = name;
    bool isEncoder = inner.consume_front(prefix);
    int64_t layer;
    if (isEncoder && inner.consume_front("encoder.layer.") && !inner.consumeInteger(10, layer)) {
      if (layer >= config.numLayers)
        return makeError(llvm::formatv("{0}: tensor '{1}' is of layer {2}, but num_hidden_layers is {3}",
                                       source.checkpoint.getSource(), name, layer, config.numLayers)
                             .str());
    } else if (!source.sentence && !name.starts_with("cls.") && // the heads of pretraining
               !(isEncoder && (inner.starts_with("embeddings.") || inner.starts_with("pooler.")))) {
      return makeError(llvm::formatv("{0}: tensor '{1}' is no part of an encoder; a head for a task is not supported; "
                                     "save the encoder alone with AutoModel.from_pretrained(...).save_pretrained(...)",
                                     source.checkpoint.getSource(), name)
                           .str());
    }
  }
  return llvm::Error::success();
}

Expected<OwningOpRef<ModuleOp>> attn::huggingface::buildBert(MLIRContext &context, const ModelSource &source) {
  Expected<BertConfig> config = BertConfig::read(source.config, /*encoderOnly=*/source.sentence != nullptr);
  if (!config)
    return config.takeError();
  if (source.sentence && source.sentence->width && *source.sentence->width != config->hiddenSize)
    return makeError(llvm::formatv("{0}: {1}: expected the model's hidden_size {2}, found {3}",
                                   source.sentence->poolingConfig, source.sentence->widthKey, config->hiddenSize,
                                   *source.sentence->width)
                         .str());
  // Checkpoints of a task's model have the encoder under a name.
  StringRef prefix = source.checkpoint.find("bert.embeddings.word_embeddings.weight") ? "bert." : "";
  if (llvm::Error error = checkLeftovers(*config, source, prefix))
    return std::move(error);
  return BertBuilder(context, *config, source, prefix).build();
}
