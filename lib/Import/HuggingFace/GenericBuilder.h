//===- GenericBuilder.h - linalg ops by lists of loop dimensions -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_IMPORT_HUGGINGFACE_GENERICBUILDER_H
#define ATTN_LIB_IMPORT_HUGGINGFACE_GENERICBUILDER_H

#include "ModelBuilder.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace attn::huggingface {

/// Builds elementwise and reducing ops at a model's current location.
class GenericBuilder {
public:
  using Body = llvm::function_ref<mlir::Value(mlir::OpBuilder &, mlir::Location, mlir::ValueRange)>;

  explicit GenericBuilder(ModelBuilder &model) : ops(model.builder()), loc(model.loc()) {}

  /// An f32 number.
  mlir::Value constant(double value);
  /// A tensor, of f32 where no type is given.
  mlir::Value empty(llvm::ArrayRef<mlir::OpFoldResult> sizes, mlir::Type element = {});
  mlir::Value filled(llvm::ArrayRef<mlir::OpFoldResult> sizes, mlir::TypedAttr value);
  mlir::Value zeros(llvm::ArrayRef<mlir::OpFoldResult> sizes) { return filled(sizes, ops.getF32FloatAttr(0)); }
  /// `maps` are the inputs' and then that of `init`, as lists of loop dimensions; loops that `init` lacks are
  /// reductions. `body` takes an element of each and makes that of the result.
  mlir::Value generic(mlir::ValueRange inputs, mlir::Value init, llvm::ArrayRef<llvm::ArrayRef<unsigned>> maps,
                      unsigned numLoops, Body body);

  mlir::OpBuilder &ops;
  mlir::Location loc;
};

} // namespace attn::huggingface

#endif // ATTN_LIB_IMPORT_HUGGINGFACE_GENERICBUILDER_H
