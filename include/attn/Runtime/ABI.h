/*===- ABI.h - The C interface of every compiled model --------------*- C -*-===*/
/*                                                                            */
/* Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.     */
/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                    */
/*                                                                            */
/* A compiled model is one function, `const attn_library *PREFIX_library()`   */
/* (a shared library also exports it as `attn_library_v1`), and that table    */
/* is all a program needs: what the entries take and give, and functions that */
/* run them. Plain C11 and C++, no other header, nothing to link besides the  */
/* model. The generated PREFIX.h holds a copy of this file.                   */
/*                                                                            */
/*   const attn_library *lib = minilm_library();                              */
/*   attn_context *ctx;                                                       */
/*   attn_error error;                                                        */
/*   if (lib->create(lib, NULL, &ctx, &error))                                */
/*     return puts(error.message);                                            */
/*   const DLTensor *in[] = {&ids, &mask};                                    */
/*   DLTensor *out[] = {&embedding};                                          */
/*   if (lib->run(ctx, 0, in, 2, out, 1, NULL))                               */
/*     puts(lib->last_error(ctx)->message);                                   */
/*   lib->destroy(ctx);                                                       */
/*                                                                            */
/* Threads: a context is used by one thread at a time; separate contexts,     */
/* also of one library, may run at the same time. The tables are constant.    */
/*                                                                            */
/*===----------------------------------------------------------------------===*/

#ifndef ATTN_RUNTIME_ABI_H
#define ATTN_RUNTIME_ABI_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The version of everything in this file. A field may be added at the end of attn_library, attn_create_options or
 * attn_run_options without a new version (each of them says its own size); any other change is a new version. */
#define ATTN_ABI_VERSION 1

/* ---- DLPack -------------------------------------------------------------------------------------------------------
 * Tensors are DLPack's. A program that uses dlpack.h as well includes it before this file. */
#if !defined(DLPACK_VERSION) && !defined(DLPACK_MAJOR_VERSION) && !defined(DLPACK_DLPACK_H_)
#define DLPACK_VERSION 80

typedef enum { kDLCPU = 1, kDLCUDA = 2, kDLCUDAHost = 3 } DLDeviceType;

typedef struct DLDevice {
  DLDeviceType device_type;
  int32_t device_id;
} DLDevice;

typedef enum {
  kDLInt = 0U,
  kDLUInt = 1U,
  kDLFloat = 2U,
  kDLOpaqueHandle = 3U,
  kDLBfloat = 4U,
  kDLComplex = 5U,
  kDLBool = 6U,
  kDLFloat8_e3m4 = 7U,
  kDLFloat8_e4m3 = 8U,
  kDLFloat8_e4m3b11fnuz = 9U,
  kDLFloat8_e4m3fn = 10U,
  kDLFloat8_e4m3fnuz = 11U,
  kDLFloat8_e5m2 = 12U,
  kDLFloat8_e5m2fnuz = 13U,
  kDLFloat8_e8m0fnu = 14U,
  kDLFloat6_e2m3fn = 15U,
  kDLFloat6_e3m2fn = 16U,
  kDLFloat4_e2m1fn = 17U
} DLDataTypeCode;

typedef struct DLDataType {
  uint8_t code;   /* a DLDataTypeCode */
  uint8_t bits;   /* of one lane */
  uint16_t lanes; /* 1 for plain types */
} DLDataType;

typedef struct DLTensor {
  void *data; /* the first element is at data + byte_offset bytes */
  DLDevice device;
  int32_t ndim;
  DLDataType dtype;
  int64_t *shape;
  int64_t *strides; /* in elements; null: dense, row major */
  uint64_t byte_offset;
} DLTensor;
#endif

/* ---- Errors -------------------------------------------------------------------------------------------------------
 * Every function that can fail returns a code, 0 for success. The sentence that says which entry, which tensor, what is
 * wrong and what was expected is in an attn_error: the caller's own for create, the context's for all others. */
typedef enum attn_code {
  ATTN_OK = 0,
  ATTN_ERROR_INVALID_ARGUMENT = 1, /* null pointer, unknown entry, wrong number of tensors, bad option */
  ATTN_ERROR_RANK = 2,             /* a tensor's rank is not the table's */
  ATTN_ERROR_SHAPE = 3,            /* a dimension is wrong, out of its bounds, or not that of another tensor */
  ATTN_ERROR_DTYPE = 4,            /* a tensor's dtype is not the table's */
  ATTN_ERROR_DEVICE = 5,           /* a tensor lies on a device that the entry cannot reach, or the GPU failed */
  ATTN_ERROR_NULL_DATA = 6,        /* a tensor with elements has no data */
  ATTN_ERROR_ALIGNMENT = 7,        /* data is not aligned to its element */
  ATTN_ERROR_INDEX = 8,            /* an id, position or computed index lies outside its table */
  ATTN_ERROR_OVERFLOW = 9,         /* a size in bytes does not fit */
  ATTN_ERROR_ALIAS = 10,           /* an output overlaps another tensor (see `state`), the workspace or itself */
  ATTN_ERROR_WORKSPACE = 11,       /* the caller's workspace is too small or misaligned */
  ATTN_ERROR_NO_MEMORY = 12,       /* an allocation failed */
  ATTN_ERROR_UNSUPPORTED = 13,     /* this processor, or this version of the library, cannot do it */
  ATTN_ERROR_BUSY = 14,            /* the context is in use by another thread; it has no message of its own */
  ATTN_ERROR_INTERNAL = 15         /* the model's tables contradict each other */
} attn_code;

