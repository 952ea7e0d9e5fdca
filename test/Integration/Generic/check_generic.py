# ===- check_generic.py - The generic path against NumPy --------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#   python check_generic.py --attn-run build/bin/attn-run --library libmodels.so [--entry NAME]
#   python check_generic.py --library libmodels.so --small          the same through the C interface, on a GPU, too
#
# The entries of Inputs/models.mlir over sizes around every likely vector and block,
# empty ones too, on one and several threads, against float64.
#
# ===------------------------------------------------------------------------===#
import argparse
import itertools
import math
import os
import subprocess
import sys
import tempfile

import numpy as np

import native

erf = np.vectorize(math.erf, otypes=[np.float64])


def gelu(x):
    return x / 2 * (1 + erf(x / math.sqrt(2)))


def softmax(x, bias):
    s = x + bias[:, None, :]
    p = np.exp(s - s.max(-1, keepdims=True, initial=-np.inf))
    return {"y": p / p.sum(-1, keepdims=True)}


def sums(x):
    return {"middle": x.sum(1), "first": x.sum(0), "last_two": x.sum((1, 2)), "all": x.sum()}


def elementwise(x, y, k):
    r = np.where(x > y, gelu(x + y) * np.tanh(y), x + y) + k
    return {"r": r, "q": k}


def broadcasts(x, r, c):
    y = x * r + np.sqrt(c)[:, None]
    i, j = np.indices(x.shape)
    return {"y": y, "t": y.T, "positions": 100.0 * i + j}


def products(x, y, z, u, v):
    return {"xy": x @ y, "xz": x @ z.T, "uv": u @ v}


def bits(x, keep):
    return {"y": np.where(keep != 0, x, 0), "positive": x > 0}


def halves(h, x):
    # Rounding to bfloat16: to the nearest, ties to even.
    i = x.astype(np.float32).view(np.uint32).astype(np.uint64)
    rounded = (((i + 0x7FFF + ((i >> 16) & 1)) >> 16) << 16).astype(np.uint32).view(np.float32)
    return {"hx": (h.astype(np.float32) + x.astype(np.float32)).astype(np.float16), "bf16": 2 * rounded}


def static(x, w, p):
    conv = sum(np.einsum("btc,cf->btf", x[:, i : i + 18], w[i]) for i in range(3))
    return {"conv": conv, "padded": np.pad(p, ((1, 3), (2, 4))), "shifted": p + np.arange(1, 8)}


def over(x):
    p = np.exp(x - x.max(-1, keepdims=True, initial=-np.inf))
    return {"twice": 2 * x, "soft": p / p.sum(-1, keepdims=True)}


def linears(x, z):
    w = np.array([[1, 2, 3], [4, 5, 6], [7, 8, 9], [-1, -2, -3], [-4, -5, -6]], np.float64)
    return {"xw": x @ w, "xz": x @ z.T}


def nested(x):
    for _ in range(4):
        x = x + np.tanh(x)
    return {"s": x}


def slices(x):
    product = x[:, :8] * x[:, 8:]
    return {"s": product, "r": np.concatenate((x[:, :8], product), 1)}


def same(x):
    return {"s": np.exp(x), "r": np.exp(x)}


def argmax(x):
    return {"mx": x.max(1), "ix": x.argmax(1)}


ENTRIES = {
    "softmax": (softmax, {"x": "abc", "bias": "ac"}),
    "sums": (sums, {"x": "abc"}),
    "elementwise": (elementwise, {"x": "mn", "y": "mn", "k": "mn"}),
    "broadcasts": (broadcasts, {"x": "mn", "r": "n", "c": "m"}),
    "products": (products, {"x": "mk", "y": "kn", "z": "nk", "u": "bmk", "v": "bkn"}),
    "bits": (bits, {"x": "mn", "keep": "mn"}),
    "halves": (halves, {"h": "mn", "x": "mn"}),
    "static": (static, {"x": "ATC", "w": "WCF", "p": "PQ"}),
    "over": (over, {"x": "mn"}),
    "nested": (nested, {"x": "mF"}),
    "slices": (slices, {"x": "mF"}),
    "same": (same, {"x": "mF"}),
    "argmax": (argmax, {"x": "mF"}),
    "linears": (linears, {"x": "mP", "z": "QP"}),
}
FIXED = {"A": 1, "T": 20, "C": 8, "W": 3, "F": 16, "P": 5, "Q": 7}
DTYPES = {"q": np.int64, "ix": np.int64, "positive": np.bool_, "hx": np.float16}
SIZES = (0, 1, 2, 5, 7, 8, 15, 16, 17, 31, 33, 64, 65, 100, 129)


