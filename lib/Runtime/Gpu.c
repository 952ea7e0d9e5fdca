//===- Gpu.c - Contexts, launches and copies on a GPU -------------*- C -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// All contexts of a model on one GPU share its kernels and constants; each has a flag
// of its own. They live in the GPU's primary context, which other libraries use, too.
//
//===----------------------------------------------------------------------===//

#include "Cuda.h"

// A model on a GPU.
typedef struct attn_rt_gpu_model {
  struct attn_rt_gpu_model *next;
  const attn_gpu_code *code;
  int32_t device, users;
  CUdevice handle;
  CUcontext context;
  CUmodule module;
  CUfunction *kernels;
  void **constants;   // addresses on the GPU
  CUdeviceptr memory; // of all constants
} attn_rt_gpu_model;

struct attn_rt_gpu_context {
  const char *name;
  attn_rt_gpu_model *model;
  CUdeviceptr flag;
  CUstream stream; // of the run in progress
  int failure;     // of its first launch that failed, and which
  int32_t failed_kernel;
};

static const attn_rt_cuda *const driver = &attn_rt_driver; // to be called once it is open
static attn_rt_gpu_model *models;
static _Atomic uint32_t models_lock; // 0: free, 1: held, 2: held and waited for

static void lock(void) {
  uint32_t seen = 0;
  if (atomic_compare_exchange_strong(&models_lock, &seen, 1))
    return;
  while (atomic_exchange(&models_lock, 2))
    attn_rt_futex_wait(&models_lock, 2);
}

static void unlock(void) {
  if (atomic_exchange(&models_lock, 0) == 2)
    attn_rt_futex_wake(&models_lock, 1);
}

//===----------------------------------------------------------------------===//
// Models
//===----------------------------------------------------------------------===//

static attn_code probe(const char *name, int32_t device, int32_t *capability, char device_name[64], attn_error *error) {
  attn_code code = attn_rt_cuda_open(name, error);
  if (code)
    return code;
  int count = 0, major = 0, minor = 0;
  CUdevice handle;
  int result = driver->device_count(&count);
  if (!result && device >= count)
    return attn_rt_fail(error, ATTN_ERROR_UNSUPPORTED, "model '%s': there is no GPU number %d, but %d in all", name,
                        (int)device, count);
  if (!result)
    result = driver->device(&handle, device);
  if (!result)
    result = driver->device_name(device_name, 64, handle);
  if (!result)
    result = driver->device_attribute(&major, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, handle);
  if (!result)
    result = driver->device_attribute(&minor, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR, handle);
  if (result)
    return attn_rt_cuda_fail(result, name, "asking the NVIDIA driver for a GPU", error);
  *capability = major * 10 + minor;
  return ATTN_OK;
}

static void free_model(attn_rt_gpu_model *model) {
  if (model->context && !driver->push(model->context)) {
    if (model->memory)
      driver->free(model->memory);
    if (model->module)
      driver->unload(model->module);
    driver->pop(&model->context);
  }
  if (model->context)
    driver->release(model->handle);
  free(model);
}

// What a kernel may have without asking.
enum { SHARED_BYTES = 48 * 1024 };

static int find_kernel(attn_rt_gpu_model *model, int64_t i) {
  const attn_gpu_kernel *kernel = &model->code->kernels[i];
  int result = driver->function(&model->kernels[i], model->module, kernel->name);
  if (!result && kernel->shared_bytes > SHARED_BYTES)
    result = driver->function_attribute(model->kernels[i], CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES,
                                        (int)kernel->shared_bytes);
  return result;
}

