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

// Text encoders, see TextEncoder.h for their inputs and outputs.
llvm::Expected<mlir::OwningOpRef<mlir::ModuleOp>> buildAlbert(mlir::MLIRContext &context, const ModelSource &source);
llvm::Expected<mlir::OwningOpRef<mlir::ModuleOp>> buildBert(mlir::MLIRContext &context, const ModelSource &source);
llvm::Expected<mlir::OwningOpRef<mlir::ModuleOp>> buildDistilBert(mlir::MLIRContext &context,
                                                                  const ModelSource &source);
llvm::Expected<mlir::OwningOpRef<mlir::ModuleOp>> buildElectra(mlir::MLIRContext &context, const ModelSource &source);
llvm::Expected<mlir::OwningOpRef<mlir::ModuleOp>> buildMPNet(mlir::MLIRContext &context, const ModelSource &source);
llvm::Expected<mlir::OwningOpRef<mlir::ModuleOp>> buildRoberta(mlir::MLIRContext &context, const ModelSource &source);

/// The text model of CLIP. Inputs `input_ids` and `attention_mask`, i64 [batch, sequence]; outputs `last_hidden_state`,
/// f32 [batch, sequence, hidden], and the row of the token that ends the text: `pooler_output`, f32 [batch, hidden], or
/// its projection `text_embeds`, f32 [batch, projection], for CLIPTextModelWithProjection.
llvm::Expected<mlir::OwningOpRef<mlir::ModuleOp>> buildCLIPText(mlir::MLIRContext &context, const ModelSource &source);

/// Vision transformers. Input `pixel_values`, f32 [batch, channels, height, width] of the config's sizes; outputs
/// `last_hidden_state`, f32 [batch, patches + 1, hidden], and `pooler_output`, f32 [batch, pooled], where the
/// checkpoint has the pooler's weights; or `logits` alone, f32 [batch, labels], for an image classifier.
llvm::Expected<mlir::OwningOpRef<mlir::ModuleOp>> buildViT(mlir::MLIRContext &context, const ModelSource &source);

/// An error where modules.json makes a sentence encoder of an architecture that is none.
llvm::Error refuseSentence(const ModelSource &source);

/// An embedding [batch, width] of each batch row of `hidden`, whose `sizes` are [batch, sequence, width]. The mean is
/// over the rows that `mask`, i64 [batch, sequence], weighs; a sentence without rows yields zeros.
mlir::Value buildPooling(ModelBuilder &model, mlir::Value hidden, mlir::Value mask,
                         llvm::ArrayRef<mlir::OpFoldResult> sizes, Pooling pooling);

/// Each row of `rows`, whose `sizes` are [batch, width], divided by its Euclidean length, which is taken as at least
/// 1e-12.
mlir::Value buildNormalize(ModelBuilder &model, mlir::Value rows, llvm::ArrayRef<mlir::OpFoldResult> sizes);

} // namespace attn::huggingface

#endif // ATTN_LIB_IMPORT_HUGGINGFACE_ARCHITECTURES_H
