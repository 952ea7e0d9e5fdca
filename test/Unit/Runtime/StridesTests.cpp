//===- StridesTests.cpp - Strided tensors, overlap of views, workspace *- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Any strides give the same numbers as dense tensors, views that interleave in one
// buffer are told from views that overlap, and workspaces are as large as promised.
//
//===----------------------------------------------------------------------===//

#include "Fixture.h"

#include <cstdlib>
#include <random>
#include <set>

using namespace attn::test;

namespace {
class StridesTest : public RuntimeTest {};
} // namespace

TEST_F(StridesTest, AnyLayoutOfInputsAndOutputs) {
  // Layouts of [2, 3, 4]: dense, transposed, padded rows, every other element, backwards, broadcast (inputs only).
  struct Layout {
    std::vector<int64_t> strides;
    int64_t offset;
  };
  const Layout layouts[] = {{{12, 4, 1}, 0},     {{1, 2, 6}, 0},   {{4, 8, 1}, 0}, {{40, 10, 2}, 3},
                            {{-12, -4, -1}, 23}, {{12, -4, 1}, 8}, {{0, 4, 1}, 0}, {{0, 0, 0}, 5}};
  for (const Layout &in : layouts)
    for (const Layout &out : layouts) {
      if (out.strides[0] == 0)
        continue;
      AddTensors t(2, 3);
      Tensor<float> x({2, 3, 4}, in.strides, 100, in.offset), y({2, 3, 4}, out.strides, 100, out.offset, -1.0f);
      for (size_t i = 0; i < x.data.size(); ++i)
        x.data[i] = static_cast<float>(i) * 0.25f;
      ASSERT_EQ(run(Add, {&t.ids.dl, &x.dl}, {&y.dl, &t.total.dl}), ATTN_OK) << message();
      std::vector<bool> written(100);
      for (int64_t b = 0; b < 2; ++b)
        for (int64_t s = 0; s < 3; ++s)
          for (int64_t k = 0; k < 4; ++k) {
            float &value = y.at({b, s, k});
            ASSERT_EQ(value, x.at({b, s, k}) + static_cast<float>(t.ids.at({b, s})));
            written[static_cast<size_t>(&value - y.data.data())] = true;
          }
      for (size_t i = 0; i < 100; ++i)
        ASSERT_TRUE(written[i] || y.data[i] == -1.0f) << "a gap was written";
    }
}

TEST_F(StridesTest, StridesOfOnesDoNotMatter) {
  AddTensors t(1, 1);
  Tensor<float> x({1, 1, 4}, {INT64_MIN, 77, 1}, 4, 0, 0.5f);
  size_t bytes = 0;
  const DLTensor *in[] = {&t.ids.dl, &x.dl};
  ASSERT_EQ(lib->workspace_size(ctx, Add, in, 2, nullptr, 0, 1, &bytes), ATTN_OK) << message();
  EXPECT_EQ(bytes, 64u) << "it was taken for a strided tensor";
  EXPECT_EQ(run(Add, in[0] ? std::vector<const DLTensor *>{in[0], in[1]} : std::vector<const DLTensor *>{},
                {&t.y.dl, &t.total.dl}),
            ATTN_OK);
}

TEST_F(StridesTest, AllElementSizes) {
  Tensor<uint8_t> bytes({5}, {3}, 20, 1, 7), out8({5}, {-2}, 20, 15);
  EXPECT_EQ(run(Clamp, {&bytes.dl}, {&out8.dl}), ATTN_OK) << message();
  EXPECT_EQ(out8.at({4}), 7);
  Tensor<int32_t> m({3, 3}, {1, 5}, 20), out({3, 3}, {2, 7}, 40);
  for (size_t i = 0; i < 20; ++i)
    m.data[i] = static_cast<int32_t>(i);
  EXPECT_EQ(run(Square, {&m.dl}, {&out.dl}), ATTN_OK) << message();
  for (int64_t i = 0; i < 3; ++i)
    for (int64_t k = 0; k < 3; ++k)
      EXPECT_EQ(out.at({i, k}), m.at({k, i}));
}

