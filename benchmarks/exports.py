# ===- exports.py - Exported models beside onnxruntime ----------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#   python exports/export.py DIRECTORY --size full       # needs torch, once
#   python exports.py DIRECTORY [NAME...] [--threads 1,2] [--rounds N] [--seconds S] [--out STEM]
#
# Each model in float32, compiled from the graph of torch's exporter, against
# onnxruntime with all optimizations on that graph, on that of torch's older
# exporter, and on the latter after onnxruntime's transformer optimizer, where that
# takes it. As in bench.py, peers live in processes of their own, of which one runs
# at a time, and the least of the rounds' medians counts.
#
# ===------------------------------------------------------------------------===#
import argparse
import json
import os
import subprocess
import tempfile

import numpy as np

import machine
from bench import Peer

HERE = os.path.dirname(os.path.abspath(__file__))
# What onnxruntime's transformer optimizer calls the models, and what it wants to know of them: heads and width.
TYPES = {
    "bert_classifier": ("bert", 12, 768), "text_classifier": ("bert", 8, 512), "vit": ("vit", 3, 192),
    "clip_text": ("clip", 8, 512), "t5_encoder": ("t5", 8, 512), "whisper_encoder": ("bart", 6, 384),
    "decoder": ("gpt2", 8, 512),
}  # fmt: skip


def fuse(path, kind, heads, width):
    """The graph after the transformer optimizer; None where that doesn't take it or changes nothing."""
    from onnxruntime.transformers import optimizer

    out = path.replace(".onnx", ".fused.onnx")
    if not os.path.exists(out):
        try:
            model = optimizer.optimize_model(path, model_type=kind, num_heads=heads, hidden_size=width, opt_level=0)
        except Exception as error:
            print(f"  {os.path.basename(path)}: onnxruntime's optimizer failed: {str(error)[:100]}")
            return None
        if not any(model.get_fused_operator_statistics().values()):
            return None
        model.save_model_to_file(out)
    return out


def contenders(directory, name):
    attnc = os.path.join(os.environ.get("ATTN_BUILD_DIR", os.path.join(HERE, "..", "build")), "bin", "attnc")
    graphs = [os.path.join(directory, name + suffix) for suffix in (".onnx", ".traced.onnx")]
    graphs = [path for path in graphs if os.path.exists(path)]
    library = os.path.join(directory, f"lib{name}.so")
    subprocess.run([attnc, graphs[0], "-o", library, "--quiet"], check=True)
    peers = [("attn", library)]
    peers += [("ort_traced" if ".traced" in path else "ort", path) for path in graphs]
    fused = fuse(graphs[-1], *TYPES[name]) if name in TYPES else None
    return peers + ([("ort_fused", fused)] if fused else [])


def feeds_of(directory, name, path):
    with np.load(os.path.join(directory, name + ".npz")) as arrays:
        data = {key[len("0/in/") :]: arrays[key] for key in arrays if key.startswith("0/in/")}
        data.update({key[2:]: arrays[key] for key in arrays if key.startswith("0/out/")})
    np.savez(path, **data)


def run_model(peers, feeds, threads, arguments):
    cpus = machine.pick_cpus(threads)
    live = []
    with tempfile.TemporaryFile("w+") as log:
        try:
            for name, model in peers:
                live.append(Peer(name, "exported.py", model, threads, cpus, feeds, log))
            for number in range(arguments.rounds):
                first = number % len(live)
                for peer in live[first:] + live[:first]:
                    peer.turn(arguments.seconds)
        finally:
            for peer in live:
                if not peer.failure:
                    peer.kill()
    result = {}
    for peer in live:
        result[peer.name] = {"failed": peer.failure} if peer.failure else {"ms": min(peer.medians), **peer.info}
    return result


def line(name, threads, result):
    best = min((r["ms"], peer) for peer, r in result.items() if peer != "attn" and "ms" in r)
    ours = result["attn"]
    if "ms" not in ours:
        return f"| {name} | {threads} | failed: {ours['failed']} | {best[0]:.3f} ({best[1]}) | |"
    return f"| {name} | {threads} | {ours['ms']:.3f} | {best[0]:.3f} ({best[1]}) | {best[0] / ours['ms']:.2f} |"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("directory")
    parser.add_argument("names", nargs="*")
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.4)
    parser.add_argument("--out", help="writes STEM.json and STEM.md")
    arguments = parser.parse_args()
    names = arguments.names or sorted(f[:-4] for f in os.listdir(arguments.directory) if f.endswith(".npz"))
    rows, results = ["| model | threads | attn, ms | best onnxruntime, ms | ratio |", "|---|---|---|---|---|"], {}
    print("\n".join(rows))
    for name in names:
        if not os.path.exists(os.path.join(arguments.directory, name + ".traced.onnx")):
            continue
        peers = contenders(arguments.directory, name)
        with tempfile.TemporaryDirectory() as scratch:
            feeds = os.path.join(scratch, "feeds.npz")
            feeds_of(arguments.directory, name, feeds)
            for threads in map(int, arguments.threads.split(",")):
                result = run_model(peers, feeds, threads, arguments)
                results[f"{name}, {threads}"] = result
                rows.append(line(name, threads, result))
                print(rows[-1], flush=True)
    if arguments.out:
        about = {"machine": machine.describe(), "versions": machine.versions(), "date": machine.date()}
        with open(arguments.out + ".json", "w") as file:
            json.dump({**about, "results": results}, file, indent=1, default=str)
        with open(arguments.out + ".md", "w") as file:
            file.write(f"# Exported models beside onnxruntime, {about['date']}\n\n```\n{about['machine']}\n{about['versions']}\n```\n\n")
            file.write("\n".join(rows) + "\n")


if __name__ == "__main__":
    main()
