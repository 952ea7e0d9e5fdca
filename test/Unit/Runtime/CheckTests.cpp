//===- CheckTests.cpp - What run refuses, and how it says so ----*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One test per kind of error: its code, its sentence, and that outputs stay as they
// were.
//
//===----------------------------------------------------------------------===//

#include "Fixture.h"

#include <cstring>

using namespace attn::test;

namespace {
class CheckTest : public RuntimeTest {
protected:
  AddTensors t{2, 3};
  void refused(attn_code code, const char *sentence) {
    int64_t runs = attn_test_probe()->runs;
    EXPECT_EQ(runAdd(t), code);
    EXPECT_STREQ(message(), sentence);
    EXPECT_EQ(lib->last_error(ctx)->code, code);
    EXPECT_EQ(lib->status(ctx, nullptr), code);
    EXPECT_TRUE(t.outputsUntouched());
    EXPECT_EQ(attn_test_probe()->runs, runs);
  }
};
} // namespace

TEST_F(CheckTest, Succeeds) {
  ASSERT_EQ(runAdd(t), ATTN_OK) << message();
  t.expectResult();
  EXPECT_STREQ(message(), "");
  EXPECT_EQ(lib->status(ctx, nullptr), ATTN_OK);
}

TEST_F(CheckTest, ErrorIsGoneAfterSuccess) {
  t.ids.data[0] = -1;
  EXPECT_EQ(runAdd(t), ATTN_ERROR_INDEX);
  t.ids.data[0] = 0;
  EXPECT_EQ(runAdd(t), ATTN_OK);
  EXPECT_STREQ(message(), "");
}

TEST_F(CheckTest, Rank) {
  t.x.dl.ndim = 2;
  refused(ATTN_ERROR_RANK, "entry 'add', input 'x': rank is 2, expected 3");
}

TEST_F(CheckTest, StaticDimension) {
  t.x.shape[2] = 3;
  refused(ATTN_ERROR_SHAPE, "entry 'add', input 'x': dimension 2 is 3, expected 4");
}

TEST_F(CheckTest, NegativeDimension) {
  t.x.shape[1] = -3;
  refused(ATTN_ERROR_SHAPE, "entry 'add', input 'x': dimension 1 is -3; a size cannot be negative");
}

TEST_F(CheckTest, SymbolAcrossInputs) {
  t.x.shape[1] = 2;
  refused(ATTN_ERROR_SHAPE, "entry 'add', input 'x': dimension 1 ('sequence') is 2, but input 'ids' has 3 there");
}

TEST_F(CheckTest, SymbolAcrossOutputs) {
  t.total.shape[0] = 1;
  refused(ATTN_ERROR_SHAPE, "entry 'add', output 'total': dimension 0 ('batch') is 1, but input 'ids' has 2 there");
}

TEST_F(CheckTest, SymbolWithinOneTensor) {
  Tensor<int32_t> m({2, 3}), out({2, 2});
  EXPECT_EQ(run(Square, {&m.dl}, {&out.dl}), ATTN_ERROR_SHAPE);
  EXPECT_STREQ(message(), "entry 'square', input 'm': dimension 1 ('n') is 3, but input 'm' has 2 there");
}

TEST_F(CheckTest, UpperBound) {
  t.ids.shape[1] = 600;
  refused(ATTN_ERROR_SHAPE, "entry 'add', input 'ids': dimension 'sequence' is 600, at most 8");
}

TEST_F(CheckTest, LowerBound) {
  Tensor<int32_t> m({0, 0}), out({0, 0});
  EXPECT_EQ(run(Square, {&m.dl}, {&out.dl}), ATTN_ERROR_SHAPE);
  EXPECT_STREQ(message(), "entry 'square', input 'm': dimension 'n' is 0, at least 1");
}

TEST_F(CheckTest, Dtype) {
  t.ids.dl.dtype = {kDLInt, 32, 1};
  refused(ATTN_ERROR_DTYPE, "entry 'add', input 'ids': dtype is int32, expected int64");
  t.ids.dl.dtype = {kDLBool, 8, 1};
  refused(ATTN_ERROR_DTYPE, "entry 'add', input 'ids': dtype is bool, expected int64");
  t.ids.dl.dtype = {kDLInt, 64, 2};
  refused(ATTN_ERROR_DTYPE, "entry 'add', input 'ids': dtype is int64x2, expected int64");
  t.ids.dl.dtype = {77, 16, 1};
  refused(ATTN_ERROR_DTYPE, "entry 'add', input 'ids': dtype is dtype(code 77, 16 bits), expected int64");
}

