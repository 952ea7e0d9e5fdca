/*===- Model.h - What generated code and runtime promise each other -*- C -*-===*/
/*                                                                            */
/* Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.     */
/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                    */
/*                                                                            */
/* The private half of the ABI: a compiled model is constant tables plus one  */
/* `run` and one `workspace` function per entry and target. The runtime       */
/* checks the caller's tensors against the tables, makes them dense, and      */
/* calls `run`; generated code never sees a DLTensor and never allocates.     */
/*                                                                            */
/* The version is part of every symbol's name, so that models of different    */
/* versions can be linked into one program, and several models of one version */
/* share one runtime there.                                                   */
/*                                                                            */
/*===----------------------------------------------------------------------===*/

#ifndef ATTN_RUNTIME_MODEL_H
#define ATTN_RUNTIME_MODEL_H

#include "attn/Runtime/ABI.h"

#define attn_rt_parallel_for attn_rt_v1_parallel_for
#define attn_rt_flag attn_rt_v1_flag
#define attn_rt_launch attn_rt_v1_launch
#define attn_rt_gpu attn_rt_v1_gpu
#define attn_rt_create attn_rt_v1_create
#define attn_rt_destroy attn_rt_v1_destroy
#define attn_rt_run attn_rt_v1_run
#define attn_rt_output_shapes attn_rt_v1_output_shapes
#define attn_rt_workspace_size attn_rt_v1_workspace_size
#define attn_rt_status attn_rt_v1_status
#define attn_rt_last_error attn_rt_v1_last_error
#define attn_rt_target attn_rt_v1_target
#define attn_rt_code_name attn_rt_v1_code_name

/* Processor features, the bits of attn_variant.cpu_features. A bit is set only if the operating system, too, keeps the
 * registers. Each is a whole set, so that code may use all of it. */
#define ATTN_CPU_AVX2_FMA (UINT64_C(1) << 0)    /* all of x86-64-v3: avx2 bmi bmi2 f16c fma lzcnt movbe */
#define ATTN_CPU_AVX512 (UINT64_C(1) << 1)      /* all of x86-64-v4: avx512 f bw cd dq vl */
#define ATTN_CPU_AVX512_VNNI (UINT64_C(1) << 2) /* avx512vnni */
#define ATTN_CPU_AVX512_BF16 (UINT64_C(1) << 3) /* avx512bf16 */
#define ATTN_CPU_AVX512_FP16 (UINT64_C(1) << 4) /* avx512fp16 */
#define ATTN_CPU_AVX512_ICL (UINT64_C(1) << 5)  /* ifma vbmi vbmi2 bitalg vpopcntdq gfni vaes vpclmulqdq */
#define ATTN_CPU_AVX_VNNI (UINT64_C(1) << 6)    /* avxvnni, the 256-bit form */
#define ATTN_CPU_AMX_TILE (UINT64_C(1) << 7)    /* amx-tile, with the kernel's permission, asked once a process */
#define ATTN_CPU_AMX_INT8 (UINT64_C(1) << 8)
#define ATTN_CPU_AMX_BF16 (UINT64_C(1) << 9)
#define ATTN_CPU_AMX_FP16 (UINT64_C(1) << 10)
#define ATTN_CPU_NEON (UINT64_C(1) << 32) /* all of armv8-a: asimd */
#define ATTN_CPU_DOTPROD (UINT64_C(1) << 33)
#define ATTN_CPU_FP16 (UINT64_C(1) << 34) /* fphp and asimdhp */
#define ATTN_CPU_BF16 (UINT64_C(1) << 35)
#define ATTN_CPU_I8MM (UINT64_C(1) << 36)
#define ATTN_CPU_SVE (UINT64_C(1) << 37)
#define ATTN_CPU_SVE2 (UINT64_C(1) << 38)

#define ATTN_CPU_ANY_AMX (ATTN_CPU_AMX_TILE | ATTN_CPU_AMX_INT8 | ATTN_CPU_AMX_BF16 | ATTN_CPU_AMX_FP16)

/* The most dimensions that a tensor of an entry may have. */
#define ATTN_MAX_RANK 32

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(hidden)

/* What an entry's `run` receives. All buffers are dense and row major, of the shapes that the tables and dims give, but
 * for the variant's strided ones; data of an empty tensor may be null. Outputs overlap nothing, unless an output begins
 * where the input of its `state` does, with equal strides. If all outputs are empty, `run` is not called. */
typedef struct attn_call {
  const int64_t *dims;        /* values of the entry's symbolic dims, in its table's order */
  void *const *inputs;        /* aligned to their elements only */
  void *const *outputs;       /* likewise */
  void *workspace;            /* 64-byte aligned, at least workspace(dims, threads) bytes; undefined contents */
  int64_t threads;            /* number of worker slices, 1 to 256; worker index < threads */
  void *team;                 /* the runtime's */
  const int64_t *strides;     /* in elements, of the variant's strided tensors, one after another */
  void *const *gpu_constants; /* GPU targets: where each of the code's constants lies on the GPU */
  void *gpu_flag;             /* an int32_t on the GPU: kernels leave an attn_code there */
  void *gpu;                  /* the runtime's */
} attn_call;

