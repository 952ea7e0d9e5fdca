# ===- driver.py - The driver library's entry points on the simulator -------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#   python driver.py LIBCUDA.SO.1 KERNEL.PTX
#
# ===------------------------------------------------------------------------===#
import ctypes
import sys

cuda = ctypes.CDLL(sys.argv[1])
get = cuda.cuGetProcAddress_v2
count = 40


def call(name, *arguments):
    function = ctypes.c_void_p()
    status = get(name.encode(), ctypes.byref(function), 12000, ctypes.c_uint64(0), None)
    return status or ctypes.CFUNCTYPE(ctypes.c_int)(function.value)(*arguments)


def check(name, *arguments):
    status = call(name, *arguments)
    assert status == 0, (name, status)


check("cuInit", 0)
buffer, module, function, context = ctypes.c_uint64(), ctypes.c_void_p(), ctypes.c_void_p(), ctypes.c_void_p()
check("cuDevicePrimaryCtxRetain", ctypes.byref(context), 0)
check("cuCtxSetCurrent", context)
check("cuModuleLoadData", ctypes.byref(module), open(sys.argv[2], "rb").read() + b"\0")
check("cuModuleGetFunction", ctypes.byref(function), module, b"square")
check("cuMemAlloc", ctypes.byref(buffer), ctypes.c_size_t(4 * count))
values = (ctypes.c_int * count)(*range(count))
check("cuMemcpyHtoD", buffer, values, ctypes.c_size_t(4 * count))


def launch(n):
    size = ctypes.c_int(n)
    parameters = (ctypes.c_void_p * 2)(ctypes.addressof(buffer), ctypes.addressof(size))
    return call("cuLaunchKernel", function, 2, 1, 1, 32, 1, 1, 0, None, parameters, None)


print("launch:", launch(count))
check("cuMemcpyDtoH", values, buffer, ctypes.c_size_t(4 * count))
print("squares:", list(values) == [i * i for i in range(count)])
# More elements than the buffer has.
print("out of bounds:", launch(count + 1))
print("unknown name:", call("cuFrobnicate"))
print("machine code:", call("cuModuleLoadData", ctypes.byref(module), b"\x7fELF\0"))
check("cuMemFree", buffer)
print("freed twice:", call("cuMemFree", buffer))
