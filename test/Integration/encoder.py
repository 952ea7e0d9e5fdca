# ===- encoder.py - Call a compiled encoder, for the checks beside it -------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Two ways to the same library: the Python package `attn`, as users call it, and
# the C ABI by ctypes (benchmarks/native.py), where outputs and the workspace are
# filled with NaN first, so that an element nobody wrote cannot pass by luck.
#
# ===------------------------------------------------------------------------===#
import os
import sys

import numpy as np

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "benchmarks"))
import native  # noqa: E402

TOLERANCE, LEAST_COSINE = 2e-5, 0.999999


def add_arguments(parser):
    parser.add_argument("--library", required=True, help="shared library that attnc wrote")
    parser.add_argument(
        "--through", choices=("python", "abi"), default="python", help="package attn, or ctypes over the ABI"
    )
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--target", help="run the code for this target (abi only), e.g. x86-64-v3")
    parser.add_argument("--entry", type=int, default=0)


class ThroughABI:
    def __init__(self, arguments):
        self.library = native.Library(os.path.abspath(arguments.library), arguments.threads, arguments.target)
        self.entry = arguments.entry

    def __call__(self, feeds):
        call = self.library.call(feeds, self.entry)
        if not self.library.is_gpu:
            call.fill_workspace(0xFF)
        for array in call.outputs.values():
            array[...] = np.nan
        call()
        return call.outputs


class ThroughPython:
    def __init__(self, arguments):
        if arguments.target:
            raise SystemExit("--target goes with --through=abi")
        import attn

        library = attn.load(arguments.library, threads=arguments.threads)
        entry = list(library.entries.values())[arguments.entry]
        names = {tensor.name for tensor in entry.inputs}
        self.run = lambda feeds: entry({name: array for name, array in feeds.items() if name in names})

    def __call__(self, feeds):
        return self.run(feeds)


class Encoder:
    """encoder(ids, mask, type_ids) -> (last_hidden_state, embedding or None, pooler_output or None)."""

    def __init__(self, arguments):
        self.run = (ThroughPython if arguments.through == "python" else ThroughABI)(arguments)

    def __call__(self, ids, mask, type_ids):
        arrays = {"input_ids": ids, "attention_mask": mask, "token_type_ids": type_ids}
        outputs = self.run({name: np.ascontiguousarray(array, np.int64) for name, array in arrays.items()})
        names = ("last_hidden_state", "sentence_embedding", "pooler_output")
        return tuple(np.asarray(outputs[name]) if name in outputs.keys() else None for name in names)


def least_cosine(got, want):
    """Over all rows; two rows that are both zero are alike, a zero row is unlike any other."""
    got, want = (np.asarray(x, np.float64).reshape(-1, np.shape(x)[-1]) for x in (got, want))
    lengths = np.linalg.norm(got, axis=1), np.linalg.norm(want, axis=1)
    zero = [length < 1e-6 for length in lengths]
    dot = (got * want).sum(axis=1) / np.where(zero[0] | zero[1], 1.0, lengths[0] * lengths[1])
    return float(np.where(zero[0] | zero[1], (zero[0] & zero[1]).astype(float), dot).min(initial=1.0))


class Verdict:
    """Collects comparisons; exits 1 if one of them was out of bounds. NaN is out of bounds."""

    def __init__(self):
        self.worst, self.cosine, self.failed, self.count = 0.0, 1.0, [], 0

    def compare(self, what, got, want):
        self.count += 1
        if np.shape(got) != np.shape(want):
            self.failed.append(f"{what}: shape {np.shape(got)}, expected {np.shape(want)}")
            return
        error, cosine = float(np.abs(got - want).max(initial=0.0)), least_cosine(got, want)
        self.worst, self.cosine = np.maximum(self.worst, error), np.minimum(self.cosine, cosine)
        if not error <= TOLERANCE or not cosine >= LEAST_COSINE:
            self.failed.append(f"{what}: largest difference {error:.2e}, least cosine {cosine:.9f}")

    def finish(self):
        print(f"{self.count} comparisons, largest difference {self.worst:.2e}, least cosine {self.cosine:.9f}")
        for line in self.failed[:20]:
            print("FAILED", line)
        if not self.count:
            print("FAILED nothing was compared")
        sys.exit(1 if self.failed or not self.count else 0)
