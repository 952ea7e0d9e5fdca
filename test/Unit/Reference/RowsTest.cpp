//===- RowsTest.cpp - linear, norms, embedding, key_ranges, pack by hand -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Every formula of the documentation once, with numbers small enough to check on paper.
//
//===----------------------------------------------------------------------===//

#include "Run.h"
#include <cmath>

using namespace attn::reference;

TEST(Rows, LinearWithEpilogue) {
  // x W^T = [[5, 11, 17], [11, 25, 39]]
  auto results = Runner().run(R"(
    func.func @f(%x: tensor<?x2xf32>, %w: tensor<3x2xf32>, %bias: tensor<3xf32>, %row: tensor<?xf32>, %init: tensor<?x3xf32>) -> tensor<?x3xf32> {
      %0 = attn.linear ins(%x, %w : tensor<?x2xf32>, tensor<3x2xf32>) extras(%bias, %row : tensor<3xf32>, tensor<?xf32>)
          outs(%init : tensor<?x3xf32>) -> tensor<?x3xf32> maps [affine_map<(m, n) -> (n)>, affine_map<(m, n) -> (m)>] {
      ^bb0(%s: f32, %b: f32, %r: f32):
        %1 = arith.addf %s, %b : f32
        %2 = arith.mulf %1, %r : f32
        attn.yield %2 : f32
      }
      return %0 : tensor<?x3xf32>
    })",
                              {Tensor::of({2, 2}, {1, 2, 3, 4}), Tensor::of({3, 2}, {1, 2, 3, 4, 5, 6}),
                               Tensor::of({3}, {10, 20, 30}), Tensor::of({2}, {1, -1}), Tensor({2, 3}, true)});
  ASSERT_EQ(results.size(), 1u);
  expectFloats(results[0], {2, 3}, {15, 31, 47, -21, -45, -69});
}

TEST(Rows, LinearReadsPanels) {
  // Three columns in panels of two: column 2 stands alone in the second panel.
  auto results =
      Runner().run(R"(
    func.func @f(%x: tensor<1x2xf32>, %w: tensor<2x2x2xf32>, %init: tensor<1x3xf32>) -> tensor<1x3xf32> {
      %0 = attn.linear ins(%x, %w : tensor<1x2xf32>, tensor<2x2x2xf32>) outs(%init : tensor<1x3xf32>) -> tensor<1x3xf32> {
      ^bb0(%s: f32):
        attn.yield %s : f32
      }
      return %0 : tensor<1x3xf32>
    })",
                   {Tensor::of({1, 2}, {1, 2}), Tensor::of({2, 2, 2}, {1, 3, 2, 4, 5, 0, 6, 0}), Tensor({1, 3}, true)});
  ASSERT_EQ(results.size(), 1u);
  expectFloats(results[0], {1, 3}, {5, 11, 17});
}

TEST(Rows, LinearShapesAreCheckedAtRunTime) {
  std::string message = Runner().error(R"(
    func.func @f(%x: tensor<?x?xf32>, %w: tensor<?x?xf32>, %init: tensor<?x?xf32>) -> tensor<?x?xf32> {
      %0 = attn.linear ins(%x, %w : tensor<?x?xf32>, tensor<?x?xf32>) outs(%init : tensor<?x?xf32>) -> tensor<?x?xf32> {
      ^bb0(%s: f32):
        attn.yield %s : f32
      }
      return %0 : tensor<?x?xf32>
    })",
                                       {Tensor({1, 2}, true), Tensor({3, 4}, true), Tensor({1, 3}, true)});
  EXPECT_NE(message.find("attn.linear: weight is [3, 4] at run time, expected [3, 2]"), std::string::npos) << message;
}

