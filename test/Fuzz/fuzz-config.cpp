//===- fuzz-config.cpp - The Hugging Face importer under a fuzzer -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The bytes are the text of a ModelDirectory. A changed config.json wants other tensors; so that models get further
// than to their first weight, many mutations end with a checkpoint that has what the importer asks for.
//
//===----------------------------------------------------------------------===//

#include "FuzzFile.h"
#include "FuzzImport.h"
#include "JsonMutation.h"
#include "ModelDirectory.h"
#include "attn/Import/HuggingFace/Importer.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/raw_ostream.h"
#include <cstring>

using namespace attn;
using namespace attn::fuzz;
using llvm::StringRef;

extern "C" size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t maxSize);

static std::string import(const ModelDirectory &model) {
  static FuzzFile file("config.json");
  static ImportRunner runner(createHuggingFaceImporter());
  model.write(file.directory());
  return runner.run(file.directory());
}

static void mutateBytes(std::string &text) {
  size_t size = text.size();
  text.resize(size + 16);
  text.resize(LLVMFuzzerMutate(reinterpret_cast<uint8_t *>(text.data()), size, text.size()));
}

/// Another type or size of a tensor, or it goes, or comes twice.
static void mutateCheckpoint(std::string &text, JsonMutation &random) {
  llvm::SmallVector<StringRef> lines;
  StringRef(text).split(lines, '\n', -1, /*KeepEmpty=*/false);
  if (lines.empty())
    return;
  size_t at = random.below(lines.size());
  constexpr llvm::StringLiteral kTypes[] = {"F32", "F16", "BF16", "I64", "F64", "F8_E4M3", "X"};
  auto [name, rest] = lines[at].split(' ');
  std::string changed;
  switch (random.below(4)) {
  case 0:
    changed = (name + " " + kTypes[random.below(std::size(kTypes))] + " " + rest.split(' ').second).str();
    break;
  case 1:
    changed = (lines[at] + " " + llvm::Twine(random.below(4))).str();
    break;
  case 2:
    changed = (name + ".x " + rest + "\n" + lines[at]).str();
    break;
  default:
    break;
  }
  lines[at] = changed;
  text = llvm::join(lines, "\n") + "\n";
}

static void mutateFile(ModelDirectory::File &file, JsonMutation &random) {
  if (random.below(16) == 0)
    return mutateBytes(file.text);
  if (file.isCheckpoint())
    return mutateCheckpoint(file.text, random);
  llvm::Expected<llvm::json::Value> json = llvm::json::parse(file.text);
  if (!json) {
    llvm::consumeError(json.takeError());
    return mutateBytes(file.text);
  }
  random.apply(*json);
  file.text.clear();
  llvm::raw_string_ostream(file.text) << *json;
}

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t maxSize, unsigned seed) {
  ModelDirectory model = ModelDirectory::parse(StringRef(reinterpret_cast<char *>(data), size));
  if (model.files.empty())
    return LLVMFuzzerMutate(data, size, maxSize);
  JsonMutation random(seed);
  for (size_t i = 0, e = 1 + random.below(3); i < e; ++i) {
    // Mostly the first, which is config.json.
    size_t at = random.below(2) ? 0 : random.below(model.files.size());
    if (random.below(64) == 0 && model.files.size() > 1)
      model.files.erase(model.files.begin() + at);
    else
      mutateFile(model.files[at], random);
  }
  constexpr int kMostRepairs = 20; // a layer of some family
  if (random.below(3) == 0)
    for (int i = 0; i < kMostRepairs && model.repair(import(model)); ++i) {
    }
  std::string text = model.print();
  if (text.size() > maxSize)
    return size;
  memcpy(data, text.data(), text.size());
  return text.size();
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  import(ModelDirectory::parse(StringRef(reinterpret_cast<const char *>(data), size)));
  return 0;
}
