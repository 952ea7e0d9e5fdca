# ===- export.py - Models of PyTorch as ONNX files with references ----------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#   python export.py DIRECTORY [--size small|full] [NAME...]
#
# Writes NAME.onnx by torch's exporter, NAME.traced.onnx by its older one, and
# NAME.npz: for each set of sizes the inputs, and the outputs that the model has in
# float64; translation.npz is what the translator says. The small ones are committed, so that tests need no torch:
#
#   python export.py ../../test/Integration/Exports/Inputs
#
# ===------------------------------------------------------------------------===#
import argparse
import copy
import inspect
import os
import warnings

import numpy as np
import onnx
import torch

import models


def resized(export, sizes):
    """Inputs of other sizes: integers and masks are drawn anew from what is there, floats at random."""
    inputs = {}
    for name, tensor in export.inputs.items():
        free = export.free.get(name, {})
        shape = [sizes.get(free.get(i), n) for i, n in enumerate(tensor.shape)]
        if name.endswith("mask"):
            inputs[name] = models.padded(*shape)
        elif tensor.dtype == torch.int64:
            inputs[name] = torch.randint(1, int(tensor.max()) + 1, shape)
        else:
            inputs[name] = torch.randn(shape)
    return inputs


def reference(export, inputs):
    module = copy.deepcopy(export.module).double()
    arguments = [x.double() if x.is_floating_point() else x for x in inputs.values()]
    with torch.no_grad():
        outputs = module(*arguments)
    outputs = outputs if isinstance(outputs, (tuple, list)) else (outputs,)
    return dict(zip(export.outputs, (x.numpy() for x in outputs), strict=True))


def translate(directory):
    """What the translator says in float64, word by word: the likeliest next one, from word 1 on."""
    model, layers, heads, channels = models.translator_of("small")
    model = model.double().eval()
    torch.manual_seed(5)
    source, mask, steps = torch.randint(1, 60, (3, 8)), models.padded(3, 8), 12
    with torch.no_grad():
        cross = models.TranslatorEncoder(model)(source, mask)
        past = [torch.zeros(3, heads, 0, channels, dtype=torch.float64)] * (2 * layers)
        words = [torch.ones(3, 1, dtype=torch.int64)]
        for _ in range(steps):
            logits, *past = models.TranslatorStep(model)(words[-1], mask, *cross, *past)
            words.append(logits.argmax(dim=-1, keepdim=True))
    arrays = dict(source=source, mask=mask, words=torch.cat(words, dim=1))
    np.savez_compressed(os.path.join(directory, "translation.npz"), **{k: x.numpy() for k, x in arrays.items()})


def write(export, path, dynamo):
    arguments = tuple(export.inputs.values())
    options = dict(input_names=list(export.inputs), output_names=export.outputs, opset_version=20)
    if dynamo:
        dims = {}
        named = lambda free: {i: dims.setdefault(d, torch.export.Dim(d, min=1, max=4096)) for i, d in free.items()}  # noqa: E731
        shapes = [named(export.free.get(name, {})) for name in export.inputs]
        parameters = inspect.signature(export.module.forward).parameters
        if any(p.kind == p.VAR_POSITIONAL for p in parameters.values()):  # the last one stands for all others
            fixed = len(parameters) - 1
            shapes = [*shapes[:fixed], tuple(shapes[fixed:])]
        if export.free:
            options["dynamic_shapes"] = tuple(shapes)
        torch.onnx.export(export.module, arguments, path, dynamo=True, external_data=False, verbose=False, **options)
    else:
        torch.onnx.export(export.module, arguments, path, dynamo=False, dynamic_axes=export.free or None, **options)
    model = onnx.load(path)
    for node in model.graph.node:  # where it was in the source, which is most of a small file
        del node.metadata_props[:]
        node.doc_string = ""
    del model.graph.value_info[:]
    del model.metadata_props[:]
    model.producer_version = ""
    onnx.save(model, path)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("directory")
    parser.add_argument("--size", choices=("small", "full"), default="small")
    parser.add_argument("names", nargs="*")
    args = parser.parse_args()
    os.makedirs(args.directory, exist_ok=True)
    warnings.simplefilter("ignore")
    if args.size == "small" and not args.names:
        translate(args.directory)
    for name in args.names or models.EXPORTS:
        torch.manual_seed(3)
        export = models.EXPORTS[name](args.size)
        export.module.eval()
        arrays = {}
        for i, inputs in enumerate([export.inputs] + [resized(export, sizes) for sizes in export.shapes]):
            for kind, tensors in (("in", inputs), ("out", reference(export, inputs))):
                arrays.update({f"{i}/{kind}/{key}": np.asarray(x) for key, x in tensors.items()})
        np.savez_compressed(os.path.join(args.directory, name + ".npz"), **arrays)
        for suffix, dynamo in (("", True), (".traced", False)):
            path = os.path.join(args.directory, name + suffix + ".onnx")
            try:
                write(export, path, dynamo)
                print(f"{path}: {os.path.getsize(path)} bytes")
            except Exception as error:  # the exporters have bugs of their own
                print(f"{path}: not exported: {str(error).splitlines()[0][:150]}")


if __name__ == "__main__":
    main()
