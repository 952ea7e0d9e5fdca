//===- ModelDirectory.cpp - A model directory as one text -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ModelDirectory.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/raw_ostream.h"
#include <cstdlib>
#include <optional>
#include <unistd.h>

using namespace llvm;
using namespace attn::fuzz;

static constexpr StringLiteral kNames[] = {"config.json",
                                           "modules.json",
                                           "1_Pooling/config.json",
                                           "model.safetensors",
                                           "model.safetensors.index.json",
                                           "model-00001-of-00002.safetensors",
                                           "model-00002-of-00002.safetensors",
                                           "pytorch_model.bin"};
static constexpr StringLiteral kBegin = "=== ";
/// Larger files stay without their tensors' bytes, which is an error of its own.
static constexpr uint64_t kMaxBytes = uint64_t(1) << 30;

ModelDirectory ModelDirectory::parse(StringRef text) {
  ModelDirectory result;
  while (!text.empty()) {
    auto [line, rest] = text.split('\n');
    text = rest;
    if (line.consume_front(kBegin)) {
      result.files.push_back({line.str(), ""});
    } else if (!result.files.empty()) {
      result.files.back().text += line;
      result.files.back().text += '\n';
    }
  }
  erase_if(result.files, [](const File &file) { return !is_contained(kNames, StringRef(file.name)); });
  return result;
}

std::string ModelDirectory::print() const {
  std::string result;
  for (const File &file : files) {
    result += kBegin;
    result += file.name + "\n" + file.text;
    if (!StringRef(result).ends_with("\n"))
      result += "\n";
  }
  return result;
}

//===----------------------------------------------------------------------===//
// Files
//===----------------------------------------------------------------------===//

static void writeFile(const std::string &path, StringRef bytes, uint64_t zeros = 0) {
  std::error_code code;
  if (raw_fd_ostream os(path, code); !code)
    os << bytes;
  if (!code && zeros && ::truncate(path.c_str(), off_t(bytes.size() + zeros)))
    code = std::error_code(errno, std::generic_category());
  if (code) {
    errs() << "cannot write " << path << ": " << code.message() << "\n";
    std::exit(1);
  }
}

static unsigned bytesOf(StringRef dtype) {
  return dtype.ends_with("64") ? 8 : dtype.ends_with("16") ? 2 : dtype.ends_with("8") || dtype == "BOOL" ? 1 : 4;
}

/// The file's header for these lines, with its length before it, and how many bytes of tensors follow.
static std::pair<std::string, uint64_t> makeCheckpoint(StringRef lines) {
  json::Object header;
  uint64_t end = 0;
  for (StringRef line : split(lines, '\n')) {
    SmallVector<StringRef> words;
    line.split(words, ' ', -1, /*KeepEmpty=*/false);
    if (words.size() < 2)
      continue;
    uint64_t begin = end, bytes = bytesOf(words[1]);
    json::Array shape;
    for (StringRef word : drop_begin(words, 2)) {
      int64_t size = 0;
      if (word.getAsInteger(10, size))
        continue;
      shape.push_back(size);
      bytes = SaturatingMultiply(bytes, size < 0 ? uint64_t(0) : uint64_t(size));
    }
    end = std::min<uint64_t>(SaturatingAdd(end, bytes), std::numeric_limits<int64_t>::max());
    header[json::fixUTF8(words[0])] = json::Object{{"dtype", json::fixUTF8(words[1])},
                                                   {"shape", std::move(shape)},
                                                   {"data_offsets", json::Array{int64_t(begin), int64_t(end)}}};
  }
  std::string text;
  raw_string_ostream(text) << json::Value(std::move(header));
  char length[8];
  support::endian::write64le(length, text.size());
  return {std::string(length, sizeof(length)) + text, end <= kMaxBytes ? end : 0};
}

void ModelDirectory::write(StringRef directory) const {
  for (StringRef name : kNames)
    (void)sys::fs::remove((directory + "/" + name).str());
  (void)sys::fs::create_directory(directory + "/1_Pooling");
  for (const File &file : files) {
    std::string path = (directory + "/" + file.name).str();
    if (!file.isCheckpoint()) {
      writeFile(path, file.text);
      continue;
    }
    auto [header, bytes] = makeCheckpoint(file.text);
    writeFile(path, header, bytes);
  }
}

//===----------------------------------------------------------------------===//
// What the importer asks for
//===----------------------------------------------------------------------===//

void ModelDirectory::addTensor(StringRef name, StringRef shape) {
  auto checkpoint = find_if(files, [](const File &file) { return file.isCheckpoint(); });
  if (checkpoint == files.end())
    checkpoint = files.insert(files.end(), File{"model.safetensors", ""});
  std::string sizes = shape.str();
  erase(sizes, ',');
  checkpoint->text += (name + " F32 " + sizes + "\n").str();
  for (File &file : files) {
    if (file.name != "model.safetensors.index.json")
      continue;
    Expected<json::Value> index = json::parse(file.text);
    if (!index) {
      consumeError(index.takeError());
      continue;
    }
    json::Object *root = index->getAsObject();
    if (json::Object *map = root ? root->getObject("weight_map") : nullptr) {
      (*map)[json::fixUTF8(name)] = checkpoint->name;
      file.text.clear();
      raw_string_ostream(file.text) << *index;
    }
  }
}

bool ModelDirectory::removeTensor(StringRef name) {
  bool removed = false;
  for (File &file : files) {
    if (!file.isCheckpoint())
      continue;
    std::string kept;
    for (StringRef line : split(file.text, '\n')) {
      bool isIt = line.starts_with((name + " ").str());
      removed |= isIt;
      if (!isIt && !line.empty())
        kept += line.str() + "\n";
    }
    file.text = kept;
  }
  return removed;
}

/// What stands in `text` between the first `begin` and the next `end`.
static std::optional<StringRef> between(StringRef text, StringRef begin, StringRef end) {
  size_t from = text.find(begin);
  if (from == StringRef::npos)
    return std::nullopt;
  text = text.substr(from + begin.size());
  size_t to = text.find(end);
  return to == StringRef::npos ? std::nullopt : std::optional(text.take_front(to));
}

bool ModelDirectory::repair(StringRef error) {
  std::optional<StringRef> name = between(error, ": tensor '", "'");
  if (!name || name->empty() || name->contains(' '))
    return false;
  if (std::optional<StringRef> shape = between(error, "' is missing; the config expects it with shape [", "]")) {
    addTensor(*name, *shape);
    return true;
  }
  if (std::optional<StringRef> shape = between(error, "': the config expects shape [", "]")) {
    if (!removeTensor(*name))
      return false;
    addTensor(*name, *shape);
    return true;
  }
  return (error.contains("' is no part of the model") || error.contains("' is of layer ")) && removeTensor(*name);
}
