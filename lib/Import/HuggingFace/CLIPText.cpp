//===- CLIPText.cpp - CLIP's text model -------------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Causal pre-norm layers on words and positions; the row of the token that ends the text stands for all of it.
//
//===----------------------------------------------------------------------===//

#include "Architectures.h"
#include "EncoderLayer.h"
#include "GenericBuilder.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include <limits>

using namespace mlir;
using namespace attn;
using namespace attn::huggingface;
using llvm::Expected;

namespace {

struct CLIPTextConfig {
  EncoderConfig encoder;
  int64_t vocabularySize = 0, maxPositions = 0, projectionSize = 0;
  /// The token whose row stands for the sequence; nothing for the first of those with the largest number.
  std::optional<int64_t> endToken;
  bool hasProjection = false;

  static Expected<CLIPTextConfig> read(const JsonNode &root);
};

class CLIPTextBuilder {
public:
  CLIPTextBuilder(MLIRContext &context, const CLIPTextConfig &config, const ModelSource &source, StringRef prefix)
      : config(config), source(source), model(context, source.checkpoint, prefix), ops(model.builder()) {}

  Expected<OwningOpRef<ModuleOp>> build();

private:
  Expected<Value> embeddings();
  Expected<Value> layers(Value rows);
  Value endPositions();
  Value pool(Value hidden);

  const CLIPTextConfig &config;
  const ModelSource &source;
  ModelBuilder model;
  OpBuilder &ops;
  Value ids, mask;
};

} // namespace

/// Whether `architectures` names the model with a projection, which is the only one beside the plain one.
static Expected<bool> readHasProjection(const JsonNode &root) {
  Expected<std::optional<JsonNode>> architectures = root.find("architectures");
  if (!architectures)
    return architectures.takeError();
  if (!*architectures)
    return false;
  auto names = (*architectures)->elements();
  if (!names)
    return names.takeError();
  bool hasProjection = false;
  for (const JsonNode &node : *names) {
    Expected<StringRef> name = node.string();
    if (!name)
      return name.takeError();
    if (*name != "CLIPTextModel" && *name != "CLIPTextModelWithProjection")
      return node.error("'" + *name + "' is not supported; known are CLIPTextModel and CLIPTextModelWithProjection");
    hasProjection |= *name == "CLIPTextModelWithProjection";
  }
  return hasProjection;
}

Expected<CLIPTextConfig> CLIPTextConfig::read(const JsonNode &root) {
  CLIPTextConfig config;
  EncoderKeys keys;
  keys.defaultActivation = "quick_gelu";
  keys.defaultEpsilon = 1e-5;
  Expected<EncoderConfig> encoder = EncoderConfig::read(root, keys);
  if (!encoder)
    return encoder.takeError();
  config.encoder = *encoder;
  Expected<int64_t> words = readSize(root, "vocab_size");
  if (!words)
    return words.takeError();
  config.vocabularySize = *words;
  Expected<int64_t> positions = readSize(root, "max_position_embeddings");
  if (!positions)
    return positions.takeError();
  config.maxPositions = *positions;
  Expected<int64_t> projection = readSizeOr(root, "projection_dim", 512);
  if (!projection)
    return projection.takeError();
  config.projectionSize = *projection;
  Expected<int64_t> end = root.integerOr("eos_token_id", 49407, 0, std::numeric_limits<int32_t>::max());
  if (!end)
    return end.takeError();
  // Configs from before the library read this key say 2, whatever the token is; the library goes on as it did then.
  if (*end != 2)
    config.endToken = *end;
  Expected<bool> hasProjection = readHasProjection(root);
  if (!hasProjection)
    return hasProjection.takeError();
  config.hasProjection = *hasProjection;
  return config;
}

Expected<Value> CLIPTextBuilder::embeddings() {
  model.setLocation("embeddings");
  int64_t width = config.encoder.hiddenSize;
  Expected<Value> words = model.weight("embeddings.token_embedding.weight", {config.vocabularySize, width});
  if (!words)
    return words.takeError();
  Expected<Value> positions = model.weight("embeddings.position_embedding.weight", {config.maxPositions, width});
  if (!positions)
    return positions.takeError();
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(ops, model.loc(), ids);
  sizes.push_back(ops.getIndexAttr(width));
  Value init = tensor::EmptyOp::create(ops, model.loc(), sizes, ops.getF32Type());
  return EmbeddingOp::create(ops, model.loc(), init.getType(), ValueRange{ids}, ValueRange{*words}, *positions, init,
                             /*kernel=*/nullptr, /*schedule=*/nullptr)
      .getResult(0);
}

Expected<Value> CLIPTextBuilder::layers(Value rows) {
  LayerKind kind;
  kind.config = config.encoder;
  kind.norm = NormPlacement::Pre;
  kind.names = {"self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.out_proj",
                "layer_norm1",      "mlp.fc1",          "mlp.fc2",          "layer_norm2"};
  AttentionContext context;
  context.mask = mask;
  context.isCausal = true;
  for (int64_t i = 0; i < config.encoder.numLayers; ++i) {
    Expected<Value> result = buildEncoderLayer(model, kind, "encoder.layers." + std::to_string(i), rows, context);
    if (!result)
      return result.takeError();
    rows = *result;
  }
  model.setLocation("final_layer_norm");
  return model.layerNorm(rows, "final_layer_norm", config.encoder.epsilon);
}

