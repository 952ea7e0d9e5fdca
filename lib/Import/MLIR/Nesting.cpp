//===- Nesting.cpp - How deep MLIR text nests -------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// MLIR's parser is recursive, and so is much that walks over what it has parsed; a text that nests without end would
// overflow the stack, which ends the host's process. So the text is measured before it is parsed. It need not be
// correct: brackets that close nothing are the parser's to report.
//
//===----------------------------------------------------------------------===//

#include "attn/Import/MLIR/Nesting.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"

using namespace attn;
using llvm::StringRef;

namespace {
class Scanner {
public:
  Scanner(StringRef text, unsigned limit) : text(text), limit(limit) {}

  std::optional<size_t> run();

private:
  /// An open bracket and the operators since it, or since the last comma in it.
  struct Level {
    char bracket;
    unsigned operators = 0;
  };

  void skipString();
  StringRef takeName();
  void takeToken();
  void beginStatement();
  void close(char open);
  void takeAlias();
  void takeWord();
  void takePunctuation();
  void countOperator();
  void reach(unsigned levels);

  StringRef text;
  unsigned limit;
  size_t at = 0;
  llvm::SmallVector<Level> levels;
  unsigned depth = 0;                ///< Levels and their operators.
  llvm::StringMap<unsigned> aliases; ///< How deep each nests.
  unsigned *defined = nullptr;       ///< Of the alias whose definition this is.
  char previous = 0;                 ///< The last character of the token before; '-' for an arrow.
  bool isDeep = false;
};
} // namespace

static bool isNameChar(char c) { return llvm::isAlnum(c) || c == '_' || c == '$' || c == '.'; }

void Scanner::skipString() {
  for (++at; at < text.size() && text[at] != '"' && text[at] != '\n'; ++at)
    at += text[at] == '\\';
  ++at;
}

StringRef Scanner::takeName() {
  size_t begin = at;
  while (at < text.size() && isNameChar(text[at]))
    ++at;
  return text.slice(begin, at);
}

void Scanner::reach(unsigned levels) {
  isDeep |= levels > limit;
  if (defined)
    *defined = std::max(*defined, levels);
}

/// At a token that could be the first of a statement: it is, outside of brackets, unless the one before needs another.
void Scanner::beginStatement() {
  if (levels.empty() && !StringRef("=:-@").contains(previous))
    defined = nullptr;
}

/// Closes the innermost `open` bracket, and what was left open in it: a < need not be a bracket.
void Scanner::close(char open) {
  if (!llvm::any_of(levels, [&](const Level &level) { return level.bracket == open; }))
    return;
  char closed;
  do {
    closed = levels.back().bracket;
    depth -= 1 + levels.back().operators;
    levels.pop_back();
  } while (closed != open);
}

/// A definition of an alias, a use of one, or a dialect's type or attribute.
void Scanner::takeAlias() {
  size_t begin = at++;
  takeName();
  StringRef alias = text.slice(begin, at);
  if (levels.empty() && text.substr(at).ltrim().starts_with("=")) {
    defined = &(aliases[alias] = 0);
    return;
  }
  if (auto used = aliases.find(alias); used != aliases.end())
    reach(depth + used->second + 1);
}

void Scanner::takeWord() {
  beginStatement();
  StringRef word = takeName();
  if (word == "mod" || word == "floordiv" || word == "ceildiv")
    countOperator();
}

/// An operator in an affine expression, which stands in brackets between commas. Regions hold no such expression.
void Scanner::countOperator() {
  if (levels.empty() || levels.back().bracket == '{')
    return;
  ++levels.back().operators;
  reach(++depth);
}

void Scanner::takePunctuation() {
  switch (char c = text[at++]) {
  case '(':
  case '[':
  case '{':
  case '<':
    levels.push_back({c});
    return reach(++depth);
  case ')':
    return close('(');
  case ']':
    return close('[');
  case '}':
    return close('{');
  case '>':
    return close('<');
  case ',':
    if (levels.empty())
      return;
    depth -= levels.back().operators;
    levels.back().operators = 0;
    return;
  case '+':
  case '-':
  case '*':
    return countOperator();
  case '%':
    return beginStatement();
  }
}

void Scanner::takeToken() {
  char c = text[at];
  StringRef two = text.substr(at, 2);
  if (c == '"') {
    beginStatement();
    skipString();
  } else if (two == "->" || two == ">=" || two == "<=") {
    at += 2;
    previous = c;
    return;
  } else if (c == '#' || c == '!') {
    takeAlias();
  } else if (isNameChar(c)) {
    takeWord();
  } else {
    takePunctuation();
  }
  previous = text[std::min(at, text.size()) - 1];
}

std::optional<size_t> Scanner::run() {
  while (at < text.size()) {
    if (llvm::isSpace(text[at])) {
      ++at;
      continue;
    }
    if (text.substr(at).starts_with("//")) {
      at = std::min(text.find('\n', at), text.size());
      continue;
    }
    size_t begin = at;
    takeToken();
    if (isDeep)
      return begin;
  }
  return std::nullopt;
}

std::optional<size_t> attn::findDeepNesting(StringRef text, unsigned limit) { return Scanner(text, limit).run(); }
