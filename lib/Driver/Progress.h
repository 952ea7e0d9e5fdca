//===- Progress.h - What is being done, and how long it takes ---*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_DRIVER_PROGRESS_H
#define ATTN_LIB_DRIVER_PROGRESS_H

#include "attn/Driver/Message.h"
#include <chrono>

namespace attn {

/// Says what begins and remembers how long each part took.
class Progress {
public:
  explicit Progress(const MessageHandler &messages) : messages(messages) {}

  /// Ends the part before and begins the next.
  void begin(llvm::StringRef part);
  void end();
  /// One line for each part, in milliseconds.
  std::string getTimes() const;

private:
  using Clock = std::chrono::steady_clock;
  const MessageHandler &messages;
  std::string current;
  Clock::time_point started;
  std::vector<std::pair<std::string, double>> times;
};

} // namespace attn

#endif // ATTN_LIB_DRIVER_PROGRESS_H
