//===- TilingUtils.h - Slices of operands and tiles of results --*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the TilingInterface implementations of the dialect share. A tile is given by offsets and sizes over the loops of
// an op; every operand is read through an affine map whose results are single dimensions, a dimension `floordiv` a
// constant, or a constant. Slices keep the rank of what they are taken from.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_DIALECT_ATTN_IR_TILINGUTILS_H
#define ATTN_DIALECT_ATTN_IR_TILINGUTILS_H

#include "attn/Dialect/Attn/IR/Attn.h"
#include "mlir/IR/AffineMap.h"

namespace attn {

/// A part of the iteration space: for each dimension an offset and a size, or nothing where all of it is meant.
struct Tile {
  llvm::SmallVector<std::optional<mlir::OpFoldResult>> offsets;
  llvm::SmallVector<mlir::OpFoldResult> sizes;

  /// A tile of `rank` dimensions that covers everything.
  explicit Tile(unsigned rank) : offsets(rank), sizes(rank) {}
  void set(unsigned dim, mlir::OpFoldResult offset, mlir::OpFoldResult size) {
    offsets[dim] = offset;
    sizes[dim] = size;
  }
};

/// True where [offset, offset + size) is known to be all of dimension `dim` of `tensor`. Makes no IR.
bool isWholeDimension(mlir::OpFoldResult offset, mlir::OpFoldResult size, mlir::Value tensor, int64_t dim);

/// True where `value` is known to be a multiple of `divisor` at run time.
bool isKnownMultiple(mlir::OpFoldResult value, int64_t divisor);

/// Makes the slices of the operands of one tiled op and remembers them.
class OperandSlicer {
public:
  OperandSlicer(mlir::OpBuilder &b, mlir::Location loc) : b(b), loc(loc) {}

  /// The part of `tensor` that `tile` reads through `map`, under which the tiled op reads it with the same map;
  /// `tensor` itself where that is all of it. Fails where the map has other results than this file's head says, or
  /// where a `floordiv` would mean something else inside the tile.
  mlir::FailureOr<mlir::Value> slice(mlir::Value tensor, mlir::AffineMap map, const Tile &tile);

  /// The slices made so far, for TilingResult::generatedSlices.
  llvm::ArrayRef<mlir::Operation *> getSlices() const { return slices; }

private:
  mlir::OpBuilder &b;
  mlir::Location loc;
  llvm::SmallVector<mlir::Operation *> slices;
};

/// A copy of `op`, regions included, with `operands`, whose results have the types of `inits`.
mlir::TilingResult cloneTiled(mlir::OpBuilder &b, mlir::Operation *op, mlir::ValueRange operands,
                              mlir::ValueRange inits, llvm::ArrayRef<mlir::Operation *> slices);

/// One parallel loop from 0 to the extent of each of the dimensions `dims` of `tensor`.
llvm::SmallVector<mlir::Range> loopsOver(mlir::OpBuilder &b, mlir::Location loc, mlir::Value tensor,
                                         llvm::ArrayRef<unsigned> dims);

} // namespace attn

#endif // ATTN_DIALECT_ATTN_IR_TILINGUTILS_H
