#!/usr/bin/env python3
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes a small random model directory of BERT or another family, right or wrong in one chosen way.

Needs nothing but Python, so that the importer's tests run wherever the compiler is built. The same arguments write the
same bytes.
"""

import argparse
import json
import os
import random
import struct
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
sys.path.insert(0, os.path.join(ROOT, "benchmarks"))
import families  # noqa: E402

SIZES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I8": 1}


def encode(dtype, values):
    """Values as little-endian bytes."""
    if dtype == "BF16":
        bits = [struct.unpack("<I", struct.pack("<f", v))[0] for v in values]
        return struct.pack(f"<{len(bits)}H", *[(b + 0x7FFF + ((b >> 16) & 1)) >> 16 for b in bits])
    code = {"F64": "d", "F32": "f", "F16": "e", "I64": "q", "I8": "b"}[dtype]
    if code in "qb":
        values = [int(v) for v in values]
    return struct.pack(f"<{len(values)}{code}", *values)


def parse_shape(text):
    return [int(size) for size in text.split("x")] if text else []


def random_values(name, count, rng):
    center = 1.0 if name.endswith(("LayerNorm.weight", "LayerNorm.gamma")) else 0.0
    scale = 0.1 if "LayerNorm" in name or name.endswith("bias") else 0.5 if "embeddings" in name else 0.15
    return [center + scale * rng.gauss(0, 1) for _ in range(count)]


def make_tensors(args, config):
    """Tensors as (name, dtype, shape, bytes)."""
    rng = random.Random(args.seed)
    shapes = families.shapes_of(config, args.pooler, args.prefix)
    reshape = dict(item.split("=") for item in args.reshape)
    dtypes = dict(item.split("=") for item in args.tensor_dtype)
    tensors = []
    for name, shape in shapes.items():
        inner = name.removeprefix(args.prefix or "")
        if inner in args.drop:
            continue
        if inner in reshape:
            shape = parse_shape(reshape[inner])
        dtype = dtypes.get(inner, args.dtype)
        count = 1
        for size in shape:
            count *= size
        data = encode(dtype, random_values(name, count, rng))
        if args.old_names:
            name = name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta")
        tensors.append((name, dtype, shape, data))
    for item in args.tensor:
        name, text = item.split("=")
        count = 1
        for size in parse_shape(text):
            count *= size
        tensors.append((name, args.dtype, parse_shape(text), encode(args.dtype, random_values(name, count, rng))))
    if args.position_ids:
        positions = config["max_position_embeddings"]
        name = (args.prefix or "") + "embeddings.position_ids"
        tensors.append((name, "I64", [1, positions], encode("I64", list(range(positions)))))
    return tensors


def make_header(tensors):
    header, offset = {"__metadata__": {"format": "pt"}}, 0
    for name, dtype, shape, data in tensors:
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [offset, offset + len(data)]}
        offset += len(data)
    return header


def break_header(kind, header):
    """Makes the header lie. Returns its text."""
    names = [name for name in header if name != "__metadata__"]
    first, second = header[names[0]], header[names[1]]
    if kind == "overlap":
        second["data_offsets"] = [offset - 4 for offset in second["data_offsets"]]
    elif kind == "backwards":
        second["data_offsets"] = second["data_offsets"][::-1]
    elif kind == "three-offsets":
        second["data_offsets"].append(0)
    elif kind == "negative":
        second["data_offsets"][0] = -4
    elif kind == "overflow":
        first["shape"] = [1 << 62, 8]
    elif kind == "overflow-offset":
        first["data_offsets"][1] = 1 << 64
    elif kind == "negative-size":
        first["shape"][0] = -first["shape"][0]
    elif kind == "lying-shape":
        first["shape"][0] += 1
    elif kind == "unknown-dtype":
        first["dtype"] = "F33"
    elif kind == "no-dtype":
        del first["dtype"]
    elif kind == "not-an-object":
        header[names[0]] = 7
    text = json.dumps(header)
    if kind == "duplicate":
        text = text[:-1] + ", " + json.dumps(names[0]) + ": " + json.dumps(first) + "}"
    elif kind == "nested":
        text = '{"a":' + "[" * 1000000 + "]" * 1000000 + "}"
    elif kind == "bad-json":
        text = text[:-1]
    elif kind == "bad-utf8":
        return text.encode().replace(b"embeddings", b"embed\xffings", 1)
    elif kind == "no-object":
        text = "[" + text + "]"
    return text.encode()


def write_safetensors(path, tensors, kind=None):
    header = break_header(kind, make_header(tensors))
    header += b" " * (-len(header) % 8)
    size = len(header)
    data = b"".join(tensor[3] for tensor in tensors)
    if kind == "gap":
        # Four bytes that belong to no tensor, after the first tensor.
        value = make_header(tensors)
        names = [tensor[0] for tensor in tensors]
        for name in names[1:]:
            value[name]["data_offsets"] = [offset + 4 for offset in value[name]["data_offsets"]]
        header = json.dumps(value).encode()
        size = len(header)
        data = tensors[0][3] + b"\0\0\0\0" + data[len(tensors[0][3]) :]
    elif kind == "tail":
        data += b"\0" * 12
    elif kind == "truncated":
        data = data[:-100]
    elif kind == "oversized-header":
        size = 100000001
    elif kind == "huge-header":
        size = (1 << 64) - 1
    elif kind == "truncated-header":
        size = len(header) + len(data) + 1
    contents = struct.pack("<Q", size) + header + data
    if kind == "tiny":
        contents = contents[:7]
    elif kind == "empty":
        contents = b""
    with open(path, "wb") as file:
        file.write(contents)


def write_json(path, value):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        json.dump(value, file, indent=2)


def write_checkpoint(args, directory, tensors):
    if not args.shards:
        if args.broken != "missing":
            write_safetensors(os.path.join(directory, "model.safetensors"), tensors, args.broken)
        return
    weight_map = {}
    for i in range(args.shards):
        name = f"model-{i + 1:05d}-of-{args.shards:05d}.safetensors"
        part = tensors[i :: args.shards]
        write_safetensors(os.path.join(directory, name), part)
        weight_map.update((tensor[0], name) for tensor in part)
    if args.broken == "missing-shard":
        os.remove(os.path.join(directory, f"model-00001-of-{args.shards:05d}.safetensors"))
    elif args.broken == "shard-outside":
        weight_map[tensors[0][0]] = "../model.safetensors"
    elif args.broken == "shard-without-tensor":
        weight_map[tensors[0][0]] = weight_map[tensors[1][0]]
    elif args.broken == "empty-index":
        weight_map = {}
    index = {"metadata": {"total_size": sum(len(tensor[3]) for tensor in tensors)}, "weight_map": weight_map}
    write_json(os.path.join(directory, "model.safetensors.index.json"), index)


def write_sentence(args, hidden):
    modules = [("Transformer", args.transformer_path), ("Pooling", "1_Pooling")]
    if args.normalize:
        modules.append(("Normalize", "2_Normalize"))
    modules += [(name, f"{len(modules)}_{name}") for name in args.module]
    write_json(
        os.path.join(args.directory, "modules.json"),
        [
            {"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{name}"}
            for i, (name, path) in enumerate(modules)
        ],
    )
    modes = args.sentence.split("+")
    pooling = {"word_embedding_dimension": args.pooling_width or hidden, "include_prompt": True}
    for mode in ["cls_token", "mean_tokens", "max_tokens", "mean_sqrt_len_tokens"]:
        pooling["pooling_mode_" + mode] = mode in modes
    write_json(os.path.join(args.directory, "1_Pooling", "config.json"), pooling)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory")
    parser.add_argument("--layers", type=int, default=2)
    parser.add_argument("--hidden", type=int, default=8)
    parser.add_argument("--heads", type=int, default=2)
    parser.add_argument("--intermediate", type=int, default=16)
    parser.add_argument("--vocabulary", type=int, default=30)
    parser.add_argument("--positions", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--dtype", default="F32", choices=["F32", "F16", "BF16", "F64"])
    parser.add_argument("--family", default="bert", choices=families.CLASSES)
    parser.add_argument("--task", default="", help="what the model's class has, such as ForTokenClassification")
    parser.add_argument("--labels", type=int, default=3)
    parser.add_argument("--prefix", help="before the encoder's tensors' names; default: as the library saves them")
    parser.add_argument("--pooler", action="store_true", help="with the pooler's weights")
    parser.add_argument("--old-names", action="store_true", help="gamma and beta for the norms' parameters")
    parser.add_argument("--position-ids", action="store_true", help="with a tensor that no importer needs")
    parser.add_argument("--shards", type=int, default=0, help="number of files; 0: one without an index")
    parser.add_argument("--sentence", help="pooling modes joined by +: makes it a sentence encoder")
    parser.add_argument("--normalize", action="store_true", help="a sentence encoder's last module")
    parser.add_argument("--module", action="append", default=[], help="another module of a sentence encoder")
    parser.add_argument("--transformer-path", default="", help="the transformer's directory in a sentence encoder")
    parser.add_argument("--pooling-width", type=int, help="word_embedding_dimension; default: the hidden size")
    parser.add_argument("--make", action="append", default=[], metavar="KEY=JSON", help="of the tensors, too")
    parser.add_argument("--config", action="append", default=[], metavar="KEY=JSON", help="KEY= removes the key")
    parser.add_argument("--tensor", action="append", default=[], metavar="TENSOR=2x3", help="one more, as it is named")
    parser.add_argument("--drop", action="append", default=[], metavar="TENSOR")
    parser.add_argument("--reshape", action="append", default=[], metavar="TENSOR=2x3")
    parser.add_argument("--tensor-dtype", action="append", default=[], metavar="TENSOR=DTYPE")
    parser.add_argument("--break", dest="broken", help="what is wrong with the checkpoint; see the code")
    args = parser.parse_args()

    config = families.config_of(
        args.family,
        args.task,
        args.layers,
        args.hidden,
        args.heads,
        args.intermediate,
        args.vocabulary,
        args.positions,
        args.labels,
    )
    for item in args.make:
        key, _, value = item.partition("=")
        config[key] = json.loads(value)
    tensors = make_tensors(args, config)
    for item in args.config:
        key, _, value = item.partition("=")
        if value:
            config[key] = json.loads(value)
        else:
            config.pop(key, None)
    directory = os.path.join(args.directory, args.transformer_path) if args.sentence else args.directory
    # A directory may be written again with other arguments.
    for name in os.listdir(directory) if os.path.isdir(directory) else []:
        if name.startswith("model") or name == "modules.json":
            os.remove(os.path.join(directory, name))
    write_json(os.path.join(directory, "config.json"), config)
    write_checkpoint(args, directory, tensors)
    if args.sentence:
        write_sentence(args, args.hidden)


if __name__ == "__main__":
    main()
