//===- CheckBuilder.h - Conditions on sizes, as values ----------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_DIALECT_ATTN_TRANSFORMS_CHECKBUILDER_H
#define ATTN_LIB_DIALECT_ATTN_TRANSFORMS_CHECKBUILDER_H

#include "attn/Dialect/Attn/IR/Attn.h"
#include "attn/Dialect/Attn/Transforms/Extents.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/Dominance.h"

namespace attn {

/// Builds conditions and inserts checks of them into one function.
///
/// Sizes are read where they come from: the function's arguments, whose types stay as they are, or an index value. The
/// type of a value in between may become static once the checked condition is believed, and then the condition would
/// fold away.
class CheckBuilder {
public:
  CheckBuilder(mlir::func::FuncOp function, Extents &extents);
  /// Removes conditions that turned out to be true.
  ~CheckBuilder();

  Extents &getExtents() { return extents; }
  int64_t getNumChecks() const { return numChecks; }

  /// Conditions are built before `op`.
  void startAt(mlir::Operation *op);

  /// A size as an index.
  mlir::Value value(Extents::Size size);
  mlir::Value value(mlir::OpFoldResult size) { return value(Extents::Size::of(size)); }
  mlir::Value dim(mlir::Value tensor, int64_t dim) { return value(Extents::Size{tensor, dim}); }
  mlir::Value constant(int64_t value);
  mlir::Value add(mlir::Value a, int64_t b);
  mlir::Value sum(mlir::Value a, mlir::Value b);
  mlir::Value sub(mlir::Value a, mlir::Value b);
  mlir::Value mul(mlir::Value a, mlir::Value b);
  mlir::Value ceilDiv(mlir::Value a, int64_t b);
  mlir::Value compare(mlir::arith::CmpIPredicate predicate, mlir::Value a, mlir::Value b);
  mlir::Value all(llvm::ArrayRef<mlir::Value> conditions);
  mlir::Value any(mlir::Value a, mlir::Value b);

  /// Inserts a check of `condition` before the current op; at the beginning of the function where it depends on
  /// arguments' shapes only and the op runs in every call. Failure after an error where it is always false.
  mlir::LogicalResult check(mlir::Value condition, Violation violation, llvm::StringRef need);

private:
  struct Listener final : mlir::OpBuilder::Listener {
    void notifyOperationInserted(mlir::Operation *op, mlir::OpBuilder::InsertPoint) override { built.push_back(op); }
    std::vector<mlir::Operation *> built;
  };

  bool canHoist(mlir::Value value);
  void hoist(mlir::Operation *op);

  Extents &extents;
  mlir::func::FuncOp function;
  mlir::DominanceInfo dominance;
  Listener listener;
  mlir::OpBuilder b;
  mlir::Operation *current = nullptr;
  /// The first op of the function that was not hoisted.
  mlir::Operation *front;
  llvm::DenseSet<mlir::Operation *> hoisted;
  int64_t numChecks = 0;
};

/// Checks that what `op` reads and writes lies inside of its tensors.
mlir::LogicalResult checkBounds(mlir::Operation *op, CheckBuilder &builder);

} // namespace attn

#endif // ATTN_LIB_DIALECT_ATTN_TRANSFORMS_CHECKBUILDER_H
