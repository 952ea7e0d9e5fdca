# ===- ort.py - onnxruntime as a peer ---------------------------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# --model says which graph. Inputs and outputs are bound once (IOBinding), which
# spares onnxruntime the allocation of its results.
#
# ===------------------------------------------------------------------------===#
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import minilm_onnx  # noqa: E402
import worker  # noqa: E402

OUTPUTS = "last_hidden_state", "sentence_embedding"


def load(arguments, feeds):
    import numpy as np
    import onnxruntime

    session = minilm_onnx.session(arguments.model, arguments.threads)
    value = onnxruntime.OrtValue.ortvalue_from_numpy
    binding = session.io_binding()
    batch, sequence = feeds["input_ids"].shape
    shapes = (batch, sequence, 384), (batch, 384)
    keep = [value(np.ascontiguousarray(array)) for array in feeds.values()]
    for name, item in zip(feeds, keep):
        binding.bind_ortvalue_input(name, item)
    results = [value(np.zeros(shape, np.float32)) for shape in shapes]
    for name, item in zip(OUTPUTS, results):
        binding.bind_ortvalue_output(name, item)

    def run():
        session.run_with_iobinding(binding)

    run.keep = keep
    return run, lambda: [result.numpy() for result in results], {"version": onnxruntime.__version__}


worker.serve(load)