TEST_F(StridesTest, StridedIndicesAreChecked) {
  AddTensors t(2, 3);
  Tensor<int64_t> ids({2, 3}, {1, 2}, 6);
  ids.at({1, 0}) = 11;
  EXPECT_EQ(run(Add, {&ids.dl, &t.x.dl}, {&t.y.dl, &t.total.dl}), ATTN_ERROR_INDEX);
  EXPECT_STREQ(message(), "entry 'add', input 'ids': value 11 at [1, 0] is outside [0, 10)");
  EXPECT_TRUE(t.outputsUntouched());
}

TEST_F(StridesTest, InterleavedViewsAreNotOverlap) {
  // Input and output are the left and right columns, then alternating rows, of one matrix.
  std::vector<int32_t> buffer(64, 1);
  Tensor<int32_t> m({3, 3}, {8, 1}, 1), out({3, 3}, {8, 1}, 1);
  m.dl.data = buffer.data();
  out.dl.data = buffer.data() + 3;
  EXPECT_EQ(run(Square, {&m.dl}, {&out.dl}), ATTN_OK) << message();
  out.dl.data = buffer.data() + 2;
  EXPECT_EQ(run(Square, {&m.dl}, {&out.dl}), ATTN_ERROR_ALIAS);
  m.strides = out.strides = {16, 2};
  out.dl.data = buffer.data() + 8;
  EXPECT_EQ(run(Square, {&m.dl}, {&out.dl}), ATTN_OK) << message();
  out.dl.data = buffer.data() + 1;
  EXPECT_EQ(run(Square, {&m.dl}, {&out.dl}), ATTN_OK) << message();
  out.dl.data = buffer.data() + 2;
  EXPECT_EQ(run(Square, {&m.dl}, {&out.dl}), ATTN_ERROR_ALIAS);
}

TEST_F(StridesTest, OverlapAgreesWithEnumeration) {
  std::mt19937 random(7);
  auto pick = [&](int low, int high) { return std::uniform_int_distribution<int>(low, high)(random); };
  int overlaps = 0, apart = 0;
  for (int trial = 0; trial < 3000; ++trial) {
    std::vector<int32_t> buffer(400);
    Tensor<int32_t> m({3, 3}, {0, 0}, 1), out({3, 3}, {0, 0}, 1);
    m.strides = {pick(-20, 20), pick(-9, 9)};
    out.strides = {pick(1, 20) * (pick(0, 1) ? 1 : -1), pick(1, 9) * (pick(0, 1) ? 1 : -1)};
    m.dl.data = buffer.data() + 200 + pick(-30, 30);
    out.dl.data = buffer.data() + 200;
    std::vector<bool> read(400), written(400);
    bool shared = false, twice = false;
    auto visit = [&](Tensor<int32_t> &tensor, auto action) {
      for (int64_t i = 0; i < 9; ++i)
        action(static_cast<int32_t *>(tensor.dl.data) - buffer.data() + i / 3 * tensor.strides[0] +
               i % 3 * tensor.strides[1]);
    };
    visit(m, [&](int64_t place) { read[static_cast<size_t>(place)] = true; });
    visit(out, [&](int64_t place) {
      shared |= read[static_cast<size_t>(place)];
      twice |= written[static_cast<size_t>(place)];
      written[static_cast<size_t>(place)] = true;
    });
    attn_code code = run(Square, {&m.dl}, {&out.dl});
    ASSERT_EQ(code, shared || twice ? ATTN_ERROR_ALIAS : ATTN_OK) << message() << " in trial " << trial;
    ++(shared ? overlaps : apart);
  }
  EXPECT_GT(overlaps, 300);
  EXPECT_GT(apart, 300);
}

