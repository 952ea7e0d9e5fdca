//===- Options.c - Options of older and newer callers -------------*- C -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Option structs begin with their size. What an older caller does not have is zero;
// what a newer caller has beyond our own must be zero, since we cannot do it.
//
//===----------------------------------------------------------------------===//

#include "Internal.h"

static attn_code read_options(const void *options, void *result, size_t our_size, attn_error *error) {
  size_t size;
  memcpy(&size, options, sizeof(size));
  // A struct's size is a multiple of its alignment; another would cut a pointer.
  if (size < sizeof(size) || size % _Alignof(void *) || size > 4096)
    return attn_rt_fail(error, ATTN_ERROR_INVALID_ARGUMENT,
                        "the options' field 'size' is %llu; it has to be the options struct's size",
                        (unsigned long long)size);
  for (size_t i = our_size; i < size; ++i)
    if (((const char *)options)[i])
      return attn_rt_fail(error, ATTN_ERROR_UNSUPPORTED, "the options use a field that this library does not know");
  memcpy(result, options, size < our_size ? size : our_size);
  return ATTN_OK;
}

// The fields at the end of both structs. What is reserved may mean something one day, so nobody sets it today.
static attn_code check_threads(int32_t *threads, int32_t reserved, int32_t default_threads, attn_error *error) {
  if (reserved != 0)
    return attn_rt_fail(error, ATTN_ERROR_INVALID_ARGUMENT, "the option 'reserved' is %d; it has to be 0",
                        (int)reserved);
  if (*threads < 0)
    return attn_rt_fail(error, ATTN_ERROR_INVALID_ARGUMENT, "the option 'threads' is %d; it has to be at least 0",
                        (int)*threads);
  if (*threads == 0)
    *threads = default_threads;
  if (*threads > ATTN_MAX_THREADS)
    *threads = ATTN_MAX_THREADS;
  return ATTN_OK;
}

attn_code attn_rt_read_create_options(const attn_create_options *options, attn_create_options *result,
                                      attn_error *error) {
  *result = (attn_create_options){.size = sizeof(*result)};
  attn_code code = options ? read_options(options, result, sizeof(*result), error) : ATTN_OK;
  if (code)
    return code;
  if (result->device_type != 0 && result->device_type != kDLCPU && result->device_type != kDLCUDA)
    return attn_rt_fail(error, ATTN_ERROR_INVALID_ARGUMENT,
                        "the option 'device_type' is %d; it has to be 0, %d (CPU) or %d (CUDA)",
                        (int)result->device_type, (int)kDLCPU, (int)kDLCUDA);
  if (result->device_id < 0)
    return attn_rt_fail(error, ATTN_ERROR_INVALID_ARGUMENT, "the option 'device_id' is %d; it has to be at least 0",
                        (int)result->device_id);
  if (result->reserved2 != 0)
    return attn_rt_fail(error, ATTN_ERROR_INVALID_ARGUMENT, "the option 'reserved2' is %d; it has to be 0",
                        (int)result->reserved2);
  return check_threads(&result->threads, result->reserved, attn_rt_cpu_count(), error);
}

attn_code attn_rt_read_run_options(const attn_run_options *options, int32_t default_threads, attn_run_options *result,
                                   attn_error *error) {
  *result = (attn_run_options){.size = sizeof(*result)};
  attn_code code = options ? read_options(options, result, sizeof(*result), error) : ATTN_OK;
  if (code)
    return code;
  if (!result->allocate != !result->release)
    return attn_rt_fail(error, ATTN_ERROR_INVALID_ARGUMENT,
                        "of the options 'allocate' and 'release' only one is set; set both or neither");
  return check_threads(&result->threads, result->reserved, default_threads, error);
}
