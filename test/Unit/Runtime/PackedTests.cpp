//===- PackedTests.cpp - Elements of less than a byte -------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Packed as DLPack says: the first element in the lowest bits, no gaps.
//
//===----------------------------------------------------------------------===//

#include "Fixture.h"

using namespace attn::test;

namespace {

class PackedTest : public RuntimeTest {};

/// Tensors of the entry Small for two rows; x is 1, -2, 7, -8, 0, -1.
struct SmallTensors {
  Tensor<uint8_t> x{{2, 3}}, low{{2, 3}, 0xaa};
  Tensor<uint8_t> twice{{2, 3}, 0xaa};
  SmallTensors() {
    x.data = {0xe1, 0x87, 0xf0, 0x55};
    x.dl.data = x.data.data();
    x.dl.dtype = {kDLInt, 4, 1};
    low.dl.dtype = {kDLUInt, 2, 1};
    twice.dl.dtype = {kDLInt, 8, 1};
  }
};

} // namespace

TEST_F(PackedTest, ElementsAndSigns) {
  SmallTensors t;
  ASSERT_EQ(run(Small, {&t.x.dl}, {&t.low.dl, &t.twice.dl}), ATTN_OK) << message();
  const int8_t twice[] = {2, -4, 14, -16, 0, -2};
  for (int i = 0; i < 6; ++i)
    EXPECT_EQ(static_cast<int8_t>(t.twice.data[i]), twice[i]) << i;
  // 1, 2, 3, 0 and 0, 3; the rest of the second byte is 0, and the third is not touched.
  EXPECT_EQ(t.low.data[0], 0x39);
  EXPECT_EQ(t.low.data[1], 0x0c);
  EXPECT_EQ(t.low.data[2], 0xaa);
}

TEST_F(PackedTest, ByteOffset) {
  SmallTensors t;
  t.x.dl.shape[0] = t.low.dl.shape[0] = t.twice.dl.shape[0] = 1;
  t.x.dl.byte_offset = 1;
  t.low.dl.byte_offset = 2;
  ASSERT_EQ(run(Small, {&t.x.dl}, {&t.low.dl, &t.twice.dl}), ATTN_OK) << message();
  EXPECT_EQ(static_cast<int8_t>(t.twice.data[0]), 14);
  EXPECT_EQ(t.low.data[1], 0xaa);
  EXPECT_EQ(t.low.data[2], 0x03); // 7, -8 and 0
}

TEST_F(PackedTest, Empty) {
  SmallTensors t;
  t.x.dl.shape[0] = t.low.dl.shape[0] = t.twice.dl.shape[0] = 0;
  t.x.dl.data = nullptr;
  EXPECT_EQ(run(Small, {&t.x.dl}, {&t.low.dl, &t.twice.dl}), ATTN_OK) << message();
  EXPECT_EQ(t.low.data[0], 0xaa);
}

TEST_F(PackedTest, StridesMustBeDense) {
  SmallTensors t;
  int64_t dense[] = {3, 1}, transposed[] = {1, 2};
  t.x.dl.strides = dense;
  EXPECT_EQ(run(Small, {&t.x.dl}, {&t.low.dl, &t.twice.dl}), ATTN_OK) << message();
  t.x.dl.strides = transposed;
  t.low.data[0] = 0xaa;
  EXPECT_EQ(run(Small, {&t.x.dl}, {&t.low.dl, &t.twice.dl}), ATTN_ERROR_UNSUPPORTED);
  EXPECT_STREQ(message(), "entry 'small', input 'x': its elements are packed in bytes, so they must be dense, in "
                          "row-major order");
  EXPECT_EQ(t.low.data[0], 0xaa);
}

TEST_F(PackedTest, OverlapIsOfBytes) {
  SmallTensors t;
  uint8_t memory[8] = {0xe1, 0x87, 0xf0, 0, 0, 0, 0, 0};
  t.x.dl.data = memory;
  t.low.dl.data = memory + 3; // x has three bytes, though six elements
  EXPECT_EQ(run(Small, {&t.x.dl}, {&t.low.dl, &t.twice.dl}), ATTN_OK) << message();
  EXPECT_EQ(memory[3], 0x39);
  t.low.dl.data = memory + 2;
  EXPECT_EQ(run(Small, {&t.x.dl}, {&t.low.dl, &t.twice.dl}), ATTN_ERROR_ALIAS);
  EXPECT_STREQ(message(), "entry 'small', output 'low': it overlaps input 'x'");
}

TEST_F(PackedTest, TheCopiesNeedWorkspace) {
  SmallTensors t;
  size_t bytes = 0;
  const DLTensor *in[] = {&t.x.dl};
  ASSERT_EQ(lib->workspace_size(ctx, Small, in, 1, nullptr, 0, 1, &bytes), ATTN_OK) << message();
  EXPECT_EQ(bytes, 128u); // six bytes each, rounded up
}

TEST_F(PackedTest, WholeBytesAreAnotherType) {
  SmallTensors t;
  t.x.dl.dtype = {kDLInt, 8, 1};
  EXPECT_EQ(run(Small, {&t.x.dl}, {&t.low.dl, &t.twice.dl}), ATTN_ERROR_DTYPE);
  EXPECT_STREQ(message(), "entry 'small', input 'x': dtype is int8, expected int4");
  t.x.dl.dtype = {kDLFloat8_e4m3fn, 8, 1};
  EXPECT_EQ(run(Small, {&t.x.dl}, {&t.low.dl, &t.twice.dl}), ATTN_ERROR_DTYPE);
  EXPECT_STREQ(message(), "entry 'small', input 'x': dtype is float8_e4m3fn, expected int4");
}