TEST_F(StridesTest, OutputsThatOverlapThemselves) {
  AddTensors t(2, 3);
  std::vector<float> buffer(1000);
  t.y.dl.data = buffer.data() + 500;
  auto runWith = [&](std::vector<int64_t> strides) {
    t.y.strides = std::move(strides);
    t.y.dl.strides = t.y.strides.data();
    return runAdd(t);
  };
  // The second row begins before the first ends.
  EXPECT_EQ(runWith({4, 4, 1}), ATTN_ERROR_ALIAS);
  EXPECT_STREQ(message(), "entry 'add', output 'y': its strides lead several of its elements to one place");
  std::mt19937 random(11);
  auto pick = [&](int most) { return std::uniform_int_distribution<int>(-most, most)(random); };
  int overlaps = 0, apart = 0;
  for (int trial = 0; trial < 3000; ++trial) {
    std::vector<int64_t> strides = {pick(40), pick(30), pick(12)};
    std::set<int64_t> places;
    for (int64_t i = 0; i < 24; ++i)
      places.insert(i / 12 * strides[0] + i / 4 % 3 * strides[1] + i % 4 * strides[2]);
    bool expected = places.size() < 24;
    ASSERT_EQ(runWith(strides), expected ? ATTN_ERROR_ALIAS : ATTN_OK)
        << message() << " with " << strides[0] << ", " << strides[1] << ", " << strides[2];
    ++(expected ? overlaps : apart);
  }
  EXPECT_GT(overlaps, 300);
  EXPECT_GT(apart, 300);
  // Of inputs it does not matter.
  std::vector<int64_t> strides = {4, 4, 1};
  t.x.dl.strides = strides.data();
  EXPECT_EQ(runWith({12, 4, 1}), ATTN_OK) << message();
}

TEST_F(StridesTest, OverlapOfItselfInHugeSpans) {
  // Nothing lies there, but the question has an answer without overflow.
  constexpr int64_t large = int64_t(1) << 59;
  AddTensors t(2, 3);
  const DLTensor *in[] = {&t.ids.dl, &t.x.dl}, *out[] = {&t.y.dl, &t.total.dl};
  size_t bytes = 0;
  std::vector<int64_t> strides;
  auto sizeWith = [&](std::vector<int64_t> given) {
    strides = std::move(given);
    t.y.dl.strides = strides.data();
    return lib->workspace_size(ctx, Add, in, 2, out, 2, 1, &bytes);
  };
  EXPECT_EQ(sizeWith({large, large / 2, large / 4}), ATTN_ERROR_ALIAS) << message();
  EXPECT_EQ(sizeWith({large, large / 4, 1}), ATTN_OK) << message();
  EXPECT_EQ(sizeWith({-large, large / 2 + 1, -large / 16}), ATTN_OK) << message();
}

TEST_F(StridesTest, WorkspaceSizeCountsCopies) {
  AddTensors t(2, 3);
  const DLTensor *in[] = {&t.ids.dl, &t.x.dl};
  const DLTensor *out[] = {&t.y.dl, &t.total.dl};
  t.x.dl.data = t.ids.dl.data = t.y.dl.data = t.total.dl.data = nullptr;
  size_t bytes = 0;
  ASSERT_EQ(lib->workspace_size(ctx, Add, in, 2, out, 2, 3, &bytes), ATTN_OK) << message();
  EXPECT_EQ(bytes, 64u * 3);
  std::vector<int64_t> transposed = {1, 2, 6};
  t.x.dl.strides = transposed.data();
  ASSERT_EQ(lib->workspace_size(ctx, Add, in, 2, out, 2, 3, &bytes), ATTN_OK) << message();
  EXPECT_EQ(bytes, 64u * 3 + 128);
  t.y.dl.strides = transposed.data();
  ASSERT_EQ(lib->workspace_size(ctx, Add, in, 2, out, 2, 3, &bytes), ATTN_OK) << message();
  EXPECT_EQ(bytes, 64u * 3 + 256);
  ASSERT_EQ(lib->workspace_size(ctx, Add, in, 2, nullptr, 0, 1, &bytes), ATTN_OK) << message();
  EXPECT_EQ(bytes, 64u + 128) << "without outputs they count as dense";
  EXPECT_EQ(lib->workspace_size(ctx, Add, in, 2, out, 2, -2, &bytes), ATTN_ERROR_INVALID_ARGUMENT);
  EXPECT_EQ(lib->workspace_size(ctx, Add, in, 2, out, 2, 1, nullptr), ATTN_ERROR_INVALID_ARGUMENT);
  EXPECT_EQ(lib->workspace_size(ctx, Add, in, 1, out, 2, 1, &bytes), ATTN_ERROR_INVALID_ARGUMENT);
}

