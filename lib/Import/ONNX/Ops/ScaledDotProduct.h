//===- ScaledDotProduct.h - What attention ops have in common ---*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// softmax(scale * Q K^T, capped, biased and masked) V over (b, h, q, k). The common forms become one attn.attention;
// what it can't say, or what is asked for in between, becomes products and a softmax of its own.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_IMPORT_ONNX_OPS_SCALEDDOTPRODUCT_H
#define ATTN_LIB_IMPORT_ONNX_OPS_SCALEDDOTPRODUCT_H

#include "../Build.h"

namespace attn::onnx {

/// What is computed of a score in between, as Attention's qk_matmul_output_mode counts them.
enum class ScoreStage { Product, Capped, Biased, Probability };

/// What the attention ops of both domains come down to.
struct ScaledDotProduct {
  /// [B, H, Q, D], [B, G, K, D] and [B, G, K, E], where G divides H; or with the second and third dimension swapped
  /// where `headsFirst` is false.
  Tensor query, key, value;
  bool queryHeadsFirst = true, keyHeadsFirst = true, valueHeadsFirst = true;
  /// The layout of the result, [B, H, Q, E] or [B, Q, H, E].
  bool resultHeadsFirst = true;
  /// 1 / sqrt(D) where it isn't given.
  std::optional<double> scale;
  /// c * tanh(s / c) where it is positive.
  double softcap = 0;
  /// Added to the scores; -infinity takes a key out whatever its score is. Broadcast to [B, H, Q, K] from the right.
  std::optional<Tensor> bias;
  /// bool: which keys count. Broadcast in the same way.
  std::optional<Tensor> mask;
  /// Where it is given, added to the scores of keys that `mask` says don't count, in place of taking them out. It is
  /// far below all scores: a row whose keys all don't count is as if it had no mask.
  std::optional<double> maskValue;
  /// int64 [B]: keys from there on don't count.
  std::optional<Tensor> keyLengths;
  /// Query i stands at i + offset: keys behind it don't count with `causal`, nor those that are further away than the
  /// windows say, where these are not negative.
  bool causal = false;
  int64_t leftWindow = -1, rightWindow = -1;
  Size offset;
  /// int64 [B]: offsets of the batch's rows, in place of `offset`.
  std::optional<Tensor> offsets;
  /// The softmax is computed in this type where it is wider than what products are computed in.
  DataType softmaxType = DataType::Undefined;
  /// [H]: scores of a key more whose value is 0.
  std::optional<Tensor> sinks;
  /// A row without keys is 0; if not, NaN as softmax alone gives.
  bool emptyIsZero = true;
  /// The scores and the probabilities, [B, H, Q, K], pass through these.
  std::function<mlir::FailureOr<Tensor>(Tensor)> changeScores, changeProbabilities;
  /// Ask for scores of this stage.
  std::optional<ScoreStage> wanted;
};

struct ScaledDotProductResult {
  Tensor output;
  /// As `wanted` says, in the type of the query.
  Tensor scores;
};

/// Fails where shapes don't fit.
mlir::FailureOr<ScaledDotProductResult> buildScaledDotProduct(Node &node, ScaledDotProduct attention);

/// [..., N] as [..., heads, N / heads]; fails where N is known to be no multiple. `channels` is N / heads where that is
/// known already; where it isn't known that N is a multiple, a rest is dropped.
mlir::FailureOr<Tensor> splitHeads(Node &node, const Tensor &input, int64_t heads, llvm::StringRef what,
                                   std::optional<Size> channels = std::nullopt);
/// [..., H, D] as [..., N]. Where N is not known to be H * D, what is beyond is 0.
mlir::FailureOr<Tensor> joinHeads(Node &node, const Tensor &input, const Size &size);
/// `input` where its dimension `dim` has or can be demanded to have this size, which fails where it is known not to. If
/// that is only known at run time, a copy with zeros in place of what isn't there.
mlir::FailureOr<Tensor> fitTo(Node &node, const Tensor &input, int64_t dim, const Size &size, const llvm::Twine &what);
/// The smaller of two sizes.
Size minimumOf(Node &node, const Size &a, const Size &b);
/// The integer quotient of a size that may not be a multiple.
Size quotientOf(Node &node, const Size &size, int64_t divisor);

} // namespace attn::onnx

#endif // ATTN_LIB_IMPORT_ONNX_OPS_SCALEDDOTPRODUCT_H
