# ===- decomposed_norms.py - Norms as exporters wrote them ------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#   python decomposed_norms.py DIRECTORY
#
# Each form of the formulas is one attn.layer_norm or attn.rms_norm, with the numbers
# of float64; what only looks like it stays what it is.
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
          of_input=False, rms=False):  # fmt: skip
    """`shift`: 0 for none, 2 before the product. `of_input`: the root mean square of x itself divides. `rms`: no mean is
    subtracted."""
    rows, squared = "x" if rms else "d", "x" if of_input or rms else "d"
    constants = {"two": np.float32(2), "epsilon": np.float32(epsilon)}
    constants["w"] = rng.standard_normal(CHANNELS).astype(np.float32)
    constants["b"] = rng.standard_normal(CHANNELS).astype(np.float32)
    make = helper.make_node
    nodes = [
        *([] if rms else [make("ReduceMean", ["x"], ["m"], axes=[axis], keepdims=1), make("Sub", ["x", "m"], ["d"])]),
        make("Pow", [squared, "two"], ["p"]) if power else make("Mul", [squared, squared], ["p"]),
        make("ReduceMean", ["p"], ["v"], axes=[axis], keepdims=1),
        make("Add", ["v", "epsilon"], ["e"]),
        make("Sqrt", ["e"], ["s"]),
        *([make("Reciprocal", ["s"], ["r"]), make("Mul", ["r", rows], ["q"])] if inverse else [make("Div", [rows, "s"], ["q"])]),
        make("Mul", ["w", "q"] if scale_first else ["q", "w"], ["z"]),
        make("Add", ["b", "z"] if shift == 2 else ["z", "b"], ["y"]) if shift else make("Identity", ["z"], ["y"]),
    ]
    info = helper.make_tensor_value_info
    shape = ["a", "c", "n"][: rank - 1] + [CHANNELS]
    initializers = [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "norm", [info("x", TensorProto.FLOAT, shape)], [info("y", TensorProto.FLOAT, shape)], initializers)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)]), path)
    return constants


def expected(x, constants, shift=1, axis=-1, of_input=False, rms=False):
    x = x.astype(np.float64)
    d = x if rms else x - x.mean(axis=axis, keepdims=True)
    squares = (x if of_input else d) ** 2
    y = d / np.sqrt(squares.mean(axis=axis, keepdims=True) + constants["epsilon"].astype(np.float64)) * constants["w"]
    return y + constants["b"] if shift else y


def main(directory):
    os.makedirs(directory, exist_ok=True)
    attnc = os.path.join(os.environ["ATTN_BUILD_DIR"], "bin", "attnc")
    rng = np.random.default_rng(6)
    path, library = os.path.join(directory, "norm.onnx"), os.path.join(directory, "libnorm.so")
    either, keys = (False, True), ("rank", "power", "inverse", "scale_first", "shift", "rms")
    forms = [("layer_norm", dict(zip(keys, form))) for form in itertools.product((1, 3), either, either, either, (0, 1, 2), [False])]
    forms += [("rms_norm", dict(zip(keys, form))) for form in itertools.product((1, 3), either, either, either, [0], [True])]
    forms += [(None, form) for form in (dict(axis=0), dict(epsilon=0.0), dict(of_input=True), dict(axis=0, rms=True))]
    worst, wrong = 0.0, 0
    for norm, form in forms:
        constants = write(path, rng, **form)
        command = [attnc, path, "--quiet"]
        text = subprocess.run([*command, "--compile-to=fuse", "--emit=mlir", "-o", "-"], check=True, capture_output=True, text=True).stdout
        counts = {name: text.count(f"attn.{name}") for name in ("layer_norm", "rms_norm")}
        if counts != {name: int(name == norm) for name in counts} or (norm and "linalg.generic" in text):
            print(f"FAILED {form}: {counts}")
            wrong += 1
        subprocess.run([*command, "-o", library], check=True)
        x = (3 * rng.standard_normal((2, 3, CHANNELS)[-form.get("rank", 3) :]) + 5).astype(np.float32)
        want = expected(x, constants, **{key: form[key] for key in ("shift", "axis", "of_input", "rms") if key in form})
        worst = max(worst, float(np.abs(np.asarray(attn.load(library)(x)[0]) - want).max()))
    print(f"{len(forms)} forms, {wrong} wrong, largest difference {worst:.1e}")
    assert worst < 2e-5 and not wrong


if __name__ == "__main__":
    main(sys.argv[1])
