//===- Bert.cpp - BERT ------------------------------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TextEncoder.h"

using namespace mlir;
using namespace attn;
using namespace attn::huggingface;

llvm::Expected<OwningOpRef<ModuleOp>> attn::huggingface::buildBert(MLIRContext &context, const ModelSource &source) {
  TextFamily family;
  family.prefix = "bert.";
  return buildTextEncoder(context, source, family);
}
