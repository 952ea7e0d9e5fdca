//===- Roberta.cpp - RoBERTa, XLM-RoBERTa and CamemBERT ---------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TextEncoder.h"

using namespace mlir;
using namespace attn;
using namespace attn::huggingface;

llvm::Expected<OwningOpRef<ModuleOp>> attn::huggingface::buildRoberta(MLIRContext &context, const ModelSource &source) {
  TextFamily family;
  family.prefix = "roberta.";
  family.positions = PositionRule::CountFromPadding;
  family.sequenceHead = {"classifier.dense", Activation::Tanh};
  family.isSequenceHeadInEncoder = false;
  family.sequenceClassifier = "classifier.out_proj";
  family.pretraining = {"lm_head."};
  family.tiedWords = "lm_head.decoder.weight";
  return buildTextEncoder(context, source, family);
}
