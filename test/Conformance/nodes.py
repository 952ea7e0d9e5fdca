# ===- nodes.py - ONNX's own node tests through compiled libraries ----------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#   python nodes.py [REGEX] [--shapes static|dynamic|both] [--known FILE] [--write FILE]
#
# The tests are those that the package `onnx` makes (onnx.backend.test), the models
# are compiled with attnc and run as libraries. With dynamic shapes each dimension
# of an input, but those of size 1 (which decide what is broadcast), is a symbol of
# its own. A test passes within the suite's own tolerance, or where it is at most
# twice as far from the expected values as float64 rounding of the same dtype
# allows: float16 and bfloat16 within 2 units in the last place.
#
# ===------------------------------------------------------------------------===#
import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import warnings

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "python"))
os.environ.setdefault("ATTN_BUILD_DIR", os.path.join(ROOT, "build"))
warnings.simplefilter("ignore")

import ml_dtypes  # noqa: E402
import numpy as np  # noqa: E402
import onnx  # noqa: E402
from onnx import numpy_helper  # noqa: E402
from onnx.backend.test.loader import load_node_model_tests  # noqa: E402

import attn  # noqa: E402

# The ops that the project's attention models stand on; what counts as the core of the suite.
CORE = (
    "attention flexattention linear_attention causal_conv_with_state rotary_embedding tensorscatter swiglu "
    "layer_normalization rms_normalization softmax gelu swish erf matmul gemm einsum"
).split()


def is_core(name):
    return any(re.match(rf"test_{op}(_|$)", name) for op in CORE) and not name.startswith("test_matmulinteger")


def to_array(value):
    return numpy_helper.to_array(value) if isinstance(value, onnx.TensorProto) else np.asarray(value)


def make_dynamic(model):
    """Gives each dimension of an input larger than 1 a name; forgets what follows from the sizes."""
    model = onnx.ModelProto.FromString(model.SerializeToString())
    initialized = {tensor.name for tensor in model.graph.initializer}
    for value in model.graph.input:
        if value.name in initialized or not value.type.HasField("tensor_type"):
            continue
        for i, dim in enumerate(value.type.tensor_type.shape.dim):
            if dim.dim_value > 1:
                dim.dim_param = f"{value.name}_d{i}"
    for value in model.graph.output:
        if value.type.HasField("tensor_type"):
            value.type.tensor_type.ClearField("shape")
    del model.graph.value_info[:]
    return model


def ulps(actual, expected):
    """How many steps of its own type `actual` is off, at most."""
    def ordered(array):
        bits = array.view(np.int16).astype(np.int64)
        return np.where(bits < 0, -(bits & 0x7FFF), bits)

    both_nan = np.isnan(actual.astype(np.float32)) & np.isnan(expected.astype(np.float32))
    return int(np.max(np.where(both_nan, 0, np.abs(ordered(actual) - ordered(expected))), initial=0))


def compare(test, actual, expected):
    if actual.shape != expected.shape:
        return f"shape {list(actual.shape)}, expected {list(expected.shape)}"
    if actual.dtype != expected.dtype:
        return f"dtype {actual.dtype}, expected {expected.dtype}"
    if expected.dtype in (np.float16, ml_dtypes.bfloat16) and ulps(actual, expected) <= 2:
        return None
    a, e = actual, expected
    if a.dtype == ml_dtypes.bfloat16:
        a, e = a.astype(np.float32), e.astype(np.float32)
    if np.issubdtype(a.dtype, np.floating):
        if np.allclose(a, e, rtol=test.rtol, atol=test.atol, equal_nan=True):
            return None
        with np.errstate(all="ignore"):
            return f"off by {np.nanmax(np.abs(a.astype(np.float64) - e.astype(np.float64)), initial=0):.3g}"
    return None if np.array_equal(a, e) else "differs"


def run_data(test, library):
    entry = next(iter(library.entries.values()))
    for inputs, outputs in test.data_sets:
        arrays = [to_array(value) for value in inputs]
        if len(arrays) != len(entry.inputs):
            return f"{len(entry.inputs)} inputs, expected {len(arrays)}"
        results = library(*arrays)
        for i, expected in enumerate(outputs):
            reason = compare(test, np.asarray(results[i]), to_array(expected))
            if reason:
                return f"output {i}: {reason}"
    return None


def check(test, model, directory):
    """None if the test passes, else why not."""
    path = os.path.join(directory, "model.onnx")
    library = os.path.join(directory, "libmodel.so")
    with open(path, "wb") as file:
        file.write(model.SerializeToString())
    done = subprocess.run(
        [os.path.join(os.environ["ATTN_BUILD_DIR"], "bin", "attnc"), path, "-o", library, "--quiet"],
        capture_output=True, text=True,
    )  # fmt: skip
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if "error" in line] or ["no message"]
        return ("CRASH " if done.returncode != 1 else "") + lines[0].replace(path, "model")
    pid = os.fork()  # what a library does to its process must not end the run
    if pid == 0:
        reason = None
        try:
            reason = run_data(test, attn.load(library))
        except Exception as error:  # noqa: BLE001
            reason = f"{type(error).__name__}: {error}"
        with open(os.path.join(directory, "reason"), "w") as file:
            file.write(reason or "")
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    if status:
        return f"CRASH when it ran (status {status})"
    with open(os.path.join(directory, "reason")) as file:
        return file.read() or None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("regex", nargs="?", default="", help="only tests with this in their name; CORE for the core")
    parser.add_argument("--shapes", choices=["static", "dynamic", "both"], default="both")
    parser.add_argument("--quiet", action="store_true", help="only the counts")
    parser.add_argument("--write", help="write what passed to this JSON file")
    arguments = parser.parse_args()
    tests = [
        test for test in load_node_model_tests()
        if (is_core(test.name) if arguments.regex == "CORE" else re.search(arguments.regex, test.name))
    ]  # fmt: skip
    counts, passed = {}, {}
    for shapes in ("static", "dynamic") if arguments.shapes == "both" else (arguments.shapes,):
        for test in sorted(tests, key=lambda test: test.name):
            model = make_dynamic(test.model) if shapes == "dynamic" else test.model
            with tempfile.TemporaryDirectory() as directory:
                reason = check(test, model, directory)
            counts.setdefault(shapes, [0, 0])[reason is not None] += 1
            passed.setdefault(shapes, []).extend([test.name] if reason is None else [])
            if reason and not arguments.quiet:
                print(f"FAIL {shapes} {test.name}: {reason[:300]}", flush=True)
    if arguments.write:
        with open(arguments.write, "w") as file:
            json.dump(passed, file, indent=1)
    for shapes, (good, bad) in counts.items():
        print(f"{shapes}: {good} passed, {bad} failed")


if __name__ == "__main__":
    main()