static attn_code load_kernels(attn_rt_gpu_model *model, const char *name, attn_error *error) {
  const attn_gpu_code *code = model->code;
  if (!code->image)
    return ATTN_OK;
  char log[200] = "";
  int options[] = {CU_JIT_ERROR_LOG_BUFFER, CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES};
  void *values[] = {log, (void *)(uintptr_t)sizeof(log)};
  int result = driver->load(&model->module, code->image, 2, options, values);
  log[sizeof(log) - 1] = 0;
  for (char *c = log; *c; ++c)
    *c = *c == '\n' ? ' ' : *c;
  if (result == CUDA_ERROR_UNSUPPORTED_PTX_VERSION)
    return attn_rt_fail(error, ATTN_ERROR_UNSUPPORTED,
                        "model '%s': the NVIDIA driver is too old for its kernels: CUDA 12.0 (R525) or later is needed",
                        name);
  if (result && log[0])
    return attn_rt_fail(error, ATTN_ERROR_DEVICE, "model '%s': the NVIDIA driver cannot compile its kernels: %s", name,
                        log);
  if (result)
    return attn_rt_cuda_fail(result, name, "loading its kernels", error);
  for (int64_t i = 0; i < code->num_kernels; ++i)
    if ((result = find_kernel(model, i)))
      return attn_rt_cuda_fail(result, name, code->kernels[i].name, error);
  return ATTN_OK;
}

// One block of memory for all constants, each at a multiple of 256 bytes.
static attn_code load_constants(attn_rt_gpu_model *model, const char *name, attn_error *error) {
  const attn_gpu_code *code = model->code;
  uint64_t total = 0;
  for (int64_t i = 0; i < code->num_constants; ++i)
    total += ((uint64_t)code->constants[i].bytes + 255) & ~(uint64_t)255;
  if (!total)
    return ATTN_OK;
  int result = driver->allocate(&model->memory, total);
  if (result == CUDA_ERROR_OUT_OF_MEMORY)
    return attn_rt_fail(error, ATTN_ERROR_NO_MEMORY, "model '%s': GPU %d has no memory for %lld bytes of weights", name,
                        (int)model->device, (long long)total);
  CUdeviceptr at = model->memory;
  for (int64_t i = 0; !result && i < code->num_constants; ++i) {
    const attn_gpu_constant *constant = &code->constants[i];
    model->constants[i] = (void *)(uintptr_t)at;
    if (constant->bytes)
      result = driver->to_device(at, constant->data, (size_t)constant->bytes);
    at += ((uint64_t)constant->bytes + 255) & ~(uint64_t)255;
  }
  return result ? attn_rt_cuda_fail(result, name, "copying its weights to the GPU", error) : ATTN_OK;
}

static attn_code make_model(const char *name, const attn_gpu_code *code, int32_t device, attn_rt_gpu_model **made,
                            attn_error *error) {
  size_t kernels = (size_t)code->num_kernels * sizeof(CUfunction);
  attn_rt_gpu_model *model =
      calloc(1, sizeof(attn_rt_gpu_model) + kernels + (size_t)code->num_constants * sizeof(void *));
  if (!model)
    return attn_rt_fail(error, ATTN_ERROR_NO_MEMORY, "model '%s': no memory for a context", name);
  model->code = code;
  model->device = device;
  model->kernels = (CUfunction *)(model + 1);
  model->constants = (void **)((char *)(model + 1) + kernels);
  int result = driver->device(&model->handle, device);
  if (!result)
    result = driver->retain(&model->context, model->handle);
  if (!result)
    result = driver->push(model->context);
  if (result) {
    attn_rt_cuda_fail(result, name, "opening the GPU", error);
    free_model(model);
    return result == CUDA_ERROR_OUT_OF_MEMORY ? ATTN_ERROR_NO_MEMORY : ATTN_ERROR_DEVICE;
  }
  attn_code status = load_kernels(model, name, error);
  if (!status)
    status = load_constants(model, name, error);
  CUcontext popped;
  driver->pop(&popped);
  if (status) {
    free_model(model);
    return status;
  }
  *made = model;
  return ATTN_OK;
}

static attn_code find_model(const char *name, const attn_gpu_code *code, int32_t device, attn_rt_gpu_model **found,
                            attn_error *error) {
  lock();
  attn_code status = ATTN_OK;
  *found = models;
  while (*found && ((*found)->code != code || (*found)->device != device))
    *found = (*found)->next;
  if (!*found && !(status = make_model(name, code, device, found, error))) {
    (*found)->next = models;
    models = *found;
  }
  if (*found)
    ++(*found)->users;
  unlock();
  return status;
}

