/*===- Compile.c - The C interface from C -------------------------*- C -*-===*\
|*                                                                            *|
|* Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.     *|
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                    *|
|*                                                                            *|
\*===----------------------------------------------------------------------===*/

#include "attn/CAPI/Compiler.h"

#include <string.h>

struct log {
  char text[4096];
  int messages;
};

static void keep(const char *text, void *user) {
  struct log *log = user;
  strncat(log->text, text, sizeof log->text - strlen(log->text) - 2);
  strcat(log->text, "\n");
  ++log->messages;
}

/* Compiles `model` to `output` with one more option, or none; the messages go to `text` of 4096 bytes. */
int compileFromC(const char *model, const char *output, const char *option, int cancelled, char *text, int *messages) {
  struct log log = {"", 0};
  const char *argv[] = {"attnc", model, "-o", output, option};
  AttnCancellation *cancellation = attnCancellationCreate();
  if (cancelled)
    attnCancel(cancellation);
  int code = attnCompileCancellable(option ? 5 : 4, argv, keep, &log, cancellation);
  attnCancellationDestroy(cancellation);
  strcpy(text, log.text);
  *messages = log.messages;
  return code;
}

int compileSilently(const char *model, const char *output) {
  const char *argv[] = {"attnc", model, "-o", output};
  return attnCompile(4, argv, 0, 0);
}
