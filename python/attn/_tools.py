# ===- _tools.py - The command-line tools of an installed package ---------===//
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# A wheel carries attnc and attn-run; these functions are their entry points.
#
# ===------------------------------------------------------------------------===#
import os
import pathlib
import sys


def _run(name):
    tool = pathlib.Path(__file__).resolve().parent / "bin" / name
    if not tool.exists():
        sys.exit(f"{name}: {tool} is missing: this package was not installed as a wheel; use the build's bin/{name}")
    os.execv(tool, [name, *sys.argv[1:]])


def attnc():
    _run("attnc")


def attn_run():
    _run("attn-run")
