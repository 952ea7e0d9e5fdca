//===- Bench.h - How long runs take -----------------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Wall-clock times of whole runs with everything allocated before, percentiles rather than a mean alone.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TOOLS_RUN_BENCH_H
#define ATTN_TOOLS_RUN_BENCH_H

#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/raw_ostream.h"
#include <optional>

namespace attn::run {

struct BenchOptions {
  double seconds;              ///< How long to time; at least ten runs in any case.
  unsigned threads;            ///< Threads of a run, for the peak.
  std::optional<double> flops; ///< Operations of a run, where known.
};

/// Times `run` and prints the table. Stops at the first error.
llvm::Error bench(llvm::raw_ostream &os, const BenchOptions &options, llvm::function_ref<llvm::Error()> run);

/// The processors that this process may use.
unsigned availableThreads();

} // namespace attn::run

#endif // ATTN_TOOLS_RUN_BENCH_H
