# ===- machine.py - The machine a benchmark runs on -------------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Which cores to use, what they can do (peak.c), and how much of them somebody
# else took meanwhile: a number without these means nothing a week later.
#
# ===------------------------------------------------------------------------===#
import datetime
import importlib.metadata
import os
import platform
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))


def pick_cpus(threads):
    """The last `threads` processors that this process may use: the first one tends to serve interrupts."""
    allowed = sorted(os.sched_getaffinity(0))
    if threads > len(allowed):
        raise SystemExit(f"{threads} threads on {len(allowed)} processors would measure the scheduler")
    return allowed[-threads:]


def build_peak(directory):
    """Compiles peak.c; returns the program's path."""
    for compiler in ("clang-22", "clang", "cc", "gcc"):
        if shutil.which(compiler):
            program = os.path.join(directory, "peak")
            source = os.path.join(HERE, "peak.c")
            subprocess.run([compiler, "-O2", "-ffp-contract=fast", "-pthread", source, "-o", program], check=True)
            return program
    raise SystemExit("no C compiler found: the FMA peak is measured by a small C program (install clang-22 or gcc)")


def peak(program, cpus, milliseconds=100):
    """fp32 GFLOP/s of a pure FMA loop on these processors."""
    pin = lambda: os.sched_setaffinity(0, set(cpus))
    command = [program, str(len(cpus)), str(milliseconds)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True, preexec_fn=pin).stdout)


class Foreign:
    """Share of the given processors that processes other than `pid` used inside the with block (10 ms grains)."""

    def __init__(self, cpus, pid):
        self.cpus, self.pid, self.share = cpus, pid, 0.0

    def sample(self):
        busy = total = own = 0
        with open("/proc/stat") as file:
            for line in file:
                name, *values = line.split()
                if name.startswith("cpu") and name[3:].isdigit() and int(name[3:]) in self.cpus:
                    ticks = list(map(int, values[:8]))
                    total += sum(ticks)
                    busy += sum(ticks) - ticks[3] - ticks[4]
        try:
            with open(f"/proc/{self.pid}/stat") as file:
                fields = file.read().rpartition(")")[2].split()
            own = int(fields[11]) + int(fields[12])
        except OSError:
            pass
        return busy, total, own

    def __enter__(self):
        self.before = self.sample()
        return self

    def __exit__(self, *error):
        busy, total, own = (after - before for after, before in zip(self.sample(), self.before))
        self.share = max(0, busy - own) / total if total > 0 else 0.0


def describe():
    model, flags = platform.processor() or platform.machine(), set()
    with open("/proc/cpuinfo") as file:
        for line in file:
            key, _, value = line.partition(":")
            if key.strip() == "model name":
                model = value.strip()
            elif key.strip() == "flags":
                flags = set(value.split())
    isa = [
        f
        for f in ("avx2", "fma", "avx512f", "avx512_vnni", "avx512_bf16", "avx512_fp16", "amx_tile", "amx_bf16")
        if f in flags
    ]
    return {"cpu": model, "processors": len(os.sched_getaffinity(0)), "isa": isa, "kernel": platform.release()}


def versions():
    found = {"python": sys.version.split()[0]}
    for package in ("numpy", "onnx", "onnxruntime", "openvino"):
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            pass
    return found


def date():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
