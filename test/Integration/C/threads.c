/*===- threads.c - The same bits for any threads ------------------*- C -*-===*/
/*                                                                          */
/* Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.   */
/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                  */
/*                                                                          */
/* Results do not depend on how many threads work, on whose they are, on    */
/* where the workspace comes from, or on what other contexts do at the      */
/* same time.                                                               */
/*                                                                          */
/*===----------------------------------------------------------------------===*/

#include "bert.h"
#include "sentence.h"
#include <pthread.h>

enum { SHAPES = 7, ROUNDS = 30 };
static const int64_t shapes[SHAPES][2] = {{1, 1}, {1, 20}, {2, 5}, {9, 20}, {5, 1}, {33, 7}, {3, 16}};

static const attn_library *library;
static sentences *expected[SHAPES]; /* computed by one thread */

static void *run_all(void *argument) {
  attn_context *context = create_or_exit(library);
  int *wrong = argument;
  for (int round = 0; round < ROUNDS; ++round)
    for (int i = 0; i < SHAPES; ++i) {
      sentences *s = make_sentences(shapes[i][0], shapes[i][1], i);
      *wrong += run_sentences(library, context, s, 1 + round % 4) != ATTN_OK || !same_results(s, expected[i]);
      free_sentences(s);
    }
  library->destroy(context);
  return NULL;
}

/* The caller's own threads: none, and the slices in the opposite order. */
static void run_backwards(void *user, int64_t n, attn_parallel_body body, void *argument) {
  ++*(int *)user;
  for (int64_t i = n; i-- > 0;)
    body(argument, i);
}

static int live = 0;
static void *allocate(void *user, size_t bytes, size_t alignment) {
  void *memory = aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
  memset(memory, 0xff, bytes); /* NaNs: nothing may be read before it is written */
  ++*(int *)user;
  ++live;
  return memory;
}
static void release(void *user, void *memory, size_t bytes) {
  (void)user;
  (void)bytes;
  --live;
  free(memory);
}

static void check_callbacks(void) {
  attn_context *context = create_or_exit(library);
  int loops = 0, allocations = 0;
  attn_run_options options;
  memset(&options, 0, sizeof(options));
  options.size = sizeof(options);
  options.threads = 3;
  options.parallel_for = run_backwards;
  options.parallel_for_data = &loops;
  options.allocate = allocate;
  options.release = release;
  options.allocator_data = &allocations;
  for (int i = 0; i < SHAPES; ++i) {
    sentences *s = make_sentences(shapes[i][0], shapes[i][1], i);
    EXPECT(library->run(context, 0, s->inputs, 3, s->outputs, 2, &options) == ATTN_OK);
    EXPECT(same_results(s, expected[i]));
    free_sentences(s);
  }
  EXPECT(loops > 0 && allocations > 0 && live == 0);
  library->destroy(context);
}

int main(void) {
  library = bert_library();
  attn_context *context = create_or_exit(library);
  for (int i = 0; i < SHAPES; ++i) {
    expected[i] = make_sentences(shapes[i][0], shapes[i][1], i);
    EXPECT(run_sentences(library, context, expected[i], 1) == ATTN_OK);
    EXPECT(!is_spoilt(expected[i]));
    for (int32_t threads = 2; threads <= 5; ++threads) {
      sentences *s = make_sentences(shapes[i][0], shapes[i][1], i);
      EXPECT(run_sentences(library, context, s, threads) == ATTN_OK);
      EXPECT(same_results(s, expected[i]));
      free_sentences(s);
    }
  }
  check_callbacks();

  pthread_t other;
  int wrong_here = 0, wrong_there = 0;
  EXPECT(pthread_create(&other, NULL, run_all, &wrong_there) == 0);
  run_all(&wrong_here);
  EXPECT(pthread_join(other, NULL) == 0);
  EXPECT(wrong_here == 0);
  EXPECT(wrong_there == 0);
  for (int i = 0; i < SHAPES; ++i)
    free_sentences(expected[i]);
  library->destroy(context);
  return finish();
}
