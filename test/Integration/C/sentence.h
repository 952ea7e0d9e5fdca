/*===- sentence.h - A small sentence encoder's tensors ------------*- C -*-===*/
/*                                                                          */
/* Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.   */
/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                  */
/*                                                                          */
/* What the C tests share: the inputs and outputs of the encoder that       */
/* make_bert.py writes (vocabulary 30, 20 positions, 8 wide), and checks    */
/* that say where they failed. Included after a generated header, which     */
/* brings the interface.                                                    */
/*                                                                          */
/*===----------------------------------------------------------------------===*/

#ifndef ATTN_TEST_SENTENCE_H
#define ATTN_TEST_SENTENCE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VOCABULARY = 30, POSITIONS = 20, WIDTH = 8 };

static int failures = 0;

#define EXPECT(condition)                                                                                              \
  do {                                                                                                                 \
    if (!(condition)) {                                                                                                \
      printf("%s:%d: FAILED: %s\n", __FILE__, __LINE__, #condition);                                                   \
      ++failures;                                                                                                      \
    }                                                                                                                  \
  } while (0)

typedef struct sentences {
  int64_t shape[2], hidden_shape[3], embedding_shape[2];
  int64_t *ids, *mask, *types;
  float *hidden, *embedding;
  size_t hidden_bytes, embedding_bytes;
  DLTensor in[3], out[2];
  const DLTensor *inputs[3];
  DLTensor *outputs[2];
} sentences;

static inline DLTensor tensor_of(void *data, uint8_t code, uint8_t bits, int32_t rank, int64_t *shape) {
  DLTensor tensor = {data, {kDLCPU, 0}, rank, {code, bits, 1}, shape, NULL, 0};
  return tensor;
}

/* Fills outputs with bytes that no result has. */
static inline void spoil(sentences *s) {
  memset(s->hidden, 0x7f, s->hidden_bytes);
  memset(s->embedding, 0x7f, s->embedding_bytes);
}

static inline int is_spoilt(const sentences *s) {
  for (size_t i = 0; i < s->hidden_bytes; ++i)
    if (((const unsigned char *)s->hidden)[i] != 0x7f)
      return 0;
  for (size_t i = 0; i < s->embedding_bytes; ++i)
    if (((const unsigned char *)s->embedding)[i] != 0x7f)
      return 0;
  return 1;
}

/* Sentences of different lengths; `seed` tells batches apart. */
static inline sentences *make_sentences(int64_t batch, int64_t sequence, int seed) {
  sentences *s = calloc(1, sizeof(*s));
  size_t tokens = (size_t)(batch * sequence);
  s->shape[0] = s->hidden_shape[0] = s->embedding_shape[0] = batch;
  s->shape[1] = s->hidden_shape[1] = sequence;
  s->hidden_shape[2] = s->embedding_shape[1] = WIDTH;
  s->ids = malloc((tokens + 1) * sizeof(int64_t));
  s->mask = malloc((tokens + 1) * sizeof(int64_t));
  s->types = malloc((tokens + 1) * sizeof(int64_t));
  s->hidden_bytes = tokens * WIDTH * sizeof(float);
  s->embedding_bytes = (size_t)batch * WIDTH * sizeof(float);
  s->hidden = malloc(s->hidden_bytes + 1);
  s->embedding = malloc(s->embedding_bytes + 1);
  for (int64_t b = 0; b < batch; ++b)
    for (int64_t i = 0; i < sequence; ++i) {
      s->ids[b * sequence + i] = (7 * i + 3 * b + seed) % VOCABULARY;
      s->mask[b * sequence + i] = i <= b + sequence / 2;
      s->types[b * sequence + i] = (i + b) % 2;
    }
  s->in[0] = tensor_of(s->ids, kDLInt, 64, 2, s->shape);
  s->in[1] = tensor_of(s->mask, kDLInt, 64, 2, s->shape);
  s->in[2] = tensor_of(s->types, kDLInt, 64, 2, s->shape);
  s->out[0] = tensor_of(s->hidden, kDLFloat, 32, 3, s->hidden_shape);
  s->out[1] = tensor_of(s->embedding, kDLFloat, 32, 2, s->embedding_shape);
  for (int i = 0; i < 3; ++i)
    s->inputs[i] = &s->in[i];
  for (int i = 0; i < 2; ++i)
    s->outputs[i] = &s->out[i];
  spoil(s);
  return s;
}

static inline void free_sentences(sentences *s) {
  free(s->ids);
  free(s->mask);
  free(s->types);
  free(s->hidden);
  free(s->embedding);
  free(s);
}

static inline attn_code run_sentences(const attn_library *library, attn_context *context, sentences *s, int32_t threads) {
  attn_run_options options;
  memset(&options, 0, sizeof(options));
  options.size = sizeof(options);
  options.threads = threads;
  attn_code code = library->run(context, 0, s->inputs, 3, s->outputs, 2, &options);
  if (code != ATTN_OK)
    printf("%s: %s\n", library->code_name(code), library->last_error(context)->message);
  return code;
}

static inline int same_results(const sentences *a, const sentences *b) {
  return a->hidden_bytes == b->hidden_bytes && memcmp(a->hidden, b->hidden, a->hidden_bytes) == 0 &&
         memcmp(a->embedding, b->embedding, a->embedding_bytes) == 0;
}

static inline attn_context *create_or_exit(const attn_library *library) {
  attn_context *context;
  attn_error error;
  if (library->create(library, NULL, &context, &error) != ATTN_OK) {
    printf("create: %s\n", error.message);
    exit(1);
  }
  return context;
}

static inline int finish(void) {
  printf(failures ? "%d checks failed\n" : "all checks passed\n", failures);
  return failures != 0;
}

#endif
