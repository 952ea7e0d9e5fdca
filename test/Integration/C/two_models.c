/*===- two_models.c - Two models in one program -------------------*- C -*-===*/
/*                                                                          */
/* Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.   */
/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                  */
/*                                                                          */
/* Both headers in one file, both models in turn and at once. The bits are  */
/* printed, since they may not depend on how the models were linked.        */
/*                                                                          */
/*===----------------------------------------------------------------------===*/

#include "bert.h"
#include "other.h"
#include "sentence.h"
#include <pthread.h>

typedef struct job {
  const attn_library *library;
  sentences *expected;
  int wrong;
} job;

static void *repeat(void *argument) {
  job *j = argument;
  attn_context *context = create_or_exit(j->library);
  for (int i = 0; i < 40; ++i) {
    sentences *s = make_sentences(9, 20, 0);
    j->wrong += run_sentences(j->library, context, s, 1 + i % 3) != ATTN_OK || !same_results(s, j->expected);
    free_sentences(s);
  }
  j->library->destroy(context);
  return NULL;
}

int main(void) {
  job jobs[2] = {{bert_library(), NULL, 0}, {other_library(), NULL, 0}};
  EXPECT(jobs[0].library != jobs[1].library);
  EXPECT(strcmp(jobs[0].library->name, "bert") == 0 && strcmp(jobs[1].library->name, "other") == 0);
  for (int i = 0; i < 2; ++i) {
    attn_context *context = create_or_exit(jobs[i].library);
    sentences *s = jobs[i].expected = make_sentences(9, 20, 0);
    EXPECT(run_sentences(jobs[i].library, context, s, 2) == ATTN_OK);
    jobs[i].library->destroy(context);
    printf("%s:", jobs[i].library->name);
    for (int j = 0; j < WIDTH; ++j)
      printf(" %a", (double)s->embedding[j]);
    printf("\n");
  }
  EXPECT(!same_results(jobs[0].expected, jobs[1].expected));

  pthread_t thread;
  EXPECT(pthread_create(&thread, NULL, repeat, &jobs[1]) == 0);
  repeat(&jobs[0]);
  EXPECT(pthread_join(thread, NULL) == 0);
  for (int i = 0; i < 2; ++i) {
    EXPECT(jobs[i].wrong == 0);
    free_sentences(jobs[i].expected);
  }
  return finish();
}
