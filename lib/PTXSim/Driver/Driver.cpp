//===- Driver.cpp - libcuda.so.1 on the simulator ---------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// A stand-in for NVIDIA's driver library: the entry points that a program which launches kernels needs, with the types,
// numbers and meanings of the CUDA driver API. There is one device, of compute capability 8.0, whose memory is this
// process's. A launch runs at once and returns when it has ended, so that streams and events have nothing to wait for.
// A kernel's fault is written to stderr and makes the launch return CUDA_ERROR_LAUNCH_FAILED.

#include "attn/PTXSim/Machine.h"
#include "llvm/Support/raw_ostream.h"
#include <algorithm>
#include <cstring>
#include <mutex>

namespace ptx = attn::ptx;

namespace {

enum Status {
  Success = 0,
  InvalidValue = 1,
  OutOfMemory = 2,
  InvalidDevice = 101,
  InvalidImage = 200,
  InvalidPTX = 218,
  NotFound = 500,
  LaunchFailed = 719,
  NotSupported = 801,
};

struct Function {
  const ptx::Module *module;
  const ptx::Kernel *kernel;
  unsigned sharedLimit = 48 * 1024; // of dynamic and static shared memory
};

struct Image {
  std::unique_ptr<ptx::Module> module;
  std::vector<Function> functions;
};

/// All that the device holds; the lock makes calls of several threads follow one another.
struct Device {
  std::mutex lock;
  ptx::Memory memory;
};

Device &device() {
  static Device instance;
  return instance;
}

char context, event;

const char *nameOf(int status) {
  switch (status) {
  case Success:
    return "CUDA_SUCCESS";
  case InvalidValue:
    return "CUDA_ERROR_INVALID_VALUE";
  case OutOfMemory:
    return "CUDA_ERROR_OUT_OF_MEMORY";
  case InvalidDevice:
    return "CUDA_ERROR_INVALID_DEVICE";
  case InvalidImage:
    return "CUDA_ERROR_INVALID_IMAGE";
  case InvalidPTX:
    return "CUDA_ERROR_INVALID_PTX";
  case NotFound:
    return "CUDA_ERROR_NOT_FOUND";
  case LaunchFailed:
    return "CUDA_ERROR_LAUNCH_FAILED";
  case NotSupported:
    return "CUDA_ERROR_NOT_SUPPORTED";
  }
  return nullptr;
}

Status load(Image **result, const void *data) {
  if (!result || !data)
    return InvalidValue;
  const char *text = static_cast<const char *>(data);
  if (std::memcmp(text,
                  "\x7f"
                  "ELF",
                  4) == 0) {
    llvm::errs() << "attn-cuda-sim: machine code cannot be simulated; load the PTX\n";
    return InvalidImage;
  }
  auto module = ptx::parse(text, "<ptx>");
  if (!module) {
    llvm::errs() << "attn-cuda-sim: " << llvm::toString(module.takeError()) << '\n';
    return InvalidPTX;
  }
  auto image = std::make_unique<Image>();
  image->module = std::move(*module);
  for (const ptx::Kernel &kernel : image->module->kernels)
    image->functions.push_back({image->module.get(), &kernel});
  *result = image.release();
  return Success;
}

Status find(Function **result, Image *image, const char *name) {
  if (!result || !image || !name)
    return InvalidValue;
  for (Function &function : image->functions)
    if (function.kernel->name == name) {
      *result = &function;
      return Success;
    }
  return NotFound;
}

Status launch(const Function *function, const unsigned (&shape)[6], unsigned sharedBytes, void **parameters) {
  if (!function || (!parameters && !function->kernel->parameters.empty()))
    return InvalidValue;
  if (sharedBytes + function->kernel->sharedBytes > function->sharedLimit)
    return InvalidValue;
  std::vector<uint8_t> bytes(function->kernel->parameterBytes);
  for (size_t i = 0; i < function->kernel->parameters.size(); ++i) {
    const ptx::Parameter &parameter = function->kernel->parameters[i];
    std::memcpy(&bytes[parameter.offset], parameters[i], parameter.size);
  }
  ptx::Launch launch;
  std::copy_n(shape, 3, launch.grid);
  std::copy_n(shape + 3, 3, launch.block);
  launch.dynamicSharedBytes = sharedBytes;
  launch.parameters = bytes;
  std::lock_guard<std::mutex> guard(device().lock);
  if (llvm::Error error = ptx::run(*function->module, *function->kernel, launch, device().memory)) {
    llvm::errs() << "attn-cuda-sim: " << llvm::toString(std::move(error)) << '\n';
    return LaunchFailed;
  }
  return Success;
}

/// Both ends may be memory of the device or of the host; what is written on the device counts as initialised.
Status copy(uint64_t to, uint64_t from, size_t bytes) {
  if (bytes && (!to || !from))
    return InvalidValue;
  std::memmove(reinterpret_cast<void *>(to), reinterpret_cast<const void *>(from), bytes);
  std::lock_guard<std::mutex> guard(device().lock);
  device().memory.markWritten(to, bytes);
  return Success;
}

template <typename T>
Status fill(uint64_t to, T value, size_t count) {
  std::lock_guard<std::mutex> guard(device().lock);
  if (count > (size_t(1) << 40) || !device().memory.contains(to, count * sizeof(T)))
    return InvalidValue;
  std::fill_n(reinterpret_cast<T *>(to), count, value);
  device().memory.markWritten(to, count * sizeof(T));
  return Success;
}

template <typename T>
Status give(T *to, T value) {
  return to ? (*to = value, Success) : InvalidValue;
}

/// CUDA_MEMCPY2D: rows of `width` bytes between memories of any kind.
struct Copy2D {
  size_t fromX, fromY;
  int fromKind;
  const void *fromHost;
  uint64_t fromDevice;
  void *fromArray;
  size_t fromPitch;
  size_t toX, toY;
  int toKind;
  void *toHost;
  uint64_t toDevice;
  void *toArray;
  size_t toPitch;
  size_t width, height;
};

Status copy(const Copy2D &rows) {
  constexpr int hostMemory = 1, deviceMemory = 2;
  auto isKnown = [](int kind) { return kind == hostMemory || kind == deviceMemory; };
  if (!isKnown(rows.fromKind) || !isKnown(rows.toKind))
    return NotSupported;
  // As the real driver: the pitch of what has one row does not matter.
  if (rows.height > 1 && (rows.fromPitch < rows.width || rows.toPitch < rows.width))
    return InvalidValue;
  uint64_t from = rows.fromKind == hostMemory ? uint64_t(rows.fromHost) : rows.fromDevice;
  uint64_t to = rows.toKind == hostMemory ? uint64_t(rows.toHost) : rows.toDevice;
  for (size_t y = 0; y < rows.height; ++y)
    if (Status status = copy(to + rows.toX + (rows.toY + y) * rows.toPitch,
                             from + rows.fromX + (rows.fromY + y) * rows.fromPitch, rows.width))
      return status;
  return Success;
}

struct LaunchConfig {
  unsigned shape[6], sharedBytes;
  void *stream, *attributes;
  unsigned attributeCount;
};

} // namespace

