//===- FuzzFile.cpp - Bytes as a file for an importer -----------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FuzzFile.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/raw_ostream.h"
#include <cstdlib>

using namespace attn::fuzz;

FuzzFile::FuzzFile(llvm::StringRef name) {
  folder = llvm::sys::fs::is_directory("/dev/shm") ? "/dev/shm/attn-fuzz-XXXXXX" : "/tmp/attn-fuzz-XXXXXX";
  if (!mkdtemp(folder.data())) {
    llvm::errs() << "cannot make a directory like " << folder << "\n";
    std::exit(1);
  }
  file = folder + "/" + name.str();
}

FuzzFile::~FuzzFile() { (void)llvm::sys::fs::remove_directories(folder); }

void FuzzFile::write(const uint8_t *data, size_t size) const {
  std::error_code code;
  llvm::raw_fd_ostream os(file, code);
  if (code) {
    llvm::errs() << "cannot write " << file << ": " << code.message() << "\n";
    std::exit(1);
  }
  os.write(reinterpret_cast<const char *>(data), size);
}
