# ===- random_bert.py - Write a small BERT with random weights --------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# A Hugging Face directory as sentence-transformers writes it (config.json,
# model.safetensors, modules.json, 1_Pooling), small enough to compile and check
# in a second. Weights are scaled so that softmax and GELU see spread values: at
# the customary 0.02 every attention is nearly a mean and hides mistakes.
#
#   python random_bert.py DIRECTORY [--seed 0] [--layers 2] [--hidden 64] …
#
# ===------------------------------------------------------------------------===#
import argparse
import json
import os

import numpy as np

import safetensors_file


def config_of(layers=2, hidden=64, heads=4, inner=128, vocabulary=100, positions=160, activation="gelu"):
    return {
        "architectures": ["BertModel"],
        "model_type": "bert",
        "hidden_act": activation,
        "hidden_size": hidden,
        "intermediate_size": inner,
        "layer_norm_eps": 1e-12,
        "max_position_embeddings": positions,
        "num_attention_heads": heads,
        "num_hidden_layers": layers,
        "pad_token_id": 0,
        "position_embedding_type": "absolute",
        "type_vocab_size": 2,
        "vocab_size": vocabulary,
    }


def weights_of(config, seed=0):
    """All tensors of the encoder as float32, in a fixed order."""
    rng, tensors = np.random.default_rng(seed), {}
    hidden, inner = config["hidden_size"], config["intermediate_size"]

    def normal(shape, scale):
        return (rng.standard_normal(shape) * scale).astype(np.float32)

    def norm(name):
        tensors[name + ".weight"] = 1 + normal(hidden, 0.2)
        tensors[name + ".bias"] = normal(hidden, 0.2)

    def linear(name, rows, columns, gain=1.0):
        tensors[name + ".weight"] = normal((rows, columns), gain / np.sqrt(columns))
        tensors[name + ".bias"] = normal(rows, 0.2)

    tensors["embeddings.word_embeddings.weight"] = normal((config["vocab_size"], hidden), 1.0)
    tensors["embeddings.position_embeddings.weight"] = normal((config["max_position_embeddings"], hidden), 0.5)
    tensors["embeddings.token_type_embeddings.weight"] = normal((config["type_vocab_size"], hidden), 0.5)
    norm("embeddings.LayerNorm")
    for i in range(config["num_hidden_layers"]):
        layer = f"encoder.layer.{i}"
        for part in ("query", "key", "value"):
            linear(f"{layer}.attention.self.{part}", hidden, hidden, gain=1.4)
        linear(f"{layer}.attention.output.dense", hidden, hidden)
        norm(f"{layer}.attention.output.LayerNorm")
        linear(f"{layer}.intermediate.dense", inner, hidden)
        linear(f"{layer}.output.dense", hidden, inner)
        norm(f"{layer}.output.LayerNorm")
    # A task head that the encoder's importer has to leave alone.
    linear("pooler.dense", hidden, hidden)
    return tensors


def dump(directory, name, value):
    path = os.path.join(directory, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        json.dump(value, file, indent=2)
        file.write("\n")


def write_pooling(directory, width):
    """Makes the directory's model, of rows of `width`, a sentence encoder: the mean of the rows, of length 1."""
    prefix = "sentence_transformers.models."
    dump(
        directory,
        "modules.json",
        [
            {"idx": 0, "name": "0", "path": "", "type": prefix + "Transformer"},
            {"idx": 1, "name": "1", "path": "1_Pooling", "type": prefix + "Pooling"},
            {"idx": 2, "name": "2", "path": "2_Normalize", "type": prefix + "Normalize"},
        ],
    )
    dump(
        directory,
        "1_Pooling/config.json",
        {
            "word_embedding_dimension": width,
            "pooling_mode_cls_token": False,
            "pooling_mode_mean_tokens": True,
            "pooling_mode_max_tokens": False,
            "pooling_mode_mean_sqrt_len_tokens": False,
        },
    )


def write(directory, config, tensors, dtype="f32", shards=1, pooling=True):
    os.makedirs(directory, exist_ok=True)
    dump(directory, "config.json", config)
    if dtype == "f16":
        tensors = {name: array.astype(np.float16) for name, array in tensors.items()}
    safetensors_file.write_shards(directory, tensors, shards, bf16=dtype == "bf16")
    if pooling:
        write_pooling(directory, config["hidden_size"])


def main():
    parser = argparse.ArgumentParser(description="Write a small BERT with random weights as a Hugging Face directory.")
    parser.add_argument("directory")
    parser.add_argument("--seed", type=int, default=0)
    for name, default in (
        ("layers", 2),
        ("hidden", 64),
        ("heads", 4),
        ("inner", 128),
        ("vocabulary", 100),
        ("positions", 160),
    ):
        parser.add_argument("--" + name, type=int, default=default)
    parser.add_argument("--activation", default="gelu", help="gelu, gelu_new or relu")
    parser.add_argument("--dtype", default="f32", choices=("f32", "f16", "bf16"), help="how the weights are stored")
    parser.add_argument("--shards", type=int, default=1, help="files that the weights are spread over")
    parser.add_argument("--no-pooling", action="store_true", help="leave modules.json out: a bare encoder")
    a = parser.parse_args()
    config = config_of(a.layers, a.hidden, a.heads, a.inner, a.vocabulary, a.positions, a.activation)
    write(a.directory, config, weights_of(config, a.seed), a.dtype, a.shards, not a.no_pooling)


if __name__ == "__main__":
    main()
