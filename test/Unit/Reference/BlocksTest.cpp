//===- BlocksTest.cpp - Whole blocks against their parts -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Blocks are checked where they are simple on paper, and against the ops that they stand for.
//
//===----------------------------------------------------------------------===//

#include "Run.h"
#include <cmath>

using namespace attn::reference;

TEST(Blocks, FeedForward) {
  auto results = Runner().run(R"(
    func.func @f(%x: tensor<1x2xf32>, %u: tensor<3x2xf32>, %c: tensor<3xf32>, %d: tensor<1x3xf32>, %b: tensor<1xf32>) -> tensor<1x1xf32> {
      %0 = attn.feed_forward %x up(%u, %c : tensor<3x2xf32>, tensor<3xf32>) down(%d, %b : tensor<1x3xf32>, tensor<1xf32>) {activation = #attn.activation<relu>} : tensor<1x2xf32> -> tensor<1x1xf32>
      return %0 : tensor<1x1xf32>
    })",
                              {Tensor::of({1, 2}, {1, -1}), Tensor::of({3, 2}, {1, 0, 0, 1, 2, 1}),
                               Tensor::of({3}, {0, 0, 1}), Tensor::of({1, 3}, {1, 10, 100}), Tensor::of({1}, {1000})});
  ASSERT_EQ(results.size(), 1u);
  expectFloats(results[0], {1, 1}, {1201});
}

TEST(Blocks, QuickGelu) {
  auto results = Runner().run(R"(
    func.func @f(%x: tensor<1x1xf32>, %i: tensor<1x1xf32>) -> tensor<1x1xf32> {
      %0 = attn.feed_forward %x up(%i : tensor<1x1xf32>) down(%i : tensor<1x1xf32>) {activation = #attn.activation<quick_gelu>} : tensor<1x1xf32> -> tensor<1x1xf32>
      return %0 : tensor<1x1xf32>
    })",
                              {Tensor::of({1, 1}, {2}), Tensor::of({1, 1}, {1})});
  ASSERT_EQ(results.size(), 1u);
  expectFloats(results[0], {1, 1}, {2 / (1 + std::exp(-2 * 1.702))});
}

TEST(Blocks, MultiHeadAttentionOfIdentities) {
  // Two heads of one channel, identity projections: each head is an attention of its own. The second key is masked.
  auto results = Runner().run(R"(
    func.func @f(%x: tensor<1x3x2xf32>, %m: tensor<1x3xi64>, %i: tensor<2x2xf32>) -> tensor<1x3x2xf32> {
      %0 = attn.multi_head_attention %x, mask(%m : tensor<1x3xi64>) query_projection(%i : tensor<2x2xf32>) key_projection(%i : tensor<2x2xf32>)
          value_projection(%i : tensor<2x2xf32>) output_projection(%i : tensor<2x2xf32>) {num_heads = 2} : tensor<1x3x2xf32> -> tensor<1x3x2xf32>
      return %0 : tensor<1x3x2xf32>
    })",
                              {Tensor::of({1, 3, 2}, {1, 0, 9, 9, 0, 1}), Tensor::ofIntegers({1, 3}, {1, 0, 1}),
                               Tensor::of({2, 2}, {1, 0, 0, 1})});
  ASSERT_EQ(results.size(), 1u);
  double e = std::exp(1), big = e / (e + 1), huge = std::exp(9) / (std::exp(9) + 1);
  expectFloats(results[0], {1, 3, 2}, {big, 0.5, huge, huge, 0.5, big});
}

