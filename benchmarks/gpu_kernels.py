# ===- gpu_kernels.py - Builds and assembles GPU attention kernels ----------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#   python gpu_kernels.py [--attn-opt build/bin/attn-opt] [--ptxas ptxas]
#                         [--only REGEX] [--output DIR]
#
# Each variant in VARIANTS becomes a kernel, PTX and, with ptxas, machine code. No
# GPU is needed. What ptxas says is checked: spills, products that it serialized and
# more registers or shared memory than there are make this fail. With --output,
# kernels and kernels.json, which says how to launch them, are left in DIR for
# gpu_attention.py.
#
# ===------------------------------------------------------------------------===#
import argparse
import concurrent.futures
import dataclasses
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))

# ptxas's words for: register limits ignored; wgmma serialized, for reasons of many kinds.
FORBIDDEN = re.compile(r"C7508|C751[0-5]|C7517|C7520")


@dataclasses.dataclass(frozen=True)
class Variant:
    """A schedule with what it computes; names are those of #attn.gpu_attention_kernel."""

    instruction: str
    head_size: int
    query_block: int
    key_block: int
    warps: int
    stages: int = 1
    order: str = "grid"
    pingpong: bool = False
    lazy_rescale: int = 0
    dtype: str = "bf16"
    causal: bool = False
    log_sum_exp: bool = True

    @property
    def name(self):
        parts = [self.instruction, self.dtype, f"d{self.head_size}", f"{self.query_block}x{self.key_block}"]
        if self.instruction == "wgmma":
            parts += [f"s{self.stages}", self.order]
        parts += ["pingpong"] * self.pingpong + [f"lazy{self.lazy_rescale}"] * bool(self.lazy_rescale)
        return "_".join(parts + ["causal"] * self.causal + ["nolse"] * (not self.log_sum_exp))

    @property
    def chip(self):
        return "sm_90a" if self.instruction == "wgmma" else "sm_80"

    def module(self):
        """MLIR text of one attn.attention that is scheduled so."""
        tensor = f"tensor<?x?x?x{self.head_size}x{self.dtype}>"
        maps = ["(b, h, q, d)", "(b, h, k, d)", "(b, h, k, e)", "(b, h, q, e)"] + ["(b, h, q)"] * self.log_sum_exp
        maps = ", ".join(f"affine_map<(b, h, q, k, d, e) -> {m}>" for m in maps)
        kernel = (
            f"instruction = {self.instruction}, headSize = {self.head_size}, queryBlock = {self.query_block}, "
            f"keyBlock = {self.key_block}, warps = {self.warps}, stages = {self.stages}, order = {self.order}, "
            f"pingpong = {str(self.pingpong).lower()}, lazyRescale = {self.lazy_rescale}"
        )
        sums, more = ", tensor<?x?x?xf32>", self.log_sum_exp
        mask = """ mask {
  ^bb0(%b: index, %h: index, %i: index, %j: index):
    %1 = arith.cmpi sle, %j, %i : index
    attn.yield %1 : i1
  }""" * self.causal
        return f"""func.func @f(%q: {tensor}, %k: {tensor}, %v: {tensor}, %o: {tensor}, %l: tensor<?x?x?xf32>) {{
  %0{":2" * more} = attn.attention ins(%q, %k, %v : {tensor}, {tensor}, {tensor})
      outs(%o{", %l" * more} : {tensor}{sums * more}) -> {tensor}{sums * more} maps [{maps}]
      attributes {{schedule = #attn.schedule<rowBlock = {self.query_block},
                                           kernel = #attn.gpu_attention_kernel<{kernel}>>}}{mask}
  return
}}
"""


def _wgmma(head_size, key_block, warps=8, stages=2, order="persistent", **more):
    return Variant("wgmma", head_size, 16 * warps, key_block, warps, stages, order, **more)


