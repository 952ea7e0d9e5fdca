# ===- run_shell.py - Runs the README's shell lines -------------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#   run_shell.py SOURCE BUILD LLVM
#
# Started in a folder that holds MODEL. Every line of the README's `sh` blocks is
# run there, in order, or looked at where running it would take minutes; a line of
# another kind is an error, so that no example is forgotten. Presets that the text
# names have to exist.
#
# ===------------------------------------------------------------------------===#
import json
import os
import re
import shlex
import subprocess
import sys

import numpy as np

import attn

source, build, llvm = sys.argv[1:]
TOOLS = ("attnc", "attn-opt", "attn-run", "attn-reduce", "mlir-opt", "attn-ptx-sim", "LD_LIBRARY_PATH=build/lib/ptxsim")
SCALE = """.version 7.8
.target sm_80
.address_size 64
.visible .entry scale(.param .u64 x, .param .u64 y, .param .f32 a) {
  .reg .b32 %r<5>;
  .reg .b64 %rd<6>;
  .reg .f32 %f<4>;
  ld.param.u64 %rd1, [x];
  ld.param.u64 %rd2, [y];
  ld.param.f32 %f1, [a];
  mov.u32 %r1, %ctaid.x;
  mov.u32 %r2, %ntid.x;
  mov.u32 %r3, %tid.x;
  mad.lo.s32 %r4, %r1, %r2, %r3;
  mul.wide.u32 %rd3, %r4, 4;
  add.s64 %rd4, %rd1, %rd3;
  add.s64 %rd5, %rd2, %rd3;
  ld.global.f32 %f2, [%rd4];
  mul.f32 %f3, %f2, %f1;
  st.global.f32 [%rd5], %f3;
  ret;
}
"""
GELU = "func.func @f(%x: tensor<4xf32>) -> tensor<4xf32> {\n  %0 = attn.gelu %x : tensor<4xf32>\n  return %0 : tensor<4xf32>\n}\n"


def prepare():
    """What the lines take for granted."""
    os.symlink(build, "build")
    for name in ("model.mlir", "bug.mlir"):
        with open(name, "w") as file:
            file.write(GELU)
    with open("scale.ptx", "w") as file:
        file.write(SCALE)
    np.ones(512, np.float32).tofile("x.bin")
    with open("program", "w") as file:
        file.write("#!/bin/sh\ntest -e $LD_LIBRARY_PATH/libcuda.so.1\n")
    os.chmod("program", 0o755)
    with open("interesting.sh", "w") as file:
        file.write("#!/bin/sh\ngrep -q attn.gelu $1 && exit 1\nexit 0\n")
    os.chmod("interesting.sh", 0o755)


def write_reference(library):
    ids = np.array([[1, 7, 2], [1, 2, 0]])
    feeds = {"input_ids": ids, "attention_mask": (ids > 0).astype(np.int64), "token_type_ids": np.zeros_like(ids)}
    with attn.load(library) as model:
        np.savez_compressed("reference.npz", **feeds, **dict(model(**feeds).items()))


def run(line):
    print("+", line, flush=True)
    done = subprocess.run(["bash", "-ec", line], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"the README's line fails:\n{done.stdout}{done.stderr}")


def do(line):
    words = shlex.split(line, comments=True)
    if words[0] in TOOLS:
        if "reference.npz" in words:
            write_reference(words[1])
        run(line)
    elif words[:2] == ["cmake", "-B"]:
        print("+", line)
        assert words[2] == "build" and "/path/to/llvm-22" in line
        where = f"-S {shlex.quote(source)} -B {shlex.quote(os.path.abspath('configured'))}"
        run(line.replace("-B build", where).replace("/path/to/llvm-22", llvm))
    elif words[:2] == ["cmake", "--build"]:
        assert words[2:] == ["build"], line
    else:
        assert words[0] in ("tools/demo", "tools/check") and os.access(os.path.join(source, words[0]), os.X_OK), line


def main():
    with open(os.path.join(source, "README.md")) as file:
        text = file.read()
    prepare()
    for block in re.findall(r"^```sh\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
        for line in block.replace("\\\n", "").splitlines():
            do(line)
    with open(os.path.join(source, "CMakePresets.json")) as file:
        presets = json.load(file)
    known = {preset["name"] for kind, entries in presets.items() if kind.endswith("Presets") for preset in entries}
    unknown = set(re.findall(r"--preset (\w+)", text)) - known
    assert not unknown, unknown
    print("all lines of the README were run or looked at")


if __name__ == "__main__":
    main()
