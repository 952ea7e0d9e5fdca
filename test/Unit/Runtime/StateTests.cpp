//===- StateTests.cpp - Outputs that continue an input ------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Fixture.h"

namespace attn::test {
namespace {

/// A cache of 2 heads with room for 8 rows each, of which `past` are there.
class StateTest : public RuntimeTest {
protected:
  static constexpr int64_t room = 8;
  std::vector<float> cache = std::vector<float>(2 * room * 3, -1.0f);
  Tensor<float> past{{2, 3, 3}, {room * 3, 3, 1}, 1}, news{{2, 2, 3}, 7.0f}, present{{2, 5, 3}, {room * 3, 3, 1}, 1};

  void SetUp() override {
    RuntimeTest::SetUp();
    past.dl.data = present.dl.data = cache.data();
    for (int64_t head = 0; head < 2; ++head)
      for (int64_t i = 0; i < 9; ++i)
        cache[head * room * 3 + i] = float(100 * head + i);
  }
  void TearDown() override {
    attn_test_probe()->growIsDense = false;
    RuntimeTest::TearDown();
  }
  void takeDenseCode() {
    lib->destroy(ctx);
    attn_create_options options{};
    options.size = sizeof(options);
    options.target = "plain";
    ASSERT_EQ(lib->create(lib, &options, &ctx, nullptr), ATTN_OK);
    attn_test_probe()->growIsDense = true;
  }
  attn_code grow() { return run(Grow, {&past.dl, &news.dl}, {&present.dl}); }
  void expectGrown() {
    for (int64_t head = 0; head < 2; ++head)
      for (int64_t i = 0; i < room * 3; ++i)
        ASSERT_EQ(cache[head * room * 3 + i], i < 9    ? float(100 * head + i)
                                              : i < 15 ? 7.0f
                                                       : -1.0f)
            << head << ' ' << i;
  }
};

TEST_F(StateTest, InPlace) {
  ASSERT_EQ(grow(), ATTN_OK) << message();
  EXPECT_TRUE(attn_test_probe()->kept);
  expectGrown();
}

TEST_F(StateTest, InPlaceByDenseCode) {
  takeDenseCode();
  ASSERT_EQ(grow(), ATTN_OK) << message();
  EXPECT_FALSE(attn_test_probe()->kept);
  expectGrown();
}

TEST_F(StateTest, Elsewhere) {
  Tensor<float> dense({2, 5, 3}, -1.0f);
  ASSERT_EQ(run(Grow, {&past.dl, &news.dl}, {&dense.dl}), ATTN_OK) << message();
  EXPECT_FALSE(attn_test_probe()->kept);
  EXPECT_EQ(dense.at({1, 2, 2}), 108.0f);
  EXPECT_EQ(dense.at({1, 4, 2}), 7.0f);
}

TEST_F(StateTest, NoPast) {
  past.shape[1] = 0;
  present.shape[1] = 2;
  ASSERT_EQ(grow(), ATTN_OK) << message();
  EXPECT_EQ(cache[5], 7.0f);
  EXPECT_EQ(cache[6], 6.0f);
}

TEST_F(StateTest, OtherStridesAreOverlap) {
  past.strides = {9, 3, 1};
  EXPECT_EQ(grow(), ATTN_ERROR_ALIAS);
  EXPECT_STREQ(message(), "entry 'grow', output 'present': it overlaps input 'past'");
}

TEST_F(StateTest, AnotherBeginningIsOverlap) {
  past.dl.data = cache.data() + 3;
  EXPECT_EQ(grow(), ATTN_ERROR_ALIAS);
}

TEST_F(StateTest, OtherInputsMayNotBeThere) {
  news.strides = {room * 3, 3, 1};
  news.dl.data = cache.data() + 9;
  EXPECT_EQ(grow(), ATTN_ERROR_ALIAS);
  EXPECT_STREQ(message(), "entry 'grow', output 'present': it overlaps input 'new'");
}

} // namespace
} // namespace attn::test