TEST(Rows, LayerNorm) {
  // Row 1 2 3 4: mean 2.5, variance 1.25; row of equal numbers: 0.
  auto results = Runner().run(R"(
    func.func @f(%x: tensor<2x4xf32>, %scale: tensor<4xf32>, %shift: tensor<4xf32>, %init: tensor<2x4xf32>) -> (tensor<2x4xf32>, tensor<2x4xf32>) {
      %0 = attn.layer_norm ins(%x, %scale, %shift : tensor<2x4xf32>, tensor<4xf32>, tensor<4xf32>) outs(%init : tensor<2x4xf32>) -> tensor<2x4xf32> {epsilon = 1.0}
      %1 = attn.layer_norm ins(%x, %scale : tensor<2x4xf32>, tensor<4xf32>) outs(%init : tensor<2x4xf32>) -> tensor<2x4xf32> {epsilon = 1.0}
      return %0, %1 : tensor<2x4xf32>, tensor<2x4xf32>
    })",
                              {Tensor::of({2, 4}, {1, 2, 3, 4, 7, 7, 7, 7}), Tensor::of({4}, {3, 3, 3, 3}),
                               Tensor::of({4}, {0, 1, 2, 3}), Tensor({2, 4}, true)});
  ASSERT_EQ(results.size(), 2u);
  expectFloats(results[0], {2, 4}, {-3, 0, 3, 6, 0, 1, 2, 3});
  expectFloats(results[1], {2, 4}, {-3, -1, 1, 3, 0, 0, 0, 0});
}

TEST(Rows, RMSNorm) {
  // Row 1 1 5 3: mean square 9; row of zeros: 0 also without epsilon.
  auto results = Runner().run(R"(
    func.func @f(%x: tensor<2x4xf32>, %scale: tensor<4xf32>, %init: tensor<2x4xf32>) -> (tensor<2x4xf32>, tensor<2x4xf32>) {
      %0 = attn.rms_norm ins(%x, %scale : tensor<2x4xf32>, tensor<4xf32>) outs(%init : tensor<2x4xf32>) -> tensor<2x4xf32> {epsilon = 0.0}
      %1 = attn.rms_norm ins(%x, %scale : tensor<2x4xf32>, tensor<4xf32>) outs(%init : tensor<2x4xf32>) -> tensor<2x4xf32> {epsilon = 27.0}
      return %0, %1 : tensor<2x4xf32>, tensor<2x4xf32>
    })",
                              {Tensor::of({2, 4}, {1, 1, 5, 3, 0, 0, 0, 0}), Tensor::of({4}, {3, 6, 3, 3}),
                               Tensor({2, 4}, true)});
  ASSERT_EQ(results.size(), 2u);
  expectFloats(results[0], {2, 4}, {1, 2, 5, 3, 0, 0, 0, 0});
  expectFloats(results[1], {2, 4}, {0.5, 1, 2.5, 1.5, 0, 0, 0, 0});
}

TEST(Rows, Rotary) {
  // Two rows of the pairs (1, 3), (2, 4) or, interleaved, (1, 2), (3, 4); a table of pairs and one of channels.
  auto results = Runner().run(R"(
    func.func @f(%x: tensor<2x4xf32>, %cos: tensor<2x2xf32>, %sin: tensor<2x2xf32>, %wide: tensor<4xf32>, %init: tensor<2x4xf32>) -> (tensor<2x4xf32>, tensor<2x4xf32>, tensor<2x4xf32>) {
      %0 = attn.rotary ins(%x, %cos, %sin : tensor<2x4xf32>, tensor<2x2xf32>, tensor<2x2xf32>) outs(%init : tensor<2x4xf32>) -> tensor<2x4xf32> map affine_map<(m) -> (m)>
      %1 = attn.rotary ins(%x, %cos, %sin : tensor<2x4xf32>, tensor<2x2xf32>, tensor<2x2xf32>) outs(%init : tensor<2x4xf32>) -> tensor<2x4xf32> map affine_map<(m) -> (m)> interleaved
      %2 = attn.rotary ins(%x, %wide, %wide : tensor<2x4xf32>, tensor<4xf32>, tensor<4xf32>) outs(%init : tensor<2x4xf32>) -> tensor<2x4xf32> map affine_map<(m) -> ()>
      return %0, %1, %2 : tensor<2x4xf32>, tensor<2x4xf32>, tensor<2x4xf32>
    })",
                              {Tensor::of({2, 4}, {1, 2, 3, 4, 1, 2, 3, 4}), Tensor::of({2, 2}, {1, 0, 2, 1}),
                               Tensor::of({2, 2}, {0, 1, 1, 10}), Tensor::of({4}, {1, 10, 100, 1000}),
                               Tensor({2, 4}, true)});
  ASSERT_EQ(results.size(), 3u);
  expectFloats(results[0], {2, 4}, {1, -4, 3, 2, 2 - 3, 2 - 40, 6 + 1, 4 + 20});
  expectFloats(results[1], {2, 4}, {1, 2, -4, 3, 2 - 2, 4 + 1, 3 - 40, 4 + 30});
  expectFloats(results[2], {2, 4}, {-2, -20, 400, 6000, -2, -20, 400, 6000});
}

