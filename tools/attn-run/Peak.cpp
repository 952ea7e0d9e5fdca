//===- Peak.cpp - What the FMA units can do now -----------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Twelve independent chains hide four cycles of latency on up to three units and fit every register file. The
// instructions are written out, so that no compiler option turns them into something else.
//
//===----------------------------------------------------------------------===//

#include "Peak.h"
#include "llvm/ADT/SmallVector.h"
#include <algorithm>
#include <chrono>
#include <thread>

using namespace attn;
using namespace attn::run;

static constexpr unsigned kChains = 12, kSteps = 20000;

#if defined(__x86_64__)
typedef float Lanes16 __attribute__((vector_size(64)));
typedef float Lanes8 __attribute__((vector_size(32)));

#define FMA(N) __asm__ volatile("vfmadd231ps %1, %2, %0" : "+v"(a##N) : "v"(x), "v"(y));

__attribute__((target("avx512f"), noinline)) static void burst512() {
  Lanes16 a0 = {}, a1 = {}, a2 = {}, a3 = {}, a4 = {}, a5 = {}, a6 = {}, a7 = {}, a8 = {}, a9 = {}, a10 = {}, a11 = {};
  Lanes16 x = {}, y = {};
  for (unsigned i = 0; i < kSteps; ++i) {
    FMA(0) FMA(1) FMA(2) FMA(3) FMA(4) FMA(5) FMA(6) FMA(7) FMA(8) FMA(9) FMA(10) FMA(11)
  }
}

__attribute__((target("avx2,fma"), noinline)) static void burst256() {
  Lanes8 a0 = {}, a1 = {}, a2 = {}, a3 = {}, a4 = {}, a5 = {}, a6 = {}, a7 = {}, a8 = {}, a9 = {}, a10 = {}, a11 = {};
  Lanes8 x = {}, y = {};
  for (unsigned i = 0; i < kSteps; ++i) {
    FMA(0) FMA(1) FMA(2) FMA(3) FMA(4) FMA(5) FMA(6) FMA(7) FMA(8) FMA(9) FMA(10) FMA(11)
  }
}
#elif defined(__aarch64__)
typedef float Lanes4 __attribute__((vector_size(16)));

#define FMA(N) __asm__ volatile("fmla %0.4s, %1.4s, %2.4s" : "+w"(a##N) : "w"(x), "w"(y));

__attribute__((noinline)) static void burst128() {
  Lanes4 a0 = {}, a1 = {}, a2 = {}, a3 = {}, a4 = {}, a5 = {}, a6 = {}, a7 = {}, a8 = {}, a9 = {}, a10 = {}, a11 = {};
  Lanes4 x = {}, y = {};
  for (unsigned i = 0; i < kSteps; ++i) {
    FMA(0) FMA(1) FMA(2) FMA(3) FMA(4) FMA(5) FMA(6) FMA(7) FMA(8) FMA(9) FMA(10) FMA(11)
  }
}
#endif

static double bestOf(void (*burst)(), unsigned lanes, double seconds) {
  using Clock = std::chrono::steady_clock;
  burst(); // the wide units take a moment to come up
  double best = 0;
  Clock::time_point begin = Clock::now(),
                    end = begin + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  while (begin < end) {
    burst();
    Clock::time_point after = Clock::now();
    double flops = 2.0 * lanes * kChains * kSteps / std::chrono::duration<double>(after - begin).count();
    best = std::max(best, flops);
    begin = after;
  }
  return best;
}

Peak run::measurePeak(unsigned threads, double seconds) {
  void (*burst)() = nullptr;
  unsigned lanes = 0;
  Peak peak = {0, "no FMA unit"};
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f")) {
    burst = burst512;
    lanes = 16;
    peak.unit = "AVX-512";
  } else if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    burst = burst256;
    lanes = 8;
    peak.unit = "AVX2";
  }
#elif defined(__aarch64__)
  burst = burst128;
  lanes = 4;
  peak.unit = "NEON";
#endif
  if (!burst)
    return peak;
  llvm::SmallVector<double> results(threads, 0);
  llvm::SmallVector<std::thread> others;
  for (unsigned i = 1; i < threads; ++i)
    others.emplace_back([&, i] { results[i] = bestOf(burst, lanes, seconds); });
  results[0] = bestOf(burst, lanes, seconds);
  for (std::thread &thread : others)
    thread.join();
  for (double result : results)
    peak.flops += result;
  return peak;
}
