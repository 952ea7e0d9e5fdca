//===- DistilBert.cpp - DistilBERT ------------------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TextEncoder.h"

using namespace mlir;
using namespace attn;
using namespace attn::huggingface;

llvm::Expected<OwningOpRef<ModuleOp>> attn::huggingface::buildDistilBert(MLIRContext &context,
                                                                         const ModelSource &source) {
  TextFamily family;
  family.prefix = "distilbert.";
  family.keys.hiddenSize = "dim";
  family.keys.numLayers = family.layersKey = "n_layers";
  family.keys.numHeads = "n_heads";
  family.keys.intermediateSize = "hidden_dim";
  family.keys.activation = "activation";
  family.keys.epsilon = "";
  family.hasTokenTypes = false;
  family.layers = "transformer.layer";
  family.layer = {"attention.q_lin", "attention.k_lin", "attention.v_lin", "attention.out_lin",
                  "sa_layer_norm",   "ffn.lin1",        "ffn.lin2",        "output_layer_norm"};
  family.pooler = "";
  family.sequenceHead = {"pre_classifier", Activation::Relu};
  family.isSequenceHeadInEncoder = false;
  family.pretraining = {"vocab_transform.", "vocab_layer_norm.", "vocab_projector."};
  family.tiedWords = "vocab_projector.weight";
  return buildTextEncoder(context, source, family);
}
