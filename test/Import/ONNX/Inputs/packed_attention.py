# ===- packed_attention.py - PackedAttention against its description --------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#   python packed_attention.py DIRECTORY
#
# onnxruntime has no kernel for it on CPUs, so each sequence's attention is computed
# here by itself, in float64.
#
# ===------------------------------------------------------------------------===#
import os
import subprocess
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper

import attn

CHANNELS = 6


def expected(values, heads, sizes, scale):
    x, w, b = (values[name].astype(np.float64) for name in ("input", "weights", "bias"))
    q, k, v = np.split(x @ w + b, np.cumsum(sizes)[:2], axis=1)
    out = np.zeros_like(v)
    ends = values["cumulative_sequence_length"]
    for sequence, (begin, end) in enumerate(zip(ends[:-1], ends[1:])):
        for head in range(heads):
            part = lambda a: np.split(a[begin:end], heads, axis=1)[head]  # noqa: E731
            scores = part(q) @ part(k).T * (scale or (sizes[0] // heads) ** -0.5)
            if "attention_bias" in values:
                bias = values["attention_bias"]
                scores += bias[min(sequence, len(bias) - 1), min(head, bias.shape[1] - 1), : end - begin, : end - begin]
            weights = np.exp(scores - scores.max(axis=-1, keepdims=True, initial=-np.inf))
            result = weights / weights.sum(axis=-1, keepdims=True) @ part(v)
            part(out)[...] = result
    return out


def inputs_of(rng, lengths, longest, sizes, bias_shape):
    ends = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    real = np.arange(longest)[None] < np.array(lengths, int)[:, None]
    places = np.arange(real.size).reshape(real.shape)
    values = {
        "input": rng.standard_normal((ends[-1], CHANNELS)).astype(np.float32),
        "weights": rng.standard_normal((CHANNELS, sum(sizes))).astype(np.float32),
        "bias": rng.standard_normal(sum(sizes)).astype(np.float32),
        "token_offset": np.concatenate([places[real], places[~real]]).reshape(real.shape).astype(np.int32),
        "cumulative_sequence_length": ends,
    }
    if bias_shape:
        batch, heads = bias_shape
        shape = (batch or len(lengths), heads, longest, longest)
        values["attention_bias"] = rng.standard_normal(shape).astype(np.float32)
    return values


def write(path, heads, sizes, given, scale, bias_shape, static):
    free = {"input": ["tokens", CHANNELS], "weights": [CHANNELS, sum(sizes)], "bias": [sum(sizes)],
            "token_offset": ["batch", "longest"], "cumulative_sequence_length": ["ends"]}  # fmt: skip
    if bias_shape:
        free["attention_bias"] = [bias_shape[0] or "batch", bias_shape[1], "longest", "longest"]
    shapes = static or free
    ints = ("token_offset", "cumulative_sequence_length")
    infos = [helper.make_tensor_value_info(name, TensorProto.INT32 if name in ints else TensorProto.FLOAT, shape)
             for name, shape in shapes.items()]  # fmt: skip
    attributes = {"num_heads": heads} | ({"qkv_hidden_sizes": sizes} if given else {}) | ({"scale": scale} if scale else {})
    node = helper.make_node("PackedAttention", list(shapes), ["y"], domain="com.microsoft", **attributes)
    output = helper.make_tensor_value_info("y", TensorProto.FLOAT, [shapes["input"][0], sizes[2]])
    opsets = [helper.make_opsetid("", 20), helper.make_opsetid("com.microsoft", 1)]
    onnx.save(helper.make_model(helper.make_graph([node], "packed", infos, [output]), opset_imports=opsets), path)


def main(directory):
    os.makedirs(directory, exist_ok=True)
    attnc = os.path.join(os.environ["ATTN_BUILD_DIR"], "bin", "attnc")
    rng = np.random.default_rng(4)
    count, worst = 0, 0.0
    cases = [
        (2, [8, 8, 8], False, None, None, False),
        (2, [8, 8, 12], True, 0.3, None, False),
        (3, [6, 6, 6], False, None, (0, 3), False),
        (2, [8, 8, 8], True, None, (1, 1), False),
        (2, [8, 8, 8], False, None, (1, 2), True),
    ]
    for number, (heads, sizes, given, scale, bias_shape, is_static) in enumerate(cases):
        runs = [((3, 1, 5), 5), ((4,), 7), ((2, 0, 6, 1), 6), ((0, 0), 3)]
        for lengths, longest in runs[:1] if is_static else runs:
            values = inputs_of(rng, lengths, longest, sizes, bias_shape)
            path = os.path.join(directory, f"packed{number}.onnx")
            library = path.replace(".onnx", ".so")
            if lengths == runs[0][0]:
                static = {name: list(value.shape) for name, value in values.items()} if is_static else None
                write(path, heads, sizes, given, scale, bias_shape, static)
                subprocess.run([attnc, path, "-o", library, "--quiet"], check=True)
            got = np.asarray(attn.load(library)(values)[0])
            want = expected(values, heads, sizes, scale)
            count += 1
            worst = max(worst, float(np.abs(got - want).max(initial=0.0)))
    print(f"{count} runs, largest difference {worst:.1e}")
    assert worst < 2e-5


if __name__ == "__main__":
    main(sys.argv[1])
