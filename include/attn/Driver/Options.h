//===- Options.h - What a compilation is asked to do -*- C++ -*-===//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_DRIVER_OPTIONS_H
#define ATTN_DRIVER_OPTIONS_H

#include "attn/Pipelines/Stages.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/raw_ostream.h"
#include <string>
#include <vector>

namespace attn {

/// What to write.
enum class OutputKind { Shared, Static, Object, Assembly, LLVM, MLIR };

/// One compilation, as asked for on the command line.
struct CompilationOptions {
  std::vector<std::string> models;
  std::string output;
  OutputKind kind = OutputKind::Shared;
  std::string name;
  std::vector<std::string> targets; ///< names, checked; the host's own is already resolved
  Stage from = Stage::Import;
  bool fromGiven = false;
  Stage to = Stage::Emit;
  std::string dumpStages;
  std::string report;
  bool explain = false;
  bool time = false;
  bool quiet = false;
};

/// What to do instead of compiling.
enum class Request { Compile, Help, Version, ListTargets };

struct ParsedCommandLine {
  Request request = Request::Compile;
  CompilationOptions options;
};

/// Reads the arguments after the program's name. Errors name the option, what is wrong with it, and what would be right.
llvm::Expected<ParsedCommandLine> parseCommandLine(llvm::ArrayRef<const char *> arguments);

/// The help text, options grouped by task.
void printHelp(llvm::raw_ostream &os);

} // namespace attn

#endif // ATTN_DRIVER_OPTIONS_H
