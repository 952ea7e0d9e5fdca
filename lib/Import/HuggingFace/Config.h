//===- Config.h - What a model directory's JSON files say -------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_IMPORT_HUGGINGFACE_CONFIG_H
#define ATTN_LIB_IMPORT_HUGGINGFACE_CONFIG_H

#include "attn/Dialect/Attn/IR/Attn.h"
#include "attn/Support/Json.h"

namespace attn::huggingface {

/// The keys under which a family's config.json has what every encoder has. A file without the optional ones gets the
/// defaults of the transformers library.
struct EncoderKeys {
  llvm::StringRef hiddenSize = "hidden_size", numLayers = "num_hidden_layers", numHeads = "num_attention_heads",
                  intermediateSize = "intermediate_size", activation = "hidden_act";
  llvm::StringRef defaultActivation = "gelu";
  /// Empty where the family's epsilon is always the default.
  llvm::StringRef epsilon = "layer_norm_eps";
  double defaultEpsilon = 1e-12;
};

/// The encoder that config.json describes, validated: sizes are positive, heads divide the width, and nothing is asked
/// for that changes what is computed and isn't known here.
struct EncoderConfig {
  int64_t hiddenSize = 0, numLayers = 0, numHeads = 0, intermediateSize = 0;
  double epsilon = 0;
  Activation activation = Activation::Gelu;

  static llvm::Expected<EncoderConfig> read(const JsonNode &root, const EncoderKeys &keys);
};

/// A size that config.json must have: positive, and so small that no product of two overflows.
llvm::Expected<int64_t> readSize(const JsonNode &root, llvm::StringRef key);
/// The same with a value for a key that is missing or null.
llvm::Expected<int64_t> readSizeOr(const JsonNode &root, llvm::StringRef key, int64_t otherwise);
/// How many layers a model may have, far more than any has.
constexpr int64_t kMaxLayers = 10000;

/// The activation under `key`; an error lists those that are known.
llvm::Expected<Activation> readActivation(const JsonNode &root, llvm::StringRef key, llvm::StringRef otherwise);

/// What is on top of an encoder.
enum class Task { None, SequenceClassification, TokenClassification, ImageClassification };

struct TaskConfig {
  Task task = Task::None;
  /// Of a classifier.
  int64_t numLabels = 0;

  /// The task that `architectures` names, which must be one of `known`. The heads of pretraining are no task: they are
  /// left behind, as AutoModel does.
  static llvm::Expected<TaskConfig> read(const JsonNode &root, llvm::ArrayRef<Task> known);
};

/// How the rows of a sentence become one.
enum class Pooling { Mean, First };

/// modules.json of sentence-transformers and the pooling's config.
struct SentencePipeline {
  /// The directory of the transformer's config.json and weights.
  std::string transformerDirectory;
  /// The pooling's config.json, for messages.
  std::string poolingConfig;
  Pooling pooling = Pooling::Mean;
  /// The width the pooling's config expects, if it says so, and the key that says so.
  std::optional<int64_t> width;
  std::string widthKey;
  /// Whether embeddings are scaled to length 1.
  bool normalize = false;

  /// Reads DIRECTORY/modules.json. Fails on modules and pooling modes that aren't known, listing those that are.
  static llvm::Expected<SentencePipeline> read(llvm::StringRef directory);
};

/// `name` in `directory`; `directory` itself for nothing.
std::string joinPath(llvm::StringRef directory, llvm::StringRef name);

} // namespace attn::huggingface

#endif // ATTN_LIB_IMPORT_HUGGINGFACE_CONFIG_H
