//===- Cuda.h - The part of the CUDA driver that the runtime calls --*- C -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// libcuda.so.1 is opened when a context for a GPU is made; its header need not exist where the runtime is compiled.
// Names and types are those of NVIDIA's CUDA Driver API reference, 12.0.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_CUDA_H
#define ATTN_RUNTIME_CUDA_H

#include "Internal.h"

typedef int32_t CUdevice;
typedef uint64_t CUdeviceptr;
typedef struct CUctx_st *CUcontext;
typedef struct CUmod_st *CUmodule;
typedef struct CUfunc_st *CUfunction;
typedef struct CUstream_st *CUstream;

enum {
  CUDA_SUCCESS = 0,
  CUDA_ERROR_OUT_OF_MEMORY = 2,
  CUDA_ERROR_NO_DEVICE = 100,
  CUDA_ERROR_UNSUPPORTED_PTX_VERSION = 222,
  CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR = 75,
  CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR = 76,
  CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES = 8,
  CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL = 9,
  CU_JIT_ERROR_LOG_BUFFER = 5,
  CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES = 6,
  CU_MEMORYTYPE_DEVICE = 2
};

typedef struct CUDA_MEMCPY2D {
  size_t srcXInBytes, srcY;
  int srcMemoryType;
  const void *srcHost;
  CUdeviceptr srcDevice;
  void *srcArray;
  size_t srcPitch;
  size_t dstXInBytes, dstY;
  int dstMemoryType;
  void *dstHost;
  CUdeviceptr dstDevice;
  void *dstArray;
  size_t dstPitch;
  size_t WidthInBytes, Height;
} CUDA_MEMCPY2D;

// ATTN_CUDA(field, symbol, parameters): all return a CUresult.
#define ATTN_CUDA_FUNCTIONS                                                                                            \
  ATTN_CUDA(init, "cuInit", (unsigned flags))                                                                          \
  ATTN_CUDA(driver_version, "cuDriverGetVersion", (int *version))                                                      \
  ATTN_CUDA(error_name, "cuGetErrorName", (int error, const char **text))                                              \
  ATTN_CUDA(error_string, "cuGetErrorString", (int error, const char **text))                                          \
  ATTN_CUDA(device_count, "cuDeviceGetCount", (int *count))                                                            \
  ATTN_CUDA(device, "cuDeviceGet", (CUdevice * device, int ordinal))                                                   \
  ATTN_CUDA(device_name, "cuDeviceGetName", (char *name, int bytes, CUdevice device))                                  \
  ATTN_CUDA(device_attribute, "cuDeviceGetAttribute", (int *value, int attribute, CUdevice device))                    \
  ATTN_CUDA(retain, "cuDevicePrimaryCtxRetain", (CUcontext * context, CUdevice device))                                \
  ATTN_CUDA(release, "cuDevicePrimaryCtxRelease_v2", (CUdevice device))                                                \
  ATTN_CUDA(push, "cuCtxPushCurrent_v2", (CUcontext context))                                                          \
  ATTN_CUDA(pop, "cuCtxPopCurrent_v2", (CUcontext * context))                                                          \
  ATTN_CUDA(load, "cuModuleLoadDataEx",                                                                                \
            (CUmodule * module, const void *image, unsigned count, int *options, void **values))                       \
  ATTN_CUDA(unload, "cuModuleUnload", (CUmodule module))                                                               \
  ATTN_CUDA(function, "cuModuleGetFunction", (CUfunction * function, CUmodule module, const char *name))               \
  ATTN_CUDA(function_attribute, "cuFuncSetAttribute", (CUfunction function, int attribute, int value))                 \
  ATTN_CUDA(allocate, "cuMemAlloc_v2", (CUdeviceptr * memory, size_t bytes))                                           \
  ATTN_CUDA(free, "cuMemFree_v2", (CUdeviceptr memory))                                                                \
  ATTN_CUDA(to_device, "cuMemcpyHtoD_v2", (CUdeviceptr to, const void *from, size_t bytes))                            \
  ATTN_CUDA(to_host, "cuMemcpyDtoH_v2", (void *to, CUdeviceptr from, size_t bytes))                                    \
  ATTN_CUDA(copy_2d, "cuMemcpy2DAsync_v2", (const CUDA_MEMCPY2D *copy, CUstream stream))                               \
  ATTN_CUDA(fill, "cuMemsetD32Async", (CUdeviceptr to, unsigned value, size_t count, CUstream stream))                 \
  ATTN_CUDA(synchronize, "cuStreamSynchronize", (CUstream stream))                                                     \
  ATTN_CUDA(pointer_attribute, "cuPointerGetAttribute", (void *value, int attribute, CUdeviceptr pointer))             \
  ATTN_CUDA(launch, "cuLaunchKernel",                                                                                  \
            (CUfunction function, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x,                 \
             unsigned block_y, unsigned block_z, unsigned shared_bytes, CUstream stream, void **arguments,             \
             void **extra))

typedef struct attn_rt_cuda {
#define ATTN_CUDA(field, symbol, parameters) int(*field) parameters;
  ATTN_CUDA_FUNCTIONS
#undef ATTN_CUDA
} attn_rt_cuda;

#pragma GCC visibility push(hidden)

// The driver's functions, from the first `attn_rt_cuda_open` that succeeds on.
extern attn_rt_cuda attn_rt_driver;

// Opens and initializes the driver once a process; fails with a sentence on why there is none. It stays open.
attn_code attn_rt_cuda_open(const char *model, attn_error *error);

// The error for a failed call of the driver.
attn_code attn_rt_cuda_fail(int result, const char *model, const char *what, attn_error *error);

#pragma GCC visibility pop

#endif // ATTN_RUNTIME_CUDA_H
