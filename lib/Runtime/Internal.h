//===- Internal.h - What the runtime's files share ----------------*- C -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One context per caller, one checked view per tensor, one team per run. Names
// begin with attn_rt_v1_ in the object files, see Model.h; all are hidden.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_INTERNAL_H
#define ATTN_RUNTIME_INTERNAL_H

#include "Libc.h"
#include "attn/Runtime/Model.h"

#include <stdatomic.h>
#include <stdbool.h>

#define attn_rt_fail attn_rt_v1_fail
#define attn_rt_fail_tensor attn_rt_v1_fail_tensor
#define attn_rt_clear_error attn_rt_v1_clear_error
#define attn_rt_cpu_features attn_rt_v1_cpu_features
#define attn_rt_cpu_count attn_rt_v1_cpu_count
#define attn_rt_select attn_rt_v1_select
#define attn_rt_check_tensors attn_rt_v1_check_tensors
#define attn_rt_check_indices attn_rt_v1_check_indices
#define attn_rt_check_overlap attn_rt_v1_check_overlap
#define attn_rt_overlaps_itself attn_rt_v1_overlaps_itself
#define attn_rt_stride attn_rt_v1_stride
#define attn_rt_make_view attn_rt_v1_make_view
#define attn_rt_gather attn_rt_v1_gather
#define attn_rt_scatter attn_rt_v1_scatter
#define attn_rt_unpack attn_rt_v1_unpack
#define attn_rt_pack attn_rt_v1_pack
#define attn_rt_read_create_options attn_rt_v1_read_create_options
#define attn_rt_read_run_options attn_rt_v1_read_run_options
#define attn_rt_aligned_alloc attn_rt_v1_aligned_alloc
#define attn_rt_aligned_free attn_rt_v1_aligned_free
#define attn_rt_job_execute attn_rt_v1_job_execute
#define attn_rt_job_steal attn_rt_v1_job_steal
#define attn_rt_pool_attach attn_rt_v1_pool_attach
#define attn_rt_pool_detach attn_rt_v1_pool_detach
#define attn_rt_pool_start attn_rt_v1_pool_start
#define attn_rt_pool_take_job attn_rt_v1_pool_take_job
#define attn_rt_pool_give_job attn_rt_v1_pool_give_job
#define attn_rt_pool_notify attn_rt_v1_pool_notify
#define attn_rt_futex_wait attn_rt_v1_futex_wait
#define attn_rt_futex_wake attn_rt_v1_futex_wake
#define attn_rt_driver attn_rt_v1_driver
#define attn_rt_cuda_open attn_rt_v1_cuda_open
#define attn_rt_cuda_fail attn_rt_v1_cuda_fail

#pragma GCC visibility push(hidden)

enum { ATTN_MAX_THREADS = 256, ATTN_ALIGNMENT = 64 };

// ---- Errors.c

