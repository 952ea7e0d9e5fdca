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
# What NumPy lacks and ml_dtypes has, by DLPack's code. Of less than 8 bits DLPack packs elements in bytes, NumPy doesn't.
_SMALL_FLOATS = {
    10: "float8_e4m3fn", 11: "float8_e4m3fnuz", 12: "float8_e5m2", 13: "float8_e5m2fnuz", 14: "float8_e8m0fnu",
    17: "float4_e2m1fn",
}  # fmt: skip
_SMALL_INTEGERS = {(INT, 4): "int4", (UINT, 4): "uint4", (INT, 2): "int2", (UINT, 2): "uint2"}
_TYPES = {"bfloat16": (BFLOAT, 16)}
_TYPES |= {name: (code, 4 if code == 17 else 8) for code, name in _SMALL_FLOATS.items()}
_TYPES |= {name: key for key, name in _SMALL_INTEGERS.items()}
_WITHOUT_NUMPY = set(_TYPES.values())


def _stand_in(code, bits):
    """The integer that stands for a type that NumPy lacks."""
    return np.dtype(np.int8 if code == INT else np.uint16 if bits == 16 else np.uint8)


_pointer_of = c.pythonapi.PyCapsule_GetPointer
_pointer_of.restype, _pointer_of.argtypes = c.c_void_p, [c.py_object, c.c_char_p]


def dtype_name(code, bits):
    """"float32", "bfloat16", "bool", ... for a DLPack type."""
    if code == BOOL:
        return "bool"
    if code in _SMALL_FLOATS:
        return _SMALL_FLOATS[code]
    return {INT: "int", UINT: "uint", FLOAT: "float", BFLOAT: "bfloat"}.get(code, f"code{code}_") + str(bits)


def numpy_dtype(code, bits):
    """NumPy's type for a DLPack type; where NumPy has none, ml_dtypes' if installed, else an integer.

    That is the value of an integer of 4 or 2 bits, and the bits of a float.
    """
    name = dtype_name(code, bits)
    if name not in _TYPES:
        return np.dtype(name)
    try:
        import ml_dtypes

        return np.dtype(getattr(ml_dtypes, name))
    except ImportError:
        return _stand_in(code, bits)


class _Packed:
    """Bytes for an array whose elements have less than 8 bits: the first element in the lowest bits of a byte."""

    def __init__(self, array, bits, output):
        self.array, self.bits = array, bits
        self.bytes = np.empty((array.size * bits + 7) // 8, np.uint8)
        if not output:
            per_byte = 8 // bits
            elements = np.zeros(self.bytes.size * per_byte, np.uint8)
            elements[: array.size] = np.ascontiguousarray(array).reshape(-1).view(np.uint8) & ((1 << bits) - 1)
            self.bytes[:] = np.bitwise_or.reduce(elements.reshape(-1, per_byte) << np.arange(0, 8, bits, np.uint8), axis=1)

    def finish(self, code):
        """Brings an output's bytes to its array."""
        elements = (self.bytes[:, None] >> np.arange(0, 8, self.bits, np.uint8)).reshape(-1)[: self.array.size]
        elements &= (1 << self.bits) - 1
        if code == INT:
            sign = 1 << (self.bits - 1)
            elements = ((elements ^ sign) - sign).astype(np.uint8)
        self.array[...] = elements.view(self.array.dtype).reshape(self.array.shape)


def _describe_numpy(array, name, desc, output=False):
    kind, itemsize = array.dtype.kind, array.dtype.itemsize
    bits = 8 * itemsize
    if kind in _KINDS and (kind, itemsize) != ("f", 1):  # ml_dtypes has one float of a byte among NumPy's floats
        code = _KINDS[kind]
    elif array.dtype.name in _TYPES:
        code, bits = _TYPES[array.dtype.name]
    else:
        raise Error("DTYPE", f"'{name}': NumPy's dtype {array.dtype} has no counterpart in DLPack")
    if not array.dtype.isnative:
        raise Error("DTYPE", f"'{name}': elements are not in this machine's byte order")
    if any(stride % itemsize for stride in array.strides):
        raise Error("INVALID_ARGUMENT", f"'{name}': strides {array.strides} are no multiples of the element's size")
    wanted = desc.dtype_code, desc.dtype_bits
    if wanted in _WITHOUT_NUMPY and array.dtype == _stand_in(*wanted):
        code, bits = wanted
        if bits < 8 and not output:
            _check_range(array, name, desc)
    rank = array.ndim
    shape = (c.c_int64 * rank)(*array.shape)
    if bits < 8:
        packed = _Packed(array, bits, output)
        tensor = DLTensor(packed.bytes.ctypes.data, DLDevice(CPU, 0), rank, DLDataType(code, bits, 1), shape, None, 0)
        return tensor, (packed, shape)
    strides = (c.c_int64 * rank)(*(stride // itemsize for stride in array.strides))
    tensor = DLTensor(
        array.ctypes.data, DLDevice(CPU, 0), rank, DLDataType(code, bits, 1), shape, strides, 0
    )
    return tensor, (array, shape, strides)


def _check_range(array, name, desc):
    """Refuses integers that the input's type, of integers or of a float's bits, does not have."""
    low, high = 0, (1 << desc.dtype_bits) - 1
    if desc.dtype_code == INT:
        low, high = -(high + 1 >> 1), high >> 1
    # Python's integers beyond 64 bits are objects.
    for element in (array.min(), array.max()) if array.size else ():
        if not low <= int(element) <= high:
            raise Error("DTYPE", f"'{name}': {int(element)} is no {dtype_name(desc.dtype_code, desc.dtype_bits)}")


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
    if wanted in _TYPES and desc.dtype_code not in (INT, UINT) and dtype.kind == "u":
        raise Error("DTYPE", f"'{name}': converting to {wanted} needs the package ml_dtypes; or give its bits as an array")
    kind = array.dtype.kind
    if kind == "O" and not (array.size and all(isinstance(element, int) for element in array.flat)):
        raise Error("INVALID_ARGUMENT", f"'{name}' is no array: its elements are no numbers of one kind")
    if desc.dtype_code in (INT, UINT):
        if kind in "iuO":
            _check_range(array, name, desc)
        fits = kind in "biuO" or array.dtype == dtype
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
        return _describe_numpy(value, name, desc, output)
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


def finish(keep, desc):
    """To be called when a run has written an output, with what `describe` gave to keep alive."""
    if isinstance(keep[0], _Packed):
        keep[0].finish(desc.dtype_code)


def empty(shape, code, bits):
    """An uninitialised NumPy array whose data starts on a cache line."""
    dtype = numpy_dtype(code, bits)
    size = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
    raw = np.empty(size + 64, np.uint8)
    begin = -raw.ctypes.data % 64
    return raw[begin : begin + size].view(dtype).reshape(shape)
