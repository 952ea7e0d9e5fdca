//===- TargetTest.h - A small model for the emission tests ------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One entry, y[i] = x[i] * scale[i % 64] + shift[i % 64], as LLVM IR that calls
// the runtime's parallel loop. Small, but with all that emission has to connect.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TEST_UNIT_TARGET_TARGETTEST_H
#define ATTN_TEST_UNIT_TARGET_TARGETTEST_H

#include "attn/Target/Emit.h"

#include "llvm/ADT/SmallString.h"

#include <gtest/gtest.h>

namespace attn::test {

/// A directory that is removed with all it holds.
class TemporaryDirectory {
public:
  TemporaryDirectory();
  ~TemporaryDirectory();
  std::string file(llvm::StringRef name) const;
  /// Names of the files in it, sorted.
  std::vector<std::string> list() const;

private:
  llvm::SmallString<128> path;
};

/// The file's bytes; fails the test if it cannot be read.
std::string readFile(llvm::StringRef path);

/// The error's text; empty for success.
std::string message(llvm::Error error);

/// Parses IR. A failure ends the test program: the text is part of the test.
CodeModule parseModule(llvm::StringRef text, CodegenTarget target);

/// The model's description and its code for two targets (x86-64 and x86-64-v3).
ModelInfo makeModel(llvm::StringRef prefix);
std::vector<CodeModule> makeModules();
/// Code for one target of any triple; symbols end in `suffix`.
CodeModule makeModule(CodegenTarget target, llvm::StringRef suffix);

/// A weight of 64 floats: begin, begin + step, ...
WeightBlob makeWeight(llvm::StringRef symbol, float begin, float step);
/// "scale": 1, 1.5, 2, ...; "shift": 0, -1, -2, ...
std::vector<WeightBlob> makeWeights();

/// Runs the entry of the library at `path` on 1000 numbers and compares. `target` may be null.
void checkLibrary(llvm::StringRef path, const char *target);

/// Runs a program; what it prints goes to `output` if given. Returns the exit code.
int runProgram(llvm::ArrayRef<std::string> command, std::string *output = nullptr);

} // namespace attn::test

#endif // ATTN_TEST_UNIT_TARGET_TARGETTEST_H
