# ===- torch.py - Modules of PyTorch, compiled ----------------------------===//
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#     path = attn.compile(module, (x,), dynamic_shapes=({0: "batch"},))    # a library, as from a file
#     fast = torch.compile(module, backend="attn")                         # a function; under torch.no_grad()
#
# Both go through torch's own exporter to ONNX, which needs the package onnxscript.
# Only inference is compiled.
#
# ===------------------------------------------------------------------------===#
import itertools
import os
import pathlib
import re
import tempfile
import warnings

import torch

from . import compiler
from .errors import Error
from .library import load

_count = itertools.count(1)
# How many sets of weights of one graph stay compiled.
_MOST_VERSIONS = 8


def _name_of(module):
    return "a graph of torch.compile" if isinstance(module, _Frozen) else type(module).__name__


def _reasons(error, reports):
    """What an exporter says of why it failed: all operators that it has no translation for, or the one it failed at, with
    its first line."""
    missing = set()
    for report in pathlib.Path(reports).glob("*.md"):
        _, _, grouped = report.read_text().partition("Errors grouped by operator:")
        missing.update(re.findall(r"^- `(.+?)`:", grouped, re.MULTILINE))
    if missing:
        return "no translation to ONNX for " + ", ".join(sorted(missing))
    texts, seen = [], error
    while seen is not None:
        texts.append(re.sub(r"\x1b\[[0-9;]*m", "", str(seen)).strip())
        seen = seen.__cause__ or seen.__context__
    node = re.search(r"when translating node .*?\[target=torch\.ops\.([\w.]+)\]", "\n".join(texts))
    line = next((text.splitlines()[0] for text in reversed(texts) if text), type(error).__name__)
    return f"{node[1]}: {line}" if node else line


def _written(module, program):
    """The inputs and buffers that a module writes to. What it writes is no output of the exported model."""
    signature = program.exported_program.graph_signature
    names = sorted({*signature.buffers_to_mutate.values(), *signature.user_inputs_to_mutate.values()})
    return list(map(module.graph_name, names)) if isinstance(module, _Frozen) else names


def export(module, example_inputs, path, *, dynamic_shapes=None, input_names=None, output_names=None):
    """Writes a module as an ONNX file, its weights beside it.

    module           a torch.nn.Module; it is exported in evaluation mode, and left in the mode it was in
    example_inputs   a tuple of its arguments, or a dict of them by name
    dynamic_shapes   as for torch.export: for each argument {dimension: name or torch.export.Dim}; others are fixed
    input_names, output_names   the names of the entry's tensors; None: the parameters of forward, and output or
                     output_0, output_1, ...

    Raises Error where torch can't export it, with all that it can't, and where the module writes to its inputs or
    buffers, as a batch norm does in training: a compiled model would leave them as they are.
    """
    args, kwargs = ((), example_inputs) if isinstance(example_inputs, dict) else (tuple(example_inputs), {})
    if isinstance(dynamic_shapes, (tuple, list, dict)):
        dims = {}

        def named(spec):
            if isinstance(spec, dict) and spec and all(isinstance(key, int) for key in spec):
                return {
                    i: dims.setdefault(d, torch.export.Dim(d)) if isinstance(d, str) else d for i, d in spec.items()
                }
            if isinstance(spec, dict):
                return {key: named(value) for key, value in spec.items()}
            return type(spec)(map(named, spec)) if isinstance(spec, (tuple, list)) else spec

        dynamic_shapes = named(dynamic_shapes)
    was_training = module.training
    module.eval()
    try:
        with torch.no_grad(), warnings.catch_warnings(), tempfile.TemporaryDirectory(prefix="attn-") as reports:
            warnings.simplefilter("ignore")
            try:
                program = torch.onnx.export(
                    module, args, path, kwargs=kwargs, dynamo=True, external_data=True, dynamic_shapes=dynamic_shapes,
                    input_names=input_names, output_names=output_names, opset_version=20, verbose=False,
                    report=True, artifacts_dir=reports,
                )  # fmt: skip
            except Exception as error:
                reasons = _reasons(error, reports)
                raise Error("EXPORT", f"{_name_of(module)} can't be exported by torch: {reasons}") from error
    finally:
        module.train(was_training)
    if written := _written(module, program):
        raise Error(
            "UNSUPPORTED",
            f"{_name_of(module)} writes to its inputs or buffers ({', '.join(written)}), which a compiled model can't; "
            "return new values instead, or put batch norms in evaluation mode",
        )


def compile(module, example_inputs, *, dynamic_shapes=None, input_names=None, output_names=None, name=None, **options):
    """attn.compile of a module: exports it as `export` does, then compiles that with attn.compile's options."""
    name = name or re.sub(r"\W", "_", type(module).__name__).lower()
    with tempfile.TemporaryDirectory(prefix="attn-") as directory:
        path = os.path.join(directory, name + ".onnx")
        export(module, example_inputs, path, dynamic_shapes=dynamic_shapes, input_names=input_names,
               output_names=output_names)  # fmt: skip
        return compiler.compile(path, name=name, **options)


