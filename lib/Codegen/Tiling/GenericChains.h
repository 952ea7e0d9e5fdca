//===- GenericChains.h - Chains of linalg ops -------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_CODEGEN_TILING_GENERICCHAINS_H
#define ATTN_LIB_CODEGEN_TILING_GENERICCHAINS_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace attn {

/// Linalg ops on tensors that run as one parallel loop, in order. The loop goes over the first `dims` dimensions of
/// their results, which have the same sizes in all of them; the last of these is cut into blocks.
struct GenericChain {
  llvm::SmallVector<mlir::linalg::LinalgOp> ops;
  unsigned dims = 0;
  /// Sizes of these dimensions.
  llvm::SmallVector<mlir::OpFoldResult> sizes;

  bool contains(mlir::Operation *op) const {
    return llvm::any_of(ops, [&](mlir::linalg::LinalgOp member) { return member.getOperation() == op; });
  }
};

/// The loops of `op` that stand for the first `dims` dimensions of its results; empty where there are none.
llvm::SmallVector<unsigned> taskLoops(mlir::linalg::LinalgOp op, unsigned dims);

/// The tensor that `init` was before linalg ops wrote into it.
mlir::Value originOf(mlir::Value init);

/// The chains of `block`. An op joins the chain before it where it has the same sizes, reads results of the chain along
/// these dimensions only, and where everything else that it reads can stand before the chain's loop.
llvm::SmallVector<GenericChain> findGenericChains(mlir::Block &block);

} // namespace attn

#endif // ATTN_LIB_CODEGEN_TILING_GENERICCHAINS_H
