/*===- errors.c - What a run says to bad arguments ----------------*- C -*-===*/
/*                                                                          */
/* Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.   */
/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                  */
/*                                                                          */
/* Each mistake has its code and a sentence that names the tensor; outputs  */
/* stay as they were, and the context works on.                             */
/*                                                                          */
/*===----------------------------------------------------------------------===*/

#include "bert.h"
#include "sentence.h"

static const attn_library *library;
static attn_context *context;

static void check_code(attn_code code, attn_code expected, const char *words, int line) {
  const attn_error *error = library->last_error(context);
  if (code == expected && error->code == (int32_t)code && strstr(error->message, words))
    return;
  printf("line %d: FAILED: %s: '%s', expected %s with '%s'\n", line, library->code_name(code), error->message,
         library->code_name(expected), words);
  ++failures;
}

/* Runs `s` after a mistake was made in it; it is freed. */
static void expect_error(sentences *s, const attn_run_options *options, attn_code expected, const char *words, int line) {
  attn_code code = library->run(context, 0, s->inputs, 3, s->outputs, 2, options);
  check_code(code, expected, words, line);
  EXPECT(library->status(context, NULL) == expected);
  if (!is_spoilt(s)) {
    printf("line %d: FAILED: outputs were written\n", line);
    ++failures;
  }
  free_sentences(s);
}

#define WRONG(expected, words, change)                                                                                 \
  do {                                                                                                                 \
    sentences *s = make_sentences(2, 5, 0);                                                                            \
    change;                                                                                                            \
    expect_error(s, NULL, expected, words, __LINE__);                                                                  \
  } while (0)

static void check_tensors(void) {
  int64_t cube[3] = {2, 5, 1}, wide[3] = {2, 5, WIDTH + 1}, long_shape[2] = {2, POSITIONS + 1}, negative[2] = {-2, 5};
  int64_t zero_strides[3] = {0, WIDTH, 1};
  WRONG(ATTN_ERROR_RANK, "input 'input_ids': rank is 3, expected 2", s->in[0].ndim = 3; s->in[0].shape = cube);
  WRONG(ATTN_ERROR_RANK, "output 'sentence_embedding': rank is 1, expected 2", s->out[1].ndim = 1);
  WRONG(ATTN_ERROR_SHAPE, "output 'last_hidden_state': dimension 2 is 9, expected 8", s->out[0].shape = wide);
  WRONG(ATTN_ERROR_SHAPE, "'attention_mask'", s->in[1].shape = &cube[1]);
  WRONG(ATTN_ERROR_SHAPE, "dimension 'sequence' is 21, at most 20", s->in[0].shape = long_shape);
  WRONG(ATTN_ERROR_SHAPE, "'input_ids'", s->in[0].shape = negative);
  WRONG(ATTN_ERROR_DTYPE, "input 'attention_mask': dtype is int32, expected int64", s->in[1].dtype.bits = 32);
  WRONG(ATTN_ERROR_DTYPE, "output 'last_hidden_state': dtype is float64, expected float32", s->out[0].dtype.bits = 64);
  WRONG(ATTN_ERROR_DTYPE, "'input_ids'", s->in[0].dtype.lanes = 2);
  WRONG(ATTN_ERROR_DEVICE, "'input_ids'", s->in[0].device.device_type = kDLCUDA);
  WRONG(ATTN_ERROR_NULL_DATA, "input 'token_type_ids': its data is null", s->in[2].data = NULL);
  WRONG(ATTN_ERROR_NULL_DATA, "output 'sentence_embedding': its data is null", s->out[1].data = NULL);
  WRONG(ATTN_ERROR_ALIGNMENT, "input 'input_ids': its data is not aligned", s->in[0].byte_offset = 1);
  WRONG(ATTN_ERROR_ALIAS, "'last_hidden_state'", s->out[0].strides = zero_strides);
  WRONG(ATTN_ERROR_ALIAS, "'sentence_embedding'", s->out[1].data = s->hidden);
  WRONG(ATTN_ERROR_ALIAS, "'sentence_embedding'", s->out[1].data = s->ids);
  WRONG(ATTN_ERROR_INVALID_ARGUMENT, "'attention_mask': the tensor pointer is null", s->inputs[1] = NULL);
  WRONG(ATTN_ERROR_INVALID_ARGUMENT, "'last_hidden_state': the tensor pointer is null", s->outputs[0] = NULL);
  WRONG(ATTN_ERROR_INVALID_ARGUMENT, "its shape pointer is null", s->in[1].shape = NULL);
}

static void check_indices(void) {
  WRONG(ATTN_ERROR_INDEX, "'input_ids': value 30 at [1, 3] is outside [0, 30)", s->ids[5 + 3] = VOCABULARY);
  WRONG(ATTN_ERROR_INDEX, "'input_ids': value -1 at [0, 0] is outside [0, 30)", s->ids[0] = -1);
  WRONG(ATTN_ERROR_INDEX, "value 9223372036854775807", s->ids[9] = INT64_MAX);
  WRONG(ATTN_ERROR_INDEX, "'token_type_ids': value 2 at [0, 4] is outside [0, 2)", s->types[4] = 2);
}

