# ===- relative_position_bias.py - RelativePositionBias against transformers' formula -===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#   python relative_position_bias.py DIRECTORY
#
# onnxruntime has no kernel for it on CPUs. The bucket of a distance is computed here
# as T5's own code does, with a logarithm.
#
# ===------------------------------------------------------------------------===#
import os
import subprocess
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper

import attn


def bucket(relative, bidirectional, buckets, farthest):
    """Of a key that is `relative` places behind the query (negative: before it)."""
    result = 0
    if bidirectional:
        buckets //= 2
        result = buckets if relative > 0 else 0
        distance = abs(relative)
    else:
        distance = max(-relative, 0)
    exact = buckets // 2
    if distance < exact:
        return result + distance
    shared = np.log(distance / exact) / np.log(farthest / exact) * (buckets - exact)
    return result + min(exact + int(shared + 1e-9), buckets - 1)


def main(directory):
    os.makedirs(directory, exist_ok=True)
    attnc = os.path.join(os.environ["ATTN_BUILD_DIR"], "bin", "attnc")
    count = wrong = 0
    for bidirectional, buckets, farthest in ((1, 32, 128), (0, 32, 128), (1, 8, 20), (0, 5, 7)):
        node = [
            helper.make_node("Shape", ["q"], ["n"], start=0, end=1), helper.make_node("Shape", ["k"], ["m"], start=0, end=1),
            helper.make_node("RelativePositionBias", ["table", "n", "m"], ["y"], domain="com.microsoft",
                             max_distance=farthest, is_bidirectional=bidirectional),
        ]  # fmt: skip
        info = helper.make_tensor_value_info
        inputs = [info("table", TensorProto.FLOAT, [buckets, 3]), info("q", TensorProto.FLOAT, ["n"]), info("k", TensorProto.FLOAT, ["m"])]
        graph = helper.make_graph(node, "bias", inputs, [info("y", TensorProto.FLOAT, [1, 3, "n", "m"])])
        opsets = [helper.make_opsetid("", 20), helper.make_opsetid("com.microsoft", 1)]
        path = os.path.join(directory, f"bias{count}.onnx")
        onnx.save(helper.make_model(graph, opset_imports=opsets), path)
        library = path.replace(".onnx", ".so")
        subprocess.run([attnc, path, "-o", library, "--quiet"], check=True)
        table = np.random.default_rng(2).standard_normal((buckets, 3)).astype(np.float32)
        for n, m in ((5, 300), (300, 5), (1, 0)):
            places = np.array([[bucket(k - q, bidirectional, buckets, farthest) for k in range(m)] for q in range(n)], int)
            expected = table[places.reshape(n, m)].transpose(2, 0, 1)[None]
            got = np.asarray(attn.load(library)(table, np.zeros(n, np.float32), np.zeros(m, np.float32))[0])
            count += 1
            wrong += not np.array_equal(got, expected)
    print(f"{count} runs, {wrong} differ")


if __name__ == "__main__":
    main(sys.argv[1])
