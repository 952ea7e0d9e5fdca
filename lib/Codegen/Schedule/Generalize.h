//===- Generalize.h - attn ops as linalg ops --------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_CODEGEN_SCHEDULE_GENERALIZE_H
#define ATTN_LIB_CODEGEN_SCHEDULE_GENERALIZE_H

#include "attn/Dialect/Attn/IR/Attn.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace attn {

/// Each of these writes the meaning of an op on tensors, as its documentation says it, in linalg ops before it, and
/// returns what its results are.
llvm::SmallVector<mlir::Value> generalize(mlir::OpBuilder &b, LinearOp op);
llvm::SmallVector<mlir::Value> generalize(mlir::OpBuilder &b, NormOpInterface op);
llvm::SmallVector<mlir::Value> generalize(mlir::OpBuilder &b, RotaryOp op);
llvm::SmallVector<mlir::Value> generalize(mlir::OpBuilder &b, EmbeddingOp op);
llvm::SmallVector<mlir::Value> generalize(mlir::OpBuilder &b, AttentionOp op);
llvm::SmallVector<mlir::Value> generalize(mlir::OpBuilder &b, KeyRangesOp op);

/// Builds linalg ops at one place.
class LinalgBuilder {
public:
  LinalgBuilder(mlir::OpBuilder &b, mlir::Location loc) : b(b), loc(loc) {}

  using Body = llvm::function_ref<mlir::Value(mlir::OpBuilder &b, llvm::ArrayRef<mlir::Value> arguments)>;
  using Operand = std::pair<mlir::Value, mlir::AffineMap>;

  /// A linalg.generic with one result, which `out` says where it goes. The loops that `out` doesn't use are reductions.
  mlir::Value generic(llvm::ArrayRef<Operand> inputs, Operand out, Body body);

  /// An uninitialized tensor, and one filled with `value`.
  mlir::Value empty(llvm::ArrayRef<mlir::OpFoldResult> sizes, mlir::Type element);
  mlir::Value filled(mlir::Value tensor, double value);
  mlir::Value filled(llvm::ArrayRef<mlir::OpFoldResult> sizes, mlir::Type element, double value);

  /// sum over the loops that `out` doesn't use of `lhs` times `rhs`.
  mlir::Value contract(Operand lhs, Operand rhs, Operand out);

private:
  mlir::OpBuilder &b;
  mlir::Location loc;
};

} // namespace attn

#endif // ATTN_LIB_CODEGEN_SCHEDULE_GENERALIZE_H
