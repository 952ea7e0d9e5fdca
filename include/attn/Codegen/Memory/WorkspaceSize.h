//===- WorkspaceSize.h - Size arithmetic of the workspace -*- C++ -*-===//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_CODEGEN_MEMORY_WORKSPACESIZE_H
#define ATTN_CODEGEN_MEMORY_WORKSPACESIZE_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/IRMapping.h"

namespace attn {

/// Sums and products of sizes. With `checked`, remembers whether any of them left 63 bits.
class SizeBuilder {
public:
  SizeBuilder(mlir::OpBuilder &b, mlir::Location loc, bool checked) : b(b), loc(loc), checked(checked) {}

  mlir::Value constant(int64_t value) { return mlir::arith::ConstantIndexOp::create(b, loc, value); }
  mlir::Value add(mlir::Value lhs, mlir::Value rhs);
  mlir::Value mul(mlir::Value lhs, mlir::Value rhs);
  mlir::Value max(mlir::Value lhs, mlir::Value rhs) { return mlir::arith::MaxUIOp::create(b, loc, lhs, rhs); }
  /// What `op` computes, its operands replaced as `mapping` says: a copy of it, but with its products checked.
  void repeat(mlir::Operation &op, mlir::IRMapping &mapping);
  /// Bytes of a buffer of `type` with these dynamic sizes, a multiple of `alignment`.
  mlir::Value bytes(mlir::MemRefType type, mlir::ValueRange dynamicSizes, int64_t alignment);
  /// An i1 that says whether anything overflowed, null where nothing could.
  mlir::Value getOverflow() { return overflow; }

private:
  void note(mlir::Value flag);
  mlir::Value apply(mlir::AffineExpr expr, mlir::ValueRange operands, unsigned numDims);
  mlir::OpBuilder &b;
  mlir::Location loc;
  bool checked;
  mlir::Value overflow;
};

} // namespace attn

#endif // ATTN_CODEGEN_MEMORY_WORKSPACESIZE_H
