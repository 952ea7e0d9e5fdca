# ===- cuda_memory.py - Memory of a GPU by ctypes ---------------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Just what it takes to call a compiled model without a framework. The driver is
# libcuda.so.1, NVIDIA's or the simulator's, whichever the loader finds.
#
# ===------------------------------------------------------------------------===#
import ctypes as c

_driver = None


def driver():
    """The driver, with the first GPU's primary context current in this thread."""
    global _driver
    if _driver is None:
        _driver = c.CDLL("libcuda.so.1")
        device, context = c.c_int(), c.c_void_p()
        check(_driver.cuInit(0))
        check(_driver.cuDeviceGet(c.byref(device), 0))
        check(_driver.cuDevicePrimaryCtxRetain(c.byref(context), device))
        check(_driver.cuCtxSetCurrent(context))
    return _driver


def check(status):
    if status:
        text = c.c_char_p()
        _driver.cuGetErrorName(status, c.byref(text))
        raise RuntimeError(f"CUDA error {status}: {(text.value or b'?').decode()}")


class Memory:
    """A copy of an array on the GPU, freed with the object."""

    def __init__(self, array):
        self.pointer, self.bytes = c.c_uint64(), max(1, array.nbytes)
        check(driver().cuMemAlloc_v2(c.byref(self.pointer), c.c_size_t(self.bytes)))
        self.upload(array)

    @property
    def address(self):
        return self.pointer.value

    def upload(self, array):
        check(driver().cuMemcpyHtoD_v2(self.pointer, c.c_void_p(array.ctypes.data), c.c_size_t(array.nbytes)))

    def download(self, array):
        check(driver().cuMemcpyDtoH_v2(c.c_void_p(array.ctypes.data), self.pointer, c.c_size_t(array.nbytes)))

    def __del__(self):
        if self.pointer.value:
            driver().cuMemFree_v2(self.pointer)