static void drop_model(attn_rt_gpu_model *model) {
  lock();
  if (--model->users == 0) {
    attn_rt_gpu_model **link = &models;
    while (*link != model)
      link = &(*link)->next;
    *link = model->next;
    free_model(model);
  }
  unlock();
}

//===----------------------------------------------------------------------===//
// Contexts
//===----------------------------------------------------------------------===//

static attn_code enter(attn_rt_gpu_context *context, attn_error *error) {
  int result = driver->push(context->model->context);
  return result ? attn_rt_cuda_fail(result, context->name, "entering the GPU", error) : ATTN_OK;
}

static void leave(attn_rt_gpu_context *context) {
  (void)context;
  CUcontext popped;
  driver->pop(&popped);
}

static void close(attn_rt_gpu_context *context) {
  if (context->flag && !enter(context, NULL)) {
    driver->free(context->flag);
    leave(context);
  }
  drop_model(context->model);
  free(context);
}

static attn_code open(const char *name, const attn_gpu_code *code, int32_t device, attn_rt_gpu_context **made,
                      attn_error *error) {
  attn_code status = attn_rt_cuda_open(name, error);
  if (status)
    return status;
  attn_rt_gpu_context *context = calloc(1, sizeof(*context));
  if (!context)
    return attn_rt_fail(error, ATTN_ERROR_NO_MEMORY, "model '%s': no memory for a context", name);
  context->name = name;
  if ((status = find_model(name, code, device, &context->model, error))) {
    free(context);
    return status;
  }
  if (!(status = enter(context, error))) {
    int32_t none = ATTN_OK;
    int result = driver->allocate(&context->flag, sizeof(none));
    if (!result)
      result = driver->to_device(context->flag, &none, sizeof(none));
    if (result)
      status = attn_rt_cuda_fail(result, name, "making a context's flag", error);
    leave(context);
  }
  if (status) {
    close(context);
    return status;
  }
  *made = context;
  return ATTN_OK;
}

static void *allocate(size_t bytes) {
  CUdeviceptr memory = 0;
  return driver->allocate(&memory, bytes) ? NULL : (void *)(uintptr_t)memory;
}

static void release(void *memory) {
  if (memory)
    driver->free((CUdeviceptr)(uintptr_t)memory);
}

static attn_code check_pointer(attn_rt_gpu_context *context, const attn_rt_binding *binding,
                               const attn_rt_tensor *tensor) {
  if (!tensor->elements)
    return ATTN_OK;
  int ordinal = -1;
  int result = driver->pointer_attribute(&ordinal, CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL,
                                         (CUdeviceptr)(uintptr_t)(tensor->data + tensor->low));
  if (result)
    return attn_rt_fail_tensor(binding, tensor, ATTN_ERROR_DEVICE,
                               "its data is no memory that the NVIDIA driver knows");
  if (ordinal != context->model->device)
    return attn_rt_fail_tensor(binding, tensor, ATTN_ERROR_DEVICE, "its data lies on GPU %d, expected GPU %d", ordinal,
                               (int)context->model->device);
  return ATTN_OK;
}

//===----------------------------------------------------------------------===//
// Runs
//===----------------------------------------------------------------------===//

static attn_code begin(attn_rt_gpu_context *context, void *stream, attn_call *call, attn_error *error) {
  context->stream = stream;
  context->failure = CUDA_SUCCESS;
  call->gpu = context;
  call->gpu_constants = context->model->constants;
  call->gpu_flag = (void *)(uintptr_t)context->flag;
  int result = driver->fill(context->flag, ATTN_OK, 1, context->stream);
  return result ? attn_rt_cuda_fail(result, context->name, "clearing a context's flag", error) : ATTN_OK;
}

