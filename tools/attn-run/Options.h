//===- Options.h - The command line of attn-run -----------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Parsed by hand: the tool shall start without LLVM's option registry, and its errors shall name what was meant.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TOOLS_RUN_OPTIONS_H
#define ATTN_TOOLS_RUN_OPTIONS_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <map>
#include <optional>
#include <string>

namespace attn::run {

struct Options {
  std::string library;
  std::string entry;                                        ///< Empty: the first.
  std::map<std::string, std::string> inputs;                ///< NAME -> a file, random, zeros or ones.
  std::map<std::string, llvm::SmallVector<int64_t>> shapes; ///< NAME -> sizes.
  std::map<std::string, int64_t> dims;                      ///< Symbolic dimension -> size.
  std::string output;                                       ///< Directory; empty: none.
  std::string check;                                        ///< Reference file; empty: none.
  std::string target;                                       ///< Empty: the best one.
  double tolerance = 2e-5;
  int32_t threads = 0; ///< 0: the library's default.
  uint64_t seed = 1;
  double benchSeconds = 1;
  bool bench = false;
  bool list = false;
  bool help = false;
  bool version = false;
};

/// Parses `--name=value` and `--name value`. The error says which argument is wrong and what it should be.
llvm::Expected<Options> parseOptions(llvm::ArrayRef<const char *> arguments);

/// What --help prints.
llvm::StringRef helpText();

} // namespace attn::run

#endif // ATTN_TOOLS_RUN_OPTIONS_H
