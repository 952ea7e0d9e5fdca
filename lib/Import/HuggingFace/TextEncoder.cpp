//===- TextEncoder.cpp - Families of text encoders as data ------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// All of them look words up, add positions and types of tokens, normalize, and run post-norm layers; some put a head on
// top. Names, keys and the few things that differ are a TextFamily.
//
//===----------------------------------------------------------------------===//

#include "TextEncoder.h"
#include "GenericBuilder.h"
#include "Positions.h"
#include "attn/Support/Errors.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace attn;
using namespace attn::huggingface;
using llvm::Expected;
using llvm::formatv;

static Expected<TextConfig> readConfig(const JsonNode &root, const TextFamily &family) {
  TextConfig config;
  Expected<EncoderConfig> encoder = EncoderConfig::read(root, family.keys);
  if (!encoder)
    return encoder.takeError();
  config.encoder = *encoder;
  struct Field {
    StringRef key;
    int64_t TextConfig::*member;
  };
  SmallVector<Field> fields = {{"vocab_size", &TextConfig::vocabularySize},
                               {"max_position_embeddings", &TextConfig::maxPositions}};
  if (family.hasEmbeddingSize)
    fields.push_back({"embedding_size", &TextConfig::embeddingSize});
  else
    config.embeddingSize = encoder->hiddenSize;
  for (const Field &field : fields) {
    Expected<int64_t> value = readSize(root, field.key);
    if (!value)
      return value.takeError();
    config.*field.member = *value;
  }
  if (family.hasTokenTypes) {
    Expected<int64_t> types = readSizeOr(root, "type_vocab_size", 2);
    if (!types)
      return types.takeError();
    config.numTokenTypes = *types;
  }
  if (family.positions == PositionRule::CountFromPadding) {
    Expected<int64_t> padding = family.fixedPadding ? Expected<int64_t>(*family.fixedPadding)
                                                    : root.integerOr("pad_token_id", 1, 0, config.vocabularySize - 1);
    if (!padding)
      return padding.takeError();
    config.padding = *padding;
    if (config.maxPositions <= config.padding + 1)
      return root.error("max_position_embeddings " + Twine(config.maxPositions) +
                        " leaves no position after that of padding, which is " + Twine(config.padding));
  }
  return config;
}

namespace {
class TextEncoderBuilder {
public:
  TextEncoderBuilder(MLIRContext &context, const TextConfig &config, const TaskConfig &task, const ModelSource &source,
                     const TextFamily &family, StringRef prefix)
      : config(config), task(task), source(source), family(family), prefix(prefix),
        model(context, source.checkpoint, prefix), ops(model.builder()) {}

  Expected<OwningOpRef<ModuleOp>> build();

private:
  Expected<Value> words();
  Expected<Value> embeddings();
  Expected<Value> layers(Value rows);
  llvm::Error addOutputs(Value hidden);
  void addSentence(Value hidden);
  llvm::Error addSequenceLogits(Value hidden);
  Leftovers leftovers() const;

  const TextConfig &config;
  const TaskConfig &task;
  const ModelSource &source;
  const TextFamily &family;
  StringRef prefix;
  ModelBuilder model;
  OpBuilder &ops;
  Value ids, mask, types;
  /// How many modules of `family.layers` there are.
  int64_t numModules = 0;
};
} // namespace

Expected<Value> TextEncoderBuilder::words() {
  constexpr llvm::StringLiteral kName = "embeddings.word_embeddings.weight";
  SmallVector<int64_t> shape = {config.vocabularySize, config.embeddingSize};
  if (model.hasWeight(kName) || !source.checkpoint.find(family.tiedWords))
    return model.weight(kName, shape);
  model.setPrefix("");
  Expected<Value> tied = model.weight(family.tiedWords, shape);
  model.setPrefix(prefix);
  return tied;
}

/// The sum of a token's rows in the tables, normalized, and projected where layers are wider than tables.
Expected<Value> TextEncoderBuilder::embeddings() {
  model.setLocation("embeddings");
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(ops, model.loc(), ids);
  SmallVector<Value> indices = {ids}, tables;
  Expected<Value> table = words();
  if (!table)
    return table.takeError();
  tables.push_back(*table);
  if (family.hasTokenTypes) {
    table = model.weight("embeddings.token_type_embeddings.weight", {config.numTokenTypes, config.embeddingSize});
    if (!table)
      return table.takeError();
    indices.push_back(types ? types : GenericBuilder(model).filled(sizes, ops.getI64IntegerAttr(0)));
    tables.push_back(*table);
  }
  Expected<Value> positions =
      model.weight("embeddings.position_embeddings.weight", {config.maxPositions, config.embeddingSize});
  if (!positions)
    return positions.takeError();
  bool byIndex = family.positions == PositionRule::Index;
  if (!byIndex) {
    indices.push_back(buildPositionsAfterPadding(model, ids, config.padding));
    tables.push_back(*positions);
    model.boundDimension("sequence", config.maxPositions - config.padding - 1);
  }
  sizes.push_back(ops.getIndexAttr(config.embeddingSize));
  Value init = tensor::EmptyOp::create(ops, model.loc(), sizes, ops.getF32Type());
  Value sum = EmbeddingOp::create(ops, model.loc(), init.getType(), indices, tables, byIndex ? *positions : Value(),
                                  init, /*kernel=*/nullptr, /*schedule=*/nullptr)
                  .getResult(0);
  Expected<Value> rows = model.layerNorm(sum, "embeddings.LayerNorm", config.encoder.epsilon);
  bool isNarrow = config.embeddingSize != config.encoder.hiddenSize;
  if (!rows || family.projection.empty() || !(family.alwaysProjects || isNarrow))
    return rows;
  model.setLocation(family.projection);
  return model.linear(*rows, family.projection, config.encoder.hiddenSize);
}

