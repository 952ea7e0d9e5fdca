//===- KindsTest.cpp - Static libraries, objects and text -------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// C programs are linked with what came out, as users do.
//
//===----------------------------------------------------------------------===//

#include "TargetTest.h"

#include "llvm/AsmParser/Parser.h"
#include "llvm/Object/Archive.h"
#include "llvm/Support/SourceMgr.h"

#include <fstream>

using namespace attn;
using namespace attn::test;
using namespace llvm;

static std::string emit(EmitKind kind, StringRef prefix, const std::string &output) {
  EmitOptions options;
  options.kind = kind;
  options.output = output;
  return message(emitLibrary(makeModel(prefix), makeModules(), makeWeights(), options));
}

// Two models with the same internal names, each run once.
static constexpr StringLiteral program = R"(
#include "one.h"
#include "two.h"
#include <stdio.h>
int main(void) {
  const float x[3] = {1, 2, 3};
  for (int model = 0; model < 2; ++model) {
    const attn_library *library = model ? two_library() : one_library();
    attn_context *context;
    attn_error error;
    float y[3] = {0, 0, 0};
    if (library->create(library, NULL, &context, &error))
      return puts(error.message), 1;
    if ((model ? two_apply_dense : one_apply_dense)(context, 3, x, y, NULL))
      return puts(library->last_error(context)->message), 1;
    library->destroy(context);
    printf("%g %g %g\n", y[0], y[1], y[2]);
  }
  return 0;
}
)";

static void linkAndRun(const TemporaryDirectory &directory, std::vector<std::string> inputs) {
  std::ofstream(directory.file("main.c")) << program.str();
  std::vector<std::string> command = {ATTN_TEST_CC,          "-Wall", "-Werror", directory.file("main.c"), "-o",
                                      directory.file("main")};
  append_range(command, inputs);
  command.push_back("-pthread");
  std::string output;
  ASSERT_EQ(runProgram(command, &output), 0) << output;
  EXPECT_EQ(output, "");
  EXPECT_EQ(runProgram({directory.file("main")}, &output), 0);
  EXPECT_EQ(output, "1 2 4\n1 2 4\n");
}

TEST(Kinds, TwoStaticLibrariesInOneProgram) {
  TemporaryDirectory directory;
  ASSERT_EQ(emit(EmitKind::Static, "one", directory.file("libone.a")), "");
  ASSERT_EQ(emit(EmitKind::Static, "two", directory.file("libtwo.a")), "");
  linkAndRun(directory, {directory.file("libone.a"), directory.file("libtwo.a")});
}

TEST(Kinds, TwoObjectsWithTheInstalledRuntime) {
  TemporaryDirectory directory;
  ASSERT_EQ(emit(EmitKind::Object, "one", directory.file("one.o")), "");
  ASSERT_EQ(emit(EmitKind::Object, "two", directory.file("two.o")), "");
  std::vector<std::string> inputs = {directory.file("one.o"), directory.file("two.o"), ATTN_TEST_RUNTIME};
  // This runtime is built as the tests are.
  SmallVector<StringRef> flags;
  StringRef(ATTN_TEST_SANITIZER_FLAGS).split(flags, ' ', /*MaxSplit=*/-1, /*KeepEmpty=*/false);
  for (StringRef flag : flags)
    inputs.push_back(flag.str());
  linkAndRun(directory, inputs);
}

TEST(Kinds, SharedLibrariesInOneProgram) {
  TemporaryDirectory directory;
  ASSERT_EQ(emit(EmitKind::Shared, "one", directory.file("libone.so")), "");
  ASSERT_EQ(emit(EmitKind::Shared, "two", directory.file("libtwo.so")), "");
  linkAndRun(directory, {directory.file("libone.so"), directory.file("libtwo.so"), "-Wl,-rpath," + directory.file("")});
}

TEST(Kinds, StaticLibraryIsReproducible) {
  TemporaryDirectory one, other;
  ASSERT_EQ(emit(EmitKind::Static, "one", one.file("libone.a")), "");
  ASSERT_EQ(emit(EmitKind::Static, "one", other.file("different.a")), "");
  EXPECT_EQ(readFile(one.file("libone.a")), readFile(other.file("different.a")));
}

TEST(Kinds, AssemblyOfAllTargets) {
  TemporaryDirectory directory;
  ASSERT_EQ(emit(EmitKind::Assembly, "one", directory.file("one.s")), "");
  EXPECT_EQ(directory.list(), std::vector<std::string>{"one.s"});
  std::string text = readFile(directory.file("one.s"));
  for (const char *part : {"run_v1:", "run_v3:", "one_library:", "ymm"})
    EXPECT_NE(text.find(part), std::string::npos) << part;
  std::string output;
  EXPECT_EQ(runProgram({ATTN_TEST_CC, "-c", directory.file("one.s"), "-o", directory.file("one.o")}, &output), 0)
      << output;
}

TEST(Kinds, IRThatParses) {
  TemporaryDirectory directory;
  ASSERT_EQ(emit(EmitKind::LLVM, "one", directory.file("one.ll")), "");
  LLVMContext context;
  SMDiagnostic diagnostic;
  std::unique_ptr<Module> module = parseAssemblyFile(directory.file("one.ll"), diagnostic, context);
  ASSERT_TRUE(module) << diagnostic.getMessage().str();
  EXPECT_TRUE(module->getFunction("run_v3"));
  EXPECT_TRUE(module->getFunction("one_library"));
  EXPECT_TRUE(module->getNamedGlobal("scale")->isDeclaration());
}
