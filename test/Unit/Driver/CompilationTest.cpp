//===- CompilationTest.cpp - Compilations as objects ------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the command line cannot show: compilations in several threads, in one process after the other, and stopped in
// the middle.
//
//===----------------------------------------------------------------------===//

#include "TempDir.h"
#include "attn/Driver/Main.h"
#include <thread>

using namespace attn;

namespace {

const std::string kEncoder = ATTN_TEST_INPUTS "/encoder.mlir";

/// Keeps what it is told.
struct Messages final : MessagePrinter {
  void configure(DiagnosticFormat, ProgressStyle) override {}
  void print(const Message &message) override {
    if (message.kind >= Message::Kind::Warning)
      errors += toText(message) + "\n";
    else
      others.push_back(toText(message));
  }
  std::string errors;
  std::vector<std::string> others;
};

ExitCode compile(std::vector<std::string> arguments, Messages &messages, CompilationHooks hooks = {}) {
  std::vector<const char *> pointers;
  for (const std::string &argument : arguments)
    pointers.push_back(argument.c_str());
  return runCommandLine(pointers, messages, std::move(hooks));
}

/// Compiles `model` to `library`; an error is a failure of the test.
void compileTo(const std::string &model, const std::string &library, const std::string &targets) {
  Messages messages;
  EXPECT_EQ(compile({model, "-o", library, "--target=" + targets}, messages), kExitSuccess) << messages.errors;
}

TEST(CompilationTest, TwoInTwoThreads) {
  // The same model for different machines, and a different model beside it, each also alone: no compilation may see
  // another's options, context or linker.
  TempDir dir;
  std::string other = dir.write("square.mlir", R"(
    func.func @square(%x: tensor<?x4xf32>, %w: tensor<4x4xf32>) -> tensor<?x4xf32> {
      %0 = attn.feed_forward %x up(%w : tensor<4x4xf32>) down(%w : tensor<4x4xf32>) : tensor<?x4xf32> -> tensor<?x4xf32>
      return %0 : tensor<?x4xf32>
    })");
  for (const char *name : {"alone", "threads"})
    ASSERT_FALSE(llvm::sys::fs::create_directory(dir.path(name)));
  struct Job {
    std::string model, library, targets;
  };
  const Job jobs[] = {{kEncoder, "libwide.so", "x86-64-v4"},
                      {kEncoder, "libnarrow.so", "x86-64-v3"},
                      {other, "libsquare.so", "x86-64-v4,x86-64-v3"}};
  for (const Job &job : jobs)
    compileTo(job.model, dir.path("alone/" + job.library), job.targets);
  std::vector<std::thread> threads;
  for (const Job &job : jobs)
    threads.emplace_back([&] { compileTo(job.model, dir.path("threads/" + job.library), job.targets); });
  for (std::thread &thread : threads)
    thread.join();
  for (const Job &job : jobs) {
    std::string alone = dir.read("alone/" + job.library);
    EXPECT_GT(alone.size(), 4096u);
    EXPECT_TRUE(alone == dir.read("threads/" + job.library)) << job.library;
  }
  EXPECT_FALSE(dir.read("alone/libwide.so") == dir.read("alone/libnarrow.so"));
}

TEST(CompilationTest, SameBytesEachTime) {
  TempDir first, second;
  ASSERT_FALSE(llvm::sys::fs::create_directory(second.path("deeper")));
  compileTo(kEncoder, first.path("libencoder.so"), "x86-64-v4,x86-64-v3");
  compileTo(kEncoder, second.path("deeper/libencoder.so"), "x86-64-v4,x86-64-v3");
  for (const std::string &file : {"libencoder.so", "encoder.h", "encoder.json"})
    EXPECT_TRUE(first.read(file) == second.read("deeper/" + file)) << file;
  // Nothing of where it was made.
  std::string library = first.read("libencoder.so");
  EXPECT_EQ(library.find("attn-test"), std::string::npos);
  EXPECT_EQ(library.find(ATTN_TEST_INPUTS), std::string::npos);
}

TEST(CompilationTest, StagesAnnounceTheirInput) {
  TempDir dir;
  Messages messages;
  CompilationHooks hooks;
  std::vector<StageInput> inputs;
  hooks.stageBegins = [&](const StageInput &input) { inputs.push_back(input); };
  ASSERT_EQ(compile({kEncoder, "-o", dir.path("lib e.so")}, messages, std::move(hooks)), kExitSuccess)
      << messages.errors;
  ASSERT_EQ(inputs.size(), allStages().size());
  EXPECT_EQ(inputs[0].module, "");
  EXPECT_NE(inputs[1].module.find("attn.encoder_layer"), std::string::npos);
  EXPECT_EQ(inputs[3].arguments, "--compile-from=schedule --name=_e -o '" + dir.path("lib e.so") + "'");
}

TEST(CompilationTest, StopsWhenCancelled) {
  // In each stage in turn: an error, the exit code of an interrupt, and no file.
  for (const StageInfo &info : allStages()) {
    TempDir dir;
    Messages messages;
    Cancellation cancellation;
    CompilationHooks hooks;
    hooks.cancellation = &cancellation;
    hooks.stageBegins = [&](const StageInput &input) {
      if (input.stage == info.stage)
        cancellation.cancel();
    };
    EXPECT_EQ(compile({kEncoder, "-o", dir.path("libe.so")}, messages, std::move(hooks)), kExitInterrupted);
    EXPECT_EQ(messages.errors, "error: interrupted; nothing was written\n") << info.flag.str();
    EXPECT_EQ(dir.numFiles(), 0u) << info.flag.str();
  }
}

TEST(CompilationTest, SaysWhatStaysWhenCancelled) {
  TempDir dir;
  Messages messages;
  Cancellation cancellation;
  CompilationHooks hooks;
  hooks.cancellation = &cancellation;
  hooks.stageBegins = [&](const StageInput &input) {
    if (input.stage == Stage::Lower)
      cancellation.cancel();
  };
  std::string dumps = dir.path("dumps"), report = dir.path("report.json");
  EXPECT_EQ(compile({kEncoder, "-o", dir.path("libe.so"), "--dump-stages=" + dumps, "--report=" + report}, messages,
                    std::move(hooks)),
            kExitInterrupted);
  EXPECT_EQ(messages.errors, "error: interrupted; nothing was written but '" + dumps + "' and '" + report + "'\n");
  EXPECT_EQ(dir.numFiles(), 2u);
}

TEST(CompilationTest, ErrorsAreMessages) {
  Messages messages;
  EXPECT_EQ(compile({kEncoder, "--emit=exe", "-o", "x"}, messages), kExitFailure);
  EXPECT_EQ(messages.errors, "error: unknown kind 'exe' in --emit; the kinds are shared, static, object, asm, llvm "
                             "and mlir\n");
  EXPECT_TRUE(messages.others.empty());
}

TEST(CompilationTest, ListsAreMessages) {
  Messages messages;
  EXPECT_EQ(compile({"--list-targets"}, messages), kExitSuccess);
  ASSERT_EQ(messages.others.size(), 1u);
  EXPECT_NE(messages.others[0].find("x86-64-v3"), std::string::npos);
}

} // namespace
