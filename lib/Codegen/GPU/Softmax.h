//===- Softmax.h - The online softmax of a thread's rows --------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// For each row the largest score m so far and the sum l of probabilities 2^((s - m) c), c being the scale times
// log2(e). A block of scores s updates them:
//
//     m' = max(m, max s)     f = 2^((m - m') c)     p = 2^(s c - m' c)     l' = l f + sum p
//
// and whatever was summed up with the old m, the outputs too, is multiplied by f. Each probability costs one fma and
// one exponential. Sums stay apart in the four threads of a quad until the end; maxima are shared at once.
//
// Masked scores are -infinity. A row may have seen nothing else: then m' is -infinity and s c - m' c no number, so m' c
// is taken as 0 there; probabilities and l are 0. Rows that have seen a key need no such guard.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_CODEGEN_GPU_SOFTMAX_H
#define ATTN_LIB_CODEGEN_GPU_SOFTMAX_H

#include "Fragment.h"

namespace attn {

/// Of a thread's two rows: the maximum, the same in a quad, and the thread's part of the sum.
struct SoftmaxState {
  mlir::Value maximum[kRowsPerThread];
  mlir::Value sum[kRowsPerThread];
};

/// What a block of scores brings.
struct SoftmaxStep {
  Fragment probabilities;
  SoftmaxState state;
  mlir::Value factor[kRowsPerThread]; ///< What earlier sums are to be multiplied by.
  /// Where rescaling is lazy: true if a row of the warp needs it; else factors are 1. Null where it isn't lazy.
  mlir::Value rescale;
};

/// How a block of scores is taken.
struct SoftmaxMode {
  bool masked = false;     ///< Scores may be -infinity.
  int64_t lazyRescale = 0; ///< As in #attn.gpu_attention_kernel; 0 also for a tile's first block.
};

class Softmax {
public:
  /// `scale` is the scale of scores times log2(e).
  Softmax(ThreadEmitter &emit, mlir::Value scale) : emit(emit), scale(scale) {}

  /// Before the first block.
  SoftmaxState begin();
  SoftmaxStep update(const Fragment &scores, const SoftmaxState &state, SoftmaxMode mode);

  /// After the last block: 1 / sum of each row, or 0 where no key counted, and if asked for the logarithm of the sum of
  /// exponentials.
  struct Result {
    mlir::Value inverseSum[kRowsPerThread];
    mlir::Value logSumExp[kRowsPerThread];
  };
  Result finish(const SoftmaxState &state, bool logSumExp);

  /// Scores of which the column does not count replaced by -infinity: those from `limits`[row] on, where `firstColumn`
  /// is the column of the thread's first accumulator.
  Fragment mask(const Fragment &scores, llvm::ArrayRef<mlir::Value> limits, mlir::Value firstColumn);

private:
  mlir::Value acrossQuad(mlir::Value value, llvm::function_ref<mlir::Value(mlir::Value, mlir::Value)> combine);
  mlir::Value negativeInfinity();

  ThreadEmitter &emit;
  mlir::Value scale;
};

} // namespace attn

#endif // ATTN_LIB_CODEGEN_GPU_SOFTMAX_H
