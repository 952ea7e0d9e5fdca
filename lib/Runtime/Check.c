//===- Check.c - The caller's tensors against the entry's tables --*- C -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Everything that can be told from metadata, and before anything is written: number
// of tensors, device, dtype, rank, shape, equal symbols, bounds, sizes that fit,
// data that is there and aligned. Sizes are computed with checked arithmetic, so the
// files that walk over elements need no checks of their own.
//
//===----------------------------------------------------------------------===//

#include "Internal.h"

static const char *dtype_name(char buffer[32], uint32_t code, uint32_t bits, uint32_t lanes) {
  static const char *const names[] = {"int",
                                      "uint",
                                      "float",
                                      "handle",
                                      "bfloat",
                                      "complex",
                                      "bool",
                                      "float8_e3m4",
                                      "float8_e4m3",
                                      "float8_e4m3b11fnuz",
                                      "float8_e4m3fn",
                                      "float8_e4m3fnuz",
                                      "float8_e5m2",
                                      "float8_e5m2fnuz",
                                      "float8_e8m0fnu",
                                      "float6_e2m3fn",
                                      "float6_e3m2fn",
                                      "float4_e2m1fn"};
  const char *name = code < sizeof(names) / sizeof(*names) ? names[code] : NULL;
  // The bits of these are in their names.
  uint32_t known = code < kDLFloat6_e2m3fn ? 8 : code < kDLFloat4_e2m1fn ? 6 : 4;
  attn_error text;
  if (!name)
    attn_rt_fail(&text, ATTN_OK, "dtype(code %u, %u bits)", code, bits);
  else if (code >= kDLBool && bits == known)
    attn_rt_fail(&text, ATTN_OK, "%s", name);
  else if (code > kDLBool)
    attn_rt_fail(&text, ATTN_OK, "%s of %u bits", name, bits);
  else
    attn_rt_fail(&text, ATTN_OK, "%s%u", name, bits);
  size_t used = 0;
  for (; text.message[used] && used < 31; ++used)
    buffer[used] = text.message[used];
  buffer[used] = 0;
  if (lanes != 1 && used < 24) {
    attn_rt_fail(&text, ATTN_OK, "x%u", lanes);
    for (const char *from = text.message; *from && used < 31; ++from)
      buffer[used++] = *from;
    buffer[used] = 0;
  }
  return buffer;
}

// Two tensors of a call that share a symbolic dimension need the same size; says which tensor came first.
static attn_code symbol_mismatch(const attn_rt_binding *binding, const attn_rt_tensor *tensor, int32_t axis,
                                 int64_t symbol) {
  const attn_dim_desc *dim = &binding->entry->dims[symbol];
  if (dim->num_terms > 0 && tensor->is_output)
    return attn_rt_fail_tensor(binding, tensor, ATTN_ERROR_SHAPE,
                               "dimension %d ('%s') is %lld, but the inputs make it %lld", (int)axis, dim->name,
                               (long long)tensor->user->shape[axis], (long long)binding->dims[symbol]);
  for (const attn_rt_tensor *first = binding->tensors; first <= tensor; ++first)
    for (int32_t i = 0; i < first->desc->rank; ++i)
      if (first->desc->shape[i] == -1 - symbol)
        return attn_rt_fail_tensor(binding, tensor, ATTN_ERROR_SHAPE,
                                   "dimension %d ('%s') is %lld, but %s '%s' has %lld there", (int)axis, dim->name,
                                   (long long)tensor->user->shape[axis], first->is_output ? "output" : "input",
                                   first->desc->name, (long long)binding->dims[symbol]);
  return ATTN_ERROR_INTERNAL;
}