typedef struct attn_error {
  int32_t code;      /* an attn_code */
  char message[508]; /* one sentence, zero-terminated, no line break; empty after success */
} attn_error;

/* ---- What a library contains -------------------------------------------------------------------------------------*/

/* A symbolic dimension, for example "sequence": equal wherever it occurs in one run. Bounds are inclusive. One with
 * terms is computed from dimensions without, or that stand before it: it is the sum of the terms, each a coefficient
 * times the product of its factors, divided by the divisor and rounded down. Where an input has it too, it must have
 * that size there. One that no tensor has is there for its bounds, or for what it says of others. */
typedef struct attn_dim_desc {
  const char *name;
  int64_t min;
  int64_t max;            /* INT64_MAX: no bound */
  const int64_t *terms;   /* for each term: coefficient, number of factors, the factors as indices of dims */
  int64_t num_terms;      /* 0: the inputs say it */
  const int64_t *divisor; /* a term; null: 1 */
  int32_t exact;          /* 1: the sum must be a multiple of the divisor */
} attn_dim_desc;

/* An input or output. The dtype is DLPack's. Elements of 4 and 2 bits are packed as DLPack says: one after another in
 * row-major order, the first one in the lowest bits of a byte, without gaps between rows; what is left of the last byte
 * is written as 0. */
typedef struct attn_tensor_desc {
  const char *name;
  uint8_t dtype_code;
  uint8_t dtype_bits;
  uint16_t dtype_lanes;
  int32_t rank;
  const int64_t *shape; /* rank values: d >= 0 is that static size, d < 0 is the entry's dims[-1 - d] */
  int64_t index_begin;  /* if index_begin < index_end, every value of this (integer) input has to lie in */
  int64_t index_end;    /* [index_begin, index_end); run checks that before it writes anything */
  int32_t state;        /* of an output: 1 + the number of the input that it begins with, along one dimension, such as
                           a cache that grows; 0: none. It may share that input's data, with equal strides: then only
                           what is new is written. Both are parts of a buffer with room for more, so strides are free
                           but for the last, which is 1 where nothing shall be copied */
} attn_tensor_desc;

typedef struct attn_variant attn_variant; /* private: an entry's code for one target */

/* A function of the model. Inputs and outputs are passed to run in this order. */
typedef struct attn_entry_desc {
  const char *name;
  int32_t num_dims;
  int32_t num_inputs;
  int32_t num_outputs;
  int32_t num_variants;
  const attn_dim_desc *dims;
  const attn_tensor_desc *inputs;
  const attn_tensor_desc *outputs;
  const attn_variant *variants;
} attn_entry_desc;

/* ---- Options ------------------------------------------------------------------------------------------------------
 * Fill with zeros, set `size`, then what is needed. Null instead of options means all defaults. */

typedef struct attn_create_options {
  size_t size;          /* sizeof(attn_create_options) */
  const char *target;   /* take the code for this target, e.g. "x86-64-v3", instead of the best one that the processor
                           runs. Null: the environment variable ATTN_TARGET says so, if set */
  int32_t threads;      /* default number of threads of a run; 0: the processors that the process may use */
  int32_t reserved;     /* 0 */
  int32_t device_type;  /* whose code to take, a DLDeviceType: kDLCUDA or kDLCPU. 0: a GPU's where the library has such
                           code, else the CPU's. All tensors of a run lie on that device */
  int32_t device_id;    /* number of the GPU, as DLPack counts */
  int32_t cpu_fallback; /* not 0, with device_type 0: where no GPU runs the library's code, take the CPU's if it has
                           such code; `target` says which it was */
  int32_t reserved2;    /* 0 */
} attn_create_options;

/* One slice of a parallel loop; to be called with the argument that attn_parallel_for was given. Never blocks on
 * another slice, so slices may run one after another. Must not be called after attn_parallel_for has returned. */
typedef void (*attn_parallel_body)(void *argument, int64_t slice);

/* A caller's own threads: calls body(argument, i) once for each i in [0, n), in any order, on any threads, and returns
 * when all calls have returned. n is at most the run's number of threads. `user` is parallel_for_data. */
typedef void (*attn_parallel_for)(void *user, int64_t n, attn_parallel_body body, void *argument);

/* Returns `bytes` bytes aligned to `alignment` (a power of two), or null. `user` is allocator_data. */
typedef void *(*attn_allocate)(void *user, size_t bytes, size_t alignment);
typedef void (*attn_release)(void *user, void *memory, size_t bytes);

