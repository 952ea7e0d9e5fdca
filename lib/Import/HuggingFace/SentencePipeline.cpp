//===- SentencePipeline.cpp - modules.json of sentence-transformers -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A sentence encoder is a row of modules, each with a directory. What a directory without a known module would compute
// can't be guessed, so everything but Transformer, Pooling and Normalize in this order is an error. Settings about
// prompts and truncation belong to the tokenizer's side and are ignored.
//
//===----------------------------------------------------------------------===//

#include "Config.h"
#include "attn/Support/Errors.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Path.h"

using namespace llvm;
using namespace attn;
using namespace attn::huggingface;

std::string attn::huggingface::joinPath(StringRef directory, StringRef name) {
  SmallString<128> path(directory);
  if (!name.empty())
    sys::path::append(path, name);
  return path.str().str();
}

namespace {
struct Module {
  std::string kind, directory;
};
} // namespace

/// One element of modules.json. Its directory must lie inside the model's.
static Expected<Module> readModule(const JsonNode &node, StringRef directory) {
  Expected<StringRef> type = node.string("type");
  if (!type)
    return type.takeError();
  Expected<StringRef> path = node.stringOr("path", "");
  if (!path)
    return path.takeError();
  bool leaves =
      sys::path::is_absolute(*path) || path->contains('\0') ||
      any_of(make_range(sys::path::begin(*path), sys::path::end(*path)), [](StringRef part) { return part == ".."; });
  if (leaves)
    return node.error("path '" + *path + "' leaves the model's directory");
  // Classes have moved between the library's packages, so the last word decides; a model's own class has no such
  // prefix.
  StringRef kind = type->rsplit('.').second;
  if (!type->starts_with("sentence_transformers.") || !is_contained({"Transformer", "Pooling", "Normalize"}, kind))
    return node.error("module type '" + *type +
                      "' is not supported; known are sentence_transformers.models.Transformer, Pooling and Normalize");
  return Module{kind.str(), joinPath(directory, *path)};
}

static Expected<Pooling> readPooling(const JsonNode &root) {
  // A file has one boolean for each mode; several at once would concatenate their results.
  auto members = root.members();
  if (!members)
    return members.takeError();
  SmallVector<StringRef> modes;
  bool said = false;
  for (const auto &[key, node] : *members) {
    if (key == "pooling_mode") {
      said = true;
      Expected<StringRef> mode = node.string();
      if (!mode)
        return mode.takeError();
      modes.push_back(*mode == "mean" ? "mean_tokens" : *mode == "cls" ? "cls_token" : *mode);
      continue;
    }
    StringRef mode = key;
    if (!mode.consume_front("pooling_mode_"))
      continue;
    said = true;
    Expected<bool> set = node.boolean();
    if (!set)
      return set.takeError();
    if (*set && !is_contained(modes, mode))
      modes.push_back(mode);
  }
  // A file that says nothing about modes means the library's default.
  if (!said || (modes.size() == 1 && modes[0] == "mean_tokens"))
    return Pooling::Mean;
  if (modes.size() == 1 && modes[0] == "cls_token")
    return Pooling::First;
  std::string found = modes.empty() ? "none" : join(modes, " and ");
  return root.error("expected one pooling mode, mean_tokens or cls_token, found " + found);
}

Expected<SentencePipeline> SentencePipeline::read(StringRef directory) {
  Expected<JsonDocument> document = JsonDocument::open(joinPath(directory, "modules.json"));
  if (!document)
    return document.takeError();
  auto elements = document->root().elements();
  if (!elements)
    return elements.takeError();
  std::vector<Module> modules;
  std::string row;
  for (const JsonNode &node : *elements) {
    Expected<Module> module = readModule(node, directory);
    if (!module)
      return module.takeError();
    row += (row.empty() ? "" : ", ") + module->kind;
    modules.push_back(std::move(*module));
  }
  if (row != "Transformer, Pooling" && row != "Transformer, Pooling, Normalize")
    return document->root().error("the modules [" + row +
                                  "] are not supported; known is Transformer, Pooling and, if wanted, Normalize");

  SentencePipeline pipeline;
  pipeline.transformerDirectory = modules[0].directory;
  pipeline.normalize = modules.size() == 3;
  pipeline.poolingConfig = joinPath(modules[1].directory, "config.json");
  Expected<JsonDocument> config = JsonDocument::open(pipeline.poolingConfig);
  if (!config)
    return config.takeError();
  Expected<Pooling> pooling = readPooling(config->root());
  if (!pooling)
    return pooling.takeError();
  pipeline.pooling = *pooling;
  // The key's name before and after the library's version 5.
  for (StringRef key : {"word_embedding_dimension", "embedding_dimension"}) {
    Expected<int64_t> width = config->root().integerOr(key, 0, 1);
    if (!width)
      return width.takeError();
    if (*width) {
      pipeline.width = *width;
      pipeline.widthKey = key.str();
    }
  }
  return pipeline;
}