static attn_code check_dimension(const attn_rt_binding *binding, const attn_rt_tensor *tensor, int32_t axis) {
  int64_t expected = tensor->desc->shape[axis];
  int64_t size = tensor->user->shape[axis];
  if (size < 0)
    return attn_rt_fail_tensor(binding, tensor, ATTN_ERROR_SHAPE, "dimension %d is %lld; a size cannot be negative",
                               (int)axis, (long long)size);
  if (expected >= 0) {
    if (size != expected)
      return attn_rt_fail_tensor(binding, tensor, ATTN_ERROR_SHAPE, "dimension %d is %lld, expected %lld", (int)axis,
                                 (long long)size, (long long)expected);
    return ATTN_OK;
  }
  int64_t symbol = -1 - expected;
  const attn_dim_desc *dim = &binding->entry->dims[symbol];
  if (binding->dims[symbol] >= 0)
    return binding->dims[symbol] == size ? ATTN_OK : symbol_mismatch(binding, tensor, axis, symbol);
  if (size > dim->max)
    return attn_rt_fail_tensor(binding, tensor, ATTN_ERROR_SHAPE, "dimension '%s' is %lld, at most %lld", dim->name,
                               (long long)size, (long long)dim->max);
  if (size < dim->min)
    return attn_rt_fail_tensor(binding, tensor, ATTN_ERROR_SHAPE, "dimension '%s' is %lld, at least %lld", dim->name,
                               (long long)size, (long long)dim->min);
  binding->dims[symbol] = size;
  return ATTN_OK;
}

// Number of elements, whether they are dense, and which bytes they occupy. False: something does not fit in 63 bits.
static bool measure(attn_rt_tensor *tensor, const int64_t *shape, const int64_t *strides) {
  int32_t rank = tensor->desc->rank;
  int64_t row = tensor->item; // bytes of everything inside
  tensor->dense = true;
  tensor->elements = 1;
  tensor->low = tensor->high = 0;
  for (int32_t i = 0; i < rank; ++i)
    if (shape[i] == 0) {
      tensor->elements = 0;
      return true;
    }
  int64_t last = 0; // highest start of an element
  for (int32_t i = rank - 1; i >= 0; --i) {
    if (strides && shape[i] > 1) {
      int64_t stride, reach;
      if (__builtin_mul_overflow(strides[i], tensor->item, &stride) ||
          __builtin_mul_overflow(stride, shape[i] - 1, &reach) ||
          __builtin_add_overflow(reach, reach < 0 ? tensor->low : last, reach < 0 ? &tensor->low : &last))
        return false;
      tensor->dense &= stride == row;
    }
    if (__builtin_mul_overflow(row, shape[i], &row))
      return false;
  }
  tensor->elements = row / tensor->item;
  if (tensor->packed) {
    // Bits can be less than bytes only by a known factor, so nothing overflows.
    tensor->high = row / 8 * tensor->packed + (row % 8 * tensor->packed + 7) / 8;
    return true;
  }
  if (!strides)
    last = row - tensor->item;
  int64_t span;
  return !__builtin_add_overflow(last, tensor->item, &tensor->high) &&
         !__builtin_sub_overflow(tensor->high, tensor->low, &span);
}

