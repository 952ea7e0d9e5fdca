//===- Errors.h - Errors as one sentence ------------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Every failure below the dialects is an llvm::Error that holds one sentence for people: which file, which tensor, what
// is wrong, what would help. This is its only constructor, so that no room invents an error class of its own.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_SUPPORT_ERRORS_H
#define ATTN_SUPPORT_ERRORS_H

#include "llvm/ADT/Twine.h"
#include "llvm/Support/Error.h"
#include <string>
#include <system_error>

namespace attn {

/// `text` with control characters as escapes, \n or \x1B, since what a model's files say reaches terminals in messages.
std::string escapeControls(llvm::StringRef text, bool keepLineBreaks = false);

/// An error whose message is `message`: a sentence without a line break. Control characters in it are escaped.
llvm::Error makeError(const llvm::Twine &message);

/// The same, with the operating system's reason behind it: "message: No such file or directory".
llvm::Error makeError(const llvm::Twine &message, std::error_code code);

} // namespace attn

#endif // ATTN_SUPPORT_ERRORS_H
