# ===- compare_microsoft.py - Ops of com.microsoft against onnxruntime ------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#   python compare_microsoft.py DIRECTORY
#
# ===------------------------------------------------------------------------===#
import sys

import numpy as np
import onnxruntime
from compare import F16, F32, Case, floats, random, run


def cases():
    for dtype in (F32, F16):
        x, bias = floats(2, 3, 8, dtype=dtype), floats(8, dtype=dtype)
        yield Case("FastGelu", {"x": x})
        yield Case("FastGelu", {"x": x, "bias": bias})
        if dtype == F32:  # onnxruntime has no others on CPUs
            yield Case("Gelu", {"x": x})
            yield Case("BiasGelu", {"x": x, "bias": bias})
            yield Case("QuickGelu", {"x": x})
            yield Case("QuickGelu", {"x": x}, alpha=1.0)
            yield Case("QuickGelu", {"x": x}, alpha=-0.3)
        for op, biased in (("SkipLayerNormalization", 4), ("SkipSimplifiedLayerNormalization", 3)):
            names = ["x", "skip", "gamma", "beta", "bias"] if biased == 4 else ["x", "skip", "gamma", "bias"]
            sizes = {"x": (2, 3, 8), "skip": (2, 3, 8), "gamma": (8,), "beta": (8,), "bias": (8,)}
            full = {name: floats(*sizes[name], dtype=dtype) for name in names}
            weights = names[2:]
            yield Case(op, full, weights=weights, same=("x", "skip"))
            yield Case(op, full, ("y", "", "", "sum"))
            yield Case(op, full | {"bias": None}, epsilon=0.1)
            yield Case(op, full | {"skip": floats(1, 3, 8, dtype=dtype)})
            yield Case(op, full | {"skip": floats(3, 8, dtype=dtype)}, ("y", "", "", "sum"))
            yield Case(op, full | {"x": floats(5, 8, dtype=dtype), "skip": floats(5, 8, dtype=dtype)})
            if biased == 4:
                yield Case(op, full | {"beta": None})
    for trans_a in (0, 1):
        for trans_b in (0, 1):
            a = floats(2, 5, 3) if trans_a else floats(2, 3, 5)
            b = floats(4, 5) if trans_b else floats(5, 4)
            for weights in ((), ("b",)):
                yield Case("FusedMatMul", {"a": a, "b": b}, weights=weights, transA=trans_a, transB=trans_b, alpha=0.5)
            # With the first dimension and the batch exchanged: [m, batch, k].
            a = floats(*((5, 2, 3) if trans_a else (3, 2, 5)))
            b = floats(*((4, 2, 5) if trans_b else (5, 2, 4)))
            yield Case("FusedMatMul", {"a": a, "b": b}, transA=trans_a, transB=trans_b, transBatchA=1, transBatchB=1)
    yield Case("FusedMatMul", {"a": floats(5), "b": floats(5, 4)}, transA=1)
    for axis in (-1, 1, 0):
        x = floats(2, 3, 4)
        yield Case("SimplifiedLayerNormalization", {"x": x, "scale": floats(*x.shape[axis:])}, domain="", axis=axis)
    ids = random.integers(0, 10, (2, 4)).astype(np.int32)
    kinds = random.integers(0, 2, (2, 4)).astype(np.int32)
    mask = np.array([[1, 1, 0, 0], [1, 1, 1, 0]], np.int32)
    embedding = {
        "ids": ids, "kinds": kinds, "words": floats(10, 8), "positions": floats(6, 8), "segments": floats(2, 8),
        "gamma": floats(8), "beta": floats(8), "mask": mask,
        "position_ids": random.integers(0, 6, (2, 4)).astype(np.int32),
    }  # fmt: skip
    tables = ("words", "positions", "segments", "gamma", "beta")
    op, both = "EmbedLayerNormalization", ("y", "mask_index")
    given = ("ids", "kinds", "mask", "position_ids")
    yield Case(op, embedding, ("y", "mask_index", "sum"), weights=tables, same=given)
    yield Case(op, embedding | {"position_ids": None}, both, weights=tables, same=given, epsilon=0.1)
    yield Case(op, embedding | {"mask": None, "position_ids": None}, both, weights=tables, same=given)
    yield Case(op, embedding | {"kinds": None, "segments": None, "mask": None}, both, weights=tables, same=given)
    yield Case(op, embedding | {"position_ids": np.array([[3, 1, 0, 5]], np.int32)}, both, weights=tables, same=given)


def evaluate(path, inputs):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return session.run(None, inputs)


if __name__ == "__main__":
    sys.exit(1 if run(sys.argv[1], cases(), evaluate) else 0)
