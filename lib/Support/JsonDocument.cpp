//===- JsonDocument.cpp - Checks before the recursive parser ----*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// LLVM's parser recurses once per level, so a text of brackets alone would end the process; and it keeps one of two
// equal keys, so a header could show one tensor to a check and another to a reader; and it gives each object room for
// many keys. One pass over the text finds all that first.
//
//===----------------------------------------------------------------------===//

#include "attn/Support/Errors.h"
#include "attn/Support/File.h"
#include "attn/Support/Json.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/StringSet.h"

using namespace attn;
using llvm::StringRef;

/// Where the string that begins at `begin` has its last quote, or the text its end.
static size_t endOfString(StringRef text, size_t begin) {
  size_t i = begin + 1;
  while (i < text.size() && text[i] != '"')
    i += text[i] == '\\' ? 2 : 1;
  return std::min(i, text.size());
}

namespace {
/// Walks brackets and strings only; everything else is the parser's business.
class Prescan {
public:
  Prescan(StringRef text, StringRef file, JsonLimits limits) : text(text), file(file), limits(limits) {}

  llvm::Error run() {
    for (size_t i = 0; i < text.size(); ++i) {
      char c = text[i];
      if (c == '{' || c == '[') {
        if (levels.size() == limits.maxDepth)
          return makeError(file + ": JSON nests deeper than " + llvm::Twine(limits.maxDepth) + " levels (at byte " +
                           llvm::Twine(i) + ")");
        objects += c == '{';
        if (objects > limits.maxObjects)
          return makeError(file + ": JSON has more than " + llvm::Twine(limits.maxObjects) + " objects");
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
    size_t begin = i;
    i = endOfString(text, begin);
    return text.slice(begin + 1, i);
  }

  /// Records a string that a colon follows.
  llvm::Error key(StringRef string, size_t end) {
    size_t next = text.find_first_not_of(" \t\r\n", std::min(end + 1, text.size()));
    if (levels.empty() || next == StringRef::npos || text[next] != ':' || levels.back().insert(string).second)
      return llvm::Error::success();
    return makeError(file + ": JSON key '" + string.take_front(200) + "' occurs twice in one object");
  }

  StringRef text, file;
  JsonLimits limits;
  size_t objects = 0;
  std::vector<llvm::DenseSet<StringRef>> levels;
};
} // namespace

static llvm::Error checkText(StringRef text, StringRef file, JsonLimits limits) {
  if (text.size() > limits.maxBytes)
    return makeError(file + ": JSON of " + llvm::Twine(text.size()) + " bytes is larger than the limit of " +
                     llvm::Twine(limits.maxBytes));
  return Prescan(text, file, limits).run();
}

llvm::Expected<JsonDocument> JsonDocument::parse(StringRef text, StringRef file, JsonLimits limits, StringRef place) {
  std::string where = place.empty() ? file.str() : (file + ": " + place).str();
  if (llvm::Error error = checkText(text, where, limits))
    return std::move(error);
  llvm::Expected<llvm::json::Value> value = llvm::json::parse(text);
  if (!value)
    return makeError(where + ": invalid JSON: " + llvm::toString(value.takeError()));
  JsonDocument document;
  document.contents = std::make_unique<Contents>();
  document.contents->value = std::move(*value);
  document.contents->file = file.str();
  document.contents->place = place.str();
  return document;
}

namespace {
/// Takes an object apart without looking into its members.
class MemberReader {
public:
  MemberReader(StringRef text, StringRef file) : text(text), file(file) {}

  llvm::Error run(llvm::function_ref<llvm::Error(StringRef, StringRef)> visit) {
    if (!take('{'))
      return expected("'{'");
    while (!take('}')) {
      if (!names.empty() && !take(','))
        return expected("',' or '}'");
      llvm::Expected<std::string> name = takeName();
      if (!name)
        return name.takeError();
      if (!take(':'))
        return expected("':'");
      // Keys of different spelling may be one name.
      if (!names.insert(*name).second)
        return makeError(file + ": JSON key '" + StringRef(*name).take_front(200) + "' occurs twice in one object");
      if (llvm::Error error = visit(*name, takeMember()))
        return error;
    }
    skipSpace();
    return at == text.size() ? llvm::Error::success() : expected("the end of the text");
  }

private:
  void skipSpace() { at = std::min(text.find_first_not_of(" \t\r\n", at), text.size()); }

  bool take(char c) {
    skipSpace();
    if (at == text.size() || text[at] != c)
      return false;
    ++at;
    return true;
  }

  llvm::Error expected(StringRef what) const {
    return makeError(file + ": invalid JSON: expected " + what + " at byte " + llvm::Twine(at));
  }

  llvm::Expected<std::string> takeName() {
    skipSpace();
    if (at == text.size() || text[at] != '"')
      return expected("a key");
    size_t end = std::min(endOfString(text, at) + 1, text.size());
    llvm::Expected<JsonDocument> name = JsonDocument::parse(text.slice(at, end), file);
    if (!name)
      return name.takeError();
    at = end;
    return llvm::cantFail(name->root().string()).str();
  }

  /// Up to the comma or bracket that ends it.
  StringRef takeMember() {
    size_t begin = at;
    unsigned depth = 0;
    for (; at < text.size(); ++at) {
      char c = text[at];
      if (depth == 0 && (c == ',' || c == '}' || c == ']'))
        break;
      if (c == '"')
        at = endOfString(text, at);
      depth += c == '{' || c == '[';
      depth -= c == '}' || c == ']';
    }
    at = std::min(at, text.size());
    return text.slice(begin, at);
  }

  StringRef text, file;
  size_t at = 0;
  llvm::StringSet<> names;
};
} // namespace

llvm::Error attn::forEachJsonMember(StringRef text, StringRef file,
                                    llvm::function_ref<llvm::Error(StringRef name, StringRef member)> visit,
                                    JsonLimits limits) {
  // They are not held at once.
  limits.maxObjects = std::numeric_limits<size_t>::max();
  if (llvm::Error error = checkText(text, file, limits))
    return error;
  return MemberReader(text, file).run(visit);
}

llvm::Expected<JsonDocument> JsonDocument::open(StringRef path, JsonLimits limits) {
  llvm::Expected<MappedFile> file = MappedFile::open(path);
  if (!file)
    return file.takeError();
  return parse(file->text(), path, limits);
}
