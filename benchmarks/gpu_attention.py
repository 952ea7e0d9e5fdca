# ===- gpu_attention.py - Checks and times GPU attention kernels ------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#   python gpu_kernels.py --output DIR                       on any machine
#   python gpu_attention.py DIR [--out STEM] [--seconds 120]   on one with the GPU, PyTorch and nothing else of ours
#
# Every kernel in DIR is compared with float64 on shapes with odd lengths, grouped
# heads, transposed layouts and padded channels, and must repeat itself bitwise.
# Those that are right are timed beside PyTorch's cuDNN and FlashAttention-2, with
# random data, 16k tokens and 2048 channels in all heads together: the median of six
# windows with a pause before each, as TFLOP/s of 4 B H Sq Sk D, half if causal.
#
# Writes STEM.json and STEM.md. Exits 1 if a kernel was wrong.
#
# ===------------------------------------------------------------------------===#
import argparse
import datetime
import json
import math
import os
import subprocess
import sys
import time

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.functional import scaled_dot_product_attention

from gpu_driver import LOCAL_SIZE_BYTES, NUM_REGS, Kernel

DTYPES = {"bf16": torch.bfloat16, "f16": torch.float16}
TOKENS, CHANNELS = 16384, 2048
LENGTHS = (512, 2048, 8192, 16384)

# Batch, heads, heads of keys, queries, keys, whether rows stand outside of heads.
SHAPES = [
    (1, 3, 3, 256, 256, False),
    (2, 4, 2, 200, 333, True),
    (1, 1, 1, 1, 1, False),
    (1, 2, 1, 1000, 100, False),
    (2, 3, 3, 67, 1024, True),
    (10, 14, 2, 500, 500, True),
]


def random_tensor(batch, heads, length, channels, transposed, dtype):
    if transposed:
        return torch.randn(batch, length, heads, channels, device="cuda", dtype=dtype).transpose(1, 2)
    return torch.randn(batch, heads, length, channels, device="cuda", dtype=dtype)


def reference(q, k, v, scale, causal):
    """Outputs and log-sum-exps in float64."""
    group = q.shape[1] // k.shape[1]
    k, v = (t.double().repeat_interleave(group, 1) for t in (k, v))
    scores = q.double() @ k.transpose(2, 3) * scale
    if causal:
        columns = torch.arange(k.shape[2], device="cuda")
        scores.masked_fill_(columns > torch.arange(q.shape[2], device="cuda")[:, None], -math.inf)
    return scores.softmax(-1) @ v, scores.logsumexp(-1)


def check(kernel):
    """The worst errors over SHAPES, or a text that says what is wrong."""
    entry, worst = kernel.entry, {"relative": 0.0, "rounding": 0.0, "lse": 0.0}
    dtype, head_size = DTYPES[entry["dtype"]], entry["head_size"]
    sizes = (head_size, head_size - 24) if entry["instruction"] == "wgmma" else (head_size,)
    for channels in sizes:
        for batch, heads, key_heads, length, key_length, transposed in SHAPES:
            shape = f"B{batch} H{heads}/{key_heads} S{length}x{key_length} D{channels}"
            q = random_tensor(batch, heads, length, channels, transposed, dtype)
            k, v = (random_tensor(batch, key_heads, key_length, channels, transposed, dtype) for _ in range(2))
            # Scores as wide as those of larger heads, and a poisoned frame around the outputs.
            scale = 1.7 / math.sqrt(channels)
            frame = random_tensor(batch, heads, length + 8, channels, transposed, dtype).fill_(math.nan)
            o, lse = frame[:, :, :length], torch.full((batch, heads, length), math.nan, device="cuda")
            launch = kernel.prepare(q, k, v, o, lse, scale)
            launch()
            torch.cuda.synchronize()
            expected, expected_lse = reference(q, k, v, scale, entry["causal"])
            relative = ((o.double() - expected).norm() / expected.norm()).item()
            rounding = ((expected.to(dtype).double() - expected).norm() / expected.norm()).item()
            if not relative < (1e-2 if dtype == torch.bfloat16 else 1.5e-3):
                return f"{shape}: relative error {relative:.1e}"
            if not frame[:, :, length:].isnan().all():
                return f"{shape}: wrote beyond the last row"
            worst["relative"], worst["rounding"] = max(worst["relative"], relative), max(worst["rounding"], rounding)
            if entry["log_sum_exp"]:
                error = (lse.double() - expected_lse).abs().max().item()
                if not error < 1e-3:
                    return f"{shape}: log-sum-exp is off by {error:.1e}"
                worst["lse"] = max(worst["lse"], error)
            first = o.clone()
            launch()
            torch.cuda.synchronize()
            if not torch.equal(first, o):
                return f"{shape}: a second run differs"
    return worst


def teraflops(call, flops):
    """The median of six windows, and one long window."""
    call()
    torch.cuda.synchronize()

    def window(count):
        begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        call()
        begin.record()
        for _ in range(count):
            call()
        end.record()
        torch.cuda.synchronize()
        return begin.elapsed_time(end) / count

    count = min(400, int(12 / max(window(1), 1e-3)) + 1)
    medians = []
    for _ in range(6):
        time.sleep(0.03)
        medians.append(window(count))
    return {
        "median": flops / sorted(medians)[3] * 1e-9,
        "sustained": flops / window(8 * count) * 1e-9,
    }


def peers():
    return {"cuDNN": SDPBackend.CUDNN_ATTENTION, "FlashAttention-2": SDPBackend.FLASH_ATTENTION}