static void check_arguments(void) {
  sentences *s = make_sentences(2, 5, 0);
  check_code(library->run(context, 1, s->inputs, 3, s->outputs, 2, NULL), ATTN_ERROR_INVALID_ARGUMENT, "entry", __LINE__);
  check_code(library->run(context, 0, s->inputs, 2, s->outputs, 2, NULL), ATTN_ERROR_INVALID_ARGUMENT,
             "has 3 inputs, but 2 were given", __LINE__);
  check_code(library->run(context, 0, s->inputs, 3, s->outputs, 3, NULL), ATTN_ERROR_INVALID_ARGUMENT,
             "has 2 outputs, but 3 were given", __LINE__);
  check_code(library->run(context, 0, NULL, 3, s->outputs, 2, NULL), ATTN_ERROR_INVALID_ARGUMENT, "null", __LINE__);
  EXPECT(library->run(NULL, 0, s->inputs, 3, s->outputs, 2, NULL) == ATTN_ERROR_INVALID_ARGUMENT);
  EXPECT(is_spoilt(s));
  free_sentences(s);

  attn_run_options options;
  memset(&options, 0, sizeof(options));
  expect_error(make_sentences(2, 5, 0), &options, ATTN_ERROR_INVALID_ARGUMENT, "'size'", __LINE__);
  options.size = sizeof(options);
  options.threads = -1;
  expect_error(make_sentences(2, 5, 0), &options, ATTN_ERROR_INVALID_ARGUMENT, "'threads' is -1", __LINE__);

  attn_create_options create;
  memset(&create, 0, sizeof(create));
  create.size = sizeof(create);
  create.target = "riscv";
  attn_context *none;
  attn_error error;
  EXPECT(library->create(library, &create, &none, &error) == ATTN_ERROR_UNSUPPORTED && !none);
  EXPECT(strstr(error.message, "riscv"));
}

/* One byte less than needed, memory that is not aligned, and memory that an output lies in. */
static void check_workspace(void) {
  sentences *s = make_sentences(2, 5, 0);
  size_t bytes = 0;
  EXPECT(library->workspace_size(context, 0, s->inputs, 3, (const DLTensor *const *)s->outputs, 2, 2, &bytes) == ATTN_OK);
  EXPECT(bytes > 0);
  char *memory = malloc(bytes + 128);
  attn_run_options options;
  memset(&options, 0, sizeof(options));
  options.size = sizeof(options);
  options.threads = 2;
  options.workspace = memory + (64 - (uintptr_t)memory % 64);
  options.workspace_bytes = bytes - 1;
  expect_error(make_sentences(2, 5, 0), &options, ATTN_ERROR_WORKSPACE, "the workspace has", __LINE__);
  options.workspace_bytes = bytes;
  options.workspace = (char *)options.workspace + 4;
  expect_error(make_sentences(2, 5, 0), &options, ATTN_ERROR_WORKSPACE, "not aligned to 64 bytes", __LINE__);
  options.workspace = (char *)options.workspace - 4;
  s->out[1].data = options.workspace;
  attn_code code = library->run(context, 0, s->inputs, 3, s->outputs, 2, &options);
  check_code(code, ATTN_ERROR_ALIAS, "'sentence_embedding'", __LINE__);
  s->out[1].data = s->embedding;
  EXPECT(library->run(context, 0, s->inputs, 3, s->outputs, 2, &options) == ATTN_OK);
  free(memory);
  free_sentences(s);
}

/* Shapes are checked without data, and no product of them wraps around. */
static void check_overflow(void) {
  static const int64_t batches[] = {INT64_C(1) << 40, INT64_C(1) << 56, INT64_C(1) << 61, INT64_MAX};
  sentences *s = make_sentences(2, 5, 0);
  for (size_t i = 0; i < sizeof(batches) / sizeof(*batches); ++i) {
    int64_t shape[2] = {batches[i], POSITIONS};
    for (int j = 0; j < 3; ++j) {
      s->in[j].shape = shape;
      s->in[j].data = NULL;
    }
    size_t bytes = 1;
    attn_code code = library->workspace_size(context, 0, s->inputs, 3, NULL, 0, 1, &bytes);
    if (batches[i] == INT64_C(1) << 40) { /* 2^40 * 20 tokens of 8 floats, at least, and far less than 2^63 */
      EXPECT(code == ATTN_OK && bytes >= (size_t)20 * WIDTH * 4 << 40);
    } else {
      check_code(code, ATTN_ERROR_OVERFLOW, "overflow", __LINE__);
      EXPECT(bytes == 1);
    }
    check_code(library->run(context, 0, s->inputs, 3, s->outputs, 2, NULL),
               batches[i] == INT64_C(1) << 40 ? ATTN_ERROR_NULL_DATA : ATTN_ERROR_OVERFLOW, "'input_ids'", __LINE__);
  }
  EXPECT(is_spoilt(s));
  free_sentences(s);
}

int main(void) {
  library = bert_library();
  context = create_or_exit(library);
  check_tensors();
  check_indices();
  check_arguments();
  check_workspace();
  check_overflow();
  /* The last failure is forgotten when a run succeeds. */
  sentences *s = make_sentences(2, 5, 0);
  EXPECT(library->run(context, 0, s->inputs, 3, s->outputs, 2, NULL) == ATTN_OK);
  EXPECT(library->last_error(context)->code == ATTN_OK && library->last_error(context)->message[0] == 0);
  EXPECT(!is_spoilt(s));
  free_sentences(s);
  library->destroy(context);
  library->destroy(NULL);
  return finish();
}
