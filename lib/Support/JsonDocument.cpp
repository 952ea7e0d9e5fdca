//===- JsonDocument.cpp - Checks before the recursive parser ----*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// LLVM's parser recurses once per level, so a text of brackets alone would end the process; and it keeps one of two
// equal keys, so a header could show one tensor to a check and another to a reader. One pass over the text finds both
// first.
//
//===----------------------------------------------------------------------===//

#include "attn/Support/Errors.h"
#include "attn/Support/File.h"
#include "attn/Support/Json.h"
#include "llvm/ADT/DenseSet.h"

using namespace attn;
using llvm::StringRef;

namespace {
/// Walks brackets and strings only; everything else is the parser's business.
class Prescan {
public:
  Prescan(StringRef text, StringRef file, unsigned maxDepth) : text(text), file(file), maxDepth(maxDepth) {}

  llvm::Error run() {
    for (size_t i = 0; i < text.size(); ++i) {
      char c = text[i];
      if (c == '{' || c == '[') {
        if (levels.size() == maxDepth)
          return makeError(file + ": JSON nests deeper than " + llvm::Twine(maxDepth) + " levels (at byte " +
                           llvm::Twine(i) + ")");
        levels.emplace_back();
      } else if (c == '}' || c == ']') {
        if (!levels.empty())
          levels.pop_back();
      } else if (c == '"') {
        StringRef string = takeString(i);
        if (llvm::Error error = key(string, i))
          return error;
      }
    }
    return llvm::Error::success();
  }

private:
  /// The string that begins at `i`, without its quotes and with its escapes; `i` is then at its last quote.
  StringRef takeString(size_t &i) {
    size_t begin = ++i;
    while (i < text.size() && text[i] != '"')
      i += text[i] == '\\' ? 2 : 1;
    i = std::min(i, text.size());
    return text.slice(begin, i);
  }

  /// Records a string that a colon follows.
  llvm::Error key(StringRef string, size_t end) {
    size_t next = text.find_first_not_of(" \t\r\n", std::min(end + 1, text.size()));
    if (levels.empty() || next == StringRef::npos || text[next] != ':' || levels.back().insert(string).second)
      return llvm::Error::success();
    return makeError(file + ": JSON key '" + string.take_front(200) + "' occurs twice in one object");
  }

  StringRef text, file;
  unsigned maxDepth;
  std::vector<llvm::DenseSet<StringRef>> levels;
};
} // namespace

llvm::Expected<JsonDocument> JsonDocument::parse(StringRef text, StringRef file, JsonLimits limits) {
  if (text.size() > limits.maxBytes)
    return makeError(file + ": JSON of " + llvm::Twine(text.size()) + " bytes is larger than the limit of " +
                     llvm::Twine(limits.maxBytes));
  if (llvm::Error error = Prescan(text, file, limits.maxDepth).run())
    return std::move(error);
  llvm::Expected<llvm::json::Value> value = llvm::json::parse(text);
  if (!value)
    return makeError(file + ": invalid JSON: " + llvm::toString(value.takeError()));
  JsonDocument document;
  document.contents = std::make_unique<Contents>();
  document.contents->value = std::move(*value);
  document.contents->file = file.str();
  return document;
}

llvm::Expected<JsonDocument> JsonDocument::open(StringRef path, JsonLimits limits) {
  llvm::Expected<MappedFile> file = MappedFile::open(path);
  if (!file)
    return file.takeError();
  return parse(file->text(), path, limits);
}
