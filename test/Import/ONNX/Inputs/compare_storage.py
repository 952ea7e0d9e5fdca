# ===- compare_storage.py - Elements of float8, float4 and few bits ----------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#   python compare_storage.py DIRECTORY
#
# Casts of all values of the small types, and to them of all float16 numbers, of
# float32 and float64 numbers around all ties, and of integers: ml_dtypes says what
# they are, but for float8e8m0, whose rounding is computed here. Then constants
# (in the model, in a file of their own), and ops that only move elements.
#
# ===------------------------------------------------------------------------===#
import os
import subprocess
import sys

import ml_dtypes
import numpy as np
import onnx
from onnx import TensorProto as T
from onnx import helper

import attn

FLOATS = {
    T.FLOAT8E4M3FN: ml_dtypes.float8_e4m3fn, T.FLOAT8E4M3FNUZ: ml_dtypes.float8_e4m3fnuz,
    T.FLOAT8E5M2: ml_dtypes.float8_e5m2, T.FLOAT8E5M2FNUZ: ml_dtypes.float8_e5m2fnuz,
    T.FLOAT4E2M1: ml_dtypes.float4_e2m1fn,
}  # fmt: skip
INTEGERS = {T.INT4: ml_dtypes.int4, T.UINT4: ml_dtypes.uint4, T.INT2: ml_dtypes.int2, T.UINT2: ml_dtypes.uint2}
WIDE = {T.FLOAT: np.float32, T.DOUBLE: np.float64, T.FLOAT16: np.float16, T.BFLOAT16: ml_dtypes.bfloat16}
random = np.random.default_rng(11)
models, checks = [], []


def values_of(kind):
    """All values of a small type."""
    dtype = {**FLOATS, **INTEGERS, T.FLOAT8E8M0: ml_dtypes.float8_e8m0fnu}[kind]
    if kind in INTEGERS:
        info = ml_dtypes.iinfo(dtype)
        return np.arange(info.min, info.max + 1).astype(np.int8).astype(dtype)
    return np.arange(16 if kind == T.FLOAT4E2M1 else 256, dtype=np.uint8).view(dtype)


def numbers_for(kind, wide):
    """Numbers of a wide type: all, or those around the values of the small type, and what is halfway between them."""
    dtype = WIDE[wide]
    if np.dtype(dtype).itemsize == 2:
        return np.arange(1 << 16).astype(np.uint16).view(dtype)
    exact = np.unique(np.nan_to_num(values_of(kind).astype(np.float64), nan=0, posinf=0, neginf=0))
    ends = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 1e30, -1e30, 1e-30, -1e-30, 1e-44, 464, 465, 480, 61440, 61441])
    middles = (exact[1:] + exact[:-1]) / 2
    beyond = np.array([exact[-1] * 1.0625, exact[-1] * 1.125, exact[-1] * 1.25])
    with np.errstate(over="ignore"):
        near = np.concatenate([exact, middles, beyond, -beyond, ends]).astype(dtype)
    noise = (random.standard_normal(4000) * np.exp2(random.integers(-20, 20, 4000))).astype(dtype)
    return np.concatenate([near, np.nextafter(near, dtype(np.inf)), np.nextafter(near, dtype(-np.inf)), noise])


def to_small(numbers, kind, saturate=True):
    """ONNX's table: with `saturate`, infinity becomes the largest number, too."""
    dtype = FLOATS[kind]
    with np.errstate(all="ignore"):
        # float64 rounds to float32 first in ml_dtypes: to odd here, so that the second rounding is right.
        if numbers.dtype == np.float64:
            nearest = numbers.astype(np.float32)
            bits = nearest.view(np.uint32).copy()
            inexact = (nearest.astype(np.float64) != numbers) & np.isfinite(numbers)
            bits[inexact] -= np.abs(nearest.astype(np.float64))[inexact] > np.abs(numbers)[inexact]
            bits[inexact] |= 1
            numbers = bits.view(np.float32)
        numbers = numbers.astype(np.float32)
        if saturate:
            largest = float(ml_dtypes.finfo(dtype).max)
            numbers = np.clip(numbers, -largest, largest)
        # float4 has no NaN; whatever its sign is, it becomes -0.
        return np.where(np.isnan(numbers), np.float32(np.nan), numbers).astype(dtype)


def to_exponent(numbers, saturate, mode):
    """float8e8m0: a power of two, from 2^-127 to 2^127."""
    x = numbers.astype(np.float64)
    result = np.full(x.shape, 255, np.uint8)
    for i, value in np.ndenumerate(x):
        if np.isnan(value) or value < 0 or (not saturate and not 2.0**-127 <= value <= 2.0**127):
            continue
        if value < 2.0**-127:
            result[i] = 0
            continue
        if value > 2.0**127:
            result[i] = 254
            continue
        mantissa, exponent = np.frexp(value)  # mantissa in [0.5, 1)
        up = mantissa > 0.5 if mode == "up" else mantissa >= 0.75 if mode == "nearest" else False
        code = int(exponent) - 1 + 127 + up
        result[i] = code if code <= 254 else 254 if saturate else 255
    return result.view(ml_dtypes.float8_e8m0fnu)


