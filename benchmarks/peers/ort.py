# ===- ort.py - onnxruntime as a peer ---------------------------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# --model says which graph.
#
# ===------------------------------------------------------------------------===#
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import minilm_onnx  # noqa: E402
import worker  # noqa: E402


def load(arguments, feeds, names=("last_hidden_state", "sentence_embedding")):
    import onnxruntime

    batch, sequence = feeds["input_ids"].shape
    shapes = {"last_hidden_state": (batch, sequence, 384), "sentence_embedding": (batch, 384)}
    session = minilm_onnx.session(arguments.model, arguments.threads)
    run, outputs = minilm_onnx.bound(session, feeds, shapes)
    return run, lambda: [dict(zip(shapes, outputs()))[name] for name in names], {"version": onnxruntime.__version__}


worker.serve(load)
