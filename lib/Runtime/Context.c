//===- Context.c - Making and freeing contexts --------------------*- C -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A context is one block of memory: the chosen variants and the tables that a run
// fills, sized for the largest entry, so that a run itself allocates nothing but, now
// and then, a larger workspace. The model's tables are checked here, once.
//
//===----------------------------------------------------------------------===//

#include "Internal.h"

static attn_code check_tensor_table(const attn_model_desc *model, const attn_entry_desc *entry,
                                    const attn_tensor_desc *tensor, attn_error *error) {
  int32_t bits = (int32_t)tensor->dtype_bits * tensor->dtype_lanes;
  if (tensor->rank < 0 || tensor->rank > ATTN_MAX_RANK)
    return attn_rt_fail(error, ATTN_ERROR_UNSUPPORTED, "model '%s', entry '%s', tensor '%s': rank %d is not in [0, %d]",
                        model->name, entry->name, tensor->name, (int)tensor->rank, (int)ATTN_MAX_RANK);
  if (bits == 0 || (bits % 8 && bits != 4 && bits != 2))
    return attn_rt_fail(
        error, ATTN_ERROR_UNSUPPORTED,
        "model '%s', entry '%s', tensor '%s': elements of %d bits are neither whole bytes nor 4 or 2 bits", model->name,
        entry->name, tensor->name, (int)bits);
  if (tensor->state < 0 || tensor->state > entry->num_inputs ||
      (tensor->state && entry->inputs[tensor->state - 1].rank != tensor->rank))
    return attn_rt_fail(error, ATTN_ERROR_INTERNAL, "model '%s', entry '%s', tensor '%s': it continues no input",
                        model->name, entry->name, tensor->name);
  for (int32_t i = 0; i < tensor->rank; ++i)
    if (tensor->shape[i] < -(int64_t)entry->num_dims)
      return attn_rt_fail(error, ATTN_ERROR_INTERNAL, "model '%s', entry '%s', tensor '%s': dimension %d is undefined",
                          model->name, entry->name, tensor->name, (int)i);
  return ATTN_OK;
}

static attn_code check_tables(const attn_library *library, attn_error *error) {
  if (!library)
    return attn_rt_fail(error, ATTN_ERROR_INVALID_ARGUMENT, "the library is null");
  if (library->abi_version != ATTN_ABI_VERSION || library->model->abi_version != ATTN_ABI_VERSION)
    return attn_rt_fail(error, ATTN_ERROR_UNSUPPORTED, "the library has ABI version %u, the runtime has version %u",
                        (unsigned)library->abi_version, (unsigned)ATTN_ABI_VERSION);
  const attn_model_desc *model = library->model;
  for (uint32_t i = 0; i < model->num_entries; ++i) {
    const attn_entry_desc *entry = &model->entries[i];
    for (int32_t k = 0; k < entry->num_inputs + entry->num_outputs; ++k) {
      const attn_tensor_desc *tensor =
          k < entry->num_inputs ? &entry->inputs[k] : &entry->outputs[k - entry->num_inputs];
      attn_code code = check_tensor_table(model, entry, tensor, error);
      if (code)
        return code;
    }
  }
  return ATTN_OK;
}

static attn_context *allocate(const attn_model_desc *model) {
  size_t dims = 0, tensors = 0, strides = 0;
  for (uint32_t i = 0; i < model->num_entries; ++i) {
    const attn_entry_desc *entry = &model->entries[i];
    size_t count = (size_t)entry->num_inputs + (size_t)entry->num_outputs;
    dims = (size_t)entry->num_dims > dims ? (size_t)entry->num_dims : dims;
    tensors = count > tensors ? count : tensors;
    size_t ranks = 0;
    for (int32_t k = 0; k < entry->num_inputs; ++k)
      ranks += (size_t)entry->inputs[k].rank;
    for (int32_t k = 0; k < entry->num_outputs; ++k)
      ranks += (size_t)entry->outputs[k].rank;
    strides = ranks > strides ? ranks : strides;
  }
  size_t chosen_bytes = model->num_entries * sizeof(attn_variant *), dims_bytes = dims * sizeof(int64_t);
  size_t tensors_bytes = tensors * sizeof(attn_rt_tensor), pointers_bytes = tensors * sizeof(void *);
  size_t strides_bytes = strides * sizeof(int64_t);
  char *block =
      calloc(1, sizeof(attn_context) + chosen_bytes + dims_bytes + tensors_bytes + pointers_bytes + strides_bytes);
  if (!block)
    return NULL;
  attn_context *context = (attn_context *)block;
  block += sizeof(attn_context);
  context->chosen = (const attn_variant **)block;
  context->dims = (int64_t *)(block += chosen_bytes);
  context->tensors = (attn_rt_tensor *)(block += dims_bytes);
  context->pointers = (void **)(block += tensors_bytes);
  context->strides = (int64_t *)(block + pointers_bytes);
  return context;
}

attn_code attn_rt_create(const attn_library *library, const attn_create_options *options, attn_context **context,
                         attn_error *error) {
  if (error)
    attn_rt_clear_error(error);
  if (!context)
    return attn_rt_fail(error, ATTN_ERROR_INVALID_ARGUMENT, "the pointer for the new context is null");
  *context = NULL;
  attn_create_options read;
  attn_code code = attn_rt_read_create_options(options, &read, error);
  if (!code)
    code = check_tables(library, error);
  if (code)
    return code;
  attn_context *made = allocate(library->model);
  if (!made)
    return attn_rt_fail(error, ATTN_ERROR_NO_MEMORY, "model '%s': no memory for a context", library->name);
  made->library = library;
  made->model = library->model;
  made->threads = read.threads;
  made->device.device_type = kDLCPU;
  code = attn_rt_select(made->model, &read, made->chosen, error);
  if (!code && made->model->num_entries)
    made->gpu_code = made->chosen[0]->gpu;
  if (!code && made->gpu_code) {
    made->device = (DLDevice){kDLCUDA, read.device_id};
    code = made->gpu_code->runtime->open(made->model->name, made->gpu_code, read.device_id, &made->gpu, error);
  }
  if (code) {
    free(made);
    return code;
  }
  attn_rt_pool_attach();
  *context = made;
  return ATTN_OK;
}

static void destroy_gpu(attn_context *context) {
  const struct attn_gpu_runtime *runtime = context->gpu_code->runtime;
  if (context->workspace && !runtime->enter(context->gpu, NULL)) {
    runtime->release(context->workspace);
    runtime->leave(context->gpu);
  }
  runtime->close(context->gpu);
}

void attn_rt_destroy(attn_context *context) {
  if (!context)
    return;
  attn_rt_pool_detach();
  if (context->gpu)
    destroy_gpu(context);
  else
    attn_rt_aligned_free(context->workspace);
  attn_rt_aligned_free(context->job.lines);
  free(context);
}

const attn_error *attn_rt_last_error(const attn_context *context) {
  static const attn_error null_context = {ATTN_ERROR_INVALID_ARGUMENT, "the context is null"};
  return context ? &context->error : &null_context;
}

const char *attn_rt_target(const attn_context *context, uint32_t entry) {
  return context && entry < context->model->num_entries ? context->chosen[entry]->target : NULL;
}
