//===- Run.c - One call of an entry -------------------------------*- C -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Check, find memory, make strided inputs dense, call the generated code, bring
// strided outputs back. Whatever can fail fails before the caller's outputs are
// touched.
//
//===----------------------------------------------------------------------===//

#include "Internal.h"

// Enters a context: false if another thread is in it, whose error it then is.
static bool enter(attn_context *context) {
  if (atomic_exchange_explicit(&context->busy, true, memory_order_acquire))
    return false;
  attn_rt_clear_error(&context->error);
  return true;
}

static attn_code leave(attn_context *context, attn_code code) {
  atomic_store_explicit(&context->busy, false, memory_order_release);
  return code;
}

static attn_code bind(attn_context *context, uint32_t entry, attn_rt_binding *binding) {
  if (entry >= context->model->num_entries)
    return attn_rt_fail(&context->error, ATTN_ERROR_INVALID_ARGUMENT, "entry %lld does not exist, model '%s' has %lld",
                        (long long)entry, context->model->name, (long long)context->model->num_entries);
  *binding = (attn_rt_binding){&context->model->entries[entry], context->dims, context->tensors, &context->error,
                               context->device};
  return ATTN_OK;
}

static int32_t num_tensors(const attn_entry_desc *entry) { return entry->num_inputs + entry->num_outputs; }

// Adds bytes, rounded up to the alignment.
static bool add_bytes(int64_t *total, int64_t bytes) {
  int64_t rounded;
  return !__builtin_add_overflow(bytes, ATTN_ALIGNMENT - 1, &rounded) &&
         !__builtin_add_overflow(*total, rounded & ~(int64_t)(ATTN_ALIGNMENT - 1), total);
}

// False where all outputs are empty, however large other dimensions are: then no code runs.
static bool computes_anything(const attn_rt_binding *binding) {
  for (int32_t i = binding->entry->num_inputs; i < num_tensors(binding->entry); ++i)
    if (binding->tensors[i].elements)
      return true;
  return false;
}

// Whether the variant's code takes a tensor that is not dense as it is.
static bool takes_strided(const attn_rt_binding *binding, const attn_variant *variant, int32_t i) {
  const attn_rt_tensor *tensor = &binding->tensors[i];
  if (!variant->strided || !variant->strided[i])
    return false;
  int32_t last = tensor->desc->rank - 1;
  return tensor->user && (!tensor->user->strides || tensor->user->shape[last] == 1 || tensor->user->strides[last] == 1);
}

// Workspace: the kernels' part, then a dense copy of each strided or packed tensor.
static attn_code plan_workspace(const attn_rt_binding *binding, const attn_variant *variant, int32_t threads,
                                int64_t *total) {
  *total = 0;
  if (!computes_anything(binding))
    return ATTN_OK;
  int64_t bytes = variant->workspace ? variant->workspace(binding->dims, threads) : 0;
  bool fits = bytes >= 0 && add_bytes(total, bytes);
  for (int32_t i = 0; fits && i < num_tensors(binding->entry); ++i) {
    attn_rt_tensor *tensor = &binding->tensors[i];
    if (!tensor->packed && (tensor->dense || takes_strided(binding, variant, i)))
      continue;
    tensor->copy = *total;
    fits = add_bytes(total, tensor->elements * tensor->item);
  }
  if (!fits)
    return attn_rt_fail(binding->error, ATTN_ERROR_OVERFLOW,
                        "entry '%s': the workspace for these shapes does not fit into 64-bit sizes",
                        binding->entry->name);
  return ATTN_OK;
}

