//===- Progress.h - A line that says what is being done -*- C++ -*-===//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_DRIVER_PROGRESS_H
#define ATTN_LIB_DRIVER_PROGRESS_H

#include "llvm/ADT/StringRef.h"
#include <chrono>
#include <functional>
#include <string>
#include <vector>

namespace attn {

/// Says what begins and remembers how long each part took.
class Progress {
public:
  Progress(std::function<void(llvm::StringRef)> print, bool quiet) : print(std::move(print)), quiet(quiet) {}

  /// Ends the part before and begins the next.
  void begin(llvm::StringRef part);
  void end();
  /// One line for each part, in milliseconds.
  std::string getTimes() const;

private:
  using Clock = std::chrono::steady_clock;
  std::function<void(llvm::StringRef)> print;
  bool quiet;
  std::string current;
  Clock::time_point started;
  std::vector<std::pair<std::string, double>> times;
};

} // namespace attn

#endif // ATTN_LIB_DRIVER_PROGRESS_H
