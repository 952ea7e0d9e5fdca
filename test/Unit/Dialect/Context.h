//===- Context.h - A context with the dialects that tests build in -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the tests of the dialect share.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TEST_UNIT_DIALECT_CONTEXT_H
#define ATTN_TEST_UNIT_DIALECT_CONTEXT_H

#include "attn/Dialect/Attn/IR/Attn.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Verifier.h"
#include "gtest/gtest.h"

namespace attn {

/// Builds ops at the end of a module.
class Module {
public:
  Module() : b(&context) {
    context.loadDialect<AttnDialect, mlir::arith::ArithDialect, mlir::tensor::TensorDialect>();
    module = mlir::ModuleOp::create(b, b.getUnknownLoc());
    b.setInsertionPointToEnd(module->getBody());
  }

  /// A tensor of f32.
  mlir::Value empty(llvm::ArrayRef<int64_t> shape) {
    return mlir::tensor::EmptyOp::create(b, b.getUnknownLoc(), shape, b.getF32Type());
  }

  mlir::MLIRContext context;
  mlir::OpBuilder b;
  mlir::OwningOpRef<mlir::ModuleOp> module;
};

} // namespace attn

#endif // ATTN_TEST_UNIT_DIALECT_CONTEXT_H
