//===- Memory.c - Aligned allocation ------------------------------*- C -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// malloc with room to align, and the original pointer kept just before the block:
// one symbol less than aligned allocation, and any size is allowed.
//
//===----------------------------------------------------------------------===//

#include "Internal.h"

void *attn_rt_aligned_alloc(size_t bytes) {
  if (bytes > (size_t)PTRDIFF_MAX - ATTN_ALIGNMENT - sizeof(void *))
    return NULL;
  char *block = malloc(bytes + ATTN_ALIGNMENT + sizeof(void *));
  if (!block)
    return NULL;
  char *first = block + sizeof(void *);
  char *aligned = first + (-(uintptr_t)first & (ATTN_ALIGNMENT - 1));
  memcpy(aligned - sizeof(void *), &block, sizeof(void *));
  return aligned;
}

void attn_rt_aligned_free(void *memory) {
  if (!memory)
    return;
  void *block;
  memcpy(&block, (char *)memory - sizeof(void *), sizeof(void *));
  free(block);
}