static const char *kEncoder = R"(
    func.func @f(%x: tensor<2x5x8xf32>, %m: tensor<2x5xi64>, %w: tensor<8x8xf32>, %b: tensor<8xf32>, %u: tensor<16x8xf32>, %c: tensor<16xf32>, %d: tensor<8x16xf32>) -> tensor<2x5x8xf32> {
      %0 = attn.encoder_layer %x, mask(%m : tensor<2x5xi64>) query_projection(%w, %b : tensor<8x8xf32>, tensor<8xf32>) key_projection(%w : tensor<8x8xf32>)
          value_projection(%w, %b : tensor<8x8xf32>, tensor<8xf32>) output_projection(%w : tensor<8x8xf32>) attention_norm(%b, %b : tensor<8xf32>, tensor<8xf32>)
          up(%u, %c : tensor<16x8xf32>, tensor<16xf32>) down(%d : tensor<8x16xf32>) output_norm(%b, %b : tensor<8xf32>, tensor<8xf32>)
          {num_heads = 2, epsilon = 0.01, norm = #attn.norm<NORM>} : tensor<2x5x8xf32> -> tensor<2x5x8xf32>
      return %0 : tensor<2x5x8xf32>
    })";

static const char *kParts = R"(
    func.func @f(%x: tensor<2x5x8xf32>, %m: tensor<2x5xi64>, %w: tensor<8x8xf32>, %b: tensor<8xf32>, %u: tensor<16x8xf32>, %c: tensor<16xf32>, %d: tensor<8x16xf32>) -> tensor<2x5x8xf32> {
      %e = tensor.empty() : tensor<2x5x8xf32>
      ATTENTION_INPUT
      %a = attn.multi_head_attention %xa, mask(%m : tensor<2x5xi64>) query_projection(%w, %b : tensor<8x8xf32>, tensor<8xf32>) key_projection(%w : tensor<8x8xf32>)
          value_projection(%w, %b : tensor<8x8xf32>, tensor<8xf32>) output_projection(%w : tensor<8x8xf32>) {num_heads = 2} : tensor<2x5x8xf32> -> tensor<2x5x8xf32>
      %s = arith.addf %x, %a : tensor<2x5x8xf32>
      FORWARD_INPUT
      %f = attn.feed_forward %xf up(%u, %c : tensor<16x8xf32>, tensor<16xf32>) down(%d : tensor<8x16xf32>) : tensor<2x5x8xf32> -> tensor<2x5x8xf32>
      OUTPUT
    })";

static std::string replaced(std::string text, llvm::StringRef what, llvm::StringRef with) {
  size_t at = text.find(what.str());
  return text.replace(at, what.size(), with.str());
}

TEST(Blocks, EncoderLayerIsItsParts) {
  std::vector<Tensor> in = {noise({2, 5, 8}, 1), Tensor::ofIntegers({2, 5}, {1, 1, 1, 0, 0, 0, 1, 0, 1, 1}),
                            noise({8, 8}, 2),    noise({8}, 3),
                            noise({16, 8}, 4),   noise({16}, 5),
                            noise({8, 16}, 6)};
  auto norm = [](llvm::StringRef to, llvm::StringRef from) {
    return ("%" + to + " = attn.layer_norm ins(%" + from +
            ", %b, %b : tensor<2x5x8xf32>, tensor<8xf32>, tensor<8xf32>) outs(%e : tensor<2x5x8xf32>) -> "
            "tensor<2x5x8xf32> {epsilon = 0.01}\n")
        .str();
  };
  auto same = [](llvm::StringRef to, llvm::StringRef from) {
    return ("%" + to + " = tensor.cast %" + from + " : tensor<2x5x8xf32> to tensor<2x5x8xf32>\n").str();
  };
  for (bool pre : {false, true}) {
    std::string parts = replaced(kParts, "ATTENTION_INPUT", pre ? norm("xa", "x") : same("xa", "x"));
    parts = replaced(parts, "FORWARD_INPUT", norm("xf", "s"));
    std::string end = (llvm::Twine("%t = arith.addf %f, %") + (pre ? "s" : "xf") + " : tensor<2x5x8xf32>\n").str();
    end += pre ? same("r", "t") : norm("r", "t");
    parts = replaced(parts, "OUTPUT", end + "return %r : tensor<2x5x8xf32>");
    auto whole = Runner().run(replaced(kEncoder, "NORM", pre ? "pre" : "post"), in);
    auto composed = Runner().run(parts, in);
    ASSERT_EQ(whole.size(), 1u);
    ASSERT_EQ(composed.size(), 1u);
    expectFloats(whole[0], {2, 5, 8}, composed[0].floats);
  }
}
