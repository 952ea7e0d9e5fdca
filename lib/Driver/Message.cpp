//===- Message.cpp - What a compilation says --------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Driver/Message.h"
#include "attn/Support/Errors.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"

using namespace attn;
namespace json = llvm::json;

llvm::StringRef attn::kindName(Message::Kind kind) {
  switch (kind) {
  case Message::Kind::Output:
    return "output";
  case Message::Kind::Info:
    return "info";
  case Message::Kind::Progress:
    return "progress";
  case Message::Kind::Note:
    return "note";
  case Message::Kind::Remark:
    return "remark";
  case Message::Kind::Warning:
    return "warning";
  case Message::Kind::Error:
    return "error";
  }
  llvm_unreachable("all kinds are named");
}

static void printText(llvm::raw_ostream &os, const Message &message) {
  if (message.kind >= Message::Kind::Note) {
    if (!message.file.empty() && message.line != 0)
      os << message.file << ":" << message.line << ":" << message.column << ": ";
    else if (!message.file.empty())
      os << message.file << ": ";
    if (!message.node.empty())
      os << message.node << ": ";
    os << kindName(message.kind) << ": ";
  }
  os << message.text;
  for (const Message &note : message.notes) {
    os << "\n";
    printText(os, note);
  }
}

std::string attn::toText(const Message &message) {
  std::string text;
  llvm::raw_string_ostream os(text);
  printText(os, message);
  // Names and paths may hold anything, also what moves a terminal's cursor.
  return escapeControls(text, /*keepLineBreaks=*/true);
}

static json::Object toObject(const Message &message) {
  // JSON is UTF-8, and names in a model's files need not be.
  json::Object object{{"severity", kindName(message.kind)}, {"message", json::fixUTF8(message.text)}};
  if (!message.node.empty())
    object["node"] = json::fixUTF8(message.node);
  if (!message.file.empty()) {
    object["file"] = json::fixUTF8(message.file);
    if (message.line != 0) {
      object["line"] = message.line;
      object["column"] = message.column;
    }
  }
  json::Array notes;
  for (const Message &note : message.notes)
    notes.push_back(toObject(note));
  if (!notes.empty())
    object["notes"] = std::move(notes);
  return object;
}

std::string attn::toJson(const Message &message) {
  std::string text;
  llvm::raw_string_ostream os(text);
  os << json::Value(toObject(message));
  return text;
}
