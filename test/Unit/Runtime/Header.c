/*===- Header.c - The public header in a plain C program ------------*- C -*-===*/
/*                                                                            */
/* Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.     */
/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                    */
/*                                                                            */
/* ABI.h alone, strict C11 with all warnings as errors, and the layout that   */
/* generated code relies on.                                                  */
/*                                                                            */
/*===----------------------------------------------------------------------===*/

#include "attn/Runtime/ABI.h"

_Static_assert(sizeof(DLTensor) == 48, "DLPack's layout");
_Static_assert(sizeof(attn_error) == 512, "an error is 512 bytes for ever");
_Static_assert(sizeof(attn_dim_desc) == 56, "{ptr, i64, i64, ptr, i64, ptr, i32}");
_Static_assert(sizeof(attn_tensor_desc) == 48, "{ptr, i8, i8, i16, i32, ptr, i64, i64, i32}");
_Static_assert(sizeof(attn_entry_desc) == 56, "{ptr, i32, i32, i32, i32, ptr, ptr, ptr, ptr}");
_Static_assert(offsetof(attn_library, model) == 32, "{i32, i32, ptr, ptr, i32, i32, ptr, ...}");
_Static_assert(offsetof(attn_library, create) == 40, "nine functions follow");
_Static_assert(sizeof(attn_library) == 112, "nine functions follow");

const attn_library *attn_test_library(void);
int attn_test_header_in_c(void);

/* A whole program but for its main: 0 if all went well. */
int attn_test_header_in_c(void) {
  const attn_library *lib = attn_test_library();
  attn_context *ctx;
  attn_error error;
  if (lib->create(lib, NULL, &ctx, &error))
    return 1;
  int32_t values[4] = {1, 2, 3, 4}, result[4] = {0, 0, 0, 0};
  int64_t shape[2] = {2, 2};
  DLTensor in = {values, {kDLCPU, 0}, 2, {kDLInt, 32, 1}, shape, NULL, 0};
  DLTensor out = in;
  out.data = result;
  const DLTensor *const inputs[] = {&in};
  DLTensor *const outputs[] = {&out};
  attn_run_options options = {0};
  options.size = sizeof(options);
  options.threads = 1;
  int failed = lib->run(ctx, 1, inputs, 1, outputs, 1, &options) != ATTN_OK;
  failed |= result[0] != 1 || result[1] != 3 || result[2] != 2 || result[3] != 4;
  lib->destroy(ctx);
  return failed;
}
