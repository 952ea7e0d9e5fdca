//===- Cpu.c - What this processor can run ------------------------*- C -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// x86-64: CPUID says what the processor has, XCR0 which registers the operating
// system keeps, and for AMX the kernel has to be asked, once a process and before
// its threads use tiles. AArch64: the kernel's capability words.
//
//===----------------------------------------------------------------------===//

#include "Internal.h"

int32_t attn_rt_cpu_count(void) {
  unsigned long mask[8192 / (8 * sizeof(unsigned long))];
  long bytes = syscall(SYS_SCHED_GETAFFINITY, 0, sizeof(mask), mask);
  int32_t count = 0;
  for (long i = 0; i < bytes / (long)sizeof(unsigned long); ++i)
    for (unsigned long word = mask[i]; word; word &= word - 1)
      ++count;
  return count < 1 ? 1 : count > ATTN_MAX_THREADS ? ATTN_MAX_THREADS : count;
}

#if defined(__x86_64__)
#include <cpuid.h>

static uint64_t extended_control_register(void) {
  uint32_t low, high;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (uint64_t)high << 32 | low;
}

static bool has(uint32_t word, uint32_t bits) { return (word & bits) == bits; }

// Bits as in CPUID leaves 1, 7.0, 7.1 and 0x80000001.
static uint64_t detect(void) {
  uint32_t a, b, c, d, ext_c = 0, b7, c7, d7, a71 = 0;
  if (!__get_cpuid(1, &a, &b, &c, &d) || !has(c, 1u << 27)) // osxsave
    return 0;
  uint32_t c1 = c;
  uint64_t kept = extended_control_register();
  uint32_t max_subleaf;
  if (!__get_cpuid_count(7, 0, &max_subleaf, &b7, &c7, &d7))
    return 0;
  if (max_subleaf >= 1) {
    __cpuid_count(7, 1, a, b, c, d);
    a71 = a;
  }
  if (__get_cpuid(0x80000001, &a, &b, &c, &d))
    ext_c = c;

  uint64_t features = 0;
  bool v2 =
      has(c1, 1u << 0 | 1u << 9 | 1u << 13 | 1u << 19 | 1u << 20 | 1u << 23); // sse3 ssse3 cx16 sse4.1 sse4.2 popcnt
  bool v3 = v2 && (kept & 0x6) == 0x6 && has(c1, 1u << 12 | 1u << 22 | 1u << 28 | 1u << 29) // fma movbe avx f16c
            && has(b7, 1u << 3 | 1u << 5 | 1u << 8) && has(ext_c, 1u << 5);                 // bmi avx2 bmi2, lzcnt
  if (!v3)
    return features;
  features |= ATTN_CPU_AVX2_FMA;
  if (has(a71, 1u << 4))
    features |= ATTN_CPU_AVX_VNNI;

  bool v4 = (kept & 0xe6) == 0xe6 && has(b7, 1u << 16 | 1u << 17 | 1u << 28 | 1u << 30 | 1u << 31); // f dq cd bw vl
  if (v4) {
    features |= ATTN_CPU_AVX512;
    if (has(c7, 1u << 11))
      features |= ATTN_CPU_AVX512_VNNI;
    if (has(a71, 1u << 5))
      features |= ATTN_CPU_AVX512_BF16;
    if (has(d7, 1u << 23))
      features |= ATTN_CPU_AVX512_FP16;
    // vbmi vbmi2 gfni vaes vpclmulqdq bitalg vpopcntdq, ifma
    if (has(c7, 1u << 1 | 1u << 6 | 1u << 8 | 1u << 9 | 1u << 10 | 1u << 12 | 1u << 14) && has(b7, 1u << 21))
      features |= ATTN_CPU_AVX512_ICL;
  }
  if ((kept & 0x60000) == 0x60000 && has(d7, 1u << 24)) {
    features |= ATTN_CPU_AMX_TILE;
    if (has(d7, 1u << 25))
      features |= ATTN_CPU_AMX_INT8;
    if (has(d7, 1u << 22))
      features |= ATTN_CPU_AMX_BF16;
    if (has(a71, 1u << 21))
      features |= ATTN_CPU_AMX_FP16;
  }
  return features;
}

static bool amx_permitted(void) {
  // 0: not asked, 1: granted, 2: refused. Two threads may ask at once; the answer is the same.
  static _Atomic int32_t answer;
  int32_t known = atomic_load(&answer);
  if (known == 0) {
    enum { REQUEST_PERMISSION = 0x1023, TILE_DATA = 18 };
    known = syscall(SYS_ARCH_PRCTL, REQUEST_PERMISSION, TILE_DATA) == 0 ? 1 : 2;
    atomic_store(&answer, known);
  }
  return known == 1;
}

uint64_t attn_rt_cpu_features(bool want_amx) {
  uint64_t features = detect();
  if ((features & ATTN_CPU_ANY_AMX) && !(want_amx && amx_permitted()))
    features &= ~(uint64_t)ATTN_CPU_ANY_AMX;
  return features;
}

#else // AArch64

uint64_t attn_rt_cpu_features(bool want_amx) {
  (void)want_amx;
  enum { AT_CAPABILITIES = 16, AT_CAPABILITIES2 = 26 };
  unsigned long first = getauxval(AT_CAPABILITIES), second = getauxval(AT_CAPABILITIES2);
  uint64_t features = 0;
  if (first & 1ul << 1)
    features |= ATTN_CPU_NEON;
  if ((first & 1ul << 9) && (first & 1ul << 10))
    features |= ATTN_CPU_FP16;
  if (first & 1ul << 20)
    features |= ATTN_CPU_DOTPROD;
  if (first & 1ul << 22)
    features |= ATTN_CPU_SVE;
  if (second & 1ul << 1)
    features |= ATTN_CPU_SVE2;
  if (second & 1ul << 13)
    features |= ATTN_CPU_I8MM;
  if (second & 1ul << 14)
    features |= ATTN_CPU_BF16;
  return features;
}
#endif
