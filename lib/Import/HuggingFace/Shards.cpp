//===- Shards.cpp - A directory's checkpoint, in one file or several -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Import/HuggingFace/Safetensors.h"
#include "attn/Support/Errors.h"
#include "attn/Support/Json.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/Path.h"
#include <map>

using namespace llvm;
using namespace attn;

static std::string inDirectory(StringRef directory, StringRef name) {
  SmallString<128> path(directory);
  sys::path::append(path, name);
  return path.str().str();
}

/// An index may not point anywhere but beside itself.
static bool isPlainFileName(StringRef name) {
  return !name.empty() && name != "." && name != ".." && name.find_first_of(StringRef("/\\:\0", 4)) == StringRef::npos;
}

/// The shards the index lists, each with the tensors it must hold.
static Expected<std::map<std::string, std::vector<std::string>>> readIndex(const JsonDocument &document) {
  Expected<JsonNode> map = document.root().member("weight_map");
  if (!map)
    return map.takeError();
  auto members = map->members();
  if (!members)
    return members.takeError();
  std::map<std::string, std::vector<std::string>> shards;
  for (const auto &[tensor, node] : *members) {
    Expected<StringRef> shard = node.string();
    if (!shard)
      return shard.takeError();
    if (!isPlainFileName(*shard))
      return node.error("'" + *shard + "' is not the name of a file in the model's directory");
    shards[shard->str()].push_back(tensor.str());
  }
  if (shards.empty())
    return map->error("lists no tensors");
  return shards;
}

Expected<Checkpoint> Checkpoint::openDirectory(StringRef directory) {
  std::string single = inDirectory(directory, "model.safetensors");
  if (sys::fs::exists(single))
    return openFile(single);
  std::string index = inDirectory(directory, "model.safetensors.index.json");
  if (!sys::fs::exists(index)) {
    if (sys::fs::exists(inDirectory(directory, "pytorch_model.bin")))
      return makeError(directory + ": has pytorch_model.bin but no model.safetensors; save the model again with "
                                   "save_pretrained(..., safe_serialization=True)");
    return makeError(directory + ": has neither model.safetensors nor model.safetensors.index.json");
  }

  Expected<JsonDocument> document = JsonDocument::open(index);
  if (!document)
    return document.takeError();
  auto shards = readIndex(*document);
  if (!shards)
    return shards.takeError();
  Checkpoint result;
  result.source = index;
  for (const auto &[shard, names] : *shards) {
    std::string path = inDirectory(directory, shard);
    if (!sys::fs::exists(path))
      return makeError(formatv("{0}: shard '{1}' is missing in the model's directory", index, shard).str());
    Expected<Checkpoint> part = openFile(path);
    if (!part)
      return part.takeError();
    for (const std::string &name : names) {
      const StoredTensor *tensor = part->find(name);
      if (!tensor)
        return makeError(formatv("{0}: tensor '{1}' should be in shard '{2}', but is not", index, name, shard).str());
      result.tensors[name] = *tensor;
    }
  }
  return result;
}