def add(nodes, inputs, outputs, expected, initializers=(), dynamic=False):
    """A model, and what it computes. `inputs` are arrays by name, `outputs` types by name."""
    name = f"model{len(models)}"
    infos = [
        helper.make_tensor_value_info(
            key, helper.np_dtype_to_tensor_dtype(a.dtype), [f"{key}_{i}" for i in range(a.ndim)] if dynamic else a.shape
        )
        for key, a in inputs.items()
    ]
    results = [helper.make_tensor_value_info(key, kind, None) for key, kind in outputs.items()]
    graph = helper.make_graph(nodes, name, infos, results, list(initializers))
    models.append((name, helper.make_model(graph, opset_imports=[helper.make_opsetid("", 26)])))
    checks.append((name, inputs, expected))


def cast(array, to, expected, dynamic=False, **attributes):
    add([helper.make_node("Cast", ["x"], ["y"], to=to, **attributes)], {"x": array}, {"y": to}, [expected], (), dynamic)


def add_casts():
    for kind in FLOATS:
        for wide, dtype in WIDE.items():
            cast(values_of(kind), wide, values_of(kind).astype(np.float32).astype(dtype))
            for saturate in (True, False):
                numbers = numbers_for(kind, wide)
                cast(numbers, kind, to_small(numbers, kind, saturate), saturate=int(saturate))
        small = np.array([-100000, -500, -3, 0, 1, 5, 17, 448, 449, 100000, 2**31 - 1, -(2**31)], np.int32)
        for dtype in (np.int32, np.int64):
            cast(small.astype(dtype), kind, to_small(small.astype(np.float64), kind))
        cast(np.array([True, False]), kind, to_small(np.array([1.0, 0.0]), kind))
        finite = values_of(kind)[np.isfinite(values_of(kind).astype(np.float32))]
        cast(finite, T.INT32, np.trunc(finite.astype(np.float32)).astype(np.int32))
        cast(values_of(kind), T.BOOL, values_of(kind).astype(np.float32) != 0)
    for other in (T.FLOAT8E5M2, T.FLOAT4E2M1):
        cast(values_of(T.FLOAT8E4M3FN), other, to_small(values_of(T.FLOAT8E4M3FN).astype(np.float32), other))


def add_exponents():
    values = values_of(T.FLOAT8E8M0)
    cast(values, T.FLOAT, values.astype(np.float32))
    cast(values, T.DOUBLE, values.astype(np.float64))
    for wide in WIDE:
        numbers = numbers_for(T.FLOAT8E8M0, wide)
        if wide == T.DOUBLE:
            numbers = np.concatenate([numbers, [2.0**127, np.nextafter(2.0**127, np.inf), 1e300, 2.0**-1000]])
        for mode in ("up", "down", "nearest"):
            for saturate in (True, False):
                expected = to_exponent(numbers, saturate, mode)
                cast(numbers, T.FLOAT8E8M0, expected, round_mode=mode, saturate=int(saturate))


def add_integers():
    for kind, dtype in INTEGERS.items():
        values = values_of(kind)
        for wide, to in ((T.FLOAT, np.float32), (T.INT8, np.int8), (T.UINT8, np.uint8), (T.INT64, np.int64)):
            cast(values, wide, values.astype(np.int8).astype(to))
        bits = 2 if "2" in np.dtype(dtype).name else 4

        def wrap(numbers):
            low = numbers.astype(np.int64) & ((1 << bits) - 1)
            sign = 0 if np.dtype(dtype).name.startswith("u") else 1 << (bits - 1)
            return ((low ^ sign) - sign).astype(np.int8).astype(dtype)

        bytes_ = np.arange(256).astype(np.uint8)
        for source in (bytes_, bytes_.view(np.int8), np.arange(-300, 300)):
            cast(source, kind, wrap(source))
        floats = np.array([-9.5, -8.5, -2.5, -1.5, -0.5, 0, 0.5, 1.5, 2.5, 3.9, 7.9, 15.9, 16, 31.5], np.float32)
        cast(floats, kind, wrap(np.trunc(floats)))


