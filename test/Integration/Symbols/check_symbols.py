# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Checks what a compiled library needs and shows, as the dynamic linker sees it.

python check_symbols.py LIBRARY PREFIX [--libm NAME…]: undefined symbols are of a fixed list of libc's and libpthread's,
and of libm's exactly those named; the two exported ones are all; it needs no other libraries, has a SONAME and no path.
"""

import argparse
import os
import re
import subprocess

# What LLVM calls on its own, what the runtime's memory, threads and messages need.
LIBC = set(
    "bcmp calloc free getenv malloc memcmp memcpy memmove memset pthread_create pthread_join strcmp syscall vsnprintf".split()
)
NEEDED = {"libc.so.6", "libm.so.6", "libpthread.so.0"}


def read(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("library")
    parser.add_argument("prefix")
    parser.add_argument("--libm", nargs="*", default=[])
    a = parser.parse_args()
    problems = []

    def check(what, good):
        if not good:
            problems.append(what)

    undefined = {line.split()[-1] for line in read("llvm-nm", "-D", "--undefined-only", a.library).splitlines() if line}
    names = {symbol.split("@")[0] for symbol in undefined}
    check(f"undefined symbols beyond libc's: {sorted(names - LIBC - set(a.libm))}", names <= LIBC | set(a.libm))
    check(f"libm's functions: {sorted(names - LIBC)}, expected {sorted(a.libm)}", names - LIBC == set(a.libm))
    versions = [tuple(map(int, v.split("."))) for symbol in undefined for v in re.findall(r"@GLIBC_([\d.]+)", symbol)]
    check("an undefined symbol has no version", len(versions) == len(undefined))
    check(f"needs glibc {max(versions, default=())}, later than 2.29", max(versions, default=(0,)) <= (2, 29))

    defined = {line.split()[-1].split("@")[0] for line in read("llvm-nm", "-D", "--defined-only", a.library).splitlines() if line}
    check(f"exports {sorted(defined)}", defined == {a.prefix + "_library", "attn_library_v1"})

    dynamic = read("llvm-readelf", "--dynamic", "--wide", a.library)
    needed = set(re.findall(r"\(NEEDED\)\s+Shared library: \[(.*?)\]", dynamic))
    check(f"needs the libraries {sorted(needed)}", needed <= NEEDED and "libc.so.6" in needed)
    check("needs libm without using it" if not a.libm else "does not name libm", ("libm.so.6" in needed) == bool(a.libm))
    check("wrong SONAME", re.findall(r"\(SONAME\)\s+Library soname: \[(.*?)\]", dynamic) == [f"lib{a.prefix}.so"])
    for tag in ("RPATH", "RUNPATH", "TEXTREL"):
        check(f"has {tag}", f"({tag})" not in dynamic)
    segments = [line.split() for line in read("llvm-readelf", "--program-headers", "--wide", a.library).splitlines()]
    flags = {line[0]: "".join(line[6:-1]) for line in segments if line and line[0] in ("GNU_STACK", "LOAD")}
    check("an executable stack", "E" not in flags.get("GNU_STACK", "E"))
    check("a segment to write and execute", not any("W" in "".join(line[6:-1]) and "E" in "".join(line[6:-1]) for line in segments if line and line[0] == "LOAD"))

    with open(a.library, "rb") as file:
        data = file.read()
    here = os.path.dirname(os.path.abspath(a.library)).encode()
    check("the output's folder is in its bytes", here not in data)
    for problem in problems:
        print("FAILED", problem)
    print(f"{len(undefined)} undefined symbols, {len(problems)} problems")


if __name__ == "__main__":
    main()
