//===- ModelDirectory.h - A model directory as one text --------- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TEST_FUZZ_MODELDIRECTORY_H
#define ATTN_TEST_FUZZ_MODELDIRECTORY_H

#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include <string>
#include <vector>

namespace attn::fuzz {

/// The files of a Hugging Face directory as one text, so that a fuzzer can change all of them. Each begins with a line
/// `=== NAME`. JSON files stand as they are; a checkpoint is a line `TENSOR DTYPE SIZE...` for each tensor, and its
/// bytes are zeros that take no memory. Files of other names than such a directory has are left out.
class ModelDirectory {
public:
  struct File {
    std::string name, text;
    bool isCheckpoint() const { return llvm::StringRef(name).ends_with(".safetensors"); }
  };

  static ModelDirectory parse(llvm::StringRef text);
  std::string print() const;

  /// Makes these the files of `directory`.
  void write(llvm::StringRef directory) const;

  /// Does what `error`, the importer's word on this directory, asks for: adds a tensor that is missing, gives one its
  /// shape, or takes away one that belongs to no part of the model. False where it asks for something else.
  bool repair(llvm::StringRef error);

  std::vector<File> files;

private:
  void addTensor(llvm::StringRef name, llvm::StringRef shape);
  bool removeTensor(llvm::StringRef name);
};

} // namespace attn::fuzz

#endif // ATTN_TEST_FUZZ_MODELDIRECTORY_H