static attn_code find_workspace(attn_context *context, const attn_rt_binding *binding, const attn_run_options *options,
                                int64_t bytes, char **workspace) {
  const char *name = binding->entry->name;
  *workspace = NULL;
  if (bytes == 0)
    return ATTN_OK;
  if (options->workspace) {
    if ((uintptr_t)options->workspace % ATTN_ALIGNMENT)
      return attn_rt_fail(binding->error, ATTN_ERROR_WORKSPACE, "entry '%s': the workspace is not aligned to %d bytes",
                          name, (int)ATTN_ALIGNMENT);
    if (options->workspace_bytes < (size_t)bytes)
      return attn_rt_fail(binding->error, ATTN_ERROR_WORKSPACE,
                          "entry '%s': the workspace has %lld bytes, but these shapes need %lld with %d threads", name,
                          (long long)options->workspace_bytes, (long long)bytes, (int)options->threads);
    *workspace = options->workspace;
    return ATTN_OK;
  }
  if (options->allocate) {
    *workspace = options->allocate(options->allocator_data, (size_t)bytes, ATTN_ALIGNMENT);
    if (*workspace && (uintptr_t)*workspace % ATTN_ALIGNMENT) {
      options->release(options->allocator_data, *workspace, (size_t)bytes);
      return attn_rt_fail(binding->error, ATTN_ERROR_WORKSPACE,
                          "entry '%s': the allocator's memory is not aligned to %d bytes", name, (int)ATTN_ALIGNMENT);
    }
  } else {
    if (context->workspace_bytes < (size_t)bytes) {
      const struct attn_gpu_runtime *gpu = context->gpu ? context->gpu_code->runtime : NULL;
      (gpu ? gpu->release : attn_rt_aligned_free)(context->workspace);
      context->workspace = (gpu ? gpu->allocate : attn_rt_aligned_alloc)((size_t)bytes);
      context->workspace_bytes = context->workspace ? (size_t)bytes : 0;
    }
    *workspace = context->workspace;
  }
  if (!*workspace)
    return attn_rt_fail(binding->error, ATTN_ERROR_NO_MEMORY, "entry '%s': no memory for a workspace of %lld bytes",
                        name, (long long)bytes);
  return ATTN_OK;
}

// Who runs the loops: the caller's threads, our pool, or nobody but this thread.
static attn_code make_team(attn_context *context, const attn_rt_binding *binding, const attn_run_options *options,
                           attn_rt_team *team) {
  *team = (attn_rt_team){options->parallel_for, options->parallel_for_data, &context->job, ATTN_OK};
  if (options->threads == 1 || context->gpu)
    return ATTN_OK;
  if (!options->parallel_for) {
    attn_rt_pool_start(options->threads - 1);
    return ATTN_OK;
  }
  if (context->job_lines >= options->threads)
    return ATTN_OK;
  size_t bytes = (size_t)options->threads * sizeof(attn_rt_line);
  attn_rt_line *lines = attn_rt_aligned_alloc(bytes);
  if (!lines)
    return attn_rt_fail(binding->error, ATTN_ERROR_NO_MEMORY, "entry '%s': no memory for %d threads",
                        binding->entry->name, (int)options->threads);
  for (int32_t i = 0; i < options->threads; ++i)
    atomic_init(&lines[i].ticket, 0);
  attn_rt_aligned_free(context->job.lines);
  context->job.lines = lines;
  context->job_lines = options->threads;
  return ATTN_OK;
}

static attn_code report_flag(const attn_rt_binding *binding, int32_t code) {
  if (code == ATTN_ERROR_INDEX)
    return attn_rt_fail(binding->error, ATTN_ERROR_INDEX,
                        "entry '%s': an index that the model computed lies outside its table", binding->entry->name);
  if (code == ATTN_ERROR_SHAPE)
    return attn_rt_fail(binding->error, ATTN_ERROR_SHAPE,
                        "entry '%s': the inputs' sizes do not fit each other: an operation would leave a tensor",
                        binding->entry->name);
  if (code == ATTN_ERROR_OVERFLOW)
    return attn_rt_fail(binding->error, ATTN_ERROR_OVERFLOW, "entry '%s': a size overflows 64 bits",
                        binding->entry->name);
  return attn_rt_fail(binding->error, (attn_code)code, "entry '%s' failed with code %s", binding->entry->name,
                      attn_rt_code_name((attn_code)code));
}

// The strides of all tensors that the variant's code takes strides of.
static void list_strides(const attn_rt_binding *binding, const attn_variant *variant, int64_t *strides) {
  for (int32_t i = 0; variant->strided && i < num_tensors(binding->entry); ++i)
    for (int32_t axis = 0; variant->strided[i] && axis < binding->tensors[i].desc->rank; ++axis)
      *strides++ = attn_rt_stride(&binding->tensors[i], axis, binding->tensors[i].copy >= 0);
}

