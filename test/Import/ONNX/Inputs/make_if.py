# ===- make_if.py - A model that chooses ------------------------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#   python make_if.py FILE THEN ELSE [--known=0|1]
#
# Branches: "product" is the softmax of x times a weight,
# "sum" gives x + x, "row" a sum over the first dimension, "integers" indices,
# "two" two outputs. The condition is an input, or a constant.
#
# ===------------------------------------------------------------------------===#
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

NODES = {
    "product": [("MatMul", ["x", "w"], "p", {}), ("Softmax", ["p"], "y", {})],
    "sum": [("Add", ["x", "x"], "y", {})],
    "row": [("ReduceSum", ["x", "zero"], "y", {})],
    "integers": [("ArgMax", ["x"], "y", {})],
    "two": [("Add", ["x", "x"], "y", {})],
}


def branch(kind):
    nodes = [
        helper.make_node(op, inputs, [f"{kind}_{output}" if output != "p" else output], name=f"{kind}_{op}", **attributes)
        for op, inputs, output, attributes in NODES[kind]
    ]
    outputs = [f"{kind}_y"] * (2 if kind == "two" else 1)
    return helper.make_graph(nodes, kind, [], [helper.make_empty_tensor_value_info(name) for name in outputs])


def main(path, then, otherwise, known=None):
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 8])]
    weights = [
        numpy_helper.from_array(np.arange(64, dtype=np.float32).reshape(8, 8) / 64, "w"),
        numpy_helper.from_array(np.array([0]), "zero"),
    ]
    if known is None:
        inputs.append(helper.make_tensor_value_info("condition", TensorProto.BOOL, []))
    else:
        weights.append(numpy_helper.from_array(np.array(known == "--known=1"), "condition"))
    node = helper.make_node(
        "If", ["condition"], ["y"], name="node", then_branch=branch(then), else_branch=branch(otherwise)
    )
    graph = helper.make_graph([node], "graph", inputs, [helper.make_empty_tensor_value_info("y")], weights)
    with open(path, "wb") as file:
        file.write(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)]).SerializeToString())


if __name__ == "__main__":
    main(*sys.argv[1:])
