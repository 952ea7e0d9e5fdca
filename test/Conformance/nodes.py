# ===- nodes.py - ONNX's own node tests through compiled libraries ----------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#   python nodes.py [REGEX | CORE] [--shapes static|dynamic|both] [--passing FILE [--update]]
#
# The tests are those that the package `onnx` makes (onnx.backend.test), the models
# are compiled with attnc, many in one library, and run from there. With dynamic
# shapes each dimension of an input, but those of size 1 (which decide what is
# broadcast), is a symbol of its own. A test passes within the suite's own
# tolerance, float16 and bfloat16 also within 2 units in the last place.
#
# --passing names the tests that passed before: only these run, and one that fails
# is a failure of the run. --update runs all and writes the file anew.
#
# ===------------------------------------------------------------------------===#
import argparse
import json
import os
import re
import signal
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
    if a.dtype.name.startswith(("float8", "float4")):
        return None if np.array_equal(a.astype(np.float32), e.astype(np.float32), equal_nan=True) else "differs"
    if np.issubdtype(a.dtype, np.floating):
        if np.allclose(a, e, rtol=test.rtol, atol=test.atol, equal_nan=True):
            return None
        with np.errstate(all="ignore"):
            return f"off by {np.nanmax(np.abs(a.astype(np.float64) - e.astype(np.float64)), initial=0):.3g}"
    return None if np.array_equal(a, e) else "differs"


def run_data(test, entry):
    for inputs, outputs in test.data_sets:
        arrays = [to_array(value) for value in inputs]
        if len(arrays) != len(entry.inputs):
            return f"{len(entry.inputs)} inputs, expected {len(arrays)}"
        results = entry(*arrays)
        for i, expected in enumerate(outputs):
            reason = compare(test, np.asarray(results[i]), to_array(expected))
            if reason:
                return f"output {i}: {reason}"
    return None


def run_guarded(test, entry, directory):
    """None if the test passes, else why not. What a library does to its process does not end the run."""
    note = os.path.join(directory, "reason")
    pid = os.fork()
    if pid == 0:
        try:
            signal.alarm(60)
            reason = run_data(test, entry)
        except Exception as error:  # noqa: BLE001
            reason = f"{type(error).__name__}: {error}"
        with open(note, "w") as file:
            file.write(reason or "")
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    if status:
        return f"CRASH when it ran (status {status})"
    with open(note) as file:
        return file.read() or None


def check_together(cases, directory):
    """Yields each case's name, shapes and reason (None: passed). `cases` are names, shapes, tests and models."""
    library = os.path.join(directory, "libnodes.so")
    paths = [os.path.join(directory, f"{name}__{shapes}.onnx") for name, shapes, _, _ in cases]
    for path, (_, _, _, model) in zip(paths, cases):
        with open(path, "wb") as file:
            file.write(model.SerializeToString())
    attnc = os.path.join(os.environ["ATTN_BUILD_DIR"], "bin", "attnc")
    try:
        done = subprocess.run([attnc, *paths, "-o", library, "--quiet"], capture_output=True, text=True, timeout=600)
    except subprocess.TimeoutExpired:
        done = None
    if not done or done.returncode:
        if len(cases) > 1:  # which of them it is
            half = len(cases) // 2
            yield from check_together(cases[:half], directory)
            yield from check_together(cases[half:], directory)
            return
        name, shapes, _, _ = cases[0]
        if not done:
            yield name, shapes, "HANG"
            return
        lines = [line for line in done.stderr.splitlines() if "error" in line] or ["no message"]
        yield name, shapes, ("CRASH " if done.returncode != 1 else "") + lines[0].replace(directory, "")
        return
    loaded = attn.load(library)
    for name, shapes, test, _ in cases:
        yield name, shapes, run_guarded(test, loaded.entries[f"{name}__{shapes}"], directory)


