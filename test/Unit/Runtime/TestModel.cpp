//===- TestModel.cpp - A model written by hand ------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The tables and entry functions as the compiler would write them: dense buffers,
// loops through attn_rt_parallel_for, scratch per worker in the workspace.
//
//===----------------------------------------------------------------------===//

#include "TestModel.h"

#include "attn/Runtime/Model.h"

#include <algorithm>

using namespace attn::test;

static Probe probe;
extern "C" Probe *attn_test_probe(void) { return &probe; }

static void observe(const attn_call *call) {
  ++probe.runs;
  probe.lastThreads = call->threads;
  if (reinterpret_cast<uintptr_t>(call->workspace) % 64)
    probe.workspaceAligned = false;
  if (auto hook = probe.duringRun.load())
    hook();
}

// ---- Add: rows in parallel, each worker's sums in its own 64 bytes of the workspace, then one sum per batch row.

namespace {
struct AddFrame {
  const attn_call *call;
  int64_t sequence;
};
} // namespace

static void addTask(void *frame, int64_t begin, int64_t end, int32_t worker) {
  const attn_call *call = static_cast<AddFrame *>(frame)->call;
  int64_t sequence = static_cast<AddFrame *>(frame)->sequence;
  auto *ids = static_cast<const int64_t *>(call->inputs[0]);
  auto *x = static_cast<const float *>(call->inputs[1]);
  auto *y = static_cast<float *>(call->outputs[0]);
  auto *total = static_cast<double *>(call->outputs[1]);
  auto *busy = reinterpret_cast<std::atomic<int> *>(static_cast<char *>(call->workspace) + 64 * worker);
  if (busy->fetch_add(1) != 0 || worker >= call->threads)
    probe.workerClash = true;
  for (int64_t b = begin; b < end; ++b) {
    total[b] = 0;
    for (int64_t i = b * sequence * 4; i < (b + 1) * sequence * 4; ++i) {
      y[i] = x[i] + static_cast<float>(ids[i / 4]);
      total[b] += static_cast<double>(y[i]);
    }
  }
  busy->fetch_sub(1);
}

static int64_t addWorkspace(const int64_t *, int64_t threads) { return 64 * threads; }

static int32_t addRun(const attn_call *call) {
  observe(call);
  for (int64_t i = 0; i < call->threads; ++i)
    new (static_cast<char *>(call->workspace) + 64 * i) std::atomic<int>(0);
  AddFrame frame{call, call->dims[1]};
  attn_rt_parallel_for(call, addTask, &frame, call->dims[0], 1);
  return ATTN_OK;
}

// ---- Square

static int32_t squareRun(const attn_call *call) {
  observe(call);
  int64_t n = call->dims[0];
  auto *m = static_cast<const int32_t *>(call->inputs[0]);
  auto *t = static_cast<int32_t *>(call->outputs[0]);
  for (int64_t i = 0; i < n; ++i)
    for (int64_t k = 0; k < n; ++k)
      t[k * n + i] = m[i * n + k];
  return ATTN_OK;
}

// ---- Clamp

static void clampTask(void *frame, int64_t begin, int64_t end, int32_t) {
  auto *call = static_cast<const attn_call *>(frame);
  for (int64_t i = begin; i < end; ++i) {
    uint8_t value = static_cast<const uint8_t *>(call->inputs[0])[i];
    if (value > 99)
      attn_rt_flag(call, ATTN_ERROR_INDEX);
    static_cast<uint8_t *>(call->outputs[0])[i] = std::min<uint8_t>(value, 99);
  }
}

static int32_t clampRun(const attn_call *call) {
  observe(call);
  attn_rt_parallel_for(call, clampTask, const_cast<attn_call *>(call), call->dims[0], 4);
  return ATTN_OK;
}

// ---- Small: a byte for each element

static int32_t smallRun(const attn_call *call) {
  observe(call);
  auto *x = static_cast<const int8_t *>(call->inputs[0]);
  for (int64_t i = 0; i < 3 * call->dims[0]; ++i) {
    static_cast<uint8_t *>(call->outputs[0])[i] = static_cast<uint8_t>(x[i]); // all bits: who packs takes the low ones
    static_cast<int8_t *>(call->outputs[1])[i] = static_cast<int8_t>(2 * x[i]);
  }
  return ATTN_OK;
}

// ---- Huge: a workspace that does not fit, even where there is nothing to compute.

static int64_t hugeWorkspace(const int64_t *dims, int64_t) {
  int64_t bytes;
  return dims[0] == 0 || __builtin_mul_overflow(dims[0], int64_t(1) << 41, &bytes) ? -1 : bytes;
}

static int32_t hugeRun(const attn_call *call) {
  observe(call);
  std::copy_n(static_cast<const float *>(call->inputs[0]), call->dims[0], static_cast<float *>(call->outputs[0]));
  return ATTN_OK;
}

// ---- Count

