//===- Architectures.h - One builder per model type -------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_IMPORT_HUGGINGFACE_ARCHITECTURES_H
#define ATTN_LIB_IMPORT_HUGGINGFACE_ARCHITECTURES_H

#include "Config.h"
#include "ModelBuilder.h"

namespace attn::huggingface {

/// What an architecture's builder gets.
struct ModelSource {
  /// Root of config.json.
  JsonNode config;
  const Checkpoint &checkpoint;
  /// Set for a sentence encoder.
  const SentencePipeline *sentence = nullptr;
  /// Name of the entry.
  std::string name;
};

using ArchitectureBuilder = llvm::Expected<mlir::OwningOpRef<mlir::ModuleOp>> (*)(mlir::MLIRContext &context,
                                                                                  const ModelSource &source);

/// Bidirectional encoders with learned absolute positions and post-norm layers. Inputs `input_ids`, `attention_mask`
/// and `token_type_ids`, i64 [batch, sequence]; outputs `last_hidden_state`, f32 [batch, sequence, hidden], and
/// `sentence_embedding`, f32 [batch, hidden], for a sentence encoder, or else `pooler_output` where the checkpoint has
/// the pooler's weights.
llvm::Expected<mlir::OwningOpRef<mlir::ModuleOp>> buildBert(mlir::MLIRContext &context, const ModelSource &source);

/// An embedding [batch, width] of each batch row of `hidden`, whose `sizes` are [batch, sequence, width]. The mean is
/// over the rows that `mask`, i64 [batch, sequence], weighs; a sentence without rows yields zeros.
mlir::Value buildPooling(ModelBuilder &model, mlir::Value hidden, mlir::Value mask,
                         llvm::ArrayRef<mlir::OpFoldResult> sizes, Pooling pooling);

/// Each row of `rows`, whose `sizes` are [batch, width], divided by its Euclidean length, which is taken as at least
/// 1e-12.
mlir::Value buildNormalize(ModelBuilder &model, mlir::Value rows, llvm::ArrayRef<mlir::OpFoldResult> sizes);

} // namespace attn::huggingface

#endif // ATTN_LIB_IMPORT_HUGGINGFACE_ARCHITECTURES_H
