# ===- microsoft_attention.py - com.microsoft's attention against onnxruntime -===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#   python microsoft_attention.py [REGEX] [--shapes static|dynamic|both]
#
# One-node models of Attention, MultiHeadAttention, GroupQueryAttention and
# RotaryEmbedding with random inputs, compiled with attnc and computed by
# onnxruntime on the CPU.
#
# ===------------------------------------------------------------------------===#
import argparse
import os
import re
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "python"))
os.environ.setdefault("ATTN_BUILD_DIR", os.path.join(ROOT, "build"))

import numpy as np  # noqa: E402
import onnx  # noqa: E402
import onnxruntime  # noqa: E402
from onnx import TensorProto, helper, numpy_helper  # noqa: E402

import attn  # noqa: E402

rng = np.random.default_rng(0)
B, S, P, H, D = 2, 5, 3, 4, 16
T = P + S
HIDDEN = H * D


def f(*shape):
    return rng.standard_normal(shape).astype(np.float32)


def i32(values):
    return np.array(values, np.int32)


class Case:
    """`inputs` are arrays by name in the op's order, None where one isn't given; constants are initializers. `valid`
    chooses what of an output counts. Where a row's keys are all masked, onnxruntime adds -10000 to each score, of which
    no more than 3 decimals are left."""

    def __init__(self, name, op, inputs, outputs=("y",), constants=(), dims=None, valid=None, before=(), atol=1e-5, **attributes):
        self.name, self.op, self.inputs, self.outputs, self.constants = name, op, inputs, outputs, constants
        self.dims, self.valid, self.before, self.attributes = dims or {}, valid or {}, list(before), attributes
        self.atol = atol

    def model(self, dynamic):
        """With `dynamic`, the sizes that `dims` names are these names."""
        given = {name: array for name, array in self.inputs.items() if array is not None and name not in self.constants}
        names = [name if array is not None else "" for name, array in self.inputs.items()]
        values = []
        for name, array in given.items():
            if name.startswith("computed_"):
                continue
            shape = list(array.shape)
            if dynamic:
                shape = [self.dims.get(name, {}).get(k, size) for k, size in enumerate(shape)]
            values.append(helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(array.dtype), shape))
        nodes = self.before + [
            helper.make_node(self.op, names, list(self.outputs), domain="com.microsoft", **self.attributes)
        ]
        outputs = [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in self.outputs if name
        ]
        graph = helper.make_graph(
            nodes, self.name, values, outputs,
            [numpy_helper.from_array(self.inputs[name], name) for name in self.constants],
        )  # fmt: skip
        imports = [helper.make_opsetid("", 21), helper.make_opsetid("com.microsoft", 1)]
        return helper.make_model(graph, opset_imports=imports, ir_version=10), {
            name: array for name, array in given.items() if not name.startswith("computed_")
        }