namespace {
struct CountFrame {
  std::atomic<uint8_t> *seen;
  std::atomic<int64_t> items{0};
  std::atomic<int> workers[256] = {};
};
} // namespace

static void countTask(void *argument, int64_t begin, int64_t end, int32_t worker) {
  auto *frame = static_cast<CountFrame *>(argument);
  if (frame->workers[worker].fetch_add(1) != 0)
    probe.workerClash = true;
  for (int64_t i = begin; i < end; ++i) {
    for (volatile int k = 0; k < probe.spin; k = k + 1) {
    }
    if (frame->seen[i].fetch_add(1) == 0)
      ++frame->items;
  }
  frame->workers[worker].fetch_sub(1);
}

static int64_t countWorkspace(const int64_t *, int64_t) { return 1 << 16; }

static int32_t countRun(const attn_call *call) {
  observe(call);
  int64_t n = *static_cast<const int64_t *>(call->inputs[0]);
  CountFrame frame;
  frame.seen = static_cast<std::atomic<uint8_t> *>(call->workspace);
  int64_t passes = 0;
  for (int64_t grain : {1, 3, 64}) {
    for (int64_t i = 0; i < n; ++i)
      new (&frame.seen[i]) std::atomic<uint8_t>(0);
    frame.items = 0;
    attn_rt_parallel_for(call, countTask, &frame, n, grain);
    passes += frame.items == n && std::all_of(frame.seen, frame.seen + n, [](auto &seen) { return seen == 1; });
  }
  *static_cast<int32_t *>(call->outputs[0]) = passes == 3 ? static_cast<int32_t>(n) : 0;
  return ATTN_OK;
}

// ---- Parts

static int32_t partsRun(const attn_call *call) {
  observe(call);
  int64_t rows = call->dims[0], width = call->dims[1], part = call->dims[2];
  for (int64_t i = 0; i < rows; ++i)
    std::copy_n(static_cast<const float *>(call->inputs[0]) + i * width, part,
                static_cast<float *>(call->outputs[0]) + i * part);
  return ATTN_OK;
}

// ---- Grow: [heads, rows, 3]; copies what was there only where it isn't there already. "plain" is code for dense
// tensors.

static int32_t growRun(const attn_call *call) {
  observe(call);
  int64_t heads = call->dims[0], past = call->dims[1], added = call->dims[2], all = past + added;
  bool isDense = probe.growIsDense;
  int64_t from[] = {past * 3, 3, 1}, to[] = {all * 3, 3, 1};
  if (!isDense) {
    std::copy_n(call->strides, 3, from);
    std::copy_n(call->strides + 3, 3, to);
  }
  auto *before = static_cast<const float *>(call->inputs[0]), *news = static_cast<const float *>(call->inputs[1]);
  auto *result = static_cast<float *>(call->outputs[0]);
  probe.kept = before == result;
  for (int64_t h = 0; h < heads; ++h)
    for (int64_t row = 0; row < all; ++row)
      for (int64_t i = 0; i < 3; ++i) {
        if (row < past && before == result)
          continue;
        result[h * to[0] + row * to[1] + i * to[2]] =
            row < past ? before[h * from[0] + row * from[1] + i * from[2]] : news[(h * added + row - past) * 3 + i];
      }
  return ATTN_OK;
}

// ---- Tables

static const int64_t bs[] = {-1, -2}, bs4[] = {-1, -2, 4}, b[] = {-1}, nn[] = {-1, -1}, n[] = {-1};
/// A dimension that the inputs say.
static constexpr attn_dim_desc dim(const char *name, int64_t min, int64_t max) {
  return {name, min, max, nullptr, 0, nullptr, 0};
}
static const attn_dim_desc addDims[] = {dim("batch", 0, INT64_MAX), dim("sequence", 0, MaxSequence)};
static const attn_dim_desc squareDims[] = {dim("n", 1, INT64_MAX)};
static const attn_dim_desc anyN[] = {dim("n", 0, INT64_MAX)};
static const int64_t width[] = {1, 1, 1}, three[] = {3, 0}, two[] = {2, 0}, halfMinusRows[] = {1, 1, 3, -1, 1, 0};
static const attn_dim_desc partsDims[] = {dim("rows", 0, INT64_MAX),
                                          dim("width", 0, INT64_MAX),
                                          {"width / 3", 0, INT64_MAX, width, 1, three, 1},
                                          {"width / 2", 0, INT64_MAX, width, 1, two, 0},
                                          {"width / 2 - rows", 0, INT64_MAX, halfMinusRows, 2, nullptr, 0}};
static const int64_t pastAndNew[] = {1, 1, 1, 1, 1, 2};
static const attn_dim_desc growDims[] = {dim("heads", 0, INT64_MAX),
                                         dim("past", 0, INT64_MAX),
                                         dim("new", 0, INT64_MAX),
                                         {"past + new", 0, INT64_MAX, pastAndNew, 2, nullptr, 0}};
