//===- Flops.cpp - How much work a run is -----------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Recursive descent; parentheses may nest as deep as JSON may.
//
//===----------------------------------------------------------------------===//

#include "Flops.h"
#include "attn/Support/Errors.h"
#include "attn/Support/Json.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include <cmath>

using namespace attn;
using namespace attn::run;
using llvm::StringRef;

namespace {
class Parser {
public:
  Parser(StringRef text, const std::map<std::string, double> &values) : text(text), values(values) {}

  std::optional<double> run() {
    std::optional<double> value = sum(64);
    text = text.ltrim();
    return value && text.empty() && std::isfinite(*value) ? value : std::nullopt;
  }

private:
  char take(StringRef choices) {
    text = text.ltrim();
    if (text.empty() || !choices.contains(text[0]))
      return 0;
    char c = text[0];
    text = text.drop_front();
    return c;
  }

  std::optional<double> sum(unsigned depth) {
    std::optional<double> value = product(depth);
    while (value) {
      char op = take("+-");
      if (!op)
        break;
      std::optional<double> right = product(depth);
      if (!right)
        return std::nullopt;
      *value += op == '+' ? *right : -*right;
    }
    return value;
  }

  std::optional<double> product(unsigned depth) {
    std::optional<double> value = atom(depth);
    while (value) {
      char op = take("*/");
      if (!op)
        break;
      std::optional<double> right = atom(depth);
      if (!right)
        return std::nullopt;
      *value = op == '*' ? *value * *right : *value / *right;
    }
    return value;
  }

  std::optional<double> atom(unsigned depth) {
    if (depth == 0)
      return std::nullopt;
    if (take("(")) {
      std::optional<double> value = sum(depth - 1);
      return value && take(")") ? value : std::nullopt;
    }
    StringRef word = text.ltrim().take_while([](char c) { return !StringRef("+-*/() \t").contains(c); });
    text = text.ltrim().drop_front(word.size());
    double number;
    if (!word.empty() && llvm::isDigit(word[0]))
      return word.getAsDouble(number) ? std::nullopt : std::optional(number);
    auto it = values.find(word.str());
    return it == values.end() ? std::nullopt : std::optional(it->second);
  }

  StringRef text;
  const std::map<std::string, double> &values;
};
} // namespace

llvm::Expected<double> run::evaluateExpression(StringRef expression, const std::map<std::string, double> &values) {
  if (std::optional<double> value = Parser(expression, values).run())
    return *value;
  return makeError("cannot evaluate '" + expression + "'");
}

llvm::Expected<std::optional<double>> run::readFlops(StringRef library, const attn_entry_desc &entry,
                                                     const DimSizes &sizes) {
  StringRef stem = llvm::sys::path::stem(library);
  stem.consume_front("lib");
  llvm::SmallString<256> path(llvm::sys::path::parent_path(library));
  llvm::sys::path::append(path, stem + ".json");
  if (!llvm::sys::fs::exists(path))
    return std::nullopt;
  llvm::Expected<JsonDocument> document = JsonDocument::open(path);
  if (!document)
    return document.takeError();
  std::map<std::string, double> values;
  for (auto [dim, size] : llvm::zip(dims(entry), sizes))
    values[dim.name] = static_cast<double>(size);
  llvm::Expected<JsonNode> list = document->root().member("entries");
  if (!list)
    return list.takeError();
  llvm::Expected<std::vector<JsonNode>> nodes = list->elements();
  if (!nodes)
    return nodes.takeError();
  for (const JsonNode &node : *nodes) {
    llvm::Expected<StringRef> name = node.string("name");
    if (!name)
      return name.takeError();
    if (*name != entry.name)
      continue;
    llvm::Expected<StringRef> flops = node.stringOr("flops", "");
    if (!flops)
      return flops.takeError();
    if (flops->empty())
      return std::nullopt;
    llvm::Expected<double> value = evaluateExpression(*flops, values);
    if (!value)
      return node.error("flops: " + llvm::toString(value.takeError()));
    return std::optional(*value);
  }
  return std::nullopt;
}
