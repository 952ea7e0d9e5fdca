//===- Console.h - Messages on standard output and error --------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_DRIVER_CONSOLE_H
#define ATTN_LIB_DRIVER_CONSOLE_H

#include "attn/Driver/Main.h"
#include "llvm/Support/raw_ostream.h"

namespace attn {

/// Prints messages as `attnc` does. Progress is one line that is written over where standard error is a terminal, a
/// line for each step otherwise.
class Console final : public MessagePrinter {
public:
  Console(llvm::raw_ostream &out, llvm::raw_ostream &err) : out(out), err(err) {}
  ~Console() override { clearLine(); }

  void configure(DiagnosticFormat newFormat, ProgressStyle style) override;
  void print(const Message &message) override;

private:
  void clearLine();
  void printProgress(const std::string &text);

  llvm::raw_ostream &out, &err;
  DiagnosticFormat format = DiagnosticFormat::Text;
  ProgressStyle progress = ProgressStyle::None;
  bool lineShown = false;
};

} // namespace attn

#endif // ATTN_LIB_DRIVER_CONSOLE_H
