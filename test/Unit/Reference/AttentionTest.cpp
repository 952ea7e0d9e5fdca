//===- AttentionTest.cpp - Attention by hand -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Scores are chosen as logarithms, so that weights are fractions.
//
//===----------------------------------------------------------------------===//

#include "Run.h"
#include <cmath>

using namespace attn::reference;

/// Attention of one batch row and head, one query channel, over three keys with weights 1 : 2 : 5 for the query 1, with
/// what `extra` adds behind the operands and `regions` at the end. Values are 8, 80 and 800.
static std::string source(llvm::StringRef arguments, llvm::StringRef operands, llvm::StringRef attributes,
                          llvm::StringRef regions) {
  return (R"(
    #q = affine_map<(b, h, q, k, d, e) -> (b, h, q, d)>
    #k = affine_map<(b, h, q, k, d, e) -> (b, h, k, d)>
    #v = affine_map<(b, h, q, k, d, e) -> (b, h, k, e)>
    #o = affine_map<(b, h, q, k, d, e) -> (b, h, q, e)>
    #l = affine_map<(b, h, q, k, d, e) -> (b, h, q)>
    func.func @f(%q: tensor<1x1x?x1xf32>, %k: tensor<1x1x3x1xf32>, %v: tensor<1x1x3x1xf32>, %o: tensor<1x1x?x1xf32>,
                 %l: tensor<1x1x?xf32>)" +
          arguments + R"() -> (tensor<1x1x?x1xf32>, tensor<1x1x?xf32>) {
      %0:2 = attn.attention ins(%q, %k, %v : tensor<1x1x?x1xf32>, tensor<1x1x3x1xf32>, tensor<1x1x3x1xf32>) )" +
          operands + R"( outs(%o, %l : tensor<1x1x?x1xf32>, tensor<1x1x?xf32>) -> tensor<1x1x?x1xf32>, tensor<1x1x?xf32>
          maps [#q, #k, #v, #o, #l] attributes {)" +
          attributes + "}" + regions + R"(
      return %0#0, %0#1 : tensor<1x1x?x1xf32>, tensor<1x1x?xf32>
    })")
      .str();
}

static std::vector<Tensor> inputs(llvm::ArrayRef<double> queries, std::vector<Tensor> more = {}) {
  int64_t count = queries.size();
  std::vector<Tensor> all = {
      Tensor::of({1, 1, count, 1}, queries), Tensor::of({1, 1, 3, 1}, {0, std::log(2), std::log(5)}),
      Tensor::of({1, 1, 3, 1}, {8, 80, 800}), Tensor({1, 1, count, 1}, true), Tensor({1, 1, count}, true)};
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

TEST(Attention, PlainSoftmax) {
  auto results = Runner().run(source("", "", "", ""), inputs({1, 0, 2}));
  ASSERT_EQ(results.size(), 2u);
  expectFloats(results[0], {1, 1, 3, 1}, {1. + 20 + 500, 296, (8. + 4 * 80 + 25 * 800) / 30});
  expectFloats(results[1], {1, 1, 3}, {std::log(8), std::log(3), std::log(30)});
}

TEST(Attention, ScaleDefaultsToRootOfChannels) {
  auto results = Runner().run(source("", "", "scale = 2.0", ""), inputs({1}));
  ASSERT_EQ(results.size(), 2u);
  expectFloats(results[0], {1, 1, 1, 1}, {(8. + 4 * 80 + 25 * 800) / 30});
}

TEST(Attention, RangesAndKeyMask) {
  std::string module = source(", %r: tensor<1x4xi64>, %m: tensor<1x3xi64>",
                              "ranges(%r : tensor<1x4xi64>) key_mask(%m : tensor<1x3xi64>)", "", "");
  auto all = Runner().run(
      module, inputs({1}, {Tensor::ofIntegers({1, 4}, {0, 2, 0, 0}), Tensor::ofIntegers({1, 3}, {1, 1, 1})}));
  ASSERT_EQ(all.size(), 2u);
  expectFloats(all[0], {1, 1, 1, 1}, {168. / 3});
  auto one = Runner().run(
      module, inputs({1}, {Tensor::ofIntegers({1, 4}, {0, 2, 1, 0}), Tensor::ofIntegers({1, 3}, {0, 1, 1})}));
  ASSERT_EQ(one.size(), 2u);
  expectFloats(one[0], {1, 1, 1, 1}, {80});
}

TEST(Attention, EmptyRows) {
  double infinity = std::numeric_limits<double>::infinity();
  for (auto [rule, expected] : {std::pair("zero", 0.), std::pair("uniform", 296.), std::pair("unmasked", 521.)}) {
    auto results = Runner().run(source(", %m: tensor<1x3xi64>", "key_mask(%m : tensor<1x3xi64>)",
                                       "empty = #attn.empty<" + std::string(rule) + ">", ""),
                                inputs({1}, {Tensor::ofIntegers({1, 3}, {0, 0, 0})}));
    ASSERT_EQ(results.size(), 2u);
    expectFloats(results[0], {1, 1, 1, 1}, {expected});
    EXPECT_EQ(results[1].floats[0], -infinity) << rule;
  }
}

TEST(Attention, MaskRegionIsCausal) {
  auto results = Runner().run(source("", "", "", R"( mask {
      ^bb0(%b: index, %h: index, %q0: index, %k0: index):
        %t = arith.cmpi sge, %q0, %k0 : index
        attn.yield %t : i1
      })"),
                              inputs({1, 1, 1}));
  ASSERT_EQ(results.size(), 2u);
  expectFloats(results[0], {1, 1, 3, 1}, {8, 168. / 3, 521});
}

