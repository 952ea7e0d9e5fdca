//===- ContextTests.cpp - Creating contexts, choosing code, loading libraries *- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Targets by option and by environment, tables that are wrong, and a shared library
// that comes and goes.
//
//===----------------------------------------------------------------------===//

#include "Fixture.h"

#include "attn/Runtime/Model.h"

#include <cstdlib>
#include <dlfcn.h>

using namespace attn::test;

extern "C" int attn_test_header_in_c(void);

namespace {
class ContextTest : public RuntimeTest {
protected:
  attn_error error{};
  attn_code create(const char *target, attn_context **made) {
    attn_create_options create{};
    create.size = sizeof(create);
    create.target = target;
    return lib->create(lib, &create, made, &error);
  }
};
} // namespace

TEST_F(ContextTest, HeaderIsPlainC) { EXPECT_EQ(attn_test_header_in_c(), 0); }

TEST_F(ContextTest, Table) {
  EXPECT_EQ(lib->abi_version, static_cast<uint32_t>(ATTN_ABI_VERSION));
  EXPECT_EQ(lib->size, sizeof(attn_library));
  EXPECT_STREQ(lib->name, "test");
  ASSERT_EQ(lib->num_entries, static_cast<uint32_t>(NumEntries));
  EXPECT_STREQ(lib->entries[Add].name, "add");
  EXPECT_STREQ(lib->entries[Add].dims[-1 - lib->entries[Add].inputs[1].shape[1]].name, "sequence");
  EXPECT_STREQ(lib->code_name(ATTN_ERROR_SHAPE), "SHAPE");
  EXPECT_STREQ(lib->code_name(static_cast<attn_code>(10)), "ALIAS");
}

TEST_F(ContextTest, BestVariantThatRuns) {
  EXPECT_STREQ(lib->target(ctx, Add), "best");
  EXPECT_EQ(lib->target(ctx, NumEntries), nullptr);
  EXPECT_EQ(lib->target(nullptr, 0), nullptr);
}

TEST_F(ContextTest, TargetByOption) {
  attn_context *made = nullptr;
  ASSERT_EQ(create("plain", &made), ATTN_OK) << error.message;
  EXPECT_STREQ(lib->target(made, Square), "plain");
  lib->destroy(made);
  EXPECT_EQ(create("future", &made), ATTN_ERROR_UNSUPPORTED);
  EXPECT_STREQ(error.message, "model 'test': the option 'target' is 'future', which this processor cannot run");
  EXPECT_EQ(made, nullptr);
  EXPECT_EQ(create("pdp-11", &made), ATTN_ERROR_UNSUPPORTED);
  EXPECT_STREQ(error.message,
               "model 'test': the option 'target' is 'pdp-11', but entry 'add' has code for future, best, plain only");
}

TEST_F(ContextTest, TargetByEnvironment) {
  attn_context *made = nullptr;
  setenv("ATTN_TARGET", "plain", 1);
  ASSERT_EQ(create(nullptr, &made), ATTN_OK) << error.message;
  EXPECT_STREQ(lib->target(made, Add), "plain");
  lib->destroy(made);
  ASSERT_EQ(create("best", &made), ATTN_OK) << "the program's own choice goes first";
  EXPECT_STREQ(lib->target(made, Add), "best");
  lib->destroy(made);
  setenv("ATTN_TARGET", "future", 1);
  EXPECT_EQ(create(nullptr, &made), ATTN_ERROR_UNSUPPORTED);
  EXPECT_STREQ(error.message, "model 'test': ATTN_TARGET is 'future', which this processor cannot run");
  setenv("ATTN_TARGET", "", 1);
  EXPECT_EQ(create(nullptr, &made), ATTN_OK);
  lib->destroy(made);
  unsetenv("ATTN_TARGET");
}

