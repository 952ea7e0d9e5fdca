# ===- check_division.py - Integer division, exactly ------------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#   python check_division.py --attn-run build/bin/attn-run --library libdivision.so
#
# All pairs of numbers around 0 and around the ends of 32 bits, in Python's integers:
# x / 0 is 0 and x % 0 is x; what does not fit wraps.
#
# ===------------------------------------------------------------------------===#
import argparse
import os
import subprocess
import tempfile

import numpy as np

NUMBERS = [-(2**31), -(2**31) + 1, -8, -7, -2, -1, 0, 1, 2, 7, 8, 2**31 - 2, 2**31 - 1]


def truncated(x, y):
    return abs(x) // abs(y) * (1 if (x < 0) == (y < 0) else -1)


def unsigned(divide):
    return lambda x, y: divide(x % 2**32, y % 2**32)


QUOTIENTS = {
    "div": truncated,
    "floor": lambda x, y: x // y,
    "ceil": lambda x, y: -(-x // y),
    "udiv": unsigned(lambda x, y: x // y),
    "uceil": unsigned(lambda x, y: -(-x // y)),
    "wide": lambda x, y: truncated(x * 2**32, y),
}
REMAINDERS = {
    "rem": lambda x, y: x - truncated(x, y) * y,
    "urem": unsigned(lambda x, y: x % y),
}


def wrap(value, bits):
    return (value + 2 ** (bits - 1)) % 2**bits - 2 ** (bits - 1)


def main():
    parser = argparse.ArgumentParser(description="Check integer division, divisors of 0 and overflow included.")
    parser.add_argument("--attn-run", required=True)
    parser.add_argument("--library", required=True)
    arguments = parser.parse_args()
    pairs = [(x, y) for x in NUMBERS for y in NUMBERS]
    wanted = {name: [divide(x, y) if y else 0 for x, y in pairs] for name, divide in QUOTIENTS.items()}
    wanted |= {name: [divide(x, y) if y else x for x, y in pairs] for name, divide in REMAINDERS.items()}
    wanted["by7"] = [truncated(x, 7) for x, _ in pairs]
    with tempfile.TemporaryDirectory() as folder:
        command = [arguments.attn_run, arguments.library, "--output", folder]
        for name, numbers in zip("xy", zip(*pairs)):
            np.save(os.path.join(folder, name + ".in.npy"), np.array(numbers, np.int32))
            command += ["--input", f"{name}={folder}/{name}.in.npy"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        for name, numbers in wanted.items():
            got = np.load(os.path.join(folder, name + ".npy"))
            for pair, number, value in zip(pairs, numbers, got.tolist()):
                number = wrap(number, got.itemsize * 8)
                assert number == value, f"{name}{pair} is {value}, expected {number}"
    print(f"{len(pairs)} pairs agree")


if __name__ == "__main__":
    main()
