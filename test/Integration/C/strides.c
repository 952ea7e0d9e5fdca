/*===- strides.c - Tensors that are not dense, and empty ones -----*- C -*-===*/
/*                                                                          */
/* Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.   */
/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                  */
/*                                                                          */
/* Inputs and outputs with gaps, transposed, backwards, broadcast or at an  */
/* offset give what dense ones give, and what lies between their elements   */
/* stays as it was. Batch 0 and sequence 0 run.                             */
/*                                                                          */
/*===----------------------------------------------------------------------===*/

#include "bert.h"
#include "sentence.h"

enum { BATCH = 3, SEQUENCE = 7 };

static const attn_library *library;
static attn_context *context;

/* Transposed ids, a mask with gaps at an offset, one row of types for all, hidden states by position, embeddings
 * backwards. */
static void check_strides(void) {
  sentences *dense = make_sentences(BATCH, SEQUENCE, 1), *s = make_sentences(BATCH, SEQUENCE, 1);
  for (int b = 0; b < BATCH; ++b)
    for (int i = 0; i < SEQUENCE; ++i)
      dense->types[b * SEQUENCE + i] = i % 2;
  EXPECT(run_sentences(library, context, dense, 2) == ATTN_OK);

  int64_t ids[SEQUENCE][BATCH], mask[BATCH][SEQUENCE * 2 + 5], types[SEQUENCE];
  memset(mask, 0x55, sizeof(mask));
  for (int b = 0; b < BATCH; ++b)
    for (int i = 0; i < SEQUENCE; ++i) {
      ids[i][b] = dense->ids[b * SEQUENCE + i];
      mask[b][3 + 2 * i] = dense->mask[b * SEQUENCE + i];
      types[i] = i % 2;
    }
  int64_t ids_strides[] = {1, BATCH}, mask_strides[] = {SEQUENCE * 2 + 5, 2}, types_strides[] = {0, 1};
  s->in[0].data = ids;
  s->in[0].strides = ids_strides;
  s->in[1].data = mask;
  s->in[1].strides = mask_strides;
  s->in[1].byte_offset = 3 * sizeof(int64_t);
  s->in[2].data = types;
  s->in[2].strides = types_strides;

  static float hidden[SEQUENCE][BATCH][WIDTH + 1], embedding[BATCH][WIDTH];
  const float marker = 1234.5f;
  for (int i = 0; i < SEQUENCE * BATCH * (WIDTH + 1); ++i)
    (&hidden[0][0][0])[i] = marker;
  int64_t hidden_strides[] = {WIDTH + 1, BATCH * (WIDTH + 1), 1}, embedding_strides[] = {-WIDTH, -1};
  s->out[0].data = hidden;
  s->out[0].strides = hidden_strides;
  s->out[1].data = &embedding[BATCH - 1][WIDTH - 1];
  s->out[1].strides = embedding_strides;
  EXPECT(run_sentences(library, context, s, 2) == ATTN_OK);
  for (int b = 0; b < BATCH; ++b)
    for (int i = 0; i < SEQUENCE; ++i) {
      EXPECT(memcmp(hidden[i][b], &dense->hidden[(b * SEQUENCE + i) * WIDTH], WIDTH * sizeof(float)) == 0);
      EXPECT(hidden[i][b][WIDTH] == marker);
    }
  for (int b = 0; b < BATCH; ++b)
    for (int j = 0; j < WIDTH; ++j)
      EXPECT(embedding[BATCH - 1 - b][WIDTH - 1 - j] == dense->embedding[b * WIDTH + j]);

  /* Strided tensors need more workspace, which a caller can ask for without data. */
  size_t plain = 0, strided = 0;
  EXPECT(library->workspace_size(context, 0, dense->inputs, 3, NULL, 0, 1, &plain) == ATTN_OK);
  EXPECT(library->workspace_size(context, 0, s->inputs, 3, (const DLTensor *const *)s->outputs, 2, 1, &strided) == ATTN_OK);
  EXPECT(strided > plain);
  s->in[0].data = NULL;
  size_t without_data = 0;
  EXPECT(library->workspace_size(context, 0, s->inputs, 3, (const DLTensor *const *)s->outputs, 2, 1, &without_data) == ATTN_OK);
  EXPECT(without_data == strided);
  free_sentences(dense);
  free_sentences(s);
}

/* Data at an odd multiple of four bytes: elements are aligned, lines are not. */
static void check_alignment(void) {
  sentences *dense = make_sentences(BATCH, SEQUENCE, 1), *s = make_sentences(BATCH, SEQUENCE, 1);
  EXPECT(run_sentences(library, context, dense, 1) == ATTN_OK);
  char *memory = malloc(s->hidden_bytes + 128);
  char *line = memory + (64 - (uintptr_t)memory % 64);
  s->out[0].data = line + 4;
  EXPECT(run_sentences(library, context, s, 1) == ATTN_OK);
  EXPECT(memcmp(line + 4, dense->hidden, dense->hidden_bytes) == 0);
  free(memory);
  free_sentences(dense);
  free_sentences(s);
}

static void check_empty(void) {
  static const int64_t shapes[][2] = {{0, 0}, {0, 5}, {4, 0}};
  for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); ++i) {
    sentences *s = make_sentences(shapes[i][0], shapes[i][1], 0);
    int64_t sizes[3] = {-1, -1, -1}, more[2] = {-1, -1}, *both[2] = {sizes, more};
    EXPECT(library->output_shapes(context, 0, s->inputs, 3, both, 2) == ATTN_OK);
    EXPECT(sizes[0] == shapes[i][0] && sizes[1] == shapes[i][1] && sizes[2] == WIDTH && more[0] == shapes[i][0]);
    for (int j = 0; j < 3; ++j)
      s->in[j].data = NULL; /* an empty tensor needs no data */
    EXPECT(run_sentences(library, context, s, 2) == ATTN_OK);
    /* Of no tokens the mean is zero. */
    for (int64_t j = 0; j < shapes[i][0] * WIDTH; ++j)
      EXPECT(s->embedding[j] == 0.0f);
    free_sentences(s);
  }
}

int main(void) {
  library = bert_library();
  context = create_or_exit(library);
  check_strides();
  check_alignment();
  check_empty();
  library->destroy(context);
  return finish();
}
