//===- Options.h - What a compilation is asked to do -*- C++ -*-===//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_DRIVER_OPTIONS_H
#define ATTN_DRIVER_OPTIONS_H

#include "attn/Import/Importer.h"
#include "attn/Pipelines/Stages.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/raw_ostream.h"
#include <string>
#include <vector>

namespace attn {

/// What to write.
enum class OutputKind { Shared, Static, Object, Assembly, LLVM, MLIR };

/// How messages are printed.
enum class DiagnosticFormat { Text, Json };

/// How progress is printed: Auto is Line on a terminal, else Plain.
enum class ProgressStyle { Auto, Line, Plain, None };

/// Passes that run before a stage's own.
struct ExtraPipeline {
  Stage stage;
  std::string pipeline; ///< as after attn-opt's --pass-pipeline
};

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
  bool undefinedPaddedRows = false; ///< results may hold anything in the rows of padding
  bool time = false;
  bool listOps = false; ///< print the ops of the imported model and stop
  DiagnosticFormat diagnostics = DiagnosticFormat::Text;
  ProgressStyle progress = ProgressStyle::Auto;
  std::vector<ExtraPipeline> beforeStage;
  std::vector<InputShape> shapes;
  std::optional<Stage> crashIn; ///< for the test of crash reproducers
};

/// What to do instead of compiling.
enum class Request { Compile, Help, Version, ListTargets, ListOps };

struct ParsedCommandLine {
  Request request = Request::Compile;
  CompilationOptions options;
};

/// Reads the arguments after the program's name. Errors name the option, what is wrong with it, and what would be
/// right.
llvm::Expected<ParsedCommandLine> parseCommandLine(llvm::ArrayRef<const char *> arguments);

/// What --diagnostics says, also where the rest of the arguments cannot be read: that is a message, too.
DiagnosticFormat peekDiagnosticFormat(llvm::ArrayRef<const char *> arguments);

/// `text` as one word of a POSIX shell.
std::string quoteForShell(llvm::StringRef text);

/// The arguments that start from the input of `stage`: those that stand behind the name of the file with that module's
/// text, or all where the stage is import. For a shell; only what changes the result.
std::string formatArguments(const CompilationOptions &options, Stage stage);

/// The help text, options grouped by task.
void printHelp(llvm::raw_ostream &os);

} // namespace attn

#endif // ATTN_DRIVER_OPTIONS_H
