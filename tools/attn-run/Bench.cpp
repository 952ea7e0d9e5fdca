//===- Bench.cpp - How long runs take ---------------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The peak is measured before and after, and the larger one counts: a share of a peak taken in a slow moment would
// flatter.
//
//===----------------------------------------------------------------------===//

#include "Bench.h"
#include "Peak.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Format.h"
#include <chrono>
#include <cmath>
#include <numeric>
#include <sched.h>
#include <vector>

using namespace attn;
using namespace attn::run;

unsigned run::availableThreads() {
  cpu_set_t set;
  CPU_ZERO(&set);
  return sched_getaffinity(0, sizeof set, &set) ? 1 : CPU_COUNT(&set);
}

/// The smallest time that a share of all runs does not exceed.
static double percentile(llvm::ArrayRef<double> sorted, double share) {
  size_t rank = static_cast<size_t>(std::ceil(share * static_cast<double>(sorted.size())));
  return sorted[std::min(std::max<size_t>(rank, 1), sorted.size()) - 1];
}

llvm::Error run::bench(llvm::raw_ostream &os, const BenchOptions &options, llvm::function_ref<llvm::Error()> run) {
  using Clock = std::chrono::steady_clock;
  auto secondsSince = [](Clock::time_point begin) {
    return std::chrono::duration<double>(Clock::now() - begin).count();
  };
  // Warm caches and threads: at least two runs, at most a quarter of the time.
  Clock::time_point begin = Clock::now();
  for (unsigned i = 0; i < 2 || (i < 10 && secondsSince(begin) < options.seconds / 4); ++i)
    if (llvm::Error error = run())
      return error;
  Peak before = options.flops ? measurePeak(options.threads, 0.1) : Peak{0, ""};

  std::vector<double> times;
  begin = Clock::now();
  while (times.size() < 10 || (secondsSince(begin) < options.seconds && times.size() < 1000000)) {
    Clock::time_point start = Clock::now();
    if (llvm::Error error = run())
      return error;
    times.push_back(secondsSince(start));
  }
  double mean = std::accumulate(times.begin(), times.end(), 0.0) / static_cast<double>(times.size());
  llvm::sort(times);
  double median = percentile(times, 0.5);
  os << "bench: " << times.size() << " runs, " << options.threads
     << (options.threads == 1 ? " thread\n" : " threads\n");
  os << llvm::format("  min %.4f ms  mean %.4f ms  p50 %.4f ms  p90 %.4f ms  p99 %.4f ms\n", times.front() * 1e3,
                     mean * 1e3, median * 1e3, percentile(times, 0.9) * 1e3, percentile(times, 0.99) * 1e3);
  if (!options.flops)
    return llvm::Error::success();
  double rate = *options.flops / median;
  os << llvm::format("  %.2f GFLOP/s", rate / 1e9);
  Peak after = measurePeak(options.threads, 0.1);
  double peak = std::max(before.flops, after.flops);
  if (peak > 0)
    os << llvm::format(", %.1f %% of the fp32 FMA peak (%s, %.1f GFLOP/s measured now)", 100 * rate / peak, after.unit,
                       peak / 1e9);
  os << "\n";
  return llvm::Error::success();
}
