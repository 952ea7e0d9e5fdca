# ===- generic.py - What no kernel runs -------------------------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#   python generic.py --dir DIR [--fuzz COUNT --seed SEED]
#
# Attention with score and mask regions, log-sum-exp, offsets, odd layouts and
# head sizes known at run time; every op in f16, bf16 and f64.
#
# ===------------------------------------------------------------------------===#
import math

import harness
import numpy as np
from attention import masks
from harness import load, store
from reference import ACTIVATIONS, layer_norm
from rows import rms_norm

DIMS = "bhqkde"
INT = {"i1": np.bool_, "i32": np.int32, "i64": np.int64}

# Each: what it reads beside the score, as (layout, type); lines that make %r of %s, the indices %b %h %q %k and the
# elements %m0, %m1, ...; its meaning, where s, b, h, q, k and the elements are arrays over [B, H, Q, K]. T is the
# type of a score.
SCORES = {
    "alibi": ([], """
    %d = arith.subi %k, %q : index
    %di = arith.index_cast %d : index to i64
    %df = arith.sitofp %di : i64 to T
    %h1 = arith.index_cast %h : index to i64
    %hf = arith.sitofp %h1 : i64 to T
    %slope = arith.constant 0.125 : T
    %a = arith.mulf %df, %slope : T
    %a2 = arith.mulf %a, %hf : T
    %r = arith.addf %s, %a2 : T""", lambda s, b, h, q, k, m: s + (k - q) * 0.125 * h),
    "softcap": ([], """
    %c = arith.constant 2.0 : T
    %d = arith.divf %s, %c : T
    %t = math.tanh %d : T
    %r = arith.mulf %t, %c : T""", lambda s, b, h, q, k, m: np.tanh(s / 2) * 2),
    "bias_hqk": ([("hqk", "T")], "%r = arith.addf %s, %m0 : T", lambda s, b, h, q, k, m: s + m[0]),
    "bias_bhqk": ([("bhqk", "T")], "%r = arith.addf %s, %m0 : T", lambda s, b, h, q, k, m: s + m[0]),
    "bias_kq": ([("kq", "T")], "%r = arith.addf %s, %m0 : T", lambda s, b, h, q, k, m: s + m[0]),
    "minus_infinity": ([("bk", "i32")], """
    %z = arith.constant 0 : i32
    %c = arith.cmpi sgt, %m0, %z : i32
    %inf = arith.constant INF : T
    %r = arith.select %c, %s, %inf : T""", lambda s, b, h, q, k, m: np.where(m[0] > 0, s, -np.inf)),
}  # fmt: skip
MASKS = {
    "causal": ([], "%r = arith.cmpi ule, %k, %q : index", lambda b, h, q, k, m: k <= q),
    "window": ([], """
    %three = arith.constant 3 : index
    %e = arith.addi %k, %three : index
    %near = arith.cmpi sge, %e, %q : index
    %past = arith.cmpi sle, %k, %q : index
    %r = arith.andi %near, %past : i1""", lambda b, h, q, k, m: (k <= q) & (k + 3 >= q)),
    "documents": ([("bq", "i32"), ("bk", "i32")], "%r = arith.cmpi eq, %m0, %m1 : i32",
                  lambda b, h, q, k, m: m[0] == m[1]),
    "lengths": ([("b", "i64")], """
    %ki = arith.index_cast %k : index to i64
    %r = arith.cmpi slt, %ki, %m0 : i64""", lambda b, h, q, k, m: k < m[0]),
    "from_to": ([("b", "i32"), ("b", "i64")], """
    %begin = arith.index_cast %m0 : i32 to index
    %ki = arith.index_cast %k : index to i64
    %after = arith.cmpi sle, %begin, %k : index
    %before = arith.cmpi sge, %m1, %ki : i64
    %r = arith.andi %after, %before : i1""", lambda b, h, q, k, m: (k >= m[0]) & (k <= m[1])),
    "lengths_causal": ([("b", "i64")], """
    %ki = arith.index_cast %k : index to i64
    %l = arith.cmpi slt, %ki, %m0 : i64
    %c = arith.cmpi ule, %k, %q : index
    %r = arith.andi %l, %c : i1""", lambda b, h, q, k, m: (k < m[0]) & (k <= q)),
    "bits": ([("qk", "i1")], "%r = arith.andi %m0, %m0 : i1", lambda b, h, q, k, m: m[0] != 0),
    "never": ([], "%r = arith.constant false", lambda b, h, q, k, m: k < 0),
}  # fmt: skip


