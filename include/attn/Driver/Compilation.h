//===- Compilation.h - One compilation as an object -*- C++ -*-===//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_DRIVER_COMPILATION_H
#define ATTN_DRIVER_COMPILATION_H

#include "attn/Driver/Options.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include <atomic>
#include <functional>

namespace attn {

/// Carries a model through the stages. Holds no state beside its own, so that compilations may run in several threads.
class Compilation {
public:
  /// Receives messages, one call each, without a newline: errors, notes, remarks, progress.
  using MessageHandler = std::function<void(llvm::StringRef)>;

  Compilation(CompilationOptions options, MessageHandler messages);
  ~Compilation();

  /// Compiles; true on success. On failure at least one error was a message, and no output is left behind.
  bool run();

  /// Makes run() stop as soon as it can, with an error. May be called from any thread or a signal handler.
  void cancel() { cancelled.store(true); }

private:
  struct State;
  bool runStages();
  bool runStage(const StageInfo &info);
  bool writeModule(llvm::StringRef path);
  bool fail(const llvm::Twine &message);

  CompilationOptions options;
  MessageHandler messages;
  std::atomic<bool> cancelled{false};
  std::unique_ptr<State> state;
};

/// The main function of attnc: reads the command line, compiles, prints messages to standard error. Returns the exit code.
int attncMain(int argc, const char *const *argv);

} // namespace attn

#endif // ATTN_DRIVER_COMPILATION_H