def add_moves():
    """Elements that only move, of an odd number, so that the last byte is not full."""
    for kind, dtype in {**FLOATS, **INTEGERS, T.FLOAT8E8M0: ml_dtypes.float8_e8m0fnu}.items():
        values = values_of(kind)
        x = random.choice(values, (5, 3, 7)).astype(dtype)
        for dynamic in (False, True):
            add([helper.make_node("Transpose", ["x"], ["y"], perm=[2, 0, 1])], {"x": x}, {"y": kind},
                [x.transpose(2, 0, 1)], (), dynamic)  # fmt: skip
            add([helper.make_node("Identity", ["x"], ["y"])], {"x": x}, {"y": kind}, [x], (), dynamic)
        shape = onnx.numpy_helper.from_array(np.array([3, -1]), "shape")
        add([helper.make_node("Reshape", ["x", "shape"], ["y"])], {"x": x}, {"y": kind}, [x.reshape(3, 35)], [shape])
        # A small constant, and a large one; the latter also in a file of its own, see main.
        for size in ((3, 5), (33, 41)):
            constant = random.choice(values, size).astype(dtype)
            initializer = onnx.numpy_helper.from_array(constant, "c")
            add([helper.make_node("Transpose", ["c"], ["y"])], {}, {"y": kind}, [constant.T], [initializer])
            add([helper.make_node("Cast", ["c"], ["y"], to=T.FLOAT)], {}, {"y": T.FLOAT},
                [constant.astype(np.float32)], [initializer])  # fmt: skip
        one = onnx.numpy_helper.from_array(values[1:2])
        add([helper.make_node("ConstantOfShape", ["s"], ["y"], value=one)], {}, {"y": kind},
            [np.full((300, 3), values[1])], [onnx.numpy_helper.from_array(np.array([300, 3]), "s")])  # fmt: skip
    for kind, other in ((T.INT4, T.UINT4), (T.UINT4, T.FLOAT4E2M1), (T.FLOAT4E2M1, T.INT4), (T.INT2, T.UINT2),
                        (T.FLOAT8E5M2, T.UINT8), (T.INT8, T.FLOAT8E4M3FN)):  # fmt: skip
        values = np.arange(-128, 128).astype(np.int8) if kind == T.INT8 else values_of(kind)
        bits = values.view(np.uint8) & (255 if values.size == 256 else values.size - 1)
        dtype = np.uint8 if other == T.UINT8 else {**FLOATS, **INTEGERS}[other]
        sign = values.size // 2 if np.dtype(dtype).name in ("int4", "int2") else 0
        expected = ((bits ^ sign) - sign).astype(np.uint8).view(dtype)
        add([helper.make_node("BitCast", ["x"], ["y"], to=other)], {"x": values}, {"y": other}, [expected])


def bits_of(array):
    """What must be equal: the bits, but for NaNs, which have several."""
    array = np.ascontiguousarray(array)
    if array.dtype.name.startswith(("float8", "float4", "bfloat16")):
        nan = np.isnan(array.astype(np.float32))
        bits = array.view(np.uint16 if array.itemsize == 2 else np.uint8)
        return np.where(nan, 0, bits), nan
    if array.dtype.kind == "f":
        return np.where(np.isnan(array), 0, array), (np.isnan(array), np.signbit(array) & ~np.isnan(array))
    return (array.astype(np.int64) if array.dtype.name.startswith(("int", "uint")) else array), ()


def main(directory):
    os.makedirs(directory, exist_ok=True)
    add_casts()
    add_exponents()
    add_integers()
    add_moves()
    paths = []
    for name, model in models:
        paths.append(os.path.join(directory, name + ".onnx"))
        options = {"save_as_external_data": True, "size_threshold": 100, "location": name + ".data"}
        external = any(len(tensor.raw_data) > 100 for tensor in model.graph.initializer) and len(paths) % 2
        onnx.save(model, paths[-1], **(options if external else {}))
    library = os.path.join(directory, "libstorage.so")
    attnc = os.path.join(os.environ["ATTN_BUILD_DIR"], "bin", "attnc")
    subprocess.run([attnc, *paths, "-o", library, "--quiet"], check=True)
    entries, differences = attn.load(library).entries, 0
    for (name, model), (_, inputs, expected) in zip(models, checks):
        for got, want in zip(entries[name](*inputs.values()), expected):
            same = got.dtype == want.dtype and got.shape == want.shape
            same = same and all(np.array_equal(a, b) for a, b in zip(bits_of(got), bits_of(want)))
            if not same:
                differences += 1
                print(name, str(model.graph.node[0])[:300], got.dtype, want.dtype, got.shape, want.shape)
                if got.shape == want.shape and got.dtype == want.dtype:
                    a, b = bits_of(got)[0].reshape(-1), bits_of(want)[0].reshape(-1)
                    where = np.flatnonzero(a != b)[:5]
                    source = next(iter(inputs.values()), want).reshape(-1)
                    print(where, source[where] if source.size == a.size else "", a[where], b[where])
    print(f"{len(models)} models, {differences} differences")


if __name__ == "__main__":
    main(sys.argv[1])
