//===- ErrorTest.cpp - What goes wrong, and what is left --------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Each failure is one sentence that names the culprit, and leaves no file.
//
//===----------------------------------------------------------------------===//

#include "TargetTest.h"

#include "llvm/Support/FileSystem.h"

#include <csignal>
#include <fstream>
#include <sys/resource.h>
#include <unistd.h>

using namespace attn;
using namespace attn::test;
using namespace llvm;

static std::string emit(const ModelInfo &model, const std::string &output, ArrayRef<WeightBlob> weights,
                        std::function<void(EmitOptions &)> change = {}) {
  EmitOptions options;
  options.output = output;
  if (change)
    change(options);
  return message(emitLibrary(model, makeModules(), weights, options));
}

TEST(Error, DirectoryThatDoesNotExist) {
  TemporaryDirectory directory;
  std::string path = directory.file("no/such/libsmall.so");
  EXPECT_EQ(emit(makeModel("small"), path, makeWeights()), "cannot write '" + path + "': No such file or directory");
}

TEST(Error, DirectoryThatMayNotBeWritten) {
  if (geteuid() == 0)
    GTEST_SKIP() << "root may write everywhere";
  TemporaryDirectory directory;
  ASSERT_FALSE(sys::fs::setPermissions(directory.file(""), sys::fs::owner_read | sys::fs::owner_exe));
  std::string path = directory.file("libsmall.so");
  EXPECT_EQ(emit(makeModel("small"), path, makeWeights()), "cannot write '" + path + "': Permission denied");
}

TEST(Error, DirectoryThatIsAFile) {
  TemporaryDirectory directory;
  std::ofstream(directory.file("file")) << "text";
  std::string path = directory.file("file/libsmall.so");
  EXPECT_EQ(emit(makeModel("small"), path, makeWeights()), "cannot write '" + path + "': Not a directory");
}

TEST(Error, NameOfACompanion) {
  TemporaryDirectory directory;
  for (StringRef name : {"small.h", "small.json"}) {
    std::string path = directory.file(name.str());
    EXPECT_EQ(emit(makeModel("small"), path, makeWeights()),
              "cannot write '" + path + "': a file of this name is written beside it");
  }
}

TEST(Error, MoreWeightsThanFreeSpace) {
  TemporaryDirectory directory;
  std::string path = directory.file("libsmall.so");
  std::vector<WeightBlob> weights = makeWeights();
  weights[1].bytes = uint64_t(1) << 60;
  EXPECT_TRUE(StringRef(emit(makeModel("small"), path, weights))
                  .starts_with("cannot write '" + path + "': its weights have 11529215046068"));
  EXPECT_TRUE(directory.list().empty());
}

// A limit on the size of files stands for a full disk: writes fail in the middle.
TEST(Error, DiskThatIsFull) {
  rlimit old;
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &old), 0);
  auto *oldHandler = signal(SIGXFSZ, SIG_IGN);
  std::vector<WeightBlob> weights = makeWeights();
  weights[1].bytes = 4 << 20;
  weights[1].fill = [](uint64_t, MutableArrayRef<char> block) {
    fill(block, 1);
    return Error::success();
  };
  // Objects, the linker's output and the weights are what does not fit, in turn.
  for (rlim_t limit : {512, 20 << 10, 1 << 20})
    for (EmitKind kind : {EmitKind::Shared, EmitKind::Static, EmitKind::Object}) {
      TemporaryDirectory directory;
      std::string path = directory.file("libsmall.so");
      rlimit low = {limit, old.rlim_max};
      ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &low), 0);
      std::string text = emit(makeModel("small"), path, weights, [&](EmitOptions &options) { options.kind = kind; });
      ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &old), 0);
      EXPECT_NE(text.find("'" + path + "'"), std::string::npos) << limit << ": " << text;
      EXPECT_NE(text.find("File too large"), std::string::npos) << limit << ": " << text;
      EXPECT_EQ(text.find(".tmp-"), std::string::npos) << text;
      EXPECT_TRUE(directory.list().empty()) << limit << ": " << directory.list().front();
    }
  signal(SIGXFSZ, oldHandler);
}

TEST(Error, OutputThatIsADirectory) {
  TemporaryDirectory directory;
  std::string path = directory.file("libsmall.so");
  ASSERT_FALSE(sys::fs::create_directory(path));
  EXPECT_EQ(emit(makeModel("small"), path, makeWeights()),
            "cannot write '" + path + "': it exists and is not a regular file");
}

TEST(Error, HeaderThatIsADirectory) {
  TemporaryDirectory directory;
  std::string header = directory.file("small.h");
  ASSERT_FALSE(sys::fs::create_directory(header));
  EXPECT_EQ(emit(makeModel("small"), directory.file("libsmall.so"), makeWeights()),
            "cannot write '" + header + "': Is a directory");
  EXPECT_EQ(directory.list(), std::vector<std::string>{"small.h"});
}

