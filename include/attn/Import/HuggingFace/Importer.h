//===- Importer.h - Hugging Face model directories --------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_IMPORT_HUGGINGFACE_IMPORTER_H
#define ATTN_IMPORT_HUGGINGFACE_IMPORTER_H

#include "attn/Import/Importer.h"

namespace attn {

/// Directories with config.json and safetensors, and those of sentence-transformers with modules.json. Model types:
/// albert, bert, camembert, clip_text_model, distilbert, electra, mpnet, roberta, vit, xlm-roberta.
std::unique_ptr<Importer> createHuggingFaceImporter();

} // namespace attn

#endif // ATTN_IMPORT_HUGGINGFACE_IMPORTER_H