TEST_F(CheckTest, Device) {
  t.y.dl.device = {kDLCUDA, 0};
  refused(ATTN_ERROR_DEVICE,
          "entry 'add', output 'y': it lies on DLPack device type 2, expected the CPU's memory (type 1)");
  t.y.dl.device = {kDLCUDAHost, 0};
  EXPECT_EQ(runAdd(t), ATTN_OK);
}

TEST_F(CheckTest, NullData) {
  t.x.dl.data = nullptr;
  refused(ATTN_ERROR_NULL_DATA, "entry 'add', input 'x': its data is null, but it has 24 elements");
}

TEST_F(CheckTest, NullShape) {
  t.x.dl.shape = nullptr;
  refused(ATTN_ERROR_INVALID_ARGUMENT, "entry 'add', input 'x': its shape pointer is null");
}

TEST_F(CheckTest, Alignment) {
  t.x.data.resize(t.x.data.size() + 1);
  t.x.dl.data = t.x.data.data();
  t.x.dl.byte_offset = 2;
  refused(ATTN_ERROR_ALIGNMENT, "entry 'add', input 'x': its data is not aligned to 4 bytes");
}

TEST_F(CheckTest, ByteOffset) {
  std::vector<float> room(25, 0.5f);
  room[0] = 1e9f;
  t.x.dl.data = room.data();
  t.x.dl.byte_offset = 4;
  ASSERT_EQ(runAdd(t), ATTN_OK) << message();
  t.x.dl.byte_offset = 0;
  t.expectResult();
}

TEST_F(CheckTest, IndexAboveAndBelow) {
  t.ids.at({1, 2}) = 10;
  refused(ATTN_ERROR_INDEX, "entry 'add', input 'ids': value 10 at [1, 2] is outside [0, 10)");
  t.ids.at({0, 1}) = -1;
  refused(ATTN_ERROR_INDEX, "entry 'add', input 'ids': value -1 at [0, 1] is outside [0, 10)");
  t.ids.at({0, 0}) = INT64_MIN;
  refused(ATTN_ERROR_INDEX, "entry 'add', input 'ids': value -9223372036854775808 at [0, 0] is outside [0, 10)");
}

TEST_F(CheckTest, UnsignedIndex) {
  Tensor<uint8_t> in({3}, 5), out({3}, 77);
  in.data[2] = 200;
  EXPECT_EQ(run(Clamp, {&in.dl}, {&out.dl}), ATTN_ERROR_INDEX);
  EXPECT_STREQ(message(), "entry 'clamp', input 'i': value 200 at [2] is outside [0, 200)");
  EXPECT_EQ(out.data[0], 77);
}

TEST_F(CheckTest, ScalarIndex) {
  Tensor<int64_t> n({}, -3);
  Tensor<int32_t> hits({});
  EXPECT_EQ(run(Count, {&n.dl}, {&hits.dl}), ATTN_ERROR_INDEX);
  EXPECT_STREQ(message(), "entry 'count', input 'n': value -3 at [] is outside [0, 65536)");
}

TEST_F(CheckTest, ComputedIndexIsFlagged) {
  for (int32_t threads = 1; threads <= 4; ++threads) {
    attn_run_options opts = options(threads);
    Tensor<uint8_t> in({100}, 5), out({100}, 77);
    in.data[60] = 150;
    EXPECT_EQ(run(Clamp, {&in.dl}, {&out.dl}, &opts), ATTN_ERROR_INDEX);
    EXPECT_STREQ(message(), "entry 'clamp': an index that the model computed lies outside its table");
    in.data[60] = 5;
    EXPECT_EQ(run(Clamp, {&in.dl}, {&out.dl}, &opts), ATTN_OK);
    EXPECT_EQ(out.data[60], 5);
  }
}

TEST_F(CheckTest, SizeOverflow) {
  std::vector<int64_t> shape = {INT64_MAX / 4, 8, 4};
  t.x.dl.shape = shape.data();
  t.ids.shape = {INT64_MAX / 4, 8};
  t.ids.dl.shape = t.ids.shape.data();
  std::vector<int64_t> zero = {0, 0, 0};
  t.ids.dl.strides = t.x.dl.strides = zero.data();
  refused(ATTN_ERROR_OVERFLOW, "entry 'add', input 'ids': its size in bytes overflows 64 bits");
}

