# ===- interrupt.py - Interrupts attnc at every step ------------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#   interrupt.py ATTNC MODEL EMPTY-DIRECTORY
#
# A signal is sent as soon as a step is announced, so each step of a compilation
# is met, on slow machines too.
#
# ===------------------------------------------------------------------------===#
import os
import signal
import subprocess
import sys

attnc, model, directory = sys.argv[1:]
command = [attnc, model, "-o", os.path.join(directory, "libx.so"), "--progress=plain"]


def steps():
    """What a whole compilation announces; it also leaves its files, which go."""
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    for name in os.listdir(directory):
        os.remove(os.path.join(directory, name))
    return run.stderr.splitlines()


def interrupt(number, when):
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        said = []
        for line in process.stderr:
            said.append(line)
            if line.rstrip("\n") == when and process.poll() is None:
                process.send_signal(number)
    return process.returncode, "".join(said)


interrupted = 0
for number in (signal.SIGINT, signal.SIGTERM):
    for step in steps()[:-1]:
        code, said = interrupt(number, step)
        left = os.listdir(directory)
        # The signal may come when the work is done: then all of it is.
        if code == 0:
            assert sorted(left) == ["libx.so", "x.h", "x.json"], (step, left)
            for name in left:
                os.remove(os.path.join(directory, name))
            continue
        assert code == 130 and not left, (step, code, left, said)
        assert said.endswith("error: interrupted; nothing was written\n"), said
        interrupted += 1
assert interrupted > 10, interrupted
print("every interrupt left nothing")