class Attention:
    """One attn.attention. Layouts are strings of dimensions; `sizes` are static extents by letter, the others dynamic;
    `score` and `mask` name regions; `table` reads a whole operand [H, 9] at [h, k - q + 4], or the nearest that there is."""

    def __init__(self, name, d=16, e=None, heads=2, group=1, query="bqhd", key="bkhd", value="bkhe", init="bqhe", kind="f32",
                 region=None, score=None, mask=None, empty=None, key_mask=None, ranges=False, lse=None, offsets=None,
                 table=False, sizes=None, dynamic="", values=None):  # fmt: skip
        self.name, self.group, self.kind, self.region = name, group, kind, region or kind
        self.layouts = {"query": query, "key": key, "value": value, "init": init}
        self.extents = {"d": d, "e": e or d, "h": heads}
        self.sizes = {x: n for x, n in {**self.extents, **(sizes or {})}.items() if x not in dynamic}
        self.score, self.mask, self.empty, self.key_mask, self.ranges = score, mask, empty, key_mask, ranges
        self.lse, self.offsets, self.table, self.values = lse, offsets, table, values
        self.mapped = list(SCORES[score][0] if score else []) + list(MASKS[mask][0] if mask else [])
        self.mapped = [(layout, self.region if kind == "T" else kind) for layout, kind in self.mapped]

    def grouped(self, operand, x):
        return x == "h" and operand in ("key", "value") and self.group > 1

    def type(self, layout, operand, kind=None):
        sizes = [self.sizes.get(x) for x in layout]
        sizes = [n // self.group if n and self.grouped(operand, x) else n for n, x in zip(sizes, layout)]
        return f"tensor<{''.join('?x' if n is None else f'{n}x' for n in sizes)}{kind or self.kind}>"

    def symbols(self, layout, operand):
        def symbol(x):
            if x in self.sizes:
                return str(self.sizes[x] // self.group if self.grouped(operand, x) else self.sizes[x])
            return f'"{x}"'

        return "[" + ", ".join(map(symbol, layout)) + "]"

    def map(self, layout, operand):
        results = [f"{x} floordiv {self.group}" if self.grouped(operand, x) else x for x in layout]
        return f"affine_map<(b, h, q, k, d, e) -> ({', '.join(results)})>"

    def text(self):
        arguments, body = [], []
        inputs = [(x, self.layouts[x], self.type(self.layouts[x], x)) for x in ("query", "key", "value")]
        inputs += [(f"m{i}", layout, self.type(layout, "mapped", kind)) for i, (layout, kind) in enumerate(self.mapped)]
        if self.key_mask:
            inputs.append(("mask", "bk", self.type("bk", "mask", self.key_mask)))
        for name, layout, kind in inputs:
            arguments.append(f'%{name}: {kind} {{attn.name = "{name}", attn.shape = {self.symbols(layout, name)}}}')
        # Where a dynamic extent is read.
        places = {}
        for name, layout, kind in inputs:
            for at, x in enumerate(layout):
                if not self.grouped(name, x):
                    places.setdefault(x, f"%{name}, %c{at} : {kind}")
        if self.ranges:
            kind = self.type("b", "ranges", "i64").replace("xi64", "x4xi64")
            shape = self.symbols("b", "ranges")[:-1] + ", 4]"
            arguments.append(f'%ranges: {kind} {{attn.name = "ranges", attn.shape = {shape}}}')
            places.setdefault("b", f"%ranges, %c0 : {kind}")
            ranges = kind
        table = f"tensor<{self.extents['h']}x9x{self.region}>"
        if self.table:
            arguments.append(f'%table: {table} {{attn.name = "table"}}')
        body += [f"%c{i} = arith.constant {i} : index" for i in range(4)]
        needed = self.layouts["init"] + (self.lse or "")
        for x in sorted(set(needed)):
            if x not in self.sizes:
                body.append(f"%extent_{x} = tensor.dim {places[x]}")
        outs, types, results = [], [], [("result", self.layouts["init"])] + ([("lse", self.lse)] if self.lse else [])
        for name, layout in results:
            kind = self.type(layout, "init")
            dims = ", ".join(f"%extent_{x}" for x in layout if x not in self.sizes)
            body.append(f"%{name}_init = tensor.empty({dims}) : {kind}")
            outs.append(f"%{name}_init")
            types.append(kind)
        text = f"ins(%query, %key, %value : {', '.join(kind for _, _, kind in inputs[:3])})"
        text += f" ranges(%ranges : {ranges})" if self.ranges else ""
        if self.key_mask:
            text += f" key_mask(%mask : {self.type('bk', 'mask', self.key_mask)})"
        mapped = inputs[3 : 3 + len(self.mapped)]
        if mapped:
            text += f" mapped({', '.join('%' + n for n, _, _ in mapped)} : {', '.join(kind for _, _, kind in mapped)})"
        text += f" whole(%table : {table})" if self.table else ""
        if self.offsets:
            body += [f"%o{i} = arith.constant {n} : index" for i, n in enumerate(self.offsets)]
            text += " offsets(%o0, %o1, %o2, %o3)"
        text += f" outs({', '.join(outs)} : {', '.join(types)}) -> {', '.join(types)}"
        maps = [self.map(layout, x) for x, layout in self.layouts.items() if x != "init"]
        maps += [self.map(layout, "mapped") for layout, _ in self.mapped] + [self.map(layout, "init") for _, layout in results]
        text += f" maps [{', '.join(maps)}]"
        if self.empty:
            text += f" attributes {{empty = #attn.empty<{self.empty}>}}"
        elements = [f"%x{i}: {kind}" for i, (_, kind) in enumerate(self.mapped)]
        elements += [f"%w: {table}"] if self.table else []
        indices = ["%b: index", "%h: index", "%q: index", "%k: index"]
        if self.score or self.table:
            code = SCORES[self.score][1] if self.score else "%r = arith.addf %s, %s : T"
            count = len(SCORES[self.score][0]) if self.score else 0
            for i in range(count):
                code = code.replace(f"%m{i}", f"%x{i}")
            result = "%r"
            if self.table:
                code += """
    %four = arith.constant 4 : index
    %sum = arith.addi %k, %four : index
    %far = arith.subi %sum, %q : index
    %low = arith.constant 0 : index
    %high = arith.constant 8 : index
    %last = arith.constant """ + str(self.extents["h"] - 1) + """ : index
    %above = arith.maxsi %far, %low : index
    %at = arith.minsi %above, %high : index
    %notBelow = arith.maxsi %h, %low : index
    %row = arith.minsi %notBelow, %last : index
    %entry = tensor.extract %w[%row, %at] : """ + table + """
    %r2 = arith.addf %r, %entry : T"""
                result = "%r2"
            infinity = {"f16": "0xFC00", "bf16": "0xFF80", "f32": "0xFF800000", "f64": "0xFFF0000000000000"}[self.region]
            code = code.replace(": T", f": {self.region}").replace("to T", f"to {self.region}").replace("INF", infinity)
            text += f" score {{\n  ^bb0({', '.join([f'%s: {self.region}'] + indices + elements)}):{newline(code)}\n    attn.yield {result} : {self.region}\n  }}"
        if self.mask:
            code, first = MASKS[self.mask][1], len(SCORES[self.score][0]) if self.score else 0
            for i in reversed(range(len(MASKS[self.mask][0]))):
                code = code.replace(f"%m{i}", f"%x{first + i}")
            text += f" mask {{\n  ^bb0({', '.join(indices + elements)}):{newline(code)}\n    attn.yield %r : i1\n  }}"
        names = "%y" if len(types) == 1 else "%y:2"
        body.append(f"{names} = attn.attention {text}")
        values = "%y" if len(types) == 1 else "%y#0, %y#1"
        body.append(f"return {values} : {', '.join(types)}")
        out = ", ".join(f'{kind} {{attn.name = "{name}"}}' for (name, _), kind in zip(results, types))
        return f"func.func @{self.name}({', '.join(arguments)}) -> ({out}) {{\n  " + "\n  ".join(body) + "\n}\n"

    def run(self, rng, dims):
        dims = {**dims, **self.extents, **self.sizes}
        inputs = {}

        def shape(layout, operand):
            return [dims[x] // self.group if self.grouped(operand, x) else dims[x] for x in layout]

        for name in ("query", "key", "value"):
            inputs[name] = store(rng.standard_normal(shape(self.layouts[name], name)) * 1.5, self.kind)
        for i, (layout, kind) in enumerate(self.mapped):
            if kind in INT:
                most = dims["k"] + 3 if layout == "b" else 3
                inputs[f"m{i}"] = rng.integers(-1 if layout == "b" else 0, 2 if kind == "i1" else most, shape(layout, "")).astype(INT[kind])
            else:
                inputs[f"m{i}"] = store(rng.standard_normal(shape(layout, "")), kind)
        if self.key_mask:
            inputs["mask"] = masks(rng, dims["b"], dims["k"]).astype(INT[self.key_mask])
        if self.ranges:
            begin, length = rng.integers(0, dims["k"] + 1, dims["b"]), rng.integers(0, dims["k"] + 2, dims["b"])
            inputs["ranges"] = np.stack([begin, begin + length, 0 * begin, 0 * begin], axis=-1).reshape(dims["b"], 4)
        if self.table:
            inputs["table"] = store(rng.standard_normal((dims["h"], 9)), self.region)
        if self.values:
            self.values(rng, inputs)
        return inputs, self.want(inputs, dims)

    def over(self, array, layout, operand, order, dims):
        """`array` over the dimensions `order`, broadcast where its layout lacks one."""
        if self.grouped(operand, "h") and "h" in layout:
            array = np.repeat(array, self.group, axis=layout.index("h"))
        missing = [x for x in order if x not in layout]
        array = array.reshape(array.shape + (1,) * len(missing))
        array = np.transpose(array, [(layout + "".join(missing)).index(x) for x in order])
        return np.broadcast_to(array, [dims[x] for x in order])

    def want(self, inputs, dims):
        q, k, v = (
            self.over(load(inputs[x], self.kind), self.layouts[x], x, order, dims)
            for x, order in (("query", "bhqd"), ("key", "bhkd"), ("value", "bhke"))
        )
        with np.errstate(all="ignore"):
            s = np.einsum("bhqd,bhkd->bhqk", q, k, optimize=False) / np.sqrt(np.float64(dims["d"]))
            offsets = self.offsets or (0, 0, 0, 0)
            at = np.meshgrid(*[np.arange(dims[x]) + o for x, o in zip("bhqk", offsets)], indexing="ij")
            mapped = [
                self.over(inputs[f"m{i}"] if kind in INT else load(inputs[f"m{i}"], kind), layout, "", "bhqk", dims)
                for i, (layout, kind) in enumerate(self.mapped)
            ]
            first = len(SCORES[self.score][0]) if self.score else 0
            if self.score:
                s = SCORES[self.score][2](s, *at, mapped)
            if self.table:
                table = load(inputs["table"], self.region)
                s = (s if self.score else 2 * s) + table[np.clip(at[1], 0, dims["h"] - 1), np.clip(at[3] + 4 - at[2], 0, 8)]
            counts = np.ones(s.shape, bool)
            if self.mask:
                counts = counts & MASKS[self.mask][2](*at, mapped[first:])
            if self.key_mask:
                counts = counts & (inputs["mask"] != 0)[:, None, None, :]
            if self.ranges:
                bounds = inputs["ranges"][:, None, None, None, :]
                counts = counts & (at[3] >= bounds[..., 0]) & (at[3] < bounds[..., 1])
            none = ~counts.any(axis=-1, keepdims=True)
            if self.empty in ("uniform", "unmasked"):
                s = np.where(none & (self.empty == "uniform"), 0.0, s)
                counts = counts | none
            s = np.where(counts, s, -np.inf)
            top = s.max(axis=-1, keepdims=True, initial=-np.inf)
            p = np.where(np.isneginf(s), 0.0, np.exp(s - np.where(np.isneginf(top), 0.0, top)))
            total = p.sum(axis=-1, keepdims=True)
            terms = np.where(counts[..., None], p[..., None] * v[:, :, None], 0.0)
            out = terms.sum(axis=3) / np.where(total == 0.0, 1.0, total)
            lse = np.where(none | (total == 0.0), -np.inf, top + np.log(total))[..., 0]
        want = {"result": np.transpose(out, ["bhqe".index(x) for x in self.layouts["init"]])}
        if self.lse:
            want["lse"] = np.transpose(lse, ["bhq".index(x) for x in self.lse])
        return want

    def case(self, rng, runs):
        kinds = {"result": self.kind, "lse": self.kind}
        return harness.Case(self.name, self.text(), [self.run(rng, dims) for dims in runs], kinds=kinds)


def newline(code):
    return code if code.startswith("\n") else "\n    " + code


def garbage(rng, inputs):
    """Values of keys that don't count are no numbers."""
    inputs["value"][:, -1] = np.nan
    inputs["key"][:, -1] = np.inf
    inputs["m0"][:] = inputs["value"].shape[1] - 1


RUNS = [{"b": b, "q": q, "k": k} for b, q, k in ((1, 1, 1), (2, 7, 9), (3, 33, 70), (1, 5, 0), (0, 3, 4), (2, 0, 5), (1, 64, 130))]
FEW = [{"b": b, "q": q, "k": k} for b, q, k in ((2, 7, 9), (1, 20, 40), (1, 2, 0))]


def fixed_attentions(rng):
    for score in SCORES:
        yield Attention(f"score_{score}", score=score).case(rng, RUNS)
    for mask in MASKS:
        for empty in ("zero", "uniform", "unmasked"):
            yield Attention(f"mask_{mask}_{empty}", mask=mask, empty=empty, lse="bhq").case(rng, RUNS)
    yield Attention("table", table=True).case(rng, RUNS)
    yield Attention("table_causal", table=True, score="alibi", mask="causal", offsets=(0, 1, 3, 2)).case(rng, RUNS)
    yield Attention("grouped", heads=6, group=3, mask="causal", score="softcap").case(rng, RUNS)
    yield Attention("log_sum_exp", lse="qhb").case(rng, RUNS)
    yield Attention("log_sum_exp_masked", lse="bqh", key_mask="i64", empty="uniform").case(rng, RUNS)
    yield Attention("offsets", mask="causal", offsets=(0, 0, 5, 2)).case(rng, RUNS)
    yield Attention("offsets_ranges", ranges=True, offsets=(0, 0, 0, 2)).case(rng, RUNS)
    for empty in ("zero", "uniform", "unmasked"):
        yield Attention(f"key_mask_{empty}", key_mask="i32", empty=empty).case(rng, RUNS)
        yield Attention(f"ranges_{empty}", ranges=True, empty=empty).case(rng, RUNS)
        yield Attention(f"key_mask_causal_{empty}", key_mask="i1", mask="causal", empty=empty).case(rng, RUNS)
    yield Attention("dynamic_head", dynamic="de", sizes={"h": 2}).case(rng, RUNS)
    yield Attention("dynamic_all", dynamic="hde").case(rng, RUNS)
    yield Attention("channel_first", query="bhdq", key="bhdk", value="bhek", init="behq").case(rng, RUNS)
    yield Attention("channels_anywhere", query="dbqh", key="kdhb", value="ekbh", init="ebqh", e=24).case(rng, RUNS)
    yield Attention("no_batch_nor_head", query="qd", key="kd", value="ke", sizes={"b": 1}, heads=1, init="bhqe").case(rng, [{"q": 5, "k": 6}, {"q": 40, "k": 70}])
    yield Attention("batch_in_value", query="qd", key="kd", value="hkbe", heads=3, init="bhqe").case(rng, RUNS)
    yield Attention("query_of_all", query="d", key="bkhd", value="bkhe", init="bhqe", sizes={"q": 5}).case(rng, [{"b": 2, "k": 9}])
    for sizes in ({"k": 0}, {"q": 0}, {"b": 0}):
        yield Attention(f"static_no_{next(iter(sizes))}", mask="causal", sizes=sizes, lse="bhq").case(rng, FEW)
    yield Attention("garbage", mask="lengths_causal", values=garbage).case(rng, RUNS[1:3])
    for kind in ("f16", "bf16", "f64"):
        yield Attention(f"{kind}_plain", kind=kind).case(rng, RUNS)
        yield Attention(f"{kind}_mask", kind=kind, key_mask="i64", empty="uniform").case(rng, FEW)
        yield Attention(f"{kind}_causal", kind=kind, mask="causal", lse="bhq").case(rng, FEW)
        yield Attention(f"{kind}_grouped", kind=kind, heads=4, group=2, query="bhqd", key="bhkd", value="bhke", init="bhqe").case(rng, FEW)
        yield Attention(f"{kind}_table", kind=kind, table=True).case(rng, FEW)
        for score in SCORES:
            yield Attention(f"{kind}_{score}", kind=kind, score=score).case(rng, FEW)
    yield Attention("f16_scores_in_f32", kind="f16", region="f32", score="softcap").case(rng, FEW)
    yield Attention("f32_scores_in_f64", kind="f32", region="f64", score="softcap").case(rng, FEW)


def random_attention(rng, number):
    heads, group = [(1, 1), (2, 1), (4, 2), (6, 3), (3, 1)][rng.integers(5)]

    def shuffled(letters):
        order = list(letters)
        rng.shuffle(order)
        return "".join(order)

    def choice(options, chance):
        return None if rng.random() < chance else str(rng.choice(list(options)))

    kind = str(rng.choice(["f32", "f32", "f16", "bf16", "f64"]))
    model = Attention(
        f"random_{number}", int(rng.integers(1, 40)), int(rng.integers(1, 40)), heads, group, shuffled("bhqd"), shuffled("bhkd"),
        shuffled("bhke"), shuffled("bhqe"), kind, None, choice(SCORES, 0.5), choice(MASKS, 0.4),
        choice(("zero", "uniform", "unmasked"), 0.3), choice(INT, 0.6), bool(rng.random() < 0.2), choice(("bhq", "qbh"), 0.5),
        None if rng.random() < 0.6 else (0, 0, int(rng.integers(4)), int(rng.integers(4))), bool(rng.random() < 0.2),
        {x: int(rng.integers(1, 30)) for x in "bqk" if rng.random() < 0.2}, "de" if rng.random() < 0.2 else "",
    )  # fmt: skip
    return model.case(rng, [{x: int(rng.integers(0, n)) for x, n in (("b", 4), ("q", 70), ("k", 150))} for _ in range(3)])


# ===- Rows -----------------------------------------------------------------===#


def linear_case(rng, kind, where="symbol", epilogue=None, dynamic=False, k=33, n=50):
    w, bias = store(rng.standard_normal((n, k)) / math.sqrt(max(k, 1)), kind), store(rng.standard_normal(n), kind)
    name = f"linear_{kind}_{where}{'_' + epilogue if epilogue else ''}{'_dynamic' if dynamic else ''}_{k}_{n}"
    wt, xt = f"tensor<{n}x{k}x{kind}>", f"tensor<?x{k}x{kind}>"
    if dynamic:
        wt, xt = f"tensor<?x?x{kind}>", f"tensor<?x?x{kind}>"
    yt = f"tensor<?x{'?' if dynamic else n}x{kind}>"
    bt = f"tensor<{'?' if dynamic else n}x{kind}>"
    arguments = [f'%x: {xt} {{attn.name = "x", attn.shape = ["m", {chr(34) + "k" + chr(34) if dynamic else k}]}}']
    body = ["%c0 = arith.constant 0 : index", f"%m = tensor.dim %x, %c0 : {xt}"]
    given, weights = {}, []
    if where == "symbol":
        weights = [("w", w, kind), ("bias", bias, kind)]
        body += [f"%w = attn.get_weight @w : {wt}", f"%bias = attn.get_weight @bias : {bt}"]
    else:
        shape = '["n", "k"]' if dynamic else f"[{n}, {k}]"
        arguments += [f'%w: {wt} {{attn.name = "w", attn.shape = {shape}}}', f'%bias: {bt} {{attn.name = "bias", attn.shape = {shape.split(",")[0].rstrip("]")}]}}']
        given = {"w": w, "bias": bias}
    if dynamic:
        body.append(f"%n = tensor.dim %w, %c0 : {wt}")
    code = {"gelu": f"%r = attn.gelu %t : {kind}", "tanh": f"%r = math.tanh %t : {kind}"}.get(epilogue, "")
    meaning = {"gelu": ACTIVATIONS["gelu"], "tanh": np.tanh}.get(epilogue, lambda y: y)
    body.append(f"""%init = tensor.empty({'%m, %n' if dynamic else '%m'}) : {yt}
  %y = attn.linear ins(%x, %w : {xt}, {wt}) extras(%bias : {bt}) outs(%init : {yt}) -> {yt}
      maps [affine_map<(m, n) -> (n)>] {{
  ^bb0(%s: {kind}, %a: {kind}):
    %t = arith.addf %s, %a : {kind}
    {code}
    attn.yield {'%r' if code else '%t'} : {kind}
  }}
  return %y : {yt}""")
    text = f'func.func @{name}({", ".join(arguments)}) -> ({yt} {{attn.name = "y"}}) {{\n  ' + "\n  ".join(body) + "\n}\n"
    runs = []
    for m in (0, 1, 5, 40, 130):
        x = store(rng.standard_normal((m, k)), kind)
        runs.append(({"x": x, **given}, {"y": meaning(load(x, kind) @ load(w, kind).T + load(bias, kind))}))
    return harness.Case(name, text, runs, weights, kinds={"y": kind})


def extras_case(rng, which, n=12):
    maps = {"transposed": ("n, m", "[n, m]"), "diagonal": ("n, n", "[n, n]")}[which]
    text = f"""func.func @extras_{which}(%x: tensor<{n}x16xf32> {{attn.name = "x"}}, %w: tensor<{n}x16xf32> {{attn.name = "w"}},
    %a: tensor<{n}x{n}xf32> {{attn.name = "a"}}) -> (tensor<{n}x{n}xf32> {{attn.name = "y"}}) {{
  %i = tensor.empty() : tensor<{n}x{n}xf32>
  %y = attn.linear ins(%x, %w : tensor<{n}x16xf32>, tensor<{n}x16xf32>) extras(%a : tensor<{n}x{n}xf32>)
      outs(%i : tensor<{n}x{n}xf32>) -> tensor<{n}x{n}xf32> maps [affine_map<(m, n) -> ({maps[0]})>] {{
  ^bb0(%s: f32, %e: f32):
    %r = arith.addf %s, %e : f32
    attn.yield %r : f32
  }}
  return %y : tensor<{n}x{n}xf32>
}}
"""
    x, w, a = (rng.standard_normal(shape).astype(np.float32) for shape in ((n, 16), (n, 16), (n, n)))
    read = a.T if which == "transposed" else np.broadcast_to(np.diag(a), (n, n))
    return harness.Case(f"extras_{which}", text, [({"x": x, "w": w, "a": a}, {"y": x.astype(np.float64) @ w.T + read})])


def mixed_extras_case(rng, k=16, n=12):
    """An f32 layer that adds f16 elements."""
    text = f"""func.func @mixed(%x: tensor<?x{k}xf32> {{attn.name = "x", attn.shape = ["m", {k}]}}, %w: tensor<{n}x{k}xf32> {{attn.name = "w"}},
    %a: tensor<?x{n}xf16> {{attn.name = "a", attn.shape = ["m", {n}]}}) -> (tensor<?x{n}xf32> {{attn.name = "y"}}) {{
  %c0 = arith.constant 0 : index
  %m = tensor.dim %x, %c0 : tensor<?x{k}xf32>
  %i = tensor.empty(%m) : tensor<?x{n}xf32>
  %y = attn.linear ins(%x, %w : tensor<?x{k}xf32>, tensor<{n}x{k}xf32>) extras(%a : tensor<?x{n}xf16>)
      outs(%i : tensor<?x{n}xf32>) -> tensor<?x{n}xf32> maps [affine_map<(m, n) -> (m, n)>] {{
  ^bb0(%s: f32, %e: f16):
    %f = arith.extf %e : f16 to f32
    %r = arith.addf %s, %f : f32
    attn.yield %r : f32
  }}
  return %y : tensor<?x{n}xf32>
}}
"""
    runs = []
    w = rng.standard_normal((n, k)).astype(np.float32)
    for m in (0, 1, 9):
        x, a = rng.standard_normal((m, k)).astype(np.float32), rng.standard_normal((m, n)).astype(np.float16)
        runs.append(({"x": x, "w": w, "a": a}, {"y": x.astype(np.float64) @ w.T.astype(np.float64) + a}))
    return harness.Case("mixed", text, runs)


def norm_case(rng, kind, n=33, scale_kind=None, dynamic=False, rms=False):
    scale_kind = scale_kind or kind
    name = f"{'rms' if rms else 'norm'}_{kind}_{scale_kind}{'_dynamic' if dynamic else ''}_{n}"
    size = "?" if dynamic else n
    t, s = f"tensor<?x{size}x{kind}>", f"tensor<{size}x{scale_kind}>"
    symbol = '"n"' if dynamic else n
    op = f"rms_norm ins(%x, %scale : {t}, {s})" if rms else f"layer_norm ins(%x, %scale, %shift : {t}, {s}, {s})"
    text = f"""func.func @{name}(%x: {t} {{attn.name = "x", attn.shape = ["m", {symbol}]}}, %scale: {s} {{attn.name = "scale", attn.shape = [{symbol}]}},
    %shift: {s} {{attn.name = "shift", attn.shape = [{symbol}]}}) -> ({t} {{attn.name = "y"}}) {{
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %m = tensor.dim %x, %c0 : {t}
  {f'%n = tensor.dim %x, %c1 : {t}' if dynamic else ''}
  %init = tensor.empty(%m{', %n' if dynamic else ''}) : {t}
  %y = attn.{op} outs(%init : {t}) -> {t} {{epsilon = 1.0e-5 : f64}}
  return %y : {t}
}}
"""
    runs = []
    for m in (0, 1, 7, 100):
        x, scale, shift = store(rng.standard_normal((m, n)), kind), store(rng.standard_normal(n), scale_kind), store(rng.standard_normal(n), scale_kind)
        wide, factor = load(x, kind), load(scale, scale_kind)
        want = rms_norm(wide, factor, 1e-5) if rms else layer_norm(wide, factor, load(shift, scale_kind), 1e-5)
        runs.append(({"x": x, "scale": scale, "shift": shift}, {"y": want}))
    return harness.Case(name, text, runs, kinds={"y": kind})


def embedding_case(rng, kind, where="symbol", n=37, dynamic=False):
    tables = [rng.standard_normal((rows, n)) for rows in (20, 3)] + [rng.standard_normal((9, n))]
    tables = [store(table, kind) for table in tables]
    name = f"embedding_{kind}_{where}{'_dynamic' if dynamic else ''}"
    types = [f"tensor<{table.shape[0]}x{'?' if dynamic else n}x{kind}>" for table in tables]
    out, ids = f"tensor<?x?x{'?' if dynamic else n}x{kind}>", "tensor<?x?xi64>"
    arguments = [f'%i{t}: {ids} {{attn.name = "i{t}", attn.shape = ["b", "s"]}}' for t in range(2)]
    body = [f"%c{i} = arith.constant {i} : index" for i in range(2)] + [f"%n{i} = tensor.dim %i0, %c{i} : {ids}" for i in range(2)]
    weights = [(f"t{i}", table, kind) for i, table in enumerate(tables)] if where == "symbol" else []
    for i, t in enumerate(types):
        if where == "symbol":
            body.append(f"%t{i} = attn.get_weight @t{i} : {t}")
        else:
            size = '"n"' if dynamic else n
            arguments.append(f'%t{i}: {t} {{attn.name = "t{i}", attn.shape = [{tables[i].shape[0]}, {size}]}}')
    if dynamic:
        body.append(f"%n2 = tensor.dim %t0, %c1 : {types[0]}")
    body.append(f"""%init = tensor.empty(%n0, %n1{', %n2' if dynamic else ''}) : {out}
  %y = attn.embedding ins(%i0, %i1 : {ids}, {ids}) tables(%t0, %t1 : {types[0]}, {types[1]}) positions(%t2 : {types[2]})
      outs(%init : {out}) -> {out}
  return %y : {out}""")
    text = f'func.func @{name}({", ".join(arguments)}) -> ({out} {{attn.name = "y"}}) {{\n  ' + "\n  ".join(body) + "\n}\n"
    runs = []
    for b, s in ((1, 1), (3, 9), (0, 4), (2, 0)):
        values = {f"i{t}": rng.integers(0, tables[t].shape[0], (b, s)) for t in range(2)}
        want = load(tables[0], kind)[values["i0"]] + load(tables[1], kind)[values["i1"]] + load(tables[2], kind)[:s]
        if where != "symbol":
            values.update({f"t{i}": table for i, table in enumerate(tables)})
        runs.append((values, {"y": want}))
    return harness.Case(name, text, runs, weights, kinds={"y": kind})


def gelu_case(rng, kind, approximate):
    name = f"gelu_{kind}{'_approximate' if approximate else ''}"
    t = f"tensor<?x7x{kind}>"
    text = f"""func.func @{name}(%x: {t} {{attn.name = "x", attn.shape = ["m", 7]}}) -> ({t} {{attn.name = "y"}}) {{
  %y = attn.gelu {'approximate ' if approximate else ''}%x : {t}
  return %y : {t}
}}
"""
    runs = []
    for m in (0, 1, 30, 400):
        x = store(rng.uniform(-6, 6, (m, 7)), kind)
        v = load(x, kind)
        exact = v / 2 * np.vectorize(math.erfc, otypes=[float])(-v / math.sqrt(2))
        # The form that keeps the digits of small results.
        with np.errstate(over="ignore"):
            curved = v / (1 + np.exp(-2 * math.sqrt(2 / math.pi) * (v + 0.044715 * v**3)))
        runs.append(({"x": x}, {"y": curved if approximate else exact}))
    return harness.Case(name, text, runs, kinds={"y": kind})


def function_case(rng, kind):
    """Functions of narrow elements, and a feed-forward block of one row."""
    functions = {"exp": np.exp, "tanh": np.tanh, "log": np.log, "erf": np.vectorize(math.erf, otypes=[float])}
    t = f"tensor<?x{kind}>"
    out = ", ".join(f'{t} {{attn.name = "{name}"}}' for name in functions)
    text = f'func.func @functions_{kind}(%x: {t} {{attn.name = "x", attn.shape = ["m"]}}) -> ({out}) {{\n'
    text += "".join(f"  %{name} = math.{name} %x : {t}\n" for name in functions)
    text += f"  return {', '.join('%' + name for name in functions)} : {', '.join([t] * len(functions))}\n}}\n"
    runs = []
    for m in (0, 1, 77):
        x = store(rng.uniform(0.01, 4, m), kind)
        runs.append(({"x": x}, {name: meaning(load(x, kind)) for name, meaning in functions.items()}))
    return harness.Case(f"functions_{kind}", text, runs, kinds={name: kind for name in functions})


def feed_forward_case(rng, kind):
    u, d = store(rng.standard_normal((32, 16)) / 4, kind), store(rng.standard_normal((16, 32)) / 6, kind)
    text = f"""func.func @feed_forward_{kind}(%x: tensor<16x{kind}> {{attn.name = "x"}}, %u: tensor<32x16x{kind}> {{attn.name = "u"}}, %d: tensor<16x32x{kind}> {{attn.name = "d"}}) -> (tensor<16x{kind}> {{attn.name = "y"}}) {{
  %y = attn.feed_forward %x up(%u : tensor<32x16x{kind}>) down(%d : tensor<16x32x{kind}>) {{activation = #attn.activation<relu>}} : tensor<16x{kind}> -> tensor<16x{kind}>
  return %y : tensor<16x{kind}>
}}
"""
    x = store(rng.standard_normal(16), kind)
    inner = load(store(np.maximum(load(x, kind) @ load(u, kind).T, 0), kind), kind)
    return harness.Case(f"feed_forward_{kind}", text, [({"x": x, "u": u, "d": d}, {"y": inner @ load(d, kind).T})], kinds={"y": kind})


def fixed_rows(rng):
    for kind in ("f16", "bf16", "f64"):
        for where in ("symbol", "argument"):
            for epilogue in (None, "gelu", "tanh"):
                yield linear_case(rng, kind, where, epilogue)
            yield embedding_case(rng, kind, where)
        yield norm_case(rng, kind)
        yield norm_case(rng, kind, rms=True)
        for approximate in (False, True):
            yield gelu_case(rng, kind, approximate)
        yield function_case(rng, kind)
    for kind in ("f32", "f64"):
        yield linear_case(rng, kind, "argument", "gelu", dynamic=True)
        yield norm_case(rng, kind, dynamic=True)
        yield norm_case(rng, kind, dynamic=True, rms=True)
        yield embedding_case(rng, kind, "argument", dynamic=True)
    yield norm_case(rng, "f32", scale_kind="f16")
    yield norm_case(rng, "f16", scale_kind="f32")
    yield norm_case(rng, "f32", scale_kind="f64")
    yield extras_case(rng, "transposed")
    yield extras_case(rng, "diagonal")
    yield mixed_extras_case(rng)
    yield linear_case(rng, "f32", "argument", k=0)
    yield linear_case(rng, "f32", "argument", "gelu", n=0)
    yield norm_case(rng, "f32", n=0)
    for kind in ("f32", "f16", "f64"):
        yield feed_forward_case(rng, kind)


def fixed(rng):
    yield from fixed_rows(rng)
    yield from fixed_attentions(rng)


if __name__ == "__main__":
    harness.main("Check what no kernel runs against float64 NumPy.", fixed, random_attention)
