//===- FewRows.h - Row chains for fewer rows than workers -------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_CODEGEN_TILING_FEWROWS_H
#define ATTN_LIB_CODEGEN_TILING_FEWROWS_H

#include "attn/Codegen/Tiling/RowChains.h"

namespace attn {

/// How many rows are few at most, whatever the number of workers: buffers of the chain's own are as large.
constexpr int64_t kFewRows = 16;

/// Whole multiples of so many rows leave the smaller register tiles of a chain less to do.
int64_t granuleOf(const RowChain &chain);

/// The first destination of an op.
mlir::Value destinationOf(mlir::Operation *op);

/// The ops of `chain` whose results are used outside of it.
llvm::SmallVector<mlir::TilingInterface> findEscaping(const RowChain &chain);

/// Whether linears of `chain` are worth being cut into blocks of columns, and all can be.
bool hasFormForFewRows(const RowChain &chain);

/// Makes of such a chain two, chosen at run time by an scf.if: one for fewer blocks of rows than workers, whose linears
/// are parallel loops over blocks of columns already, and one for all other numbers of rows. Returns the chains that
/// are left to be cut into blocks of rows.
llvm::SmallVector<RowChain> splitFewRows(const RowChain &chain);

} // namespace attn

#endif // ATTN_LIB_CODEGEN_TILING_FEWROWS_H
