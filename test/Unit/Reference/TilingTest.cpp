//===- TilingTest.cpp - Tiled functions mean what they meant before -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The tiling of the dialect's ops through the transform dialect, with numbers: tails, groups, offsets, positions.
//
//===----------------------------------------------------------------------===//

#include "Run.h"
#include "mlir/InitAllPasses.h"
#include "mlir/Interfaces/LoopLikeInterface.h"
#include <cmath>

using namespace attn::reference;

/// Runs `source` as it stands and after its transform script; both must agree.
static void expectSame(llvm::StringRef function, llvm::StringRef script, llvm::ArrayRef<Tensor> inputs) {
  std::string source = (function + R"(
    module attributes {transform.with_named_sequence} {
      transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
        )" + script + R"(
        transform.yield
      }
    })")
                           .str();
  Runner runner;
  auto module = runner.parse(source);
  ASSERT_TRUE(module);
  auto before = runner.run(*module, inputs);
  mlir::PassManager manager(&runner.context);
  mlir::registerAllPasses();
  ASSERT_TRUE(mlir::succeeded(mlir::parsePassPipeline("transform-interpreter,canonicalize,cse", manager)));
  ASSERT_TRUE(mlir::succeeded(manager.run(*module)));
  bool hasLoop = false;
  module->walk([&](mlir::LoopLikeOpInterface) { hasLoop = true; });
  EXPECT_TRUE(hasLoop);
  auto after = runner.run(*module, inputs);
  ASSERT_EQ(before.size(), after.size());
  ASSERT_FALSE(before.empty());
  for (size_t i = 0; i < before.size(); ++i)
    expectFloats(after[i], before[i].shape, before[i].floats);
}

static std::string tile(llvm::StringRef op, llvm::StringRef sizes) {
  return ("%op = transform.structured.match ops{[\"" + op +
          "\"]} in %root : (!transform.any_op) -> !transform.any_op\n" +
          "%tiled, %loop = transform.structured.tile_using_forall %op tile_sizes [" + sizes +
          "] : (!transform.any_op) -> (!transform.any_op, !transform.any_op)")
      .str();
}

TEST(TilingMeaning, Linear) {
  expectSame(R"(
    func.func @f(%x: tensor<?x8xf32>, %w: tensor<10x8xf32>, %b: tensor<10xf32>, %r: tensor<?x10xf32>, %init: tensor<?x10xf32>) -> tensor<?x10xf32> {
      %0 = attn.linear ins(%x, %w : tensor<?x8xf32>, tensor<10x8xf32>) extras(%b, %r : tensor<10xf32>, tensor<?x10xf32>)
          outs(%init : tensor<?x10xf32>) -> tensor<?x10xf32> maps [affine_map<(m, n) -> (n)>, affine_map<(m, n) -> (m, n)>] {
      ^bb0(%s: f32, %p: f32, %q: f32):
        %1 = arith.addf %s, %p : f32
        %2 = attn.gelu %1 : f32
        %3 = arith.addf %2, %q : f32
        attn.yield %3 : f32
      }
      return %0 : tensor<?x10xf32>
    })",
             tile("attn.linear", "3, 4"),
             {noise({7, 8}, 1), noise({10, 8}, 2), noise({10}, 3), noise({7, 10}, 4), Tensor({7, 10}, true)});
}

TEST(TilingMeaning, EmbeddingIntoNorm) {
  expectSame(
      R"(
    func.func @f(%ids: tensor<?x?xi64>, %words: tensor<9x4xf32>, %positions: tensor<16x4xf32>, %s: tensor<4xf32>, %init: tensor<?x?x4xf32>) -> tensor<?x?x4xf32> {
      %0 = attn.embedding ins(%ids : tensor<?x?xi64>) tables(%words : tensor<9x4xf32>) positions(%positions : tensor<16x4xf32>) outs(%init : tensor<?x?x4xf32>) -> tensor<?x?x4xf32>
      %1 = attn.layer_norm ins(%0, %s : tensor<?x?x4xf32>, tensor<4xf32>) outs(%init : tensor<?x?x4xf32>) -> tensor<?x?x4xf32> {epsilon = 0.01}
      return %1 : tensor<?x?x4xf32>
    })",
      R"(%op = transform.structured.match ops{["attn.layer_norm"]} in %root : (!transform.any_op) -> !transform.any_op
                %tiled, %loops:2 = transform.structured.fuse %op tile_sizes [1, 2] : (!transform.any_op) -> (!transform.any_op, !transform.any_op, !transform.any_op))",
      {Tensor::ofIntegers({2, 5}, {0, 1, 2, 3, 4, 8, 7, 6, 5, 0}), noise({9, 4}, 1), noise({16, 4}, 2), noise({4}, 3),
       Tensor({2, 5, 4}, true)});
}

