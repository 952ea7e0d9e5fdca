//===- Crash.cpp - What a crash leaves behind -------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The heap may be broken when a process crashes, so everything is text in memory before, and the handler only opens,
// writes and closes. Printing a module before each stage costs a hundredth of a compilation.
//
//===----------------------------------------------------------------------===//

#include "Crash.h"
#include "llvm/Support/Signals.h"
#include <csignal>
#include <fcntl.h>
#include <unistd.h>

using namespace attn;

struct CrashReproducer::Record {
  std::string path, contents, written, unwritten;
};

namespace {
/// The handler's only way to what it writes.
std::atomic<const void *> currentRecord = nullptr;
} // namespace

static bool writeAll(int file, const std::string &text) {
  const char *data = text.data();
  size_t left = text.size();
  while (left > 0) {
    ssize_t done = write(file, data, left);
    if (done <= 0)
      return false;
    data += done;
    left -= done;
  }
  return true;
}

CrashReproducer::CrashReproducer() {
  // LLVM keeps handlers for good.
  static bool added = [] {
    llvm::sys::AddSignalHandler(
        [](void *) {
          const auto *record = static_cast<const Record *>(currentRecord.exchange(nullptr));
          if (!record)
            return;
          // LLVM has restored what signals meant before; this one would end the process here.
          std::signal(SIGXFSZ, SIG_IGN);
          bool ok = true;
          if (!record->path.empty()) {
            int file = open(record->path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
            ok = file >= 0 && writeAll(file, record->contents);
            if (file >= 0)
              ok &= close(file) == 0;
          }
          writeAll(STDERR_FILENO, ok ? record->written : record->unwritten);
        },
        nullptr);
    return true;
  }();
  (void)added;
}

CrashReproducer::~CrashReproducer() { currentRecord = nullptr; }

void CrashReproducer::remember(const StageInput &input) {
  currentRecord = nullptr;
  record = std::make_unique<Record>();
  std::string head = "\nattnc: internal error: crashed in the stage " + infoOf(input.stage).flag.str() +
                     "; this is a bug of attnc, not of the model\n";
  if (input.module.empty()) {
    record->written = head + "attnc: to reproduce it, run: attnc " + input.arguments + "\n";
    record->unwritten = record->written;
  } else {
    std::string command = "attnc " + quoteForShell(input.reproducer) + " " + input.arguments;
    record->path = input.reproducer;
    record->contents = "// run: " + command + "\n" + input.module;
    record->written = head + "attnc: a crash reproducer is at " + input.reproducer + "; run: " + command + "\n";
    record->unwritten = head + "attnc: the crash reproducer could not be written to " + input.reproducer + "\n";
  }
  currentRecord = record.get();
}