// Writes code and sentence to error (which may be null) and returns the code. Integers are printed as long long.
attn_code attn_rt_fail(attn_error *error, attn_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void attn_rt_clear_error(attn_error *error);

// ---- Check.c: the caller's tensors against the entry's tables

// One checked tensor.
typedef struct attn_rt_tensor {
  const DLTensor *user; // null: a dense output that is not there yet
  const attn_tensor_desc *desc;
  bool is_output;
  bool dense;        // row major without gaps; empty tensors are
  int32_t packed;    // bits of an element that is less than a byte, else 0
  int64_t item;      // bytes of an element as the code has it, where packed ones are bytes
  int64_t elements;  // in all
  char *data;        // of the first element
  int64_t low, high; // the elements lie in [data + low, data + high); equal if empty
  int64_t copy;      // offset of its dense copy in the workspace; -1: none
} attn_rt_tensor;

// The stride of a dimension in elements, or what it is in a dense copy; without meaning where the size is 1.
int64_t attn_rt_stride(const attn_rt_tensor *tensor, int32_t axis, bool dense);

// One call's tensors: inputs, then outputs.
typedef struct attn_rt_binding {
  const attn_entry_desc *entry;
  int64_t *dims;
  attn_rt_tensor *tensors;
  attn_error *error;
  DLDevice device; // where all tensors have to lie
} attn_rt_binding;

typedef enum attn_rt_scope {
  ATTN_SCOPE_INPUTS,   // outputs are not given
  ATTN_SCOPE_METADATA, // data may be null
  ATTN_SCOPE_ALL
} attn_rt_scope;

// Like attn_rt_fail, with "entry 'e', input 'x': " before.
attn_code attn_rt_fail_tensor(const attn_rt_binding *binding, const attn_rt_tensor *tensor, attn_code code,
                              const char *format, ...) __attribute__((format(printf, 4, 5)));

// Checks number, device, dtype, rank, shape, symbols, bounds, sizes, and (ALL) data and alignment; fills dims and
// tensors.
attn_code attn_rt_check_tensors(attn_rt_binding *binding, attn_rt_scope scope, const DLTensor *const inputs[],
                                size_t num_inputs, const DLTensor *const outputs[], size_t num_outputs);

// ---- Index.c: every value of every index input lies in its range.
attn_code attn_rt_check_indices(const attn_rt_binding *binding);

// ---- Overlap.c: no output shares a byte with another tensor, the workspace or itself.

attn_code attn_rt_check_overlap(const attn_rt_binding *binding, const void *workspace, size_t workspace_bytes);

// Whether the user's strides lead two elements to one place. The tensor has elements and has been measured.
bool attn_rt_overlaps_itself(const attn_rt_tensor *tensor);

// ---- Strides.c

// The shape of a tensor without what does not matter: no dimensions of size 1, neighbours merged where they are
// contiguous. Strides are in bytes. Rank 0 is one element.
typedef struct attn_rt_view {
  int32_t rank;
  int64_t shape[ATTN_MAX_RANK];
  int64_t strides[ATTN_MAX_RANK];
} attn_rt_view;

void attn_rt_make_view(const attn_rt_tensor *tensor, attn_rt_view *view); // of a non-empty tensor
void attn_rt_gather(const attn_rt_tensor *tensor, char *dense);           // tensor to dense
void attn_rt_scatter(const attn_rt_tensor *tensor, const char *dense);    // dense to tensor

// ---- Packed.c: elements of less than a byte; a signed one is extended

void attn_rt_unpack(const attn_rt_tensor *tensor, char *dense); // tensor to dense
void attn_rt_pack(const attn_rt_tensor *tensor, const char *dense);

// ---- Cpu.c

// ATTN_CPU_* bits of this processor. AMX bits are only there if want_amx, since asking the kernel for them changes the
// process.
uint64_t attn_rt_cpu_features(bool want_amx);
int32_t attn_rt_cpu_count(void); // processors that the process may run on, at least 1

// ---- Select.c: chooses a variant per entry: for a GPU for all of them, or for the CPU.
attn_code attn_rt_select(const attn_model_desc *model, const attn_create_options *options, const attn_variant **chosen,
                         attn_error *error);

// ---- Gpu.c: what the runtime does on a GPU. Only libraries with code for one have it, see attn_gpu_code.runtime.

typedef struct attn_rt_gpu_context attn_rt_gpu_context; // a context's share of a GPU

struct attn_gpu_runtime {
  // Compute capability of a GPU times ten, and its name; fails without driver or GPU.
  attn_code (*probe)(const char *model, int32_t device, int32_t *capability, char name[64], attn_error *error);
  // Loads kernels and constants, unless another context has, and makes a context's flag.
  attn_code (*open)(const char *model, const attn_gpu_code *code, int32_t device, attn_rt_gpu_context **context,
                    attn_error *error);
  void (*close)(attn_rt_gpu_context *context);
  // The GPU becomes the thread's between these two.
  attn_code (*enter)(attn_rt_gpu_context *context, attn_error *error);
  void (*leave)(attn_rt_gpu_context *context);
  void *(*allocate)(size_t bytes); // null: no memory
  void (*release)(void *memory);
  // Whether the GPU's memory has this address, as far as the driver can tell.
  attn_code (*check_pointer)(attn_rt_gpu_context *context, const attn_rt_binding *binding,
                             const attn_rt_tensor *tensor);
  // Fills the call's fields for GPUs and clears the flag.
  attn_code (*begin)(attn_rt_gpu_context *context, void *stream, attn_call *call, attn_error *error);
  // Brings a strided tensor to its dense copy, or back.
  attn_code (*copy)(attn_rt_gpu_context *context, const attn_rt_tensor *tensor, char *dense, bool gather,
                    attn_error *error);
  attn_code (*end)(attn_rt_gpu_context *context, attn_error *error); // the first launch that failed
  attn_code (*wait)(attn_rt_gpu_context *context, void *stream, int32_t *flag, attn_error *error);
};

// ---- Options.c: options of any size, also from older and newer callers, to ours.
attn_code attn_rt_read_create_options(const attn_create_options *options, attn_create_options *result,
                                      attn_error *error);
attn_code attn_rt_read_run_options(const attn_run_options *options, int32_t default_threads, attn_run_options *result,
                                   attn_error *error);

// ---- Memory.c: malloc with 64-byte alignment.
void *attn_rt_aligned_alloc(size_t bytes);
void attn_rt_aligned_free(void *memory);

// ---- Team.c: one parallel loop

// One slice's part of the loop, alone on its cache line. Units are grains.
typedef struct attn_rt_line {
  _Alignas(
      64) _Atomic uint64_t ticket; // odd: the slice waits for a thread. Only ever grows, so an old view is harmless
  _Atomic int64_t next;            // first unit that nobody has taken
  int64_t end;
} attn_rt_line;

typedef struct attn_rt_job {
  attn_task task;
  void *frame;
  int64_t n, grain;
  _Atomic int32_t slices;
  _Atomic int32_t open;     // slices that wait for a thread, 0 between loops
  _Atomic uint32_t pending; // slices that are not finished, and ATTN_JOB_WAITER
  attn_rt_line *lines;      // at least `slices`
} attn_rt_job;

// What attn_call.team points to.
typedef struct attn_rt_team {
  attn_parallel_for parallel_for; // the caller's, or null
  void *user;
  attn_rt_job *job; // for the caller's parallel_for
  _Atomic int32_t flag;
} attn_rt_team;

void attn_rt_job_execute(attn_rt_job *job, int32_t slice); // if nobody has taken the slice yet
bool attn_rt_job_steal(attn_rt_job *job, int32_t prefer);  // one slice, this one if possible; false: none waits

// ---- Pool.c: the shared threads

void attn_rt_pool_attach(void); // a context comes
void attn_rt_pool_detach(void); // a context goes; the last one joins the threads
void attn_rt_pool_start(int32_t workers);
attn_rt_job *attn_rt_pool_take_job(void); // null: too many loops at once
void attn_rt_pool_give_job(attn_rt_job *job);
void attn_rt_pool_notify(int32_t slices); // that many slices wait for threads

// ---- Futex.c
void attn_rt_futex_wait(_Atomic uint32_t *word, uint32_t value);
void attn_rt_futex_wake(_Atomic uint32_t *word, int32_t count);

// ---- Context.c

struct attn_context {
  const attn_library *library;
  const attn_model_desc *model;
  const attn_variant **chosen; // per entry
  int64_t *dims;               // room for the largest entry, as in the next two
  attn_rt_tensor *tensors;
  void **pointers;
  int64_t *strides; // as the code gets them
  int32_t threads;
  const attn_gpu_code *gpu_code; // null: the CPU's code was chosen
  attn_rt_gpu_context *gpu;
  DLDevice device;
  void *workspace;
  size_t workspace_bytes;
  attn_rt_job job; // for callers' parallel_for; its lines grow with the number of threads
  int32_t job_lines;
  attn_code status; // of the last run, and its entry
  uint32_t last_entry;
  attn_error error;
  atomic_bool busy;
};

#pragma GCC visibility pop

#endif // ATTN_RUNTIME_INTERNAL_H
