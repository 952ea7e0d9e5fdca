/*===- Compiler.h - The compiler as a C library -------------------*- C -*-===*\
|*                                                                            *|
|* Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.     *|
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                    *|
|*                                                                            *|
|* attnc's command line in the caller's process: what attnc learns, every     *|
|* language with a C interface can. Calls hold no state beside their          *|
|* arguments; any number may run at the same time in several threads.         *|
|*                                                                            *|
\*===----------------------------------------------------------------------===*/

#ifndef ATTN_CAPI_COMPILER_H
#define ATTN_CAPI_COMPILER_H

#if defined(__GNUC__)
#define ATTN_CAPI_EXPORTED __attribute__((visibility("default")))
#else
#define ATTN_CAPI_EXPORTED
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Receives one message: an error, a warning, a remark, what --help, --list-ops and the like print, and without --quiet
 * what begins now ("fuse", "emit: link"). `text` is UTF-8, ends with a 0 and without a newline, and lives until the
 * call returns. With --diagnostics=json it is one JSON object. Called on the thread that compiles. */
typedef void (*AttnMessageCallback)(const char *text, void *user);

/* A request to stop. Any thread may cancel; one request may stop several compilations. */
typedef struct AttnCancellation AttnCancellation;

/* Never null. */
ATTN_CAPI_EXPORTED AttnCancellation *attnCancellationCreate(void);
/* Not before the compilations that know it have returned. Null is allowed. */
ATTN_CAPI_EXPORTED void attnCancellationDestroy(AttnCancellation *cancellation);
/* Compilations that know it, running or coming, stop as soon as they can. */
ATTN_CAPI_EXPORTED void attnCancel(AttnCancellation *cancellation);

/* Runs attnc's command line. argv[0] is the program's name and is not looked at, as in main; argc counts it. `message`
 * may be null.
 *
 * Returns attnc's exit code: 0 on success, 1 after at least one message with an error. Then no output file was written
 * or changed; what --dump-stages and --report had written by then stays. With "-o -" text goes to the process's
 * standard output. */
ATTN_CAPI_EXPORTED int attnCompile(int argc, const char *const *argv, AttnMessageCallback message, void *user);

/* The same, and stops with 130 once `cancellation` (may be null) is cancelled. */
ATTN_CAPI_EXPORTED int attnCompileCancellable(int argc, const char *const *argv, AttnMessageCallback message,
                                              void *user, const AttnCancellation *cancellation);

/* "0.1.0": this library's version. */
ATTN_CAPI_EXPORTED const char *attnCompilerVersion(void);

#ifdef __cplusplus
}
#endif

#endif
