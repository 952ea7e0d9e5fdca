//===- Contract.h - What has to hold for every op after a stage -*- C++ -*-===//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_DIALECT_ATTN_IR_CONTRACT_H
#define ATTN_DIALECT_ATTN_IR_CONTRACT_H

#include "mlir/IR/Operation.h"
#include "mlir/IR/Visitors.h"

namespace attn {

/// Applies `verify` to `root` and all ops in it, each before those in its regions, up to the first failure, for which
/// it has emitted an error.
inline llvm::LogicalResult verifyContract(mlir::Operation *root,
                                          llvm::function_ref<llvm::LogicalResult(mlir::Operation *)> verify) {
  mlir::WalkResult result = root->walk<mlir::WalkOrder::PreOrder>([&](mlir::Operation *op) {
    return llvm::failed(verify(op)) ? mlir::WalkResult::interrupt() : mlir::WalkResult::advance();
  });
  return llvm::failure(result.wasInterrupted());
}

} // namespace attn

#endif // ATTN_DIALECT_ATTN_IR_CONTRACT_H
