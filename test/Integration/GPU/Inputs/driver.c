// A libcuda.so.1 that starts in one of the ways in which a driver can disappoint: -DNO_DEVICE, -DOLD_DRIVER, -DOLD_CHIP,
// -DNO_MEMORY, -DOLD_PTX, -DBROKEN_KERNEL.

#include <stdint.h>
#include <string.h>

#define FUNCTION(name)                                                                                                 \
  int name(void) { return 0; }
FUNCTION(cuGetErrorString)
FUNCTION(cuDeviceGet)
FUNCTION(cuDevicePrimaryCtxRelease_v2)
FUNCTION(cuCtxPushCurrent_v2)
FUNCTION(cuCtxPopCurrent_v2)
FUNCTION(cuModuleUnload)
FUNCTION(cuModuleGetFunction)
FUNCTION(cuFuncSetAttribute)
FUNCTION(cuMemFree_v2)
FUNCTION(cuMemcpyHtoD_v2)
FUNCTION(cuMemcpyDtoH_v2)
FUNCTION(cuMemcpy2DAsync_v2)
FUNCTION(cuMemsetD32Async)
FUNCTION(cuStreamSynchronize)
FUNCTION(cuPointerGetAttribute)
FUNCTION(cuLaunchKernel)

int cuGetErrorName(int error, const char **text) { return *text = error == 2 ? "CUDA_ERROR_OUT_OF_MEMORY" : "?", 0; }
int cuDeviceGetCount(int *count) { return *count = 1, 0; }
int cuDeviceGetName(char *name, int bytes, int device) { return strncpy(name, "GPU", bytes), 0 * device; }
int cuDevicePrimaryCtxRetain(void **context, int device) { return *context = &device, 0; }

int cuInit(unsigned flags) {
#ifdef NO_DEVICE
  return 100;
#endif
  return 0 * flags;
}

int cuDriverGetVersion(int *version) {
  *version = 12020;
#ifdef OLD_DRIVER
  *version = 11080;
#endif
  return 0;
}

int cuDeviceGetAttribute(int *value, int attribute, int device) {
  *value = attribute == 75 ? 9 : 0;
#ifdef OLD_CHIP
  *value = attribute == 75 ? 7 : 5;
#endif
  return 0 * device;
}

int cuModuleLoadDataEx(void **module, const void *image, unsigned count, int *options, void **values) {
  *module = options;
#ifdef OLD_PTX
  return 222;
#endif
#ifdef BROKEN_KERNEL
  strcpy(values[0], "ptxas error:\nno such\ninstruction");
  return 218;
#endif
  return 0 * count * !image * !values;
}

int cuMemAlloc_v2(uint64_t *memory, size_t bytes) {
  *memory = 4096;
#ifdef NO_MEMORY
  return 2;
#endif
  return 0 * bytes;
}
