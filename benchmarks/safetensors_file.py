# ===- safetensors_file.py - Read and write safetensors with NumPy alone ----===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# The oracle must not share a reader with the compiler it checks, and must not
# pull a framework in, so this is a second, tiny reader of the format: eight
# bytes of header length, a JSON header, then the tensors' bytes. bf16 has no
# NumPy type; it is widened to float32, which loses nothing.
#
# ===------------------------------------------------------------------------===#
import json
import os
import struct

import numpy as np

DTYPES = {
    "F64": np.float64,
    "F32": np.float32,
    "F16": np.float16,
    "I64": np.int64,
    "I32": np.int32,
    "I16": np.int16,
    "I8": np.int8,
    "U8": np.uint8,
    "BOOL": np.bool_,
}


def read_file(path):
    """All tensors of one file as {name: array}; arrays are views of a read-only map of the file."""
    size = os.path.getsize(path)
    with open(path, "rb") as file:
        head = file.read(8)
        if len(head) != 8:
            raise ValueError(f"{path}: no safetensors header")
        (length,) = struct.unpack("<Q", head)
        if length > size - 8:
            raise ValueError(f"{path}: header of {length} bytes in a file of {size}")
        header = json.loads(file.read(length))
    data = np.memmap(path, dtype=np.uint8, mode="r", offset=8 + length) if size > 8 + length else np.zeros(0, np.uint8)
    tensors = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        begin, end = entry["data_offsets"]
        raw = data[begin:end]
        if entry["dtype"] == "BF16":
            bits = np.frombuffer(raw, dtype="<u2").astype(np.uint32) << 16
            array = bits.view(np.float32)
        elif entry["dtype"] in DTYPES:
            array = np.frombuffer(raw, dtype=DTYPES[entry["dtype"]])
        else:
            raise ValueError(f"{path}: tensor {name} has dtype {entry['dtype']}, which this reader does not know")
        tensors[name] = array.reshape(entry["shape"])
    return tensors


def read_directory(directory):
    """The tensors of a Hugging Face directory: model.safetensors, or the shards its index lists."""
    index = os.path.join(directory, "model.safetensors.index.json")
    if os.path.exists(index):
        with open(index) as file:
            shards = sorted(set(json.load(file)["weight_map"].values()))
    else:
        shards = ["model.safetensors"]
    tensors = {}
    for shard in shards:
        tensors.update(read_file(os.path.join(directory, shard)))
    return tensors


def to_bf16(array):
    """float32 to the bits of bfloat16, rounded to nearest even (no NaNs expected)."""
    bits = np.ascontiguousarray(array, np.float32).view(np.uint32)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)


def write_file(path, tensors, bf16=False):
    """Writes {name: array} in the given order; the header is padded so that the data is 8-byte aligned.

    With bf16, float32 arrays are stored as BF16.
    """
    names = {np.dtype(type_): name for name, type_ in DTYPES.items()}
    header, blocks, offset = {"__metadata__": {"format": "pt"}}, [], 0
    for name, array in tensors.items():
        narrow = bf16 and array.dtype == np.float32
        block = (to_bf16(array) if narrow else np.ascontiguousarray(array)).tobytes()
        dtype = "BF16" if narrow else names[array.dtype]
        header[name] = {"dtype": dtype, "shape": list(array.shape), "data_offsets": [offset, offset + len(block)]}
        offset += len(block)
        blocks.append(block)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        file.writelines(blocks)


def write_shards(directory, tensors, shards, bf16=False):
    """Writes a Hugging Face directory's weights: one file, or `shards` files and the index that lists them."""
    if shards == 1:
        write_file(os.path.join(directory, "model.safetensors"), tensors, bf16)
        return
    names, weight_map = list(tensors), {}
    for number in range(shards):
        file_name = f"model-{number + 1:05}-of-{shards:05}.safetensors"
        part = {name: tensors[name] for name in names[number::shards]}
        write_file(os.path.join(directory, file_name), part, bf16)
        weight_map.update(dict.fromkeys(part, file_name))
    total = sum(array.nbytes for array in tensors.values())
    with open(os.path.join(directory, "model.safetensors.index.json"), "w") as file:
        json.dump({"metadata": {"total_size": total}, "weight_map": weight_map}, file, indent=1)
