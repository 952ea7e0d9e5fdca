# ===- decomposed_norms.py - Layer norms as exporters wrote them ------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#   python decomposed_norms.py DIRECTORY
#
# Each form of the formula is one attn.layer_norm, with the numbers of float64; what
# only looks like it stays what it is.
#
# ===------------------------------------------------------------------------===#
import itertools
import os
import subprocess
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

import attn

CHANNELS = 20


def write(path, rng, rank=3, power=False, inverse=False, scale_first=False, shift=1, axis=-1, epsilon=1e-5,
          of_input=False):  # fmt: skip
    """`shift`: 0 for none, 2 before the product. `of_input`: the root mean square of x itself divides."""
    squared = "x" if of_input else "d"
    constants = {"two": np.float32(2), "epsilon": np.float32(epsilon)}
    constants["w"] = rng.standard_normal(CHANNELS).astype(np.float32)
    constants["b"] = rng.standard_normal(CHANNELS).astype(np.float32)
    make = helper.make_node
    nodes = [
        make("ReduceMean", ["x"], ["m"], axes=[axis], keepdims=1),
        make("Sub", ["x", "m"], ["d"]),
        make("Pow", [squared, "two"], ["p"]) if power else make("Mul", [squared, squared], ["p"]),
        make("ReduceMean", ["p"], ["v"], axes=[axis], keepdims=1),
        make("Add", ["v", "epsilon"], ["e"]),
        make("Sqrt", ["e"], ["s"]),
        *([make("Reciprocal", ["s"], ["r"]), make("Mul", ["r", "d"], ["q"])] if inverse else [make("Div", ["d", "s"], ["q"])]),
        make("Mul", ["w", "q"] if scale_first else ["q", "w"], ["z"]),
        make("Add", ["b", "z"] if shift == 2 else ["z", "b"], ["y"]) if shift else make("Identity", ["z"], ["y"]),
    ]
    info = helper.make_tensor_value_info
    shape = ["a", "c", "n"][: rank - 1] + [CHANNELS]
    initializers = [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "norm", [info("x", TensorProto.FLOAT, shape)], [info("y", TensorProto.FLOAT, shape)], initializers)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)]), path)
    return constants


def expected(x, constants, shift, axis=-1, of_input=False):
    x = x.astype(np.float64)
    d = x - x.mean(axis=axis, keepdims=True)
    squares = (x if of_input else d) ** 2
    y = d / np.sqrt(squares.mean(axis=axis, keepdims=True) + constants["epsilon"].astype(np.float64)) * constants["w"]
    return y + constants["b"] if shift else y


def main(directory):
    os.makedirs(directory, exist_ok=True)
    attnc = os.path.join(os.environ["ATTN_BUILD_DIR"], "bin", "attnc")
    rng = np.random.default_rng(6)
    path, library = os.path.join(directory, "norm.onnx"), os.path.join(directory, "libnorm.so")
    forms = [
        (1, dict(rank=rank, power=power, inverse=inverse, scale_first=first, shift=shift))
        for rank, power, inverse, first, shift in itertools.product((1, 3), (False, True), (False, True), (False, True), (0, 1, 2))
    ]
    forms += [(0, dict(axis=0)), (0, dict(epsilon=0.0)), (0, dict(of_input=True))]
    worst, wrong = 0.0, 0
    for norms, form in forms:
        constants = write(path, rng, **form)
        command = [attnc, path, "--quiet"]
        text = subprocess.run([*command, "--compile-to=fuse", "--emit=mlir", "-o", "-"], check=True, capture_output=True, text=True).stdout
        if text.count("attn.layer_norm") != norms or (norms and "linalg.generic" in text):
            print(f"FAILED {form}: {text.count('attn.layer_norm')} layer norms")
            wrong += 1
        subprocess.run([*command, "-o", library], check=True)
        x = (3 * rng.standard_normal((2, 3, CHANNELS)[-form.get("rank", 3) :]) + 5).astype(np.float32)
        want = expected(x, constants, form.get("shift", 1), form.get("axis", -1), form.get("of_input", False))
        worst = max(worst, float(np.abs(np.asarray(attn.load(library)(x)[0]) - want).max()))
    print(f"{len(forms)} forms, {wrong} wrong, largest difference {worst:.1e}")
    assert worst < 2e-5 and not wrong


if __name__ == "__main__":
    main(sys.argv[1])