static attn_code check_metadata(const attn_rt_binding *binding, attn_rt_tensor *tensor) {
  const DLTensor *user = tensor->user;
  const attn_tensor_desc *desc = tensor->desc;
  if (!user)
    return attn_rt_fail_tensor(binding, tensor, ATTN_ERROR_INVALID_ARGUMENT, "the tensor pointer is null");
  if (binding->device.device_type == kDLCUDA) {
    if (user->device.device_type != kDLCUDA || user->device.device_id != binding->device.device_id)
      return attn_rt_fail_tensor(
          binding, tensor, ATTN_ERROR_DEVICE,
          "it lies on DLPack device type %d, number %d, expected CUDA memory (type 2) of device %d",
          (int)user->device.device_type, (int)user->device.device_id, (int)binding->device.device_id);
  } else if (user->device.device_type != kDLCPU && user->device.device_type != kDLCUDAHost)
    return attn_rt_fail_tensor(binding, tensor, ATTN_ERROR_DEVICE,
                               "it lies on DLPack device type %d, expected the CPU's memory (type 1)",
                               (int)user->device.device_type);
  if (user->dtype.code != desc->dtype_code || user->dtype.bits != desc->dtype_bits ||
      user->dtype.lanes != desc->dtype_lanes) {
    char given[32], expected[32];
    return attn_rt_fail_tensor(binding, tensor, ATTN_ERROR_DTYPE, "dtype is %s, expected %s",
                               dtype_name(given, user->dtype.code, user->dtype.bits, user->dtype.lanes),
                               dtype_name(expected, desc->dtype_code, desc->dtype_bits, desc->dtype_lanes));
  }
  if (user->ndim != desc->rank)
    return attn_rt_fail_tensor(binding, tensor, ATTN_ERROR_RANK, "rank is %d, expected %d", (int)user->ndim,
                               (int)desc->rank);
  if (desc->rank > 0 && !user->shape)
    return attn_rt_fail_tensor(binding, tensor, ATTN_ERROR_INVALID_ARGUMENT, "its shape pointer is null");
  for (int32_t axis = 0; axis < desc->rank; ++axis) {
    attn_code code = check_dimension(binding, tensor, axis);
    if (code)
      return code;
  }
  return ATTN_OK;
}

static attn_code check_size(const attn_rt_binding *binding, attn_rt_tensor *tensor, const int64_t *shape,
                            const int64_t *strides) {
  if (!measure(tensor, shape, strides))
    return attn_rt_fail_tensor(binding, tensor, ATTN_ERROR_OVERFLOW, "its size in bytes overflows 64 bits");
  if (tensor->packed && !tensor->dense)
    return attn_rt_fail_tensor(binding, tensor, ATTN_ERROR_UNSUPPORTED,
                               "its elements are packed in bytes, so they must be dense, in row-major order");
  if (!tensor->is_output || !strides || !tensor->elements)
    return ATTN_OK;
  for (int32_t axis = 0; axis < tensor->desc->rank; ++axis)
    if (shape[axis] > 1 && strides[axis] == 0)
      return attn_rt_fail_tensor(binding, tensor, ATTN_ERROR_ALIAS,
                                 "dimension %d has stride 0, so several results would go to one place", (int)axis);
  if (attn_rt_overlaps_itself(tensor))
    return attn_rt_fail_tensor(binding, tensor, ATTN_ERROR_ALIAS,
                               "its strides lead several of its elements to one place");
  return ATTN_OK;
}

static attn_code check_data(const attn_rt_binding *binding, attn_rt_tensor *tensor) {
  const DLTensor *user = tensor->user;
  tensor->data = user->data;
  if (tensor->elements == 0)
    return ATTN_OK;
  if (!user->data)
    return attn_rt_fail_tensor(binding, tensor, ATTN_ERROR_NULL_DATA, "its data is null, but it has %lld elements",
                               (long long)tensor->elements);
  uintptr_t first, low, high;
  if (__builtin_add_overflow((uintptr_t)user->data, user->byte_offset, &first) ||
      __builtin_sub_overflow(first, (uint64_t)0 - (uint64_t)tensor->low, &low) ||
      __builtin_add_overflow(first, (uint64_t)tensor->high, &high))
    return attn_rt_fail_tensor(binding, tensor, ATTN_ERROR_OVERFLOW, "its elements reach beyond the address space");
  uintptr_t scalar = tensor->desc->dtype_bits / (tensor->desc->dtype_code == kDLComplex ? 16u : 8u);
  if (scalar && !(scalar & (scalar - 1)) && first % scalar)
    return attn_rt_fail_tensor(binding, tensor, ATTN_ERROR_ALIGNMENT, "its data is not aligned to %d bytes",
                               (int)scalar);
  tensor->data = (char *)user->data + user->byte_offset;
  return ATTN_OK;
}

