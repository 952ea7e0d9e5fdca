//===- TokenRows.h - What works on rows, and what reads them ----*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A batch of sequences stands as [B, S, ...] where attention takes it, and as a matrix [B * S, N] where linears and
// norms do, with a row for each token.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_DIALECT_ATTN_TRANSFORMS_TOKENROWS_H
#define ATTN_LIB_DIALECT_ATTN_TRANSFORMS_TOKENROWS_H

#include "attn/Dialect/Attn/IR/Attn.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/ReshapeOpsUtils.h"

namespace attn {

/// True where the first two dimensions of [B, S, ...] are one in [B * S, ...].
bool joinsRows(llvm::ArrayRef<mlir::ReassociationIndices> groups);
/// The matrix [B * S, N] that `operand`, [B, S, ...], is a view of with all its rows, and the reshape that makes rows
/// two dimensions.
mlir::tensor::ExpandShapeOp findExpansion(mlir::Value operand);
/// True where a map's first results are the batch row and `row`.
bool hasRowsInFront(mlir::AffineMap map, unsigned row);
/// True for an op that computes each row of a matrix from the same row of others.
bool isRowOp(mlir::Operation *op);
/// The operands that such an op reads row by row.
llvm::SmallVector<mlir::OpOperand *> rowOperands(mlir::Operation *op);
/// True where such an op reads row by row through `use`.
bool isRowUse(mlir::OpOperand &use);
/// True where such an op reads matrices of as many rows as its result has, as far as types say, and nothing else.
bool readsMatrices(mlir::Operation *op);
/// True where both matrices have a row for each row of one other: they are the same, or linears of the same input.
bool haveSameRows(mlir::Value a, mlir::Value b);
/// True where `use` is a sum that multiplies each element with a mask's, which is 0 in the rows without tokens.
bool isMaskedSum(mlir::OpOperand &use, mlir::Value mask);
/// True where `use`, of [B, S, ...], reads the first row of each sequence, which is always there.
bool isFirstRow(mlir::OpOperand &use);

} // namespace attn

#endif // ATTN_LIB_DIALECT_ATTN_TRANSFORMS_TOKENROWS_H
