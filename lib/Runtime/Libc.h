//===- Libc.h - The few things the runtime asks of the system -----*- C -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The runtime is compiled for every target on every host, where the target's C
// library headers need not exist; so it includes only the compiler's own headers
// and declares the rest here. Each function below is listed, with its symbol
// version, in Symbols.def, from which the stub libraries for linking are made.
// Everything that is not worth a symbol is a system call.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_LIBC_H
#define ATTN_RUNTIME_LIBC_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#ifndef __linux__
#error "the runtime is written for Linux"
#endif

void *memcpy(void *restrict to, const void *restrict from, size_t bytes);
int strcmp(const char *a, const char *b);
int vsnprintf(char *restrict buffer, size_t bytes, const char *restrict format, va_list arguments);
void *malloc(size_t bytes);
void *calloc(size_t count, size_t bytes);
void free(void *memory);
char *getenv(const char *name);
long syscall(long number, ...);
void *dlopen(const char *path, int flags);
void *dlsym(void *library, const char *name);
char *dlerror(void);

// pthread_t is one word, an integer in glibc and a pointer in musl.
typedef unsigned long pthread_t;
struct attn_rt_thread_attributes;
int pthread_create(pthread_t *thread, const struct attn_rt_thread_attributes *attributes, void *(*start)(void *),
                   void *argument);
int pthread_join(pthread_t thread, void **result);

#if defined(__x86_64__)
enum {
  SYS_FUTEX = 202,
  SYS_RT_SIGPROCMASK = 14,
  SYS_GETPID = 39,
  SYS_PRCTL = 157,
  SYS_ARCH_PRCTL = 158,
  SYS_SCHED_GETAFFINITY = 204
};
static inline void attn_rt_pause(void) { __builtin_ia32_pause(); }
// A steady clock, and about how many of its ticks make 50 microseconds (time stamp counters run at 2 to 4 GHz).
static inline uint64_t attn_rt_ticks(void) { return __builtin_ia32_rdtsc(); }
static inline uint64_t attn_rt_spin_ticks(void) { return 150000; }
#elif defined(__aarch64__)
enum { SYS_FUTEX = 98, SYS_RT_SIGPROCMASK = 135, SYS_GETPID = 172, SYS_PRCTL = 167, SYS_SCHED_GETAFFINITY = 123 };
unsigned long getauxval(unsigned long type);
static inline void attn_rt_pause(void) { __asm__ volatile("yield" ::: "memory"); }
static inline uint64_t attn_rt_ticks(void) {
  uint64_t ticks;
  __asm__ volatile("mrs %0, cntvct_el0" : "=r"(ticks));
  return ticks;
}
static inline uint64_t attn_rt_spin_ticks(void) {
  uint64_t frequency;
  __asm__ volatile("mrs %0, cntfrq_el0" : "=r"(frequency));
  return frequency / 20000;
}
#else
#error "the runtime knows x86-64 and AArch64"
#endif

#endif // ATTN_RUNTIME_LIBC_H