static attn_code check_count(const attn_rt_binding *binding, const char *what, int32_t expected, size_t given,
                             bool missing) {
  if (given != (size_t)expected)
    return attn_rt_fail(binding->error, ATTN_ERROR_INVALID_ARGUMENT, "entry '%s' has %d %s, but %llu were given",
                        binding->entry->name, (int)expected, what, (unsigned long long)given);
  if (expected && missing)
    return attn_rt_fail(binding->error, ATTN_ERROR_INVALID_ARGUMENT, "entry '%s': the array of %s is null",
                        binding->entry->name, what);
  return ATTN_OK;
}

static attn_rt_tensor start_tensor(const attn_tensor_desc *desc, const DLTensor *user, bool is_output) {
  int32_t bits = (int32_t)desc->dtype_bits * desc->dtype_lanes;
  return (attn_rt_tensor){.user = user,
                          .desc = desc,
                          .is_output = is_output,
                          .packed = bits < 8 ? bits : 0,
                          .item = bits < 8 ? 1 : bits / 8,
                          .copy = -1};
}

// A dense output that the caller has not made yet, from the dimensions that the inputs gave.
static attn_code imagine_output(const attn_rt_binding *binding, attn_rt_tensor *tensor) {
  int64_t shape[ATTN_MAX_RANK];
  for (int32_t axis = 0; axis < tensor->desc->rank; ++axis) {
    int64_t size = tensor->desc->shape[axis];
    shape[axis] = size >= 0 ? size : binding->dims[-1 - size];
    if (shape[axis] < 0)
      return attn_rt_fail_tensor(binding, tensor, ATTN_ERROR_UNSUPPORTED,
                                 "dimension '%s' cannot be told from the inputs' shapes",
                                 binding->entry->dims[-1 - size].name);
  }
  return check_size(binding, tensor, shape, NULL);
}

// Where a value that dimensions are computed from stands: not known, known, or beyond 64 bits.
typedef enum { ATTN_UNKNOWN, ATTN_KNOWN, ATTN_OVERFLOWS } attn_rt_knowledge;

// A coefficient times its factors; moves *term behind it.
static attn_rt_knowledge compute_term(const int64_t *dims, const int64_t **term, int64_t *product) {
  attn_rt_knowledge knowledge = ATTN_KNOWN;
  *product = *(*term)++;
  for (int64_t factors = *(*term)++; factors > 0; --factors) {
    int64_t value = dims[*(*term)++];
    if (value < 0)
      knowledge = ATTN_UNKNOWN;
    else if (__builtin_mul_overflow(*product, value, product) && knowledge == ATTN_KNOWN)
      knowledge = ATTN_OVERFLOWS;
  }
  return knowledge;
}

// The sum of a dimension's terms, and their divisor.
static attn_rt_knowledge compute_quotient(const int64_t *dims, const attn_dim_desc *dim, int64_t *sum,
                                          int64_t *divisor) {
  attn_rt_knowledge all = ATTN_KNOWN;
  const int64_t *term = dim->terms;
  *sum = 0;
  for (int64_t t = 0; t < dim->num_terms; ++t) {
    int64_t product;
    attn_rt_knowledge one = compute_term(dims, &term, &product);
    if (one == ATTN_KNOWN && __builtin_add_overflow(*sum, product, sum))
      one = ATTN_OVERFLOWS;
    all = one == ATTN_UNKNOWN || all == ATTN_UNKNOWN ? ATTN_UNKNOWN : one > all ? one : all;
  }
  *divisor = 1;
  if (dim->divisor) {
    term = dim->divisor;
    attn_rt_knowledge one = compute_term(dims, &term, divisor);
    all = one == ATTN_UNKNOWN || all == ATTN_UNKNOWN ? ATTN_UNKNOWN : one > all ? one : all;
  }
  return all;
}

