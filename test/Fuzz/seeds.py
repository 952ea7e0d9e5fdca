# ===- seeds.py - What the fuzzers start from -------------------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#   python seeds.py DIRECTORY
#
# DIRECTORY/onnx: the models of ONNX's node tests that are small; DIRECTORY/safetensors:
# headers of every kind; DIRECTORY/config: a directory of every family as
# ModelDirectory.h says, some of them sharded or sentence encoders; DIRECTORY/mlir: the
# parts of the tests' MLIR files; DIRECTORY/runtime: random bytes. Exits 77 without the package onnx.
#
# ===------------------------------------------------------------------------===#
import glob
import json
import os
import random
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


def checkpoint(shapes):
    return "".join(" ".join([name, "F32", *map(str, shape)]) + "\n" for name, shape in shapes.items())


def model_directory(config, kind):
    shapes = families.shapes_of(config)
    files = {"config.json": json.dumps(config) + "\n"}
    if kind == "sharded":
        names = sorted(shapes)
        shards = {f"model-0000{i + 1}-of-00002.safetensors": names[i::2] for i in range(2)}
        index = {"metadata": {}, "weight_map": {name: shard for shard, some in shards.items() for name in some}}
        files["model.safetensors.index.json"] = json.dumps(index) + "\n"
        for shard, some in shards.items():
            files[shard] = checkpoint({name: shapes[name] for name in some})
    else:
        files["model.safetensors"] = checkpoint(shapes)
    if kind == "sentence":
        modules = [("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Normalize", "Normalize")]
        files["modules.json"] = json.dumps(
            [{"idx": i, "name": str(i), "path": path, "type": "sentence_transformers.models." + type}
             for i, (path, type) in enumerate(modules)]
        ) + "\n"  # fmt: skip
        pooling = {"word_embedding_dimension": config["hidden_size"], "pooling_mode_mean_tokens": True}
        files["1_Pooling/config.json"] = json.dumps(pooling) + "\n"
    return "".join(f"=== {name}\n{text}" for name, text in files.items()).encode()


def main(directory):
    warnings.simplefilter("ignore")
    try:
        from onnx.backend.test.loader import load_node_model_tests
    except ImportError:
        sys.exit(77)

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
        config = {**families.config_of(family, task, layers=1, hidden=8, heads=2, inner=12), **changes}
        kinds = ["plain", "sharded"] + ["sentence"] * (not task and "hidden_size" in config)
        write(os.path.join(directory, "config"), f"{i}-{family}", model_directory(config, kinds[i % len(kinds)]))
    for path in sorted(glob.glob(os.path.join(HERE, "..", "**", "*.mlir"), recursive=True)):
        with open(path, encoding="utf-8") as file:
            parts = file.read().split("// -----")
        for i, part in enumerate(parts):
            code = "\n".join(line for line in part.splitlines() if not line.lstrip().startswith("//"))
            if 0 < len(code.strip()) < 4096:
                name = os.path.relpath(path, os.path.join(HERE, "..")).replace(os.sep, "-")
                write(os.path.join(directory, "mlir"), f"{name}-{i}", code.encode())
    for i in range(64):
        write(os.path.join(directory, "runtime"), str(i), random.Random(i).randbytes(96))


if __name__ == "__main__":
    main(sys.argv[1])
