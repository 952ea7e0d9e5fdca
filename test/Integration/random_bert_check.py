# ===- random_bert_check.py - A small random BERT over many shapes ----------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#   python benchmarks/random_bert.py DIR && attnc DIR -o libbert.so
#   python random_bert_check.py --model DIR --library libbert.so
#
# Batch 0 to 9, sequence 0 to 130: the corners around every likely tile size and
# a seeded sample of the rest, with all kinds of masks, against the float64
# reference computed on the spot. Rows of one batch differ in their masks.
#
# ===------------------------------------------------------------------------===#
import argparse

import numpy as np

import encoder
import reference

EDGES = (0, 1, 2, 7, 8, 9, 15, 16, 17, 31, 32, 33, 47, 48, 49, 63, 64, 65, 95, 96, 97, 127, 128, 129, 130)
KINDS = ("full", "right", "left", "holes", "middle", "empty", "mixed")


def mask_row(rng, kind, sequence):
    """One row of a mask: kept keys are a prefix, a suffix, a range, random, all or none."""
    at, row = np.arange(sequence), np.zeros(sequence, np.int64)
    if kind == "full":
        row[:] = 1
    elif kind == "right":
        row[:] = at < rng.integers(1, sequence + 1)
    elif kind == "left":
        row[:] = at >= rng.integers(0, sequence)
    elif kind == "middle":
        begin = rng.integers(0, sequence)
        row[:] = (at >= begin) & (at < rng.integers(begin, sequence) + 1)
    elif kind == "holes":
        row[:] = rng.random(sequence) < rng.uniform(0.1, 0.95)
    return row


def make_mask(rng, kind, batch, sequence):
    if sequence == 0:
        return np.zeros((batch, 0), np.int64)
    kinds = rng.choice(KINDS[:-1], batch) if kind == "mixed" else [kind] * batch
    return np.array([mask_row(rng, k, sequence) for k in kinds], np.int64).reshape(batch, sequence)


def shapes(rng, count):
    """The edges with a random batch, the batches with a random sequence, then anything."""
    chosen = [(int(rng.integers(1, 10)), sequence) for sequence in EDGES]
    chosen += [(batch, int(rng.integers(1, 131))) for batch in range(10)] + [(0, 0)]
    while len(chosen) < count:
        chosen.append((int(rng.integers(0, 10)), int(rng.integers(0, 131))))
    return chosen[:count]


def pooler(weights, hidden):
    """tanh of a linear layer on the first row; of zeros where there is none."""
    first = hidden[:, 0] if hidden.shape[1] else np.zeros((len(hidden), hidden.shape[2]))
    weight, bias = (np.asarray(weights["pooler.dense." + name], np.float64) for name in ("weight", "bias"))
    return np.tanh(first @ weight.T + bias)


def main():
    parser = argparse.ArgumentParser(description="Check a compiled random BERT over batch 0-9 and sequence 0-130.")
    encoder.add_arguments(parser)
    parser.add_argument("--model", required=True, help="the Hugging Face directory the library was made from")
    parser.add_argument("--count", type=int, default=60, help="number of shapes")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--largest", type=int, default=1000, help="most rows of a batch, longer ones are left out")
    parser.add_argument("--padding", choices=["computed", "zeros"], default="computed", help="rows after the last key")
    parser.add_argument("--verbose", action="store_true")
    arguments = parser.parse_args()
    config, weights = reference.load(arguments.model)
    run, verdict, rng = encoder.Encoder(arguments), encoder.Verdict(), np.random.default_rng(arguments.seed)
    for number, (batch, sequence) in enumerate(shapes(rng, arguments.count)):
        if batch * sequence > arguments.largest:
            continue
        kind = KINDS[number % len(KINDS)]
        ids = rng.integers(0, config["vocab_size"], (batch, sequence))
        types = rng.integers(0, config["type_vocab_size"], (batch, sequence))
        mask = make_mask(rng, kind, batch, sequence)
        if arguments.verbose:
            print(f"{batch}x{sequence} {kind}", flush=True)
        got, want = run(ids, mask, types), reference.forward(config, weights, ids, mask, types)
        first = want[0].copy()
        if arguments.padding == "zeros":
            for row, kept in zip(want[0], mask):
                row[np.flatnonzero(kept)[-1] + 1 if kept.any() else sequence :] = 0
        verdict.compare(f"last_hidden_state {batch}x{sequence} {kind}", got[0], want[0])
        if got[1] is not None:
            verdict.compare(f"embedding {batch}x{sequence} {kind}", got[1], want[1])
        if got[2] is not None:
            verdict.compare(f"pooler {batch}x{sequence} {kind}", got[2], pooler(weights, first))
    verdict.finish()


if __name__ == "__main__":
    main()
