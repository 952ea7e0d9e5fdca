# ===- attn_library.py - A library that attnc wrote, as a contender ---------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# --model is the shared library of MiniLM. Outputs without given names are told
# apart by rank, so their names are the importer's business.
#
# ===------------------------------------------------------------------------===#
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import native  # noqa: E402
import worker  # noqa: E402


def load(arguments, feeds, names=()):
    library = native.Library(os.path.abspath(arguments.model), arguments.threads)
    call = library.call(feeds)
    if names:
        return call, lambda: [call.outputs[name] for name in names], {"version": library.target()}
    by_rank = {array.ndim: array for array in call.outputs.values()}
    return call, lambda: (by_rank[3], by_rank[2]), {"version": library.target()}


worker.serve(load)
