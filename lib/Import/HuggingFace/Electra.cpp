//===- Electra.cpp - ELECTRA ------------------------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TextEncoder.h"

using namespace mlir;
using namespace attn;
using namespace attn::huggingface;

llvm::Expected<OwningOpRef<ModuleOp>> attn::huggingface::buildElectra(MLIRContext &context, const ModelSource &source) {
  TextFamily family;
  family.prefix = "electra.";
  family.hasEmbeddingSize = true;
  family.projection = "embeddings_project";
  family.pooler = "";
  family.sequenceHead = {"classifier.dense", Activation::Gelu};
  family.isSequenceHeadInEncoder = false;
  family.sequenceClassifier = "classifier.out_proj";
  family.pretraining = {"discriminator_predictions.", "generator_predictions.", "generator_lm_head."};
  family.tiedWords = "generator_lm_head.weight";
  return buildTextEncoder(context, source, family);
}
