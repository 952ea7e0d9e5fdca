//===- Arguments.cpp - Options as a command line again ----------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The command that runs a stage again after a crash. Only what changes the result is in it.
//
//===----------------------------------------------------------------------===//

#include "attn/Driver/Options.h"
#include "attn/Target/ModelInfo.h"
#include "llvm/ADT/StringExtras.h"

using namespace attn;

std::string attn::quoteForShell(llvm::StringRef text) {
  bool plain = !text.empty() &&
               llvm::all_of(text, [](char c) { return llvm::isAlnum(c) || llvm::StringRef("_-./=:,+%@").contains(c); });
  if (plain)
    return text.str();
  std::string quoted = "'";
  for (char c : text)
    quoted += c == '\'' ? "'\\''" : std::string(1, c);
  return quoted + "'";
}

static llvm::StringRef kindName(OutputKind kind) {
  switch (kind) {
  case OutputKind::Shared:
    return "shared";
  case OutputKind::Static:
    return "static";
  case OutputKind::Object:
    return "object";
  case OutputKind::Assembly:
    return "asm";
  case OutputKind::LLVM:
    return "llvm";
  case OutputKind::MLIR:
    return "mlir";
  }
  llvm_unreachable("all kinds are named");
}

std::string attn::formatArguments(const CompilationOptions &options, Stage stage) {
  std::vector<std::string> words;
  auto add = [&](llvm::StringRef option, llvm::StringRef value) {
    words.push_back(quoteForShell((option + value).str()));
  };
  if (stage == Stage::Import) {
    for (const std::string &model : options.models)
      words.push_back(quoteForShell(model));
    if (options.fromGiven)
      add("--compile-from=", infoOf(options.from).flag);
    for (const InputShape &shape : options.shapes)
      add("--shape=", shape.name + "=" +
                          llvm::join(llvm::map_range(shape.sizes,
                                                     [](const std::optional<int64_t> &size) {
                                                       return size ? std::to_string(*size) : std::string("?");
                                                     }),
                                     "x"));
  } else {
    add("--compile-from=", infoOf(Stage(int(stage) - 1)).flag);
  }
  // The output's name may be another next time; the symbols' shall not. Import may call an entry like --name.
  if (stage != Stage::Import || !options.name.empty())
    add("--name=", options.name.empty() ? makePrefix("", options.output) : options.name);
  if (stage <= Stage::Schedule && !(options.fromGiven && options.from >= Stage::Schedule))
    add("--target=", llvm::join(options.targets, ","));
  if (options.to != Stage::Emit)
    add("--compile-to=", infoOf(options.to).flag);
  else if (options.kind != OutputKind::Shared)
    add("--emit=", kindName(options.kind));
  for (const ExtraPipeline &extra : options.beforeStage)
    if (extra.stage >= stage)
      add("--before-stage=", (infoOf(extra.stage).flag + ":" + extra.pipeline).str());
  words.push_back("-o");
  words.push_back(quoteForShell(options.output));
  return llvm::join(words, " ");
}
