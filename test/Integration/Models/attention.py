# ===- attention.py - attn.attention in many layouts and sizes --------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#   python attention.py --dir DIR [--fuzz COUNT --seed SEED]
#
# Self- and cross-attention, grouped heads, every order of dimensions, odd head
# sizes, masks of all kinds with all three rules for rows without keys, no keys,
# no queries, no batch.
#
# ===------------------------------------------------------------------------===#
import math

import harness
import numpy as np

KIND = {"i1": np.bool_, "i8": np.int8, "i32": np.int32, "i64": np.int64}


def meaning(q, k, v, scale, mask, empty):
    """q (b,h,q,d), k (b,h,k,d), v (b,h,k,e), mask (b,k) of bool or None, in float64."""
    scores = q @ np.swapaxes(k, -1, -2) * scale
    batch, heads, queries, keys = scores.shape
    kept = np.ones((batch, keys), bool) if mask is None else mask.copy()
    none = ~kept.any(axis=1) if keys else np.zeros(batch, bool)
    if empty == "unmasked":
        kept[none] = True
    if empty == "uniform":
        scores[none], kept[none] = 0.0, True
    scores = np.where(kept[:, None, None, :], scores, -np.inf)
    top = scores.max(axis=-1, keepdims=True, initial=-np.inf)
    weights = np.exp(scores - np.where(np.isneginf(top), 0.0, top))
    total = weights.sum(axis=-1, keepdims=True)
    # Not a matrix product: that may meet infinities with elements of its own choice.
    out = np.einsum("bhqk,bhke->bhqe", weights, v, optimize=False)
    return out / np.where(total == 0.0, 1.0, total)


