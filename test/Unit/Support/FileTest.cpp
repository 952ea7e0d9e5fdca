//===- FileTest.cpp - Mapped inputs and atomic outputs ----------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Above all: after a failure nothing new lies in the directory, and what was there before is unchanged.
//
//===----------------------------------------------------------------------===//

#include "attn/Support/File.h"
#include "TempDir.h"
#include "attn/Support/Errors.h"
#include "attn/Support/Version.h"

using namespace attn;

namespace {
TEST(File, MapsFiles) {
  TempDir dir;
  auto file = llvm::cantFail(MappedFile::open(dir.write("a", "hello")));
  MappedFile moved = std::move(file);
  EXPECT_EQ(moved.text(), "hello");
  EXPECT_EQ(moved.path(), dir.path("a"));
  EXPECT_TRUE(llvm::cantFail(MappedFile::open(dir.write("empty", ""))).bytes().empty());
}

TEST(File, ExplainsWhatCannotBeRead) {
  TempDir dir;
  EXPECT_EQ(llvm::toString(MappedFile::open(dir.path("none")).takeError()),
            "cannot read '" + dir.path("none") + "': No such file or directory");
  EXPECT_EQ(llvm::toString(MappedFile::open(dir.path("")).takeError()),
            "cannot read '" + dir.path("") + "': it is a directory");
  EXPECT_NE(llvm::toString(MappedFile::open("/dev/null").takeError()).find("not a regular file"), std::string::npos);
}

TEST(File, WritesAtomically) {
  TempDir dir;
  ASSERT_FALSE(llvm::errorToBool(writeFile(dir.path("out"), "one")));
  EXPECT_EQ(dir.read("out"), "one");
  ASSERT_FALSE(llvm::errorToBool(writeFile(dir.path("out"), "two", 0777)));
  EXPECT_EQ(dir.read("out"), "two");
  EXPECT_TRUE(llvm::sys::fs::can_execute(dir.path("out")));

  llvm::Error error = writeFile(dir.path("out"), [](llvm::raw_fd_ostream &os) {
    os << "half";
    return makeError("no more");
  });
  EXPECT_EQ(llvm::toString(std::move(error)), "no more");
  EXPECT_EQ(dir.read("out"), "two");
  {
    auto dropped = llvm::cantFail(OutputFile::create(dir.path("dropped")));
  }
  EXPECT_EQ(dir.numFiles(), 1u);
}

TEST(File, ExplainsWhatCannotBeWritten) {
  TempDir dir;
  EXPECT_EQ(llvm::toString(writeFile(dir.path("none/out"), "x")),
            "cannot write '" + dir.path("none/out") + "': No such file or directory");
  EXPECT_EQ(llvm::toString(writeFile(dir.path(""), "x")), "cannot write '" + dir.path("") + "': it is a directory");
  // The device that is always full.
  EXPECT_EQ(llvm::toString(writeFile("/dev/full", std::string(100000, 'x'))),
            "cannot write '/dev/full': No space left on device");
  EXPECT_FALSE(llvm::errorToBool(writeFile("/dev/null", "x")));
  EXPECT_EQ(dir.numFiles(), 0u);
}

TEST(Version, NamesTheTool) { EXPECT_EQ(versionLine("attnc").find(("attnc " + version() + " (LLVM 22.").str()), 0u); }
} // namespace