TEST(Rows, EmbeddingAddsTablesAndPositionsAndClamps) {
  auto results = Runner().run(R"(
    func.func @f(%ids: tensor<2x2xi64>, %kinds: tensor<2x2xi64>, %words: tensor<3x1xf32>, %types: tensor<2x1xf32>, %pos: tensor<4x1xf32>, %init: tensor<2x2x1xf32>) -> tensor<2x2x1xf32> {
      %0 = attn.embedding ins(%ids, %kinds : tensor<2x2xi64>, tensor<2x2xi64>) tables(%words, %types : tensor<3x1xf32>, tensor<2x1xf32>)
          positions(%pos : tensor<4x1xf32>) outs(%init : tensor<2x2x1xf32>) -> tensor<2x2x1xf32>
      return %0 : tensor<2x2x1xf32>
    })",
                              {Tensor::ofIntegers({2, 2}, {0, 2, 1, 99}), Tensor::ofIntegers({2, 2}, {0, 1, 1, -5}),
                               Tensor::of({3, 1}, {1, 2, 3}), Tensor::of({2, 1}, {10, 20}),
                               Tensor::of({4, 1}, {100, 200, 300, 400}), Tensor({2, 2, 1}, true)});
  ASSERT_EQ(results.size(), 1u);
  expectFloats(results[0], {2, 2, 1}, {111, 223, 122, 213});
}

TEST(Rows, KeyRanges) {
  auto results = Runner().run(R"(
    func.func @f(%mask: tensor<?x?xi64>, %init: tensor<?x4xi64>) -> tensor<?x4xi64> {
      %0 = attn.key_ranges ins(%mask : tensor<?x?xi64>) outs(%init : tensor<?x4xi64>) -> tensor<?x4xi64>
      return %0 : tensor<?x4xi64>
    })",
                              {Tensor::ofIntegers({5, 4}, {1, 1, 1, 1, 0, 1, 1, 0, 1, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 1}),
                               Tensor({5, 4}, false)});
  ASSERT_EQ(results.size(), 1u);
  expectIntegers(results[0], {5, 4}, {0, 4, 0, 0, 1, 3, 0, 0, 0, 4, 1, 0, 0, 4, 0, 1, 3, 4, 0, 0});
}

TEST(Rows, PackPadsWithZeros) {
  auto results = Runner().run(R"(
    func.func @f(%x: tensor<3x2xf32>, %init: tensor<2x2x2xf32>) -> tensor<2x2x2xf32> {
      %0 = attn.pack ins(%x : tensor<3x2xf32>) outs(%init : tensor<2x2x2xf32>) -> tensor<2x2x2xf32>
      return %0 : tensor<2x2x2xf32>
    })",
                              {Tensor::of({3, 2}, {1, 2, 3, 4, 5, 6}), Tensor({2, 2, 2}, true)});
  ASSERT_EQ(results.size(), 1u);
  expectFloats(results[0], {2, 2, 2}, {1, 3, 2, 4, 5, 0, 6, 0});
}

TEST(Rows, PackOfNoRowsIsZeros) {
  auto results = Runner().run(R"(
    func.func @f(%x: tensor<?x1xf32>, %init: tensor<1x1x2xf32>) -> tensor<1x1x2xf32> {
      %0 = attn.pack ins(%x : tensor<?x1xf32>) outs(%init : tensor<1x1x2xf32>) -> tensor<1x1x2xf32>
      return %0 : tensor<1x1x2xf32>
    })",
                              {Tensor({0, 1}, true), Tensor({1, 1, 2}, true)});
  ASSERT_EQ(results.size(), 1u);
  expectFloats(results[0], {1, 1, 2}, {0, 0});
}