// Makes strided and packed inputs dense, or brings dense outputs back.
static attn_code copy_apart(attn_context *context, const attn_rt_binding *binding, bool inputs) {
  const attn_entry_desc *entry = binding->entry;
  int32_t begin = inputs ? 0 : entry->num_inputs, end = inputs ? entry->num_inputs : num_tensors(entry);
  for (int32_t i = begin; i < end; ++i) {
    const attn_rt_tensor *tensor = &binding->tensors[i];
    if (tensor->copy < 0)
      continue;
    if (context->gpu) {
      attn_code code =
          context->gpu_code->runtime->copy(context->gpu, tensor, context->pointers[i], inputs, binding->error);
      if (code)
        return code;
    } else if (tensor->packed) {
      inputs ? attn_rt_unpack(tensor, context->pointers[i]) : attn_rt_pack(tensor, context->pointers[i]);
    } else if (inputs) {
      attn_rt_gather(tensor, context->pointers[i]);
    } else {
      attn_rt_scatter(tensor, context->pointers[i]);
    }
  }
  return ATTN_OK;
}

static attn_code execute(attn_context *context, const attn_rt_binding *binding, const attn_variant *variant,
                         const attn_run_options *options, attn_rt_team *team, char *workspace) {
  const attn_entry_desc *entry = binding->entry;
  for (int32_t i = 0; i < num_tensors(entry); ++i) {
    attn_rt_tensor *tensor = &binding->tensors[i];
    context->pointers[i] = tensor->copy >= 0 ? workspace + tensor->copy : tensor->data;
  }
  attn_call call = {.dims = binding->dims,
                    .inputs = context->pointers,
                    .outputs = context->pointers + entry->num_inputs,
                    .workspace = workspace,
                    .threads = options->threads,
                    .team = team,
                    .strides = context->strides};
  attn_code code = ATTN_OK;
  if (context->gpu) // even where nothing is computed: what the last run left in the flag is cleared
    code = context->gpu_code->runtime->begin(context->gpu, options->stream, &call, binding->error);
  if (code || !computes_anything(binding))
    return code;
  list_strides(binding, variant, context->strides);
  code = copy_apart(context, binding, true);
  if (code)
    return code;
  code = (attn_code)variant->run(&call);
  if (!code)
    code = (attn_code)atomic_load_explicit(&team->flag, memory_order_relaxed);
  if (!code && context->gpu)
    code = context->gpu_code->runtime->end(context->gpu, binding->error);
  else if (code)
    return report_flag(binding, code);
  return code ? code : copy_apart(context, binding, false);
}

// After all checks of what the tensors look like: on a GPU, the GPU is the thread's.
static attn_code run_checked(attn_context *context, const attn_rt_binding *binding, const attn_variant *variant,
                             const attn_run_options *options) {
  int64_t bytes;
  char *workspace;
  attn_rt_team team;
  attn_code code = ATTN_OK;
  for (int32_t i = 0; context->gpu && !code && i < num_tensors(binding->entry); ++i)
    code = context->gpu_code->runtime->check_pointer(context->gpu, binding, &binding->tensors[i]);
  if (!code)
    code = plan_workspace(binding, variant, options->threads, &bytes);
  if (!code)
    code = attn_rt_check_overlap(binding, options->workspace, (size_t)bytes);
  if (!code)
    code = make_team(context, binding, options, &team);
  if (!code)
    code = find_workspace(context, binding, options, bytes, &workspace);
  if (code)
    return code;
  code = execute(context, binding, variant, options, &team, workspace);
  if (options->allocate && workspace && !options->workspace)
    options->release(options->allocator_data, workspace, (size_t)bytes);
  return code;
}

static attn_code run_entered(attn_context *context, uint32_t entry, const DLTensor *const inputs[], size_t num_inputs,
                             const DLTensor *const outputs[], size_t num_outputs,
                             const attn_run_options *given_options) {
  attn_run_options options;
  attn_rt_binding binding;
  attn_code code = attn_rt_read_run_options(given_options, context->threads, &options, &context->error);
  if (!code)
    code = bind(context, entry, &binding);
  if (!code)
    code = attn_rt_check_tensors(&binding, ATTN_SCOPE_ALL, inputs, num_inputs, outputs, num_outputs);
  if (!code && !context->gpu) // a GPU's kernels check theirs
    code = attn_rt_check_indices(&binding);
  if (!code && context->gpu)
    code = context->gpu_code->runtime->enter(context->gpu, &context->error);
  if (code)
    return code;
  code = run_checked(context, &binding, context->chosen[entry], &options);
  if (context->gpu)
    context->gpu_code->runtime->leave(context->gpu);
  return code;
}

