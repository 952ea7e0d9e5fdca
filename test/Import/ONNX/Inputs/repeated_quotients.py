# ===- repeated_quotients.py - Dimensions that are 1 at run time only --------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#   python repeated_quotients.py DIRECTORY
#
# What a reshape leaves over is a quotient of the input's size. Where it is 1, it is
# repeated like any dimension of that size; else it must fit what it meets.
#
# ===------------------------------------------------------------------------===#
import os
import subprocess
import sys

import numpy as np
import onnx
from onnx import TensorProto as T
from onnx import helper

import attn


def model(inputs, reshaped, fixed):
    """z = the sum of all, each of `reshaped` as [4, -1] first; `fixed` are other inputs with their shapes."""
    nodes, terms = [], list(fixed)
    for name in reshaped:
        nodes.append(helper.make_node("Reshape", [name, "shape"], [name + "_rows"]))
        terms.append(name + "_rows")
    last = terms[0]
    for i, term in enumerate(terms[1:]):
        last, left = f"sum{i}", last
        nodes.append(helper.make_node("Add", [left, term], [last]))
    nodes.append(helper.make_node("Identity", [last], ["z"]))
    values = [helper.make_tensor_value_info(name, T.FLOAT, shape) for name, shape in inputs.items()]
    graph = helper.make_graph(nodes, "graph", values, [helper.make_tensor_value_info("z", T.FLOAT, None)],
                              [onnx.numpy_helper.from_array(np.array([4, -1]), "shape")])  # fmt: skip
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)])


def main(directory):
    os.makedirs(directory, exist_ok=True)
    models = {
        # A size of the caller's, a number, and another quotient.
        "named": model({"x": ["n"], "y": [4, "m"]}, ["x"], ["y"]),
        "number": model({"x": ["n"], "y": [4, 5]}, ["x"], ["y"]),
        "quotient": model({"x": ["n"], "w": ["k"], "y": [4, "m"]}, ["x", "w"], ["y"]),
    }
    paths = []
    for name, value in models.items():
        paths.append(os.path.join(directory, name + ".onnx"))
        onnx.save(value, paths[-1])
    library = os.path.join(directory, "libquotients.so")
    attnc = os.path.join(os.environ["ATTN_BUILD_DIR"], "bin", "attnc")
    subprocess.run([attnc, *paths, "-o", library, "--quiet"], check=True)
    entries, random = attn.load(library).entries, np.random.default_rng(5)
    runs = refused = 0
    cases = [("named", (4, 3)), ("named", (12, 3)), ("named", (4, 1)), ("number", (4, 5)), ("number", (20, 5)),
             ("quotient", (4, 12, 3)), ("quotient", (12, 4, 3)), ("quotient", (12, 12, 3)), ("quotient", (4, 4, 3)),
             ("quotient", (4, 4, 1)), ("named", (8, 3)), ("number", (8, 5)), ("quotient", (8, 12, 3)),
             ("quotient", (12, 8, 3))]  # fmt: skip
    for name, sizes in cases:
        *flat, columns = sizes
        arrays = [random.standard_normal(size).astype(np.float32) for size in flat]
        arrays.append(random.standard_normal((4, columns)).astype(np.float32))
        try:
            expected = sum([a.reshape(4, -1) for a in arrays[:-1]], arrays[-1])
        except ValueError:
            try:
                entries[name](*arrays)
                print(f"{name} {sizes}: no error")
            except attn.Error as error:
                refused += error.code == "SHAPE"
            continue
        actual = entries[name](*arrays)[0]
        same = actual.shape == expected.shape and np.allclose(actual, expected, rtol=1e-6, atol=1e-6)
        print(end="" if same else f"{name} {sizes}: {actual} instead of {expected}\n")
        runs += same
    print(f"{runs} right, {refused} refused")


if __name__ == "__main__":
    main(sys.argv[1])
