/*===- fork.c - A child runs the model after its parent has -------*- C -*-===*/
/*                                                                          */
/* Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.   */
/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                  */
/*                                                                          */
/* A child has the parent's contexts but none of its threads. It goes on    */
/* with the parent's context and makes one of its own; then it exits        */
/* without the parent noticing.                                             */
/*                                                                          */
/*===----------------------------------------------------------------------===*/

#define _POSIX_C_SOURCE 200809L

#include "bert.h"
#include "sentence.h"
#include <sys/wait.h>
#include <unistd.h>

enum { CHILDREN = 10 };

static int run_again(const attn_library *library, attn_context *context, const sentences *expected) {
  sentences *s = make_sentences(9, 20, 3);
  int same = run_sentences(library, context, s, 2) == ATTN_OK && same_results(s, expected);
  free_sentences(s);
  return same;
}

static int child(const attn_library *library, attn_context *inherited, const sentences *expected) {
  alarm(60);
  int good = run_again(library, inherited, expected);
  attn_context *own = create_or_exit(library);
  good = good && run_again(library, own, expected);
  library->destroy(own);
  library->destroy(inherited);
  return good ? 0 : 1;
}

int main(void) {
  alarm(120);
  const attn_library *library = bert_library();
  attn_context *context = create_or_exit(library);
  sentences *expected = make_sentences(9, 20, 3);
  EXPECT(run_sentences(library, context, expected, 2) == ATTN_OK);
  for (int i = 0; i < CHILDREN; ++i) {
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0)
      _exit(child(library, context, expected));
    EXPECT(pid > 0);
    EXPECT(run_again(library, context, expected));
    int status = -1;
    EXPECT(waitpid(pid, &status, 0) == pid);
    EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  }
  EXPECT(run_again(library, context, expected));
  free_sentences(expected);
  library->destroy(context);
  return finish();
}
