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

/// config.json of the BERT family, validated: sizes are positive and heads divide the width.
struct BertConfig {
  int64_t hiddenSize = 0, numLayers = 0, numHeads = 0, intermediateSize = 0;
  int64_t vocabularySize = 0, maxPositions = 0, numTokenTypes = 0;
  double epsilon = 0;
  Activation activation = Activation::Gelu;

  /// `encoderOnly`: whoever reads uses the encoder alone, so that a head does not matter.
  static llvm::Expected<BertConfig> read(const JsonNode &root, bool encoderOnly);
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
