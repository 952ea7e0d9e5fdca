//===- EvaluateTest.cpp - Values of weight expressions -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Expected bytes are written element by element from each expression's formula.
//
//===----------------------------------------------------------------------===//

#include "Expressions.h"

using namespace attn;
using namespace llvm;

namespace {
class EvaluateTest : public ExpressionTest {
protected:
  void expectFailure(std::string text, StringRef message) {
    auto evaluator = create(std::move(text));
    ASSERT_FALSE(bool(evaluator));
    std::string error = toString(evaluator.takeError());
    EXPECT_TRUE(StringRef(error).contains(message)) << error;
  }
};

TEST_F(EvaluateTest, File) {
  std::string bytes = writeRandom(100);
  EXPECT_EQ(evaluate("#attn.file<@, 3 : tensor<4x5xf32>>"), bytes.substr(3, 80));
  EXPECT_EQ(evaluate("#attn.file<@, 100 : tensor<0x5xf32>>"), "");
  EXPECT_EQ(evaluate("#attn.file<@, 92 : tensor<f64>>"), bytes.substr(92));
}

TEST_F(EvaluateTest, FileErrors) {
  writeRandom(100);
  expectFailure("#attn.file<@, 24 : tensor<4x5xf32>>", "bytes [24, 24 + 80), but the file has 100 bytes");
  expectFailure("#attn.file<@, 9223372036854775000 : tensor<1xi8>>", "but the file has 100 bytes");
  expectFailure("#attn.dense<dense<0> : tensor<4611686018427387904xi32>>", "too many bytes");
  expectFailure("#attn.file<\"/nowhere/w.bin\", 0 : tensor<4xf32>>", "/nowhere/w.bin");
  expectFailure("#attn.file<\"/\", 0 : tensor<4xf32>>", "not a regular file");
  expectFailure("#attn.dense<dense<1> : tensor<2xi4>>", "weights of i4 can't be written");
}

TEST_F(EvaluateTest, FileThatShrinks) {
  writeRandom(100000);
  auto evaluator = create("#attn.transpose<#attn.file<@, 0 : tensor<100x250xf32>>, [1, 0]>");
  ASSERT_TRUE(bool(evaluator)) << toString(evaluator.takeError());
  char block[16];
  EXPECT_FALSE(bool((*evaluator)->fill(0, block)));
  writeRandom(10);
  Error error = (*evaluator)->fill(50000, block);
  ASSERT_TRUE(bool(error));
  EXPECT_TRUE(StringRef(toString(std::move(error))).contains("shrank from 100000 to 10 bytes"));
}

TEST_F(EvaluateTest, OutsideOfTheValue) {
  auto evaluator = create("#attn.dense<dense<1.0> : tensor<4xf32>>");
  ASSERT_TRUE(bool(evaluator)) << toString(evaluator.takeError());
  char block[16];
  Error error = (*evaluator)->fill(1, block);
  ASSERT_TRUE(bool(error));
  EXPECT_EQ(toString(std::move(error)), "bytes [1, 1 + 16) are outside of a weight of 16 bytes");
}

TEST_F(EvaluateTest, Dense) {
  EXPECT_EQ(evaluate("#attn.dense<dense<[[1, 2], [3, 4]]> : tensor<2x2xi16>>"), StringRef("\1\0\2\0\3\0\4\0", 8));
  EXPECT_EQ(evaluate("#attn.dense<dense<7> : tensor<3xi32>>"), StringRef("\7\0\0\0\7\0\0\0\7\0\0\0", 12));
  EXPECT_EQ(evaluate("#attn.dense<dense<[true, false, true]> : tensor<3xi1>>"), StringRef("\1\0\1", 3));
  EXPECT_EQ(evaluate("#attn.dense<dense<true> : tensor<2x2xi1>>"), StringRef("\1\1\1\1", 4));
}

TEST_F(EvaluateTest, Concat) {
  std::string bytes = writeRandom(400);
  std::string expected;
  for (unsigned i = 0; i < 3; ++i) {
    expected += bytes.substr(i * 5 * 4, 5 * 4);
    expected += bytes.substr(100 + i * 7 * 4, 7 * 4);
    expected += bytes.substr(300 + i * 4, 4);
  }
  EXPECT_EQ(evaluate("#attn.concat<1, #attn.file<@, 0 : tensor<3x5xf32>>, #attn.file<@, 100 : tensor<3x7xf32>>, "
                     "#attn.file<@, 0 : tensor<3x0xf32>>, #attn.file<@, 300 : tensor<3x1xf32>>>"),
            expected);
  EXPECT_EQ(evaluate("#attn.concat<0, #attn.file<@, 40 : tensor<3x5xi16>>, #attn.file<@, 0 : tensor<2x5xi16>>>"),
            bytes.substr(40, 30) + bytes.substr(0, 20));
}

TEST_F(EvaluateTest, Slice) {
  std::string bytes = writeRandom(5 * 6 * 7 * 4);
  auto slice = [&](unsigned o0, unsigned n0, unsigned o1, unsigned n1, unsigned o2, unsigned n2) {
    std::string result;
    for (unsigned i = o0; i < o0 + n0; ++i)
      for (unsigned j = o1; j < o1 + n1; ++j)
        for (unsigned k = o2; k < o2 + n2; ++k)
          result += bytes.substr(((i * 6 + j) * 7 + k) * 4, 4);
    return result;
  };
  std::string file = "#attn.slice<#attn.file<@, 0 : tensor<5x6x7xf32>>, ";
  EXPECT_EQ(evaluate(file + "[1, 2, 3], [3, 2, 4]>"), slice(1, 3, 2, 2, 3, 4));
  EXPECT_EQ(evaluate(file + "[1, 2, 0], [3, 4, 7]>"), slice(1, 3, 2, 4, 0, 7));
  EXPECT_EQ(evaluate(file + "[2, 0, 0], [2, 6, 7]>"), slice(2, 2, 0, 6, 0, 7));
  EXPECT_EQ(evaluate(file + "[0, 0, 6], [5, 6, 1]>"), slice(0, 5, 0, 6, 6, 1));
  EXPECT_EQ(evaluate(file + "[0, 6, 0], [5, 0, 7]>"), "");
}

TEST_F(EvaluateTest, Reshape) {
  std::string bytes = writeRandom(200);
  EXPECT_EQ(evaluate("#attn.reshape<#attn.file<@, 8 : tensor<4x6xf16>>, [2, 12]>"), bytes.substr(8, 48));
}

TEST_F(EvaluateTest, Transpose) {
  std::string bytes = writeRandom(70 * 90 * 2 * 4);
  std::string expected;
  for (unsigned j = 0; j < 90; ++j)
    for (unsigned i = 0; i < 70; ++i)
      expected += bytes.substr((i * 90 + j) * 4, 4);
  EXPECT_TRUE(evaluate("#attn.transpose<#attn.file<@, 0 : tensor<70x90xf32>>, [1, 0]>") == expected);

  // Every permutation of three dimensions.
  int64_t shape[] = {5, 6, 7};
  int order[] = {0, 1, 2};
  do {
    expected.clear();
    int64_t at[3];
    for (at[order[0]] = 0; at[order[0]] < shape[order[0]]; ++at[order[0]])
      for (at[order[1]] = 0; at[order[1]] < shape[order[1]]; ++at[order[1]])
        for (at[order[2]] = 0; at[order[2]] < shape[order[2]]; ++at[order[2]])
          expected += bytes.substr(((at[0] * 6 + at[1]) * 7 + at[2]) * 2, 2);
    std::string permutation =
        std::to_string(order[0]) + ", " + std::to_string(order[1]) + ", " + std::to_string(order[2]);
    EXPECT_TRUE(evaluate("#attn.transpose<#attn.file<@, 0 : tensor<5x6x7xbf16>>, [" + permutation + "]>") == expected)
        << permutation;
  } while (std::next_permutation(order, order + 3));
}

TEST_F(EvaluateTest, Panels) {
  std::string bytes = writeRandom(300 * 150 * 4);
  for (int64_t element : {1, 2, 4, 8})
    for (int64_t width : {1, 8, 32, 48, 96})
      for (auto [rows, columns] : {std::pair<int64_t, int64_t>{64, 4}, {35, 131}, {7, 140}, {100, 1}}) {
        std::string expected;
        for (int64_t p = 0; p * width < rows; ++p)
          for (int64_t k = 0; k < columns; ++k)
            for (int64_t j = p * width; j < (p + 1) * width; ++j)
              expected += j < rows ? bytes.substr((j * columns + k) * element, element) : std::string(element, '\0');
        std::string type = std::to_string(rows) + "x" + std::to_string(columns) + "xi" + std::to_string(element * 8);
        EXPECT_TRUE(evaluate("#attn.panels<#attn.file<@, 0 : tensor<" + type + ">>, " + std::to_string(width) + ">") ==
                    expected)
            << type << " in panels of " << width;
      }
}

TEST_F(EvaluateTest, Nested) {
  std::string bytes = writeRandom(3 * 64 * 2);
  std::string parts;
  for (unsigned i = 0; i < 3; ++i)
    parts +=
        (i ? ", " : "") + ("#attn.convert<#attn.file<@, " + std::to_string(i * 128) + " : tensor<8x8xbf16>> to f32>");
  std::string value = evaluate("#attn.panels<#attn.concat<0, " + parts + ">, 16>");
  ASSERT_EQ(value.size(), 2u * 8 * 16 * 4);
  for (unsigned p = 0; p < 2; ++p)
    for (unsigned k = 0; k < 8; ++k)
      for (unsigned j = 0; j < 16; ++j) {
        unsigned row = p * 16 + j;
        std::string expected(4, '\0');
        if (row < 24)
          expected.replace(2, 2, bytes.substr((row * 8 + k) * 2, 2));
        if ((expected[3] & 0x7f) == 0x7f && (expected[2] & 0x80)) // NaN payloads are another test's.
          continue;
        EXPECT_EQ(value.substr(((p * 8 + k) * 16 + j) * 4, 4), expected) << p << " " << k << " " << j;
      }
}

TEST_F(EvaluateTest, FilesAreOpenedOnce) {
  writeRandom(64);
  FileCache files;
  auto first = files.open(path), second = files.open(path);
  ASSERT_TRUE(bool(first) && bool(second));
  EXPECT_EQ(first->get(), second->get());
}
} // namespace
