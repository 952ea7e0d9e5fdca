//===- Message.h - What a compilation says ----------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Everything a compilation tells its caller is a value of one type, so that a terminal, a file, a program that reads
// JSON and the C interface each print it their own way.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_DRIVER_MESSAGE_H
#define ATTN_DRIVER_MESSAGE_H

#include "llvm/ADT/StringRef.h"
#include <functional>
#include <string>
#include <vector>

namespace attn {

struct Message {
  enum class Kind {
    Output,   ///< what was asked for instead of a compilation: help, version, lists; belongs on standard output
    Info,     ///< what was asked for beside one: times, the table of --explain
    Progress, ///< what begins now
    Note,
    Remark,
    Warning,
    Error
  };

  Message() = default;
  Message(Kind kind, std::string text) : kind(kind), text(std::move(text)) {}

  Kind kind = Kind::Info;
  std::string text;
  /// The model's name for the op concerned, empty where there is none.
  std::string node;
  /// A file of the model, and a place in it; empty where there is none. Line and column count from 1; 0 is the whole
  /// file.
  std::string file;
  unsigned line = 0, column = 0;
  std::vector<Message> notes;
};

using MessageHandler = std::function<void(const Message &)>;

/// "error", "remark", …
llvm::StringRef kindName(Message::Kind kind);

/// `place: node: error: text`, a line for each note, no newline at the end. Output, Info and Progress are their text
/// alone.
std::string toText(const Message &message);

/// One JSON object without line breaks: severity, message, and where known node, file, line, column and notes.
std::string toJson(const Message &message);

} // namespace attn

#endif // ATTN_DRIVER_MESSAGE_H
