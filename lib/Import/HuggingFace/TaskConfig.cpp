//===- TaskConfig.cpp - The task that a model's config.json names -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Config.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace llvm;
using namespace attn;
using namespace attn::huggingface;

static StringRef suffixOf(Task task) {
  switch (task) {
  case Task::None:
    return "";
  case Task::SequenceClassification:
    return "SequenceClassification";
  case Task::TokenClassification:
    return "TokenClassification";
  case Task::ImageClassification:
    return "ImageClassification";
  }
  llvm_unreachable("a task without a case");
}

static Expected<Task> readTask(const JsonNode &node, ArrayRef<Task> known) {
  Expected<StringRef> name = node.string();
  if (!name)
    return name.takeError();
  size_t at = name->find("For");
  if (at == StringRef::npos)
    return Task::None;
  StringRef suffix = name->drop_front(at + 3);
  if (is_contained({"MaskedLM", "PreTraining", "MaskedImageModeling"}, suffix))
    return Task::None;
  for (Task task : known)
    if (suffix == suffixOf(task))
      return task;
  std::string names = join(map_range(known, [](Task task) { return ("For" + suffixOf(task)).str(); }), ", ");
  return node.error("'" + *name +
                    "' has a head for a task that is not supported; known are: " + (names.empty() ? "none" : names) +
                    "; save the encoder alone with AutoModel.from_pretrained(...).save_pretrained(...)");
}

/// Labels have names, or there is only their number, or there are two of them.
static Expected<int64_t> readNumLabels(const JsonNode &root) {
  constexpr int64_t kMaxLabels = 1 << 24;
  Expected<std::optional<JsonNode>> names = root.find("id2label");
  if (!names)
    return names.takeError();
  std::optional<int64_t> named;
  if (*names) {
    auto members = (*names)->members();
    if (!members)
      return members.takeError();
    named = members->size();
    if (*named == 0)
      return (*names)->error("expected a name for each label, found none");
  }
  Expected<int64_t> number = root.integerOr("num_labels", named.value_or(2), 1, kMaxLabels);
  if (!number)
    return number.takeError();
  if (named && *named != *number)
    return root.error("num_labels is " + Twine(*number) + ", but id2label has " + Twine(*named) + " labels");
  return *number;
}

Expected<TaskConfig> TaskConfig::read(const JsonNode &root, ArrayRef<Task> known) {
  TaskConfig config;
  Expected<std::optional<JsonNode>> architectures = root.find("architectures");
  if (!architectures)
    return architectures.takeError();
  if (*architectures) {
    auto names = (*architectures)->elements();
    if (!names)
      return names.takeError();
    for (auto [i, node] : enumerate(*names)) {
      Expected<Task> task = readTask(node, known);
      if (!task)
        return task.takeError();
      if (i > 0 && *task != config.task)
        return node.error("names another task than architectures[0]");
      config.task = *task;
    }
  }
  if (config.task != Task::None) {
    Expected<int64_t> labels = readNumLabels(root);
    if (!labels)
      return labels.takeError();
    config.numLabels = *labels;
  }
  return config;
}