// The dimensions that are computed from others, once the inputs have given those.
static attn_code compute_dimensions(const attn_rt_binding *binding) {
  const attn_entry_desc *entry = binding->entry;
  for (int32_t i = 0; i < entry->num_dims; ++i) {
    const attn_dim_desc *dim = &entry->dims[i];
    if (dim->num_terms == 0)
      continue;
    int64_t sum, divisor;
    attn_rt_knowledge knowledge = compute_quotient(binding->dims, dim, &sum, &divisor);
    if (knowledge == ATTN_UNKNOWN)
      continue; // who needs it says so
    if (knowledge == ATTN_OVERFLOWS)
      return attn_rt_fail(binding->error, ATTN_ERROR_OVERFLOW, "entry '%s': dimension '%s' overflows 64 bits",
                          entry->name, dim->name);
    if (divisor <= 0)
      return attn_rt_fail(binding->error, ATTN_ERROR_SHAPE, "entry '%s': dimension '%s' divides by 0", entry->name,
                          dim->name);
    int64_t rest = sum % divisor;
    if (rest != 0 && dim->exact)
      return attn_rt_fail(binding->error, ATTN_ERROR_SHAPE,
                          "entry '%s': dimension '%s' must be a whole number, but it is %lld / %lld", entry->name,
                          dim->name, (long long)sum, (long long)divisor);
    int64_t size = sum / divisor - (rest < 0);
    if (binding->dims[i] >= 0 && binding->dims[i] != size)
      return attn_rt_fail(binding->error, ATTN_ERROR_SHAPE,
                          "entry '%s': dimension '%s' is %lld, but the other dimensions make it %lld", entry->name,
                          dim->name, (long long)binding->dims[i], (long long)size);
    if (size < dim->min || size > dim->max)
      return attn_rt_fail(binding->error, ATTN_ERROR_SHAPE,
                          "entry '%s': the other dimensions make dimension '%s' %lld, which is not in [%lld, %lld]",
                          entry->name, dim->name, (long long)size, (long long)dim->min, (long long)dim->max);
    binding->dims[i] = size;
  }
  return ATTN_OK;
}

attn_code attn_rt_check_tensors(attn_rt_binding *binding, attn_rt_scope scope, const DLTensor *const inputs[],
                                size_t num_inputs, const DLTensor *const outputs[], size_t num_outputs) {
  const attn_entry_desc *entry = binding->entry;
  attn_code code = check_count(binding, "inputs", entry->num_inputs, num_inputs, !inputs);
  if (!code && scope != ATTN_SCOPE_INPUTS)
    code = check_count(binding, "outputs", entry->num_outputs, num_outputs, !outputs);
  if (code)
    return code;
  for (int32_t i = 0; i < entry->num_dims; ++i)
    binding->dims[i] = -1;
  int32_t count = entry->num_inputs + entry->num_outputs;
  for (int32_t i = 0; i < count; ++i) {
    attn_rt_tensor *tensor = &binding->tensors[i];
    int32_t output = i - entry->num_inputs;
    bool given = output < 0 || scope != ATTN_SCOPE_INPUTS;
    if (output == 0 && (code = compute_dimensions(binding)))
      return code;
    *tensor = output < 0 ? start_tensor(&entry->inputs[i], inputs[i], false)
                         : start_tensor(&entry->outputs[output], given ? outputs[output] : NULL, true);
    code = given ? check_metadata(binding, tensor) : imagine_output(binding, tensor);
    if (!code && given)
      code = check_size(binding, tensor, tensor->user->shape, tensor->user->strides);
    if (!code && scope == ATTN_SCOPE_ALL)
      code = check_data(binding, tensor);
    if (code)
      return code;
  }
  if (entry->num_outputs == 0 && (code = compute_dimensions(binding)))
    return code;
  for (int32_t i = 0; i < entry->num_dims; ++i)
    if (binding->dims[i] < 0)
      return attn_rt_fail(binding->error, ATTN_ERROR_UNSUPPORTED,
                          "entry '%s': dimension '%s' cannot be told from the tensors' shapes", entry->name,
                          entry->dims[i].name);
  return ATTN_OK;
}
