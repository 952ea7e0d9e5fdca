//===- EncoderLayer.h - An encoder's layers as data -------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_IMPORT_HUGGINGFACE_ENCODERLAYER_H
#define ATTN_LIB_IMPORT_HUGGINGFACE_ENCODERLAYER_H

#include "Config.h"
#include "ModelBuilder.h"

namespace attn::huggingface {

/// What the parts of a layer are called, below the layer's own name; BERT's names unless said otherwise.
struct LayerNames {
  llvm::StringRef query = "attention.self.query", key = "attention.self.key", value = "attention.self.value",
                  output = "attention.output.dense", attentionNorm = "attention.output.LayerNorm",
                  up = "intermediate.dense", down = "output.dense", outputNorm = "output.LayerNorm";
};

/// What all layers of an encoder have in common.
struct LayerKind {
  LayerNames names;
  EncoderConfig config;
  NormPlacement norm = NormPlacement::Post;
  /// Whether the projections of query, key and value have biases.
  bool hasProjectionBiases = true;
};

/// What attention sees beside the rows.
struct AttentionContext {
  /// i64 [batch, sequence], not 0 for keys that count; null where all do. Where none does, all count equally: the
  /// transformers library adds the most negative finite number to masked scores, which absorbs them.
  mlir::Value mask;
  /// Queries see no keys behind them.
  bool isCausal = false;
  /// f32 [heads, query, key], added to the scores; may be null.
  mlir::Value bias;
};

/// The layer called `name` on `rows`, f32 [batch, sequence, width].
llvm::Expected<mlir::Value> buildEncoderLayer(ModelBuilder &model, const LayerKind &kind, llvm::StringRef name,
                                              mlir::Value rows, const AttentionContext &context);

} // namespace attn::huggingface

#endif // ATTN_LIB_IMPORT_HUGGINGFACE_ENCODERLAYER_H
