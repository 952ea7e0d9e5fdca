# ===- attention.py - An attention kernel on the simulator, against float64 -===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#   python attention.py SIM DIRECTORY VARIANT
#
# VARIANT is an entry of DIRECTORY/kernels.json, which gpu_kernels.py wrote, that uses mma.sync.
#
# ===------------------------------------------------------------------------===#
import json
import math
import os
import subprocess
import sys

import numpy as np


def to_bits(x, dtype):
    """16 bits of each element, rounded to nearest even."""
    if dtype == "f16":
        return x.astype(np.float16).view(np.uint16)
    bits = x.astype(np.float32).view(np.uint32)
    return ((bits + 0x7FFF + (bits >> 16 & 1)) >> 16).astype(np.uint16)


def from_bits(bits, dtype):
    if dtype == "f16":
        return bits.view(np.float16).astype(np.float64)
    return (bits.astype(np.uint32) << 16).view(np.float32).astype(np.float64)


def main(simulator, directory, name):
    entry = next(e for e in json.load(open(os.path.join(directory, "kernels.json"))) if e["name"] == name)
    launch, dtype, channels = entry["launch"], entry["dtype"], entry["head_size"]
    batch, heads, key_heads, rows, keys = 1, 2, 1, 77, 77 if entry["causal"] else 130
    random = np.random.default_rng(1)
    shapes = {"query": (batch, heads, rows, channels), "key": (batch, key_heads, keys, channels)}
    shapes |= {"value": shapes["key"], "output": shapes["query"]}
    bits = {n: to_bits(random.standard_normal(shapes[n]), dtype) for n in ("query", "key", "value")}
    scale = 1 / math.sqrt(channels)
    integers = {"query_length": rows, "key_length": keys, "batch": batch, "heads": heads}
    integers |= {"heads_per_key_head": heads // key_heads, "heads_together": 1}
    arguments, dumps = [], {}
    for argument in launch["arguments"]:
        kind = argument["kind"]
        tensor = kind.removesuffix("_strides")
        if kind in bits:
            path = os.path.join(directory, kind + ".bin")
            bits[kind].tofile(path)
            arguments.append("@" + path)
        elif kind in ("output", "log_sum_exp"):
            dumps[kind] = len(arguments)
            arguments.append(f"buffer:{batch * heads * rows * (2 * channels if kind == 'output' else 4)}")
        elif tensor in shapes:
            _, h, length, d = shapes[tensor]
            arguments += [h * length * d, length * d, d]
        elif kind == "scale":
            arguments.append(repr(scale * math.log2(math.e)))
        else:
            arguments.append(integers[kind])
    tiles = -(-rows // launch["query_block"]) * heads * batch
    command = [simulator, os.path.join(directory, name + ".ptx"), f"--grid={tiles}", f"--block={launch['threads']}"]
    command += [f"--shared={launch['shared_bytes']}"] + [f"--arg={a}" for a in arguments]
    command += [f"--dump={index}={os.path.join(directory, kind + '.out')}" for kind, index in dumps.items()]
    subprocess.run(command, check=True)

    q, k, v = (from_bits(bits[n], dtype) for n in ("query", "key", "value"))
    k, v = (np.repeat(x, heads // key_heads, axis=1) for x in (k, v))
    scores = q @ k.swapaxes(-1, -2) * scale
    if entry["causal"]:
        scores = np.where(np.tril(np.ones((rows, keys), bool)), scores, -np.inf)
    sums = np.log(np.exp(scores).sum(-1))
    expected = np.exp(scores - sums[..., None]) @ v
    output = np.fromfile(os.path.join(directory, "output.out"), np.uint16)
    error = np.abs(from_bits(output, dtype).reshape(expected.shape) - expected).max()
    # Probabilities and outputs are rounded to 16 bits: half a unit of the largest of either, twice.
    unit = 2.0**-8 if dtype == "bf16" else 2.0**-11
    print(f"largest error {error:.2e}, allowed {2 * unit * np.abs(v).max():.2e}")
    assert error <= 2 * unit * np.abs(v).max()
    if "log_sum_exp" in dumps:
        lse = np.fromfile(os.path.join(directory, "log_sum_exp.out"), np.float32).reshape(sums.shape)
        assert np.abs(lse - sums).max() <= 1e-5, np.abs(lse - sums).max()
    print("agrees")


if __name__ == "__main__":
    main(*sys.argv[1:])
