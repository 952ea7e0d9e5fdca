# ===- compare_quantized.py - Quantized products against onnxruntime --------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#   python compare_quantized.py DIRECTORY
#
# ===------------------------------------------------------------------------===#
import sys

import numpy as np
import onnx.reference
from compare import F16, F32, Case, floats, random, run
from compare_microsoft import evaluate

U8, I8 = np.uint8, np.int8


def integers(*shape, dtype):
    limits = np.iinfo(dtype)
    return random.integers(limits.min, limits.max, shape, dtype, endpoint=True)


def weights_of(*shape, dtype, other):
    """Second factors. Without VNNI onnxruntime's products of uint8 and int8 saturate, unless int8 has 7 bits only."""
    return integers(*shape, dtype=dtype) // (2 if (other, dtype) == (U8, I8) else 1)


def scales(*shape, dtype=F32):
    return random.uniform(0.01, 0.1, shape).astype(dtype)


class Quantizing(Case):
    """One whose result has the type of its zero point."""

    def type_of(self, output):
        return self.inputs["zero"].dtype


def n_bits():
    def case(k, n, bits, block, zero=None, bias=False, dtype=F32, lead=(2, 3), flat=False):
        blocks = -(-k // block)
        points = {
            None: lambda: None,
            "packed": lambda: integers(n, -(-blocks * bits // 8), dtype=U8),
            "float": lambda: random.uniform(0, 1 << bits, (n, blocks)).astype(dtype),
        }[zero]()
        inputs = {
            "a": floats(*lead, k, dtype=dtype), "b": integers(n, blocks, block * bits // 8, dtype=U8),
            "scales": scales(n, blocks, dtype=dtype), "zero": points, "groups": None,
            "bias": floats(n, dtype=dtype) if bias else None,
        }  # fmt: skip
        if flat:
            for name in ("scales", "zero"):
                inputs[name] = None if inputs[name] is None else inputs[name].reshape(-1)
        names = [name for name in ("b", "scales", "zero", "bias") if inputs[name] is not None]
        return Case("MatMulNBits", inputs, weights=names, K=k, N=n, bits=bits, block_size=block)

    for bits in (2, 4, 8):
        yield case(64, 24, bits, 32)
        yield case(64, 24, bits, 32, "packed", bias=True)
        # Neither blocks nor zero points fill up what they are packed in.
        yield case(72, 7, bits, 16, "packed")
        yield case(72, 7, bits, 16, "packed", flat=True)
    for zero in (None, "packed", "float"):
        yield case(64, 8, 4, 16, zero, lead=(5,))
        yield case(64, 8, 4, 16, zero, dtype=F16)
    yield case(128, 8, 4, 128, "packed", lead=(1,))


def integer_products():
    for a in (U8, I8):
        for b in (U8, I8):
            if (a, b) == (I8, U8):
                continue  # onnxruntime has none
            for columns in ((), (4,)):
                full = {
                    "a": integers(2, 3, 5, dtype=a), "b": weights_of(5, 4, dtype=b, other=a),
                    "scale_a": scales(), "scale_b": scales(*columns),
                    "zero_a": integers(dtype=a), "zero_b": integers(*columns, dtype=b), "bias": floats(4),
                }  # fmt: skip
                for weights in ((), ("b", "scale_b", "zero_b", "bias")):
                    yield Case("MatMulIntegerToFloat", full, weights=weights)
                yield Case("MatMulIntegerToFloat", full | {"zero_a": None, "zero_b": None, "bias": None}, weights=("b",))
    for b in (U8, I8):
        for columns in ((), (4,)):
            full = {
                "a": floats(2, 3, 5), "b": weights_of(5, 4, dtype=b, other=U8), "scale_b": scales(*columns),
                "zero_b": integers(*columns, dtype=b), "bias": floats(4),
            }  # fmt: skip
            for weights in ((), ("b", "scale_b", "zero_b", "bias")):
                yield Case("DynamicQuantizeMatMul", full, weights=weights)
            yield Case("DynamicQuantizeMatMul", full | {"zero_b": None, "bias": None}, weights=("b", "scale_b"))


def quantizing():
    for dtype in (U8, I8):
        for columns in ((), (4,)):
            inputs = {
                "a": integers(2, 3, 5, dtype=dtype), "scale_a": scales(), "zero_a": integers(dtype=dtype),
                "b": weights_of(5, 4, dtype=I8, other=dtype), "scale_b": scales(*columns),
                "zero_b": integers(*columns, dtype=I8), "scale": np.array(0.9, F32), "zero": np.array(7, dtype),
            }  # fmt: skip
            weights = [name for name in inputs if name != "a"]
            yield Quantizing("QLinearMatMul", inputs, weights=weights, domain="")


def attention():
    """Two heads of four channels, with all the ways in which onnxruntime takes masks and what was before."""
    batch, sequence, width = 2, 3, 8
    for weight in (U8, I8):
        for columns in ((), (3 * width,)):
            inputs = {
                "x": integers(batch, sequence, width, dtype=U8),
                "w": weights_of(width, 3 * width, dtype=weight, other=U8), "bias": floats(3 * width),
                "scale_x": np.asarray(scales() / 16), "scale_w": np.asarray(scales(*columns) / 16), "mask": None,
                "zero_x": np.array(120, U8), "zero_w": integers(*columns, dtype=weight), "past": None,
            }  # fmt: skip
            weights = ("w", "bias", "scale_w", "zero_w")
            yield Case("QAttention", inputs, weights=weights, num_heads=2)
            yield Case("QAttention", inputs, weights=weights, num_heads=2, unidirectional=1)
            ends = np.array([2, 3], np.int32)
            yield Case("QAttention", inputs | {"mask": ends}, weights=weights, num_heads=2)
            past = floats(2, batch, 2, 5, width // 2)
            yield Case("QAttention", inputs | {"past": past}, ("y", "present"), weights, num_heads=2, unidirectional=1)


class Integers(Case):
    def type_of(self, output):
        return np.dtype(np.int32)


def extremes():
    """Integers of all bits, which ONNX's own implementation multiplies exactly."""
    for a in (U8, I8):
        for b in (U8, I8):
            for x in (np.iinfo(a).min, np.iinfo(a).max):
                for y in (np.iinfo(b).min, np.iinfo(b).max):
                    inputs = {"a": np.full((2, 70), x, a), "b": np.full((70, 3), y, b)}
                    yield Integers("MatMulInteger", inputs, weights=("b",), domain="")
            inputs = {"a": integers(2, 70, dtype=a), "b": integers(70, 3, dtype=b)}
            yield Integers("MatMulInteger", inputs | {"zero": integers(dtype=a)}, weights=("b",), domain="")


def cases():
    for family in (n_bits, integer_products, quantizing, attention):
        yield from family()


def exactly(path, inputs):
    return onnx.reference.ReferenceEvaluator(path).run(None, inputs)


if __name__ == "__main__":
    differences = run(sys.argv[1], cases(), evaluate) + run(sys.argv[1], extremes(), exactly)
    sys.exit(1 if differences else 0)
