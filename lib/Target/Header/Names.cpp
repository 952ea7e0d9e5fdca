//===- Names.cpp - C identifiers for a model's names ------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The same name gets the same identifier in each compilation: numbers depend on
// the order of requests only.
//
//===----------------------------------------------------------------------===//

#include "Names.h"

#include "llvm/ADT/StringExtras.h"

using namespace attn;
using namespace llvm;

std::string NameScope::get(StringRef prefix, StringRef name) {
  std::string base = prefix.str();
  if (base.empty() && (name.empty() || isDigit(name.front()) || name.front() == '_'))
    base = "t";
  for (char c : name)
    base += isAlnum(c) ? c : '_';
  std::string result = base;
  for (unsigned number = 2; !taken.insert(result).second; ++number)
    result = base + "_" + utostr(number);
  return result;
}

void NameScope::reserveKeywords() {
  static constexpr StringLiteral keywords =
      "alignas alignof and and_eq asm atomic_cancel atomic_commit atomic_noexcept auto bitand bitor bool break case "
      "catch char char8_t char16_t char32_t class compl concept const consteval constexpr constinit const_cast "
      "continue "
      "co_await co_return co_yield decltype default delete do double dynamic_cast else enum explicit export extern "
      "false "
      "float for friend goto if inline int long mutable namespace new noexcept not not_eq nullptr operator or or_eq "
      "private protected public reflexpr register reinterpret_cast requires restrict return short signed sizeof static "
      "static_assert static_cast struct switch synchronized template this thread_local throw true try typedef typeid "
      "typename typeof typeof_unqual union unsigned using virtual void volatile wchar_t while xor xor_eq NULL linux "
      "unix "
      "size_t int8_t int16_t int32_t int64_t uint8_t uint16_t uint32_t uint64_t DLTensor attn_library attn_context "
      "attn_code attn_run_options";
  SmallVector<StringRef> words;
  keywords.split(words, ' ');
  for (StringRef word : words)
    reserve(word);
}

std::string attn::forComment(StringRef text) {
  std::string result;
  for (char c : text) {
    if (!isPrint(c))
      c = '?';
    // Neither "*/" nor "/*" may appear, nor a backslash that continues or a trigraph.
    if ((c == '/' && !result.empty() && result.back() == '*') || (c == '*' && !result.empty() && result.back() == '/'))
      result += ' ';
    result += c == '\\' ? '/' : c;
  }
  return result;
}
