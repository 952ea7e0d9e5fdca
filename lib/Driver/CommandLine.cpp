//===- CommandLine.cpp - One run of attnc's command line --------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "OpCounts.h"
#include "attn/Driver/Main.h"
#include "attn/Support/Version.h"
#include "attn/TargetInfo/TargetInfo.h"

using namespace attn;

MessagePrinter::~MessagePrinter() = default;

static std::string targetList() {
  std::string text;
  for (const Target &target : allTargets())
    text += (text.empty() ? "" : "\n") + target.name.str();
  return text;
}

static std::string helpText() {
  std::string text;
  llvm::raw_string_ostream os(text);
  printHelp(os);
  return llvm::StringRef(text).rtrim('\n').str();
}

ExitCode attn::runCommandLine(llvm::ArrayRef<const char *> arguments, MessagePrinter &printer, CompilationHooks hooks) {
  printer.configure(peekDiagnosticFormat(arguments), ProgressStyle::None);
  llvm::Expected<ParsedCommandLine> parsed = parseCommandLine(arguments);
  if (!parsed) {
    printer.print({Message::Kind::Error, llvm::toString(parsed.takeError())});
    return kExitFailure;
  }
  auto answer = [&](std::string text) {
    printer.print({Message::Kind::Output, std::move(text)});
    return kExitSuccess;
  };
  switch (parsed->request) {
  case Request::Help:
    return answer(helpText());
  case Request::Version:
    return answer(versionLine("attnc"));
  case Request::ListTargets:
    return answer(targetList());
  case Request::ListOps:
    return answer(formatAttnOps());
  case Request::Compile:
    break;
  }
  printer.configure(parsed->options.diagnostics, parsed->options.progress);
  hooks.messages = [&printer](const Message &message) { printer.print(message); };
  switch (Compilation(std::move(parsed->options), std::move(hooks)).run()) {
  case Compilation::Result::Success:
    return kExitSuccess;
  case Compilation::Result::Failure:
    return kExitFailure;
  case Compilation::Result::Cancelled:
    return kExitInterrupted;
  }
  llvm_unreachable("all results are named");
}
