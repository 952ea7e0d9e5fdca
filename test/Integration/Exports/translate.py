# ===- translate.py - A translator, word by word ----------------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#   python translate.py INPUTS DIRECTORY
#
# Encoder and decoder of one model are two entries of one library, which holds what
# both read once. Greedy decoding over the caches says what it says in float64,
# with caches that are copied from step to step and with caches that grow in place.
#
# ===------------------------------------------------------------------------===#
import os
import subprocess
import sys

import numpy as np

import attn


def decode(step, caches, mask, expected, room):
    """The words after the first, which is given. With `room` each cache is one array with so many rows more."""
    fixed = {name: array for name, array in caches.items() if name in [tensor.name for tensor in step.inputs]}
    growing = {tensor.name: tensor.continues for tensor in step.outputs if tensor.continues}
    buffers, past, words = {}, {}, [expected[:, :1]]
    for name in growing.values():
        batch, heads, _, channels = caches[name.replace("past", "cross")].shape
        buffers[name] = np.full((batch, heads, room, channels), np.nan, np.float32)
        past[name] = buffers[name][:, :, :0]
    while len(words) < expected.shape[1]:
        out = {name: buffers[old][:, :, : len(words)] for name, old in growing.items()} if room else None
        outputs = step(token=words[-1], source_mask=mask, **fixed, **past, out=out)
        words.append(np.argmax(np.asarray(outputs["logits"]), axis=-1)[:, None])
        past = {old: np.asarray(outputs[name]) for name, old in growing.items()}
    assert all(np.isnan(buffer[:, :, len(words) - 1 :]).all() for buffer in buffers.values())
    return np.concatenate(words, axis=1)


def main(inputs, directory):
    os.makedirs(directory, exist_ok=True)
    attnc = os.path.join(os.environ["ATTN_BUILD_DIR"], "bin", "attnc")
    library = os.path.join(directory, "libtranslator.so")
    paths = [os.path.join(inputs, name + ".onnx") for name in ("translator_encoder", "translator_step")]
    subprocess.run([attnc, *paths, "-o", library, "--quiet"], check=True)
    entries = attn.load(library).entries
    with np.load(os.path.join(inputs, "translation.npz")) as arrays:
        source, mask, expected = (arrays[key] for key in ("source", "mask", "words"))
    cross = entries["translator_encoder"](source=source, source_mask=mask)
    caches = {name: np.asarray(cross[name]) for name in (tensor.name for tensor in entries["translator_encoder"].outputs)}
    step = entries["translator_step"]
    for room in (0, 20):
        said = decode(step, caches, mask, expected, room)
        print(f"{said.size} words, {int((said != expected).sum())} differ, {'in place' if room else 'copied'}")


if __name__ == "__main__":
    main(*sys.argv[1:])