VARIANTS = [
    # What is fastest where: see results/.
    _wgmma(64, 128, warps=12, lazy_rescale=8, pingpong=True),
    _wgmma(64, 128, warps=12, stages=3, lazy_rescale=8),
    _wgmma(64, 128, warps=12, order="dynamic", causal=True, lazy_rescale=8),
    _wgmma(128, 128, lazy_rescale=8),
    _wgmma(128, 128, lazy_rescale=8, pingpong=True),
    _wgmma(128, 128, order="dynamic", lazy_rescale=8),
    _wgmma(128, 128, order="dynamic", causal=True),
    _wgmma(128, 128, order="dynamic", causal=True, pingpong=True),
    _wgmma(256, 80, order="grid", lazy_rescale=8),
    _wgmma(256, 80, order="grid", lazy_rescale=8, causal=True),
    Variant("mma", 64, 128, 64, 4),
    Variant("mma", 64, 128, 64, 4, causal=True),
    Variant("mma", 128, 64, 64, 4),
    Variant("mma", 128, 64, 64, 4, causal=True),
    Variant("mma", 128, 128, 64, 8),
    Variant("mma", 256, 64, 32, 4),
    Variant("mma", 256, 64, 32, 4, causal=True),
    # Every parameter once more, and the edges of what the verifier allows.
    _wgmma(64, 128, warps=12, order="grid", dtype="f16", log_sum_exp=False),
    _wgmma(64, 224),
    _wgmma(64, 16, stages=8, order="dynamic", causal=True, pingpong=True),
    _wgmma(128, 176, order="grid", dtype="f16"),
    _wgmma(128, 80, warps=12, order="dynamic", causal=True, dtype="f16"),
    _wgmma(192, 96, order="grid", pingpong=True, causal=True),
    _wgmma(192, 64, order="persistent", dtype="f16"),
    _wgmma(256, 80, order="grid", dtype="f16", log_sum_exp=False, causal=True),
    Variant("mma", 64, 64, 64, 4, dtype="f16", causal=True, log_sum_exp=False),
    Variant("mma", 64, 256, 64, 8, dtype="f16"),
    Variant("mma", 128, 128, 32, 4, dtype="f16", causal=True),
    Variant("mma", 128, 128, 128, 8),
    Variant("mma", 256, 128, 32, 8, dtype="f16", causal=True),
]


class Rejected(Exception):
    """What is wrong with a kernel."""


def run(command, **options):
    result = subprocess.run(command, capture_output=True, text=True, **options)
    if result.returncode != 0:
        raise Rejected(f"{' '.join(command)}\n{result.stdout}{result.stderr}")
    return result.stdout + result.stderr


def unescape(text):
    """An MLIR string's bytes, as ASCII."""
    return re.sub(
        r"\\([0-9A-Fa-f]{2}|.)", lambda m: chr(int(m[1], 16)) if len(m[1]) == 2 else m[1], text
    ).rstrip("\0")


def parse_launch(ir):
    """The #attn.gpu_launch in a module, as a dictionary."""
    match = re.search(
        r"#attn\.gpu_launch<threads = (\d+), sharedBytes = (\d+), queryBlock = (\d+), order = (\w+), "
        r"arguments = \[(.*?)\]",
        ir,
    )
    arguments = [
        {"kind": kind, "rows": int(rows or 0)}
        for kind, rows in re.findall(r"<(\w+)(?:, rows = (\d+))?>", match[5])
    ]
    return {
        "threads": int(match[1]),
        "shared_bytes": int(match[2]),
        "query_block": int(match[3]),
        "order": match[4],
        "arguments": arguments,
    }


def compile_to_ptx(attn_opt, variant):
    """PTX, the function's name and the launch of a variant."""
    passes = ["--attn-build-kernels", "--convert-nvvm-to-llvm"]
    ir = run([attn_opt, *passes], input=variant.module())
    launch = parse_launch(ir)
    function = re.search(r"llvm\.func @(attention_\w+)", ir)[1]
    binary = run([attn_opt, "--gpu-module-to-binary=format=isa"], input=ir)
    return unescape(re.search(r'"((?:[^"\\]|\\.)*Generated by LLVM(?:[^"\\]|\\.)*)"', binary)[1]), function, launch


