//===- Crash.h - What a crash leaves behind ---------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_DRIVER_CRASH_H
#define ATTN_LIB_DRIVER_CRASH_H

#include "attn/Driver/Compilation.h"

namespace attn {

/// While it lives, a fatal signal writes what the current stage started from to a file beside the output and prints the
/// command that runs the stage again. One at a time in a process.
class CrashReproducer {
public:
  CrashReproducer();
  ~CrashReproducer();
  CrashReproducer(const CrashReproducer &) = delete;
  CrashReproducer &operator=(const CrashReproducer &) = delete;

  /// From now on it is `input` that a crash writes.
  void remember(const StageInput &input);

private:
  struct Record;
  std::unique_ptr<Record> record;
};

} // namespace attn

#endif // ATTN_LIB_DRIVER_CRASH_H
