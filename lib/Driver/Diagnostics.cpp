//===- Diagnostics.cpp - MLIR's diagnostics as messages ---------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Diagnostics.h"
#include "mlir/IR/Location.h"

using namespace mlir;
using namespace attn;

void attn::setPlace(Message &message, Location location) {
  location->walk([&](Location inner) {
    // The outermost name is the node's; the place in the file is inside of it.
    if (auto named = llvm::dyn_cast<NameLoc>(inner); named && message.node.empty())
      message.node = named.getName().str();
    if (auto file = llvm::dyn_cast<FileLineColLoc>(inner)) {
      message.file = file.getFilename().str();
      message.line = file.getLine();
      message.column = file.getColumn();
      return WalkResult::interrupt();
    }
    return WalkResult::advance();
  });
}

static Message::Kind kindOf(DiagnosticSeverity severity) {
  switch (severity) {
  case DiagnosticSeverity::Error:
    return Message::Kind::Error;
  case DiagnosticSeverity::Warning:
    return Message::Kind::Warning;
  case DiagnosticSeverity::Remark:
    return Message::Kind::Remark;
  case DiagnosticSeverity::Note:
    return Message::Kind::Note;
  }
  llvm_unreachable("all severities are named");
}

Message attn::toMessage(Diagnostic &diagnostic, StringRef model) {
  Message message;
  message.kind = kindOf(diagnostic.getSeverity());
  message.text = diagnostic.str();
  setPlace(message, diagnostic.getLocation());
  // A model of several files has nodes without a line.
  if (message.file.empty() && !message.node.empty())
    message.file = model.str();
  for (Diagnostic &note : diagnostic.getNotes())
    message.notes.push_back(toMessage(note, model));
  return message;
}
