//===- FuzzFile.h - Bytes as a file for an importer -------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TEST_FUZZ_FUZZFILE_H
#define ATTN_TEST_FUZZ_FUZZFILE_H

#include "llvm/ADT/StringRef.h"
#include <cstddef>
#include <cstdint>
#include <string>

namespace attn::fuzz {

/// A file of that name in a directory of this process's own, in memory where the system has such a place.
class FuzzFile {
public:
  explicit FuzzFile(llvm::StringRef name);
  ~FuzzFile();

  /// Makes these its bytes.
  void write(const uint8_t *data, size_t size) const;
  const std::string &path() const { return file; }
  const std::string &directory() const { return folder; }

private:
  std::string folder, file;
};

} // namespace attn::fuzz

#endif // ATTN_TEST_FUZZ_FUZZFILE_H
