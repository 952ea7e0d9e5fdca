//===- VectorEmitter.h - Emits ops on native vectors ------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What all kernels are written with: f32 vectors as wide as a register, loads and stores at indices of a memref, index
// arithmetic that folds where it is constant, and loops. Kernels are emitted in the form in which LLVM keeps every
// accumulator in a register: one-dimensional vectors of native width, carried through loops as SSA values.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_CODEGEN_CPU_VECTOREMITTER_H
#define ATTN_CODEGEN_CPU_VECTOREMITTER_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Location.h"
#include "mlir/IR/Value.h"

namespace attn {

/// Emits at the insertion point of a builder. Elements are f32 unless a memref says otherwise.
class VectorEmitter {
public:
  VectorEmitter(mlir::OpBuilder &builder, mlir::Location loc, int64_t lanes)
      : builder(builder), loc(loc), laneCount(lanes) {}

  mlir::OpBuilder &getBuilder() const { return builder; }
  mlir::Location getLoc() const { return loc; }
  int64_t lanes() const { return laneCount; }
  /// A vector of `lanes` elements; f32 where no element type is given.
  mlir::VectorType vectorType(mlir::Type element = {}) const;

  //===--- Indices ---===//
  mlir::Value index(int64_t value) const;
  mlir::Value add(mlir::Value a, mlir::Value b) const;
  mlir::Value add(mlir::Value a, int64_t b) const;
  mlir::Value sub(mlir::Value a, mlir::Value b) const;
  mlir::Value mul(mlir::Value a, int64_t b) const;
  mlir::Value rem(mlir::Value a, int64_t b) const;
  mlir::Value div(mlir::Value a, int64_t b) const;
  /// The logarithm, rounded down; 0 of 0.
  mlir::Value log2(mlir::Value a) const;
  /// The smaller of two signed values.
  mlir::Value min(mlir::Value a, mlir::Value b) const;
  /// The signed value nearest to `a` in [low, high]; high where that is empty.
  mlir::Value clamp(mlir::Value a, mlir::Value low, mlir::Value high) const;
  mlir::Value dim(mlir::Value memref, int64_t dimension) const;

  //===--- Vectors ---===//
  mlir::Value splat(double value) const;
  mlir::Value broadcast(mlir::Value scalar) const;
  /// A scalar in all lanes; a vector as it is.
  mlir::Value inLanes(mlir::Value value) const;
  /// 0, 1, 2, ... of an integer type or index.
  mlir::Value lanesFrom0(mlir::Type element) const;
  /// Lanes [0, active) are set.
  mlir::Value mask(int64_t active) const;
  /// The first `active` lanes from `memref` at `indices` on; the rest is 0 and not touched in memory.
  mlir::Value load(mlir::Value memref, mlir::ValueRange indices, int64_t active) const;
  mlir::Value load(mlir::Value memref, mlir::ValueRange indices) const { return load(memref, indices, laneCount); }
  mlir::Value loadMasked(mlir::Value memref, mlir::ValueRange indices, mlir::Value mask) const;
  /// Of a memref of i1 the bytes that its elements stand in; those in `mask` where it is given.
  mlir::Value loadBytes(mlir::Value memref, mlir::ValueRange indices, mlir::Value mask) const;
  /// Elements as they are stored, bools as bytes; those in `mask` where it is given.
  mlir::Value loadStored(mlir::Value memref, mlir::ValueRange indices, mlir::Value mask) const;
  /// Which lanes of an integer vector are not 0: the bools that `loadStored` gives as bytes.
  mlir::Value isNotZero(mlir::Value vector) const;
  /// Lanes i with begin + i < end are set.
  mlir::Value lanesBelow(mlir::Value begin, mlir::Value end) const;
  void store(mlir::Value vector, mlir::Value memref, mlir::ValueRange indices, int64_t active) const;
  void store(mlir::Value vector, mlir::Value memref, mlir::ValueRange indices) const {
    store(vector, memref, indices, laneCount);
  }
  /// Asks for the cache line at `indices`, which may be outside of the memref: near for the first level of cache.
  void prefetch(mlir::Value memref, mlir::ValueRange indices, bool near) const;
  mlir::Value loadScalar(mlir::Value memref, mlir::ValueRange indices) const;

  //===--- Arithmetic, on vectors or scalars ---===//
  mlir::Value fma(mlir::Value a, mlir::Value b, mlir::Value c) const;
  mlir::Value addf(mlir::Value a, mlir::Value b) const;
  mlir::Value subf(mlir::Value a, mlir::Value b) const;
  mlir::Value mulf(mlir::Value a, mlir::Value b) const;
  /// `a > b ? a : b`, one instruction on x86; b where one is a NaN.
  mlir::Value maxf(mlir::Value a, mlir::Value b) const;
  /// The sum of the lanes, in any order.
  mlir::Value sum(mlir::Value vector) const;
  /// A vector whose lane i is the sum of the lanes of row i, of `lanes` rows, a power of two.
  mlir::Value sums(llvm::ArrayRef<mlir::Value> rows) const;
  /// Combines the values pairwise with `combine`: a short chain of dependences. At least one value.
  mlir::Value tree(llvm::ArrayRef<mlir::Value> values,
                   llvm::function_ref<mlir::Value(mlir::Value, mlir::Value)> combine) const;

  /// The matrix of `lanes` rows, a power of two, becomes its transpose.
  void transpose(llvm::MutableArrayRef<mlir::Value> rows) const;

  //===--- Loops ---===//
  using Values = llvm::SmallVector<mlir::Value>;
  using LoopBody = llvm::function_ref<Values(mlir::Value iv, mlir::ValueRange carried)>;
  using TileBody = llvm::function_ref<Values(mlir::Value begin, int64_t size, mlir::ValueRange carried)>;
  /// A loop from 0 below `count` that carries values.
  Values loop(mlir::Value count, int64_t step, mlir::ValueRange carried, LoopBody body) const;
  /// [0, count) in tiles of exactly `size`, then of the powers of two below it: sizes are known in each tile.
  Values tiles(mlir::Value count, int64_t size, mlir::ValueRange carried, TileBody body) const;
  /// The same without carried values.
  void tiles(mlir::Value count, int64_t size, llvm::function_ref<void(mlir::Value begin, int64_t size)> body) const;

private:
  mlir::OpBuilder &builder;
  mlir::Location loc;
  int64_t laneCount;
};

} // namespace attn

#endif // ATTN_CODEGEN_CPU_VECTOREMITTER_H
