//===- TargetTest.cpp - A small model for the emission tests ----*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The IR is written for whoever reads a failing test: one loop, no tricks.
//
//===----------------------------------------------------------------------===//

#include "TargetTest.h"

#include "attn/Runtime/Model.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/AsmParser/Parser.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Program.h"
#include "llvm/Support/SourceMgr.h"

#include <cstring>
#include <dlfcn.h>

using namespace attn;
using namespace llvm;

test::TemporaryDirectory::TemporaryDirectory() {
  if (sys::fs::createUniqueDirectory("attn-target-test", path))
    report_fatal_error("cannot make a temporary directory");
}

test::TemporaryDirectory::~TemporaryDirectory() {
  (void)sys::fs::setPermissions(path, sys::fs::owner_all);
  (void)sys::fs::remove_directories(path);
}

std::string test::TemporaryDirectory::file(StringRef name) const {
  SmallString<128> result(path);
  sys::path::append(result, name);
  return result.str().str();
}

std::vector<std::string> test::TemporaryDirectory::list() const {
  std::vector<std::string> names;
  std::error_code code;
  for (sys::fs::directory_iterator i(path, code), end; i != end && !code; i.increment(code))
    names.push_back(sys::path::filename(i->path()).str());
  sort(names);
  return names;
}

std::string test::readFile(StringRef path) {
  ErrorOr<std::unique_ptr<MemoryBuffer>> buffer = MemoryBuffer::getFile(path);
  EXPECT_TRUE(bool(buffer)) << path.str();
  return buffer ? (*buffer)->getBuffer().str() : std::string();
}

std::string test::message(Error error) { return error ? toString(std::move(error)) : ""; }

CodeModule test::parseModule(StringRef text, CodegenTarget target) {
  auto context = std::make_unique<LLVMContext>();
  SMDiagnostic diagnostic;
  std::unique_ptr<Module> module = parseAssemblyString(text, diagnostic, *context);
  if (!module)
    report_fatal_error("line " + Twine(diagnostic.getLineNo()) + ": " + diagnostic.getMessage());
  return CodeModule(std::move(context), std::move(module), std::move(target));
}

static constexpr StringLiteral moduleText = R"(
@scale = external global [64 x float]
@shift = external global [64 x float]
@unused_weight = external global [64 x float]

declare void @attn_rt_parallel_for(ptr, ptr, ptr, i64, i64)

define i64 @workspace_SUFFIX(ptr %dims, i64 %threads) {
  ret i64 64
}

define i32 @run_SUFFIX(ptr %call) {
  %dims = load ptr, ptr %call
  %n = load i64, ptr %dims
  call void @attn_rt_parallel_for(ptr %call, ptr @task, ptr %call, i64 %n, i64 16)
  ret i32 0
}

define void @task(ptr %call, i64 %begin, i64 %end, i32 %worker) {
entry:
  %inputs.at = getelementptr i8, ptr %call, i64 8
  %inputs = load ptr, ptr %inputs.at
  %x = load ptr, ptr %inputs
  %outputs.at = getelementptr i8, ptr %call, i64 16
  %outputs = load ptr, ptr %outputs.at
  %y = load ptr, ptr %outputs
  %some = icmp slt i64 %begin, %end
  br i1 %some, label %loop, label %exit
loop:
  %i = phi i64 [ %begin, %entry ], [ %next, %loop ]
  %w = and i64 %i, 63
  %x.at = getelementptr float, ptr %x, i64 %i
  %scale.at = getelementptr float, ptr @scale, i64 %w
  %shift.at = getelementptr float, ptr @shift, i64 %w
  %x.i = load float, ptr %x.at
  %scale.i = load float, ptr %scale.at
  %shift.i = load float, ptr %shift.at
  %product = fmul float %x.i, %scale.i
  %sum = fadd float %product, %shift.i
  %y.at = getelementptr float, ptr %y, i64 %i
  store float %sum, ptr %y.at
  %next = add i64 %i, 1
  %more = icmp slt i64 %next, %end
  br i1 %more, label %loop, label %exit
exit:
  ret void
}
)";

CodeModule test::makeModule(CodegenTarget target, StringRef suffix) {
  std::string text = moduleText.str();
  for (size_t at; (at = text.find("SUFFIX")) != std::string::npos;)
    text.replace(at, 6, suffix.str());
  return parseModule(text, std::move(target));
}

