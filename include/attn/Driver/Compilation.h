//===- Compilation.h - One compilation as an object -------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_DRIVER_COMPILATION_H
#define ATTN_DRIVER_COMPILATION_H

#include "attn/Driver/Message.h"
#include "attn/Driver/Options.h"
#include <atomic>
#include <memory>

namespace attn {

/// Asks compilations to stop. May be set from any thread or a signal handler, any number of times.
class Cancellation {
public:
  void cancel() { flag.store(true, std::memory_order_relaxed); }
  bool isCancelled() const { return flag.load(std::memory_order_relaxed); }

private:
  std::atomic<bool> flag{false};
};

/// What a stage starts from: enough to run it again alone.
struct StageInput {
  Stage stage;
  std::string module;     ///< text as the stage before dumps it; empty for import
  std::string reproducer; ///< where a file with that text would go, beside the output
  std::string arguments;  ///< attnc's arguments after that file's name, or all of them for import
};

/// What the caller of a compilation hears of it.
struct CompilationHooks {
  MessageHandler messages;
  /// Null: cannot be cancelled. Outlives the compilation.
  const Cancellation *cancellation = nullptr;
  /// Called before each stage where it is set, so that a crash can be reproduced.
  std::function<void(const StageInput &)> stageBegins;
};

/// Carries a model through the stages. Holds no state beside its own, so that compilations may run in several threads.
class Compilation {
public:
  enum class Result { Success, Failure, Cancelled };

  Compilation(CompilationOptions options, CompilationHooks hooks);
  ~Compilation();

  /// Compiles. Unless it succeeds, at least one error was a message, and no output is left behind; dumps and reports
  /// stay.
  Result run();

private:
  struct State;
  bool runStages();
  bool importModel();
  bool runStage(const StageInfo &info);
  llvm::Error addExtraPipelines(mlir::OpPassManager &pm, Stage stage) const;
  bool afterStage(const StageInfo &info);
  bool emitLibrary();
  bool writeReport();
  bool listOps();
  void explain();
  void announce(const StageInfo &info);
  bool isDone(const StageInfo &info) const;
  bool isCancelled() const;
  bool check(llvm::Error error);
  bool fail(const llvm::Twine &message);

  CompilationOptions options;
  CompilationHooks hooks;
  std::unique_ptr<State> state;
};

} // namespace attn

#endif // ATTN_DRIVER_COMPILATION_H
