//===- Albert.cpp - ALBERT --------------------------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Layers share their weights: a weight is a symbol, so that a group's layers name the same one.
//
//===----------------------------------------------------------------------===//

#include "TextEncoder.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace attn;
using namespace attn::huggingface;
using llvm::Expected;

/// Layers take turns with the inner layers of their group, whose number is computed in floating point, as the
/// transformers library does.
static Expected<std::vector<std::string>> orderLayers(const JsonNode &root, const EncoderConfig &config,
                                                      int64_t &numModules) {
  Expected<int64_t> groups = root.integerOr("num_hidden_groups", 1, 1, kMaxLayers);
  if (!groups)
    return groups.takeError();
  numModules = *groups;
  Expected<int64_t> inner = root.integerOr("inner_group_num", 1, 1, kMaxLayers);
  if (!inner)
    return inner.takeError();
  if (config.numLayers * *inner > kMaxLayers)
    return root.error("num_hidden_layers " + Twine(config.numLayers) + " times inner_group_num " + Twine(*inner) +
                      " is more than " + Twine(kMaxLayers) + " layers");
  double layersOfGroup = double(config.numLayers) / double(*groups);
  std::vector<std::string> order;
  for (int64_t i = 0; i < config.numLayers; ++i)
    for (int64_t j = 0; j < *inner; ++j)
      order.push_back(
          llvm::formatv("encoder.albert_layer_groups.{0}.albert_layers.{1}", int64_t(double(i) / layersOfGroup), j)
              .str());
  return order;
}

Expected<OwningOpRef<ModuleOp>> attn::huggingface::buildAlbert(MLIRContext &context, const ModelSource &source) {
  TextFamily family;
  family.prefix = "albert.";
  family.keys.defaultActivation = "gelu_new";
  family.hasEmbeddingSize = true;
  family.projection = "encoder.embedding_hidden_mapping_in";
  family.alwaysProjects = true;
  family.layers = "encoder.albert_layer_groups";
  family.layersKey = "num_hidden_groups";
  family.layerOrder = orderLayers;
  family.layer = {"attention.query",     "attention.key", "attention.value", "attention.dense",
                  "attention.LayerNorm", "ffn",           "ffn_output",      "full_layer_layer_norm"};
  family.pooler = "pooler";
  family.sequenceHead = {"pooler", Activation::Tanh};
  family.pretraining = {"predictions.", "sop_classifier."};
  family.tiedWords = "predictions.decoder.weight";
  return buildTextEncoder(context, source, family);
}
