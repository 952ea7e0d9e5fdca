//===- LaneEmitter.h - The body of a linalg op on vectors -------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Emits one iteration of a linalg op for a vector of lanes: loads as the plan says, the body, stores. A value that is
// the same in all lanes stays a scalar until a vector meets it.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_CODEGEN_TILING_LANEEMITTER_H
#define ATTN_LIB_CODEGEN_TILING_LANEEMITTER_H

#include "attn/Codegen/Tiling/VectorPlan.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/Builders.h"

namespace attn {

class LaneEmitter {
public:
  /// Emits what is the same for all iterations at the builder's insertion point.
  LaneEmitter(mlir::OpBuilder &builder, mlir::linalg::LinalgOp op, const VectorPlan &plan, int64_t lanes);

  /// Lanes [0, count) are set.
  mlir::Value mask(mlir::Value count) const;
  mlir::Value broadcast(mlir::Value scalar) const;

  /// What `operand` holds for the iteration `ivs`, where that of the lane loop is the first lane's. No mask: all lanes.
  mlir::Value load(mlir::OpOperand &operand, llvm::ArrayRef<mlir::Value> ivs, mlir::Value mask) const;
  void store(mlir::Value value, mlir::OpOperand &operand, llvm::ArrayRef<mlir::Value> ivs, mlir::Value mask) const;

  /// One iteration: loads the inputs and returns what the body yields. `accumulators` stand for the results' current
  /// elements; where they are empty and the body asks, those are loaded.
  llvm::SmallVector<mlir::Value> compute(llvm::ArrayRef<mlir::Value> ivs, mlir::Value mask,
                                         llvm::ArrayRef<mlir::Value> accumulators) const;

private:
  /// An operand that lanes meet in steps, or that is addressed as raw memory: its buffer as one line of elements.
  struct Line {
    mlir::Value buffer;                     // from the first element on; an address where it is raw
    llvm::SmallVector<mlir::Value> strides; // of the operand's dimensions
    mlir::Value positions;                  // of the lanes after the first lane's
  };
  Line makeLine(mlir::Value memref, llvm::ArrayRef<int64_t> steps) const;
  Line makeRawLine(mlir::Value memref) const;
  /// Where the elements at `indices` stand.
  mlir::Value addressOf(const Line &line, llvm::ArrayRef<mlir::Value> indices, int64_t bytes) const;
  mlir::Value loadRaw(const Line &line, mlir::Type element, llvm::ArrayRef<mlir::Value> indices,
                      mlir::Value mask) const;
  /// `raw` integers as elements of a type that is addressed as raw memory.
  mlir::Value fromRaw(mlir::Value raw, mlir::Type element) const;
  /// What a body reads by index: consecutive elements where the last index is that of the lane loop, any others else.
  mlir::Value loadByIndex(mlir::memref::LoadOp load, mlir::IRMapping &values, mlir::Value mask,
                          mlir::Value laneIv) const;
  void storeRaw(mlir::Value value, mlir::OpOperand &operand, llvm::ArrayRef<mlir::Value> indices,
                mlir::Value mask) const;
  mlir::VectorType vectorOf(mlir::Type element) const { return mlir::VectorType::get({lanes}, element); }
  mlir::Value toVector(mlir::Value value) const;
  mlir::Value allLanes() const;
  mlir::Value lanesFrom0() const;
  mlir::Value add(mlir::Value lhs, mlir::Value rhs) const;
  mlir::Value multiply(mlir::Value lhs, mlir::Value rhs) const;
  llvm::SmallVector<mlir::Value> indicesOf(mlir::OpOperand &operand, llvm::ArrayRef<mlir::Value> ivs) const;
  mlir::Value positionOf(const Line &line, llvm::ArrayRef<mlir::Value> indices) const;
  void emitOp(mlir::Operation &op, mlir::IRMapping &values, mlir::Value mask, mlir::Value laneIv,
              llvm::ArrayRef<mlir::Value> accumulators) const;

  mlir::OpBuilder &b;
  mlir::Location loc;
  mutable mlir::linalg::LinalgOp op;
  const VectorPlan &plan;
  int64_t lanes;
  llvm::SmallVector<Line> lines;                 // one for each operand
  llvm::DenseMap<mlir::Operation *, Line> loads; // of the body
};

} // namespace attn

#endif // ATTN_LIB_CODEGEN_TILING_LANEEMITTER_H