def assemble(ptxas, variant, ptx, launch, cubin):
    """Writes machine code; what ptxas says of registers and shared memory."""
    with tempfile.NamedTemporaryFile("w", suffix=".ptx") as file:
        file.write(ptx)
        file.flush()
        report = run([ptxas, f"-arch={variant.chip}", "-O3", "-v", file.name, "-o", cubin])
    if forbidden := FORBIDDEN.search(report):
        raise Rejected(f"ptxas says {forbidden[0]}:\n{report}")
    spills = re.search(r"(\d+) bytes spill stores, (\d+) bytes spill loads", report)
    if spills[1] != "0" or spills[2] != "0" or " 0 bytes stack frame" not in report:
        raise Rejected(f"{spills[0]}:\n{report}")
    registers = int(re.search(r"Used (\d+) registers", report)[1])
    if registers * launch["threads"] > 65536:
        raise Rejected(f"{registers} registers for each of {launch['threads']} threads")
    limit = (227 if variant.chip == "sm_90a" else 99) * 1024
    if launch["shared_bytes"] > limit:
        raise Rejected(f"{launch['shared_bytes']} bytes of shared memory, more than {limit}")
    return {"registers": registers}


def build(variant, attn_opt, ptxas, output):
    """A variant's entry in kernels.json; its code is in `output`."""
    try:
        ptx, function, launch = compile_to_ptx(attn_opt, variant)
        entry = {**dataclasses.asdict(variant), "name": variant.name, "function": function, "launch": launch}
        path = os.path.join(output, variant.name)
        with open(path + ".ptx", "w") as file:
            file.write(ptx)
        if ptxas:
            entry |= assemble(ptxas, variant, ptx, launch, path + ".cubin")
        # Machine code is for one generation of chips, that of sm_90a for its own; PTX of sm_80 runs on all since.
        entry["file"] = variant.name + (".cubin" if ptxas and variant.instruction == "wgmma" else ".ptx")
        return entry
    except Rejected as reason:
        raise Rejected(f"{variant.name}: {reason}") from None


def find_ptxas():
    places = [os.path.join(os.environ[v], "bin") for v in ("CUDA_HOME", "CUDA_PATH") if v in os.environ]
    path = os.pathsep.join([os.environ.get("PATH", ""), *places, "/usr/local/cuda/bin"])
    return shutil.which("ptxas", path=path)


def main():
    parser = argparse.ArgumentParser(description="Builds and assembles GPU attention kernels.")
    parser.add_argument("--attn-opt", default=os.path.join(HERE, "..", "build", "bin", "attn-opt"))
    parser.add_argument("--ptxas", default=find_ptxas(), help="'' for PTX only; by default what is found")
    parser.add_argument("--only", default="", help="a regular expression that names contain")
    parser.add_argument("--output", help="a directory for kernels and kernels.json")
    options = parser.parse_args()

    chosen = [variant for variant in VARIANTS if re.search(options.only, variant.name)]
    failed, entries = 0, []
    with tempfile.TemporaryDirectory() as scratch, concurrent.futures.ThreadPoolExecutor(2) as pool:
        output = options.output or scratch
        os.makedirs(output, exist_ok=True)
        jobs = [pool.submit(build, variant, options.attn_opt, options.ptxas, output) for variant in chosen]
        for job in jobs:
            try:
                entries.append(entry := job.result())
                registers = f"{entry['registers']} registers, " if "registers" in entry else ""
                print(f"{entry['name']}: {registers}{entry['launch']['shared_bytes']} bytes of shared memory")
            except Rejected as reason:
                failed += 1
                print(reason, file=sys.stderr)
        with open(os.path.join(output, "kernels.json"), "w") as file:
            json.dump(entries, file, indent=1)
    print(f"{len(entries)} kernels built, {failed} rejected")
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
