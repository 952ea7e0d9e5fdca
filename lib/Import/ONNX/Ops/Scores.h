//===- Scores.h - What becomes of a score of attention ---------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How a score becomes what softmax sees is said once, as scalar code over (b, h, q, k) and the elements of a few
// tensors: it is the regions of attn.attention, or the body of a linalg.generic.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_IMPORT_ONNX_OPS_SCORES_H
#define ATTN_LIB_IMPORT_ONNX_OPS_SCORES_H

#include "ScaledDotProduct.h"

namespace attn::onnx::scores {

enum Dim : int64_t { B, H, Q, K };

/// What is added to a score so that nothing is left of its weight: float32's exp of less than -104 is 0.
constexpr double kFarBelow = -1000;

/// A tensor whose elements the scalar code sees, read by some of b, h, q, k.
struct Mapped {
  Tensor tensor;
  llvm::SmallVector<int64_t> dims;
};

/// The scalar code on scores.
class ScoreCode {
public:
  ScoreCode(Node &node, const ScaledDotProduct &attention, llvm::ArrayRef<Size> extents, bool isOneOp)
      : node(node), attention(attention), extents(extents), isOneOp(isOneOp) {}

  /// Adds what the code reads. Fails where shapes don't fit.
  llvm::LogicalResult prepare();

  /// c * tanh(s / c).
  mlir::Value cap(mlir::OpBuilder &b, mlir::Location loc, mlir::Value score) const;
  /// With the bias: what is -infinity there is so here, even where the score is NaN.
  mlir::Value bias(mlir::OpBuilder &b, mlir::Location loc, mlir::Value score, mlir::ValueRange elements) const;
  /// With what is added to keys that don't count, where they stay.
  mlir::Value lower(mlir::OpBuilder &b, mlir::Location loc, mlir::Value score, mlir::ValueRange elements) const;
  /// Whether the key counts; null where each does.
  mlir::Value mask(mlir::OpBuilder &b, mlir::Location loc, mlir::ValueRange indices, mlir::ValueRange elements) const;

  bool hasCap() const { return attention.softcap > 0; }
  bool hasBias() const { return biasAt.has_value() || lowersMask(); }
  bool hasMask() const { return (!lowersMask() && hasTensorMask()) || attention.causal || hasWindow(); }
  /// Rows without keys are as if they had no mask.
  bool isUnmaskedWhenEmpty() const { return attention.maskValue && !lowersMask(); }
  llvm::ArrayRef<Mapped> getMapped() const { return mapped; }

private:
  bool hasTensorMask() const { return maskAt || keyMaskAt; }
  /// Keys that don't count get a lower score. Where that is as good as taking them out, they are taken out.
  bool lowersMask() const {
    return hasTensorMask() && attention.maskValue &&
           (!isOneOp || attention.causal || hasWindow() || *attention.maskValue > kFarBelow);
  }
  bool hasWindow() const { return attention.leftWindow >= 0 || attention.rightWindow >= 0; }
  mlir::FailureOr<Mapped> map(const Tensor &tensor, const llvm::Twine &what) const;
  mlir::FailureOr<Mapped> keyMask(const std::optional<Tensor> &mask) const;
  size_t add(Mapped element) {
    mapped.push_back(std::move(element));
    return mapped.size() - 1;
  }

  Node &node;
  const ScaledDotProduct &attention;
  llvm::ArrayRef<Size> extents;
  bool isOneOp;
  llvm::SmallVector<Mapped> mapped;
  std::optional<size_t> biasAt, maskAt, keyMaskAt, offsetAt;
};

/// A constant of the type of `scalar`.
mlir::Value constantLike(mlir::OpBuilder &b, mlir::Location loc, mlir::Value scalar, double value);

} // namespace attn::onnx::scores

#endif // ATTN_LIB_IMPORT_ONNX_OPS_SCORES_H