class Attention:
    """One attn.attention. Layouts are strings of dimensions, such as "bqhd"; `sizes` are the static extents by
    letter, all others are dynamic; `group` query heads share a head of keys and values."""

    def __init__(self, name, d, e=None, heads=2, group=1, query="bqhd", key="bkhd", value=None, init=None, sizes=None,
                 scale=None, mask=None, empty=None, same_length=False, values=None):  # fmt: skip
        self.name, self.d, self.e, self.heads, self.group = name, d, e or d, heads, group
        self.layouts = {"query": query, "key": key, "value": value or key.replace("d", "e"),
                        "init": init or query.replace("d", "e")}  # fmt: skip
        self.sizes = {"d": self.d, "e": self.e, "h": heads, **(sizes or {})}
        self.scale, self.mask, self.empty, self.same_length, self.values = scale, mask, empty, same_length, values

    def extent(self, operand, letter, dims):
        if letter == "h" and operand in ("key", "value"):
            return self.heads // self.group
        return dims[letter]

    def type(self, layout, operand):
        def size(letter):
            if letter not in self.sizes:
                return "?"
            return str(self.extent(operand, letter, self.sizes))

        return "tensor<" + "x".join([size(x) for x in layout] + ["f32"]) + ">"

    def symbols(self, layout, operand):
        def symbol(letter):
            if letter in self.sizes:
                return str(self.extent(operand, letter, self.sizes))
            return '"s"' if self.same_length and letter in "qk" else f'"{letter}"'

        return "[" + ", ".join(map(symbol, layout)) + "]"

    def map(self, layout, operand):
        def result(letter):
            grouped = letter == "h" and operand in ("key", "value") and self.group > 1
            return f"h floordiv {self.group}" if grouped else letter

        return f"affine_map<(b, h, q, k, d, e) -> ({', '.join(map(result, layout))})>"

    def text(self):
        types = {operand: self.type(layout, operand) for operand, layout in self.layouts.items()}
        arguments = [
            f'%{x}: {types[x]} {{attn.name = "{x}", attn.shape = {self.symbols(self.layouts[x], x)}}}'
            for x in ("query", "key", "value")
        ]
        body = []
        if self.mask:
            rows, keys = (str(self.sizes.get(x, "?")) for x in "bk")
            mask = f"tensor<{rows}x{keys}x{self.mask}>"
            arguments.append(f'%mask: {mask} {{attn.name = "mask", attn.shape = {self.symbols("bk", "mask")}}}')
        source = {"e": "value", "k": "key"}
        dynamic = []
        for number, letter in enumerate("bhqk"):
            body.append(f"%c{number} = arith.constant {number} : index")
        for letter in self.layouts["init"]:
            if letter not in self.sizes:
                operand = source.get(letter, "query")
                at = self.layouts[operand].index(letter)
                body.append(f"%{letter} = tensor.dim %{operand}, %c{at} : {types[operand]}")
                dynamic.append(f"%{letter}")
        body.append(f"%empty = tensor.empty({', '.join(dynamic)}) : {types['init']}")
        masks = ""
        if self.mask:
            if "b" not in self.sizes:
                body.append(f"%rows = tensor.dim %mask, %c0 : {mask}")
            ranges = f"tensor<{rows}x4xi64>"
            body.append(f"%none = tensor.empty({'%rows' if rows == '?' else ''}) : {ranges}")
            body.append(f"%ranges = attn.key_ranges ins(%mask : {mask}) outs(%none : {ranges}) -> {ranges}")
            masks = f" ranges(%ranges : {ranges}) key_mask(%mask : {mask})"
        maps = ", ".join(self.map(layout, operand) for operand, layout in self.layouts.items())
        attributes = []
        if self.scale is not None:
            attributes.append(f"scale = {self.scale:.9e} : f64")
        if self.empty:
            attributes.append(f"empty = #attn.empty<{self.empty}>")
        tail = f" attributes {{{', '.join(attributes)}}}" if attributes else ""
        body.append(
            f"%result = attn.attention ins(%query, %key, %value : {types['query']}, {types['key']}, {types['value']})"
            f"{masks} outs(%empty : {types['init']}) -> {types['init']} maps [{maps}]{tail}"
        )
        body.append(f"return %result : {types['init']}")
        out = f'({types["init"]} {{attn.name = "result"}})'
        return f"func.func @{self.name}({', '.join(arguments)}) -> {out} {{\n  " + "\n  ".join(body) + "\n}\n"

    def inputs(self, rng, dims, mask_rows=None):
        dims = {**self.sizes, **dims}
        values = {}
        for operand in ("query", "key", "value"):
            layout = self.layouts[operand]
            shape = [self.extent(operand, x, dims) for x in layout]
            values[operand] = rng.standard_normal(shape).astype(np.float32) * (3 if operand == "query" else 1)
        if self.values:
            self.values(rng, values)
        if self.mask:
            values["mask"] = (mask_rows if mask_rows is not None else masks(rng, dims["b"], dims["k"])).astype(
                KIND[self.mask]
            )
        return values, dims

    def want(self, values, dims):
        def canonical(operand, order):
            layout = self.layouts[operand]
            array = values[operand].astype(np.float64)
            if "h" in layout and operand != "query" and self.group > 1:
                array = np.repeat(array, self.group, axis=layout.index("h"))
            missing = [x for x in order if x not in layout]
            array = array.reshape(array.shape + (1,) * len(missing))
            array = np.transpose(array, [(layout + "".join(missing)).index(x) for x in order])
            return np.broadcast_to(array, [dims[x] for x in order])

        scale = 1 / math.sqrt(self.d) if self.scale is None else self.scale
        mask = values["mask"] != 0 if self.mask else None
        order = [canonical("query", "bhqd"), canonical("key", "bhkd"), canonical("value", "bhke")]
        out = meaning(*order, scale, mask, self.empty or "zero")
        return np.transpose(out, ["bhqe".index(x) for x in self.layouts["init"]])

    def case(self, rng, runs):
        prepared = []
        for dims in runs:
            values, full = self.inputs(rng, dims)
            prepared.append((values, {"result": self.want(values, full)}))
        return harness.Case(self.name, self.text(), prepared)


def masks(rng, batch, keys):
    """Rows of all kinds, in turn: all, prefix, suffix, middle, holes, none, one key."""
    rows = np.zeros((batch, keys), bool)
    at = np.arange(keys)
    for b, row in enumerate(rows):
        begin, end = sorted(rng.integers(0, keys + 1, 2)) if keys else (0, 0)
        kinds = [at >= 0, at < end, at >= begin, (at >= begin) & (at < end), rng.random(keys) < 0.5, at < 0, at == end]
        row[:] = kinds[(b + int(rng.integers(7))) % 7]
    return rows


def exact(rng, values):
    """Integers, so that scores are exact however large they are."""
    for operand in ("query", "key"):
        values[operand] = rng.integers(-30, 31, values[operand].shape).astype(np.float32)


def equal(rng, values):
    values["key"][:] = 1.0


