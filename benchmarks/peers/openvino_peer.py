# ===- openvino_peer.py - OpenVINO as a peer (optional) ---------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Reads the plain ONNX graph. Shapes are made static, which it likes best, and
# its precision is pinned to f32: where the processor has bf16 units it would
# otherwise round without being asked.
#
# ===------------------------------------------------------------------------===#
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import worker  # noqa: E402


def load(arguments, feeds, names=("last_hidden_state", "sentence_embedding")):
    import numpy as np
    import openvino as ov

    core = ov.Core()
    model = core.read_model(arguments.model)
    model.reshape({name: list(array.shape) for name, array in feeds.items()})
    compiled = core.compile_model(
        model,
        "CPU",
        {
            "INFERENCE_PRECISION_HINT": "f32",
            "PERFORMANCE_HINT": "LATENCY",
            "NUM_STREAMS": "1",
            "INFERENCE_NUM_THREADS": str(arguments.threads),
            "ENABLE_CPU_PINNING": "NO",
        },
    )
    request = compiled.create_infer_request()
    keep = {name: np.ascontiguousarray(array) for name, array in feeds.items()}
    for name, array in keep.items():
        request.set_tensor(name, ov.Tensor(array, shared_memory=True))

    def run():
        request.infer()

    run.keep = keep
    outputs = lambda: [request.get_tensor(name).data for name in names]
    return run, outputs, {"version": ov.__version__.split("-")[0]}


worker.serve(load)
