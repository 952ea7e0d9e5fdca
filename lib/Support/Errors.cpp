//===- Errors.cpp - Errors as one sentence ----------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The system's reasons are kept in their own words, since people search for those.
//
//===----------------------------------------------------------------------===//

#include "attn/Support/Errors.h"
#include "llvm/ADT/StringExtras.h"

using namespace attn;

std::string attn::escapeControls(llvm::StringRef text, bool keepLineBreaks) {
  std::string escaped;
  for (size_t i = 0; i < text.size(); ++i) {
    unsigned char c = text[i];
    // In UTF-8 the other control characters, 0x80 to 0x9F, are two bytes.
    bool isWide = c == 0xC2 && i + 1 < text.size() && (text[i + 1] & 0xE0) == 0x80;
    if (isWide)
      c = text[++i];
    if (!isWide && !(c < 0x20 || c == 0x7F))
      escaped += char(c);
    else if (c == '\n')
      escaped += keepLineBreaks ? "\n" : "\\n";
    else
      escaped += "\\x" + llvm::utohexstr(c, /*LowerCase=*/false, /*Width=*/2);
  }
  return escaped;
}

llvm::Error attn::makeError(const llvm::Twine &message) {
  return llvm::createStringError(llvm::inconvertibleErrorCode(), escapeControls(message.str()));
}

llvm::Error attn::makeError(const llvm::Twine &message, std::error_code code) {
  return makeError(message + ": " + code.message());
}
