# ===- kernels.py - Single kernels against the FMA peak ---------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#   python benchmarks/kernels.py [--build build] [--threads 1] [--rounds 3] [--out STEM]
#
# Writes a model of one op for each case, compiles it with attnc and times it with
# attn-run --bench, which measures the FMA peak in the same process. Rounds rotate
# over the cases; the best median of a case counts. Weights of linear layers come
# from a file, so they are packed when the library is written, as in a model.
#
# ===------------------------------------------------------------------------===#
import argparse
import json
import os
import re
import subprocess
import tempfile

import numpy as np


def linear(rows, outputs, inputs, epilogue="none"):
    """rows x inputs by a weight [outputs, inputs]."""
    x, y = f"tensor<{rows}x{inputs}xf32>", f"tensor<{rows}x{outputs}xf32>"
    w, b = f"tensor<{outputs}x{inputs}xf32>", f"tensor<{outputs}xf32>"
    extras = {
        "none": ("", "", "", "attn.yield %s : f32"),
        "bias_gelu": (
            f"extras(%b : {b})",
            "maps [affine_map<(m, n) -> (n)>]",
            "",
            "%0 = arith.addf %s, %c : f32\n    %1 = attn.gelu %0 : f32\n    attn.yield %1 : f32",
        ),
    }[epilogue]
    arguments = "%s: f32" if epilogue == "none" else "%s: f32, %c: f32"
    weights = np.random.default_rng(1).standard_normal((outputs * inputs + outputs,), dtype=np.float32)
    text = f"""attn.weight @w : {w} = #attn.file<"weights.bin", 0 : {w}>
attn.weight @b : {b} = #attn.file<"weights.bin", {outputs * inputs * 4} : {b}>
func.func @kernel(%x: {x}) -> {y} {{
  %w = attn.get_weight @w : {w}
  %b = attn.get_weight @b : {b}
  %e = tensor.empty() : {y}
  %y = attn.linear ins(%x, %w : {x}, {w}) {extras[0]} outs(%e : {y}) -> {y} {extras[1]} {{
  ^bb0({arguments}):
    {extras[3]}
  }}
  return %y : {y}
}}
"""
    return text, weights, 1.0


CAUSAL = """ mask {
  ^bb0(%b: index, %h: index, %q: index, %k: index{ARGS}):
    %0 = arith.cmpi sle, %k, %q : index
    attn.yield %0 : i1
  }"""
WINDOW = """ mask {
  ^bb0(%b: index, %h: index, %q: index, %k: index{ARGS}):
    %c256 = arith.constant 256 : index
    %0 = arith.cmpi sle, %k, %q : index
    %1 = arith.addi %k, %c256 : index
    %2 = arith.cmpi sgt, %1, %q : index
    %3 = arith.andi %0, %2 : i1
    attn.yield %3 : i1
  }"""
BIAS = """ score {
  ^bb0(%s: f32, %b: index, %h: index, %q: index, %k: index, %x: f32):
    %0 = arith.addf %s, %x : f32
    attn.yield %0 : f32
  }"""
ALIBI = """ score {
  ^bb0(%s: f32, %b: index, %h: index, %q: index, %k: index, %x: f32):
    %0 = arith.subi %k, %q : index
    %1 = arith.index_cast %0 : index to i32
    %2 = arith.sitofp %1 : i32 to f32
    %3 = arith.mulf %2, %x : f32
    %4 = arith.addf %s, %3 : f32
    attn.yield %4 : f32
  }"""
SOFTCAP = """ score {
  ^bb0(%s: f32, %b: index, %h: index, %q: index, %k: index{ARGS}):
    %c = arith.constant 50.0 : f32
    %0 = arith.divf %s, %c : f32
    %1 = math.tanh %0 : f32
    %2 = arith.mulf %1, %c : f32
    attn.yield %2 : f32
  }"""
DENSE = """ mask {
  ^bb0(%b: index, %h: index, %q: index, %k: index, %x: i1):
    attn.yield %x : i1
  }"""


def attention(batch, heads, length, channels, regions="", mapped=None, group=1, keys=None, share=1.0):
    """[batch, heads, length, channels] on `keys` keys. `mapped` is a type and a map of one more operand, `share` the
    part of all pairs of queries and keys that count."""
    t = f"tensor<{batch}x{heads}x{length}x{channels}xf32>"
    kv = f"tensor<{batch}x{heads // group}x{keys or length}x{channels}xf32>"
    dims = "(b, h, q, k, d, e)"
    head = f"h floordiv {group}" if group > 1 else "h"
    argument, operand, more, args = "", "", "", ""
    if mapped:
        argument, operand = f", %m: {mapped[0]}", f"mapped(%m : {mapped[0]})"
        more = f"affine_map<{dims} -> {mapped[1]}>, "
        args = f", %x: {mapped[0].rstrip('>').split('x')[-1]}"
    text = f"""func.func @kernel(%query: {t}, %key: {kv}, %value: {kv}{argument}) -> {t} {{
  %e = tensor.empty() : {t}
  %o = attn.attention ins(%query, %key, %value : {t}, {kv}, {kv}) {operand} outs(%e : {t}) -> {t}
    maps [affine_map<{dims} -> (b, h, q, d)>, affine_map<{dims} -> (b, {head}, k, d)>,
          affine_map<{dims} -> (b, {head}, k, e)>, {more}affine_map<{dims} -> (b, h, q, e)>]{regions.replace("{ARGS}", args)}
  return %o : {t}
}}
"""
    return text, None, share