/// Grouped heads, both regions, a range and an element mask, and all outputs.
static const char *kAttention = R"(
    #q = affine_map<(b, h, q, k, d, e) -> (b, q, h, d)>
    #k = affine_map<(b, h, q, k, d, e) -> (b, k, h floordiv 2, d)>
    #v = affine_map<(b, h, q, k, d, e) -> (b, k, h floordiv 2, e)>
    #m = affine_map<(b, h, q, k, d, e) -> (h, q, k)>
    #o = affine_map<(b, h, q, k, d, e) -> (b, q, h, e)>
    #l = affine_map<(b, h, q, k, d, e) -> (b, h, q)>
    func.func @f(%q: tensor<?x?x4x3xf32>, %k: tensor<?x?x2x3xf32>, %v: tensor<?x?x2x5xf32>, %mask: tensor<?x?xi64>, %bias: tensor<4x?x?xf32>, %slopes: tensor<4xf32>,
                 %ie: tensor<?x4xi64>, %o: tensor<?x?x4x5xf32>, %l: tensor<?x4x?xf32>) -> (tensor<?x?x4x5xf32>, tensor<?x4x?xf32>) {
      %r = attn.key_ranges ins(%mask : tensor<?x?xi64>) outs(%ie : tensor<?x4xi64>) -> tensor<?x4xi64>
      %0:2 = attn.attention ins(%q, %k, %v : tensor<?x?x4x3xf32>, tensor<?x?x2x3xf32>, tensor<?x?x2x5xf32>) ranges(%r : tensor<?x4xi64>) key_mask(%mask : tensor<?x?xi64>)
          mapped(%bias : tensor<4x?x?xf32>) whole(%slopes : tensor<4xf32>) outs(%o, %l : tensor<?x?x4x5xf32>, tensor<?x4x?xf32>) -> tensor<?x?x4x5xf32>, tensor<?x4x?xf32>
          maps [#q, #k, #v, #m, #o, #l] attributes {empty = #attn.empty<uniform>} score {
      ^bb0(%s: f32, %bi: index, %hi: index, %qi: index, %ki: index, %add: f32, %all: tensor<4xf32>):
        %slope = tensor.extract %all[%hi] : tensor<4xf32>
        %1 = arith.mulf %add, %slope : f32
        %2 = arith.addf %s, %1 : f32
        attn.yield %2 : f32
      } mask {
      ^bb0(%bi: index, %hi: index, %qi: index, %ki: index, %add: f32, %all: tensor<4xf32>):
        %1 = arith.addi %qi, %bi : index
        %t = arith.cmpi sge, %1, %ki : index
        attn.yield %t : i1
      }
      return %0#0, %0#1 : tensor<?x?x4x5xf32>, tensor<?x4x?xf32>
    })";

TEST(TilingMeaning, Attention) {
  std::vector<Tensor> inputs = {
      noise({2, 7, 4, 3}, 1), noise({2, 6, 2, 3}, 2),
      noise({2, 6, 2, 5}, 3), Tensor::ofIntegers({2, 6}, {1, 1, 0, 1, 0, 0, 0, 0, 1, 1, 1, 1}),
      noise({4, 7, 6}, 4),    noise({4}, 5),
      Tensor({2, 4}, false),  Tensor({2, 7, 4, 5}, true),
      Tensor({2, 4, 7}, true)};
  for (const char *sizes : {"1, 1, 3", "0, 2, 2", "1, 4, 0", "2, 0, 4"})
    expectSame(kAttention, tile("attn.attention", sizes), inputs);
}