def attention_cases():
    def inputs(mask=None, past=None, bias=None):
        return {
            "x": f(B, S, HIDDEN), "w": f(HIDDEN, 3 * HIDDEN) * 0.2, "b": f(3 * HIDDEN),
            "mask": mask, "past": past, "bias": bias,
        }  # fmt: skip

    dims = {"x": {0: "B", 1: "S"}, "mask": {0: "B", 1: "S"}}
    common = {"op": "Attention", "num_heads": H, "constants": ("w", "b"), "dims": dims}
    mask = i32([[1, 1, 1, 0, 0], [0, 1, 1, 1, 1]])
    yield Case("attention", inputs=inputs(), **common)
    yield Case("attention_no_bias", inputs={**inputs(), "b": None}, **{**common, "constants": ("w",)})
    yield Case("attention_weights_given", inputs=inputs(), **{**common, "constants": ()})
    yield Case("attention_mask", inputs=inputs(mask), **common)
    yield Case("attention_mask_row_empty", inputs=inputs(i32([[0] * S, [1] * S])), atol=2e-3, **common)
    yield Case("attention_mask_3d", inputs=inputs(rng.integers(0, 2, (B, S, S)).astype(np.int32)), atol=2e-3,
               **{**common, "dims": {"x": {0: "B", 1: "S"}, "mask": {0: "B", 1: "S", 2: "S"}}})  # fmt: skip
    yield Case("attention_mask_ends", inputs=inputs(i32([3, 5])), **{**common, "dims": {}})
    yield Case("attention_mask_ends_and_begins", inputs=inputs(i32([3, 5, 1, 2])), **{**common, "dims": {}})
    yield Case("attention_causal", inputs=inputs(), unidirectional=1, **common)
    yield Case("attention_causal_mask", inputs=inputs(mask), unidirectional=1, **common)
    yield Case("attention_scale", inputs=inputs(), scale=0.5, **common)
    yield Case("attention_mask_value", inputs=inputs(mask), mask_filter_value=-2.0, **common)
    yield Case("attention_bias", inputs=inputs(mask, bias=f(1, H, S, S)), **{**common, "dims": {}})
    past = f(2, B, H, P, D)
    dims = {"x": {0: "B", 1: "S"}, "past": {1: "B", 3: "P"}}
    for causal in (0, 1):
        yield Case(f"attention_past_{causal}", inputs=inputs(past=past), outputs=("y", "present"),
                   unidirectional=causal, **{**common, "dims": dims})  # fmt: skip
    yield Case("attention_past_mask", inputs=inputs(rng.integers(0, 2, (B, T)).astype(np.int32), past),
               outputs=("y", "present"), unidirectional=1,
               **{**common, "dims": {**dims, "mask": {0: "B", 1: "T"}}})  # fmt: skip
    yield Case("attention_present", inputs=inputs(), outputs=("y", "present"), **common)
    sizes = {"x": f(B, S, HIDDEN), "w": f(HIDDEN, 2 * 32 + 16), "b": f(80)}
    yield Case("attention_hidden_sizes", inputs=sizes, qkv_hidden_sizes=[32, 32, 16], **common)


def multi_head_cases():
    def inputs(keys=S, **extra):
        names = ("b", "padding", "bias", "past_key", "past_value")
        return {
            "q": f(B, S, HIDDEN), "k": f(B, keys, HIDDEN), "v": f(B, keys, HIDDEN),
            **{name: extra.get(name) for name in names},
        }  # fmt: skip

    dims = {"q": {0: "B", 1: "S"}, "k": {0: "B", 1: "L"}, "v": {0: "B", 1: "L"}, "padding": {0: "B", 1: "L"}}
    common = {"op": "MultiHeadAttention", "num_heads": H, "dims": dims}
    yield Case("multi_head", inputs=inputs(), **common)
    yield Case("multi_head_cross", inputs=inputs(7), **common)
    yield Case("multi_head_bias", inputs=inputs(b=f(3 * HIDDEN)), **common)
    yield Case("multi_head_padding", inputs=inputs(padding=i32([[1, 1, 0, 0, 0], [1, 1, 1, 1, 0]])), **common)
    yield Case("multi_head_padding_3d", inputs=inputs(padding=rng.integers(0, 2, (B, S, S)).astype(np.int32)),
               **{**common, "dims": {}})  # fmt: skip
    yield Case("multi_head_causal", inputs=inputs(), unidirectional=1, **common)
    yield Case("multi_head_attention_bias", inputs=inputs(bias=f(B, 1, S, S)), **{**common, "dims": {}})
    past = {"past_key": f(B, H, P, D), "past_value": f(B, H, P, D)}
    dims = {**dims, "k": {0: "B", 1: "S"}, "v": {0: "B", 1: "S"}, "past_key": {0: "B", 2: "P"}, "past_value": {0: "B", 2: "P"}}
    yield Case("multi_head_past", inputs=inputs(**past), outputs=("y", "key", "value"), **{**common, "dims": dims})
    yield Case("multi_head_past_causal", inputs=inputs(**past), outputs=("y", "key", "value"), unidirectional=1,
               **{**common, "dims": dims})  # fmt: skip
    yield Case("multi_head_present", inputs=inputs(), outputs=("y", "key", "value"), **common)
    cached = {**inputs(), "k": f(B, H, 7, D), "v": f(B, H, 7, D)}
    yield Case("multi_head_cached", inputs=cached, **{**common, "dims": {}})


