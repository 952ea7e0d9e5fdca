//===- Packed.c - Elements of less than a byte --------------------*- C -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The caller's elements of 4 or 2 bits stand in bytes as DLPack says, the first one
// in the lowest bits. The code has a byte for each: an integer's value, a float's
// bits.
//
//===----------------------------------------------------------------------===//

#include "Internal.h"

// The elements of `count` bytes. With a number of bits that is known, so that the loop is unrolled and vectorized.
static inline void unpack_bytes(const uint8_t *from, char *to, int64_t count, int32_t bits, int32_t sign) {
  int32_t per_byte = 8 / bits, mask = (1 << bits) - 1;
  for (int64_t i = 0; i < count; ++i)
    for (int32_t k = 0; k < per_byte; ++k)
      to[i * per_byte + k] = (char)(((from[i] >> k * bits & mask) ^ sign) - sign);
}

static inline void pack_bytes(const char *from, uint8_t *to, int64_t count, int32_t bits) {
  int32_t per_byte = 8 / bits, mask = (1 << bits) - 1;
  for (int64_t i = 0; i < count; ++i) {
    int32_t byte = 0;
    for (int32_t k = 0; k < per_byte; ++k)
      byte |= (from[i * per_byte + k] & mask) << k * bits;
    to[i] = (uint8_t)byte;
  }
}

void attn_rt_unpack(const attn_rt_tensor *tensor, char *dense) {
  const uint8_t *from = (const uint8_t *)tensor->data;
  int32_t bits = tensor->packed, sign = tensor->desc->dtype_code == kDLInt ? 1 << (bits - 1) : 0;
  int64_t per_byte = 8 / bits, bytes = tensor->elements / per_byte, done = bytes * per_byte;
  if (bits == 4)
    unpack_bytes(from, dense, bytes, 4, sign);
  else
    unpack_bytes(from, dense, bytes, 2, sign);
  char last[4];
  if (done == tensor->elements)
    return;
  unpack_bytes(from + bytes, last, 1, bits, sign);
  memcpy(dense + done, last, (size_t)(tensor->elements - done));
}

void attn_rt_pack(const attn_rt_tensor *tensor, const char *dense) {
  uint8_t *to = (uint8_t *)tensor->data;
  int32_t bits = tensor->packed;
  int64_t per_byte = 8 / bits, bytes = tensor->elements / per_byte, done = bytes * per_byte;
  if (bits == 4)
    pack_bytes(dense, to, bytes, 4);
  else
    pack_bytes(dense, to, bytes, 2);
  char last[4] = {0};
  if (done == tensor->elements)
    return;
  memcpy(last, dense + done, (size_t)(tensor->elements - done));
  pack_bytes(last, to + bytes, 1, bits);
}
