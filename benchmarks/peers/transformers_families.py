# ===- transformers_families.py - The float64 oracle against transformers ---===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Every family, task and variant that the tests compile, written as a directory,
# loaded by the transformers library, run in float64 with its own ("eager")
# attention, and compared with benchmarks/families_reference.py.
#
#   pip install torch transformers && python benchmarks/peers/transformers_families.py
#
# ===------------------------------------------------------------------------===#
import os
import sys
import tempfile

import numpy as np
import torch
import transformers

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import families  # noqa: E402
import families_reference  # noqa: E402
import random_model  # noqa: E402


def feeds_of(config, rng, batch=3, length=150):
    if config["model_type"] == "vit":
        image = config["image_size"]
        height, width = (image, image) if isinstance(image, int) else image
        return {"pixel_values": rng.standard_normal((batch, config["num_channels"], height, width))}
    ids = rng.integers(0, config["vocab_size"], (batch, length))
    ids[:, -5:] = config["pad_token_id"]
    mask = rng.random((batch, length)) < 0.7
    mask[0] = True
    mask[-1] = False
    feeds = {"input_ids": ids, "attention_mask": mask.astype(np.int64)}
    if config.get("type_vocab_size", 1) > 1:
        feeds["token_type_ids"] = rng.integers(0, config["type_vocab_size"], (batch, length))
    return feeds


def softmax_in_float64():
    """Some models take their softmax in float32, whatever they compute in, where float64's masks are infinite."""
    softmax = torch.nn.functional.softmax
    torch.nn.functional.softmax = lambda scores, dim=None, dtype=None: softmax(scores, dim=dim)


def main():
    softmax_in_float64()
    worst = {}
    for family, task, changes in families.variants():
        config = {**families.config_of(family, task), **changes}
        tensors = random_model.weights_of(config)
        with tempfile.TemporaryDirectory() as directory:
            random_model.write(directory, config, tensors)
            kind = getattr(transformers, config["architectures"][0])
            model, report = kind.from_pretrained(
                directory, attn_implementation="eager", dtype=torch.float64, output_loading_info=True
            )
        for key in ("missing_keys", "unexpected_keys", "mismatched_keys"):
            if report.get(key):
                raise SystemExit(f"{family}{task}: {key} {report[key]}")
        feeds = feeds_of(config, np.random.default_rng(1))
        with torch.inference_mode():
            got = model.eval()(**{name: torch.from_numpy(array) for name, array in feeds.items()})
        for name, want in families_reference.Model(config, tensors)(**feeds).items():
            error = float(np.abs(got[name].numpy() - want).max())
            worst[family] = max(worst.get(family, 0.0), error)
            print(f"{family}{task} {changes or ''} {name}: {error:.1e}")
    print("transformers", transformers.__version__, {family: f"{error:.1e}" for family, error in worst.items()})


if __name__ == "__main__":
    main()
