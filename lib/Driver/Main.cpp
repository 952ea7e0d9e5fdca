//===- Main.cpp - The main function of attnc --------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What belongs to a process rather than to a compilation: signals, crashes, standard streams. A signal handler gets no
// argument, so two pointers here are the only globals of the driver; the C interface does not come by.
//
//===----------------------------------------------------------------------===//

#include "attn/Driver/Main.h"
#include "Console.h"
#include "Crash.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/Support/Signals.h"
#include <csignal>
#include <cstdlib>

using namespace attn;

static std::atomic<Cancellation *> interruptible = nullptr;

/// The first SIGINT or SIGTERM comes here; LLVM has then removed temporary files, and gives the next its usual meaning.
static void onInterrupt() {
  if (Cancellation *cancellation = interruptible.load())
    cancellation->cancel();
}

/// --crash-in, the test of reproducers. Not in the library's code proper, which never ends the process.
static void crashIfAsked(llvm::ArrayRef<const char *> arguments, Stage stage) {
  for (llvm::StringRef argument : arguments)
    if (argument.consume_front("--crash-in=") && argument == infoOf(stage).flag)
      std::abort();
}

int attn::attncMain(int argc, const char *const *argv) {
  llvm::ArrayRef<const char *> arguments(argv + 1, argv + argc);
  // LLVM would end the process with an error where messages could not be printed; there is nobody to tell.
  llvm::scope_exit forget([] { llvm::errs().clear_error(); });
  Console console(llvm::outs(), llvm::errs());
  Cancellation cancellation;
  interruptible = &cancellation;
  llvm::sys::SetInterruptFunction(onInterrupt);
  // A file that may not grow any more is an error of write, which has a message; LLVM would take it for a crash.
  std::signal(SIGXFSZ, SIG_IGN);
  // Nor does a reader that goes away end the process, which would leave temporary files: where it read messages the
  // compilation goes on, where it read the output the write fails.
  std::signal(SIGPIPE, SIG_IGN);

  CompilationHooks hooks;
  hooks.cancellation = &cancellation;
  CrashReproducer reproducer;
  hooks.stageBegins = [&](const StageInput &input) {
    reproducer.remember(input);
    crashIfAsked(arguments, input.stage);
  };
  int code = runCommandLine(arguments, console, std::move(hooks));
  interruptible = nullptr;

  llvm::outs().flush();
  if (std::error_code error = llvm::outs().error()) {
    llvm::outs().clear_error();
    console.print({Message::Kind::Error, "cannot write to standard output: " + error.message()});
    code = kExitFailure;
  }
  return code;
}