def specials(rng, values):
    """NaN in one query, infinity in one value: others stay clear of them."""
    if values["query"].size and values["value"].size:
        values["query"][0, values["query"].shape[1] // 2, 0, 3] = np.nan
        values["value"][-1, 0, -1, 5] = np.inf


def fixed(rng):
    square = [{"b": b, "s": s, "q": s, "k": s} for b, s in ((1, 1), (2, 7), (1, 64), (3, 33), (1, 130), (0, 5), (2, 0))]
    for d in (1, 3, 8, 16, 32, 40, 64, 80, 96, 128, 160, 256):
        yield Attention(f"self_{d}", d, same_length=True).case(rng, square)
    cross = [{"b": 2, "q": q, "k": k} for q, k in ((1, 1), (1, 300), (40, 3), (5, 0), (0, 5), (17, 129), (33, 512))]
    yield Attention("cross", 64).case(rng, cross)
    yield Attention("cross_values", 24, 56).case(rng, cross)
    yield Attention("queries", 32).case(rng, [{"b": 1, "q": q, "k": 50} for q in range(1, 41)])
    yield Attention("keys", 32).case(rng, [{"b": 1, "q": 3, "k": k} for k in range(0, 41)])
    yield Attention("grouped", 64, heads=8, group=2).case(rng, cross)
    yield Attention("grouped_4", 40, heads=12, group=4, mask="i64").case(rng, cross)
    yield Attention("one_kv_head", 32, heads=6, group=6).case(rng, cross)
    yield Attention("shared_keys", 32, heads=6, key="bkd", value="bke").case(rng, cross)
    yield Attention("keys_of_all_batches", 32, heads=3, key="hkd", value="hke").case(rng, cross)
    yield Attention("heads_first", 32, query="bhqd", key="bhkd").case(rng, cross)
    yield Attention("heads_outermost", 48, query="hbqd", key="kbhd", value="hkbe", init="qbhe").case(rng, cross)
    yield Attention("scale", 64, scale=0.37).case(rng, cross)
    yield Attention("scale_zero", 64, scale=0.0).case(rng, cross)
    yield Attention("scale_negative", 64, scale=-0.2).case(rng, cross)
    yield Attention("static", 64, sizes={"b": 2, "q": 19, "k": 70}).case(rng, [{}])
    yield Attention("static_one", 8, heads=1, sizes={"b": 1, "q": 1, "k": 1}).case(rng, [{}])
    yield Attention("large_scores", 16, scale=1.0, values=exact).case(rng, cross)
    yield Attention("huge_scores", 16, scale=64.0, values=exact).case(rng, cross)
    yield Attention("equal_scores", 16, values=equal).case(rng, cross)
    yield Attention("specials", 16, values=specials).case(rng, cross)
    many = [{"b": b, "q": q, "k": k} for b, q, k in ((9, 5, 40), (7, 33, 600), (3, 1, 1), (4, 2, 0), (0, 3, 7))]
    for kind in KIND:
        yield Attention(f"mask_{kind}", 32, mask=kind).case(rng, many)
    for empty in ("zero", "uniform", "unmasked"):
        yield Attention(f"empty_{empty}", 32, mask="i64", empty=empty).case(rng, many)
    yield Attention("static_mask", 32, mask="i64", empty="uniform", sizes={"b": 7, "q": 5, "k": 40}).case(rng, [{}])


def random_case(rng, number):
    heads, group = [(1, 1), (2, 1), (4, 2), (6, 3), (5, 5), (3, 1)][rng.integers(6)]

    def shuffled(letters, channel):
        order = list(letters)
        rng.shuffle(order)
        return "".join(order) + channel

    drop = "" if rng.random() < 0.7 or group > 1 else rng.choice(["b", "h", "bh"])
    keyed = "".join(x for x in "bhk" if x not in drop)
    mask = None if rng.random() < 0.4 else str(rng.choice(list(KIND)))
    every = {"b": int(rng.integers(0, 5)), "q": int(rng.integers(1, 70)), "k": int(rng.integers(0, 200))}
    sizes = {x: n for x, n in every.items() if rng.random() < 0.3}
    d = int(rng.integers(1, 140))
    model = Attention(
        f"random_{number}", d, d if rng.random() < 0.5 else int(rng.integers(1, 140)), heads, group,
        shuffled("bhq", "d"), shuffled(keyed, "d"), shuffled(keyed, "e"), shuffled("bhq", "e"), sizes,
        None if rng.random() < 0.7 else float(rng.uniform(0, 0.5)), mask,
        None if rng.random() < 0.5 else str(rng.choice(["zero", "uniform", "unmasked"])),
    )  # fmt: skip
    runs = []
    for _ in range(4):
        dims = {"b": int(rng.integers(0, 5)), "q": int(rng.integers(0, 70)), "k": int(rng.integers(0, 200))}
        runs.append({x: n for x, n in dims.items() if x not in sizes})
    return model.case(rng, runs)


if __name__ == "__main__":
    harness.main("Check attn.attention against float64 NumPy.", fixed, random_case)
