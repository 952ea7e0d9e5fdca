//===- Strides.c - From any strides to dense and back -------------*- C -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A view drops dimensions of size 1 and merges neighbours that are contiguous, so
// that most tensors become few long rows. Rows are then copied one after another in
// row-major order: with memcpy where a row is contiguous, else element by element.
//
//===----------------------------------------------------------------------===//

#include "Internal.h"

int64_t attn_rt_stride(const attn_rt_tensor *tensor, int32_t axis, bool dense) {
  if (tensor->user->strides && !dense)
    return tensor->user->strides[axis];
  int64_t stride = 1;
  for (int32_t i = axis + 1; i < tensor->desc->rank; ++i)
    stride *= tensor->user->shape[i];
  return stride;
}

void attn_rt_make_view(const attn_rt_tensor *tensor, attn_rt_view *view) {
  if (tensor->packed) { // its bytes
    *view = (attn_rt_view){1, {tensor->high - tensor->low}, {1}};
    return;
  }
  view->rank = 0;
  const int64_t *shape = tensor->user->shape, *strides = tensor->user->strides;
  int64_t dense_stride = tensor->item;
  // Built from the innermost dimension on, then turned round.
  for (int32_t i = tensor->desc->rank - 1; i >= 0; --i) {
    if (shape[i] == 1)
      continue;
    int64_t stride = strides ? strides[i] * tensor->item : dense_stride;
    dense_stride *= shape[i];
    int32_t last = view->rank - 1;
    int64_t whole;
    if (last >= 0 && !__builtin_mul_overflow(view->strides[last], view->shape[last], &whole) && whole == stride) {
      view->shape[last] *= shape[i];
      continue;
    }
    view->shape[view->rank] = shape[i];
    view->strides[view->rank++] = stride;
  }
  for (int32_t i = 0, k = view->rank - 1; i < k; ++i, --k) {
    int64_t size = view->shape[i], stride = view->strides[i];
    view->shape[i] = view->shape[k], view->strides[i] = view->strides[k];
    view->shape[k] = size, view->strides[k] = stride;
  }
}

#define COPY_ELEMENTS(BYTES)                                                                                           \
  for (int64_t i = 0; i < count; ++i)                                                                                  \
  memcpy(to + i * to_stride, from + i * from_stride, BYTES)

static void copy_row(char *to, int64_t to_stride, const char *from, int64_t from_stride, int64_t count, int64_t item) {
  if (to_stride == item && from_stride == item) {
    memcpy(to, from, (size_t)(count * item));
    return;
  }
  switch (item) {
  case 1:
    COPY_ELEMENTS(1);
    return;
  case 2:
    COPY_ELEMENTS(2);
    return;
  case 4:
    COPY_ELEMENTS(4);
    return;
  case 8:
    COPY_ELEMENTS(8);
    return;
  default:
    COPY_ELEMENTS((size_t)item);
  }
}

// Exactly one of the two directions: to the dense memory `into`, or from the dense memory `from`.
static void copy(const attn_rt_tensor *tensor, char *into, const char *from) {
  attn_rt_view view;
  attn_rt_make_view(tensor, &view);
  int32_t outer = view.rank ? view.rank - 1 : 0;
  int64_t count = view.rank ? view.shape[outer] : 1;
  int64_t stride = view.rank ? view.strides[outer] : tensor->item;
  int64_t index[ATTN_MAX_RANK] = {0};
  char *row = tensor->data;
  for (int64_t done = 0; done < tensor->elements; done += count) {
    if (into)
      copy_row(into + done * tensor->item, tensor->item, row, stride, count, tensor->item);
    else
      copy_row(row, stride, from + done * tensor->item, tensor->item, count, tensor->item);
    for (int32_t i = outer - 1; i >= 0; --i) {
      if (++index[i] < view.shape[i]) {
        row += view.strides[i];
        break;
      }
      row -= (view.shape[i] - 1) * view.strides[i];
      index[i] = 0;
    }
  }
}

void attn_rt_gather(const attn_rt_tensor *tensor, char *dense) { copy(tensor, dense, NULL); }

void attn_rt_scatter(const attn_rt_tensor *tensor, const char *dense) { copy(tensor, NULL, dense); }
