# ===- dlpack.py - Arrays of any kind as DLTensors, without a copy --------===//
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# NumPy arrays are described directly, since their own __dlpack__ refuses arrays
# that may not be written; everything else goes through __dlpack__. A capsule is
# only borrowed: it stays the owner of its tensor and frees it when it dies.
#
# ===------------------------------------------------------------------------===#
import ctypes as c

import numpy as np

from ._abi import CPU, DLDataType, DLDevice, DLTensor
from .errors import Error

INT, UINT, FLOAT, BFLOAT, BOOL = 0, 1, 2, 4, 6
_KINDS = {"i": INT, "u": UINT, "f": FLOAT, "b": BOOL}

_pointer_of = c.pythonapi.PyCapsule_GetPointer
_pointer_of.restype, _pointer_of.argtypes = c.c_void_p, [c.py_object, c.c_char_p]


def dtype_name(code, bits):
    """"float32", "bfloat16", "bool", ... for a DLPack type."""
    if code == BOOL:
        return "bool"
    return {INT: "int", UINT: "uint", FLOAT: "float", BFLOAT: "bfloat"}.get(code, f"code{code}_") + str(bits)


def numpy_dtype(code, bits):
    """NumPy's type for a DLPack type; for bfloat16, which NumPy lacks, ml_dtypes' if installed, else raw words."""
    if code == BFLOAT:
        try:
            import ml_dtypes

            return np.dtype(ml_dtypes.bfloat16)
        except ImportError:
            return np.dtype(np.uint16)
    return np.dtype(dtype_name(code, bits))


def _describe_numpy(array, name, desc):
    kind, itemsize = array.dtype.kind, array.dtype.itemsize
    if kind in _KINDS:
        code = _KINDS[kind]
    elif array.dtype.name == "bfloat16":
        code = BFLOAT
    else:
        raise Error("DTYPE", f"'{name}': NumPy's dtype {array.dtype} has no counterpart in DLPack")
    if not array.dtype.isnative:
        raise Error("DTYPE", f"'{name}': elements are not in this machine's byte order")
    if any(stride % itemsize for stride in array.strides):
        raise Error("INVALID_ARGUMENT", f"'{name}': strides {array.strides} are no multiples of the element's size")
    if code == UINT and itemsize == 2 and desc.dtype_code == BFLOAT:
        code = BFLOAT
    rank = array.ndim
    shape = (c.c_int64 * rank)(*array.shape)
    strides = (c.c_int64 * rank)(*(stride // itemsize for stride in array.strides))
    tensor = DLTensor(
        array.ctypes.data, DLDevice(CPU, 0), rank, DLDataType(code, 8 * itemsize, 1), shape, strides, 0
    )
    return tensor, (array, shape, strides)


def _convert(value, name, desc):
    """A NumPy array of the input's type with the values of a number, of nested lists or of what has __array__.

    Numbers may be rounded, as a float always is, but nothing else may get lost: a fraction, a sign, a text.
    """
    try:
        array = np.asarray(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise Error("INVALID_ARGUMENT", f"'{name}' is no array: {error}") from error
    wanted = dtype_name(desc.dtype_code, desc.dtype_bits)
    dtype = numpy_dtype(desc.dtype_code, desc.dtype_bits)
    if desc.dtype_code == BFLOAT and dtype == np.uint16:
        raise Error("DTYPE", f"'{name}': converting to bfloat16 needs the package ml_dtypes; or give its bits as an array")
    kind = array.dtype.kind
    if kind == "O" and not (array.size and all(isinstance(element, int) for element in array.flat)):
        raise Error("INVALID_ARGUMENT", f"'{name}' is no array: its elements are no numbers of one kind")
    if desc.dtype_code in (INT, UINT):
        # Python's integers beyond 64 bits are objects.
        limits = np.iinfo(dtype)
        for element in (array.min(), array.max()) if kind in "iuO" and array.size else ():
            if not limits.min <= int(element) <= limits.max:
                raise Error("DTYPE", f"'{name}': {int(element)} is no {wanted}")
        fits = kind in "biuO"
    elif desc.dtype_code == BOOL:
        fits = kind == "b"
    else:
        fits = kind in "biufO" or array.dtype == dtype
    # A list without elements has no type that could matter.
    if not fits and array.size:
        raise Error("DTYPE", f"'{name}': its values are of dtype {array.dtype}, expected {wanted}")
    try:
        with np.errstate(over="raise"):
            return array.astype(dtype)
    except (OverflowError, FloatingPointError) as error:
        raise Error("DTYPE", f"'{name}': a value is too large for {wanted}") from error


def describe(value, name, desc, output=False, gpu=False):
    """A DLTensor for `value`, and what has to stay alive as long as it is used.

    value   a NumPy array, anything with __dlpack__, or (inputs only) what _convert takes
    desc    the library's description of the tensor
    gpu     it lies on a GPU, and what has been done to it comes before in the stream that it is used on
    """
    if gpu and (isinstance(value, np.generic) or not hasattr(value, "__dlpack__") or isinstance(value, np.ndarray)):
        kind = type(value).__name__
        raise Error("DEVICE", f"'{name}' is a {kind}, but this library runs on a GPU: give a tensor that lies there")
    if isinstance(value, np.ndarray):
        if output and not value.flags.writeable:
            raise Error("INVALID_ARGUMENT", f"output '{name}' is a read-only array")
        return _describe_numpy(value, name, desc)
    if hasattr(value, "__dlpack__") and not isinstance(value, np.generic):
        try:
            capsule = value.__dlpack__(stream=-1) if gpu else value.__dlpack__()
            tensor = DLTensor.from_address(_pointer_of(capsule, b"dltensor"))
        except Exception as error:
            raise Error("INVALID_ARGUMENT", f"'{name}' cannot be shared through DLPack: {error}") from error
        return tensor, (value, capsule)
    if output:
        kind = type(value).__name__
        raise Error("INVALID_ARGUMENT", f"output '{name}' is a {kind}, which cannot be written in place")
    return _describe_numpy(_convert(value, name, desc), name, desc)


def empty(shape, code, bits):
    """An uninitialised NumPy array whose data starts on a cache line."""
    dtype = numpy_dtype(code, bits)
    size = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
    raw = np.empty(size + 64, np.uint8)
    begin = -raw.ctypes.data % 64
    return raw[begin : begin + size].view(dtype).reshape(shape)
