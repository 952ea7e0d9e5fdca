//===- Expressions.h - Expressions over a temporary file --------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TEST_UNIT_EVALUATE_EXPRESSIONS_H
#define ATTN_TEST_UNIT_EVALUATE_EXPRESSIONS_H

#include "attn/Dialect/Attn/IR/Attn.h"
#include "attn/Target/Weights/Evaluate.h"
#include "mlir/AsmParser/AsmParser.h"
#include "mlir/IR/MLIRContext.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/raw_ostream.h"
#include <gtest/gtest.h>
#include <random>

namespace attn {

/// A test with a context and a temporary file of random bytes that `@` in an expression's text stands for.
class ExpressionTest : public testing::Test {
protected:
  ExpressionTest() { context.loadDialect<AttnDialect>(); }
  ~ExpressionTest() override {
    if (!path.empty())
      llvm::sys::fs::remove(path);
  }

  void write(llvm::StringRef contents) {
    if (path.empty()) {
      llvm::SmallString<128> name;
      ASSERT_FALSE(llvm::sys::fs::createTemporaryFile("weights", "bin", name));
      path = name.str().str();
    }
    std::error_code code;
    llvm::raw_fd_ostream os(path, code);
    os << contents;
    os.close();
    ASSERT_FALSE(code || os.has_error());
  }

  std::string writeRandom(size_t size) {
    std::mt19937 random(1);
    std::string bytes;
    for (size_t i = 0; i < size; ++i)
      bytes.push_back(char(random()));
    write(bytes);
    return bytes;
  }

  mlir::Attribute parse(std::string text) {
    for (size_t i; (i = text.find('@')) != std::string::npos;)
      text.replace(i, 1, "\"" + path + "\"");
    return mlir::parseAttribute(text, &context);
  }

  llvm::Expected<std::unique_ptr<WeightEvaluator>> create(std::string text) {
    FileCache files;
    return createWeightEvaluator(parse(std::move(text)), files);
  }

  /// The value's bytes, read at once; compared with what small blocks at odd offsets give.
  std::string evaluate(std::string text) {
    auto evaluator = create(std::move(text));
    if (!evaluator) {
      ADD_FAILURE() << llvm::toString(evaluator.takeError());
      return "";
    }
    std::string whole = fill(**evaluator, 0, (*evaluator)->getNumBytes());
    for (size_t step : {1, 7, 61, 1021}) {
      std::string pieces;
      for (size_t i = 0; i < whole.size(); i += step)
        pieces += fill(**evaluator, i, std::min(step, whole.size() - i));
      EXPECT_TRUE(pieces == whole) << "in blocks of " << step << " bytes";
    }
    return whole;
  }

  static std::string fill(const WeightEvaluator &evaluator, uint64_t offset, uint64_t size) {
    // Bytes on both sides must not be touched.
    std::string block(size + 2, '\x5a');
    llvm::Error error = evaluator.fill(offset, llvm::MutableArrayRef<char>(block.data() + 1, size));
    EXPECT_FALSE(bool(error)) << llvm::toString(std::move(error));
    EXPECT_EQ(block.front(), '\x5a');
    EXPECT_EQ(block.back(), '\x5a');
    return block.substr(1, size);
  }

  mlir::MLIRContext context;
  std::string path;
};

} // namespace attn

#endif // ATTN_TEST_UNIT_EVALUATE_EXPRESSIONS_H
