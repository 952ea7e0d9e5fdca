//===- DimensionTests.cpp - Dimensions that are computed --------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Fixture.h"

using namespace attn::test;

namespace {
class DimensionTest : public RuntimeTest {
protected:
  attn_code runParts(int64_t rows, int64_t width, int64_t part) {
    Tensor<float> x({rows, width}, 0.5f), y({rows, part}, -1.0f);
    attn_code code = run(Parts, {&x.dl}, {&y.dl});
    for (float value : y.data)
      EXPECT_EQ(value, code == ATTN_OK ? 0.5f : -1.0f);
    return code;
  }
};

TEST_F(DimensionTest, Quotient) { EXPECT_EQ(runParts(2, 6, 2), ATTN_OK) << message(); }

TEST_F(DimensionTest, QuotientOfZero) { EXPECT_EQ(runParts(0, 0, 0), ATTN_OK) << message(); }

TEST_F(DimensionTest, OutputShape) {
  Tensor<float> x({2, 9});
  const DLTensor *inputs[] = {&x.dl};
  int64_t shape[2];
  int64_t *shapes[] = {shape};
  ASSERT_EQ(lib->output_shapes(ctx, Parts, inputs, 1, shapes, 1), ATTN_OK) << message();
  EXPECT_EQ(shape[0], 2);
  EXPECT_EQ(shape[1], 3);
}

TEST_F(DimensionTest, OutputOfAnotherSize) {
  EXPECT_EQ(runParts(2, 6, 3), ATTN_ERROR_SHAPE);
  EXPECT_STREQ(message(), "entry 'parts', output 'y': dimension 1 ('width / 3') is 3, but the inputs make it 2");
}

TEST_F(DimensionTest, NoMultiple) {
  EXPECT_EQ(runParts(2, 7, 2), ATTN_ERROR_SHAPE);
  EXPECT_STREQ(message(), "entry 'parts': dimension 'width / 3' must be a whole number, but it is 7 / 3");
}

TEST_F(DimensionTest, BelowItsBound) {
  EXPECT_EQ(runParts(5, 9, 3), ATTN_ERROR_SHAPE);
  EXPECT_STREQ(message(),
               "entry 'parts': the other dimensions make dimension 'width / 2 - rows' -1, which is not in [0, "
               "9223372036854775807]");
}
} // namespace