std::vector<CodeModule> test::makeModules() {
  std::vector<CodeModule> modules;
  modules.push_back(makeModule({"x86_64-unknown-linux-gnu", "x86-64-v3", ""}, "v3"));
  modules.push_back(makeModule({"x86_64-unknown-linux-gnu", "x86-64", ""}, "v1"));
  return modules;
}

ModelInfo test::makeModel(StringRef prefix) {
  ModelInfo model;
  model.name = "a small model";
  model.prefix = prefix.str();
  EntryInfo &entry = model.entries.emplace_back();
  entry.name = "apply";
  entry.dims = {{"n", 0, 1 << 20}};
  entry.inputs = {{"x", {}, {-1}}};
  entry.outputs = {{"y", {}, {-1}}};
  entry.variants = {{"x86-64-v3", ATTN_CPU_AVX2_FMA, "workspace_v3", "run_v3", {}, ""},
                    {"x86-64", 0, "workspace_v1", "run_v1", {}, ""}};
  entry.flops = "2*n";
  return model;
}

WeightBlob test::makeWeight(StringRef symbol, float begin, float step) {
  auto fill = [=](uint64_t offset, MutableArrayRef<char> block) {
    float values[64];
    for (int i = 0; i < 64; ++i)
      values[i] = begin + step * i;
    std::memcpy(block.data(), reinterpret_cast<const char *>(values) + offset, block.size());
    return Error::success();
  };
  return {symbol.str(), 256, fill};
}

std::vector<WeightBlob> test::makeWeights() { return {makeWeight("scale", 1, 0.5f), makeWeight("shift", 0, -1)}; }

void test::checkLibrary(StringRef path, const char *target) {
  void *handle = dlopen(path.str().c_str(), RTLD_NOW | RTLD_LOCAL);
  ASSERT_NE(handle, nullptr) << dlerror();
  auto get = reinterpret_cast<const attn_library *(*)()>(dlsym(handle, "attn_library_v1"));
  ASSERT_NE(get, nullptr);
  const attn_library *library = get();
  ASSERT_EQ(library->abi_version, uint32_t(ATTN_ABI_VERSION));
  ASSERT_EQ(library->num_entries, 1u);
  EXPECT_STREQ(library->name, "a small model");
  EXPECT_STREQ(library->entries[0].name, "apply");
  EXPECT_STREQ(library->entries[0].outputs[0].name, "y");
  EXPECT_EQ(library->entries[0].inputs[0].shape[0], -1);
  EXPECT_EQ(library->entries[0].dims[0].max, 1 << 20);

  attn_create_options createOptions = {};
  createOptions.size = sizeof(createOptions);
  createOptions.target = target;
  attn_context *context = nullptr;
  attn_error error = {};
  ASSERT_EQ(library->create(library, &createOptions, &context, &error), ATTN_OK) << error.message;
  if (target)
    EXPECT_STREQ(library->target(context, 0), target);

  int64_t shape[] = {1000};
  std::vector<float> x(1000), y(1000);
  for (int i = 0; i < 1000; ++i)
    x[i] = i * 0.25f;
  DLTensor in = {x.data(), {kDLCPU, 0}, 1, {kDLFloat, 32, 1}, shape, nullptr, 0}, out = in;
  out.data = y.data();
  const DLTensor *inputs[] = {&in};
  DLTensor *outputs[] = {&out};
  EXPECT_EQ(library->run(context, 0, inputs, 1, outputs, 1, nullptr), ATTN_OK) << library->last_error(context)->message;
  for (int i = 0; i < 1000; ++i)
    ASSERT_EQ(y[i], x[i] * (1 + 0.5f * (i % 64)) - (i % 64)) << i;
  library->destroy(context);
  dlclose(handle);
}

int test::runProgram(ArrayRef<std::string> command, std::string *output) {
  TemporaryDirectory directory;
  std::string capture = directory.file("output");
  SmallVector<StringRef> arguments(command.begin(), command.end());
  std::optional<StringRef> redirects[] = {std::nullopt, StringRef(capture), StringRef(capture)};
  int code = sys::ExecuteAndWait(command[0], arguments, std::nullopt, redirects);
  if (output)
    *output = readFile(capture);
  return code;
}
