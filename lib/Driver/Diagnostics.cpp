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
    if (auto named = llvm::dyn_cast<NameLoc>(inner)) {
      message.node = named.getName().str();
      return WalkResult::interrupt();
    }
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

Message attn::toMessage(Diagnostic &diagnostic) {
  Message message;
  message.kind = kindOf(diagnostic.getSeverity());
  message.text = diagnostic.str();
  setPlace(message, diagnostic.getLocation());
  for (Diagnostic &note : diagnostic.getNotes())
    message.notes.push_back(toMessage(note));
  return message;
}