TEST_F(ContextTest, NoVariantRuns) {
  attn_entry_desc entry = lib->entries[Add];
  entry.num_variants = 1;
  attn_model_desc model = {ATTN_ABI_VERSION, 1, "new", &entry};
  attn_library library = ATTN_RT_LIBRARY("new", &entry, 1, &model);
  attn_context *made = ctx;
  EXPECT_EQ(lib->create(&library, nullptr, &made, &error), ATTN_ERROR_UNSUPPORTED);
  EXPECT_STREQ(error.message, "model 'new', entry 'add': this processor can run none of its targets (future)");
  EXPECT_EQ(made, nullptr);
}

TEST_F(ContextTest, Amx) {
  // Where the processor or the kernel has no AMX, the next variant is taken; either way create succeeds.
  attn_entry_desc entry = lib->entries[Add];
  attn_variant variants[] = {entry.variants[1], entry.variants[2]};
  variants[0].target = "amx";
  variants[0].cpu_features = ATTN_CPU_AMX_TILE | ATTN_CPU_AMX_BF16;
  entry.variants = variants;
  entry.num_variants = 2;
  attn_model_desc model = {ATTN_ABI_VERSION, 1, "amx", &entry};
  attn_library library = ATTN_RT_LIBRARY("amx", &entry, 1, &model);
  attn_context *made = nullptr;
  ASSERT_EQ(lib->create(&library, nullptr, &made, &error), ATTN_OK) << error.message;
  std::string target = lib->target(made, 0);
  EXPECT_TRUE(target == "amx" || target == "plain") << target;
  lib->destroy(made);
}

#ifdef __x86_64__
TEST_F(ContextTest, FeaturesAgreeWithTheCompiler) {
  struct {
    uint64_t bits;
    bool expected;
  } cases[] = {{ATTN_CPU_AVX2_FMA, __builtin_cpu_supports("x86-64-v3") != 0},
               {ATTN_CPU_AVX512, __builtin_cpu_supports("x86-64-v4") != 0},
               {ATTN_CPU_AVX512_VNNI, __builtin_cpu_supports("avx512vnni") != 0},
               {ATTN_CPU_AVX512_BF16, __builtin_cpu_supports("avx512bf16") != 0}};
  for (auto &test : cases) {
    attn_entry_desc entry = lib->entries[Add];
    attn_variant variants[] = {entry.variants[1], entry.variants[2]};
    variants[0].cpu_features = test.bits;
    entry.variants = variants;
    entry.num_variants = 2;
    attn_model_desc model = {ATTN_ABI_VERSION, 1, "cpu", &entry};
    attn_library library = ATTN_RT_LIBRARY("cpu", &entry, 1, &model);
    attn_context *made = nullptr;
    ASSERT_EQ(lib->create(&library, nullptr, &made, &error), ATTN_OK) << error.message;
    EXPECT_STREQ(lib->target(made, 0), test.expected ? "best" : "plain") << test.bits;
    lib->destroy(made);
  }
}
#endif

TEST_F(ContextTest, BadArguments) {
  attn_context *made = ctx;
  EXPECT_EQ(lib->create(nullptr, nullptr, &made, &error), ATTN_ERROR_INVALID_ARGUMENT);
  EXPECT_STREQ(error.message, "the library is null");
  EXPECT_EQ(made, nullptr);
  EXPECT_EQ(lib->create(lib, nullptr, nullptr, &error), ATTN_ERROR_INVALID_ARGUMENT);
  EXPECT_EQ(lib->create(nullptr, nullptr, &made, nullptr), ATTN_ERROR_INVALID_ARGUMENT);
  attn_create_options create{};
  EXPECT_EQ(lib->create(lib, &create, &made, &error), ATTN_ERROR_INVALID_ARGUMENT);
  create.size = sizeof(create);
  create.threads = -2;
  EXPECT_EQ(lib->create(lib, &create, &made, &error), ATTN_ERROR_INVALID_ARGUMENT);
  EXPECT_STREQ(error.message, "the option 'threads' is -2; it has to be at least 0");
  create.threads = 0;
  create.reserved = -1;
  EXPECT_EQ(lib->create(lib, &create, &made, &error), ATTN_ERROR_INVALID_ARGUMENT);
  EXPECT_STREQ(error.message, "the option 'reserved' is -1; it has to be 0");
  create.size = SIZE_MAX;
  EXPECT_EQ(lib->create(lib, &create, &made, &error), ATTN_ERROR_INVALID_ARGUMENT);
  EXPECT_STREQ(error.message,
               "the options' field 'size' is 18446744073709551615; it has to be the options struct's size");
}

