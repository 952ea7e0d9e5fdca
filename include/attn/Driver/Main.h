//===- Main.h - attnc's command line ----------------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The tool and the C interface run the same command line; they differ in where messages go and in what belongs to a
// process: signals and terminals.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_DRIVER_MAIN_H
#define ATTN_DRIVER_MAIN_H

#include "attn/Driver/Compilation.h"

namespace attn {

/// Prints messages.
class MessagePrinter {
public:
  virtual ~MessagePrinter();
  /// How to print from now on.
  virtual void configure(DiagnosticFormat format, ProgressStyle progress) = 0;
  virtual void print(const Message &message) = 0;
};

/// Exit codes of attnc.
enum ExitCode : int { kExitSuccess = 0, kExitFailure = 1, kExitInterrupted = 130 };

/// Reads `arguments` (without the program's name) and does what they say. `hooks.messages` is not used: messages go to
/// `printer`.
ExitCode runCommandLine(llvm::ArrayRef<const char *> arguments, MessagePrinter &printer, CompilationHooks hooks = {});

/// The main function of attnc: messages on standard error, lists on standard output; SIGINT and SIGTERM stop the
/// compilation; a crash leaves a reproducer beside the output.
int attncMain(int argc, const char *const *argv);

} // namespace attn

#endif // ATTN_DRIVER_MAIN_H
