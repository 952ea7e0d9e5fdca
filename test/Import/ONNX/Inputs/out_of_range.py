# ===- out_of_range.py - Indices beyond the ends are errors -----------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#   python out_of_range.py DIRECTORY
#
# What ONNX calls an error ends the run with one; the ends themselves, counted from
# either side, do not.
#
# ===------------------------------------------------------------------------===#
import sys

import numpy as np
from compare import F32, Case, compile_all

import attn

DATA = np.arange(15, dtype=F32).reshape(5, 3)


def cases(index):
    """Each with one index that is `index` of 5."""
    one = np.array([index], np.int64)
    yield Case("Gather", {"data": DATA, "at": one}, domain="", axis=0)
    yield Case("Gather", {"data": DATA.T.copy(), "at": one}, domain="", axis=1)
    yield Case("GatherElements", {"data": DATA, "at": np.array([[0, index, 1]], np.int64)}, domain="", axis=0)
    yield Case("GatherND", {"data": DATA, "at": one[None]}, domain="")
    yield Case("ScatterElements", {"data": DATA, "at": np.array([[0, index, 1]], np.int64), "new": DATA[:1]}, domain="", axis=0)
    yield Case("ScatterND", {"data": DATA, "at": one[None], "new": DATA[:1]}, domain="")


def main(directory):
    loaded, names = compile_all(directory, cases(0), ("static", "dynamic"))
    for index in (0, 4, -5, 5, -6, 1 << 40):
        errors = 0
        for name, case in zip(names, (case for case in cases(index) for _ in range(2))):
            try:
                loaded.entries[name](*case.feeds().values())
            except attn.Error as error:
                errors += "INDEX" in str(error)
        print(f"{index}: {errors} errors of {len(names)}")


if __name__ == "__main__":
    main(sys.argv[1])
