//===- BertConfig.cpp - config.json of the BERT family -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Each key that changes what the model computes is read or refused; keys about training, tokens and generation are
// ignored. Defaults are those of the transformers library for keys that old files leave out.
//
//===----------------------------------------------------------------------===//

#include "Config.h"
#include "llvm/ADT/StringSwitch.h"

using namespace llvm;
using namespace attn;
using namespace attn::huggingface;

/// Far above any model, and low enough that no product of two sizes overflows.
static constexpr int64_t kMaxSize = int64_t(1) << 30;
static constexpr int64_t kMaxLayers = 10000;

static Expected<Activation> readActivation(const JsonNode &root) {
  Expected<StringRef> name = root.stringOr("hidden_act", "gelu");
  if (!name)
    return name.takeError();
  auto activation = StringSwitch<std::optional<Activation>>(*name)
                        .Case("gelu", Activation::Gelu)
                        .Case("gelu_python", Activation::Gelu)
                        .Case("gelu_fast", Activation::GeluTanh)
                        .Case("gelu_new", Activation::GeluTanh)
                        .Case("gelu_pytorch_tanh", Activation::GeluTanh)
                        .Case("relu", Activation::Relu)
                        .Case("silu", Activation::Silu)
                        .Case("swish", Activation::Silu)
                        .Case("tanh", Activation::Tanh)
                        .Default(std::nullopt);
  if (!activation)
    return root.error("hidden_act: unknown activation '" + *name +
                      "'; known are gelu, gelu_fast, gelu_new, gelu_python, gelu_pytorch_tanh, relu, silu, "
                      "swish, tanh");
  return *activation;
}

/// Variants that share the model type but compute something else.
static Error refuseVariants(const JsonNode &root) {
  Expected<StringRef> positions = root.stringOr("position_embedding_type", "absolute");
  if (!positions)
    return positions.takeError();
  if (*positions != "absolute")
    return root.error("position_embedding_type: '" + *positions + "' is not supported; only 'absolute' is");
  for (StringRef key : {"is_decoder", "add_cross_attention"}) {
    Expected<bool> flag = root.booleanOr(key, false);
    if (!flag)
      return flag.takeError();
    if (*flag)
      return root.error(key + ": decoders are not supported; this model type is imported as an encoder only");
  }
  for (auto [key, what] : {std::pair("quantization_config", "quantized weights are not supported; save the model "
                                                            "without quantization"),
                           std::pair("pruned_heads", "pruned heads are not supported; all layers have all heads")}) {
    Expected<std::optional<JsonNode>> node = root.find(key);
    if (!node)
      return node.takeError();
    const json::Object *object = *node ? (*node)->value().getAsObject() : nullptr;
    if (*node && !(object && object->empty()))
      return root.error(Twine(key) + ": " + what);
  }
  return Error::success();
}

/// A head of a task is a part of the model, and nothing here computes it. Those of pretraining are left behind when an
/// encoder is taken for what it is (AutoModel drops them, too).
static Error refuseHeads(const JsonNode &root) {
  Expected<std::optional<JsonNode>> architectures = root.find("architectures");
  if (!architectures)
    return architectures.takeError();
  if (!*architectures)
    return Error::success();
  auto names = (*architectures)->elements();
  if (!names)
    return names.takeError();
  for (const JsonNode &node : *names) {
    Expected<StringRef> name = node.string();
    if (!name)
      return name.takeError();
    if (name->contains("For") && !name->ends_with("ForMaskedLM") && !name->ends_with("ForPreTraining"))
      return node.error("'" + *name +
                        "' has a head for a task, which is not supported; save the encoder alone with "
                        "AutoModel.from_pretrained(...).save_pretrained(...)");
  }
  return Error::success();
}

Expected<BertConfig> BertConfig::read(const JsonNode &root, bool encoderOnly) {
  BertConfig config;
  struct Field {
    StringRef key;
    int64_t BertConfig::*member;
    int64_t max;
  };
  for (const Field &field : {Field{"hidden_size", &BertConfig::hiddenSize, kMaxSize},
                             {"num_hidden_layers", &BertConfig::numLayers, kMaxLayers},
                             {"num_attention_heads", &BertConfig::numHeads, kMaxSize},
                             {"intermediate_size", &BertConfig::intermediateSize, kMaxSize},
                             {"vocab_size", &BertConfig::vocabularySize, kMaxSize},
                             {"max_position_embeddings", &BertConfig::maxPositions, kMaxSize}}) {
    Expected<int64_t> value = root.integer(field.key, 1, field.max);
    if (!value)
      return value.takeError();
    config.*field.member = *value;
  }
  Expected<int64_t> types = root.integerOr("type_vocab_size", 2, 1, kMaxSize);
  if (!types)
    return types.takeError();
  config.numTokenTypes = *types;
  if (config.hiddenSize % config.numHeads)
    return root.error("hidden_size " + Twine(config.hiddenSize) + " is not a multiple of num_attention_heads " +
                      Twine(config.numHeads));

  Expected<double> epsilon = root.numberOr("layer_norm_eps", 1e-12);
  if (!epsilon)
    return epsilon.takeError();
  if (!(*epsilon >= 0 && *epsilon < 1))
    return root.error("layer_norm_eps: expected a number in [0, 1)");
  config.epsilon = *epsilon;
  Expected<Activation> activation = readActivation(root);
  if (!activation)
    return activation.takeError();
  config.activation = *activation;
  if (Error error = refuseVariants(root))
    return std::move(error);
  if (!encoderOnly)
    if (Error error = refuseHeads(root))
      return std::move(error);
  return config;
}
