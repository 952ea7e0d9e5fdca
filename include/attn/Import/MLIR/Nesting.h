//===- Nesting.h - How deep MLIR text nests ---------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_IMPORT_MLIR_NESTING_H
#define ATTN_IMPORT_MLIR_NESTING_H

#include "llvm/ADT/StringRef.h"
#include <optional>

namespace attn {

/// Far above what models need, and far below what fills the stack of a thread.
inline constexpr unsigned kMaxNesting = 500;

/// Where the MLIR text `text` first nests deeper than `limit`; nothing where it does not.
///
/// Levels are open brackets outside of strings and comments, operators of one affine expression (MLIR parses each as a
/// level of its own), and what the definition of a type's or attribute's alias nests where the alias is used.
std::optional<size_t> findDeepNesting(llvm::StringRef text, unsigned limit = kMaxNesting);

} // namespace attn

#endif // ATTN_IMPORT_MLIR_NESTING_H
