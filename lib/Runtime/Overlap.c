//===- Overlap.c - Whether tensors share a byte -------------------*- C -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Outputs may not overlap anything, but for the input that they continue. Most pairs are told apart by their address
// ranges; views that interleave within one buffer (columns of one matrix, say) need a closer look, which is exact:
// with the second tensor's dimensions turned round, the difference of two element addresses is a constant plus a sum
// of c * stride over the dimensions of both, 0 <= c < size, and the question is whether that sum can fall into a
// short interval. The largest stride leaves one or two choices for its c, so the search is short; if strides are so
// odd that it is not, the answer is yes, they overlap.
//
// The same search tells whether two elements of one output share a place: then the difference of their indices,
// times the strides, is 0.
//
//===----------------------------------------------------------------------===//

#include "Internal.h"

// One term of the sum: c * stride for 0 <= c <= top.
typedef struct term {
  int64_t stride, top;
} term;

typedef struct search {
  term terms[2 * ATTN_MAX_RANK];
  int64_t rest[2 * ATTN_MAX_RANK + 1]; // the most that terms[i..] can add
  int32_t count;
  int32_t budget;
} search;

// Adds a tensor's dimensions as terms, largest stride first.
static void add_terms(search *search, const attn_rt_tensor *tensor) {
  attn_rt_view view;
  attn_rt_make_view(tensor, &view);
  for (int32_t i = 0; i < view.rank; ++i) {
    int64_t stride = view.strides[i] < 0 ? -view.strides[i] : view.strides[i];
    if (stride == 0)
      continue;
    int32_t at = 0;
    while (at < search->count && search->terms[at].stride > stride)
      ++at;
    if (at < search->count && search->terms[at].stride == stride) { // the sum of two ranges is a range
      search->terms[at].top += view.shape[i] - 1;
      continue;
    }
    for (int32_t k = search->count++; k > at; --k)
      search->terms[k] = search->terms[k - 1];
    search->terms[at] = (term){stride, view.shape[i] - 1};
  }
}

// Can terms[from..] add up to something in [low, high]?
static bool reaches(search *search, int32_t from, int64_t low, int64_t high) {
  if (high < 0 || low > search->rest[from])
    return false;
  if (from == search->count || low <= 0)
    return true;
  if (--search->budget < 0)
    return true;
  term term = search->terms[from];
  int64_t rest = search->rest[from + 1];
  int64_t first = low > rest ? (low - rest + term.stride - 1) / term.stride : 0;
  int64_t last = high / term.stride < term.top ? high / term.stride : term.top;
  for (int64_t c = first; c <= last; ++c)
    if (reaches(search, from + 1, low - c * term.stride, high - c * term.stride))
      return true;
  return false;
}

// Sets rest, or says that something overflows.
static bool sum_up(search *search) {
  for (int32_t i = search->count - 1; i >= 0; --i) {
    int64_t most;
    if (__builtin_mul_overflow(search->terms[i].stride, search->terms[i].top, &most) ||
        __builtin_add_overflow(search->rest[i + 1], most, &search->rest[i]))
      return false;
  }
  return true;
}

static bool overlap(const attn_rt_tensor *a, const attn_rt_tensor *b) {
  uintptr_t a_low = (uintptr_t)(a->data + a->low), a_high = (uintptr_t)(a->data + a->high);
  uintptr_t b_low = (uintptr_t)(b->data + b->low), b_high = (uintptr_t)(b->data + b->high);
  if (a_high <= b_low || b_high <= a_low)
    return false;
  if (a->dense && b->dense)
    return true;
  search search = {.budget = 10000};
  add_terms(&search, a);
  add_terms(&search, b);
  if (!sum_up(&search))
    return true;
  // a's element starts at a_low + x, b's at (b_high - item) - y, and they touch if the starts differ by less than an
  // item.
  int64_t distance = (int64_t)(b_high - (uintptr_t)b->item - a_low);
  return reaches(&search, 0, distance - a->item + 1, distance + b->item - 1);
}

// Let the indices of two elements first differ in dimension k, of the k-th largest stride, by d > 0. They share a place
// if d * stride is made up for by the dimensions after it, each of which adds between -top * stride and top * stride.
// With those ranges shifted to begin at 0 and d to begin at 1, that is one search for each k.
bool attn_rt_overlaps_itself(const attn_rt_tensor *tensor) {
  if (tensor->dense)
    return false;
  attn_rt_view view;
  attn_rt_make_view(tensor, &view);
  for (int32_t i = 0; i < view.rank; ++i)
    if (view.strides[i] == 0)
      return true;
  search all = {.count = 0};
  add_terms(&all, tensor);
  // Two dimensions of one stride.
  if (all.count < view.rank)
    return true;
  int64_t others = 0; // the most that the dimensions after k add
  for (int32_t k = all.count - 1; k >= 0; --k) {
    term term = all.terms[k];
    if (others >= term.stride) {
      // Nothing that is searched for is larger than this, so nothing larger need be added.
      int64_t distance = others - term.stride;
      search search = {.count = all.count - k, .budget = 10000};
      search.terms[0] = (struct term){term.stride, term.top - 1};
      for (int32_t i = 1; i < search.count; ++i) {
        struct term other = all.terms[k + i];
        int64_t top = distance / other.stride;
        search.terms[i] = (struct term){other.stride, other.top < top - other.top ? 2 * other.top : top};
      }
      if (!sum_up(&search) || reaches(&search, 0, distance, distance))
        return true;
    }
    others += term.stride * term.top;
  }
  return false;
}

static bool touches(const attn_rt_tensor *tensor, const void *memory, size_t bytes) {
  uintptr_t low = (uintptr_t)memory;
  return (uintptr_t)(tensor->data + tensor->low) < low + bytes && low < (uintptr_t)(tensor->data + tensor->high);
}

// Whether an output begins with an input, element by element at the same places. Then the input's other elements are
// where nothing else of the output is, since no output overlaps itself.
static bool continues(const attn_rt_tensor *output, const attn_rt_tensor *input) {
  if (output->data != input->data)
    return false;
  for (int32_t i = 0; i < input->desc->rank; ++i)
    if (input->user->shape[i] > output->user->shape[i] ||
        (input->user->shape[i] > 1 && attn_rt_stride(output, i, false) != attn_rt_stride(input, i, false)))
      return false;
  return true;
}

attn_code attn_rt_check_overlap(const attn_rt_binding *binding, const void *workspace, size_t workspace_bytes) {
  int32_t num_inputs = binding->entry->num_inputs, count = num_inputs + binding->entry->num_outputs;
  for (int32_t i = 0; i < count; ++i) {
    const attn_rt_tensor *tensor = &binding->tensors[i];
    if (tensor->elements == 0)
      continue;
    if (workspace && touches(tensor, workspace, workspace_bytes))
      return attn_rt_fail_tensor(binding, tensor, ATTN_ERROR_ALIAS, "it overlaps the workspace");
    if (i < num_inputs)
      continue;
    for (int32_t k = 0; k < i; ++k) {
      const attn_rt_tensor *other = &binding->tensors[k];
      if (k == tensor->desc->state - 1 && continues(tensor, other))
        continue;
      if (other->elements && overlap(tensor, other))
        return attn_rt_fail_tensor(binding, tensor, ATTN_ERROR_ALIAS, "it overlaps %s '%s'",
                                   other->is_output ? "output" : "input", other->desc->name);
    }
  }
  return ATTN_OK;
}
