//===- Cuda.c - Opening the CUDA driver ---------------------------*- C -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Cuda.h"

enum { RTLD_NOW_FLAG = 2, OLDEST_DRIVER = 12000 };

// A failed attempt is made again by the next context: a driver may come.
attn_rt_cuda attn_rt_driver;
static _Atomic uint32_t state; // 0: not open, 1: one thread opens it, 2: open

attn_code attn_rt_cuda_fail(int result, const char *model, const char *what, attn_error *error) {
  const char *name = NULL, *text = NULL;
  attn_rt_driver.error_name(result, &name);
  attn_rt_driver.error_string(result, &text);
  attn_code code = result == CUDA_ERROR_OUT_OF_MEMORY ? ATTN_ERROR_NO_MEMORY : ATTN_ERROR_DEVICE;
  return attn_rt_fail(error, code, "model '%s': %s failed: %s (%s)", model, what, text ? text : "unknown error",
                      name ? name : "?");
}

static attn_code load(const char *model, attn_error *error) {
  void *library = dlopen("libcuda.so.1", RTLD_NOW_FLAG);
  if (!library)
    return attn_rt_fail(error, ATTN_ERROR_UNSUPPORTED,
                        "model '%s': its code is for NVIDIA GPUs, but there is no NVIDIA driver: %s", model, dlerror());
  const char *missing = NULL;
#define ATTN_CUDA(field, symbol, parameters)                                                                           \
  {                                                                                                                    \
    void *address = dlsym(library, symbol);                                                                            \
    memcpy(&attn_rt_driver.field, &address, sizeof(address));                                                          \
    missing = address ? missing : symbol;                                                                              \
  }
  ATTN_CUDA_FUNCTIONS
#undef ATTN_CUDA
  if (missing)
    return attn_rt_fail(error, ATTN_ERROR_UNSUPPORTED,
                        "model '%s': the NVIDIA driver is too old: it lacks %s; CUDA 12.0 (R525) or later is needed",
                        model, missing);
  int result = attn_rt_driver.init(0), version = 0;
  if (result == CUDA_ERROR_NO_DEVICE)
    return attn_rt_fail(error, ATTN_ERROR_UNSUPPORTED,
                        "model '%s': its code is for NVIDIA GPUs, but the NVIDIA driver finds none", model);
  if (result)
    return attn_rt_cuda_fail(result, model, "starting the NVIDIA driver", error);
  if (!attn_rt_driver.driver_version(&version) && version < OLDEST_DRIVER)
    return attn_rt_fail(error, ATTN_ERROR_UNSUPPORTED,
                        "model '%s': the NVIDIA driver is too old: it is of CUDA %d.%d; 12.0 (R525) or later is needed",
                        model, version / 1000, version % 1000 / 10);
  return ATTN_OK;
}

attn_code attn_rt_cuda_open(const char *model, attn_error *error) {
  for (;;) {
    uint32_t seen = 0;
    if (atomic_compare_exchange_strong(&state, &seen, 1)) {
      attn_code code = load(model, error);
      atomic_store(&state, code ? 0 : 2);
      attn_rt_futex_wake(&state, INT32_MAX);
      return code;
    }
    if (seen == 2)
      return ATTN_OK;
    attn_rt_futex_wait(&state, 1);
  }
}
