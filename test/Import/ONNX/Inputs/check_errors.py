# ===- check_errors.py - Models of one node that are refused ----------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#   python check_errors.py FILE DIRECTORY
#
# Each line "NODE => MESSAGE" of FILE says what attnc answers to a model of that one
# node, which is written as for make_node.py.
#
# ===------------------------------------------------------------------------===#
import os
import subprocess
import sys

import make_node


def main(file, directory):
    os.makedirs(directory, exist_ok=True)
    path = os.path.join(directory, "model.onnx")
    attnc = os.path.join(os.environ["ATTN_BUILD_DIR"], "bin", "attnc")
    count = wrong = 0
    with open(file) as lines:
        cases = [line.split(" => ") for line in lines if " => " in line]
    for node, message in cases:
        make_node.main(path, *node.split())
        command = [attnc, path, "--compile-to=import", "--emit=mlir", "--quiet", "-o", os.devnull]
        done = subprocess.run(command, capture_output=True, text=True)
        first = (done.stderr.splitlines() or ["nothing"])[0]
        count += 1
        if done.returncode != 1 or not first.endswith(message.strip()):
            wrong += 1
            print(f"{node}: {done.returncode}: {first}")
    print(f"{count} models, {wrong} with another answer")


if __name__ == "__main__":
    main(*sys.argv[1:])
