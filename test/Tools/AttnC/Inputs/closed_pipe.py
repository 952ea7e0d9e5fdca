# ===- closed_pipe.py - Runs attnc with readers that have gone away ---------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#   closed_pipe.py ATTNC MODEL EMPTY-DIRECTORY
#
# As `attnc ... 2>&1 | head -1` and `attnc ... -o - | head -1`, but the reader is
# gone before the first byte, so that no timing decides.
#
# ===------------------------------------------------------------------------===#
import os
import signal
import subprocess
import sys

attnc, model, directory = sys.argv[1:]
library = os.path.join(directory, "libx.so")
# Python ignores the signal, and a process would inherit that.
signal.signal(signal.SIGPIPE, signal.SIG_DFL)


def run(*arguments, **streams):
    reader, writer = os.pipe()
    os.close(reader)
    streams = {name: writer if stream is None else stream for name, stream in streams.items()}
    done = subprocess.run([attnc, *arguments], text=True, **streams)
    os.close(writer)
    return done


def files():
    return "files " + ", ".join(sorted(os.listdir(directory)))


print(f"messages: {run(model, '-o', library, stdout=None, stderr=None).returncode}, {files()}")
for what, *arguments in (
    ("help", "--help"),
    ("MLIR", model, "--emit=mlir", "-o", "-"),
    ("assembly", model, "--emit=asm", "-o", "-"),
):
    done = run(*arguments, stdout=None, stderr=subprocess.PIPE)
    print(f"{what}: {done.returncode}, {done.stderr.rstrip()}")
print(files())
