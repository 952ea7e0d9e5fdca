//===- Utils.h - What the rewrites of the stage `fuse` share ---*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Names and locations of new ops, remarks, and small builders.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_DIALECT_ATTN_TRANSFORMS_UTILS_H
#define ATTN_LIB_DIALECT_ATTN_TRANSFORMS_UTILS_H

#include "attn/Dialect/Attn/IR/Attn.h"
#include "mlir/Dialect/Utils/ReshapeOpsUtils.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/Remarks.h"

namespace attn {

/// The category of all remarks of the stage.
constexpr llvm::StringLiteral kFuseCategory = "attn-fuse";

/// The location of a part of the op at `loc`: the op's name, "/" and `part`, at the same place in the file.
mlir::Location partLocation(mlir::Location loc, llvm::StringRef part);

/// One name for several: what they share at the beginning and end, in whole components, and between it what tells them
/// apart, joined by "_": {"l.0.query.bias", "l.0.key.bias"} gives "l.0.query_key.bias".
std::string jointName(llvm::ArrayRef<llvm::StringRef> names);

/// The location of an op that does the work of those at `locations`.
mlir::Location jointLocation(mlir::MLIRContext *context, llvm::ArrayRef<mlir::Location> locations);

/// A remark that `name` was done at, or to, `op`.
mlir::remark::detail::InFlightRemark remarkDone(mlir::Operation *op, llvm::StringLiteral name);

/// A remark that `name` could not be done at `op`; the text says why.
mlir::remark::detail::InFlightRemark remarkMissed(mlir::Operation *op, llvm::StringLiteral name);

/// A destination: an uninitialized tensor.
mlir::Value createDestination(mlir::OpBuilder &b, mlir::Location loc, llvm::ArrayRef<mlir::OpFoldResult> sizes,
                              mlir::Type elementType);

/// All dimensions but the last in one group, the last in another.
llvm::SmallVector<mlir::ReassociationIndices> rowReassociation(int64_t rank);

/// The argument whose elements `value` holds as indices, in any shape: through casts of the type, widening and reshapes.
/// Null where they are computed.
mlir::BlockArgument findIndexArgument(mlir::Value value);

/// How many ops of type `OpTy` are in `root`.
template <typename... OpTy>
int64_t countOps(mlir::Operation *root) {
  int64_t count = 0;
  root->walk([&](mlir::Operation *op) { count += llvm::isa<OpTy...>(op); });
  return count;
}

} // namespace attn

#endif // ATTN_LIB_DIALECT_ATTN_TRANSFORMS_UTILS_H
