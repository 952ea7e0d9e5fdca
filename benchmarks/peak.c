/*===- peak.c - What the FMA units of this machine can do ----------*- C -*-===*/
/*                                                                            */
/* Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.     */
/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                    */
/*                                                                            */
/* Prints the fp32 GFLOP/s that THREADS threads reach in a loop of independent */
/* fused multiply-adds that touches no memory, over MILLISECONDS. Shared hosts */
/* change their clock from minute to minute, so the benchmark runs this        */
/* between its rounds and divides by what it saw, not by a data sheet.         */
/*                                                                            */
/*   peak THREADS MILLISECONDS                                                */
/*                                                                            */
/*===----------------------------------------------------------------------===*/
#define _GNU_SOURCE
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* Enough chains to cover four cycles of latency on two units, few enough for every register file. Twelve variables and
 * not an array, so that every compiler keeps them in registers. */
#define CHAINS 12
#define EACH(F) F(0) F(1) F(2) F(3) F(4) F(5) F(6) F(7) F(8) F(9) F(10) F(11)
#define ITERATIONS 300000 /* a millisecond or so: clocks of virtual machines may tick in microseconds */

typedef float lanes16 __attribute__((vector_size(64)));
typedef float lanes8 __attribute__((vector_size(32)));
typedef float lanes4 __attribute__((vector_size(16)));

/* The empty asm keeps each accumulator in a register and the loop from being folded. */
#define MAKE(I) vector acc##I = add * (float)I;
#define STEP(I)                                                                                                        \
  acc##I = acc##I * scale + add;                                                                                       \
  __asm__ volatile("" : IN_REGISTER(acc##I));
#define DEFINE_BURST(NAME, TYPE, ATTRIBUTES)                                                                           \
  ATTRIBUTES static double NAME(void) {                                                                                \
    typedef TYPE vector;                                                                                               \
    vector scale = {0}, add = {0};                                                                                     \
    scale += 0.999f;                                                                                                   \
    add += 1e-3f;                                                                                                      \
    EACH(MAKE)                                                                                                         \
    for (int i = 0; i < ITERATIONS; ++i) {                                                                             \
      EACH(STEP)                                                                                                       \
    }                                                                                                                  \
    return 2.0 * (sizeof(vector) / sizeof(float)) * CHAINS * ITERATIONS;                                               \
  }

#if defined(__x86_64__)
#define IN_REGISTER(X) "+v"(X)
DEFINE_BURST(burst16, lanes16, __attribute__((target("avx512f"), noinline)))
DEFINE_BURST(burst8, lanes8, __attribute__((target("avx2,fma"), noinline)))
#else
#define IN_REGISTER(X) "+w"(X)
#endif
DEFINE_BURST(burst4, lanes4, __attribute__((noinline)))

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double (*burst)(void);
static double duration;

static void *worker(void *result) {
  burst(); /* the wide units take a moment to come up */
  double best = 0, end = now() + duration;
  for (double begin = now(); begin < end;) {
    double flops = burst(), after = now();
    if (flops / (after - begin) > best)
      best = flops / (after - begin);
    begin = after;
  }
  *(double *)result = best;
  return NULL;
}

int main(int argc, char **argv) {
  int threads = argc > 1 ? atoi(argv[1]) : 1;
  duration = (argc > 2 ? atof(argv[2]) : 200) / 1000;
  if (threads < 1 || threads > 64 || duration <= 0) {
    fprintf(stderr, "usage: peak THREADS MILLISECONDS\n");
    return 2;
  }
#if defined(__x86_64__)
  burst = __builtin_cpu_supports("avx512f") ? burst16 : __builtin_cpu_supports("fma") ? burst8 : burst4;
#else
  burst = burst4;
#endif
  pthread_t ids[64];
  double rates[64], sum = 0;
  for (int i = 0; i < threads; ++i)
    if (pthread_create(&ids[i], NULL, worker, &rates[i])) {
      fprintf(stderr, "cannot start a thread\n");
      return 1;
    }
  for (int i = 0; i < threads; ++i) {
    pthread_join(ids[i], NULL);
    sum += rates[i];
  }
  printf("%.1f\n", sum / 1e9);
  return 0;
}