static const int64_t rw[] = {-1, -2}, rp[] = {-1, -3};
static const attn_tensor_desc partsIn[] = {{"x", kDLFloat, 32, 1, 2, rw, 0, 0, 0}};
static const attn_tensor_desc partsOut[] = {{"y", kDLFloat, 32, 1, 2, rp, 0, 0, 0}};
static const attn_tensor_desc addIn[] = {{"ids", kDLInt, 64, 1, 2, bs, 0, 10, 0},
                                         {"x", kDLFloat, 32, 1, 3, bs4, 0, 0, 0}};
static const attn_tensor_desc addOut[] = {{"y", kDLFloat, 32, 1, 3, bs4, 0, 0, 0},
                                          {"total", kDLFloat, 64, 1, 1, b, 0, 0, 0}};
static const attn_tensor_desc squareIn[] = {{"m", kDLInt, 32, 1, 2, nn, 0, 0, 0}};
static const attn_tensor_desc squareOut[] = {{"t", kDLInt, 32, 1, 2, nn, 0, 0, 0}};
static const attn_tensor_desc clampIn[] = {{"i", kDLUInt, 8, 1, 1, n, 0, 200, 0}};
static const attn_tensor_desc clampOut[] = {{"o", kDLUInt, 8, 1, 1, n, 0, 0, 0}};
static const int64_t n3[] = {-1, 3};
static const attn_tensor_desc smallIn[] = {{"x", kDLInt, 4, 1, 2, n3, 0, 0, 0}};
static const attn_tensor_desc smallOut[] = {{"low", kDLUInt, 2, 1, 2, n3, 0, 0, 0},
                                            {"twice", kDLInt, 8, 1, 2, n3, 0, 0, 0}};
static const attn_tensor_desc hugeIn[] = {{"x", kDLFloat, 32, 1, 1, n, 0, 0, 0}};
static const attn_tensor_desc hugeOut[] = {{"y", kDLFloat, 32, 1, 1, n, 0, 0, 0}};
static const attn_tensor_desc countIn[] = {{"n", kDLInt, 64, 1, 0, nullptr, 0, 1 << 16, 0}};
static const attn_tensor_desc countOut[] = {{"hits", kDLInt, 32, 1, 0, nullptr, 0, 0, 0}};
static const int64_t hp[] = {-1, -2, 3}, hn[] = {-1, -3, 3}, hq[] = {-1, -4, 3};
static const attn_tensor_desc growIn[] = {{"past", kDLFloat, 32, 1, 3, hp, 0, 0, 0},
                                          {"new", kDLFloat, 32, 1, 3, hn, 0, 0, 0}};
static const attn_tensor_desc growOut[] = {{"present", kDLFloat, 32, 1, 3, hq, 0, 0, 1}};

// No processor has bit 63, so the first variant is never taken.
#define VARIANTS(NAME, WORKSPACE, RUN, STRIDED)                                                                        \
  static const attn_variant NAME[] = {{"future", UINT64_C(1) << 63, WORKSPACE, RUN, STRIDED, nullptr},                 \
                                      {"best", 0, WORKSPACE, RUN, STRIDED, nullptr},                                   \
                                      {"plain", 0, WORKSPACE, RUN, nullptr, nullptr}}
VARIANTS(addVariants, addWorkspace, addRun, nullptr);
VARIANTS(squareVariants, nullptr, squareRun, nullptr);
VARIANTS(clampVariants, nullptr, clampRun, nullptr);
VARIANTS(smallVariants, nullptr, smallRun, nullptr);
VARIANTS(hugeVariants, hugeWorkspace, hugeRun, nullptr);
VARIANTS(countVariants, countWorkspace, countRun, nullptr);
VARIANTS(partsVariants, nullptr, partsRun, nullptr);
static const uint8_t growStrided[] = {1, 0, 1};
VARIANTS(growVariants, nullptr, growRun, growStrided);

static const attn_entry_desc entries[] = {
    {"add", 2, 2, 2, 3, addDims, addIn, addOut, addVariants},
    {"square", 1, 1, 1, 3, squareDims, squareIn, squareOut, squareVariants},
    {"clamp", 1, 1, 1, 3, anyN, clampIn, clampOut, clampVariants},
    {"huge", 1, 1, 1, 3, anyN, hugeIn, hugeOut, hugeVariants},
    {"count", 0, 1, 1, 3, nullptr, countIn, countOut, countVariants},
    {"parts", 5, 1, 1, 3, partsDims, partsIn, partsOut, partsVariants},
    {"grow", 4, 2, 1, 3, growDims, growIn, growOut, growVariants},
    {"small", 1, 1, 2, 3, anyN, smallIn, smallOut, smallVariants},
};
static const attn_model_desc model = {ATTN_ABI_VERSION, NumEntries, "test", entries};
static const attn_library library = ATTN_RT_LIBRARY("test", entries, NumEntries, &model);

extern "C" const attn_library *attn_test_library(void) { return &library; }

// What a shared library exports.
extern "C" __attribute__((visibility("default"))) const attn_library *attn_library_v1(void) { return &library; }
