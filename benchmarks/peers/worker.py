# ===- worker.py - The side of the benchmark that runs inside a peer --------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# A peer is a script that calls serve(load). load(arguments, feeds) prepares the
# model once and returns (run, outputs): run() computes everything for the fixed
# feeds, outputs() gives (last_hidden_state, embedding) of the last run. Copying
# inputs in is not timed for anybody; every peer writes to memory made before.
#
# One JSON object per line. To the driver: {"ready": …, "error": max difference},
# then for each line "go SECONDS": {"median": ms, "least": ms, "runs": n}.
#
# ===------------------------------------------------------------------------===#
import argparse
import json
import os
import sys
import time
import traceback


def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--cpus", required=True, help="comma-separated; the process stays on them")
    parser.add_argument(
        "--feeds", required=True, help="npz with input_ids, attention_mask, token_type_ids, hidden, embedding"
    )
    parser.add_argument("--model", default="", help="graph or library")
    return parser.parse_args()


def measure(run, seconds):
    """Medians over at least three runs and at most `seconds`; the first two warm the caches up again."""
    run()
    run()
    times, clock = [], time.perf_counter
    end = clock() + seconds
    while len(times) < 3 or clock() < end:
        begin = clock()
        run()
        times.append(clock() - begin)
    times.sort()
    return {"median": times[len(times) // 2] * 1e3, "least": times[0] * 1e3, "runs": len(times)}


def serve(load):
    # Libraries print to stdout at will; only this file writes to the driver.
    channel = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def say(message):
        channel.write(json.dumps(message) + "\n")
        channel.flush()

    try:
        arguments = parse()
        os.sched_setaffinity(0, {int(cpu) for cpu in arguments.cpus.split(",")})
        for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
            os.environ[name] = str(arguments.threads)
        import numpy as np

        with np.load(arguments.feeds) as file:
            data = {name: file[name] for name in file.files}
        # What the outputs should be: a fixed pair, or "out/NAME" for outputs that the peer finds by name.
        named = [name for name in data if name.startswith("out/")]
        want = [data.pop(name) for name in named or ("hidden", "embedding")]
        begin = time.perf_counter()
        names = [name[len("out/") :] for name in named]
        run, outputs, info = load(arguments, data, names) if named else load(arguments, data)
        run()
        info["load_seconds"] = round(time.perf_counter() - begin, 3)
        info["error"] = max(float(np.abs(np.asarray(got, np.float64) - w).max()) for got, w in zip(outputs(), want))
        say({"ready": True, **info})
        for line in sys.stdin:
            say(measure(run, float(line.split()[1])))
    except BaseException as error:  # the driver decides what a failed peer means
        traceback.print_exc()
        say({"failed": f"{type(error).__name__}: {error}"[:500]})
    channel.close()
    os._exit(0)  # some runtimes hang in their destructors after SIGSTOP
