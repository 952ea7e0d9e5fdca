# ===- random_model.py - Write a small random model of any family -----------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# A Hugging Face directory (config.json, model.safetensors) of a family that the
# importer knows, with weights scaled as those of random_bert.py, so that softmax
# and activations see spread values.
#
#   python random_model.py DIRECTORY --family roberta [--task ForTokenClassification] [--layers 2] …
#
# ===------------------------------------------------------------------------===#
import argparse
import json
import math
import os

import numpy as np

import families
import safetensors_file


def scale_of(name, shape):
    """(centre, deviation) of a tensor's values."""
    if len(shape) == 1:
        return (1.0, 0.2) if name.endswith("weight") else (0.0, 0.2)
    if "relative_attention_bias" in name:
        return 0.0, 1.0
    if "word_embeddings" in name or "token_embedding" in name:
        return 0.0, 1.0
    if "embedding" in name and "patch" not in name and "project" not in name and "mapping" not in name:
        return 0.0, 0.5
    gain = 1.4 if any(part in name for part in ("query", "key", "value", "attn.", "_lin.", "_proj.")) else 1.0
    return 0.0, gain / math.sqrt(math.prod(shape[1:]))


def weights_of(config, seed=0, pooler=True, prefix=None):
    rng, tensors = np.random.default_rng(seed), {}
    for name, shape in families.shapes_of(config, pooler, prefix).items():
        centre, deviation = scale_of(name, shape)
        tensors[name] = (centre + deviation * rng.standard_normal(shape)).astype(np.float32)
    return tensors


def write(directory, config, tensors):
    os.makedirs(directory, exist_ok=True)
    with open(os.path.join(directory, "config.json"), "w") as file:
        json.dump(config, file, indent=2)
    safetensors_file.write_file(os.path.join(directory, "model.safetensors"), tensors)


def main():
    parser = argparse.ArgumentParser(description="Write a model with random weights as a Hugging Face directory.")
    parser.add_argument("directory")
    parser.add_argument("--family", choices=families.CLASSES, default="bert")
    parser.add_argument("--task", default="", help="such as ForTokenClassification, or WithProjection")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--config", action="append", default=[], metavar="KEY=JSON")
    for name, default in (
        ("layers", 2),
        ("hidden", 64),
        ("heads", 4),
        ("inner", 128),
        ("vocabulary", 100),
        ("positions", 160),
        ("labels", 3),
    ):
        parser.add_argument("--" + name, type=int, default=default)
    parser.add_argument("--no-pooler", action="store_true", help="a plain model without a pooler")
    parser.add_argument("--prefix", help="before the encoder's names; default: as the library saves them")
    a = parser.parse_args()
    config = families.config_of(
        a.family, a.task, a.layers, a.hidden, a.heads, a.inner, a.vocabulary, a.positions, a.labels
    )
    for item in a.config:
        key, _, value = item.partition("=")
        config[key] = json.loads(value)
    write(a.directory, config, weights_of(config, a.seed, not a.no_pooler, a.prefix))


if __name__ == "__main__":
    main()
