/*===- readme.c - The README's C example, as a program ------------*- C -*-===*/
/*                                                                          */
/* Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.   */
/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                  */
/*                                                                          */
/* The README shows the lines from the library to its destruction; the      */
/* tensors around them are made here. The model is a small encoder that     */
/* was compiled under the name that the README uses.                        */
/*                                                                          */
/*===----------------------------------------------------------------------===*/

#include "minilm.h"

#include <math.h>
#include <stdio.h>

int main(void) {
  int64_t shape[] = {2, 3}, hidden_shape[] = {2, 3, 8}, embedding_shape[] = {2, 8};
  int64_t ids[2][3] = {{1, 7, 2}, {1, 2, 0}}, mask[2][3] = {{1, 1, 1}, {1, 1, 0}}, types[2][3] = {{0}};
  float hidden[2][3][8], embedding[2][8];
  DLTensor input_ids = {ids, {kDLCPU, 0}, 2, {kDLInt, 64, 1}, shape, NULL, 0};
  DLTensor attention_mask = {mask, {kDLCPU, 0}, 2, {kDLInt, 64, 1}, shape, NULL, 0};
  DLTensor token_type_ids = {types, {kDLCPU, 0}, 2, {kDLInt, 64, 1}, shape, NULL, 0};
  DLTensor last_hidden_state = {hidden, {kDLCPU, 0}, 3, {kDLFloat, 32, 1}, hidden_shape, NULL, 0};
  DLTensor sentence_embedding = {embedding, {kDLCPU, 0}, 2, {kDLFloat, 32, 1}, embedding_shape, NULL, 0};

  const attn_library *library = minilm_library();
  attn_context *context;
  attn_error error;
  if (library->create(library, NULL, &context, &error) != ATTN_OK)
    return fprintf(stderr, "%s\n", error.message), 1;
  const DLTensor *inputs[] = {&input_ids, &attention_mask, &token_type_ids};
  DLTensor *outputs[] = {&last_hidden_state, &sentence_embedding};
  if (library->run(context, 0, inputs, 3, outputs, 2, NULL) != ATTN_OK)
    fprintf(stderr, "%s\n", library->last_error(context)->message);
  library->destroy(context);

  /* Embeddings are normalised. The hexadecimal digits are the exact bits, to be compared between kinds of linking. */
  for (int i = 0; i < 2; ++i) {
    double sum = 0;
    for (int j = 0; j < 8; ++j)
      sum += (double)embedding[i][j] * (double)embedding[i][j];
    printf("sentence %d: length %.3f, begins with %a\n", i, sqrt(sum), (double)embedding[i][0]);
  }
  return 0;
}