typedef struct attn_run_options {
  size_t size;            /* sizeof(attn_run_options) */
  void *stream;           /* GPUs: the CUstream, null: the default one; ignored on the CPU */
  void *workspace;        /* 64-byte aligned memory of the context's device for intermediate values, or null: the
                             context's own, which grows as needed, or the allocator's if there is one */
  size_t workspace_bytes; /* at least what workspace_size says */
  attn_parallel_for parallel_for; /* the caller's threads; null: the library's own pool */
  void *parallel_for_data;
  attn_allocate allocate; /* for memory that lives during the run only; set both or neither. On GPUs memory is given
                             back while the stream still works on it: it must be in the stream's order */
  attn_release release;
  void *allocator_data;
  int32_t threads;  /* how many threads may work, the caller's included; 0: the context's default; 1: no
                       other thread is touched. More than 256 counts as 256 */
  int32_t reserved; /* 0 */
} attn_run_options;

/* ---- The table ----------------------------------------------------------------------------------------------------*/

typedef struct attn_context attn_context;       /* opaque: chosen code, workspace, last error */
typedef struct attn_model_desc attn_model_desc; /* private */
typedef struct attn_library attn_library;

struct attn_library {
  uint32_t abi_version; /* ATTN_ABI_VERSION */
  uint32_t size;        /* sizeof(attn_library) of the library's maker: what lies beyond does not exist */
  const char *name;     /* the model's name */
  const attn_entry_desc *entries;
  uint32_t num_entries;
  uint32_t reserved;            /* 0 */
  const attn_model_desc *model; /* private */

  /* Makes a context and picks, per entry, the best code that this processor runs. Cheap: no thread is started and no
   * workspace allocated before the first run. `options` and `error` may be null. On failure *context is null and
   * *error, if given, says why: UNSUPPORTED (no code for this processor, unknown or unusable target, another ABI
   * version), NO_MEMORY, INVALID_ARGUMENT. Safe from any thread. */
  attn_code (*create)(const attn_library *library, const attn_create_options *options, attn_context **context,
                      attn_error *error);

  /* Frees the context; null is fine. No call on the context may be in progress. The last context to go joins the pool's
   * threads, so a library may be unloaded when all its contexts are destroyed. */
  void (*destroy)(attn_context *context);

  /* Runs entries[entry]: num_inputs and num_outputs must be the entry's, tensors in its order, all owned by the caller,
   * outputs of the right shape included. Any strides; data aligned to its element; dimensions of size 0 are valid.
   * Everything is checked before anything is written, so after a failure outputs are as they were, with one exception:
   * INDEX, SHAPE or OVERFLOW for an index or size that the model itself computed (outputs hold unspecified values).
   * Returns when the outputs are complete. `options` may be null.
   *
   * On a GPU everything is queued on the stream and run returns at once: status says how it ended. Indices are checked
   * where they are read, so an INDEX, too, comes from status, with unspecified values in the outputs. With a workspace
   * from the caller (or after a run of the same shapes) nothing is allocated and nothing waits, so that a run can be
   * captured in a CUDA graph. Runs of one context share its flag and its workspace: the caller keeps their order,
   * for example by one stream. */
  attn_code (*run)(attn_context *context, uint32_t entry, const DLTensor *const inputs[], size_t num_inputs,
                   DLTensor *const outputs[], size_t num_outputs, const attn_run_options *options);

  /* Says what shapes the outputs have for inputs of these dtypes and shapes (data may be null). shapes[i] points to
   * entries[entry].outputs[i].rank values, which are written. */
  attn_code (*output_shapes)(attn_context *context, uint32_t entry, const DLTensor *const inputs[], size_t num_inputs,
                             int64_t *const shapes[], size_t num_outputs);

  /* Says how many bytes of workspace a run of such tensors with `threads` threads (0: the context's default) needs.
   * Data may be null; shapes and strides count, since strided tensors are copied there. num_outputs = 0 stands for
   * dense outputs. *bytes = 0: none. OVERFLOW: more than fits. */
  attn_code (*workspace_size)(attn_context *context, uint32_t entry, const DLTensor *const inputs[], size_t num_inputs,
                              const DLTensor *const outputs[], size_t num_outputs, int32_t threads, size_t *bytes);

  /* The result of the last run: on the CPU what run returned; on a GPU it waits for the stream, the run's, first. Where
   * that or a kernel failed, last_error says so. */
  attn_code (*status)(attn_context *context, void *stream);

  /* The context's last failure, or code 0 and an empty message if the last run, output_shapes or workspace_size
   * succeeded. Owned by the context, valid until the next of these calls. */
  const attn_error *(*last_error)(const attn_context *context);

  /* The name of the target whose code the context runs for an entry, e.g. "x86-64-v4"; null: no such entry. */
  const char *(*target)(const attn_context *context, uint32_t entry);

  /* A code's name without prefix, e.g. "SHAPE". Never null. */
  const char *(*code_name)(attn_code code);
};

#ifdef __cplusplus
}
#endif

#endif /* ATTN_RUNTIME_ABI_H */