extern "C" {
int cuInit(unsigned) { return Success; }
int cuDriverGetVersion(int *version) { return give(version, 13000); }
int cuGetErrorString(int status, const char **text) {
  const char *name = nameOf(status);
  return text && (*text = name) ? Success : InvalidValue;
}
int cuGetErrorName(int status, const char **text) { return cuGetErrorString(status, text); }

int cuDeviceGetCount(int *count) { return give(count, 1); }
int cuDeviceGet(int *ordinal, int index) { return index == 0 ? give(ordinal, 0) : InvalidDevice; }
int cuDeviceGetName(char *name, int length, int) {
  if (!name || length < 1)
    return InvalidValue;
  std::strncpy(name, "attn-cuda-sim", size_t(length) - 1);
  name[length - 1] = 0;
  return Success;
}
int cuDeviceTotalMem_v2(size_t *bytes, int) { return give(bytes, size_t(1) << 32); }
int cuDeviceGetAttribute(int *value, int attribute, int) {
  // Numbers of CUdevice_attribute: threads, warp, processors, compute capability, shared memory, tensor maps.
  static const std::pair<int, int> values[] = {
      {1, 1024},   {2, 1024}, {3, 1024},  {4, 64}, {5, 0x7fffffff}, {6, 65535},   {7, 65535},  {8, 49152},  {10, 32},
      {12, 65536}, {16, 4},   {39, 2048}, {75, 8}, {76, 0},         {81, 167936}, {82, 65536}, {97, 166912}};
  for (auto [number, known] : values)
    if (number == attribute)
      return give(value, known);
  return InvalidValue;
}

int cuCtxGetCurrent(void **result) { return give<void *>(result, &context); }
int cuCtxSetCurrent(void *) { return Success; }
int cuCtxPushCurrent_v2(void *) { return Success; }
int cuCtxPopCurrent_v2(void **result) { return result ? give<void *>(result, &context) : Success; }
int cuCtxCreate_v2(void **result, unsigned, int) { return give<void *>(result, &context); }
int cuCtxDestroy_v2(void *) { return Success; }
int cuCtxGetDevice(int *ordinal) { return give(ordinal, 0); }
int cuCtxSynchronize() { return Success; }
int cuDevicePrimaryCtxRetain(void **result, int) { return give<void *>(result, &context); }
int cuDevicePrimaryCtxRelease_v2(int) { return Success; }

int cuModuleLoadData(Image **result, const void *data) { return load(result, data); }
int cuModuleLoadDataEx(Image **result, const void *data, unsigned, int *, void **) { return load(result, data); }
int cuModuleUnload(Image *image) { return delete image, Success; }
int cuModuleGetFunction(Function **result, Image *image, const char *name) { return find(result, image, name); }
int cuLibraryLoadData(Image **result, const void *data, int *, void **, unsigned, int *, void **, unsigned) {
  return load(result, data);
}
int cuLibraryUnload(Image *image) { return delete image, Success; }
int cuLibraryGetKernel(Function **result, Image *image, const char *name) { return find(result, image, name); }
int cuKernelGetFunction(Function **result, Function *kernel) { return give(result, kernel); }
int cuFuncSetAttribute(Function *function, int attribute, int value) {
  if (!function)
    return InvalidValue;
  if (attribute == 8) // CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES
    function->sharedLimit = unsigned(value) + unsigned(function->kernel->sharedBytes);
  return Success;
}
int cuKernelSetAttribute(int attribute, int value, Function *kernel, int) {
  return cuFuncSetAttribute(kernel, attribute, value);
}

int cuMemAlloc_v2(uint64_t *address, size_t bytes) {
  if (!address || !bytes)
    return InvalidValue;
  std::lock_guard<std::mutex> guard(device().lock);
  *address = device().memory.allocate(bytes);
  return *address ? Success : OutOfMemory;
}
int cuMemFree_v2(uint64_t address) {
  std::lock_guard<std::mutex> guard(device().lock);
  return !address || device().memory.release(address) ? Success : InvalidValue;
}
int cuMemAllocAsync(uint64_t *address, size_t bytes, void *) { return cuMemAlloc_v2(address, bytes); }
int cuMemFreeAsync(uint64_t address, void *) { return cuMemFree_v2(address); }
int cuMemcpyHtoD_v2(uint64_t to, const void *from, size_t bytes) { return copy(to, uint64_t(from), bytes); }
int cuMemcpyDtoH_v2(void *to, uint64_t from, size_t bytes) { return copy(uint64_t(to), from, bytes); }
int cuMemcpyDtoD_v2(uint64_t to, uint64_t from, size_t bytes) { return copy(to, from, bytes); }
int cuMemcpyHtoDAsync_v2(uint64_t to, const void *from, size_t bytes, void *) {
  return copy(to, uint64_t(from), bytes);
}
int cuMemcpyDtoHAsync_v2(void *to, uint64_t from, size_t bytes, void *) { return copy(uint64_t(to), from, bytes); }
int cuMemcpyDtoDAsync_v2(uint64_t to, uint64_t from, size_t bytes, void *) { return copy(to, from, bytes); }
int cuMemcpy2DAsync_v2(const Copy2D *rows, void *) { return rows ? copy(*rows) : InvalidValue; }
int cuPointerGetAttribute(void *value, int attribute, uint64_t address) {
  constexpr int deviceOrdinal = 9;
  if (!value || attribute != deviceOrdinal)
    return value ? NotSupported : InvalidValue;
  std::lock_guard<std::mutex> guard(device().lock);
  return device().memory.contains(address, 1) ? give(static_cast<int *>(value), 0) : InvalidValue;
}
int cuMemsetD8_v2(uint64_t to, unsigned char value, size_t count) { return fill(to, value, count); }
int cuMemsetD32_v2(uint64_t to, unsigned value, size_t count) { return fill(to, value, count); }
int cuMemsetD8Async(uint64_t to, unsigned char value, size_t count, void *) { return fill(to, value, count); }
int cuMemsetD32Async(uint64_t to, unsigned value, size_t count, void *) { return fill(to, value, count); }

int cuStreamCreate(void **result, unsigned) { return give<void *>(result, &context); }
int cuStreamDestroy_v2(void *) { return Success; }
int cuStreamSynchronize(void *) { return Success; }
int cuStreamWaitEvent(void *, void *, unsigned) { return Success; }
int cuStreamGetCtx(void *, void **result) { return give<void *>(result, &context); }
int cuEventCreate(void **result, unsigned) { return give<void *>(result, &event); }
int cuEventDestroy_v2(void *) { return Success; }
int cuEventRecord(void *, void *) { return Success; }
int cuEventSynchronize(void *) { return Success; }

int cuLaunchKernel(Function *function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz,
                   unsigned sharedBytes, void *, void **parameters, void **) {
  return launch(function, {gx, gy, gz, bx, by, bz}, sharedBytes, parameters);
}
int cuLaunchKernelEx(const LaunchConfig *config, Function *function, void **parameters, void **) {
  return config ? launch(function, config->shape, config->sharedBytes, parameters) : InvalidValue;
}
int cuGetProcAddress_v2(const char *name, void **result, int, uint64_t, int *found);
int cuGetProcAddress(const char *name, void **result, int version, uint64_t flags) {
  return cuGetProcAddress_v2(name, result, version, flags, nullptr);
}
}

