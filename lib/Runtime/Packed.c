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

void attn_rt_unpack(const attn_rt_tensor *tensor, char *dense) {
  const uint8_t *from = (const uint8_t *)tensor->data;
  int32_t bits = tensor->packed, per_byte = 8 / bits, mask = (1 << bits) - 1;
  int32_t sign = tensor->desc->dtype_code == kDLInt ? 1 << (bits - 1) : 0;
  for (int64_t i = 0; i < tensor->elements; ++i) {
    int32_t value = from[i / per_byte] >> (int32_t)(i % per_byte) * bits & mask;
    dense[i] = (char)((value ^ sign) - sign);
  }
}

void attn_rt_pack(const attn_rt_tensor *tensor, const char *dense) {
  uint8_t *to = (uint8_t *)tensor->data;
  int32_t bits = tensor->packed, per_byte = 8 / bits, mask = (1 << bits) - 1;
  for (int64_t begin = 0; begin < tensor->elements; begin += per_byte) {
    int32_t byte = 0;
    for (int32_t k = 0; k < per_byte && begin + k < tensor->elements; ++k)
      byte |= (dense[begin + k] & mask) << k * bits;
    *to++ = (uint8_t)byte;
  }
}
