# ===- masks.py - attn.attention with score and mask regions ----------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#   python masks.py --dir DIR [--fuzz COUNT --seed SEED]
#
# Causal masks, windows and lengths, biases and masks in every order of their
# dimensions, scores as code, grouped heads, key masks, odd sizes and all rules
# for rows without keys, in all combinations.
#
# ===------------------------------------------------------------------------===#
import math

import harness
import numpy as np
from attention import KIND, masks

# name -> MLIR of one condition on %b, %h, %q, %k and %x, its operand; and the same in NumPy.
CONDITIONS = {
    "causal": ("%n = arith.cmpi sle, %k, %q : index", None, lambda b, h, q, k, x: k <= q),
    "ahead": (
        "%c3 = arith.constant 3 : index\n%t = arith.addi %q, %c3 : index\n%n = arith.cmpi sge, %t, %k : index",
        None,
        lambda b, h, q, k, x: k <= q + 3,
    ),
    "behind": (
        "%c2 = arith.constant 2 : index\n%t = arith.subi %q, %c2 : index\n%n = arith.cmpi slt, %k, %t : index",
        None,
        lambda b, h, q, k, x: k < q - 2,
    ),
    "window": (
        "%c5 = arith.constant 5 : index\n%t = arith.subi %q, %k : index\n%l = arith.cmpi slt, %t, %c5 : index\n"
        "%u = arith.cmpi sle, %k, %q : index\n%n = arith.andi %l, %u : i1",
        None,
        lambda b, h, q, k, x: (k <= q) & (q - k < 5),
    ),
    "past": (
        "%q64 = arith.index_cast %q : index to i64\n%k64 = arith.index_cast %k : index to i64\n"
        "%t = arith.addi %q64, %x : i64\n%n = arith.cmpi sle, %k64, %t : i64",
        ("", "i64"),
        lambda b, h, q, k, x: k <= q + x,
    ),
    "lengths": (
        "%k64 = arith.index_cast %k : index to i64\n%n = arith.cmpi sgt, %x, %k64 : i64",
        ("b", "i64"),
        lambda b, h, q, k, x: k < x,
    ),
    "starts": (
        "%k32 = arith.index_cast %k : index to i32\n%n = arith.cmpi sge, %k32, %x : i32",
        ("bh", "i32"),
        lambda b, h, q, k, x: k >= x,
    ),
    "stripes": (
        "%c3 = arith.constant 3 : index\n%t = arith.addi %q, %k : index\n%r = arith.remui %t, %c3 : index\n"
        "%c0 = arith.constant 0 : index\n%n = arith.cmpi ne, %r, %c0 : index",
        None,
        lambda b, h, q, k, x: (q + k) % 3 != 0,
    ),
}
for name, layout, element in (
    ("dense", "bqk", "i1"),
    ("dense_heads", "hkq", "i1"),
    ("dense_bytes", "qk", "i8"),
    ("dense_last", "kqb", "i1"),
    ("rows", "bq", "i1"),
    ("columns", "k", "i64"),
):
    nonzero = f"%z = arith.constant 0 : {element}\n%n = arith.cmpi ne, %x, %z : {element}"
    CONDITIONS[name] = (nonzero, (layout, element), lambda b, h, q, k, x: x != 0)
SCORES = {
    "alibi": (
        "%t = arith.subi %k, %q : index\n%i = arith.index_cast %t : index to i32\n%f = arith.sitofp %i : i32 to f32\n"
        "%m = arith.mulf %f, %x : f32\n%n = arith.addf %s, %m : f32",
        ("h", "f32"),
        lambda s, b, h, q, k, x: s + (k - q) * x,
    ),
    "softcap": (
        "%c = arith.constant 4.0 : f32\n%d = arith.divf %s, %c : f32\n%t = math.tanh %d : f32\n"
        "%n = arith.mulf %t, %c : f32",
        None,
        lambda s, b, h, q, k, x: 4 * np.tanh(s / 4),
    ),
}
BIASES = {
    "bias": "hqk",
    "bias_batch": "bhqk",
    "bias_turned": "kq",
    "bias_heads_last": "qkh",
    "bias_keys": "bk",
    "bias_queries": "hq",
}
for name, layout in BIASES.items():
    SCORES[name] = ("%n = arith.addf %s, %x : f32", (layout, "f32"), lambda s, b, h, q, k, x: s + x)


