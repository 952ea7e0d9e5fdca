//===- Run.h - Parses a module and interprets its function ------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the tests of the reference share.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TEST_UNIT_REFERENCE_RUN_H
#define ATTN_TEST_UNIT_REFERENCE_RUN_H

#include "attn/Reference/Interpreter.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "gtest/gtest.h"

namespace attn::reference {

/// Parses modules in a context of its own and interprets their first function.
class Runner {
public:
  Runner() {
    mlir::DialectRegistry registry;
    mlir::registerAllDialects(registry);
    mlir::registerAllExtensions(registry);
    registry.insert<AttnDialect>();
    context.appendDialectRegistry(registry);
    context.loadAllAvailableDialects();
  }

  mlir::OwningOpRef<mlir::ModuleOp> parse(llvm::StringRef source) {
    return mlir::parseSourceString<mlir::ModuleOp>(source, &context);
  }

  /// The results, or none with a test failure.
  std::vector<Tensor> run(llvm::StringRef source, llvm::ArrayRef<Tensor> inputs, WeightReader reader = readFileSlice) {
    auto module = parse(source);
    if (!module) {
      ADD_FAILURE() << "the module doesn't parse";
      return {};
    }
    return run(*module, inputs, reader);
  }

  std::vector<Tensor> run(mlir::ModuleOp module, llvm::ArrayRef<Tensor> inputs, WeightReader reader = readFileSlice) {
    auto results = interpret(*module.getOps<mlir::func::FuncOp>().begin(), inputs, reader);
    if (!results) {
      ADD_FAILURE() << llvm::toString(results.takeError());
      return {};
    }
    return std::move(*results);
  }

  /// The message of the error that the interpretation ends with, or "" with a test failure.
  std::string error(llvm::StringRef source, llvm::ArrayRef<Tensor> inputs, WeightReader reader = readFileSlice) {
    auto module = parse(source);
    if (!module) {
      ADD_FAILURE() << "the module doesn't parse";
      return "";
    }
    auto results = interpret(*module->getOps<mlir::func::FuncOp>().begin(), inputs, reader);
    if (results) {
      ADD_FAILURE() << "no error";
      return "";
    }
    return llvm::toString(results.takeError());
  }

  mlir::MLIRContext context;
};

/// Expects a floating-point tensor of this shape and these values, to 1e-12; infinities are themselves.
inline void expectFloats(const Tensor &tensor, llvm::ArrayRef<int64_t> shape, llvm::ArrayRef<double> values) {
  ASSERT_TRUE(tensor.isFloat);
  ASSERT_EQ(llvm::ArrayRef(tensor.shape), shape);
  ASSERT_EQ(tensor.floats.size(), values.size());
  for (size_t i = 0; i < values.size(); ++i)
    if (tensor.floats[i] != values[i])
      EXPECT_NEAR(tensor.floats[i], values[i], 1e-12) << "element " << i;
}

inline void expectIntegers(const Tensor &tensor, llvm::ArrayRef<int64_t> shape, llvm::ArrayRef<int64_t> values) {
  ASSERT_FALSE(tensor.isFloat);
  ASSERT_EQ(llvm::ArrayRef(tensor.shape), shape);
  EXPECT_EQ(llvm::ArrayRef(tensor.integers), values);
}

/// Values that look random and are the same everywhere, in [-1, 1).
inline Tensor noise(llvm::ArrayRef<int64_t> shape, uint64_t seed) {
  Tensor tensor(shape, /*isFloat=*/true);
  uint64_t state = seed * 0x9E3779B97F4A7C15u + 1;
  for (double &value : tensor.floats) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    value = double(state >> 11) * 0x1p-52 - 1;
  }
  return tensor;
}

} // namespace attn::reference

#endif // ATTN_TEST_UNIT_REFERENCE_RUN_H
