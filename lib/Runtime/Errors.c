//===- Errors.c - Codes and sentences -----------------------------*- C -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// An error is a code and one sentence in a buffer of fixed size, so that running
// out of memory can be reported like anything else.
//
//===----------------------------------------------------------------------===//

#include "Internal.h"

attn_code attn_rt_fail(attn_error *error, attn_code code, const char *format, ...) {
  if (!error)
    return code;
  error->code = (int32_t)code;
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(error->message, sizeof(error->message), format, arguments);
  va_end(arguments);
  return code;
}

attn_code attn_rt_fail_tensor(const attn_rt_binding *binding, const attn_rt_tensor *tensor, attn_code code,
                              const char *format, ...) {
  char detail[sizeof(binding->error->message)];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(detail, sizeof(detail), format, arguments);
  va_end(arguments);
  return attn_rt_fail(binding->error, code, "entry '%s', %s '%s': %s", binding->entry->name,
                      tensor->is_output ? "output" : "input", tensor->desc->name, detail);
}

void attn_rt_clear_error(attn_error *error) {
  error->code = ATTN_OK;
  error->message[0] = 0;
}

const char *attn_rt_code_name(attn_code code) {
  switch (code) {
  case ATTN_OK:
    return "OK";
  case ATTN_ERROR_INVALID_ARGUMENT:
    return "INVALID_ARGUMENT";
  case ATTN_ERROR_RANK:
    return "RANK";
  case ATTN_ERROR_SHAPE:
    return "SHAPE";
  case ATTN_ERROR_DTYPE:
    return "DTYPE";
  case ATTN_ERROR_DEVICE:
    return "DEVICE";
  case ATTN_ERROR_NULL_DATA:
    return "NULL_DATA";
  case ATTN_ERROR_ALIGNMENT:
    return "ALIGNMENT";
  case ATTN_ERROR_INDEX:
    return "INDEX";
  case ATTN_ERROR_OVERFLOW:
    return "OVERFLOW";
  case ATTN_ERROR_ALIAS:
    return "ALIAS";
  case ATTN_ERROR_WORKSPACE:
    return "WORKSPACE";
  case ATTN_ERROR_NO_MEMORY:
    return "NO_MEMORY";
  case ATTN_ERROR_UNSUPPORTED:
    return "UNSUPPORTED";
  case ATTN_ERROR_BUSY:
    return "BUSY";
  case ATTN_ERROR_INTERNAL:
    return "INTERNAL";
  }
  return "UNKNOWN";
}
