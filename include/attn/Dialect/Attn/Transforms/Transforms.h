//===- Transforms.h - The rewrites of the stage `fuse` as a library ---*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the passes of this room do, for use in other passes. All of it is about meaning only: nothing here knows a
// target, a tile size or a layout.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_DIALECT_ATTN_TRANSFORMS_TRANSFORMS_H
#define ATTN_DIALECT_ATTN_TRANSFORMS_TRANSFORMS_H

#include "attn/Dialect/Attn/IR/Attn.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/PatternMatch.h"

namespace attn {

/// `activation` of each element of the tensor `input`.
mlir::Value createActivation(mlir::OpBuilder &b, mlir::Location loc, Activation activation, mlir::Value input);

/// encoder_layer, multi_head_attention and feed_forward to linear, attention, layer_norm and elementwise ops.
void populateDecomposeBlocksPatterns(mlir::RewritePatternSet &patterns);

/// The parts of a GELU, in any order of its factors, to attn.gelu.
void populateRaiseGeluPatterns(mlir::RewritePatternSet &patterns);

/// The parts of a norm to attn.layer_norm or attn.rms_norm.
void populateRaiseNormPatterns(mlir::RewritePatternSet &patterns);

/// The parts of a rotary embedding to attn.rotary.
void populateRaiseRotaryPatterns(mlir::RewritePatternSet &patterns);

/// Transposes and head broadcasts around attention into its maps.
void populateFoldTransposesPatterns(mlir::RewritePatternSet &patterns);

/// Tests of a key mask in attention's mask region into `ranges` and `key_mask`.
void populateFoldMaskPatterns(mlir::RewritePatternSet &patterns);

/// Why the mask region of `op` can't be folded (further); empty where it can, or where there is none.
std::string whyMaskStays(AttentionOp op);

/// Row-wise ops of rank > 2 to rank 2, with the reshapes that cancel.
void populateFlattenRowsPatterns(mlir::RewritePatternSet &patterns);

/// Elementwise users of linears into their epilogues.
void populateFuseEpiloguesPatterns(mlir::RewritePatternSet &patterns);

/// Whether `user` is an elementwise op that can become part of the epilogue of `linear`; else a reason in `why`.
bool canFuseIntoEpilogue(LinearOp linear, mlir::Operation *user, std::string &why);

/// Merges linears of one input in every function of `module`; returns how many linears went into merged ones.
int64_t mergeLinears(mlir::ModuleOp module);

/// Sets `attn.state` on results of an entry that begin with an argument; returns on how many.
int64_t markState(mlir::func::FuncOp entry);

/// Removes the weights of `module` that nothing in it reads; returns how many.
int64_t pruneWeights(mlir::ModuleOp module);

/// Sets `attn.index_range` and `attn.dims` of an entry; returns how many bounds were set, or failure after an
/// error (a static size that is larger than a table of positions).
mlir::FailureOr<int64_t> inferBounds(mlir::func::FuncOp function);

/// Puts an attn.check before each operation whose sizes or indices are not known to fit; returns how many, or failure
/// after an error (sizes that never fit).
mlir::FailureOr<int64_t> insertChecks(mlir::func::FuncOp function);

/// Checks what must hold after the stage `fuse`; emits an error for each violation. `checked` counts the ops seen.
mlir::LogicalResult verifyFused(mlir::ModuleOp module, int64_t &checked);

} // namespace attn

#endif // ATTN_DIALECT_ATTN_TRANSFORMS_TRANSFORMS_H
