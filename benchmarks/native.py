# ===- native.py - Call a compiled model through its C ABI ------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# A benchmark wants to time the library and not a binding, so this file speaks
# the ABI (include/attn/Runtime/ABI.h) with ctypes alone: tensors, their shapes
# and the pointer tables are made once, a call is one foreign call.
#
# ===------------------------------------------------------------------------===#
import ctypes as c
import os
import sys

import numpy as np

import cuda_memory

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "python"))
from attn._abi import VERSION, CreateOptions, DLDataType, DLDevice, DLTensor, Error, Library as LibraryTable, RunOptions

NUMPY = {
    (0, 64): np.int64,
    (0, 32): np.int32,
    (0, 8): np.int8,
    (1, 8): np.uint8,
    (2, 64): np.float64,
    (2, 32): np.float32,
    (2, 16): np.float16,
    (6, 8): np.bool_,
}


def numpy_dtype(desc):
    try:
        return np.dtype(NUMPY[desc.dtype_code, desc.dtype_bits])
    except KeyError:
        raise RuntimeError(f"tensor {desc.name.decode()} has a dtype that NumPy lacks") from None


def empty_aligned(shape, dtype):
    """An array whose data starts on a cache line, as a careful caller would have it."""
    size = int(np.prod(shape)) * dtype.itemsize
    raw = np.empty(size + 64, np.uint8)
    begin = -raw.ctypes.data % 64
    return raw[begin : begin + size].view(dtype).reshape(shape)


class Call:
    """One entry with fixed inputs and outputs; calling it runs the model. `outputs` are NumPy arrays by name."""

    def __init__(self, library, entry, inputs):
        self.library, self.entry = library, entry
        desc = library.table.entries[entry]
        names = [desc.inputs[i].name.decode() for i in range(desc.num_inputs)]
        if set(names) - set(inputs):
            raise RuntimeError(f"entry {desc.name.decode()} also wants {sorted(set(names) - set(inputs))}")
        self.keep, self.options = [], None
        arrays = []
        for i, name in enumerate(names):
            dtype = numpy_dtype(desc.inputs[i])
            array = empty_aligned(np.shape(inputs[name]), dtype)
            array[...] = inputs[name]
            arrays.append(array)
        self.num_inputs, self.num_outputs = desc.num_inputs, desc.num_outputs
        self.device_arrays = []  # on a GPU: pairs of an output's array and its memory there
        self.inputs = self.pointers([self.tensor(a, desc.inputs[i]) for i, a in enumerate(arrays)])
        shapes = [(c.c_int64 * max(1, desc.outputs[i].rank))() for i in range(desc.num_outputs)]
        table = (c.POINTER(c.c_int64) * max(1, len(shapes)))(*[c.cast(s, c.POINTER(c.c_int64)) for s in shapes])
        library.check(
            library.table.output_shapes(library.context, entry, self.inputs, self.num_inputs, table, len(shapes))
        )
        self.outputs, tensors = {}, []
        for i, shape in enumerate(shapes):
            array = empty_aligned(tuple(shape)[: desc.outputs[i].rank], numpy_dtype(desc.outputs[i]))
            self.outputs[desc.outputs[i].name.decode()] = array
            tensors.append(self.tensor(array, desc.outputs[i], output=True))
        self.output_tensors = self.pointers(tensors)

    def tensor(self, array, desc, output=False):
        shape = (c.c_int64 * max(1, array.ndim))(*array.shape)
        self.keep += [array, shape]
        dtype = DLDataType(desc.dtype_code, desc.dtype_bits, desc.dtype_lanes)
        data, device = array.ctypes.data, DLDevice(1, 0)
        if self.library.is_gpu:
            memory = cuda_memory.Memory(array)
            self.keep.append(memory)
            data, device = memory.address, DLDevice(2, 0)
            if output:
                self.device_arrays.append((array, memory))
        return DLTensor(data, device, array.ndim, dtype, shape, None, 0)

    def pointers(self, tensors):
        self.keep.append(tensors)
        return (c.POINTER(DLTensor) * max(1, len(tensors)))(*[c.pointer(t) for t in tensors])

    def fill_workspace(self, byte):
        """Runs get a workspace of bytes of this value: numbers that nobody has written are known then."""
        size = c.c_size_t()
        self.library.check(
            self.library.table.workspace_size(
                self.library.context, self.entry, self.inputs, self.num_inputs, self.output_tensors, self.num_outputs,
                0, c.byref(size),
            )
        )  # fmt: skip
        self.workspace = empty_aligned((size.value,), np.dtype(np.uint8))
        self.workspace[...] = byte
        self.options = RunOptions(size=c.sizeof(RunOptions), workspace=self.workspace.ctypes.data, workspace_bytes=size.value)

    def __call__(self):
        for array, memory in self.device_arrays:
            memory.upload(array)
        code = self.library.run(
            self.library.context, self.entry, self.inputs, self.num_inputs, self.output_tensors, self.num_outputs,
            c.byref(self.options) if self.options else None,
        )  # fmt: skip
        if code:
            self.library.check(code)
        if self.library.is_gpu:
            self.library.check(self.library.table.status(self.library.context, None))
            for array, memory in self.device_arrays:
                memory.download(array)


class Library:
    """A shared library and one context of `threads` threads; `target` overrides the choice of code."""

    def __init__(self, path, threads, target=None):
        self.handle = c.CDLL(path, mode=2)  # RTLD_NOW
        function = self.handle.attn_library_v1
        function.restype = c.POINTER(LibraryTable)
        pointer = function()
        self.table = pointer.contents
        if self.table.abi_version != VERSION:
            raise RuntimeError(f"{path} has ABI version {self.table.abi_version}, this script knows {VERSION}")
        options = CreateOptions(c.sizeof(CreateOptions), target.encode() if target else None, threads)
        self.context, error = c.c_void_p(), Error()
        if self.table.create(pointer, c.byref(options), c.byref(self.context), c.byref(error)):
            raise RuntimeError(f"{path}: {error.message.decode()}")
        self.run = self.table.run
        self.is_gpu = self.target().startswith("sm_")

    def check(self, code):
        if code:
            raise RuntimeError(self.table.last_error(self.context).contents.message.decode())

    def entry_names(self):
        return [self.table.entries[i].name.decode() for i in range(self.table.num_entries)]

    def target(self, entry=0):
        return self.table.target(self.context, entry).decode()

    def call(self, inputs, entry=0):
        return Call(self, entry, inputs)

    def close(self):
        self.table.destroy(self.context)
        self.context = None
