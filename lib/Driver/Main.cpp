//===- Main.cpp - The main function of attnc -*- C++ -*-===//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Driver/Compilation.h"
#include "attn/Support/Version.h"
#include "attn/TargetInfo/TargetInfo.h"

using namespace attn;

int attn::attncMain(int argc, const char *const *argv) {
  auto print = [](llvm::StringRef message) { llvm::errs() << message << "\n"; };
  llvm::Expected<ParsedCommandLine> parsed = parseCommandLine(llvm::ArrayRef(argv + 1, argv + argc));
  if (!parsed) {
    print("error: " + llvm::toString(parsed.takeError()));
    return 1;
  }
  switch (parsed->request) {
  case Request::Help:
    printHelp(llvm::outs());
    return 0;
  case Request::Version:
    llvm::outs() << versionLine("attnc") << "\n";
    return 0;
  case Request::ListTargets:
    for (const Target &target : allTargets())
      llvm::outs() << target.name << "\n";
    return 0;
  case Request::Compile:
    break;
  }
  return Compilation(std::move(parsed->options), print).run() ? 0 : 1;
}
