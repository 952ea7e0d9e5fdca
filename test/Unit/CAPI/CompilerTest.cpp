//===- CompilerTest.cpp - The compiler as a C library -----------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/CAPI/Compiler.h"
#include "TempDir.h"

extern "C" int compileFromC(const char *model, const char *output, const char *option, int cancelled, char *text,
                            int *messages);
extern "C" int compileSilently(const char *model, const char *output);

namespace {

constexpr const char *kEncoder = ATTN_TEST_INPUTS "/encoder.mlir";

class CompilerTest : public testing::Test {
protected:
  int compile(const char *model, const char *option, bool cancelled = false) {
    return compileFromC(model, dir.path("libe.so").c_str(), option, cancelled, text, &messages);
  }

  attn::TempDir dir;
  char text[4096] = "";
  int messages = 0;
};

TEST_F(CompilerTest, Compiles) {
  EXPECT_EQ(compile(kEncoder, "--quiet"), 0);
  EXPECT_STREQ(text, "");
  EXPECT_EQ(dir.numFiles(), 3u);
  EXPECT_EQ(dir.read("libe.so").substr(1, 3), "ELF");
}

TEST_F(CompilerTest, NeedsNoCallback) {
  EXPECT_EQ(compileSilently(kEncoder, dir.path("libe.so").c_str()), 0);
  EXPECT_EQ(compileSilently("missing", dir.path("libe.so").c_str()), 1);
}

TEST_F(CompilerTest, Errors) {
  EXPECT_EQ(compile("missing", "--quiet"), 1);
  EXPECT_STREQ(text, "error: cannot read 'missing': no such file or directory\n");
  EXPECT_EQ(compile(kEncoder, "--target=z80"), 1);
  EXPECT_NE(std::string(text).find("unknown target 'z80'"), std::string::npos);
  EXPECT_EQ(dir.numFiles(), 0u);
}

TEST_F(CompilerTest, Json) {
  EXPECT_EQ(compile("missing", "--diagnostics=json"), 1);
  EXPECT_STREQ(text, R"({"message":"import missing","severity":"progress"})"
                     "\n"
                     R"({"message":"cannot read 'missing': no such file or directory","severity":"error"})"
                     "\n");
}

TEST_F(CompilerTest, Progress) {
  EXPECT_EQ(compile(kEncoder, nullptr), 0);
  EXPECT_GE(messages, 8);
}

TEST_F(CompilerTest, Cancels) {
  EXPECT_EQ(compile(kEncoder, "--quiet", /*cancelled=*/true), 130);
  EXPECT_STREQ(text, "error: interrupted; nothing was written\n");
  EXPECT_EQ(dir.numFiles(), 0u);
}

TEST_F(CompilerTest, Version) { EXPECT_STREQ(attnCompilerVersion(), ATTN_TEST_VERSION); }

} // namespace