/// i64 [batch]: where the end token stands first, or else 0.
Value CLIPTextBuilder::endPositions() {
  GenericBuilder builder(model);
  OpFoldResult batch = tensor::getMixedSize(ops, model.loc(), ids, 0);
  Type i64 = ops.getI64Type();
  auto most = ops.getI64IntegerAttr(std::numeric_limits<int64_t>::max());
  auto constant = [&](OpBuilder &b, Location loc, int64_t value) -> Value {
    return arith::ConstantIntOp::create(b, loc, i64, value);
  };
  Value largest;
  if (!config.endToken) {
    Value least = builder.filled({batch}, ops.getI64IntegerAttr(std::numeric_limits<int64_t>::min()));
    largest = builder.generic({ids}, least, {{0, 1}, {0}}, 2, [](OpBuilder &b, Location loc, ValueRange v) -> Value {
      return arith::MaxSIOp::create(b, loc, v[0], v[1]);
    });
  }
  SmallVector<Value> inputs = {ids};
  const unsigned token[] = {0, 1}, row[] = {0};
  SmallVector<ArrayRef<unsigned>> maps = {token};
  if (largest) {
    inputs.push_back(largest);
    maps.push_back(row);
  }
  maps.push_back(row);
  Value first = builder.generic(
      inputs, builder.filled({batch}, most), maps, 2, [&](OpBuilder &b, Location loc, ValueRange v) -> Value {
        Value end = config.endToken ? constant(b, loc, *config.endToken) : v[1];
        Value isEnd = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, v[0], end);
        Value index = linalg::IndexOp::create(b, loc, 1);
        Value position = arith::IndexCastOp::create(b, loc, i64, index);
        Value candidate = arith::SelectOp::create(b, loc, isEnd, position, constant(b, loc, most.getInt()));
        return arith::MinSIOp::create(b, loc, v.back(), candidate);
      });
  return builder.generic(
      {first}, builder.empty({batch}, i64), {{0}, {0}}, 1, [&](OpBuilder &b, Location loc, ValueRange v) -> Value {
        Value none = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, v[0], constant(b, loc, most.getInt()));
        return arith::SelectOp::create(b, loc, none, constant(b, loc, 0), v[0]);
      });
}

/// The rows of the end tokens, [batch, width]; zeros for a sequence of length 0.
Value CLIPTextBuilder::pool(Value hidden) {
  model.setLocation("pooling");
  GenericBuilder builder(model);
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(ops, model.loc(), hidden);
  return builder.generic({hidden, endPositions()}, builder.zeros({sizes[0], sizes[2]}), {{0, 1, 2}, {0}, {0, 2}}, 3,
                         [&](OpBuilder &b, Location loc, ValueRange v) -> Value {
                           Value index = linalg::IndexOp::create(b, loc, 1);
                           Value position = arith::IndexCastOp::create(b, loc, ops.getI64Type(), index);
                           Value isEnd = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, position, v[1]);
                           return arith::SelectOp::create(b, loc, isEnd, v[0], v[2]);
                         });
}

Expected<OwningOpRef<ModuleOp>> CLIPTextBuilder::build() {
  model.beginEntry(source.name);
  ids = model.addInput("input_ids", ops.getI64Type(), {"batch", "sequence"});
  mask = model.addInput("attention_mask", ops.getI64Type(), {"batch", "sequence"});
  Expected<Value> hidden = embeddings();
  if (hidden)
    hidden = layers(*hidden);
  if (!hidden)
    return hidden.takeError();
  int64_t width = config.encoder.hiddenSize;
  model.addOutput("last_hidden_state", *hidden, {"batch", "sequence", width});
  Value pooled = pool(*hidden);
  if (config.hasProjection) {
    model.setPrefix("");
    model.setLocation("text_projection");
    Expected<Value> embeds = model.linear(pooled, "text_projection", config.projectionSize, /*hasBias=*/false);
    if (!embeds)
      return embeds.takeError();
    model.addOutput("text_embeds", *embeds, {"batch", config.projectionSize});
  } else {
    model.addOutput("pooler_output", pooled, {"batch", width});
  }
  Leftovers leftovers{"encoder.layers",
                      config.encoder.numLayers,
                      "num_hidden_layers",
                      {"embeddings.position_ids", "text_projection.", "logit_scale"}};
  if (llvm::Error error = model.checkLeftovers("text_model.", leftovers))
    return std::move(error);
  model.setLocation(source.name);
  return model.finish();
}

Expected<OwningOpRef<ModuleOp>> attn::huggingface::buildCLIPText(MLIRContext &context, const ModelSource &source) {
  Expected<CLIPTextConfig> config = CLIPTextConfig::read(source.config);
  if (!config)
    return config.takeError();
  if (llvm::Error error = refuseSentence(source))
    return std::move(error);
  StringRef prefix = source.checkpoint.hasPrefix("text_model.") ? "text_model." : "";
  return CLIPTextBuilder(context, *config, source, prefix).build();
}
