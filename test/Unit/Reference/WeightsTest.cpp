//===- WeightsTest.cpp - Weight expressions by hand -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A reader that the test gives stands for the files; one test reads a real one.
//
//===----------------------------------------------------------------------===//

#include "Run.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/raw_ostream.h"
#include <cmath>

using namespace attn::reference;

static llvm::Expected<Tensor> counting(attn::FileAttr slice) {
  // Element i of every file is i, counted from its start in elements.
  mlir::RankedTensorType type = slice.getType();
  Tensor tensor(type.getShape(), true);
  for (size_t i = 0; i < tensor.floats.size(); ++i)
    tensor.floats[i] = double(slice.getOffset() / (type.getElementTypeBitWidth() / 8) + i);
  return tensor;
}

static Tensor weight(llvm::StringRef type, llvm::StringRef expression) {
  std::string source = ("attn.weight @w : " + type + " = " + expression + "\nfunc.func @f() -> " + type +
                        " {\n %0 = attn.get_weight @w : " + type + "\n return %0 : " + type + "\n}")
                           .str();
  auto results = Runner().run(source, {}, counting);
  return results.empty() ? Tensor() : results[0];
}

TEST(Weights, Expressions) {
  expectFloats(weight("tensor<2x2xf32>", "#attn.file<\"m\", 8 : tensor<2x2xf32>>"), {2, 2}, {2, 3, 4, 5});
  expectFloats(
      weight("tensor<2x3xf32>",
             "#attn.concat<1, #attn.file<\"m\", 0 : tensor<2x2xf32>>, #attn.file<\"m\", 40 : tensor<2x1xf32>>>"),
      {2, 3}, {0, 1, 10, 2, 3, 11});
  expectFloats(weight("tensor<2x1xf32>", "#attn.slice<#attn.file<\"m\", 0 : tensor<3x3xf32>>, [1, 2], [2, 1]>"), {2, 1},
               {5, 8});
  expectFloats(
      weight("tensor<3x2xf32>", "#attn.transpose<#attn.reshape<#attn.file<\"m\", 0 : tensor<6xf32>>, [2, 3]>, [1, 0]>"),
      {3, 2}, {0, 3, 1, 4, 2, 5});
  expectFloats(weight("tensor<2x2x2xf32>", "#attn.panels<#attn.file<\"m\", 0 : tensor<3x2xf32>>, 2>"), {2, 2, 2},
               {0, 2, 1, 3, 4, 0, 5, 0});
  expectFloats(weight("tensor<2xf32>", "#attn.dense<dense<[0.5, 2.0]> : tensor<2xf32>>"), {2}, {0.5, 2});
}

TEST(Weights, ConvertRounds) {
  // 257 has nine bits, bf16 has eight: to the even neighbour.
  expectFloats(weight("tensor<2xbf16>", "#attn.convert<#attn.file<\"m\", 1028 : tensor<2xf32>> to bf16>"), {2},
               {256, 258});
}

TEST(Weights, Files) {
  llvm::SmallString<128> path;
  int file;
  ASSERT_FALSE(llvm::sys::fs::createTemporaryFile("attn-reference", "bin", file, path));
  {
    llvm::raw_fd_ostream os(file, /*shouldClose=*/true);
    // Two bytes of padding, 1.5 and -2 as f16, 3 as bf16, -1 and 7 as i16, all little-endian.
    os << llvm::StringRef("\0\0\x00\x3E\x00\xC0\x40\x40\xFF\xFF\x07\x00", 12);
  }
  Runner runner;
  auto slice = [&](uint64_t offset, llvm::ArrayRef<int64_t> shape, mlir::Type type) {
    return attn::FileAttr::get(&runner.context, path, offset, mlir::RankedTensorType::get(shape, type));
  };
  mlir::Builder b(&runner.context);
  auto halves = readFileSlice(slice(2, {2}, b.getF16Type()));
  ASSERT_TRUE(bool(halves)) << llvm::toString(halves.takeError());
  expectFloats(*halves, {2}, {1.5, -2});
  auto brains = readFileSlice(slice(6, {1}, b.getBF16Type()));
  ASSERT_TRUE(bool(brains)) << llvm::toString(brains.takeError());
  expectFloats(*brains, {1}, {3});
  auto integers = readFileSlice(slice(8, {2}, b.getI16Type()));
  ASSERT_TRUE(bool(integers)) << llvm::toString(integers.takeError());
  expectIntegers(*integers, {2}, {-1, 7});
  auto beyond = readFileSlice(slice(8, {3}, b.getI16Type()));
  ASSERT_FALSE(bool(beyond));
  EXPECT_NE(llvm::toString(beyond.takeError()).find("ends before a weight does"), std::string::npos);
  llvm::sys::fs::remove(path);
  auto missing = readFileSlice(slice(0, {1}, b.getI16Type()));
  ASSERT_FALSE(bool(missing));
  EXPECT_NE(llvm::toString(missing.takeError()).find("can't read"), std::string::npos);
}
