//===- TempDir.h - A directory for one test ---------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Gone, with what is in it, when the test ends.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TEST_UNIT_SUPPORT_TEMPDIR_H
#define ATTN_TEST_UNIT_SUPPORT_TEMPDIR_H

#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "gtest/gtest.h"
#include <fstream>
#include <string>

namespace attn {

class TempDir {
public:
  TempDir() { EXPECT_FALSE(llvm::sys::fs::createUniqueDirectory("attn-test", dir)); }
  ~TempDir() { llvm::sys::fs::remove_directories(dir); }

  std::string path(llvm::StringRef name) const { return (dir + "/" + name).str(); }
  std::string write(llvm::StringRef name, llvm::StringRef contents) const {
    std::ofstream(path(name), std::ios::binary).write(contents.data(), contents.size());
    return path(name);
  }
  std::string read(llvm::StringRef name) const {
    auto buffer = llvm::MemoryBuffer::getFile(path(name));
    return buffer ? (*buffer)->getBuffer().str() : "(no such file)";
  }
  unsigned numFiles() const {
    unsigned count = 0;
    std::error_code code;
    for (llvm::sys::fs::directory_iterator it(dir, code), end; !code && it != end; it.increment(code))
      ++count;
    return count;
  }

private:
  llvm::SmallString<128> dir;
};

} // namespace attn

#endif // ATTN_TEST_UNIT_SUPPORT_TEMPDIR_H