TEST(Attention, OffsetsReachRegionsAndRanges) {
  // The tile is query 1 of a whole whose keys begin at 10.
  std::string module = source(", %r: tensor<1x4xi64>, %c0: index, %c1: index, %c10: index",
                              "ranges(%r : tensor<1x4xi64>) offsets(%c0, %c0, %c1, %c10)", "", R"( mask {
      ^bb0(%b: index, %h: index, %q0: index, %k0: index):
        %c = arith.constant 10 : index
        %s = arith.addi %q0, %c : index
        %t = arith.cmpi sge, %s, %k0 : index
        attn.yield %t : i1
      })");
  auto results =
      Runner().run(module, inputs({1}, {Tensor::ofIntegers({1, 4}, {11, 13, 0, 0}), Tensor::ofIntegers({}, {0}),
                                        Tensor::ofIntegers({}, {1}), Tensor::ofIntegers({}, {10})}));
  ASSERT_EQ(results.size(), 2u);
  // Keys 10 and 11 by the region, 11 and 12 by the range.
  expectFloats(results[0], {1, 1, 1, 1}, {80});
}

TEST(Attention, ScoreRegionReadsMappedAndWhole) {
  auto results = Runner().run(R"(
    #q = affine_map<(b, h, q, k, d, e) -> (q, d)>
    #k = affine_map<(b, h, q, k, d, e) -> (k, d)>
    #v = affine_map<(b, h, q, k, d, e) -> (k, e)>
    #m = affine_map<(b, h, q, k, d, e) -> (k)>
    #o = affine_map<(b, h, q, k, d, e) -> (b, h, q, e)>
    func.func @f(%q: tensor<1x1xf32>, %k: tensor<2x1xf32>, %v: tensor<2x1xf32>, %bias: tensor<2xf32>, %slopes: tensor<2xf32>, %o: tensor<1x2x1x1xf32>) -> tensor<1x2x1x1xf32> {
      %0 = attn.attention ins(%q, %k, %v : tensor<1x1xf32>, tensor<2x1xf32>, tensor<2x1xf32>) mapped(%bias : tensor<2xf32>) whole(%slopes : tensor<2xf32>)
          outs(%o : tensor<1x2x1x1xf32>) -> tensor<1x2x1x1xf32> maps [#q, #k, #v, #m, #o] score {
      ^bb0(%s: f32, %b: index, %h: index, %q0: index, %k0: index, %add: f32, %all: tensor<2xf32>):
        %slope = tensor.extract %all[%h] : tensor<2xf32>
        %1 = arith.mulf %add, %slope : f32
        %2 = arith.addf %s, %1 : f32
        attn.yield %2 : f32
      }
      return %0 : tensor<1x2x1x1xf32>
    })",
                              {Tensor::of({1, 1}, {0}), Tensor::of({2, 1}, {0, 0}), Tensor::of({2, 1}, {0, 1}),
                               Tensor::of({2}, {0, std::log(3)}), Tensor::of({2}, {1, 2}), Tensor({1, 2, 1, 1}, true)});
  ASSERT_EQ(results.size(), 1u);
  expectFloats(results[0], {1, 2, 1, 1}, {0.75, 0.9});
}

