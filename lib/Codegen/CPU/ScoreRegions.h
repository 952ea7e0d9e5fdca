//===- ScoreRegions.h - Bands and regions of tiled attention ----*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_CODEGEN_CPU_SCOREREGIONS_H
#define ATTN_LIB_CODEGEN_CPU_SCOREREGIONS_H

#include "attn/Codegen/CPU/VectorEmitter.h"
#include "attn/Dialect/Attn/IR/Attn.h"

namespace attn {

/// What attn.online_attention computes of scores and asks of keys, for vectors of queries.
class ScoreRegions {
public:
  ScoreRegions(OnlineAttentionOp op, VectorEmitter &emitter) : op(op), emitter(emitter) {}

  /// Emits what is the same for all keys, and turns mapped operands that have their queries in rows.
  void prepare(mlir::Value keys);

  bool hasScore() { return !op.getScore().empty(); }
  bool hasBand() { return op.getLower() || op.getUpper(); }

  /// The score of `key` for vector `j` of the queries, of the scaled product.
  mlir::Value score(mlir::Value product, mlir::Value key, int64_t j);
  /// Whether `key` counts by the mask region, a vector of i1; null where there is none.
  mlir::Value counts(mlir::Value key, int64_t j);

  /// Whether the keys [first, first + count) are inside of the band for all queries.
  mlir::Value isInsideBand(mlir::Value first, int64_t count);
  /// Whether `key` is, a vector of i1.
  mlir::Value bandMask(mlir::Value key, int64_t j);
  /// The keys in the band of any of the queries [row, row + count), as the first and their number, of `keys`.
  std::pair<mlir::Value, mlir::Value> keysInBand(mlir::Value row, int64_t count, mlir::Value keys);

private:
  int64_t queries();
  /// The elements of mapped operand `i` in vector `j`, the same in each lane where it is a scalar.
  mlir::Value element(unsigned i, mlir::Value key, int64_t j);
  VectorEmitter::Values arguments(mlir::Block &block, unsigned firstIndex, mlir::Value key, int64_t j);
  bool isRead(unsigned i);
  void turn(mlir::Value from, mlir::Value to, mlir::Value keys);
  void turnSquare(mlir::Value from, mlir::Value to, mlir::Value key, mlir::Value query, mlir::Value mask);

  OnlineAttentionOp op;
  VectorEmitter &emitter;
  /// For each mapped operand: what holds for all keys, by vector of queries or once; or the memref [T, P] it became.
  llvm::SmallVector<VectorEmitter::Values> fixed;
  llvm::SmallVector<mlir::Value> turned;
};

} // namespace attn

#endif // ATTN_LIB_CODEGEN_CPU_SCOREREGIONS_H
