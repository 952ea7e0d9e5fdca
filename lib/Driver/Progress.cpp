//===- Progress.cpp - What is being done, and how long it takes -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Progress.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

using namespace attn;

void Progress::begin(llvm::StringRef part) {
  end();
  current = part.str();
  started = Clock::now();
  messages({Message::Kind::Progress, current});
}

void Progress::end() {
  if (current.empty())
    return;
  times.emplace_back(current, std::chrono::duration<double, std::milli>(Clock::now() - started).count());
  current.clear();
}

std::string Progress::getTimes() const {
  std::string text;
  llvm::raw_string_ostream os(text);
  double total = 0;
  for (const auto &[part, ms] : times) {
    os << llvm::format("%10.1f ms  ", ms) << part << "\n";
    total += ms;
  }
  os << llvm::format("%10.1f ms  total", total);
  return text;
}
