//===- Names.h - C identifiers for a model's names --------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tensor names of exporters hold dots, slashes and words that C reserves.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_TARGET_HEADER_NAMES_H
#define ATTN_LIB_TARGET_HEADER_NAMES_H

#include "llvm/ADT/StringRef.h"
#include "llvm/ADT/StringSet.h"

#include <string>

namespace attn {

/// Hands out identifiers that differ from each other within one scope.
class NameScope {
public:
  /// `prefix` + `name` with other characters replaced by '_', and a number behind if that is taken.
  std::string get(llvm::StringRef prefix, llvm::StringRef name);
  /// Makes a name unavailable.
  void reserve(llvm::StringRef name) { taken.insert(name); }
  /// Makes C's and C++'s keywords, and the names that <stdint.h> and dlpack use for macros and types, unavailable.
  void reserveKeywords();

private:
  llvm::StringSet<> taken;
};

/// Text that can stand in a C comment: printable ASCII without comment marks.
std::string forComment(llvm::StringRef text);

} // namespace attn

#endif // ATTN_LIB_TARGET_HEADER_NAMES_H