TEST_F(StridesTest, CallersWorkspace) {
  AddTensors t(2, 3);
  alignas(64) static char memory[1024];
  attn_run_options opts = options(2);
  opts.workspace = memory;
  opts.workspace_bytes = 127;
  EXPECT_EQ(runAdd(t, &opts), ATTN_ERROR_WORKSPACE);
  EXPECT_STREQ(message(), "entry 'add': the workspace has 127 bytes, but these shapes need 128 with 2 threads");
  opts.workspace = memory + 8;
  opts.workspace_bytes = 512;
  EXPECT_EQ(runAdd(t, &opts), ATTN_ERROR_WORKSPACE);
  EXPECT_STREQ(message(), "entry 'add': the workspace is not aligned to 64 bytes");
  EXPECT_TRUE(t.outputsUntouched());
  opts.workspace = memory;
  opts.workspace_bytes = 128;
  EXPECT_EQ(runAdd(t, &opts), ATTN_OK) << message();
  t.expectResult();
  t.total.dl.data = memory + 64;
  EXPECT_EQ(runAdd(t, &opts), ATTN_ERROR_ALIAS);
  EXPECT_STREQ(message(), "entry 'add', output 'total': it overlaps the workspace");
}

TEST_F(StridesTest, CallersAllocator) {
  AddTensors t(2, 3);
  struct State {
    size_t live = 0, calls = 0;
    bool fail = false;
  } state;
  attn_run_options opts = options(1);
  opts.allocator_data = &state;
  opts.allocate = [](void *user, size_t bytes, size_t alignment) -> void * {
    auto *state = static_cast<State *>(user);
    ++state->calls;
    if (state->fail)
      return nullptr;
    state->live += bytes;
    return std::aligned_alloc(alignment, bytes);
  };
  opts.release = [](void *user, void *memory, size_t bytes) {
    static_cast<State *>(user)->live -= bytes;
    std::free(memory);
  };
  EXPECT_EQ(runAdd(t, &opts), ATTN_OK) << message();
  t.expectResult();
  EXPECT_EQ(state.calls, 1u);
  EXPECT_EQ(state.live, 0u);
  state.fail = true;
  AddTensors other(2, 3);
  EXPECT_EQ(runAdd(other, &opts), ATTN_ERROR_NO_MEMORY);
  EXPECT_STREQ(message(), "entry 'add': no memory for a workspace of 64 bytes");
  EXPECT_TRUE(other.outputsUntouched());
}

TEST_F(StridesTest, NoMemory) {
  Tensor<float> x({1 << 21}), y({1 << 21}, -1.0f);
  attn_run_options opts = options(1);
  opts.allocate = [](void *, size_t, size_t) -> void * { return nullptr; };
  opts.release = [](void *, void *, size_t) {};
  EXPECT_EQ(run(Huge, {&x.dl}, {&y.dl}, &opts), ATTN_ERROR_NO_MEMORY); // 2^62 bytes
  EXPECT_EQ(y.data[0], -1.0f);
}

TEST_F(StridesTest, OutputShapes) {
  AddTensors t(2, 3);
  const DLTensor *in[] = {&t.ids.dl, &t.x.dl};
  t.x.dl.data = nullptr;
  int64_t y[3] = {}, total[1] = {};
  int64_t *shapes[] = {y, total};
  ASSERT_EQ(lib->output_shapes(ctx, Add, in, 2, shapes, 2), ATTN_OK) << message();
  EXPECT_EQ(y[0], 2);
  EXPECT_EQ(y[1], 3);
  EXPECT_EQ(y[2], 4);
  EXPECT_EQ(total[0], 2);
  EXPECT_EQ(lib->output_shapes(ctx, Add, in, 2, shapes, 1), ATTN_ERROR_INVALID_ARGUMENT);
  shapes[1] = nullptr;
  EXPECT_EQ(lib->output_shapes(ctx, Add, in, 2, shapes, 2), ATTN_ERROR_INVALID_ARGUMENT);
  EXPECT_STREQ(message(), "entry 'add', output 'total': no room for its shape");
  t.x.shape[1] = 4;
  shapes[1] = total;
  EXPECT_EQ(lib->output_shapes(ctx, Add, in, 2, shapes, 2), ATTN_ERROR_SHAPE);
}
