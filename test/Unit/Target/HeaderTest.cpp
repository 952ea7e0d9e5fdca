//===- HeaderTest.cpp - The C header and the JSON description ---*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A compiler reads the header, in both languages, with all warnings as errors.
//
//===----------------------------------------------------------------------===//

#include "TargetTest.h"

#include "attn/Target/Header/Description.h"
#include "attn/Target/Header/Header.h"
#include "attn/Target/Object/Embedded.h"

#include "llvm/Support/JSON.h"

#include <fstream>

using namespace attn;
using namespace attn::test;
using namespace llvm;

// All that names can do to C.
static ModelInfo makeAwkwardModel() {
  ModelInfo model = makeModel("awkward");
  model.name = "a */ b \\";
  EntryInfo &first = model.entries[0];
  first.name = "class";
  first.dims = {{"int", 1, 8}, {"in", 0}, {"unused dim", 0}};
  first.inputs = {{"input.ids", {0, 64, 1}, {-1, -2}, 0, 30522},
                  {"input/ids", {6, 8, 1}, {-1, 3}},
                  {"template", {4, 16, 1}, {}},
                  {"in_shape_0", {}, {-2}},
                  {"9lives", {2, 64, 1}, {2, 2}}};
  first.outputs = {{"options", {1, 8, 1}, {-1}}, {"awkward_library", {}, {-1}}};
  EntryInfo second = first;
  second.name = "class_dense";
  second.inputs.clear();
  second.outputs = {{"packed", {0, 4, 1}, {-1}}};
  model.entries.push_back(second);
  return model;
}

static std::string headerOf(const ModelInfo &model) {
  std::string text;
  raw_string_ostream os(text);
  writeHeader(os, model, getEmbeddedAbiHeader());
  return text;
}

static void compile(const std::string &source, const char *compiler, const char *standard) {
  std::string output;
  std::vector<std::string> command = {compiler,        standard,       "-Wall",
                                      "-Wextra",       "-pedantic",    "-Werror",
                                      "-fsyntax-only", "-Wconversion", "-Wstrict-prototypes",
                                      source};
  if (StringRef(source).ends_with(".cpp"))
    command.erase(command.end() - 2);
  EXPECT_EQ(runProgram(command, &output), 0) << output;
}

TEST(Header, CompilesAsCAndCxx) {
  TemporaryDirectory directory;
  std::ofstream(directory.file("small.h")) << headerOf(makeModel("small"));
  std::ofstream(directory.file("awkward.h")) << headerOf(makeAwkwardModel());
  const char *source = "#include \"awkward.h\"\n#include \"small.h\"\n#include \"small.h\"\n"
                       "attn_code f(attn_context *c, const float *x, float *y);\n"
                       "attn_code f(attn_context *c, const float *x, float *y) {\n"
                       "  return small_apply_dense(c, 4, x, y, NULL);\n}\n";
  std::ofstream(directory.file("a.c")) << source;
  std::ofstream(directory.file("a.cpp")) << source;
  compile(directory.file("a.c"), ATTN_TEST_CC, "-std=c11");
  compile(directory.file("a.cpp"), ATTN_TEST_CXX, "-std=c++11");
  compile(directory.file("a.cpp"), ATTN_TEST_CXX, "-std=c++20");
}

TEST(Header, NamesThings) {
  std::string text = headerOf(makeModel("small"));
  for (const char *part :
       {"const attn_library *small_library(void);", "small_entry_apply = 0", "small_input_apply_x = 0",
        "small_output_apply_y = 0", "in  x: float32 [n]", "dim n: at least 0, at most 1048576",
        "static inline attn_code small_apply(attn_context *context, const DLTensor *x, DLTensor *y, "
        "const attn_run_options *options)",
        "static inline attn_code small_apply_dense(attn_context *context, int64_t n, const float *x, float *y, "
        "const attn_run_options *options)"})
    EXPECT_NE(text.find(part), std::string::npos) << part;
}

TEST(Description, SaysWhatThereIs) {
  std::string text;
  raw_string_ostream os(text);
  writeDescription(os, makeAwkwardModel(), {512, 256, 9000});
  Expected<json::Value> value = json::parse(text);
  ASSERT_TRUE(bool(value)) << message(value.takeError());
  const json::Object &model = *value->getAsObject();
  EXPECT_EQ(model.getString("prefix"), "awkward");
  EXPECT_EQ(model.getInteger("abi_version"), 1);
  EXPECT_EQ(model.getArray("targets")->size(), 2u);
  EXPECT_EQ(model.getObject("bytes")->getInteger("stored_weights"), 256);
  const json::Object &entry = *model.getArray("entries")->front().getAsObject();
  EXPECT_EQ(entry.getString("flops"), "2*n");
  const json::Object &dim = *entry.getArray("dims")->front().getAsObject();
  EXPECT_EQ(dim.getInteger("max"), 8);
  EXPECT_TRUE((*entry.getArray("dims"))[1].getAsObject()->get("max")->getAsNull());
  const json::Object &ids = *entry.getArray("inputs")->front().getAsObject();
  EXPECT_EQ(ids.getString("dtype"), "int64");
  EXPECT_EQ(*ids.getArray("shape"), (json::Array{"int", "in"}));
  EXPECT_EQ(*ids.getArray("index_range"), (json::Array{0, 30522}));
}