def time_all(kernels, deadline):
    """One record for each contender and shape."""
    records = []
    for head_size in sorted({kernel.entry["head_size"] for kernel in kernels if kernel.entry["dtype"] == "bf16"}):
        if CHANNELS % head_size:
            continue
        for causal in (False, True):
            for length in LENGTHS:
                heads, batch = CHANNELS // head_size, TOKENS // length
                q, k, v, o = (random_tensor(batch, heads, length, head_size, False, torch.bfloat16) for _ in range(4))
                lse = torch.empty(batch, heads, length, device="cuda")
                flops = 4 * batch * heads * length * length * head_size / (2 if causal else 1)
                contenders = {}
                for kernel in kernels:
                    entry = kernel.entry
                    if (entry["head_size"], entry["dtype"], entry["causal"]) == (head_size, "bf16", causal):
                        contenders[entry["name"]] = kernel.prepare(q, k, v, o, lse, 1 / math.sqrt(head_size))
                for name, backend in peers().items():

                    def peer(backend=backend):
                        with sdpa_kernel(backend):
                            return scaled_dot_product_attention(q, k, v, is_causal=causal)

                    contenders[name] = peer
                for name, call in contenders.items():
                    if time.monotonic() > deadline:
                        print("out of time: not all was timed")
                        return records
                    record = {"name": name, "head_size": head_size, "causal": causal, "length": length}
                    try:
                        record |= teraflops(call, flops)
                    except RuntimeError as error:
                        record["error"] = str(error).splitlines()[0]
                    records.append(record)
                    print(json.dumps(record), flush=True)
    return records


def table(records, checks, machine):
    """Markdown."""
    lines = [f"# Attention forward on {machine['gpu']}, bf16, TFLOP/s", ""]
    lines += [
        f"{machine['date']}, driver {machine['driver']}, PyTorch {machine['torch']}, cuDNN {machine['cudnn']}; random data, "
        "16k tokens, H x D = 2048; medians of six windows (`gpu_attention.py`). Bold: the fastest of a column.",
    ]
    for head_size in sorted({r["head_size"] for r in records}):
        for causal in (False, True):
            rows = [r for r in records if (r["head_size"], r["causal"]) == (head_size, causal) and "median" in r]
            if not rows:
                continue
            best = {n: max((r["median"] for r in rows if r["length"] == n), default=0) for n in LENGTHS}
            lines += ["", f"| D = {head_size}{', causal' if causal else ''} | " + " | ".join(map(str, LENGTHS)) + " |"]
            lines += ["|---|" + "---|" * len(LENGTHS)]
            for name in dict.fromkeys(r["name"] for r in rows):
                cells = []
                for n in LENGTHS:
                    value = next((r["median"] for r in rows if (r["name"], r["length"]) == (name, n)), None)
                    text = "-" if value is None else f"{value:.0f}"
                    cells.append(f"**{text}**" if value is not None and value == best[n] else text)
                lines.append(f"| {name} | " + " | ".join(cells) + " |")
    wrong = {name: result for name, result in checks.items() if isinstance(result, str)}
    right = [result for result in checks.values() if not isinstance(result, str)]
    lines += ["", f"{len(right)} of {len(checks)} kernels agree with float64 and repeat themselves bitwise."]
    lines += [f"Wrong: {name}: {text}." for name, text in wrong.items()]
    return "\n".join(lines) + "\n"


def document(records, checks, machine):
    """JSON with a line for each record, of four digits."""

    def line(value):
        return json.dumps(json.loads(json.dumps(value), parse_float=lambda text: float(f"{float(text):.4g}")))

    rows = ",\n".join("  " + line(record) for record in records)
    results = ",\n".join(f"  {json.dumps(name)}: {line(result)}" for name, result in checks.items())
    return f'{{"machine": {line(machine)},\n "checks": {{\n{results}}},\n "times": [\n{rows}]}}\n'


def main():
    parser = argparse.ArgumentParser(description="Checks and times GPU attention kernels.")
    parser.add_argument("directory", help="where gpu_kernels.py left kernels.json")
    parser.add_argument("--out", default="gpu-attention", help="results are STEM.json and STEM.md")
    parser.add_argument("--seconds", type=float, default=120, help="stop timing after so long")
    options = parser.parse_args()
    deadline = time.monotonic() + options.seconds
    torch.manual_seed(0)
    smi = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    machine = {
        "gpu": torch.cuda.get_device_name(),
        "driver": subprocess.run(smi, capture_output=True, text=True).stdout.strip(),
        "torch": torch.__version__,
        "cudnn": torch.backends.cudnn.version(),
        "date": datetime.date.today().isoformat(),
    }
    print(json.dumps(machine), flush=True)
    with open(os.path.join(options.directory, "kernels.json")) as file:
        entries = json.load(file)
    checks, right = {}, []
    for entry in entries:
        kernel = Kernel(options.directory, entry)
        result = checks[entry["name"]] = check(kernel)
        ok = not isinstance(result, str)
        right += [kernel] * ok
        print(
            f"{entry['name']}: {'right' if ok else 'WRONG'} {result}, {kernel.attribute(NUM_REGS)} registers, "
            f"{kernel.attribute(LOCAL_SIZE_BYTES)} bytes of local memory",
            flush=True,
        )
    records = time_all(right, deadline)
    with open(options.out + ".json", "w") as file:
        file.write(document(records, checks, machine))
    with open(options.out + ".md", "w") as file:
        file.write(table(records, checks, machine))
    return len(right) != len(checks)


if __name__ == "__main__":
    sys.exit(main())
