//===- Console.cpp - Messages on standard output and error ------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Console.h"
#include "llvm/Support/Process.h"

using namespace attn;

void Console::configure(DiagnosticFormat newFormat, ProgressStyle style) {
  format = newFormat;
  progress = style;
  if (progress == ProgressStyle::Auto) {
    // A terminal that says it is dumb cannot go back to the start of a line.
    std::optional<std::string> terminal = llvm::sys::Process::GetEnv("TERM");
    bool rewrites = err.is_displayed() && terminal && *terminal != "dumb";
    progress = rewrites ? ProgressStyle::Line : ProgressStyle::Plain;
  }
  // A reader of JSON lines expects nothing else between them.
  if (format == DiagnosticFormat::Json && progress == ProgressStyle::Line)
    progress = ProgressStyle::Plain;
}

void Console::print(const Message &message) {
  if (message.kind == Message::Kind::Output) {
    out << message.text << "\n";
    return;
  }
  if (message.kind == Message::Kind::Progress) {
    if (progress != ProgressStyle::None)
      printProgress(message.text);
    return;
  }
  clearLine();
  err << (format == DiagnosticFormat::Json ? toJson(message) : toText(message)) << "\n";
  err.flush();
}

void Console::printProgress(const std::string &text) {
  if (progress == ProgressStyle::Line) {
    unsigned columns = llvm::sys::Process::StandardErrColumns();
    llvm::StringRef shown(text);
    // A line that wraps could not be cleared. "attnc: " stands before it.
    if (columns > 8)
      shown = shown.take_front(columns - 8);
    clearLine();
    err << "attnc: " << shown;
    lineShown = true;
  } else if (format == DiagnosticFormat::Json) {
    err << toJson({Message::Kind::Progress, text}) << "\n";
  } else {
    err << "attnc: " << text << "\n";
  }
  err.flush();
}

void Console::clearLine() {
  if (!lineShown)
    return;
  err << "\r\x1b[K";
  err.flush();
  lineShown = false;
}
