//===- ScalarsTest.cpp - arith, math and index ops by hand -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Rounding, wrapping and signs are where an interpreter goes wrong.
//
//===----------------------------------------------------------------------===//

#include "Run.h"
#include <cmath>

using namespace attn::reference;

TEST(Scalars, FloatsAreDoubles) {
  // 1 + 2^-30 is not a float: the reference doesn't round.
  auto results = Runner().run(R"(
    func.func @f(%x: f32, %y: f32) -> (f32, f32, f32, f32) {
      %0 = arith.addf %x, %y : f32
      %1 = math.exp %x : f32
      %2 = arith.maximumf %x, %y : f32
      %3 = attn.gelu %x : f32
      return %0, %1, %2, %3 : f32, f32, f32, f32
    })",
                              {Tensor::of({}, {1.0}), Tensor::of({}, {0x1p-30})});
  ASSERT_EQ(results.size(), 4u);
  EXPECT_EQ(results[0].floats[0], 1 + 0x1p-30);
  EXPECT_EQ(results[1].floats[0], std::exp(1.0));
  EXPECT_EQ(results[2].floats[0], 1.0);
  EXPECT_NEAR(results[3].floats[0], 0.8413447460685429, 1e-15);
}

TEST(Scalars, IntegersWrapAndExtend) {
  auto results = Runner().run(R"(
    func.func @f(%x: i8, %t: i1) -> (i8, i32, i32, i32, i32, f32, i1) {
      %c100 = arith.constant 100 : i8
      %0 = arith.addi %x, %c100 : i8
      %1 = arith.extsi %0 : i8 to i32
      %2 = arith.extui %0 : i8 to i32
      %3 = arith.extsi %t : i1 to i32
      %4 = arith.extui %t : i1 to i32
      %5 = arith.uitofp %t : i1 to f32
      %6 = arith.cmpi ult, %x, %0 : i8
      return %0, %1, %2, %3, %4, %5, %6 : i8, i32, i32, i32, i32, f32, i1
    })",
                              {Tensor::ofIntegers({}, {100}), Tensor::ofIntegers({}, {1})});
  ASSERT_EQ(results.size(), 7u);
  EXPECT_EQ(results[0].integers[0], -56);
  EXPECT_EQ(results[1].integers[0], -56);
  EXPECT_EQ(results[2].integers[0], 200);
  EXPECT_EQ(results[3].integers[0], -1);
  EXPECT_EQ(results[4].integers[0], 1);
  EXPECT_EQ(results[5].floats[0], 1.0);
  EXPECT_EQ(results[6].integers[0], 1);
}

TEST(Scalars, DivisionRounds) {
  auto results = Runner().run(R"(
    func.func @f(%x: i64, %y: i64) -> (i64, i64, i64, i64) {
      %0 = arith.divsi %x, %y : i64
      %1 = arith.floordivsi %x, %y : i64
      %2 = arith.ceildivsi %x, %y : i64
      %3 = arith.remsi %x, %y : i64
      return %0, %1, %2, %3 : i64, i64, i64, i64
    })",
                              {Tensor::ofIntegers({}, {-7}), Tensor::ofIntegers({}, {2})});
  ASSERT_EQ(results.size(), 4u);
  EXPECT_EQ(results[0].integers[0], -3);
  EXPECT_EQ(results[1].integers[0], -4);
  EXPECT_EQ(results[2].integers[0], -3);
  EXPECT_EQ(results[3].integers[0], -1);
}

TEST(Scalars, EveryDivisionHasAValue) {
  auto divide = [](int64_t x, int64_t y) {
    auto results = Runner().run(R"(
      func.func @f(%x: i32, %y: i32) -> (i32, i32, i32, i32, i32, i32, i32) {
        %0 = arith.divsi %x, %y : i32
        %1 = arith.floordivsi %x, %y : i32
        %2 = arith.ceildivsi %x, %y : i32
        %3 = arith.remsi %x, %y : i32
        %4 = arith.divui %x, %y : i32
        %5 = arith.ceildivui %x, %y : i32
        %6 = arith.remui %x, %y : i32
        return %0, %1, %2, %3, %4, %5, %6 : i32, i32, i32, i32, i32, i32, i32
      })",
                                {Tensor::ofIntegers({}, {x}), Tensor::ofIntegers({}, {y})});
    std::vector<int64_t> values;
    for (const Tensor &result : results)
      values.push_back(result.integers[0]);
    return values;
  };
  EXPECT_EQ(divide(7, 0), (std::vector<int64_t>{0, 0, 0, 7, 0, 0, 7}));
  EXPECT_EQ(divide(-7, 0), (std::vector<int64_t>{0, 0, 0, -7, 0, 0, -7}));
  constexpr int64_t least = std::numeric_limits<int32_t>::min();
  EXPECT_EQ(divide(least, -1), (std::vector<int64_t>{least, least, least, 0, 0, 1, least}));
}

TEST(Scalars, TheLeastNumberByMinusOne) {
  auto results =
      Runner().run(R"(
    func.func @f(%x: i64, %y: i64) -> (i64, i64) {
      %0 = arith.divsi %x, %y : i64
      %1 = arith.remsi %x, %y : i64
      return %0, %1 : i64, i64
    })",
                   {Tensor::ofIntegers({}, {std::numeric_limits<int64_t>::min()}), Tensor::ofIntegers({}, {-1})});
  ASSERT_EQ(results.size(), 2u);
  EXPECT_EQ(results[0].integers[0], std::numeric_limits<int64_t>::min());
  EXPECT_EQ(results[1].integers[0], 0);
}

TEST(Scalars, ElementwiseOnTensors) {
  auto results = Runner().run(R"(
    func.func @f(%x: tensor<?xf32>, %y: tensor<?xf32>) -> tensor<?xf32> {
      %0 = arith.cmpf ogt, %x, %y : tensor<?xf32>
      %1 = arith.select %0, %x, %y : tensor<?xi1>, tensor<?xf32>
      %2 = math.sqrt %1 : tensor<?xf32>
      return %2 : tensor<?xf32>
    })",
                              {Tensor::of({3}, {4, 1, 0}), Tensor::of({3}, {2, 9, 0})});
  ASSERT_EQ(results.size(), 1u);
  expectFloats(results[0], {3}, {2, 3, 0});
}
