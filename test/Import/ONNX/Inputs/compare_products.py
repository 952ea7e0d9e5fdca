# ===- compare_products.py - Products, reductions and norms against ONNX -----===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#   python compare_products.py DIRECTORY
#
# What ONNX's own tests leave out, with sizes known at run time, against ONNX's
# reference implementation.
#
# ===------------------------------------------------------------------------===#
import sys

import numpy as np
from compare import F16, F32, Case, floats, random, run
from onnx.reference import ReferenceEvaluator


def node(op, inputs, outputs=("y",), opset=23, **rest):
    return Case(op, inputs, outputs, domain="", opset=opset, **rest)


def integers(*shape, low=-9, high=9, dtype=np.int64):
    return random.integers(low, high, shape).astype(dtype)


def products():
    for a, b in [
        ((5,), (5,)), ((5,), (5, 4)), ((3, 5), (5,)), ((5,), (2, 5, 4)), ((2, 3, 5), (5,)), ((2, 3, 5), (5, 4)),
        ((3, 5), (2, 5, 4)), ((2, 1, 3, 5), (7, 5, 4)), ((1, 3, 5), (2, 5, 4)), ((2, 3, 5), (1, 5, 4)),
        ((2, 2, 33, 70), (2, 2, 70, 65)), ((1, 1), (1, 1)),
    ]:  # fmt: skip
        for weights in ((), ("b",)):
            yield node("MatMul", {"a": floats(*a), "b": floats(*b)}, weights=weights)
    for dtype in (F16, np.float64):
        for weights in ((), ("b",)):
            yield node("MatMul", {"a": floats(2, 3, 8, dtype=dtype), "b": floats(8, 5, dtype=dtype)}, weights=weights)
    for dtype in (np.int32, np.uint64):
        yield node("MatMul", {"a": integers(3, 4, low=0, dtype=dtype), "b": integers(4, 2, low=0, dtype=dtype)})
    for shape in ((), (1,), (4,), (3, 1), (1, 4), (3, 4)):
        a, b = floats(3, 6), floats(4, 6)
        yield node("Gemm", {"a": a, "b": b, "c": floats(*shape)}, weights=("b", "c"), transB=1, alpha=0.5, beta=2.0)
        yield node("Gemm", {"a": a.T.copy(), "b": b.T.copy(), "c": floats(*shape)}, weights=("b",), transA=1)
    yield node("Gemm", {"a": floats(3, 6, dtype=F16), "b": floats(6, 4, dtype=F16), "c": floats(4, dtype=F16)}, alpha=3.0)
    a, b = integers(2, 3, 5, low=0, high=255, dtype=np.uint8), integers(5, 4, low=-128, high=127, dtype=np.int8)
    for zero in (np.uint8(7), integers(3, 1, low=0, dtype=np.uint8)):
        for other in (np.int8(-3), integers(4, dtype=np.int8)):
            yield node("MatMulInteger", {"a": a, "b": b, "za": np.asarray(zero), "zb": np.asarray(other)})
    yield node("MatMulInteger", {"a": a, "b": b, "za": None, "zb": np.asarray(np.int8(5))})


def sums():
    for equation, *shapes in [
        ("ij->ji", (3, 4)), ("ij->", (3, 4)), ("ij->j", (3, 4)), ("ii->i", (4, 4)), ("ii", (4, 4)), ("ii->", (4, 4)),
        ("bii->ib", (2, 4, 4)), ("ij,jk", (3, 4), (4, 5)), ("ij,jk->ki", (3, 4), (4, 5)), ("i,j->ij", (3,), (4,)),
        ("bij,bjk->bik", (2, 3, 4), (2, 4, 5)), ("...ij,...jk->...ik", (2, 7, 3, 4), (7, 4, 5)),
        ("...ij,...jk", (2, 3, 4), (2, 4, 5)), ("i...->...i", (3, 4, 5)), ("...", (3, 4)), ("...i->...", (3, 4)),
        ("bhqd,bhkd->bhqk", (2, 3, 4, 5), (2, 3, 6, 5)), ("bqhd,bkhd->bhqk", (2, 4, 3, 5), (2, 6, 3, 5)),
        ("ab,bc,cd->ad", (2, 3), (3, 4), (4, 5)), ("ab,ab,c->", (2, 3), (2, 3), (4,)), (" a b , b -> a ", (2, 3), (3,)),
        ("ba", (2, 3)), ("Ab,bA->bA", (2, 3), (3, 2)), ("ij,kj->", (3, 4), (5, 4)), (",i->i", (), (4,)),
        ("ijk,ijk->ik", (1, 3, 4), (2, 3, 4)), ("iij,jk->ik", (3, 3, 4), (4, 5)), ("...a,...a", (5, 3), (1, 3)),
    ]:  # fmt: skip
        inputs = {name: floats(*shape) for name, shape in zip("uvw", shapes)}
        yield node("Einsum", inputs, equation=equation)
    yield node("Einsum", {"u": integers(3, 4, dtype=np.int32), "v": integers(4, dtype=np.int32)}, equation="ij,j->i")
    yield node("Einsum", {"u": floats(3, 4, dtype=F16), "v": floats(4, 5, dtype=F16)}, equation="ij,jk->ik")


