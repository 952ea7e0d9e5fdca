//===- Layers.h - The formulas that several ops share -----------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Whole blocks and the ops that they decompose into mean the same; here it stands once.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_REFERENCE_LAYERS_H
#define ATTN_REFERENCE_LAYERS_H

#include "attn/Dialect/Attn/IR/Attn.h"
#include "attn/Reference/Tensor.h"
#include "llvm/Support/Error.h"

namespace attn::reference {

/// [..., K] and a weight [N, K] or [panels, K, P] to [..., N]: the sums alone, for `columns` = N.
Tensor multiply(const Tensor &input, const Tensor &weight, int64_t columns);

/// The same with a weight [N, K] and a bias [N] or null.
Tensor project(const Tensor &input, const Tensor &weight, const Tensor *bias);

/// Over the last dimension, as attn.layer_norm where `centered`, else as attn.rms_norm; `shift` may be null.
Tensor normalize(const Tensor &input, const Tensor &scale, const Tensor *shift, double epsilon, bool centered = true);

/// As attn.gelu.
double gelu(double x, bool approximate);

Tensor activate(Tensor input, Activation activation);

/// Element by element.
Tensor add(Tensor left, const Tensor &right);

/// One query's softmax over keys. `score(k)` is asked only for keys that count, or, where the row is empty and `empty`
/// says so, for all. Writes the row of channels to `output` and returns log(sum exp(score)), -infinity for an empty
/// row.
struct AttentionRow {
  int64_t keys;
  int64_t channels;
  EmptyRow empty;
  llvm::function_ref<llvm::Expected<bool>(int64_t)> counts;
  llvm::function_ref<llvm::Expected<double>(int64_t)> score;
  llvm::function_ref<double(int64_t, int64_t)> value;
  llvm::function_ref<void(int64_t, double)> write;
};
llvm::Expected<double> attend(const AttentionRow &row);

} // namespace attn::reference

#endif // ATTN_REFERENCE_LAYERS_H
