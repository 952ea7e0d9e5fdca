# ===- translate.py - A translator, word by word ----------------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#   python translate.py INPUTS DIRECTORY
#
# Encoder and decoder of one model are two entries of one library, which holds what
# both read once. Greedy decoding over the caches says what it says in float64.
#
# ===------------------------------------------------------------------------===#
import os
import subprocess
import sys

import numpy as np

import attn


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
    for tensor in step.inputs:
        if tensor.name.startswith("past."):
            like = caches[tensor.name.replace("past", "cross")]
            caches[tensor.name] = np.zeros((like.shape[0], like.shape[1], 0, like.shape[3]), np.float32)
    words = [expected[:, :1]]
    while len(words) < expected.shape[1]:
        outputs = step(token=words[-1], source_mask=mask, **caches)
        words.append(np.argmax(np.asarray(outputs["logits"]), axis=-1)[:, None])
        for name in [name for name in caches if name.startswith("past.")]:
            caches[name] = np.asarray(outputs[name.replace("past", "present")])
    said = np.concatenate(words, axis=1)
    print(f"{said.size} words, {int((said != expected).sum())} differ")


if __name__ == "__main__":
    main(*sys.argv[1:])
