# ===- compare_microsoft.py - Ops of com.microsoft against onnxruntime ------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#   python compare_microsoft.py DIRECTORY
#
# Models of one node each, with random inputs: compiled into one library, static and
# with every dimension a symbol, and compared with what onnxruntime computes.
#
# ===------------------------------------------------------------------------===#
import os
import subprocess
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import helper

import attn

F32, F16 = np.float32, np.float16


class Case:
    def __init__(self, op, inputs, outputs=("y",), weights=(), domain="com.microsoft", same=(), **attributes):
        """`inputs`: arrays by name, None where one isn't given. `same`: names of inputs whose dimensions have common
        names."""
        self.op, self.inputs, self.outputs, self.weights = op, inputs, outputs, weights
        self.domain, self.same, self.attributes = domain, same, attributes

    def model(self, dynamic):
        node = helper.make_node(
            self.op, [name if array is not None else "" for name, array in self.inputs.items()], list(self.outputs),
            name="node", domain=self.domain, **self.attributes,
        )  # fmt: skip
        values, initializers = [], []
        for name, array in self.inputs.items():
            if array is None:
                continue
            if name in self.weights:
                initializers.append(onnx.numpy_helper.from_array(array, name))
                continue
            shape = list(array.shape)
            if dynamic:
                prefix = "same" if name in self.same else name
                # What meets a weight has its size.
                fixed = {1, *(size for weight in self.weights for size in np.shape(self.inputs[weight]))}
                shape = [size if size in fixed else f"{prefix}_{i}" for i, size in enumerate(shape)]
            values.append(helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(array.dtype), shape))
        results = [helper.make_empty_tensor_value_info(name) for name in self.outputs if name]
        for result in results:  # the type is inferred by onnxruntime; any will do for the importer
            result.type.tensor_type.elem_type = helper.np_dtype_to_tensor_dtype(self.type_of(result.name))
        graph = helper.make_graph([node], "graph", values, results, initializers)
        opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=8)

    def type_of(self, output):
        if output == "mask_index":
            return np.dtype(np.int32)
        return next(a.dtype for a in self.inputs.values() if a is not None and a.dtype.kind == "f")

    def feeds(self):
        return {name: a for name, a in self.inputs.items() if a is not None and name not in self.weights}


random = np.random.default_rng(3)


def floats(*shape, dtype=F32):
    return random.standard_normal(shape).astype(dtype)


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


def main(directory):
    os.makedirs(directory, exist_ok=True)
    todo, paths = [], []
    for i, case in enumerate(cases()):
        for shapes in ("static", "dynamic"):
            name = f"{case.op}_{i}_{shapes}"
            paths.append(os.path.join(directory, name + ".onnx"))
            onnx.save(case.model(shapes == "dynamic"), paths[-1])
            todo.append((name, case))
    library = os.path.join(directory, "libnodes.so")
    attnc = os.path.join(os.environ["ATTN_BUILD_DIR"], "bin", "attnc")
    subprocess.run([attnc, *paths, "-o", library, "--quiet"], check=True)
    loaded = attn.load(library)
    failed = 0
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    for path, (name, case) in zip(paths, todo):
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        expected = session.run(None, case.feeds())
        actual = loaded.entries[name](*case.feeds().values())
        for i, array in enumerate(expected):
            got = np.asarray(actual[i])
            tolerance = 5e-3 if array.dtype == F16 else 2e-5
            if got.dtype != array.dtype or got.shape != array.shape:
                print(f"{name}: output {i} is {got.dtype}{got.shape}, expected {array.dtype}{array.shape}")
                failed += 1
            elif not np.allclose(got, array, rtol=tolerance, atol=tolerance):
                off = np.abs(got.astype(np.float64) - array.astype(np.float64)).max()
                print(f"{name} {case.attributes}: output {i} is off by {off:.3g}")
                failed += 1
    print(f"{len(todo)} models, {failed} differences")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
