//===- fuzz-mlir.cpp - The reader of MLIR text under a fuzzer -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Mutations move, double and drop tokens, and make numbers others; those of bytes find little but errors of the lexer.
//
//===----------------------------------------------------------------------===//

#include "FuzzFile.h"
#include "FuzzImport.h"
#include "attn/Import/MLIR/Importer.h"
#include "llvm/ADT/StringExtras.h"
#include <cstring>
#include <random>

using namespace attn;
using namespace attn::fuzz;
using llvm::StringRef;

extern "C" size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t maxSize);

/// Names, numbers, blanks and single characters.
static std::vector<std::string> tokensOf(StringRef text) {
  auto kindOf = [](char c) {
    return llvm::isAlnum(c) || c == '_' || c == '.' || c == '%' || c == '#' ? 1 : llvm::isSpace(c) ? 2 : 0;
  };
  std::vector<std::string> tokens;
  for (size_t at = 0, end; at < text.size(); at = end) {
    for (end = at + 1; end < text.size() && kindOf(text[at]) && kindOf(text[end]) == kindOf(text[at]);)
      ++end;
    tokens.push_back(text.slice(at, end).str());
  }
  return tokens;
}

static std::string otherNumber(std::mt19937 &random) {
  constexpr llvm::StringLiteral kNumbers[] = {"0",
                                              "1",
                                              "2",
                                              "-1",
                                              "3",
                                              "8",
                                              "4294967296",
                                              "9223372036854775807",
                                              "-9223372036854775808",
                                              "18446744073709551615",
                                              "?",
                                              "1.0",
                                              "1e999"};
  return kNumbers[random() % std::size(kNumbers)].str();
}

static void change(std::vector<std::string> &tokens, std::mt19937 &random) {
  size_t at = random() % tokens.size(), other = random() % tokens.size();
  switch (random() % 6) {
  case 0:
    tokens[at] = tokens[other];
    break;
  case 1:
    std::swap(tokens[at], tokens[other]);
    break;
  case 2:
    tokens[at].clear();
    break;
  case 3: { // a part again elsewhere
    std::vector<std::string> part(tokens.begin() + at, tokens.begin() + std::min(tokens.size(), at + random() % 16));
    tokens.insert(tokens.begin() + other, part.begin(), part.end());
    break;
  }
  default: // the next number
    for (size_t i = 0; i < tokens.size(); ++i, at = (at + 1) % tokens.size())
      if (llvm::isDigit(tokens[at].empty() ? ' ' : tokens[at][0])) {
        size_t digits = StringRef(tokens[at]).find_if_not(llvm::isDigit);
        tokens[at] = otherNumber(random) + (digits == StringRef::npos ? "" : tokens[at].substr(digits));
        break;
      }
  }
}

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t maxSize, unsigned seed) {
  std::vector<std::string> tokens = tokensOf(StringRef(reinterpret_cast<char *>(data), size));
  if (seed % 16 == 0 || tokens.empty())
    return LLVMFuzzerMutate(data, size, maxSize);
  std::mt19937 random(seed);
  for (unsigned i = 0; i < 1 + seed % 3; ++i)
    change(tokens, random);
  std::string text = llvm::join(tokens, "");
  if (text.size() > maxSize)
    return size;
  memcpy(data, text.data(), text.size());
  return text.size();
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static FuzzFile file("model.mlir");
  static ImportRunner runner(createMLIRImporter());
  file.write(data, size);
  runner.run(file.path());
  return 0;
}
