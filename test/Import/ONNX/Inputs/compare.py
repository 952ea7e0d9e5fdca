# ===- compare.py - Models of one node against another implementation -------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Models of one node each, with random inputs: compiled into one library, static and
# with every dimension a symbol, and compared with what something else computes.
#
# ===------------------------------------------------------------------------===#
import os
import subprocess
import sys

import numpy as np
import onnx
from onnx import helper

import attn

F32, F16 = np.float32, np.float16


class Case:
    def __init__(self, op, inputs, outputs=("y",), weights=(), domain="com.microsoft", same=(), opset=17, **attributes):
        """`inputs`: arrays by name, None where one isn't given. `same`: names of inputs whose dimensions have common
        names."""
        self.op, self.inputs, self.outputs, self.weights = op, inputs, outputs, weights
        self.domain, self.same, self.opset, self.attributes = domain, same, opset, attributes

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
                # What meets a weight has its size, or that of an attribute.
                fixed = {1, *(size for weight in self.weights for size in np.shape(self.inputs[weight]))}
                fixed.update(value for value in self.attributes.values() if isinstance(value, int))
                shape = [size if size in fixed else f"{prefix}_{i}" for i, size in enumerate(shape)]
            values.append(helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(array.dtype), shape))
        results = [helper.make_empty_tensor_value_info(name) for name in self.outputs if name]
        for result in results:  # the type is inferred by onnxruntime; attnc needs none
            result.type.tensor_type.elem_type = helper.np_dtype_to_tensor_dtype(self.type_of(result.name))
        graph = helper.make_graph([node], "graph", values, results, initializers)
        opsets = [helper.make_opsetid("", self.opset), helper.make_opsetid("com.microsoft", 1)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=8)

    def type_of(self, output):
        if output == "mask_index":
            return np.dtype(np.int32)
        dtypes = [a.dtype for a in self.inputs.values() if a is not None]
        return next((dtype for dtype in dtypes if dtype.kind == "f"), dtypes[0])

    def feeds(self):
        return {name: a for name, a in self.inputs.items() if a is not None and name not in self.weights}


random = np.random.default_rng(3)


def floats(*shape, dtype=F32):
    return random.standard_normal(shape).astype(dtype)


def compile_all(directory, cases, both):
    """One library of all cases, and the names of their entries: of each case as many as there are forms of shapes."""
    os.makedirs(directory, exist_ok=True)
    names = []
    for i, case in enumerate(cases):
        for shapes in both:
            names.append(f"{case.op}_{i}_{shapes}")
            onnx.save(case.model(shapes == "dynamic"), os.path.join(directory, names[-1] + ".onnx"))
    library = os.path.join(directory, "libnodes.so")
    attnc = os.path.join(os.environ["ATTN_BUILD_DIR"], "bin", "attnc")
    paths = [os.path.join(directory, name + ".onnx") for name in names]
    subprocess.run([attnc, *paths, "-o", library, "--quiet"], check=True)
    return attn.load(library), names


def run(directory, cases, evaluate, both=("static", "dynamic")):
    """`evaluate` computes the outputs from a model's path and its inputs. Returns how many differ."""
    cases = list(cases)
    loaded, names = compile_all(directory, cases, both)
    runs = list(zip(names, (case for case in cases for _ in both)))
    failed = 0
    for name, case in runs:
        expected = evaluate(os.path.join(directory, name + ".onnx"), case.feeds())
        actual = loaded.entries[name](*case.feeds().values())
        for i, array in enumerate(expected):
            got = np.asarray(actual[i])
            tolerance = 5e-3 if array.dtype == F16 else 2e-5
            if got.dtype != array.dtype or got.shape != array.shape:
                print(f"{name}: output {i} is {got.dtype}{got.shape}, expected {array.dtype}{array.shape}")
                failed += 1
            elif not np.allclose(got, array, rtol=tolerance, atol=tolerance, equal_nan=True):
                off = np.abs(got.astype(np.float64) - array.astype(np.float64)).max(initial=0)
                print(f"{name} {case.attributes}: output {i} is off by {off:.3g}")
                failed += 1
    print(f"{len(runs)} models, {failed} differences")
    return failed