void attn_rt_launch(const attn_call *call, int32_t kernel, int64_t blocks, int32_t threads, void **arguments) {
  attn_rt_gpu_context *context = call->gpu;
  if (context->failure || blocks == 0)
    return;
  int result = blocks > INT32_MAX
                   ? -1
                   : driver->launch(context->model->kernels[kernel], (unsigned)blocks, 1, 1, (unsigned)threads, 1, 1,
                                    (unsigned)context->model->code->kernels[kernel].shared_bytes, context->stream,
                                    arguments, NULL);
  if (result) {
    context->failure = result;
    context->failed_kernel = kernel;
  }
}

static attn_code end(attn_rt_gpu_context *context, attn_error *error) {
  if (!context->failure)
    return ATTN_OK;
  const char *kernel = context->model->code->kernels[context->failed_kernel].name;
  if (context->failure < 0)
    return attn_rt_fail(error, ATTN_ERROR_OVERFLOW, "model '%s': kernel '%s' needs more than %d blocks", context->name,
                        kernel, (int)INT32_MAX);
  return attn_rt_cuda_fail(context->failure, context->name, "launching a kernel", error);
}

// Copies `rows` rows of `width` bytes.
static int copy_rows(CUstream stream, char *to, int64_t to_pitch, const char *from, int64_t from_pitch, int64_t width,
                     int64_t rows) {
  CUDA_MEMCPY2D copy = {.srcMemoryType = CU_MEMORYTYPE_DEVICE,
                        .srcDevice = (CUdeviceptr)(uintptr_t)from,
                        .srcPitch = (size_t)from_pitch,
                        .dstMemoryType = CU_MEMORYTYPE_DEVICE,
                        .dstDevice = (CUdeviceptr)(uintptr_t)to,
                        .dstPitch = (size_t)to_pitch,
                        .WidthInBytes = (size_t)width,
                        .Height = (size_t)rows};
  return driver->copy_2d(&copy, stream);
}

// Copies of rows, as the driver has them: the innermost dimension is a row where its elements touch, else each element
// is one; the next dimension is stepped through by the driver where its stride is a pitch, i.e. not less than a row.
static attn_code copy(attn_rt_gpu_context *context, const attn_rt_tensor *tensor, char *dense, bool gather,
                      attn_error *error) {
  if (!tensor->elements)
    return ATTN_OK;
  attn_rt_view view;
  attn_rt_make_view(tensor, &view);
  int32_t rank = view.rank;
  int64_t width = tensor->item, rows = 1, pitch = 0, index[ATTN_MAX_RANK] = {0};
  if (rank > 0 && view.strides[rank - 1] == tensor->item)
    width *= view.shape[--rank];
  if (rank > 0 && view.strides[rank - 1] >= width) {
    rows = view.shape[--rank];
    pitch = view.strides[rank];
  }
  char *strided = tensor->data;
  for (;;) {
    int result = gather ? copy_rows(context->stream, dense, width, strided, pitch ? pitch : width, width, rows)
                        : copy_rows(context->stream, strided, pitch ? pitch : width, dense, width, width, rows);
    if (result)
      return attn_rt_cuda_fail(result, context->name, "copying a strided tensor", error);
    dense += width * rows;
    int32_t axis = rank - 1;
    for (; axis >= 0 && ++index[axis] == view.shape[axis]; --axis) {
      strided -= view.strides[axis] * (view.shape[axis] - 1);
      index[axis] = 0;
    }
    if (axis < 0)
      return ATTN_OK;
    strided += view.strides[axis];
  }
}

static attn_code wait(attn_rt_gpu_context *context, void *stream, int32_t *flag, attn_error *error) {
  attn_code code = enter(context, error);
  if (code)
    return code;
  int result = driver->synchronize(stream);
  if (!result)
    result = driver->to_host(flag, context->flag, sizeof(*flag));
  leave(context);
  return result ? attn_rt_cuda_fail(result, context->name, "a run on the GPU", error) : ATTN_OK;
}

const struct attn_gpu_runtime attn_rt_gpu = {.probe = probe,
                                             .open = open,
                                             .close = close,
                                             .enter = enter,
                                             .leave = leave,
                                             .allocate = allocate,
                                             .release = release,
                                             .check_pointer = check_pointer,
                                             .begin = begin,
                                             .copy = copy,
                                             .end = end,
                                             .wait = wait};
