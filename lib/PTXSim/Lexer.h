//===- Lexer.h - PTX as tokens ----------------------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef ATTN_PTXSIM_LEXER_H
#define ATTN_PTXSIM_LEXER_H

#include "llvm/ADT/StringRef.h"
#include <vector>

namespace attn::ptx {

struct Token {
  enum Kind { Identifier, Number, String, Punctuation, End } kind;
  llvm::StringRef text;
  unsigned line;
};

/// Identifiers keep their dots and double colons; comments are gone. The last token is End.
std::vector<Token> tokenize(llvm::StringRef text);

} // namespace attn::ptx

#endif // ATTN_PTXSIM_LEXER_H
