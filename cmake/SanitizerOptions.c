//===- SanitizerOptions.c - What sanitizers may expect here -------*- C -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Linked into every executable of a build with sanitizers, so that none depends on
// how it is started. The packaged LLVM is not instrumented while its headers are,
// here: its allocators would poison memory that the library never unpoisons, and
// a container would be grown on one side and annotated on the other. LLVM gives a
// thread that it watches for crashes a signal stack of its own, which the sanitizer
// would unmap as its own when the thread ends. A report ends in a signal, which a
// test that expects an error (`not attnc …`) does not accept.
// ASAN_OPTIONS and the like still override this.
//
//===----------------------------------------------------------------------===//

__attribute__((visibility("default"))) const char *__asan_default_options(void) {
  return "allow_user_poisoning=0:detect_container_overflow=0:use_sigaltstack=0:abort_on_error=1";
}

__attribute__((visibility("default"))) const char *__ubsan_default_options(void) {
  return "print_stacktrace=1:abort_on_error=1";
}
