//===- RegionWidener.h - Regions in a wider type ----------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_CODEGEN_SCHEDULE_REGIONWIDENER_H
#define ATTN_CODEGEN_SCHEDULE_REGIONWIDENER_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/IRMapping.h"

namespace attn {

/// Rewrites a region so that every float in it that is narrower than `wide` is of that type.
class RegionWidener {
public:
  RegionWidener(mlir::MLIRContext *context, mlir::FloatType wide) : b(context), wide(wide) {}

  /// `types` are those of the arguments from now on; narrow ones are converted inside.
  void run(mlir::Region &region, mlir::TypeRange types);

private:
  bool isNarrow(mlir::Type type);
  mlir::Type widened(mlir::Type type) { return isNarrow(type) ? mlir::Type(wide) : type; }
  void widen(mlir::Operation &op);
  /// An op that asks for the types it has: its operands get these back, its results become wide.
  void cloneAsIs(mlir::Operation &op);

  mlir::OpBuilder b;
  mlir::FloatType wide;
  mlir::IRMapping values;
};

} // namespace attn

#endif // ATTN_CODEGEN_SCHEDULE_REGIONWIDENER_H
