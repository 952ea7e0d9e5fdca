# ===- exports.py - Exported models against float64 -------------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#   python exports.py INPUTS DIRECTORY [NAME...]
#
# Compiles the models that benchmarks/exports/export.py wrote to INPUTS, each to a
# library of its own with both exporters' graphs, and compares what they give with
# the outputs that the model has in float64. Prints for each graph how many
# attentions and layer norms were found.
#
# ===------------------------------------------------------------------------===#
import collections
import os
import re
import subprocess
import sys

import numpy as np

import attn

# What float32 may differ from float64 by, of the largest number of an output: a few hundred roundings.
TOLERANCE = 2e-5


def load_runs(path):
    """A list of {input: array}, {output: array}."""
    runs = collections.defaultdict(lambda: ({}, {}))
    with np.load(path) as arrays:
        for key in arrays:
            run, kind, name = key.split("/")
            runs[int(run)][kind == "out"][name] = arrays[key]
    return [runs[i] for i in sorted(runs)]


RAISED = ("attention", "layer_norm", "rms_norm", "rotary", "gelu", "linear")


def count_ops(attnc, path):
    """How often each op of the dialect stands in the graph once it is fused."""
    command = [attnc, path, "--compile-to=fuse", "--emit=mlir", "-o", "-", "--quiet"]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return collections.Counter(re.findall(rf"\battn\.({'|'.join(RAISED)})\b(?! *=)", text))


def fits(entry, inputs):
    """False where the exporter made a number of a size, and that is another one here."""
    return all(
        isinstance(size, str) or size == given
        for tensor in entry.inputs
        for size, given in zip(tensor.shape, inputs[tensor.name].shape)
    )


def check(attnc, name, paths, runs, directory):
    library = os.path.join(directory, f"lib{name}.so")
    done = subprocess.run([attnc, *paths, "-o", library, "--quiet"], capture_output=True, text=True)
    if done.returncode:
        print(f"{name}: FAILED to compile: {done.stderr.strip()[:300]}")
        return 0, 1
    count = failed = 0
    for path, (entry_name, entry) in zip(paths, attn.load(library).entries.items()):
        worst = 0
        for inputs, outputs in runs:
            if not fits(entry, inputs):
                continue
            count += 1
            # An exporter drops what a model doesn't need.
            given = {key: x for key, x in inputs.items() if key in [tensor.name for tensor in entry.inputs]}
            try:
                got = entry(**given)
            except attn.Error as error:
                print(f"{entry_name}: FAILED: {error}")
                failed += 1
                continue
            for key, expected in outputs.items():
                actual = np.asarray(got[key])
                scale = max(1.0, float(np.abs(expected).max(initial=0)))
                error = float(np.abs(actual - expected).max(initial=0)) / scale if actual.shape == expected.shape else np.inf
                worst = max(worst, error)
                if not error <= TOLERANCE:
                    print(f"{entry_name}: FAILED: '{key}' {list(actual.shape)} is off by {error:.2g} of {scale:.3g}")
                    failed += 1
        ops = count_ops(attnc, path)
        print(f"{os.path.basename(path)}: " + ", ".join(f"{ops[op]} {op}" for op in RAISED if ops[op]))
    return count, failed


def main(inputs, directory, *names):
    os.makedirs(directory, exist_ok=True)
    attnc = os.path.join(os.environ["ATTN_BUILD_DIR"], "bin", "attnc")
    count = failed = 0
    for name in names or sorted(file[:-4] for file in os.listdir(inputs) if file.endswith(".npz")):
        paths = [os.path.join(inputs, name + suffix) for suffix in (".onnx", ".traced.onnx")]
        paths = [path for path in paths if os.path.exists(path)]
        if not paths:
            continue
        result = check(attnc, name, paths, load_runs(os.path.join(inputs, name + ".npz")), directory)
        count, failed = count + result[0], failed + result[1]
    print(f"{count} runs, {failed} failed")


if __name__ == "__main__":
    main(*sys.argv[1:])
