//===- Patterns.h - Patterns of the stage `kernel` for CPUs -----*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Each pattern expands one op with a `kernel` attribute on memrefs where it stands. What a kernel can't do is said by a
// function beside it, so that patterns fail silently and passes say why.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_CODEGEN_CPU_PATTERNS_H
#define ATTN_CODEGEN_CPU_PATTERNS_H

#include "attn/Dialect/Attn/IR/Attn.h"
#include "mlir/IR/PatternMatch.h"
#include <string>

namespace attn {

/// Why `op` has no kernel; empty where it has one. For linear, online_attention, online_finish, pack, norms,
/// embedding and key_ranges.
std::string whyNoKernel(LinearOp op);
std::string whyNoKernel(OnlineAttentionOp op);
std::string whyNoKernel(OnlineFinishOp op);
std::string whyNoKernel(PackOp op);
std::string whyNoKernel(NormOpInterface op);
std::string whyNoKernel(EmbeddingOp op);
std::string whyNoKernel(KeyRangesOp op);

void populateExpandLinearPatterns(mlir::RewritePatternSet &patterns);
void populateOnlineAttentionPatterns(mlir::RewritePatternSet &patterns);
void populateOnlineFinishPatterns(mlir::RewritePatternSet &patterns);
void populatePackPatterns(mlir::RewritePatternSet &patterns);
void populateNormPatterns(mlir::RewritePatternSet &patterns);
void populateEmbeddingPatterns(mlir::RewritePatternSet &patterns);
void populateKeyRangesPatterns(mlir::RewritePatternSet &patterns);
/// Functions of f32 as polynomials.
void populateExpandMathPatterns(mlir::RewritePatternSet &patterns);

} // namespace attn

#endif // ATTN_CODEGEN_CPU_PATTERNS_H
