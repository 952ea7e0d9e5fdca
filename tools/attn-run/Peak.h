//===- Peak.h - What the FMA units can do now -------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Clocks change from minute to minute and machine to machine, so a share of the peak is only worth something when the
// peak is measured in the same process, on as many threads.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TOOLS_RUN_PEAK_H
#define ATTN_TOOLS_RUN_PEAK_H

namespace attn::run {

struct Peak {
  double flops;     ///< fp32 operations a second of all threads together; 0: this machine has no FMA unit.
  const char *unit; ///< "AVX-512", "AVX2", "NEON"
};

/// Runs register-only FMA chains on `threads` threads for `seconds` and takes each one's best burst.
Peak measurePeak(unsigned threads, double seconds);

} // namespace attn::run

#endif // ATTN_TOOLS_RUN_PEAK_H