def group_query_cases():
    G = 2

    def inputs(new, past, lengths, batch=B, **extra):
        names = ("positions", "bias", "sink")
        total = max(lengths) + 1
        return {
            "q": f(batch, new, H * D), "k": f(batch, new, G * D), "v": f(batch, new, G * D),
            "past_key": f(batch, G, past, D), "past_value": f(batch, G, past, D),
            "lengths": i32(lengths), "total": i32(total),
            "cos": extra.get("cos"), "sin": extra.get("sin"),
            **{name: extra.get(name) for name in names},
        }  # fmt: skip

    angles = f(32, D // 2)
    tables = {"cos": np.cos(angles), "sin": np.sin(angles)}
    outputs = ("y", "key", "value")
    common = {"op": "GroupQueryAttention", "num_heads": H, "kv_num_heads": G, "outputs": outputs, "constants": ("total",)}
    yield Case("group_query_prompt", inputs=inputs(S, 0, [S - 1] * B), **common)
    # What is behind a shorter row's tokens doesn't count.
    valid = {"y": [np.s_[0, :3], np.s_[1]], "key": [np.s_[0, :, :3], np.s_[1]], "value": [np.s_[0, :, :3], np.s_[1]]}
    yield Case("group_query_prompt_ragged", inputs=inputs(S, 0, [2, S - 1]), valid=valid, **common)
    yield Case("group_query_decode", inputs=inputs(1, 6, [6, 6]), **common)
    valid = {"key": [np.s_[0, :, :5], np.s_[1]], "value": [np.s_[0, :, :5], np.s_[1]]}
    yield Case("group_query_decode_ragged", inputs=inputs(1, 6, [4, 6]), valid=valid, **common)
    yield Case("group_query_one_row", inputs=inputs(1, 6, [6], 1), **common)
    yield Case("group_query_continued", inputs=inputs(3, 4, [6], 1), **common)
    yield Case("group_query_rotary", inputs=inputs(1, 6, [4, 6], **tables), do_rotary=1, valid=valid, **common)
    yield Case("group_query_rotary_prompt", inputs=inputs(S, 0, [S - 1] * B, **tables), do_rotary=1, **common)
    yield Case("group_query_rotary_interleaved", inputs=inputs(S, 0, [S - 1] * B, **tables), do_rotary=1,
               rotary_interleaved=1, **common)  # fmt: skip
    for window in (1, 2, 3):
        yield Case(f"group_query_window_{window}", inputs=inputs(S, 0, [S - 1] * B), local_window_size=window, **common)
    yield Case("group_query_window_decode", inputs=inputs(1, 6, [6, 6]), local_window_size=3, **common)
    yield Case("group_query_softcap", inputs=inputs(S, 0, [S - 1] * B), softcap=2.0, **common)
    yield Case("group_query_smooth", inputs=inputs(S, 0, [S - 1] * B), smooth_softmax=1, **common)
    yield Case("group_query_sink", inputs=inputs(S, 0, [S - 1] * B, sink=f(H)), **common)
    yield Case("group_query_scale", inputs=inputs(S, 0, [S - 1] * B), scale=0.3, **common)
    yield Case("group_query_bias", inputs=inputs(S, 0, [S - 1] * B, bias=f(1, H, S, S)), **common)
    packed = {**inputs(S, 0, [S - 1] * B), "q": f(B, S, (H + 2 * G) * D), "k": None, "v": None}
    yield Case("group_query_packed", inputs=packed, **common)
    # As exported: lengths are sums over a mask, the total is one of its dimensions.
    inputs_ = inputs(2, 4, [5, 5])
    inputs_ = {"mask": np.ones((B, 6), np.int64), **inputs_}
    before = [
        helper.make_node("Shape", ["mask"], ["shape"]),
        helper.make_node("Gather", ["shape", "one"], ["total64"], axis=0),
        helper.make_node("Cast", ["total64"], ["computed_total"], to=TensorProto.INT32),
        helper.make_node("Identity", ["mask"], ["unused"]),
    ]
    dims = {"q": {0: "B", 1: "S"}, "k": {0: "B", 1: "S"}, "v": {0: "B", 1: "S"}, "past_key": {0: "B", 2: "P"},
            "past_value": {0: "B", 2: "P"}, "lengths": {0: "B"}, "mask": {0: "B", 1: "T"}}  # fmt: skip
    yield ExportedCase(inputs(1, 5, [5, 5]), before, dims, G)


class ExportedCase(Case):
    def __init__(self, inputs, before, dims, groups):
        super().__init__("group_query_exported", "GroupQueryAttention", inputs, ("y", "key", "value"), dims=dims,
                         before=before, num_heads=H, kv_num_heads=groups)  # fmt: skip

    def model(self, dynamic):
        self.inputs = {"computed_total" if name == "total" else name: array for name, array in self.inputs.items()}
        model, given = super().model(dynamic)
        mask = np.ones((B, 6), np.int64)
        model.graph.input.append(
            helper.make_tensor_value_info("mask", TensorProto.INT64, ["B", "T"] if dynamic else list(mask.shape))
        )
        model.graph.initializer.append(numpy_helper.from_array(np.array(1, np.int64), "one"))
        return model, {**given, "mask": mask}


def rotary_cases():
    angles = f(20, D // 2)
    tables = {"cos": np.cos(angles), "sin": np.sin(angles)}
    positions = rng.integers(0, 20, (B, S)).astype(np.int64)
    dims = {"x": {0: "B", 1: "S"}, "positions": {0: "B", 1: "S"}}
    flat = {"x": f(B, S, HIDDEN), "positions": positions, **tables}
    common = {"op": "RotaryEmbedding", "constants": ("cos", "sin"), "dims": dims}
    yield Case("rotary", inputs=flat, **common)
    yield Case("rotary_interleaved", inputs=flat, interleaved=1, **common)
    yield Case("rotary_offset", inputs={**flat, "positions": np.array([3], np.int64)}, **{**common, "dims": {"x": {0: "B", 1: "S"}}})
    yield Case("rotary_4d", inputs={**flat, "x": f(B, H, S, D)}, **{**common, "dims": {}})
    half = {"cos": tables["cos"][:, :2].copy(), "sin": tables["sin"][:, :2].copy()}
    yield Case("rotary_partial", inputs={**flat, **half}, num_heads=H, rotary_embedding_dim=4, **common)


def check(case, dynamic, directory):
    model, inputs = case.model(dynamic)
    try:
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        session = onnxruntime.InferenceSession(model.SerializeToString(), options, ["CPUExecutionProvider"])
        expected = session.run(None, inputs)
    except Exception as error:  # noqa: BLE001
        return f"onnxruntime refuses it: {str(error)[:200]}"
    path, library = os.path.join(directory, "model.onnx"), os.path.join(directory, "libmodel.so")
    onnx.save(model, path)
    attnc = os.path.join(os.environ["ATTN_BUILD_DIR"], "bin", "attnc")
    done = subprocess.run([attnc, path, "-o", library, "--quiet"], capture_output=True, text=True)
    if done.returncode:
        return (done.stderr.splitlines() or ["no message"])[0].replace(path, "model")
    entry = attn.load(library)
    results = entry(*[inputs[value.name] for value in next(iter(entry.entries.values())).inputs])
    for name, actual, wanted in zip([name for name in case.outputs if name], results, expected):
        actual = np.asarray(actual)
        if actual.shape != wanted.shape:
            return f"{name}: shape {list(actual.shape)}, expected {list(wanted.shape)}"
        for part in case.valid.get(name, [np.s_[...]]):
            if not np.allclose(actual[part], wanted[part], rtol=1e-4, atol=case.atol):
                return f"{name}{part}: off by {np.max(np.abs(actual[part] - wanted[part])):.3g}"
    return None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("regex", nargs="?", default="")
    parser.add_argument("--shapes", choices=["static", "dynamic", "both"], default="both")
    arguments = parser.parse_args()
    failures = 0
    for case in [*attention_cases(), *multi_head_cases(), *group_query_cases(), *rotary_cases()]:
        if not re.search(arguments.regex, case.name):
            continue
        for shapes in ("static", "dynamic") if arguments.shapes == "both" else (arguments.shapes,):
            if shapes == "dynamic" and not case.dims:
                continue
            with tempfile.TemporaryDirectory() as directory:
                reason = check(case, shapes == "dynamic", directory)
            if reason:
                failures += 1
                print(f"FAIL {shapes} {case.name}: {reason}", flush=True)
    print(f"{failures} failed")
    return failures != 0


if __name__ == "__main__":
    sys.exit(main())
