//===- EncoderConfig.cpp - config.json of an encoder ------------*- C++ -*-===//
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

static constexpr int64_t kMaxSize = int64_t(1) << 30;

Expected<int64_t> attn::huggingface::readSize(const JsonNode &root, StringRef key) {
  return root.integer(key, 1, kMaxSize);
}

Expected<int64_t> attn::huggingface::readSizeOr(const JsonNode &root, StringRef key, int64_t otherwise) {
  return root.integerOr(key, otherwise, 1, kMaxSize);
}

Expected<Activation> attn::huggingface::readActivation(const JsonNode &root, StringRef key, StringRef otherwise) {
  Expected<StringRef> name = root.stringOr(key, otherwise);
  if (!name)
    return name.takeError();
  auto activation = StringSwitch<std::optional<Activation>>(*name)
                        .Case("gelu", Activation::Gelu)
                        .Case("gelu_accurate", Activation::GeluTanh)
                        .Case("gelu_fast", Activation::GeluTanh)
                        .Case("gelu_new", Activation::GeluTanh)
                        .Case("gelu_python", Activation::Gelu)
                        .Case("gelu_python_tanh", Activation::GeluTanh)
                        .Case("gelu_pytorch_tanh", Activation::GeluTanh)
                        .Case("quick_gelu", Activation::QuickGelu)
                        .Case("relu", Activation::Relu)
                        .Case("silu", Activation::Silu)
                        .Case("swish", Activation::Silu)
                        .Case("tanh", Activation::Tanh)
                        .Default(std::nullopt);
  if (!activation)
    return root.error(key + ": unknown activation '" + *name +
                      "'; known are gelu, gelu_accurate, gelu_fast, gelu_new, gelu_python, gelu_python_tanh, "
                      "gelu_pytorch_tanh, quick_gelu, relu, silu, swish, tanh");
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

Expected<EncoderConfig> EncoderConfig::read(const JsonNode &root, const EncoderKeys &keys) {
  EncoderConfig config;
  struct Field {
    StringRef key;
    int64_t EncoderConfig::*member;
    int64_t max;
  };
  for (const Field &field : {Field{keys.hiddenSize, &EncoderConfig::hiddenSize, kMaxSize},
                             {keys.numLayers, &EncoderConfig::numLayers, kMaxLayers},
                             {keys.numHeads, &EncoderConfig::numHeads, kMaxSize},
                             {keys.intermediateSize, &EncoderConfig::intermediateSize, kMaxSize}}) {
    Expected<int64_t> value = root.integer(field.key, 1, field.max);
    if (!value)
      return value.takeError();
    config.*field.member = *value;
  }
  if (config.hiddenSize % config.numHeads)
    return root.error(keys.hiddenSize + " " + Twine(config.hiddenSize) + " is not a multiple of " + keys.numHeads +
                      " " + Twine(config.numHeads));

  config.epsilon = keys.defaultEpsilon;
  if (!keys.epsilon.empty()) {
    Expected<double> epsilon = root.numberOr(keys.epsilon, keys.defaultEpsilon);
    if (!epsilon)
      return epsilon.takeError();
    if (!(*epsilon >= 0 && *epsilon < 1))
      return root.error(keys.epsilon + ": expected a number in [0, 1)");
    config.epsilon = *epsilon;
  }
  Expected<Activation> activation = readActivation(root, keys.activation, keys.defaultActivation);
  if (!activation)
    return activation.takeError();
  config.activation = *activation;
  if (Error error = refuseVariants(root))
    return std::move(error);
  return config;
}