Expected<Value> TextEncoderBuilder::layers(Value rows) {
  std::vector<std::string> order;
  if (family.layerOrder) {
    Expected<std::vector<std::string>> found = family.layerOrder(source.config, config.encoder, numModules);
    if (!found)
      return found.takeError();
    order = std::move(*found);
  } else {
    numModules = config.encoder.numLayers;
    for (int64_t i = 0; i < numModules; ++i)
      order.push_back((family.layers + "." + llvm::Twine(i)).str());
  }
  AttentionContext context;
  context.mask = mask;
  if (family.attentionBias) {
    OpFoldResult length = tensor::getMixedSize(ops, model.loc(), ids, 1);
    Expected<Value> bias = family.attentionBias(model, source.config, config.encoder, length);
    if (!bias)
      return bias.takeError();
    context.bias = *bias;
  }
  LayerKind kind{family.layer, config.encoder};
  for (const std::string &name : order) {
    Expected<Value> result = buildEncoderLayer(model, kind, name, rows, context);
    if (!result)
      return result.takeError();
    rows = *result;
  }
  return rows;
}

void TextEncoderBuilder::addSentence(Value hidden) {
  model.setLocation("pooling");
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(ops, model.loc(), hidden);
  Value embedding = buildPooling(model, hidden, mask, sizes, source.sentence->pooling);
  if (source.sentence->normalize) {
    model.setLocation("normalize");
    embedding = buildNormalize(model, embedding, {sizes[0], sizes[2]});
  }
  model.addOutput("sentence_embedding", embedding, {"batch", config.encoder.hiddenSize});
}

llvm::Error TextEncoderBuilder::addSequenceLogits(Value hidden) {
  if (!family.isSequenceHeadInEncoder)
    model.setPrefix("");
  Expected<Value> first = buildDenseHead(model, hidden, family.sequenceHead, config.encoder.hiddenSize);
  if (!first)
    return first.takeError();
  model.setPrefix("");
  return addLogits(model, *first, family.sequenceClassifier, task.numLabels, {"batch"});
}

llvm::Error TextEncoderBuilder::addOutputs(Value hidden) {
  if (task.task == Task::SequenceClassification)
    return addSequenceLogits(hidden);
  if (task.task == Task::TokenClassification) {
    model.setPrefix("");
    return addLogits(model, hidden, "classifier", task.numLabels, {"batch", "sequence"});
  }
  model.addOutput("last_hidden_state", hidden, {"batch", "sequence", config.encoder.hiddenSize});
  if (source.sentence) {
    addSentence(hidden);
  } else if (!family.pooler.empty() && model.hasWeight((family.pooler + ".weight").str())) {
    Expected<Value> pooled =
        buildDenseHead(model, hidden, {family.pooler, Activation::Tanh}, config.encoder.hiddenSize);
    if (!pooled)
      return pooled.takeError();
    model.addOutput("pooler_output", *pooled, {"batch", config.encoder.hiddenSize});
  }
  return llvm::Error::success();
}

Leftovers TextEncoderBuilder::leftovers() const {
  Leftovers result{family.layers, numModules, family.layersKey, family.pretraining, source.sentence != nullptr};
  // Buffers that old versions saved, and a pooler that the task doesn't use.
  result.ignored.append({"embeddings.position_ids", "embeddings.token_type_ids", "pooler."});
  return result;
}

Expected<OwningOpRef<ModuleOp>> TextEncoderBuilder::build() {
  model.beginEntry(source.name);
  Type i64 = ops.getI64Type();
  ids = model.addInput("input_ids", i64, {"batch", "sequence"});
  mask = model.addInput("attention_mask", i64, {"batch", "sequence"});
  // Where there is one type only, nothing is to be said.
  if (config.numTokenTypes > 1)
    types = model.addInput("token_type_ids", i64, {"batch", "sequence"});

  Expected<Value> hidden = embeddings();
  if (hidden)
    hidden = layers(*hidden);
  if (!hidden)
    return hidden.takeError();
  if (llvm::Error error = addOutputs(*hidden))
    return std::move(error);
  if (llvm::Error error = model.checkLeftovers(family.prefix, leftovers()))
    return std::move(error);
  model.setLocation(source.name);
  return model.finish();
}

Expected<OwningOpRef<ModuleOp>> attn::huggingface::buildTextEncoder(MLIRContext &context, const ModelSource &source,
                                                                    const TextFamily &family) {
  Expected<TextConfig> config = readConfig(source.config, family);
  if (!config)
    return config.takeError();
  // A sentence's embedding is made of the encoder alone.
  TaskConfig task;
  if (!source.sentence) {
    Expected<TaskConfig> found =
        TaskConfig::read(source.config, {Task::SequenceClassification, Task::TokenClassification});
    if (!found)
      return found.takeError();
    task = *found;
  } else if (source.sentence->width && *source.sentence->width != config->encoder.hiddenSize) {
    return makeError(formatv("{0}: {1}: expected the model's {2} {3}, found {4}", source.sentence->poolingConfig,
                             source.sentence->widthKey, family.keys.hiddenSize, config->encoder.hiddenSize,
                             *source.sentence->width)
                         .str());
  }
  std::string prefix = source.checkpoint.hasPrefix(family.prefix) ? family.prefix.str() : "";
  return TextEncoderBuilder(context, *config, task, source, family, prefix).build();
}
