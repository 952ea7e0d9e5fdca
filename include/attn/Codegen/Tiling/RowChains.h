//===- RowChains.h - Chains of row ops -*- C++ -*-===//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_CODEGEN_TILING_ROWCHAINS_H
#define ATTN_CODEGEN_TILING_ROWCHAINS_H

#include "attn/Dialect/Attn/IR/Attn.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace attn {

/// Row ops of one block that run as one parallel loop, in order. The loop stands where the last of them stands.
struct RowChain {
  llvm::SmallVector<mlir::TilingInterface> ops;
};

/// The schedule of a row op, null for any other op.
ScheduleAttr scheduleOfRowOp(mlir::Operation *op);

/// The chains of `block`. An op joins the chain before it where it reads a result of the chain row by row, reads no
/// result of the chain in another way, and where everything else that it reads can stand before the chain's loop.
llvm::SmallVector<RowChain> findRowChains(mlir::Block &block);

} // namespace attn

#endif // ATTN_CODEGEN_TILING_ROWCHAINS_H
