//===- AttentionOps.h - What the attention family shares --------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_IMPORT_ONNX_OPS_ATTENTIONOPS_H
#define ATTN_LIB_IMPORT_ONNX_OPS_ATTENTIONOPS_H

#include "Registry.h"
#include "ScaledDotProduct.h"

namespace attn::onnx {

/// The attribute softmax_precision; Undefined where it isn't given.
mlir::FailureOr<DataType> readSoftmaxPrecision(Node &node);

/// Makes `tensor`, [B, H, S, D] or, where `headsFirst` is false, [B, S, H, D], the cache [B, H, P + S, D].
llvm::LogicalResult appendToCache(Node &node, Tensor &tensor, bool &headsFirst, const Tensor *past,
                                  llvm::StringRef name);

/// Row positions[b, s] of a table [P, C]: [B, S, C].
mlir::FailureOr<Tensor> rowsAt(Node &node, const Tensor &table, const Tensor &positions);
/// Pairs of channels of `input`, whose dimension `sequence` are positions, turned by angles whose cosines and sines are
/// [B, S, half]; channels beyond 2 * half stay as they are.
mlir::FailureOr<Tensor> rotate(Node &node, const Tensor &input, int64_t sequence, const Tensor &cosines,
                               const Tensor &sines, bool interleaved);

// What the ops of com.microsoft share.
/// Fails where an attribute that isn't supported is given.
llvm::LogicalResult expectZero(Node &node, llvm::StringRef name);
llvm::LogicalResult expectAbsent(Node &node, llvm::ArrayRef<std::pair<size_t, llvm::StringRef>> inputs);
/// Fails where one of these inputs is given and is no float of the first one's type.
llvm::LogicalResult expectFloats(Node &node, llvm::ArrayRef<size_t> inputs);
mlir::FailureOr<int64_t> readHeads(Node &node, llvm::StringRef name);
/// The attribute scale, where 0 is the default.
llvm::LogicalResult readScale(Node &node, ScaledDotProduct &attention);

// Each is called by registerAttention.
/// How the weights' columns divide into query, key and value.
mlir::FailureOr<llvm::SmallVector<Size>> readHiddenSizes(Node &node, const Size &columns);
/// Fails where input `i` is given and has not `size` elements in one dimension.
llvm::LogicalResult expectBias(Node &node, size_t i, const Size &size);
/// `tensor`, [..., N], plus N elements of `bias` from `begin` on.
mlir::FailureOr<Tensor> addBias(Node &node, const Tensor &tensor, const Tensor &bias, const Size &begin);

void registerFlexAttention(Registry &registry);
void registerRotaryEmbedding(Registry &registry);
void registerLinearAttention(Registry &registry);
void registerCausalConvolution(Registry &registry);
void registerMicrosoftAttention(Registry &registry);
void registerPackedAttention(Registry &registry);
void registerRelativePositionBias(Registry &registry);
void registerGroupQueryAttention(Registry &registry);

} // namespace attn::onnx

#endif // ATTN_LIB_IMPORT_ONNX_OPS_ATTENTIONOPS_H