def sizes_of(dims, rng, count, small):
    """All dimensions alike first, then drawn ones, then a large one unless they shall be small."""
    if not dims:
        yield {}
        return
    for size in (0, 1, 3, 16, 17):
        yield dict.fromkeys(dims, size)
    for _ in range(count):
        yield {dim: int(rng.choice(SIZES[:8] if small else SIZES)) for dim in dims}
    if not small:
        yield {dim: 300 if dim in "bmn" else 40 for dim in dims}


def make(rng, name, shape):
    if name == "k":
        return (rng.integers(1, 9, shape) * rng.choice([-1, 1], shape)).astype(np.int64)
    if name == "keep":
        return rng.random(shape) < 0.5
    if name == "h":
        return rng.standard_normal(shape).astype(np.float16)
    if name == "c":
        return rng.random(shape).astype(np.float32)
    return rng.standard_normal(shape).astype(np.float32)


def compare(library, entry, sizes, inputs, arrays, tolerance):
    """One run through the C interface against the arrays that are no inputs."""
    call = library.call({name: arrays[name] for name in inputs}, library.entry_names().index(entry))
    call()
    for name, got in call.outputs.items():
        got, want = np.asarray(got, np.float64), np.asarray(arrays[name], np.float64)
        alike = (got == want) | (np.isnan(got) & np.isnan(want)) | (np.abs(got - want) <= tolerance)
        if got.shape != want.shape or not alike.all():
            sys.exit(f"{entry} {sizes}: output '{name}' differs at {np.argwhere(~alike)[:3].tolist()}")


def main():
    parser = argparse.ArgumentParser(description="Check ops on the generic path against NumPy.")
    parser.add_argument("--attn-run", help="the tool to run the library with; without it, through the C interface")
    parser.add_argument("--library", required=True)
    parser.add_argument("--entry", choices=ENTRIES)
    parser.add_argument("--count", type=int, default=8)
    parser.add_argument("--small", action="store_true", help="only sizes that the simulator of GPUs is fast enough for")
    arguments = parser.parse_args()
    library = None if arguments.attn_run else native.Library(os.path.abspath(arguments.library), 1)
    rng = np.random.default_rng(7)
    runs = 0
    with tempfile.TemporaryDirectory() as folder:
        for entry, (function, inputs) in ENTRIES.items():
            if arguments.entry not in (None, entry):
                continue
            dims = sorted(set("".join(inputs.values())) - set(FIXED))
            for sizes, threads in zip(sizes_of(dims, rng, arguments.count, arguments.small), itertools.cycle((1, 3))):
                sizes = FIXED | sizes
                arrays = {name: make(rng, name, [sizes[d] for d in shape]) for name, shape in inputs.items()}
                with np.errstate(all="ignore"):
                    wanted = function(**{name: np.asarray(value, np.float64) for name, value in arrays.items()})
                largest = max([10.0] + [np.abs(value).max() for value in map(np.asarray, wanted.values()) if value.size])
                for name, value in wanted.items():
                    arrays[name] = np.asarray(value, DTYPES.get(name, np.float32))
                runs += 1
                if library:
                    compare(library, entry, sizes, inputs, arrays, 1e-5 * largest)
                    continue
                path = os.path.join(folder, "case.npz")
                np.savez(path, **arrays)
                command = [arguments.attn_run, arguments.library, "--entry", entry, "--check", path]
                command += ["--tolerance", str(1e-5 * largest), "--threads", str(threads)]
                result = subprocess.run(command, capture_output=True, text=True)
                if result.returncode != 0:
                    sys.exit(f"{entry} {sizes} on {threads} threads: exit {result.returncode}\n{result.stdout}{result.stderr}")
    print(f"{runs} runs agree")


if __name__ == "__main__":
    main()
