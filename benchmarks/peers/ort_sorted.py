# ===- ort_sorted.py - onnxruntime, sentences sorted by length --------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# What a careful user does against padding: sorts the sentences by length and runs
# groups of them, each as long as its longest. --model is SIZE:GRAPH, the size of a
# group and which graph. Sorting itself is not timed, putting the results back is.
#
# ===------------------------------------------------------------------------===#
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import minilm_onnx  # noqa: E402
import worker  # noqa: E402


def load(arguments, feeds, names):
    import numpy as np
    import onnxruntime

    size, graph = arguments.model.split(":", 1)
    session = minilm_onnx.session(graph, arguments.threads)
    lengths = feeds["attention_mask"].sum(1)
    order = np.argsort(lengths, kind="stable")
    result, groups = np.zeros((len(order), 384), np.float32), []
    for begin in range(0, len(order), int(size)):
        rows = order[begin : begin + int(size)]
        longest = lengths[rows].max()
        part = {name: array[rows, :longest] for name, array in feeds.items()}
        shapes = {"last_hidden_state": (len(rows), longest, 384), "sentence_embedding": (len(rows), 384)}
        groups.append((rows, *minilm_onnx.bound(session, part, shapes)))

    def run():
        for rows, call, outputs in groups:
            call()
            result[rows] = outputs()[1]

    assert names == ["sentence_embedding"]
    return run, lambda: [result], {"version": onnxruntime.__version__}


worker.serve(load)
