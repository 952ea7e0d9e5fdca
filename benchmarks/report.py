# ===- report.py - Benchmark results as a table and as JSON -----------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===------------------------------------------------------------------------===#
import json
import os


def ranked(result, tolerance):
    """Valid peers, fastest first, as (name, entry)."""
    valid = [(n, p) for n, p in result["peers"].items() if "failed" not in p and p["error"] <= tolerance]
    return sorted(valid, key=lambda item: item[1]["ms"])


def case_line(name, result, tolerance):
    """One line for the terminal."""
    parts = [f"{n} {p['ms']:.3f} ms ({p['share_of_peak']:.0%})" for n, p in ranked(result, tolerance)]
    for peer, p in result["peers"].items():
        if "failed" in p:
            parts.append(f"{peer} FAILED: {p['failed']}")
        elif not p["error"] <= tolerance:
            parts.append(f"{peer} WRONG by {p['error']:.1e}")
    low, high = min(result["peaks_gflops"]), max(result["peaks_gflops"])
    return (
        f"{name}: {', '.join(parts)}; peak {low:.0f}-{high:.0f} GFLOP/s, others took {result['foreign_cpu_median']:.0%}"
    )


def table(results, tolerance):
    where = results["machine"]
    lines = [
        "# MiniLM fp32, side by side",
        "",
        f"{results['date']}, {where['cpu']}, {where['processors']} processors ({' '.join(where['isa'])}); "
        + ", ".join(f"{k} {v}" for k, v in results["versions"].items())
        + ".",
        "",
        f"Least of {results['rounds']} rounds' medians, one live process per peer, all others stopped. "
        "`ratio` is against the "
        "fused graph of onnxruntime (below 1: faster than it); the FMA peak was measured between the rounds.",
        "",
        "| case | threads | peer | ms | ratio | GFLOP/s | share of FMA peak | spread | error |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, result in results["cases"].items():
        base = result["peers"].get("ort_fused", {}).get("ms")
        for peer, p in ranked(result, tolerance):
            ratio = f"{p['ms'] / base:.2f}" if base else ""
            lines.append(
                f"| {name.rsplit('_', 1)[0]} | {result['threads']} | {peer} | {p['ms']:.3f} | {ratio} | {p['gflops']:.0f} "
                f"| {p['share_of_peak']:.0%} | {p['spread']:.1%} | {p['error']:.1e} |"
            )
        for peer, p in result["peers"].items():
            if "failed" in p or not p["error"] <= tolerance:
                why = p.get("failed") or f"wrong by {p['error']:.1e}"
                lines.append(f"| {name.rsplit('_', 1)[0]} | {result['threads']} | {peer} | {why} | | | | | |")
    lines += [
        "",
        "FMA peak, GFLOP/s: " + "; ".join(f"{n} {r['peak_gflops']:.0f}" for n, r in results["cases"].items()) + ".",
        "",
    ]
    return "\n".join(lines)


def write(stem, results, tolerance):
    os.makedirs(os.path.dirname(os.path.abspath(stem)), exist_ok=True)
    with open(stem + ".json", "w") as file:
        json.dump(results, file, indent=1)
        file.write("\n")
    with open(stem + ".md", "w") as file:
        file.write(table(results, tolerance))