TEST(Error, WeightThatCannotBeReadKeepsTheOldFile) {
  TemporaryDirectory directory;
  std::string path = directory.file("libsmall.so");
  std::ofstream(path) << "old";
  std::vector<WeightBlob> weights = makeWeights();
  weights[1].bytes = 128; // not compared with the other one, so it is read while the file is written
  weights[1].fill = [](uint64_t, MutableArrayRef<char>) { return createStringError("file 'w' is gone"); };
  for (EmitKind kind : {EmitKind::Shared, EmitKind::Static, EmitKind::Object})
    EXPECT_EQ(emit(makeModel("small"), path, weights, [&](EmitOptions &options) { options.kind = kind; }),
              "weight 'shift': file 'w' is gone");
  EXPECT_EQ(readFile(path), "old");
  EXPECT_EQ(directory.list(), std::vector<std::string>{"libsmall.so"});
}

TEST(Error, MissingWeight) {
  TemporaryDirectory directory;
  std::string text = emit(makeModel("small"), directory.file("libsmall.so"), ArrayRef(makeWeights()).take_front());
  EXPECT_NE(text.find("cannot link: undefined"), std::string::npos) << text;
  EXPECT_NE(text.find("shift"), std::string::npos) << text;
  EXPECT_EQ(text.find(".tmp-"), std::string::npos) << text;
  EXPECT_EQ(text.find('\n'), std::string::npos) << text;
  EXPECT_TRUE(directory.list().empty());
}

TEST(Error, Cancelled) {
  for (int when = 0; when < 12; ++when) {
    TemporaryDirectory directory;
    std::atomic<int> asked = 0;
    std::string text = emit(makeModel("small"), directory.file("libsmall.so"), makeWeights(),
                            [&](EmitOptions &options) { options.cancelled = [&] { return asked++ >= when; }; });
    if (text.empty()) {
      EXPECT_GT(when, 5);
      return;
    }
    EXPECT_NE(text.find("cancelled"), std::string::npos);
    EXPECT_TRUE(directory.list().empty());
  }
}

TEST(Error, ContradictingModel) {
  TemporaryDirectory directory;
  std::string path = directory.file("libsmall.so");
  auto fails = [&](std::function<void(ModelInfo &)> change) {
    ModelInfo model = makeModel("small");
    change(model);
    std::string text = emit(model, path, makeWeights());
    EXPECT_TRUE(directory.list().empty());
    return text;
  };
  EXPECT_EQ(fails([](ModelInfo &model) { model.prefix = "9a"; }),
            "'9a' is no prefix for C names: it has to be a letter or '_', then letters, digits and '_'; choose another "
            "with --name");
  EXPECT_EQ(fails([](ModelInfo &model) { model.entries[0].inputs[0].shape = {-2}; }),
            "model 'a small model', entry 'apply', tensor 'x': its shape names dimension 1, but the entry has 1");
  EXPECT_EQ(fails([](ModelInfo &model) { model.entries[0].inputs[0].shape.assign(33, 1); }),
            "model 'a small model', entry 'apply', tensor 'x': it has 33 dimensions, the runtime takes 32");
  EXPECT_EQ(fails([](ModelInfo &model) { model.entries[0].outputs[0].name = "x"; }),
            "model 'a small model', entry 'apply': two tensors are named 'x'");
  EXPECT_EQ(fails([](ModelInfo &model) { model.entries[0].variants.clear(); }),
            "model 'a small model', entry 'apply': it has code for no target");
  EXPECT_EQ(fails([](ModelInfo &model) { model.entries[0].variants[0].runSymbol = "absent"; }),
            "model 'a small model', entry 'apply', target 'x86-64-v3': no module defines the function 'absent'");
  EXPECT_EQ(fails([](ModelInfo &model) { model.entries[0].variants[0].runSymbol = "workspace_v3"; }),
            "model 'a small model', entry 'apply', target 'x86-64-v3': the function 'workspace_v3' has to be i32 (ptr "
            "call)");
  EXPECT_EQ(fails([](ModelInfo &model) { model.entries[0].inputs[0].indexEnd = 3; }),
            "model 'a small model', entry 'apply', tensor 'x': only integers have an index range, but this is float32");
}

TEST(Error, OneArchitecture) {
  TemporaryDirectory directory;
  std::vector<CodeModule> modules = makeModules();
  modules[1].target = {"aarch64-unknown-linux-gnu", "", ""};
  EmitOptions options;
  options.output = directory.file("libsmall.so");
  EXPECT_EQ(message(emitLibrary(makeModel("small"), std::move(modules), makeWeights(), options)),
            "one file cannot hold code for both 'x86_64-unknown-linux-gnu' and 'aarch64-unknown-linux-gnu'");
}

TEST(Error, Prefixes) {
  EXPECT_EQ(makePrefix("", "/a/b/libmini-lm.so"), "mini_lm");
  EXPECT_EQ(makePrefix("", "6layers.so"), "_6layers");
  EXPECT_EQ(makePrefix("", "lib.so"), "model");
  EXPECT_EQ(makePrefix("my name", "x.so"), "my_name");
  EXPECT_EQ(makePrefix("libx", "y.so"), "libx");
}