def matrix(passing):
    """How many of the suite's tests pass, for each op: those of the op's own node, and those of its function's nodes."""
    counts = {}
    for test in load_node_model_tests():
        nodes = test.model.graph.node
        # A function's tensors are named after the op that it stands for.
        expanded = next((o.split("_test_")[0] for node in nodes for o in node.output if "_test_" in o), None)
        name = expanded or (nodes[0].op_type if nodes else "no op")
        if nodes and not expanded and nodes[0].domain:
            name = f"{nodes[0].domain}.{name}"
        cell = counts.setdefault(name, {"nodes": [0, 0, 0], "functions": [0, 0, 0]})["functions" if expanded else "nodes"]
        cell[0] += test.name in passing["static"]
        cell[1] += test.name in passing["dynamic"]
        cell[2] += 1
    total = [len(passing["static"]), len(passing["dynamic"]), len(load_node_model_tests())]
    show = lambda cell: f"{cell[0]} / {cell[1]} / {cell[2]}" if cell[2] else ""  # noqa: E731
    lines = [
        f"# ONNX ops and the node tests of onnx {onnx.__version__}", "",
        "Written by `nodes.py --update`. For each op: tests that pass with static shapes / with a symbol for every dimension /",
        "all tests; then the same of the tests in which the op is spelled out in others, as ONNX defines it.", "",
        "| op | its own tests | spelled out |", "|---|---|---|",
    ]  # fmt: skip
    lines += [f"| {op} | {show(row['nodes'])} | {show(row['functions'])} |" for op, row in sorted(counts.items())]
    return "\n".join([*lines, f"| **all** | {show(total)} | |"]) + "\n"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("regex", nargs="?", default="", help="only tests with this in their name; CORE for the core")
    parser.add_argument("--shapes", choices=["static", "dynamic", "both"], default="both")
    parser.add_argument("--passing", help="a JSON file of the tests that passed before")
    parser.add_argument("--update", action="store_true", help="write what passes to --passing")
    parser.add_argument("--matrix", metavar="FILE", help="only check that FILE is the table of what --passing says")
    parser.add_argument("--together", type=int, default=24, help="how many models are compiled into one library")
    arguments = parser.parse_args()

    before = None
    if arguments.passing and not arguments.update:
        with open(arguments.passing) as file:
            before = {shapes: set(names) for shapes, names in json.load(file).items()}
    if arguments.matrix:
        with open(arguments.matrix) as file:
            same = file.read() == matrix(before)
        print("the table is up to date" if same else "the table is old; run nodes.py --passing FILE --update")
        return not same
    cases = []
    for shapes in ("static", "dynamic") if arguments.shapes == "both" else (arguments.shapes,):
        for test in sorted(load_node_model_tests(), key=lambda test: test.name):
            if arguments.regex and not (
                is_core(test.name) if arguments.regex == "CORE" else re.search(arguments.regex, test.name)
            ):
                continue
            if before is not None and test.name not in before.get(shapes, ()):
                continue
            cases.append((test.name, shapes, test, make_dynamic(test.model) if shapes == "dynamic" else test.model))

    passed, failed = {"static": [], "dynamic": []}, {"static": [], "dynamic": []}
    for i in range(0, len(cases), arguments.together):
        with tempfile.TemporaryDirectory() as directory:
            for name, shapes, reason in check_together(cases[i : i + arguments.together], directory):
                (passed if reason is None else failed)[shapes].append(name)
                if reason:
                    print(f"FAIL {shapes} {name}: {reason[:300]}", flush=True)
    if arguments.passing and arguments.update:
        with open(arguments.passing, "w") as file:
            json.dump({shapes: sorted(names) for shapes, names in passed.items()}, file, indent=0)
            file.write("\n")
        with open(os.path.join(os.path.dirname(arguments.passing), "support.md"), "w") as file:
            file.write(matrix(passed))
    for shapes in passed:
        core = [sum(map(is_core, names[shapes])) for names in (passed, failed)]
        print(f"{shapes}: {len(passed[shapes])} passed, {len(failed[shapes])} failed; "
              f"of the core {core[0]} passed, {core[1]} failed")
    if not cases:
        print("no tests")
    return 1 if not cases or (before is not None and any(failed.values())) else 0


if __name__ == "__main__":
    sys.exit(main())
