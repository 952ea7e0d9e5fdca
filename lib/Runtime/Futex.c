//===- Futex.c - Sleeping until a word changes --------------------*- C -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The one way in which the runtime's threads wait. A wake-up may come too often,
// never too rarely: callers look at their word again.
//
//===----------------------------------------------------------------------===//

#include "Internal.h"

enum { WAIT_PRIVATE = 0 | 128, WAKE_PRIVATE = 1 | 128 };

void attn_rt_futex_wait(_Atomic uint32_t *word, uint32_t value) {
  syscall(SYS_FUTEX, word, WAIT_PRIVATE, value, NULL, NULL, 0);
}

void attn_rt_futex_wake(_Atomic uint32_t *word, int32_t count) {
  syscall(SYS_FUTEX, word, WAKE_PRIVATE, count, NULL, NULL, 0);
}