TEST(Attention, GroupedHeadsAndLayouts) {
  // Heads 0 and 1 read key head 0, heads 2 and 3 key head 1; queries are [b, q, h, d].
  auto results =
      Runner().run(R"(
    #q = affine_map<(b, h, q, k, d, e) -> (b, q, h, d)>
    #k = affine_map<(b, h, q, k, d, e) -> (b, k, h floordiv 2, d)>
    #v = affine_map<(b, h, q, k, d, e) -> (b, k, h floordiv 2, e)>
    #o = affine_map<(b, h, q, k, d, e) -> (b, q, h, e)>
    func.func @f(%q: tensor<1x1x4x1xf32>, %k: tensor<1x2x2x1xf32>, %v: tensor<1x2x2x1xf32>, %o: tensor<1x1x4x1xf32>) -> tensor<1x1x4x1xf32> {
      %0 = attn.attention ins(%q, %k, %v : tensor<1x1x4x1xf32>, tensor<1x2x2x1xf32>, tensor<1x2x2x1xf32>)
          outs(%o : tensor<1x1x4x1xf32>) -> tensor<1x1x4x1xf32> maps [#q, #k, #v, #o]
      return %0 : tensor<1x1x4x1xf32>
    })",
                   {Tensor::of({1, 1, 4, 1}, {0, 1, 0, 1}), Tensor::of({1, 2, 2, 1}, {0, 0, std::log(3), std::log(4)}),
                    Tensor::of({1, 2, 2, 1}, {0, 10, 1, 20}), Tensor({1, 1, 4, 1}, true)});
  ASSERT_EQ(results.size(), 1u);
  expectFloats(results[0], {1, 1, 4, 1}, {0.5, 0.75, 15, 18});
}

TEST(Attention, NoKeys) {
  auto results =
      Runner().run(R"(
    #q = affine_map<(b, h, q, k, d, e) -> (b, h, q, d)>
    #k = affine_map<(b, h, q, k, d, e) -> (b, h, k, d)>
    #o = affine_map<(b, h, q, k, d, e) -> (b, h, q, e)>
    #v = affine_map<(b, h, q, k, d, e) -> (b, h, k, e)>
    func.func @f(%q: tensor<1x1x?x2xf32>, %k: tensor<1x1x?x2xf32>, %o: tensor<1x1x?x2xf32>) -> tensor<1x1x?x2xf32> {
      %0 = attn.attention ins(%q, %k, %k : tensor<1x1x?x2xf32>, tensor<1x1x?x2xf32>, tensor<1x1x?x2xf32>)
          outs(%o : tensor<1x1x?x2xf32>) -> tensor<1x1x?x2xf32> maps [#q, #k, #v, #o] attributes {empty = #attn.empty<uniform>}
      return %0 : tensor<1x1x?x2xf32>
    })",
                   {Tensor::of({1, 1, 1, 2}, {1, 1}), Tensor({1, 1, 0, 2}, true), Tensor({1, 1, 1, 2}, true)});
  ASSERT_EQ(results.size(), 1u);
  expectFloats(results[0], {1, 1, 1, 2}, {0, 0});
}

