//===- fuzz-config.cpp - The Hugging Face importer under a fuzzer -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The bytes are config.json of a directory; its checkpoint holds one small tensor.
//
//===----------------------------------------------------------------------===//

#include "FuzzFile.h"
#include "FuzzImport.h"
#include "attn/Import/HuggingFace/Importer.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/raw_ostream.h"

using namespace attn;
using namespace attn::fuzz;

static void writeCheckpoint(const std::string &directory) {
  std::error_code code;
  llvm::raw_fd_ostream os(directory + "/model.safetensors", code);
  llvm::StringRef header =
      R"({"embeddings.word_embeddings.weight":{"dtype":"F32","shape":[1,1],"data_offsets":[0,4]}})";
  uint64_t length = header.size();
  os.write(reinterpret_cast<const char *>(&length), sizeof(length));
  os << header;
  os.write("\0\0\0\0", 4);
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static FuzzFile file("config.json");
  static ImportRunner runner(createHuggingFaceImporter());
  static bool once = (writeCheckpoint(file.directory()), true);
  (void)once;
  file.write(data, size);
  runner.run(file.directory());
  return 0;
}
