# ===- _abi.py - The C interface of compiled models, for ctypes -----------===//
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# A mirror of include/attn/Runtime/ABI.h, where the fields are explained.
#
# ===------------------------------------------------------------------------===#
import ctypes as c

VERSION = 1
CPU, CUDA = 1, 2  # DLPack's device types


class DLDevice(c.Structure):
    _fields_ = [("device_type", c.c_int32), ("device_id", c.c_int32)]


class DLDataType(c.Structure):
    _fields_ = [("code", c.c_uint8), ("bits", c.c_uint8), ("lanes", c.c_uint16)]


class DLTensor(c.Structure):
    _fields_ = [
        ("data", c.c_void_p),
        ("device", DLDevice),
        ("ndim", c.c_int32),
        ("dtype", DLDataType),
        ("shape", c.POINTER(c.c_int64)),
        ("strides", c.POINTER(c.c_int64)),
        ("byte_offset", c.c_uint64),
    ]


class Error(c.Structure):
    _fields_ = [("code", c.c_int32), ("message", c.c_char * 508)]


class DimDesc(c.Structure):
    _fields_ = [
        ("name", c.c_char_p), ("min", c.c_int64), ("max", c.c_int64),
        ("terms", c.POINTER(c.c_int64)), ("num_terms", c.c_int64),
        ("divisor", c.POINTER(c.c_int64)), ("exact", c.c_int32),
    ]  # fmt: skip


class TensorDesc(c.Structure):
    _fields_ = [
        ("name", c.c_char_p),
        ("dtype_code", c.c_uint8),
        ("dtype_bits", c.c_uint8),
        ("dtype_lanes", c.c_uint16),
        ("rank", c.c_int32),
        ("shape", c.POINTER(c.c_int64)),
        ("index_begin", c.c_int64),
        ("index_end", c.c_int64),
        ("state", c.c_int32),
    ]


class EntryDesc(c.Structure):
    _fields_ = [
        ("name", c.c_char_p),
        ("num_dims", c.c_int32),
        ("num_inputs", c.c_int32),
        ("num_outputs", c.c_int32),
        ("num_variants", c.c_int32),
        ("dims", c.POINTER(DimDesc)),
        ("inputs", c.POINTER(TensorDesc)),
        ("outputs", c.POINTER(TensorDesc)),
        ("variants", c.c_void_p),
    ]


class CreateOptions(c.Structure):
    _fields_ = [
        ("size", c.c_size_t),
        ("target", c.c_char_p),
        ("threads", c.c_int32),
        ("reserved", c.c_int32),
        ("device_type", c.c_int32),
        ("device_id", c.c_int32),
        ("cpu_fallback", c.c_int32),
        ("reserved2", c.c_int32),
    ]


class RunOptions(c.Structure):
    _fields_ = [
        ("size", c.c_size_t),
        ("stream", c.c_void_p),
        ("workspace", c.c_void_p),
        ("workspace_bytes", c.c_size_t),
        ("parallel_for", c.c_void_p),
        ("parallel_for_data", c.c_void_p),
        ("allocate", c.c_void_p),
        ("release", c.c_void_p),
        ("allocator_data", c.c_void_p),
        ("threads", c.c_int32),
        ("reserved", c.c_int32),
    ]


class Library(c.Structure):
    pass


Context = c.c_void_p
Tensors = c.POINTER(c.POINTER(DLTensor))
Shapes = c.POINTER(c.POINTER(c.c_int64))

# A CFUNCTYPE function lets other Python threads run while it runs.
Library._fields_ = [
    ("abi_version", c.c_uint32),
    ("size", c.c_uint32),
    ("name", c.c_char_p),
    ("entries", c.POINTER(EntryDesc)),
    ("num_entries", c.c_uint32),
    ("reserved", c.c_uint32),
    ("model", c.c_void_p),
    (
        "create",
        c.CFUNCTYPE(c.c_int, c.POINTER(Library), c.POINTER(CreateOptions), c.POINTER(Context), c.POINTER(Error)),
    ),
    ("destroy", c.CFUNCTYPE(None, Context)),
    (
        "run",
        c.CFUNCTYPE(
            c.c_int, Context, c.c_uint32, Tensors, c.c_size_t, Tensors, c.c_size_t, c.POINTER(RunOptions)
        ),
    ),
    ("output_shapes", c.CFUNCTYPE(c.c_int, Context, c.c_uint32, Tensors, c.c_size_t, Shapes, c.c_size_t)),
    (
        "workspace_size",
        c.CFUNCTYPE(
            c.c_int, Context, c.c_uint32, Tensors, c.c_size_t, Tensors, c.c_size_t, c.c_int32, c.POINTER(c.c_size_t)
        ),
    ),
    ("status", c.CFUNCTYPE(c.c_int, Context, c.c_void_p)),
    ("last_error", c.CFUNCTYPE(c.POINTER(Error), Context)),
    ("target", c.CFUNCTYPE(c.c_char_p, Context, c.c_uint32)),
    ("code_name", c.CFUNCTYPE(c.c_char_p, c.c_int)),
]