/// By the names without the suffix of their version.
int cuGetProcAddress_v2(const char *name, void **result, int, uint64_t, int *found) {
  if (!name || !result)
    return InvalidValue;
#define ENTRY(name)                                                                                                    \
  {                                                                                                                    \
    #name, reinterpret_cast<void *>(name)                                                                              \
  }
  static const std::pair<llvm::StringRef, void *> entries[] = {
      ENTRY(cuCtxCreate_v2),
      ENTRY(cuCtxDestroy_v2),
      ENTRY(cuCtxGetCurrent),
      ENTRY(cuCtxGetDevice),
      ENTRY(cuCtxPopCurrent_v2),
      ENTRY(cuCtxPushCurrent_v2),
      ENTRY(cuCtxSetCurrent),
      ENTRY(cuCtxSynchronize),
      ENTRY(cuDeviceGet),
      ENTRY(cuDeviceGetAttribute),
      ENTRY(cuDeviceGetCount),
      ENTRY(cuDeviceGetName),
      ENTRY(cuDevicePrimaryCtxRelease_v2),
      ENTRY(cuDevicePrimaryCtxRetain),
      ENTRY(cuDeviceTotalMem_v2),
      ENTRY(cuDriverGetVersion),
      ENTRY(cuEventCreate),
      ENTRY(cuEventDestroy_v2),
      ENTRY(cuEventRecord),
      ENTRY(cuEventSynchronize),
      ENTRY(cuFuncSetAttribute),
      ENTRY(cuGetErrorName),
      ENTRY(cuGetErrorString),
      ENTRY(cuGetProcAddress),
      ENTRY(cuGetProcAddress_v2),
      ENTRY(cuInit),
      ENTRY(cuKernelGetFunction),
      ENTRY(cuKernelSetAttribute),
      ENTRY(cuLaunchKernel),
      ENTRY(cuLaunchKernelEx),
      ENTRY(cuLibraryGetKernel),
      ENTRY(cuLibraryLoadData),
      ENTRY(cuLibraryUnload),
      ENTRY(cuMemAllocAsync),
      ENTRY(cuMemAlloc_v2),
      ENTRY(cuMemFreeAsync),
      ENTRY(cuMemFree_v2),
      ENTRY(cuMemcpy2DAsync_v2),
      ENTRY(cuMemcpyDtoDAsync_v2),
      ENTRY(cuMemcpyDtoD_v2),
      ENTRY(cuMemcpyDtoHAsync_v2),
      ENTRY(cuMemcpyDtoH_v2),
      ENTRY(cuMemcpyHtoDAsync_v2),
      ENTRY(cuMemcpyHtoD_v2),
      ENTRY(cuMemsetD32Async),
      ENTRY(cuMemsetD32_v2),
      ENTRY(cuMemsetD8Async),
      ENTRY(cuMemsetD8_v2),
      ENTRY(cuModuleGetFunction),
      ENTRY(cuModuleLoadData),
      ENTRY(cuModuleLoadDataEx),
      ENTRY(cuModuleUnload),
      ENTRY(cuPointerGetAttribute),
      ENTRY(cuStreamCreate),
      ENTRY(cuStreamDestroy_v2),
      ENTRY(cuStreamGetCtx),
      ENTRY(cuStreamSynchronize),
      ENTRY(cuStreamWaitEvent),
  };
#undef ENTRY
  *result = nullptr;
  for (auto [full, address] : entries)
    if (full == name || (full.ends_with("_v2") && full.drop_back(3) == name))
      *result = address;
  if (found)
    *found = *result ? 0 : 1;
  return *result ? Success : NotFound;
}