attn_code attn_rt_run(attn_context *context, uint32_t entry, const DLTensor *const inputs[], size_t num_inputs,
                      DLTensor *const outputs[], size_t num_outputs, const attn_run_options *options) {
  if (!context)
    return ATTN_ERROR_INVALID_ARGUMENT;
  if (!enter(context))
    return ATTN_ERROR_BUSY;
  context->last_entry = entry;
  context->status =
      run_entered(context, entry, inputs, num_inputs, (const DLTensor *const *)outputs, num_outputs, options);
  return leave(context, context->status);
}

static attn_code wait(attn_context *context, void *stream) {
  int32_t flag = ATTN_OK;
  attn_code code = context->gpu_code->runtime->wait(context->gpu, stream, &flag, &context->error);
  if (code || !flag)
    return code;
  if (flag == ATTN_ERROR_INDEX)
    return attn_rt_fail(&context->error, ATTN_ERROR_INDEX,
                        "entry '%s': an index, given or computed by the model, lies outside its table",
                        context->model->entries[context->last_entry].name);
  attn_rt_binding binding = {.entry = &context->model->entries[context->last_entry], .error = &context->error};
  return report_flag(&binding, flag);
}

attn_code attn_rt_status(attn_context *context, void *stream) {
  if (!context)
    return ATTN_ERROR_INVALID_ARGUMENT;
  if (!context->gpu || context->status)
    return context->status;
  if (!enter(context))
    return ATTN_ERROR_BUSY;
  return leave(context, wait(context, stream));
}

attn_code attn_rt_output_shapes(attn_context *context, uint32_t entry, const DLTensor *const inputs[],
                                size_t num_inputs, int64_t *const shapes[], size_t num_outputs) {
  if (!context)
    return ATTN_ERROR_INVALID_ARGUMENT;
  if (!enter(context))
    return ATTN_ERROR_BUSY;
  attn_rt_binding binding;
  attn_code code = bind(context, entry, &binding);
  if (!code && num_outputs != (size_t)binding.entry->num_outputs)
    code = attn_rt_fail(&context->error, ATTN_ERROR_INVALID_ARGUMENT, "entry '%s' has %d outputs, but %llu were given",
                        binding.entry->name, (int)binding.entry->num_outputs, (unsigned long long)num_outputs);
  for (size_t i = 0; !code && i < num_outputs; ++i)
    if (!shapes || (!shapes[i] && binding.entry->outputs[i].rank))
      code =
          attn_rt_fail(&context->error, ATTN_ERROR_INVALID_ARGUMENT, "entry '%s', output '%s': no room for its shape",
                       binding.entry->name, binding.entry->outputs[i].name);
  if (!code)
    code = attn_rt_check_tensors(&binding, ATTN_SCOPE_INPUTS, inputs, num_inputs, NULL, 0);
  for (size_t i = 0; !code && i < num_outputs; ++i)
    for (int32_t axis = 0; axis < binding.entry->outputs[i].rank; ++axis) {
      int64_t size = binding.entry->outputs[i].shape[axis];
      shapes[i][axis] = size >= 0 ? size : binding.dims[-1 - size];
    }
  return leave(context, code);
}

attn_code attn_rt_workspace_size(attn_context *context, uint32_t entry, const DLTensor *const inputs[],
                                 size_t num_inputs, const DLTensor *const outputs[], size_t num_outputs,
                                 int32_t threads, size_t *bytes) {
  if (!context)
    return ATTN_ERROR_INVALID_ARGUMENT;
  if (!enter(context))
    return ATTN_ERROR_BUSY;
  attn_rt_binding binding;
  attn_run_options given = {.size = sizeof(given), .threads = threads}, options;
  attn_code code = attn_rt_read_run_options(&given, context->threads, &options, &context->error);
  if (!code)
    code = bind(context, entry, &binding);
  if (!code && !bytes)
    code = attn_rt_fail(&context->error, ATTN_ERROR_INVALID_ARGUMENT, "the pointer for the number of bytes is null");
  if (!code)
    code = attn_rt_check_tensors(&binding, num_outputs ? ATTN_SCOPE_METADATA : ATTN_SCOPE_INPUTS, inputs, num_inputs,
                                 outputs, num_outputs);
  int64_t total = 0;
  if (!code)
    code = plan_workspace(&binding, context->chosen[entry], options.threads, &total);
  if (!code)
    *bytes = (size_t)total;
  return leave(context, code);
}