/* A loop body over [begin, end). No two tasks with the same worker index run at the same time. */
typedef void (*attn_task)(void *frame, int64_t begin, int64_t end, int32_t worker);

/* What is copied to a GPU when a context is made. */
typedef struct attn_gpu_constant {
  const void *data;
  int64_t bytes;
} attn_gpu_constant;

/* A function of a GPU target's image. */
typedef struct attn_gpu_kernel {
  const char *name;
  int64_t shared_bytes; /* of dynamic shared memory */
} attn_gpu_kernel;

/* The code of a GPU target. */
typedef struct attn_gpu_code {
  int32_t capability; /* compute capability times ten that the GPU must have at least */
  int32_t exact;      /* not 0: that it must have exactly */
  const char *image;  /* PTX, zero-terminated; null where no kernel runs */
  const attn_gpu_kernel *kernels;
  int64_t num_kernels;
  const attn_gpu_constant *constants;
  int64_t num_constants;
  const struct attn_gpu_runtime *runtime; /* &attn_rt_gpu, so that only libraries for GPUs hold that part */
} attn_gpu_code;

struct attn_variant {
  const char *target;                                         /* e.g. "x86-64-v3" */
  uint64_t cpu_features;                                      /* ATTN_CPU_* bits, all needed */
  int64_t (*workspace)(const int64_t *dims, int64_t threads); /* bytes; -1: a size overflows */
  int32_t (*run)(const attn_call *call);                      /* an attn_code */
  /* For each input, then output: 1 where rows are contiguous, but may stand anywhere; null: 0. */
  const uint8_t *strided;
  const attn_gpu_code *gpu; /* null for CPU targets */
};

struct attn_model_desc {
  uint32_t abi_version; /* ATTN_ABI_VERSION */
  uint32_t num_entries;
  const char *name;
  const attn_entry_desc *entries;
};

/* Runs task over [0, n) in chunks of a multiple of grain (but for the last), on up to call->threads workers, and
 * returns when all are done. Called from the entry's thread only, never from a task. */
void attn_rt_parallel_for(const attn_call *call, attn_task task, void *frame, int64_t n, int64_t grain);

/* Raises an error that run returns when the entry is through, for an index that had to be clamped. The first one wins.
 * Also from tasks. */
void attn_rt_flag(const attn_call *call, int32_t code);

/* Launches kernel number `kernel` of the entry's code on the run's stream, with `blocks` blocks of `threads`
 * threads. No blocks are no launch. A failure ends up as the run's error. */
void attn_rt_launch(const attn_call *call, int32_t kernel, int64_t blocks, int32_t threads, void **arguments);

/* The functions for GPUs, see Internal.h. */
extern const struct attn_gpu_runtime attn_rt_gpu;

/* The functions of attn_library. */
attn_code attn_rt_create(const attn_library *library, const attn_create_options *options, attn_context **context,
                         attn_error *error);
void attn_rt_destroy(attn_context *context);
attn_code attn_rt_run(attn_context *context, uint32_t entry, const DLTensor *const inputs[], size_t num_inputs,
                      DLTensor *const outputs[], size_t num_outputs, const attn_run_options *options);
attn_code attn_rt_output_shapes(attn_context *context, uint32_t entry, const DLTensor *const inputs[],
                                size_t num_inputs, int64_t *const shapes[], size_t num_outputs);
attn_code attn_rt_workspace_size(attn_context *context, uint32_t entry, const DLTensor *const inputs[],
                                 size_t num_inputs, const DLTensor *const outputs[], size_t num_outputs,
                                 int32_t threads, size_t *bytes);
attn_code attn_rt_status(attn_context *context, void *stream);
const attn_error *attn_rt_last_error(const attn_context *context);
const char *attn_rt_target(const attn_context *context, uint32_t entry);
const char *attn_rt_code_name(attn_code code);

#pragma GCC visibility pop

/* The initializer of a model's attn_library from its name, entries and attn_model_desc. Generated code writes the same
 * constant, field by field. */
#define ATTN_RT_LIBRARY(name, entries, num_entries, model)                                                             \
  {ATTN_ABI_VERSION,                                                                                                   \
   (uint32_t)sizeof(attn_library),                                                                                     \
   name,                                                                                                               \
   entries,                                                                                                            \
   num_entries,                                                                                                        \
   0,                                                                                                                  \
   model,                                                                                                              \
   attn_rt_create,                                                                                                     \
   attn_rt_destroy,                                                                                                    \
   attn_rt_run,                                                                                                        \
   attn_rt_output_shapes,                                                                                              \
   attn_rt_workspace_size,                                                                                             \
   attn_rt_status,                                                                                                     \
   attn_rt_last_error,                                                                                                 \
   attn_rt_target,                                                                                                     \
   attn_rt_code_name}

#ifdef __cplusplus
}
#endif

#endif /* ATTN_RUNTIME_MODEL_H */
