//===- TextEncoder.h - Families of text encoders as data --------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_IMPORT_HUGGINGFACE_TEXTENCODER_H
#define ATTN_LIB_IMPORT_HUGGINGFACE_TEXTENCODER_H

#include "Architectures.h"
#include "EncoderLayer.h"
#include "Heads.h"

namespace attn::huggingface {

/// Which row of the table of positions a token takes.
enum class PositionRule {
  /// That of its index.
  Index,
  /// Tokens that are not padding are counted, beginning after the padding's own number, which padding takes.
  CountFromPadding
};

/// config.json of a text encoder, validated.
struct TextConfig {
  EncoderConfig encoder;
  int64_t vocabularySize = 0, maxPositions = 0;
  /// 0 where tokens have no types.
  int64_t numTokenTypes = 0;
  /// Of the tables, before a projection.
  int64_t embeddingSize = 0;
  /// The token that fills sequences up.
  int64_t padding = 0;
};

/// What tells one family of bidirectional text encoders from another. What isn't set is as in BERT.
struct TextFamily {
  /// Before the encoder's names in checkpoints of a task's model.
  llvm::StringRef prefix;
  EncoderKeys keys;
  PositionRule positions = PositionRule::Index;
  /// Padding's number where config.json does not decide it.
  std::optional<int64_t> fixedPadding;
  bool hasTokenTypes = true;
  /// Whether the tables have a width of their own, embedding_size.
  bool hasEmbeddingSize = false;
  /// The linear layer between tables and layers; empty for none. It may be missing where both have the same width
  /// unless `alwaysProjects`.
  llvm::StringRef projection;
  bool alwaysProjects = false;

  LayerNames layer;
  /// The module of the layers, and the key that says how many it has.
  llvm::StringRef layers = "encoder.layer", layersKey = "num_hidden_layers";
  /// The modules of the layers in the order they run, and into `numModules` how many `layers` has; null for `layers`.0,
  /// .1 and so on.
  llvm::Expected<std::vector<std::string>> (*layerOrder)(const JsonNode &root, const EncoderConfig &config,
                                                         int64_t &numModules) = nullptr;
  /// Added to the scores of all layers, f32 [heads, query, key]; may be null.
  llvm::Expected<mlir::Value> (*attentionBias)(ModelBuilder &model, const JsonNode &root, const EncoderConfig &config,
                                               mlir::OpFoldResult length) = nullptr;

  /// What a plain model returns beside its rows where the checkpoint has it; empty for nothing.
  llvm::StringRef pooler = "pooler.dense";
  /// What a sequence's classifier begins with, and whether it is a part of the encoder; what it ends with.
  DenseHead sequenceHead{"pooler.dense", Activation::Tanh};
  bool isSequenceHeadInEncoder = true;
  llvm::StringRef sequenceClassifier = "classifier";
  /// Beginnings of the names of pretraining's heads, which are left behind.
  llvm::SmallVector<llvm::StringRef> pretraining{"cls."};
  /// A weight of these heads that is the table of words, and may be all that a checkpoint has of both.
  llvm::StringRef tiedWords = "cls.predictions.decoder.weight";
};

/// Inputs `input_ids` and `attention_mask`, and `token_type_ids` where there are several types: i64 [batch, sequence].
/// Outputs `last_hidden_state`, f32 [batch, sequence, hidden], with `sentence_embedding`, f32 [batch, hidden], for a
/// sentence encoder, or else `pooler_output` where the checkpoint has the pooler's weights. A task's model returns
/// `logits` alone, f32 [batch, labels] for a sequence, [batch, sequence, labels] for its tokens.
llvm::Expected<mlir::OwningOpRef<mlir::ModuleOp>> buildTextEncoder(mlir::MLIRContext &context,
                                                                   const ModelSource &source, const TextFamily &family);

} // namespace attn::huggingface

#endif // ATTN_LIB_IMPORT_HUGGINGFACE_TEXTENCODER_H
