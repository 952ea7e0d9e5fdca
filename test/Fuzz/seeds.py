# ===- seeds.py - What the fuzzers start from -------------------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#   python seeds.py DIRECTORY
#
# DIRECTORY/onnx: the models of ONNX's node tests that are small; DIRECTORY/safetensors:
# headers of every kind; DIRECTORY/config: the config.json of every family.
#
# ===------------------------------------------------------------------------===#
import json
import os
import sys
import warnings

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "benchmarks"))

import families  # noqa: E402


def write(directory, name, data):
    os.makedirs(directory, exist_ok=True)
    with open(os.path.join(directory, name), "wb") as file:
        file.write(data)


def safetensors(tensors, padding=b""):
    header = json.dumps(tensors).encode() + padding
    end = max((t["data_offsets"][1] for t in tensors.values() if "data_offsets" in t), default=0)
    return len(header).to_bytes(8, "little") + header + bytes(end)


def main(directory):
    warnings.simplefilter("ignore")
    from onnx.backend.test.loader import load_node_model_tests

    for test in load_node_model_tests():
        data = test.model.SerializeToString()
        if len(data) < 4096:
            write(os.path.join(directory, "onnx"), test.name, data)
    one = {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}
    for name, tensors in {
        "one": {"a": one},
        "two": {"a": one, "b": {"dtype": "I64", "shape": [], "data_offsets": [24, 32]}},
        "empty": {},
        "metadata": {"__metadata__": {"format": "pt"}, "a": one},
        "half": {"a": {"dtype": "BF16", "shape": [0, 5], "data_offsets": [0, 0]}},
    }.items():
        write(os.path.join(directory, "safetensors"), name, safetensors(tensors))
        write(os.path.join(directory, "safetensors"), name + "-padded", safetensors(tensors, b"   "))
    for i, (family, task, changes) in enumerate(families.variants()):
        config = json.dumps({**families.config_of(family, task), **changes}).encode()
        write(os.path.join(directory, "config"), f"{i}-{family}", config)


if __name__ == "__main__":
    main(sys.argv[1])
