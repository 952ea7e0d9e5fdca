//===- Index.c - Every index lies in its table --------------------*- C -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Ids and positions are looked at before anything is written, in place and in any
// strides. The kernels may then read tables without a check of their own.
//
//===----------------------------------------------------------------------===//

#include "Internal.h"

// Position of the first value outside [begin, end), or count. A 64-bit unsigned value with its top bit set is outside
// every range, though it looks negative.
#define SCAN(TYPE, NEGATIVE_IS_OUTSIDE)                                                                                \
  static int64_t scan_##TYPE(const char *row, int64_t stride, int64_t count, int64_t begin, int64_t end) {             \
    for (int64_t i = 0; i < count; ++i) {                                                                              \
      TYPE##_t value;                                                                                                  \
      memcpy(&value, row + i * stride, sizeof(value));                                                                 \
      int64_t wide = (int64_t)value;                                                                                   \
      if (wide < begin || wide >= end || (NEGATIVE_IS_OUTSIDE && wide < 0))                                            \
        return i;                                                                                                      \
    }                                                                                                                  \
    return count;                                                                                                      \
  }
SCAN(int8, false)
SCAN(int16, false)
SCAN(int32, false)
SCAN(int64, false)
SCAN(uint8, false)
SCAN(uint16, false)
SCAN(uint32, false)
SCAN(uint64, true)
#undef SCAN

typedef int64_t (*scanner)(const char *, int64_t, int64_t, int64_t, int64_t);

static scanner find_scanner(const attn_tensor_desc *desc) {
  bool is_signed = desc->dtype_code == kDLInt;
  if (desc->dtype_lanes != 1 || (!is_signed && desc->dtype_code != kDLUInt))
    return NULL;
  switch (desc->dtype_bits) {
  case 8:
    return is_signed ? scan_int8 : scan_uint8;
  case 16:
    return is_signed ? scan_int16 : scan_uint16;
  case 32:
    return is_signed ? scan_int32 : scan_uint32;
  case 64:
    return is_signed ? scan_int64 : scan_uint64;
  default:
    return NULL;
  }
}

// The sentence for the element with this row-major number.
static attn_code report(const attn_rt_binding *binding, const attn_rt_tensor *tensor, int64_t number,
                        const char *element) {
  char where[192];
  size_t used = 0;
  int64_t inner = tensor->elements;
  where[0] = 0;
  for (int32_t axis = 0; axis < tensor->desc->rank && used + 24 < sizeof(where); ++axis) {
    inner /= tensor->user->shape[axis];
    attn_error part;
    attn_rt_fail(&part, ATTN_OK, axis ? ", %lld" : "%lld", (long long)(number / inner));
    for (const char *from = part.message; *from; ++from)
      where[used++] = *from;
    where[used] = 0;
    number %= inner;
  }
  const attn_tensor_desc *desc = tensor->desc;
  uint64_t bits = 0;
  memcpy(&bits, element, (size_t)tensor->item); // both targets are little endian
  if (desc->dtype_code == kDLUInt)
    return attn_rt_fail_tensor(binding, tensor, ATTN_ERROR_INDEX, "value %llu at [%s] is outside [%lld, %lld)",
                               (unsigned long long)bits, where, (long long)desc->index_begin,
                               (long long)desc->index_end);
  int shift = 64 - desc->dtype_bits;
  return attn_rt_fail_tensor(binding, tensor, ATTN_ERROR_INDEX, "value %lld at [%s] is outside [%lld, %lld)",
                             (long long)((int64_t)(bits << shift) >> shift), where, (long long)desc->index_begin,
                             (long long)desc->index_end);
}

static attn_code check_tensor(const attn_rt_binding *binding, const attn_rt_tensor *tensor) {
  const attn_tensor_desc *desc = tensor->desc;
  scanner scan = find_scanner(desc);
  if (!scan)
    return attn_rt_fail_tensor(binding, tensor, ATTN_ERROR_INTERNAL,
                               "it has an index range but is not of an integer type");
  attn_rt_view view;
  attn_rt_make_view(tensor, &view);
  int32_t outer = view.rank ? view.rank - 1 : 0;
  int64_t count = view.rank ? view.shape[outer] : 1;
  int64_t stride = view.rank ? view.strides[outer] : tensor->item;
  int64_t index[ATTN_MAX_RANK] = {0};
  const char *row = tensor->data;
  for (int64_t done = 0; done < tensor->elements; done += count) {
    int64_t bad = scan(row, stride, count, desc->index_begin, desc->index_end);
    if (bad < count)
      return report(binding, tensor, done + bad, row + bad * stride);
    for (int32_t i = outer - 1; i >= 0; --i) {
      if (++index[i] < view.shape[i]) {
        row += view.strides[i];
        break;
      }
      row -= (view.shape[i] - 1) * view.strides[i];
      index[i] = 0;
    }
  }
  return ATTN_OK;
}

attn_code attn_rt_check_indices(const attn_rt_binding *binding) {
  for (int32_t i = 0; i < binding->entry->num_inputs; ++i) {
    const attn_rt_tensor *tensor = &binding->tensors[i];
    if (tensor->desc->index_begin >= tensor->desc->index_end || tensor->elements == 0)
      continue;
    attn_code code = check_tensor(binding, tensor);
    if (code)
      return code;
  }
  return ATTN_OK;
}
