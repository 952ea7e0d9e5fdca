# ===- exported.py - Any exported model, compiled or in onnxruntime ----------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# --model is a compiled library or a graph. Outputs are made before, once.
#
# ===------------------------------------------------------------------------===#
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import worker  # noqa: E402


def load_library(arguments, feeds, names):
    import native

    library = native.Library(arguments.model, arguments.threads)
    call = library.call(feeds)
    return call, lambda: [call.outputs[name] for name in names], {"target": library.target()}


def load_graph(arguments, feeds, names):
    import minilm_onnx
    import onnxruntime

    session = minilm_onnx.session(arguments.model, arguments.threads)
    feeds = {x.name: feeds[x.name] for x in session.get_inputs()}
    shapes = {name: array.shape for name, array in zip(names, session.run(names, feeds))}
    return *minilm_onnx.bound(session, feeds, shapes), {"version": onnxruntime.__version__}


def load(arguments, feeds, names):
    return (load_library if arguments.model.endswith(".so") else load_graph)(arguments, feeds, names)


if __name__ == "__main__":
    worker.serve(load)