def causal(length):
    """The part of all pairs that a causal mask leaves."""
    return (length + 1) / (2 * length)


CASES = {
    "gemm_128x768x768": lambda: linear(128, 768, 768),
    "gemm_128x3072x768": lambda: linear(128, 3072, 768),
    "gemm_384x768x3072": lambda: linear(384, 768, 3072),
    "gemm_1024x1024x1024": lambda: linear(1024, 1024, 1024),
    "gemm_2048x2048x2048": lambda: linear(2048, 2048, 2048),
    "gemm_bias_gelu_128x3072x768": lambda: linear(128, 3072, 768, "bias_gelu"),
    "attention_12x64_s128": lambda: attention(1, 12, 128, 64),
    "attention_12x64_s512": lambda: attention(1, 12, 512, 64),
    "attention_12x64_s2048": lambda: attention(1, 12, 2048, 64),
    "attention_12x64_s8192": lambda: attention(1, 12, 8192, 64),
    **{
        f"causal_12x64_s{length}": lambda length=length: attention(1, 12, length, 64, CAUSAL, share=causal(length))
        for length in (128, 512, 2048, 8192)
    },
    "causal_b8_12x64_s128": lambda: attention(8, 12, 128, 64, CAUSAL, share=causal(128)),
    "attention_12x32_s128": lambda: attention(1, 12, 128, 32),
    "causal_1x64_s2048": lambda: attention(1, 1, 2048, 64, CAUSAL, share=causal(2048)),
    **{f"attention_12x{d}_s512": lambda d=d: attention(1, 12, 512, d) for d in (32, 80, 96, 128, 256)},
    "window256_12x64_s2048": lambda: attention(
        1, 12, 2048, 64, WINDOW, share=(256 * 257 / 2 + (2048 - 256) * 256) / 2048**2
    ),
    "gqa4_12x64_s512": lambda: attention(1, 12, 512, 64, group=4),
    "bias_12x64_s512": lambda: attention(1, 12, 512, 64, BIAS, ("tensor<12x512x512xf32>", "(h, q, k)")),
    "bias_12x64_s128": lambda: attention(1, 12, 128, 64, BIAS, ("tensor<12x128x128xf32>", "(h, q, k)")),
    "keybias_12x64_s512": lambda: attention(1, 12, 512, 64, BIAS, ("tensor<1x512xf32>", "(b, k)")),
    "densemask_12x64_s512": lambda: attention(1, 12, 512, 64, DENSE, ("tensor<1x512x512xi1>", "(b, q, k)")),
    "alibi_12x64_s512": lambda: attention(1, 12, 512, 64, ALIBI, ("tensor<12xf32>", "(h)")),
    "softcap_12x64_s512": lambda: attention(1, 12, 512, 64, SOFTCAP),
    "decode_12x64_k4096": lambda: attention(1, 12, 1, 64, keys=4096),
    "decode_gqa4_12x64_k4096": lambda: attention(1, 12, 1, 64, keys=4096, group=4),
}


def compile_case(name, build, folder):
    text, weights, _ = CASES[name]()
    case = os.path.join(folder, name)
    os.makedirs(case)
    if weights is not None:
        weights.tofile(os.path.join(case, "weights.bin"))
    with open(os.path.join(case, "kernel.mlir"), "w") as file:
        file.write(text)
    library = os.path.join(case, f"lib{name}.so")
    attnc = os.path.join(build, "bin", "attnc")
    subprocess.run([attnc, os.path.join(case, "kernel.mlir"), "-o", library, "--quiet"], check=True)
    return library


def measure(library, build, threads, seconds):
    """Median milliseconds and share of the peak of one run of attn-run --bench."""
    run = [os.path.join(build, "bin", "attn-run"), library, "--bench", f"--threads={threads}"]
    text = subprocess.run(run + [f"--bench-seconds={seconds}"], check=True, capture_output=True, text=True).stdout
    median = float(re.search(r"p50 ([0-9.]+) ms", text)[1])
    share = re.search(r"([0-9.]+) GFLOP/s, ([0-9.]+) %", text)
    return median, float(share[1]), float(share[2])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default="build")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=0.5)
    parser.add_argument("--cases", default="", help="only cases whose name has this regular expression")
    parser.add_argument("--out", help="write STEM.json and STEM.md")
    arguments = parser.parse_args()
    names = [name for name in CASES if re.search(arguments.cases, name)]
    best = {}
    with tempfile.TemporaryDirectory() as folder:
        libraries = {name: compile_case(name, arguments.build, folder) for name in names}
        for _ in range(arguments.rounds):
            for name in names:
                result = measure(libraries[name], arguments.build, arguments.threads, arguments.seconds)
                # FLOPs are counted for all pairs of queries and keys; those that count are useful.
                useful = CASES[name]()[2]
                result = (result[0], result[1] * useful, result[2] * useful)
                best[name] = max(best.get(name, (0, 0, 0)), result, key=lambda r: r[2])
    lines = ["| kernel | ms | GFLOP/s | share of FMA peak |", "|---|---|---|---|"]
    lines += [f"| {name} | {ms:.3f} | {rate:.1f} | {share:.1f} % |" for name, (ms, rate, share) in best.items()]
    print("\n".join(lines))
    if arguments.out:
        with open(arguments.out + ".md", "w") as file:
            file.write("\n".join(lines) + "\n")
        with open(arguments.out + ".json", "w") as file:
            json.dump({n: dict(zip(("ms", "gflops", "share"), r)) for n, r in best.items()}, file, indent=2)


if __name__ == "__main__":
    main()
