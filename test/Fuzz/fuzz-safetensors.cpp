//===- fuzz-safetensors.cpp - The safetensors reader under a fuzzer -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FuzzFile.h"
#include "attn/Import/HuggingFace/Safetensors.h"
#include "llvm/Support/raw_ostream.h"

using namespace attn;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static fuzz::FuzzFile file("model.safetensors");
  file.write(data, size);
  llvm::Expected<Checkpoint> checkpoint = Checkpoint::openFile(file.path());
  if (!checkpoint && llvm::toString(checkpoint.takeError()).empty()) {
    llvm::errs() << "a file was refused without a word\n";
    std::abort();
  }
  return 0;
}
