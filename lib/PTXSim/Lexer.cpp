//===- Lexer.cpp - PTX as tokens --------------------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Lexer.h"
#include "llvm/ADT/StringExtras.h"

using namespace attn::ptx;

static bool inIdentifier(char c) { return llvm::isAlnum(c) || c == '_' || c == '$' || c == '%' || c == '.'; }

std::vector<Token> attn::ptx::tokenize(llvm::StringRef text) {
  std::vector<Token> tokens;
  unsigned line = 1;
  size_t at = 0;
  while (at < text.size()) {
    char c = text[at];
    if (c == '\n') {
      ++line, ++at;
    } else if (llvm::isSpace(c) || c == '\0') {
      ++at;
    } else if (text.substr(at).starts_with("//")) {
      at = std::min(text.find('\n', at), text.size());
    } else if (text.substr(at).starts_with("/*")) {
      size_t end = std::min(text.find("*/", at), text.size());
      line += text.slice(at, end).count('\n');
      at = std::min(end + 2, text.size());
    } else {
      size_t start = at++;
      Token::Kind kind = Token::Punctuation;
      if (c == '"') {
        kind = Token::String;
        at = std::min(text.find('"', at), text.size() - 1) + 1;
      } else if (llvm::isDigit(c)) {
        kind = Token::Number;
        while (at < text.size() && (llvm::isAlnum(text[at]) || text[at] == '.' ||
                                    ((text[at] == '+' || text[at] == '-') && llvm::toLower(text[at - 1]) == 'e' &&
                                     text[start + 1] != 'x' && text[start + 1] != 'f' && text[start + 1] != 'd')))
          ++at;
      } else if (inIdentifier(c)) {
        kind = Token::Identifier;
        while (at < text.size()) {
          if (inIdentifier(text[at]))
            ++at;
          else if (text.substr(at).starts_with("::"))
            at += 2;
          else
            break;
        }
      }
      tokens.push_back({kind, text.slice(start, at), line});
    }
  }
  tokens.push_back({Token::End, "", line});
  return tokens;
}
