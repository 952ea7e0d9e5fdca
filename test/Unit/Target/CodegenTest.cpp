//===- CodegenTest.cpp - LLVM's part ----------------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The traps that cost speed, and that nothing is printed or shared.
//
//===----------------------------------------------------------------------===//

#include "TargetTest.h"

#include "attn/Target/Object/Codegen.h"

#include "llvm/IR/InstIterator.h"
#include "llvm/IR/Instructions.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/Target/TargetMachine.h"

#include <thread>

using namespace attn;
using namespace attn::test;
using namespace llvm;

static const CodegenTarget v3 = {"x86_64-unknown-linux-gnu", "x86-64-v3", ""};

static std::string assemblyOf(StringRef text, const CodegenTarget &target, const CodegenOptions &options = {}) {
  CodeModule code = parseModule(text, target);
  if (Error error = optimizeModule(*code.module, target, options))
    return message(std::move(error));
  Expected<SmallVector<char, 0>> result = generateCode(*code.module, target, options, CodeFileKind::Assembly);
  return result ? std::string(result->data(), result->size()) : message(result.takeError());
}

// Without a triple this would stay a loop over bytes.
TEST(Codegen, ZeroFillIsMemset) {
  std::string text = assemblyOf(R"(
define void @fill(ptr %p, i64 %n) {
entry:
  br label %loop
loop:
  %i = phi i64 [ 0, %entry ], [ %next, %loop ]
  %at = getelementptr i8, ptr %p, i64 %i
  store i8 0, ptr %at
  %next = add i64 %i, 1
  %more = icmp ult i64 %next, %n
  br i1 %more, label %loop, label %exit
exit:
  ret void
})",
                                v3);
  EXPECT_NE(text.find("memset"), std::string::npos) << text;
}

TEST(Codegen, FunctionsGetTheProcessor) {
  CodeModule code = parseModule("define void @f() { ret void }\n"
                                "define void @g() \"target-cpu\"=\"x86-64-v4\" { ret void }",
                                v3);
  ASSERT_EQ(message(optimizeModule(*code.module, v3, {})), "");
  EXPECT_EQ(code.module->getFunction("f")->getFnAttribute("target-cpu").getValueAsString(), "x86-64-v3");
  EXPECT_EQ(code.module->getFunction("g")->getFnAttribute("target-cpu").getValueAsString(), "x86-64-v4");
  EXPECT_EQ(code.module->getTargetTriple().str(), v3.triple);
  EXPECT_NE(code.module->getDataLayoutStr(), "");
}

// Whether the loop still stores, in a loop that adds to one place in memory.
static bool storesInLoop(bool promote) {
  CodeModule code = parseModule(R"(
define void @sum(ptr noalias %to, ptr noalias %from, i64 %n) {
entry:
  br label %loop
loop:
  %i = phi i64 [ 0, %entry ], [ %next, %loop ]
  %at = getelementptr <8 x float>, ptr %from, i64 %i
  %x = load <8 x float>, ptr %at
  %old = load <8 x float>, ptr %to
  %new = fadd <8 x float> %old, %x
  store <8 x float> %new, ptr %to
  %next = add i64 %i, 1
  %more = icmp ult i64 %next, %n
  br i1 %more, label %loop, label %exit
exit:
  ret void
})",
                                v3);
  CodegenOptions options;
  options.promoteInLoops = promote;
  EXPECT_EQ(message(optimizeModule(*code.module, v3, options)), "");
  for (BasicBlock &block : *code.module->getFunction("sum"))
    for (Instruction &instruction : block)
      if (isa<StoreInst>(instruction) && is_contained(successors(&block), &block))
        return true;
  return false;
}

TEST(Codegen, PromotionInLoopsIsAnOption) {
  EXPECT_TRUE(storesInLoop(false));
  EXPECT_FALSE(storesInLoop(true));
}

TEST(Codegen, UnknownNames) {
  auto fails = [](CodegenTarget target) { return message(createTargetMachine(target, {}).takeError()); };
  EXPECT_EQ(fails({"x86_64-unknown-linux-gnu", "pentium9", ""}),
            "LLVM knows no processor 'pentium9' for 'x86_64-unknown-linux-gnu'");
  EXPECT_EQ(fails({"x86_64-unknown-linux-gnu", "", "+avx2,+avx9"}),
            "LLVM knows no processor feature 'avx9' for 'x86_64-unknown-linux-gnu'");
  EXPECT_EQ(fails({"x86_64-unknown-linux-gnu", "", "avx2"}), "processor feature 'avx2' has to begin with '+' or '-'");
  EXPECT_NE(fails({"vax-unknown-linux-gnu", "", ""}).find("cannot generate code for 'vax-unknown-linux-gnu'"),
            std::string::npos);
}

TEST(Codegen, InvalidModule) {
  CodeModule code = parseModule("define i32 @f() { ret i32 0 }", v3);
  code.module->getFunction("f")->getEntryBlock().getTerminator()->eraseFromParent();
  EXPECT_NE(message(optimizeModule(*code.module, v3, {})).find("the LLVM module is not valid"), std::string::npos);
}

// The code generator's own errors are printed, and end the process, by default.
TEST(Codegen, BackendErrorIsReturned) {
  std::string text = assemblyOf("define void @f() { call void asm \"not an instruction\", \"\"() ret void }", v3);
  EXPECT_NE(text.find("code generation failed"), std::string::npos) << text;
}

TEST(Codegen, TwoThreads) {
  std::string results[2];
  std::thread threads[2];
  for (int i = 0; i < 2; ++i)
    threads[i] = std::thread([&results, i] {
      for (int round = 0; round < 5; ++round) {
        TemporaryDirectory directory;
        EmitOptions options;
        options.output = directory.file("libsmall.so");
        results[i] = message(emitLibrary(makeModel("small"), makeModules(), makeWeights(), options));
        if (!results[i].empty())
          return;
        results[i] = readFile(options.output);
      }
    });
  for (std::thread &thread : threads)
    thread.join();
  EXPECT_GT(results[0].size(), 1000u) << results[0];
  EXPECT_EQ(results[0], results[1]);
}
