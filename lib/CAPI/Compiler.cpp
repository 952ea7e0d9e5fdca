//===- Compiler.cpp - The compiler as a C library ---------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// No signal handlers and no crash reproducer: those belong to the process, which is not ours here.
//
//===----------------------------------------------------------------------===//

#include "attn/CAPI/Compiler.h"
#include "attn/Driver/Main.h"
#include "attn/Support/Version.h"

using namespace attn;

struct AttnCancellation {
  Cancellation cancellation;
};

namespace {
class CallbackPrinter final : public MessagePrinter {
public:
  CallbackPrinter(AttnMessageCallback callback, void *user) : callback(callback), user(user) {}

  void configure(DiagnosticFormat newFormat, ProgressStyle progress) override {
    format = newFormat;
    showProgress = progress != ProgressStyle::None;
  }

  void print(const Message &message) override {
    if (!callback || (message.kind == Message::Kind::Progress && !showProgress))
      return;
    callback((format == DiagnosticFormat::Json ? toJson(message) : toText(message)).c_str(), user);
  }

private:
  AttnMessageCallback callback;
  void *user;
  DiagnosticFormat format = DiagnosticFormat::Text;
  bool showProgress = false;
};
} // namespace

AttnCancellation *attnCancellationCreate() { return new AttnCancellation; }
void attnCancellationDestroy(AttnCancellation *cancellation) { delete cancellation; }
void attnCancel(AttnCancellation *cancellation) { cancellation->cancellation.cancel(); }

int attnCompile(int argc, const char *const *argv, AttnMessageCallback message, void *user) {
  return attnCompileCancellable(argc, argv, message, user, nullptr);
}

int attnCompileCancellable(int argc, const char *const *argv, AttnMessageCallback message, void *user,
                           const AttnCancellation *cancellation) {
  CallbackPrinter printer(message, user);
  CompilationHooks hooks;
  if (cancellation)
    hooks.cancellation = &cancellation->cancellation;
  llvm::ArrayRef<const char *> arguments;
  if (argc > 1)
    arguments = llvm::ArrayRef(argv + 1, argc - 1);
  return runCommandLine(arguments, printer, std::move(hooks));
}

const char *attnCompilerVersion() { return version().data(); }
