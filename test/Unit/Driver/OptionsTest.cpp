//===- OptionsTest.cpp - Command lines and back -----------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Messages about wrong options are tested with the tool; here is what options become.
//
//===----------------------------------------------------------------------===//

#include "attn/Driver/Options.h"
#include "gtest/gtest.h"

using namespace attn;

namespace {

CompilationOptions parse(std::vector<const char *> arguments) {
  llvm::Expected<ParsedCommandLine> parsed = parseCommandLine(arguments);
  if (!parsed) {
    ADD_FAILURE() << llvm::toString(parsed.takeError());
    return {};
  }
  EXPECT_EQ(parsed->request, Request::Compile);
  return parsed->options;
}

TEST(OptionsTest, Defaults) {
  CompilationOptions options = parse({"model", "-o", "libm.so", "--target=x86-64-v3"});
  EXPECT_EQ(options.models, std::vector<std::string>{"model"});
  EXPECT_EQ(options.output, "libm.so");
  EXPECT_EQ(options.kind, OutputKind::Shared);
  EXPECT_EQ(options.targets, std::vector<std::string>{"x86-64-v3"});
  EXPECT_EQ(options.to, Stage::Emit);
  EXPECT_EQ(options.progress, ProgressStyle::Auto);
}

TEST(OptionsTest, BestTargetFirst) {
  CompilationOptions options = parse({"model", "-olibm.so", "--target=x86-64-v3,x86-64-v4"});
  EXPECT_EQ(options.targets, (std::vector<std::string>{"x86-64-v4", "x86-64-v3"}));
}

TEST(OptionsTest, StoppingEarlyWritesMlirToStandardOutput) {
  CompilationOptions options = parse({"model", "--compile-to=tile"});
  EXPECT_EQ(options.kind, OutputKind::MLIR);
  EXPECT_EQ(options.output, "-");
  EXPECT_EQ(options.progress, ProgressStyle::None);
}

TEST(OptionsTest, DiagnosticFormatOfABadCommandLine) {
  EXPECT_EQ(peekDiagnosticFormat({"--bogus", "--diagnostics=json"}), DiagnosticFormat::Json);
  EXPECT_EQ(peekDiagnosticFormat({"--diagnostics=json", "--diagnostics=text"}), DiagnosticFormat::Text);
  EXPECT_EQ(peekDiagnosticFormat({}), DiagnosticFormat::Text);
}

TEST(ArgumentsTest, OnlyWhatChangesTheResult) {
  CompilationOptions options = parse({"it's", "-o", "libm.a", "--emit=static", "--target=x86-64-v3", "--time",
                                      "--quiet", "--explain", "--before-stage=tile:cse"});
  EXPECT_EQ(formatArguments(options, Stage::Import),
            "'it'\\''s' --target=x86-64-v3 --emit=static --before-stage=tile:cse -o libm.a");
  EXPECT_EQ(formatArguments(options, Stage::Fuse), "--compile-from=import --name=m --target=x86-64-v3 --emit=static "
                                                   "--before-stage=tile:cse -o libm.a");
  EXPECT_EQ(formatArguments(options, Stage::Memory), "--compile-from=tile --name=m --emit=static -o libm.a");
}

TEST(ArgumentsTest, ParsesAgain) {
  CompilationOptions options = parse(
      {"m.mlir", "--compile-from=fuse", "--compile-to=memory", "-o", "out.mlir", "--name=n", "--target=x86-64-v4"});
  EXPECT_EQ(formatArguments(options, Stage::Tile), "--compile-from=schedule --name=n --compile-to=memory -o out.mlir");
  CompilationOptions again =
      parse({"r.mlir", "--compile-from=schedule", "--name=n", "--compile-to=memory", "-o", "out.mlir"});
  EXPECT_EQ(again.from, Stage::Schedule);
  EXPECT_EQ(again.to, Stage::Memory);
}

} // namespace
