//===- SizeBounds.h - How large a size can be, known at entry -*- C++ -*-===//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_CODEGEN_MEMORY_SIZEBOUNDS_H
#define ATTN_CODEGEN_MEMORY_SIZEBOUNDS_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/Value.h"

namespace attn {

/// Finds for sizes of buffers values that are computed from the entry's arguments and are not smaller: mostly the size
/// itself; for the last, shorter block of a loop the full block; for what a branch yields the larger of both.
///
/// The values may stand anywhere in the entry, the new ones at the end of `body`, behind what they use: who asks moves
/// them all to the begin in program order, and has the rest erased.
class SizeBounds {
public:
  explicit SizeBounds(mlir::Block &body) : body(body), b(mlir::OpBuilder::atBlockTerminator(&body)) {}
  /// A bound of the index `size`; null where none is known, and then getCulprit() is the op that it depends on.
  mlir::Value of(mlir::Value size);
  mlir::Operation *getCulprit() const { return culprit; }

  /// Erases what was made and is neither used nor kept.
  void eraseUnused(llvm::function_ref<bool(mlir::Operation *)> isKept);

private:
  mlir::Value find(mlir::Value size);
  mlir::Value findOfOp(mlir::Operation *op);
  mlir::Value ofDim(mlir::Value buffer, int64_t dim);
  mlir::Value ofSize(mlir::OpFoldResult size);
  mlir::Value fail(mlir::Operation *op);
  template <typename OpTy>
  mlir::Value make(mlir::Value lhs, mlir::Value rhs);

  mlir::Block &body;
  mlir::OpBuilder b;
  mlir::Operation *culprit = nullptr;
  llvm::DenseMap<mlir::Value, mlir::Value> known;
  llvm::SmallVector<mlir::Operation *> created;
};

} // namespace attn

#endif // ATTN_CODEGEN_MEMORY_SIZEBOUNDS_H