class _Frozen(torch.nn.Module):
    """A graph of torch.compile as a module of its tensors: parameters and buffers are its own, and sizes come from the
    tensors that have them."""

    def __init__(self, graph, inputs):
        super().__init__()
        self.graph = graph
        self.weights, self.given, self.numbers, self.dynamic, self.examples = [], [], {}, [], []
        holders = [node for node in graph.graph.nodes if node.op == "placeholder"]
        self.names = [node.name for node in holders]
        shown = [node.meta.get("example_value", x) for node, x in zip(holders, inputs)]
        places = {}  # of a size's symbol: which of the given tensors has it, and in which dimension
        for i, (x, symbolic) in enumerate(zip(inputs, shown)):
            if not isinstance(x, torch.Tensor):
                continue
            if isinstance(x, torch.nn.Parameter) or getattr(x, "_dynamo_static_input_type", None):
                self.weights.append(i)
                continue
            free = {dim: size for dim, size in enumerate(symbolic.shape) if isinstance(size, torch.SymInt)}
            for dim, size in free.items():
                places.setdefault(str(size), (len(self.given), dim))
            self.given.append(i)
            self.dynamic.append({dim: torch.export.Dim.DYNAMIC for dim in free})
            hints = [size.node.hint if isinstance(size, torch.SymInt) else size for size in symbolic.shape]
            self.examples.append(torch.zeros(hints, dtype=x.dtype))
        for i, (x, symbolic) in enumerate(zip(inputs, shown)):
            if isinstance(x, torch.Tensor):
                continue
            if isinstance(symbolic, torch.SymInt) and str(symbolic) not in places:
                raise Error("EXPORT", f"a number, {symbolic}, is no size of a tensor that the graph is given")
            self.numbers[i] = places[str(symbolic)] if isinstance(symbolic, torch.SymInt) else x
        self.count = len(inputs)

    def forward(self, *tensors):
        arguments = [None] * self.count
        for i in self.weights:
            arguments[i] = getattr(self, f"weight_{i}")
        for i, x in zip(self.given, tensors):
            arguments[i] = x
        for i, number in self.numbers.items():
            arguments[i] = tensors[number[0]].shape[number[1]] if isinstance(number, tuple) else number
        return tuple(x for x in self.graph(*arguments) if isinstance(x, torch.Tensor))

    def graph_name(self, name):
        """What the graph calls a buffer or tensor of this module."""
        kind, _, index = name.rpartition("_")
        places = {"weight": range(self.count), "tensors": self.given}.get(kind)
        return self.names[places[int(index)]] if places is not None else name

    def weights_of(self, args):
        """The weights of a call. Other instances of a module's class come by the same graph."""
        return [*(args[i] for i in self.weights), *self.graph.parameters(), *self.graph.buffers()]

    def bind(self, args):
        for i in self.weights:
            self.register_buffer(f"weight_{i}", args[i].detach())


def _tensor(array, dtype):
    """An output as a tensor of the same memory; NumPy can't say bfloat16 and float8."""
    if dtype == "bfloat16" or dtype.startswith("float8"):
        return torch.from_dlpack(array.view("int16" if array.itemsize == 2 else "uint8")).view(getattr(torch, dtype))
    return torch.from_dlpack(array)


class _Compiled:
    """What torch.compile calls in place of a graph."""

    def __init__(self, graph, inputs, options):
        self.frozen, self.options = _Frozen(graph, inputs), options
        if not self.frozen.given:
            raise Error("EXPORT", "the graph is given no tensors")
        outputs = next(node for node in graph.graph.nodes if node.op == "output").args[0]
        self.is_tensor = [isinstance(getattr(x, "meta", {}).get("example_value"), torch.Tensor) for x in outputs]
        if not all(is_tensor or x is None for x, is_tensor in zip(outputs, self.is_tensor)):
            raise Error("EXPORT", "the graph returns something else than tensors")
        self.entries = {}

    def _compile(self, args):
        self.frozen.bind(args)
        free = (tuple(self.frozen.dynamic),) if any(self.frozen.dynamic) else None
        names = [f"input_{i}" for i in range(len(self.frozen.given))]
        path = compile(self.frozen, tuple(self.frozen.examples), dynamic_shapes=free, input_names=names,
                       name=f"graph{next(_count)}", **self.options)  # fmt: skip
        return next(iter(load(path).entries.values()))

    def _entry(self, args):
        """The library for the call's weights. Compiled here, at a call: while torch makes the graph it is at work on the
        function, and exporting would get in its way."""
        weights = self.frozen.weights_of(args)
        key = tuple((x.data_ptr(), x._version) for x in weights)
        if key not in self.entries:
            if len(self.entries) == _MOST_VERSIONS:
                self.entries.pop(next(iter(self.entries)))
            self.entries[key] = self._compile(args), weights  # which keeps others from getting their addresses
        return self.entries[key][0]

    def __call__(self, *args):
        if torch.is_grad_enabled() and any(
            x.requires_grad for x in [*args, *self.frozen.graph.parameters()] if isinstance(x, torch.Tensor)
        ):
            raise Error("UNSUPPORTED", "only inference is compiled; call it under torch.no_grad() or torch.inference_mode()")
        entry = self._entry(args)
        tensors = {f"input_{k}": args[i].detach() for k, i in enumerate(self.frozen.given)}
        # An exporter drops what isn't needed.
        values = entry(**{tensor.name: tensors[tensor.name] for tensor in entry.inputs})
        results = iter([_tensor(value, output.dtype) for value, output in zip(values, entry.outputs)])
        return tuple(next(results) if is_tensor else None for is_tensor in self.is_tensor)


def backend(graph, example_inputs, *, options=None):
    """The backend "attn" of torch.compile. `options` are attn.compile's.

    Weights are constants; where they are changed in place, the graph is compiled anew. torch doesn't say when that is
    done through `.data`: don't, or call torch._dynamo.reset() after it.

    Sizes become free as torch.compile finds that they change, or where torch._dynamo.mark_dynamic says so; with
    dynamic=True torch makes inputs of a module's numbers, too, and doesn't export what branches on these.

    Raises Error, mostly at the first call, for what export refuses, and where gradients are wanted.
    """
    return _Compiled(graph, example_inputs, dict(options or {}))


if "attn" not in torch._dynamo.list_backends(exclude_tags=()):
    torch._dynamo.register_backend(backend, name="attn")
