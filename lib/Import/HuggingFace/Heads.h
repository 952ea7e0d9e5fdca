//===- Heads.h - What stands on top of an encoder ---------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_IMPORT_HUGGINGFACE_HEADS_H
#define ATTN_LIB_IMPORT_HUGGINGFACE_HEADS_H

#include "Config.h"
#include "ModelBuilder.h"

namespace attn::huggingface {

/// The first row of each sentence through a linear layer and an activation.
struct DenseHead {
  llvm::StringRef name;
  Activation activation = Activation::Tanh;
};

/// activation(first row * W^T + b) of `rows`, f32 [batch, sequence, width], with as many columns as `out` says: what a
/// plain model returns beside its rows, and what most classifiers begin with.
llvm::Expected<mlir::Value> buildDenseHead(ModelBuilder &model, mlir::Value rows, const DenseHead &head, int64_t out);

/// The first row of each sentence, [batch, width].
mlir::Value buildFirstRow(ModelBuilder &model, mlir::Value rows);

/// Returns the linear layer `name` of `rows` as the entry's output `logits`, with a row for each of `dimensions`.
llvm::Error addLogits(ModelBuilder &model, mlir::Value rows, llvm::StringRef name, int64_t numLabels,
                      llvm::ArrayRef<Extent> dimensions);

} // namespace attn::huggingface

#endif // ATTN_LIB_IMPORT_HUGGINGFACE_HEADS_H