class Masked:
    def __init__(self, name, conditions=(), score=None, heads=2, group=1, d=16, e=None, mask=None, empty=None, sizes=()):
        self.name, self.heads, self.group, self.d, self.e = name, heads, group, d, e or d
        self.conditions, self.scoring, self.mask, self.empty = conditions, score, mask, empty
        self.sizes = {"h": heads, **dict(sizes)}
        self.mapped = [CONDITIONS[x][1] for x in conditions if CONDITIONS[x][1]]
        if score and SCORES[score][1]:
            self.mapped.append(SCORES[score][1])

    def type(self, layout, element="f32", **fixed):
        sizes = [str({**self.sizes, **fixed}.get(x, "?")) for x in layout]
        return f"tensor<{'x'.join(sizes + [element])}>"

    def text(self):
        kv = {"h": self.heads // self.group, "d": self.d, "e": self.e}
        types = {
            "query": self.type("bhqd", d=self.d), "key": self.type("bhkd", **kv), "value": self.type("bhke", **kv)
        }  # fmt: skip
        if self.mask:
            types["mask"] = self.type("bk", self.mask)
        for i, (layout, element) in enumerate(self.mapped):
            types[f"m{i}"] = self.type(layout, element)
        letters = {"query": "bhqd", "key": "bgkd", "value": "bgke", "mask": "bk"}
        fixed = {"h": self.heads, "g": self.heads // self.group, "d": self.d, "e": self.e, **self.sizes}
        arguments = []
        for name, kind in types.items():
            layout = letters.get(name) or self.mapped[int(name[1:])][0]
            shape = ", ".join(str(fixed[x]) if x in fixed else f'"{x}"' for x in layout)
            arguments.append(f'%{name}: {kind} {{attn.name = "{name}", attn.shape = [{shape}]}}')
        out = self.type("bhqe", e=self.e)
        body = [f"%c{i} = arith.constant {i} : index" for i in range(4)]
        dynamic = []
        for letter, at in (("b", 0), ("q", 2)):
            if letter not in self.sizes:
                body.append(f"%n{letter} = tensor.dim %query, %c{at} : {types['query']}")
                dynamic.append(f"%n{letter}")
        body.append(f"%empty = tensor.empty({', '.join(dynamic)}) : {out}")
        given = ""
        if self.mask:
            rows = self.sizes.get("b", "?")
            ranges = f"tensor<{rows}x4xi64>"
            body.append(f"%none = tensor.empty({'' if 'b' in self.sizes else '%nb'}) : {ranges}")
            body.append(f"%r = attn.key_ranges ins(%mask : {types['mask']}) outs(%none : {ranges}) -> {ranges}")
            given = f" ranges(%r : {ranges}) key_mask(%mask : {types['mask']})"
        if self.mapped:
            names = [f"m{i}" for i in range(len(self.mapped))]
            given += f" mapped({', '.join('%' + x for x in names)} : {', '.join(types[x] for x in names)})"
        head = f"h floordiv {self.group}" if self.group > 1 else "h"
        results = ["b, h, q, d", f"b, {head}, k, d", f"b, {head}, k, e"]
        results += [", ".join(layout) for layout, _ in self.mapped] + ["b, h, q, e"]
        maps = ", ".join(f"affine_map<(b, h, q, k, d, e) -> ({x})>" for x in results)
        empty = f" attributes {{empty = #attn.empty<{self.empty}>}}" if self.empty else ""
        regions = self.score_region() + self.mask_region()
        body.append(
            f"%o = attn.attention ins(%query, %key, %value : {types['query']}, {types['key']}, {types['value']}){given} "
            f"outs(%empty : {out}) -> {out} maps [{maps}]{empty}{regions}"
        )
        body.append(f"return %o : {out}")
        result = f'({out} {{attn.name = "result"}})'
        return f"func.func @{self.name}({', '.join(arguments)}) -> {result} {{\n  " + "\n  ".join(body) + "\n}\n"

    def region_arguments(self):
        elements = "".join(f", %x{i}: {element}" for i, (_, element) in enumerate(self.mapped))
        return f"%b: index, %h: index, %q: index, %k: index{elements}"

    def score_region(self):
        if not self.scoring:
            return ""
        code, mapped, _ = SCORES[self.scoring]
        code = code.replace("%x", f"%x{len(self.mapped) - 1}")
        return f" score {{\n^bb0(%s: f32, {self.region_arguments()}):\n{code}\nattn.yield %n : f32\n}}"

    def mask_region(self):
        if not self.conditions:
            return ""
        lines, result, next_mapped = [], None, 0
        for i, name in enumerate(self.conditions):
            code, mapped, _ = CONDITIONS[name]
            for value in ("n", "t", "l", "u", "z", "r", "c0", "c2", "c3", "c5", "k32", "k64", "q64"):
                for end in " ,\n":
                    code = (code + "\n").replace(f"%{value}{end}", f"%i{i}_{value}{end}")
            code = code.replace("%x", f"%x{next_mapped}")
            next_mapped += mapped is not None
            lines.append(code)
            if result:
                lines.append(f"%a{i} = arith.andi {result}, %i{i}_n : i1")
            result = f"%a{i}" if result else f"%i{i}_n"
        lines.append(f"attn.yield {result} : i1")
        return f" mask {{\n^bb0({self.region_arguments()}):\n" + "\n".join(lines) + "\n}"

    def inputs(self, rng, dims):
        dims = {**self.sizes, **dims}
        b, q, k = (dims[x] for x in "bqk")
        kv = self.heads // self.group
        shapes = {"query": (b, self.heads, q, self.d), "key": (b, kv, k, self.d), "value": (b, kv, k, self.e)}
        values = {x: rng.standard_normal(shape).astype(np.float32) for x, shape in shapes.items()}
        if self.mask:
            values["mask"] = masks(rng, b, k).astype(KIND[self.mask])
        for i, (layout, element) in enumerate(self.mapped):
            shape = [dims[x] for x in layout]
            if element == "f32":
                value = rng.standard_normal(shape).astype(np.float32)
                if layout == "h":
                    value = np.abs(value) / 8
            elif len(layout) >= 2 and "k" in layout or "q" in layout or layout == "k":
                value = rng.random(shape) < 0.7
            else:
                value = rng.integers(-2, k + 3, shape)
            values[f"m{i}"] = np.asarray(value).astype(np.float32 if element == "f32" else KIND[element])
        return values, dims

    def want(self, values, dims):
        full = {x: values[x].astype(np.float64) for x in ("query", "key", "value")}
        for x in ("key", "value"):
            full[x] = np.repeat(full[x], self.group, axis=1)
        scores = full["query"] @ np.swapaxes(full["key"], -1, -2) / math.sqrt(self.d)
        grid = np.ogrid[tuple(slice(n) for n in scores.shape)]
        counts, next_mapped = np.ones(scores.shape, bool), 0

        def element(i):
            layout = self.mapped[i][0]
            order = [layout.index(x) for x in "bhqk" if x in layout]
            shape = [scores.shape["bhqk".index(x)] if x in layout else 1 for x in "bhqk"]
            return np.transpose(values[f"m{i}"], order).reshape(shape)

        for name in self.conditions:
            x = element(next_mapped) if CONDITIONS[name][1] else None
            next_mapped += CONDITIONS[name][1] is not None
            counts &= CONDITIONS[name][2](*grid, x)
        if self.scoring:
            x = element(next_mapped).astype(np.float64) if SCORES[self.scoring][1] else None
            scores = SCORES[self.scoring][2](scores, *grid, x)
        if self.mask:
            counts &= (values["mask"] != 0)[:, None, None, :]
        none = ~counts.any(axis=-1)
        if self.empty in ("uniform", "unmasked"):
            counts[none] = True
        if self.empty == "uniform":
            scores = np.where(none[..., None], 0.0, scores)
        scores = np.where(counts, scores, -np.inf)
        top = scores.max(axis=-1, keepdims=True, initial=-np.inf)
        weights = np.exp(scores - np.where(np.isneginf(top), 0.0, top))
        total = weights.sum(axis=-1, keepdims=True)
        return weights @ full["value"] / np.where(total == 0.0, 1.0, total)

    def case(self, rng, runs):
        prepared = []
        for dims in runs:
            values, full = self.inputs(rng, dims)
            prepared.append((values, {"result": self.want(values, full)}))
        return harness.Case(self.name, self.text(), prepared)


SIZES = (2, 1, 1), (1, 1, 75), (2, 1, 300), (1, 7, 7), (2, 33, 33), (1, 70, 200), (1, 150, 40), (1, 5, 0)
RUNS = [{"b": b, "q": q, "k": k} for b, q, k in SIZES]


def fixed(rng):
    for name in CONDITIONS:
        for empty in ("zero", "uniform", "unmasked"):
            yield Masked(f"{name}_{empty}", [name], empty=empty).case(rng, RUNS)
    for name in SCORES:
        yield Masked(name, score=name, d=24).case(rng, RUNS)
        yield Masked(f"{name}_causal", ["causal"], score=name, heads=4, group=2).case(rng, RUNS)
        yield Masked(f"{name}_key_mask", ["causal"], name, mask="i64", empty="uniform").case(rng, RUNS)
    for d in (32, 64, 80, 96, 128, 256):
        yield Masked(f"channels_{d}", ["causal"], d=d).case(rng, RUNS)
    for b, q, k in ((1, 64, 64), (2, 16, 48)):
        sizes = {"b": b, "q": q, "k": k}
        yield Masked(f"static_{q}", ["causal", "dense"], "bias", mask="i32", sizes=sizes).case(rng, [{}])


def random_case(rng, number):
    heads, group = [(1, 1), (2, 1), (4, 2), (6, 3)][rng.integers(4)]
    conditions = [str(x) for x in rng.choice(list(CONDITIONS), rng.integers(0, 4), replace=False)]
    score = None if rng.random() < 0.4 else str(rng.choice(list(SCORES)))
    every = {"b": int(rng.integers(0, 4)), "q": int(rng.integers(1, 70)), "k": int(rng.integers(0, 300))}
    sizes = {x: n for x, n in every.items() if rng.random() < 0.3}
    d, e = int(rng.integers(1, 100)), int(rng.integers(1, 100))
    mask = None if rng.random() < 0.5 else str(rng.choice(list(KIND)))
    empty = str(rng.choice(["zero", "uniform", "unmasked"]))
    model = Masked(f"random_{number}", conditions, score, heads, group, d, e, mask, empty, sizes)
    dims = [{"b": int(rng.integers(0, 4)), "q": int(rng.integers(0, 70)), "k": int(rng.integers(0, 300))} for _ in range(4)]
    return model.case(rng, [{x: n for x, n in each.items() if x not in sizes} for each in dims])


if __name__ == "__main__":
    harness.main("Check attn.attention with regions against float64 NumPy.", fixed, random_case)