def reductions():
    for op in "Sum Mean Max Min Prod L1 L2 SumSquare LogSum LogSumExp".split():
        for keepdims, axes in enumerate((None, [-1], [2, 0], [1, 3])):
            data = np.abs(floats(3, 2, 5, 33)) if op == "LogSum" else floats(3, 2, 5, 33)
            inputs = {"data": data, "axes": None if axes is None else np.array(axes, np.int64)}
            yield node("Reduce" + op, inputs, weights=("axes",), keepdims=keepdims % 2)
        # The reference widens other sums of squares.
        for dtype in {"Log": (), "Sum": (np.int64,)}.get(op[:3], (np.int32, np.uint32)):
            data = integers(3, 5, low=1 if dtype == np.uint32 else -9, dtype=dtype)
            yield node("Reduce" + op, {"data": data, "axes": np.array([1])}, weights=("axes",))
        yield node("Reduce" + op, {"data": np.abs(floats(3, 70, dtype=F16)), "axes": np.array([1])}, weights=("axes",))
        yield node("Reduce" + op, {"data": np.abs(floats(3, 4)), "axes": None}, noop_with_empty_axes=1)
        if op != "Sum":  # axes were an attribute
            yield node("Reduce" + op, {"data": np.abs(floats(3, 4))}, axes=[0], opset=13)
    for op in ("ReduceMax", "ReduceMin"):
        for dtype in (np.int8, np.uint8):
            data = integers(3, 50, low=-100 if dtype == np.int8 else 0, high=100, dtype=dtype)
            yield node(op, {"data": data, "axes": np.array([1])}, weights=("axes",))
    for op in ("ArgMax", "ArgMin"):
        for last in (0, 1):
            for axis in (0, 1, -1):
                data = integers(3, 4, 50, low=-4, high=4)
                yield node(op, {"data": data.astype(F32)}, axis=axis, select_last_index=last, keepdims=last)
                yield node(op, {"data": data.astype(np.int8)}, axis=axis, select_last_index=last)
        yield node(op, {"data": np.array([[1, np.nan, 2, np.nan], [0, 0, 0, 0]], F32)}, axis=1)


def norms():
    for dtype in (F32, F16, np.float64):
        for axis in (-1, 1, 0) if dtype == F32 else (1,):
            x = floats(2, 3, 40, dtype=dtype)
            scale, shift = floats(*x.shape[axis:], dtype=dtype), floats(*x.shape[axis:], dtype=dtype)
            yield node("LayerNormalization", {"x": x, "scale": scale, "shift": shift}, axis=axis)
            yield node("LayerNormalization", {"x": x, "scale": scale, "shift": shift}, axis=axis, weights=("scale", "shift"))
            yield node("LayerNormalization", {"x": x, "scale": scale}, axis=axis, epsilon=0.5)
            yield node("LayerNormalization", {"x": x, "scale": floats(1, dtype=dtype)}, axis=axis)
            yield node("RMSNormalization", {"x": x, "scale": scale}, axis=axis)
            yield node("Softmax", {"x": x}, axis=axis)
            yield node("LogSoftmax", {"x": x}, axis=axis)
            yield node("LpNormalization", {"x": x}, axis=axis, p=2)
    x, scale, shift = floats(2, 3, 40), floats(40), floats(40)
    yield node("LayerNormalization", {"x": x, "scale": scale, "shift": shift}, ("y", "mean", "inverse"))
    yield node("LayerNormalization", {"x": x, "scale": scale, "shift": shift}, ("y", "", "inverse"))
    yield node("LayerNormalization", {"x": floats(40), "scale": scale, "shift": shift})
    x = floats(2, 6, 4, 5)
    parts = {name: floats(6) for name in ("scale", "shift", "mean")}
    yield node("BatchNormalization", {"x": x, **parts, "variance": np.abs(floats(6))})
    yield node("InstanceNormalization", {"x": x, "scale": floats(6), "shift": floats(6)})
    yield node("GroupNormalization", {"x": x, "scale": floats(6), "shift": floats(6)}, num_groups=3, weights=("scale", "shift"))
    yield node("MeanVarianceNormalization", {"x": x})
    yield node("MeanVarianceNormalization", {"x": x}, axes=[1, -1])


def quantization():
    x = floats(3, 4) * 50
    for dtype in (np.int8, np.uint8, np.int16, np.uint16):
        zero = np.array(3, dtype)
        yield node("QuantizeLinear", {"x": x, "scale": np.array(0.3, F32), "zero": zero})
        yield node("QuantizeLinear", {"x": x, "scale": np.abs(floats(4)), "zero": integers(4, low=0, dtype=dtype)})
        data = integers(3, 4, low=0, high=99, dtype=dtype)
        yield node("DequantizeLinear", {"x": data, "scale": np.array(0.3, F32), "zero": zero})
        yield node("DequantizeLinear", {"x": data, "scale": floats(3), "zero": integers(3, low=0, dtype=dtype)}, axis=0)
    yield node("QuantizeLinear", {"x": floats(7) * 90, "scale": np.array(0.5, F32)})
    yield node("DynamicQuantizeLinear", {"x": floats(3, 50)}, ("y", "scale", "zero"))


def cases():
    for family in (products, sums, reductions, norms, quantization):
        yield from family()


def evaluate(path, inputs):
    with np.errstate(all="ignore"):
        return ReferenceEvaluator(path).run(None, inputs)


if __name__ == "__main__":
    sys.exit(1 if run(sys.argv[1], cases(), evaluate, ("dynamic",)) else 0)