TEST(Attention, OnlineTilesGiveTheSame) {
  // Two blocks of keys, the second masked in part, for two queries in three lanes.
  auto results = Runner().run(R"(
    func.func @f(%q: tensor<2x1xf32>, %k: tensor<3x1xf32>, %v: tensor<3x1xf32>, %m: tensor<1xi64>) -> (tensor<2x1xf32>, tensor<2xf32>) {
      %zero = arith.constant dense<0.0> : tensor<3x1xf32>
      %zeros = arith.constant dense<0.0> : tensor<3xf32>
      %low = arith.constant dense<0xFF800000> : tensor<3xf32>
      %pe = tensor.empty() : tensor<1x1x3xf32>
      %p = attn.pack ins(%q : tensor<2x1xf32>) outs(%pe : tensor<1x1x3xf32>) -> tensor<1x1x3xf32>
      %k0 = tensor.extract_slice %k[0, 0] [2, 1] [1, 1] : tensor<3x1xf32> to tensor<2x1xf32>
      %v0 = tensor.extract_slice %v[0, 0] [2, 1] [1, 1] : tensor<3x1xf32> to tensor<2x1xf32>
      %k1 = tensor.extract_slice %k[2, 0] [1, 1] [1, 1] : tensor<3x1xf32> to tensor<1x1xf32>
      %v1 = tensor.extract_slice %v[2, 0] [1, 1] [1, 1] : tensor<3x1xf32> to tensor<1x1xf32>
      %0:3 = attn.online_attention ins(%p, %k1, %v1 : tensor<1x1x3xf32>, tensor<1x1xf32>, tensor<1x1xf32>) key_mask(%m : tensor<1xi64>)
          outs(%zero, %low, %zeros : tensor<3x1xf32>, tensor<3xf32>, tensor<3xf32>) -> tensor<3x1xf32>, tensor<3xf32>, tensor<3xf32> {scale = 1.0}
      %1:3 = attn.online_attention ins(%p, %k0, %v0 : tensor<1x1x3xf32>, tensor<2x1xf32>, tensor<2x1xf32>)
          outs(%0#0, %0#1, %0#2 : tensor<3x1xf32>, tensor<3xf32>, tensor<3xf32>) -> tensor<3x1xf32>, tensor<3xf32>, tensor<3xf32> {scale = 1.0}
      %oe = tensor.empty() : tensor<2x1xf32>
      %le = tensor.empty() : tensor<2xf32>
      %2:2 = attn.online_finish ins(%1#0, %1#1, %1#2 : tensor<3x1xf32>, tensor<3xf32>, tensor<3xf32>) outs(%oe, %le : tensor<2x1xf32>, tensor<2xf32>) -> tensor<2x1xf32>, tensor<2xf32>
      return %2#0, %2#1 : tensor<2x1xf32>, tensor<2xf32>
    })",
                              {Tensor::of({2, 1}, {1, 2}), Tensor::of({3, 1}, {0, std::log(2), std::log(5)}),
                               Tensor::of({3, 1}, {8, 80, 800}), Tensor::ofIntegers({1}, {1})});
  ASSERT_EQ(results.size(), 2u);
  expectFloats(results[0], {2, 1}, {521, (8. + 4 * 80 + 25 * 800) / 30});
  expectFloats(results[1], {2}, {std::log(8), std::log(30)});
}

TEST(Attention, OnlineAsksBandsAndRegions) {
  // Scores are the bias [query, key]; query 0 sees keys below 1, query 1 those below 2 of which the mask takes key 0.
  auto results = Runner().run(
      R"(
    func.func @f(%v: tensor<3x1xf32>, %x: tensor<2x3xf32>, %y: tensor<3xi64>) -> (tensor<2x1xf32>, tensor<2xf32>) {
      %zero = arith.constant dense<0.0> : tensor<2x1xf32>
      %zeros = arith.constant dense<0.0> : tensor<2xf32>
      %low = arith.constant dense<0xFF800000> : tensor<2xf32>
      %p = arith.constant dense<0.0> : tensor<1x1x2xf32>
      %c0 = arith.constant 0 : index
      %i = arith.constant 7 : index
      %0:3 = attn.online_attention ins(%p, %v, %v : tensor<1x1x2xf32>, tensor<3x1xf32>, tensor<3x1xf32>)
          upper(%c0) mapped(%x, %y : tensor<2x3xf32>, tensor<3xi64>) indices(%c0, %c0, %c0, %i)
          outs(%zero, %low, %zeros : tensor<2x1xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<2x1xf32>, tensor<2xf32>, tensor<2xf32>
          {scale = 1.0, maps = [affine_map<(j, k) -> (j, k)>, affine_map<(j, k) -> (k)>]} score {
      ^bb0(%s: f32, %b: index, %h: index, %q: index, %k: index, %bias: f32, %e: i64):
        %1 = arith.addf %s, %bias : f32
        attn.yield %1 : f32
      } mask {
      ^bb0(%b: index, %h: index, %q: index, %k: index, %bias: f32, %e: i64):
        %1 = arith.index_cast %k : index to i64
        %2 = arith.index_cast %q : index to i64
        %3 = arith.muli %2, %e : i64
        %4 = arith.cmpi ne, %1, %3 : i64
        attn.yield %4 : i1
      }
      return %0#0, %0#2 : tensor<2x1xf32>, tensor<2xf32>
    })",
      {Tensor::of({3, 1}, {8, 80, 800}), Tensor::of({2, 3}, {1, 2, 3, 4, 5, 6}), Tensor::ofIntegers({3}, {7, 0, 0})});
  ASSERT_EQ(results.size(), 2u);
  expectFloats(results[0], {2, 1}, {8, 80});
  expectFloats(results[1], {2}, {1, 1});
}

TEST(Attention, OnlineWithoutKeysYieldsZero) {
  auto results =
      Runner().run(R"(
    func.func @f(%a: tensor<2x1xf32>, %m: tensor<2xf32>, %s: tensor<2xf32>, %o: tensor<2x1xf32>) -> tensor<2x1xf32> {
      %0 = attn.online_finish ins(%a, %m, %s : tensor<2x1xf32>, tensor<2xf32>, tensor<2xf32>) outs(%o : tensor<2x1xf32>) -> tensor<2x1xf32>
      return %0 : tensor<2x1xf32>
    })",
                   {Tensor::of({2, 1}, {0, 6}), Tensor::of({2}, {-std::numeric_limits<double>::infinity(), 0}),
                    Tensor::of({2}, {0, 2}), Tensor({2, 1}, true)});
  ASSERT_EQ(results.size(), 1u);
  expectFloats(results[0], {2, 1}, {0, 3});
}