TEST_F(CheckTest, StrideOverflow) {
  std::vector<int64_t> strides = {INT64_MAX / 2, 4, 1};
  t.x.dl.strides = strides.data();
  refused(ATTN_ERROR_OVERFLOW, "entry 'add', input 'x': its size in bytes overflows 64 bits");
  strides = {INT64_C(1) << 61, 4, 1};
  refused(ATTN_ERROR_OVERFLOW, "entry 'add', input 'x': its size in bytes overflows 64 bits");
  strides = {-(INT64_C(1) << 61), 4, 1}; // in bytes the least number, which has no negative
  refused(ATTN_ERROR_OVERFLOW, "entry 'add', input 'x': its size in bytes overflows 64 bits");
  strides = {-(INT64_C(1) << 59), 4, 1};
  refused(ATTN_ERROR_OVERFLOW, "entry 'add', input 'x': its elements reach beyond the address space");
}

TEST_F(CheckTest, OffsetOverflow) {
  t.x.dl.byte_offset = UINT64_MAX - 3;
  refused(ATTN_ERROR_OVERFLOW, "entry 'add', input 'x': its elements reach beyond the address space");
}

TEST_F(CheckTest, WorkspaceOverflow) {
  float dummy = 0;
  Tensor<float> x({1}), y({1});
  x.shape[0] = y.shape[0] = INT64_C(1) << 23;
  x.dl.data = y.dl.data = &dummy;
  EXPECT_EQ(run(Huge, {&x.dl}, {&y.dl}), ATTN_ERROR_OVERFLOW);
  EXPECT_STREQ(message(), "entry 'huge': the workspace for these shapes does not fit into 64-bit sizes");
}

TEST_F(CheckTest, NumberOfTensors) {
  EXPECT_EQ(run(Add, {&t.ids.dl}, {&t.y.dl, &t.total.dl}), ATTN_ERROR_INVALID_ARGUMENT);
  EXPECT_STREQ(message(), "entry 'add' has 2 inputs, but 1 were given");
  EXPECT_EQ(run(Add, {&t.ids.dl, &t.x.dl}, {}), ATTN_ERROR_INVALID_ARGUMENT);
  EXPECT_STREQ(message(), "entry 'add' has 2 outputs, but 0 were given");
  EXPECT_EQ(run(Add, {&t.ids.dl, nullptr}, {&t.y.dl, &t.total.dl}), ATTN_ERROR_INVALID_ARGUMENT);
  EXPECT_STREQ(message(), "entry 'add', input 'x': the tensor pointer is null");
  DLTensor *out[] = {&t.y.dl, &t.total.dl};
  EXPECT_EQ(lib->run(ctx, Add, nullptr, 2, out, 2, nullptr), ATTN_ERROR_INVALID_ARGUMENT);
  EXPECT_STREQ(message(), "entry 'add': the array of inputs is null");
}

TEST_F(CheckTest, UnknownEntry) {
  EXPECT_EQ(lib->run(ctx, 9, nullptr, 0, nullptr, 0, nullptr), ATTN_ERROR_INVALID_ARGUMENT);
  EXPECT_STREQ(message(), "entry 9 does not exist, model 'test' has 8");
}

TEST_F(CheckTest, NullContext) {
  EXPECT_EQ(lib->run(nullptr, 0, nullptr, 0, nullptr, 0, nullptr), ATTN_ERROR_INVALID_ARGUMENT);
  EXPECT_STREQ(lib->last_error(nullptr)->message, "the context is null");
  EXPECT_EQ(lib->status(nullptr, nullptr), ATTN_ERROR_INVALID_ARGUMENT);
  lib->destroy(nullptr);
}

TEST_F(CheckTest, InPlaceIsRefused) {
  t.y.dl.data = t.x.dl.data;
  refused(ATTN_ERROR_ALIAS, "entry 'add', output 'y': it overlaps input 'x'");
}

TEST_F(CheckTest, PartialOverlapIsRefused) {
  std::vector<float> both(24 + 23, 0.5f);
  t.x.dl.data = both.data();
  t.y.dl.data = both.data() + 23;
  refused(ATTN_ERROR_ALIAS, "entry 'add', output 'y': it overlaps input 'x'");
  both.resize(48, 0.5f);
  t.x.dl.data = both.data();
  t.y.dl.data = both.data() + 24;
  EXPECT_EQ(runAdd(t), ATTN_OK) << message();
}

TEST_F(CheckTest, OutputsOverlapEachOther) {
  std::vector<double> both(24);
  t.y.dl.data = t.total.dl.data = both.data();
  refused(ATTN_ERROR_ALIAS, "entry 'add', output 'total': it overlaps output 'y'");
}