TEST_F(ContextTest, BadTables) {
  attn_library other = *lib;
  attn_context *made = nullptr;
  other.abi_version = 99;
  EXPECT_EQ(lib->create(&other, nullptr, &made, &error), ATTN_ERROR_UNSUPPORTED);
  EXPECT_STREQ(error.message, "the library has ABI version 99, the runtime has version 1");
  attn_entry_desc entry = lib->entries[Huge];
  attn_tensor_desc tensor = entry.inputs[0];
  entry.inputs = &tensor;
  attn_model_desc model = {ATTN_ABI_VERSION, 1, "bad", &entry};
  other = ATTN_RT_LIBRARY("bad", &entry, 1, &model);
  tensor.dtype_bits = 3;
  EXPECT_EQ(lib->create(&other, nullptr, &made, &error), ATTN_ERROR_UNSUPPORTED);
  EXPECT_STREQ(error.message,
               "model 'bad', entry 'huge', tensor 'x': elements of 3 bits are neither whole bytes nor 4 or 2 "
               "bits");
  tensor.dtype_bits = 32;
  tensor.rank = 33;
  EXPECT_EQ(lib->create(&other, nullptr, &made, &error), ATTN_ERROR_UNSUPPORTED);
  tensor.rank = 1;
  int64_t shape = -2;
  tensor.shape = &shape;
  EXPECT_EQ(lib->create(&other, nullptr, &made, &error), ATTN_ERROR_INTERNAL);
}

TEST_F(ContextTest, DefaultThreads) {
  attn_create_options create{};
  create.size = sizeof(create);
  create.threads = 3;
  attn_context *made = nullptr;
  ASSERT_EQ(lib->create(lib, &create, &made, nullptr), ATTN_OK);
  size_t bytes = 0;
  AddTensors t(1, 1);
  const DLTensor *in[] = {&t.ids.dl, &t.x.dl};
  ASSERT_EQ(lib->workspace_size(made, Add, in, 2, nullptr, 0, 0, &bytes), ATTN_OK);
  EXPECT_EQ(bytes, 3u * 64);
  ASSERT_EQ(lib->workspace_size(made, Add, in, 2, nullptr, 0, 5, &bytes), ATTN_OK);
  EXPECT_EQ(bytes, 5u * 64);
  lib->destroy(made);
}

TEST_F(ContextTest, LoadAndUnload) {
  static auto &leaked = *new std::vector<attn_context *>; // reachable to the end, so not a leak to the sanitizer
  for (int round = 0; round < 30; ++round) {
    void *handle = dlopen(ATTN_TEST_PLUGIN, RTLD_NOW | RTLD_LOCAL);
    ASSERT_NE(handle, nullptr) << dlerror();
    auto entry = reinterpret_cast<const attn_library *(*)()>(dlsym(handle, "attn_library_v1"));
    ASSERT_NE(entry, nullptr);
    EXPECT_EQ(dlsym(handle, "attn_rt_v1_run"), nullptr) << "the runtime is visible";
    const attn_library *plugin = entry();
    ASSERT_NE(plugin, lib);
    attn_context *made = nullptr;
    ASSERT_EQ(plugin->create(plugin, nullptr, &made, &error), ATTN_OK) << error.message;
    AddTensors t(20, 4);
    attn_run_options opts = options(3);
    const DLTensor *in[] = {&t.ids.dl, &t.x.dl};
    DLTensor *out[] = {&t.y.dl, &t.total.dl};
    ASSERT_EQ(plugin->run(made, Add, in, 2, out, 2, &opts), ATTN_OK) << plugin->last_error(made)->message;
    t.expectResult();
    if (round % 2 == 0)
      plugin->destroy(made); // else the library goes with its pool running; the context's memory is lost
    else
      leaked.push_back(made);
    ASSERT_EQ(dlclose(handle), 0);
  }
}
