# ===- make_node.py - Models of one node --------------------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#   python make_node.py FILE [DOMAIN.]OP@VERSION INPUT... [KEY=VALUE...] [--outputs=N]
#
# An INPUT is a type and a shape, such as f32[2,n], i64[] or f16[?]; with :VALUE a
# constant all of whose elements are that, with :[V,...] these elements; or "-" for
# one that isn't given. Inputs are called a, b, c..., outputs y, y1, ... The VALUE
# of an attribute is a Python literal, or the text itself.
#
# ===------------------------------------------------------------------------===#
import ast
import re
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper

TYPES = {
    "f16": TensorProto.FLOAT16, "f32": TensorProto.FLOAT, "f64": TensorProto.DOUBLE, "bf16": TensorProto.BFLOAT16,
    "i8": TensorProto.INT8, "u8": TensorProto.UINT8, "i16": TensorProto.INT16, "i32": TensorProto.INT32,
    "u32": TensorProto.UINT32, "i64": TensorProto.INT64, "bool": TensorProto.BOOL,
    "e4m3fn": TensorProto.FLOAT8E4M3FN, "e8m0": TensorProto.FLOAT8E8M0, "e2m1": TensorProto.FLOAT4E2M1,
    "i4": TensorProto.INT4, "u2": TensorProto.UINT2,
}  # fmt: skip


def literal(text):
    try:
        return ast.literal_eval(text)
    except (SyntaxError, ValueError):
        return text


def main(path, op, *arguments):
    match = re.fullmatch(r"(?:(.*)\.)?(\w+)@(\d+)", op)
    domain, op, version = match[1] or "", match[2], int(match[3])
    names, values, initializers, attributes, outputs = [], [], [], {}, 1
    for argument in arguments:
        if argument.startswith("--outputs="):
            outputs = int(argument.split("=")[1])
        elif argument == "-":
            names.append("")
        elif match := re.fullmatch(r"(\w+)\[([^\]]*)\](?::(.*))?", argument):
            name = "abcdefghij"[len(names)]
            names.append(name)
            sizes = [size for size in match[2].split(",") if size]
            if match[3] is None:
                shape = [int(size) if size.isdigit() else None if size == "?" else size for size in sizes]
                values.append(helper.make_tensor_value_info(name, TYPES[match[1]], shape))
            else:
                dtype = helper.tensor_dtype_to_np_dtype(TYPES[match[1]])
                shape = [int(size) for size in sizes]
                array = np.broadcast_to(np.array(literal(match[3]), dtype), shape)
                initializers.append(onnx.numpy_helper.from_array(array, name))
        else:
            key, value = argument.split("=", 1)
            attributes[key] = literal(value)
    results = ["y"] + [f"y{i}" for i in range(1, outputs)]
    node = helper.make_node(op, names, results, name="node", domain=domain, **attributes)
    graph = helper.make_graph(
        [node], "graph", values, [helper.make_empty_tensor_value_info(name) for name in results], initializers
    )
    opsets = [helper.make_opsetid(domain, version)] + ([helper.make_opsetid("", 18)] if domain else [])
    with open(path, "wb") as file:
        file.write(helper.make_model(graph, opset_imports=opsets).SerializeToString())


if __name__ == "__main__":
    main(*sys.argv[1:])
