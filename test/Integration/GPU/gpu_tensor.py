# ===- gpu_tensor.py - A tensor on a GPU that speaks DLPack -----------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# What the checks use where programs would use torch.
#
# ===------------------------------------------------------------------------===#
import ctypes as c

import cuda_memory
import numpy as np
from attn._abi import DLDataType, DLDevice, DLTensor

CODES = {"i": 0, "u": 1, "f": 2, "b": 6}


class ManagedTensor(c.Structure):
    _fields_ = [("tensor", DLTensor), ("manager", c.c_void_p), ("deleter", c.c_void_p)]


new_capsule = c.pythonapi.PyCapsule_New
new_capsule.restype, new_capsule.argtypes = c.py_object, [c.c_void_p, c.c_char_p, c.c_void_p]


class Tensor:
    """A copy of a NumPy array in the GPU's memory, with the array's strides: `array` has to be a view of all of `base`,
    which is what is copied."""

    def __init__(self, array, base=None, device=(2, 0), address=None):
        self.array, self.base = array, np.ascontiguousarray(array) if base is None else base
        if base is None:
            self.array = self.base
        self.memory = cuda_memory.Memory(self.base)
        offset = self.array.ctypes.data - self.base.ctypes.data
        self.address = self.memory.address + offset if address is None else address
        self.device, self.shared = device, []

    def __dlpack__(self, stream=None):
        rank, item = self.array.ndim, self.array.itemsize
        shape = (c.c_int64 * max(1, rank))(*self.array.shape)
        strides = (c.c_int64 * max(1, rank))(*(stride // item for stride in self.array.strides))
        dtype = DLDataType(CODES[self.array.dtype.kind], 8 * item, 1)
        tensor = DLTensor(self.address, DLDevice(*self.device), rank, dtype, shape, strides, 0)
        # Capsules borrow, so all that they point to stays as long as this does.
        self.shared.append((managed := ManagedTensor(tensor, None, None), shape, strides))
        return new_capsule(c.addressof(managed), b"dltensor", None)

    def numpy(self):
        """What the GPU's memory holds now."""
        self.memory.download(self.base)
        return self.array


def unaligned(array):
    """A tensor that stands an element behind a place for vectors."""
    base = np.zeros(array.size + 1, array.dtype)
    base[1:] = array.ravel()
    return Tensor(base[1:].reshape(array.shape), base)
