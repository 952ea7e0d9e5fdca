# ===- export_minilm.py - Write MiniLM's ONNX graph without its weights -----===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Run once by hand, with torch and transformers; nothing else in this project
# needs them. The result, minilm_structure.onnx, is the graph torch's exporter
# writes for this model, where every initializer of 1 KiB or more has lost its
# bytes and instead names the tensor of model.safetensors it equals (transposed
# or not). minilm_onnx.py fills it again. The older, TorchScript-based exporter
# is used because onnxruntime's optimizer finds all six attentions in its graph
# and none in the newer one's.
#
#   python export_minilm.py [MODEL_DIRECTORY]
#
# ===------------------------------------------------------------------------===#
import io
import json
import os
import sys

import numpy as np
import onnx
import torch
import transformers
from onnx import numpy_helper

import reference

HERE = os.path.dirname(os.path.abspath(__file__))
STRIP_FROM = 1024  # bytes


class SentenceEncoder(torch.nn.Module):
    """The encoder with the pooling and normalisation of its sentence-transformers modules."""

    def __init__(self, directory):
        super().__init__()
        self.bert = transformers.BertModel.from_pretrained(
            directory, add_pooling_layer=False, attn_implementation="eager", dtype=torch.float32
        ).eval()

    def forward(self, input_ids, attention_mask, token_type_ids):
        hidden = self.bert(
            input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids
        ).last_hidden_state
        kept = attention_mask.unsqueeze(-1).to(hidden.dtype)
        mean = (hidden * kept).sum(1) / kept.sum(1).clamp(min=1e-9)
        return hidden, torch.nn.functional.normalize(mean, p=2.0, dim=1, eps=1e-12)


def export(directory):
    module = SentenceEncoder(directory)
    ids = torch.randint(1000, 20000, (2, 16))
    mask = torch.ones_like(ids)
    mask[1, 10:] = 0
    buffer = io.BytesIO()
    dynamic = {0: "batch", 1: "sequence"}
    with torch.no_grad():
        torch.onnx.export(
            module,
            (ids, mask, torch.zeros_like(ids)),
            buffer,
            dynamo=False,
            opset_version=17,
            do_constant_folding=True,
            input_names=["input_ids", "attention_mask", "token_type_ids"],
            output_names=["last_hidden_state", "sentence_embedding"],
            dynamic_axes={
                "input_ids": dynamic,
                "attention_mask": dynamic,
                "token_type_ids": dynamic,
                "last_hidden_state": dynamic,
                "sentence_embedding": {0: "batch"},
            },
        )
    return onnx.load_from_string(buffer.getvalue())


def find_source(array, tensors):
    """The tensor that array equals, as it is or transposed."""
    for name, tensor in tensors.items():
        if tensor.size != array.size:
            continue
        if tensor.shape == array.shape and np.array_equal(tensor, array):
            return {"tensor": name, "transpose": False}
        if tensor.ndim == 2 and tensor.T.shape == array.shape and np.array_equal(tensor.T, array):
            return {"tensor": name, "transpose": True}
    raise SystemExit(f"no tensor of the model equals an initializer of shape {array.shape}")


def strip(model, tensors):
    """Takes the bytes of the large initializers out and notes in the metadata where they come from."""
    sources = {}
    for tensor in model.graph.initializer:
        array = numpy_helper.to_array(tensor)
        if array.nbytes >= STRIP_FROM:
            sources[tensor.name] = find_source(array, tensors)
            for field in ("raw_data", "float_data", "int64_data", "int32_data"):
                tensor.ClearField(field)
    for node in model.graph.node:
        node.ClearField("doc_string")
    versions = {"torch": torch.__version__, "transformers": transformers.__version__, "onnx": onnx.__version__}
    onnx.helper.set_model_props(model, {"sources": json.dumps(sources), "written_by": json.dumps(versions)})


def main():
    directory = sys.argv[1] if len(sys.argv) > 1 else reference.minilm_directory()
    _, tensors = reference.load(directory)
    model = export(directory)
    strip(model, tensors)
    path = os.path.join(HERE, "minilm_structure.onnx")
    onnx.save(model, path)
    print(f"{path}: {os.path.getsize(path)} bytes, {len(model.graph.node)} nodes")


if __name__ == "__main__":
    main()
