//===- Fragment.h - What one thread holds of a matrix -----------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The tensor cores spread 16 rows of f32 accumulators over the 32 threads of a warp. mma (for each m16n8 tile) and
// wgmma (for the rows of a warp, any N) agree on how, so softmax, masks and packing are written once:
//
//              columns  0 1   2 3   4 5   6 7  | 8 9 ...
//     row 0            T0    T1    T2    T3    | T0 ...       accumulators 0, 1 of T0..T3, then 4, 5
//     row 1            T4    T5    T6    T7    | T4 ...
//     ...
//     row 8            T0    T1    T2    T3    | T0 ...       accumulators 2, 3,           then 6, 7
//
// Accumulator i of a thread stands at row lane / 4 + 8 * ((i % 4) / 2) and column 8 * (i / 4) + 2 * (lane % 4) + i % 2.
// A thread thus sees two rows, and the four threads of a quad together all columns of theirs.
//
// As the first factor of the next product, 16 columns are four registers of two 16-bit elements: accumulators
// 8k ... 8k + 7, packed in pairs, are registers 4k ... 4k + 3 of step k. Probabilities never leave their thread.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_CODEGEN_GPU_FRAGMENT_H
#define ATTN_LIB_CODEGEN_GPU_FRAGMENT_H

#include "attn/Codegen/GPU/ThreadEmitter.h"

namespace attn {

/// A thread's f32 accumulators of 16 rows: half as many as there are columns.
using Fragment = ThreadEmitter::Values;

/// The rows of a thread, counted as 0 and 1: rows lane / 4 and lane / 4 + 8.
constexpr unsigned kRowsPerThread = 2;

inline unsigned rowOfAccumulator(unsigned i) { return i % 4 / 2; }
/// Its column, but for the 2 * (lane % 4) that depends on the thread.
inline int64_t columnOfAccumulator(unsigned i) { return 8 * (i / 4) + i % 2; }

/// `columns` / 2 accumulators of zero.
inline Fragment zeroFragment(ThreadEmitter &emit, int64_t columns) { return Fragment(columns / 2, emit.f32(0.0)); }

/// Each accumulator multiplied by its row's factor.
inline Fragment scaleRows(ThreadEmitter &emit, const Fragment &fragment, llvm::ArrayRef<mlir::Value> factors) {
  Fragment scaled;
  for (auto [i, value] : llvm::enumerate(fragment))
    scaled.push_back(emit.mulf(value, factors[rowOfAccumulator(i)]));
  return scaled;
}

/// Accumulators as elements of `type` (f16, bf16), two to a register: the first factor of a product, or a row to store.
inline ThreadEmitter::Values packFragment(ThreadEmitter &emit, const Fragment &fragment, mlir::Type type) {
  ThreadEmitter::Values packed;
  for (size_t i = 0; i < fragment.size(); i += 2)
    packed.push_back(emit.packPair(fragment[i], fragment[i + 1], type));
  return packed;
}

} // namespace attn

#endif // ATTN_LIB_CODEGEN_GPU_FRAGMENT_H