TEST_F(CheckTest, OutputWithStrideZero) {
  std::vector<int64_t> strides = {12, 0, 1};
  t.y.dl.strides = strides.data();
  refused(ATTN_ERROR_ALIAS,
          "entry 'add', output 'y': dimension 1 has stride 0, so several results would go to one place");
}

TEST_F(CheckTest, Options) {
  attn_run_options opts = options();
  opts.size = 3;
  EXPECT_EQ(runAdd(t, &opts), ATTN_ERROR_INVALID_ARGUMENT);
  EXPECT_STREQ(message(), "the options' field 'size' is 3; it has to be the options struct's size");
  opts.size = offsetof(attn_run_options, parallel_for) + 4; // half of a pointer
  EXPECT_EQ(run(Add, {&t.ids.dl, &t.x.dl}, {&t.y.dl, &t.total.dl}, &opts), ATTN_ERROR_INVALID_ARGUMENT);
  opts = options(-1);
  EXPECT_EQ(runAdd(t, &opts), ATTN_ERROR_INVALID_ARGUMENT);
  EXPECT_STREQ(message(), "the option 'threads' is -1; it has to be at least 0");
  opts = options();
  opts.reserved = 5;
  EXPECT_EQ(runAdd(t, &opts), ATTN_ERROR_INVALID_ARGUMENT);
  EXPECT_STREQ(message(), "the option 'reserved' is 5; it has to be 0");
  opts = options();
  opts.allocate = [](void *, size_t, size_t) -> void * { return nullptr; };
  EXPECT_EQ(runAdd(t, &opts), ATTN_ERROR_INVALID_ARGUMENT);
  EXPECT_STREQ(message(), "of the options 'allocate' and 'release' only one is set; set both or neither");
  EXPECT_TRUE(t.outputsUntouched());
}

TEST_F(CheckTest, OptionsOfOtherVersions) {
  // An older caller knows only the first fields.
  attn_run_options opts = options();
  opts.threads = -7;
  opts.size = offsetof(attn_run_options, workspace);
  EXPECT_EQ(runAdd(t, &opts), ATTN_OK) << message();
  // A newer caller may leave what we do not know at zero.
  struct {
    attn_run_options ours;
    int64_t next;
  } newer = {options(), 0};
  newer.ours.size = sizeof(newer);
  EXPECT_EQ(runAdd(t, &newer.ours), ATTN_OK) << message();
  newer.next = 1;
  EXPECT_EQ(runAdd(t, &newer.ours), ATTN_ERROR_UNSUPPORTED);
  EXPECT_STREQ(message(), "the options use a field that this library does not know");
}

TEST_F(CheckTest, EmptyBatchAndSequence) {
  AddTensors none(0, 3);
  none.x.dl.data = none.y.dl.data = none.total.dl.data = none.ids.dl.data = nullptr;
  EXPECT_EQ(runAdd(none), ATTN_OK) << message();
  AddTensors noWords(2, 0);
  noWords.x.dl.data = noWords.y.dl.data = noWords.ids.dl.data = nullptr;
  EXPECT_EQ(runAdd(noWords), ATTN_OK) << message();
  EXPECT_EQ(noWords.total.data, std::vector<double>(2, 0.0));
  // A bound still holds where the tensor is empty for another reason.
  AddTensors tooLong(0, 9);
  EXPECT_EQ(runAdd(tooLong), ATTN_ERROR_SHAPE);
}

TEST_F(CheckTest, EmptyOutputsNeedNothing) {
  // Other dimensions may be so large that the model's workspace does not fit, but nothing is computed.
  Tensor<float> x({0}), y({0});
  EXPECT_EQ(run(Huge, {&x.dl}, {&y.dl}), ATTN_OK) << message();
  const DLTensor *in[] = {&x.dl};
  size_t bytes = 1;
  EXPECT_EQ(lib->workspace_size(ctx, Huge, in, 1, nullptr, 0, 0, &bytes), ATTN_OK) << message();
  EXPECT_EQ(bytes, 0u);
}

TEST_F(CheckTest, LongNamesAreCut) {
  attn_create_options create{};
  create.size = sizeof(create);
  std::string target(2000, 'x');
  create.target = target.c_str();
  attn_context *other = nullptr;
  attn_error error;
  EXPECT_EQ(lib->create(lib, &create, &other, &error), ATTN_ERROR_UNSUPPORTED);
  EXPECT_EQ(std::strlen(error.message), sizeof(error.message) - 1);
}
