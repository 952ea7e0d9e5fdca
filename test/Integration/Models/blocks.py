# ===- blocks.py - Whole blocks: multi-head attention, feed-forward, encoder ===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#   python blocks.py --dir DIR [--fuzz COUNT --seed SEED]
#
# Self- and cross-attention with and without masks and biases, pre- and
# post-norm, each activation, several layers one after the other.
#
# ===------------------------------------------------------------------------===#
import attention
import harness
import numpy as np
from reference import layer_norm
from rows import ACTS, matrix, normal


class Block:
    """Collects weights and lines of MLIR while a model is written; `p` holds the weights in float64."""

    def __init__(self, rng):
        self.rng, self.weights, self.lines, self.p = rng, [], [], {}

    def weight(self, name, value):
        self.weights.append((name, value))
        self.p[name] = value.astype(np.float64)
        self.lines.append(f"%{name}_weight = attn.get_weight @{name} : {harness.type_of(value)}")
        return f"%{name}_weight"

    def linear(self, keyword, name, rows, columns, bias):
        """`keyword(%w, %b : types)` for an assembly format."""
        names = [self.weight(name, matrix(self.rng, rows, columns))]
        if bias:
            names.append(self.weight(name + "_bias", normal(self.rng, rows, scale=0.3)))
        types = ", ".join(harness.type_of(value) for _, value in self.weights[-len(names) :])
        return f"{keyword}({', '.join(names)} : {types})"

    def norm(self, keyword, name, size):
        names = [
            self.weight(name + "_scale", normal(self.rng, size) + 1),
            self.weight(name + "_shift", normal(self.rng, size)),
        ]
        return f"{keyword}({', '.join(names)} : tensor<{size}xf32>, tensor<{size}xf32>)"

    def apply(self, name, x):
        return x @ self.p[name].T + self.p.get(name + "_bias", 0.0)

    def apply_norm(self, name, x, epsilon):
        return layer_norm(x, self.p[name + "_scale"], self.p[name + "_shift"], epsilon)

    def attend(self, prefix, query, key, value, heads, mask, empty):
        def split(x):
            return x.reshape(*x.shape[:2], heads, x.shape[2] // heads).transpose(0, 2, 1, 3)

        q, k, v = (
            split(self.apply(prefix + part, x)) for part, x in (("query", query), ("key", key), ("value", value))
        )
        out = attention.meaning(q, k, v, q.shape[-1] ** -0.5, mask, empty)
        return self.apply(prefix + "output", out.transpose(0, 2, 1, 3).reshape(*query.shape[:2], heads * out.shape[3]))


def multi_head(rng, name, heads, width, d, key_width=None, e=None, out=None, mask=None, empty="zero", bias=True, runs=None):
    """Cross-attention where key_width is given (keys and values are separate inputs)."""
    block, e, out = Block(rng), e or d, out or width
    into = key_width or width
    x = f"tensor<?x?x{width}xf32>"
    arguments = [f'%x: {x} {{attn.name = "x", attn.shape = ["b", "s", {width}]}}']
    context = "%x"
    length = "t" if key_width else "s"
    if key_width:
        kind = f"tensor<?x?x{key_width}xf32>"
        arguments += [
            f'%{y}: {kind} {{attn.name = "{y}", attn.shape = ["b", "t", {key_width}]}}' for y in ("key", "value")
        ]
        context += f", key(%key : {kind}), value(%value : {kind})"
    if mask:
        arguments.append(f'%mask: tensor<?x?x{mask}> {{attn.name = "mask", attn.shape = ["b", "{length}"]}}')
        context += f", mask(%mask : tensor<?x?x{mask}>)"
    parts = [
        block.linear("query_projection", "query", heads * d, width, bias),
        block.linear("key_projection", "key", heads * d, into, bias),
        block.linear("value_projection", "value", heads * e, into, bias),
        block.linear("output_projection", "output", out, heads * e, bias),
    ]
    result = f"tensor<?x?x{out}xf32>"
    lines = "\n  ".join(block.lines)
    text = f"""func.func @{name}({", ".join(arguments)}) -> ({result} {{attn.name = "y"}}) {{
  {lines}
  %y = attn.multi_head_attention {context} {" ".join(parts)}
      {{num_heads = {heads} : i64, empty = #attn.empty<{empty}>}} : {x} -> {result}
  return %y : {result}
}}
"""
    prepared = []
    for b, s, t in runs or ((1, 1, 1), (2, 7, 33), (3, 40, 5), (1, 130, 64), (0, 3, 3), (2, 0, 4), (2, 4, 0)):
        values = {"x": normal(rng, b, s, width)}
        if key_width:
            values |= {"key": normal(rng, b, t, key_width), "value": normal(rng, b, t, key_width)}
        kept = attention.masks(rng, b, t if key_width else s) if mask else None
        if mask:
            values["mask"] = kept.astype(attention.KIND[mask])
        v = {n: array.astype(np.float64) for n, array in values.items()}
        want = block.attend("", v["x"], v.get("key", v["x"]), v.get("value", v["x"]), heads, kept, empty)
        prepared.append((values, {"y": want}))
    return harness.Case(name, text, prepared, block.weights)


def feed_forward(rng, name, width, inner, out, act, bias=True, rank=3):
    block = Block(rng)
    parts = [block.linear("up", "up", inner, width, bias), block.linear("down", "down", out, inner, bias)]
    lead = "?x" * (rank - 1)
    x, y = f"tensor<{lead}{width}xf32>", f"tensor<{lead}{out}xf32>"
    lines = "\n  ".join(block.lines)
    text = f"""func.func @{name}(%x: {x} {{attn.name = "x"}}) -> ({y} {{attn.name = "y"}}) {{
  {lines}
  %y = attn.feed_forward %x {" ".join(parts)} {{activation = #attn.activation<{act}>}} : {x} -> {y}
  return %y : {y}
}}
"""
    prepared = []
    for shape in ((1, 1, 1), (2, 13, 2), (3, 50, 1), (0, 3, 4)):
        value = normal(rng, *shape[: rank - 1], width, scale=2)
        want = block.apply("down", ACTS[act](block.apply("up", value.astype(np.float64))))
        prepared.append(({"x": value}, {"y": want}))
    return harness.Case(name, text, prepared, block.weights)


def encoder(rng, name, heads, width, inner, act="gelu", norm="post", mask="i64", empty="uniform", bias=True, layers=1,
            epsilon=1e-5):  # fmt: skip
    block = Block(rng)
    x = f"tensor<?x?x{width}xf32>"
    arguments = [f'%x0: {x} {{attn.name = "x", attn.shape = ["b", "s", {width}]}}']
    masked = ""
    if mask:
        arguments.append(f'%mask: tensor<?x?x{mask}> {{attn.name = "mask", attn.shape = ["b", "s"]}}')
        masked = f", mask(%mask : tensor<?x?x{mask}>)"
    for i in range(layers):
        p = f"l{i}_"
        parts = [
            block.linear("query_projection", p + "query", width, width, bias),
            block.linear("key_projection", p + "key", width, width, bias),
            block.linear("value_projection", p + "value", width, width, bias),
            block.linear("output_projection", p + "output", width, width, bias),
            block.norm("attention_norm", p + "norm1", width),
            block.linear("up", p + "up", inner, width, bias),
            block.linear("down", p + "down", width, inner, bias),
            block.norm("output_norm", p + "norm2", width),
        ]
        block.lines.append(
            f"%x{i + 1} = attn.encoder_layer %x{i}{masked} {' '.join(parts)} {{num_heads = {heads} : i64, "
            f"epsilon = {epsilon:e} : f64, activation = #attn.activation<{act}>, norm = #attn.norm<{norm}>, "
            f"empty = #attn.empty<{empty}>}} : {x} -> {x}"
        )
    lines = "\n  ".join(block.lines)
    text = f"""func.func @{name}({", ".join(arguments)}) -> ({x} {{attn.name = "y"}}) {{
  {lines}
  return %x{layers} : {x}
}}
"""
    prepared = []
    for b, s in ((1, 1), (2, 7), (3, 40), (1, 130), (0, 3), (2, 0), (8, 5)):
        values = {"x": normal(rng, b, s, width)}
        kept = attention.masks(rng, b, s) if mask else None
        if mask:
            values["mask"] = kept.astype(attention.KIND[mask])
        y = values["x"].astype(np.float64)
        for i in range(layers):
            p = f"l{i}_"
            if norm == "pre":
                z = block.apply_norm(p + "norm1", y, epsilon)
                y = y + block.attend(p, z, z, z, heads, kept, empty)
                z = block.apply_norm(p + "norm2", y, epsilon)
                y = y + block.apply(p + "down", ACTS[act](block.apply(p + "up", z)))
            else:
                y = block.apply_norm(p + "norm1", y + block.attend(p, y, y, y, heads, kept, empty), epsilon)
                z = block.apply(p + "down", ACTS[act](block.apply(p + "up", y)))
                y = block.apply_norm(p + "norm2", y + z, epsilon)
        prepared.append((values, {"y": y}))
    return harness.Case(name, text, prepared, block.weights)


def fixed(rng):
    yield multi_head(rng, "self", 4, 64, 16)
    yield multi_head(rng, "self_masked", 4, 64, 16, mask="i64")
    yield multi_head(rng, "self_masked_i1", 3, 48, 16, mask="i1", empty="unmasked")
    yield multi_head(rng, "self_odd", 3, 39, 13, mask="i32", empty="uniform", bias=False)
    yield multi_head(rng, "one_head", 1, 40, 40)
    yield multi_head(rng, "inner_width_differs", 2, 24, 32, e=8, out=10)
    yield multi_head(rng, "cross", 4, 64, 16, key_width=48)
    yield multi_head(rng, "cross_masked", 4, 64, 16, key_width=48, mask="i64")
    yield multi_head(rng, "cross_differs", 2, 24, 20, key_width=17, e=33, out=5, mask="i8", empty="uniform")
    for act in ACTS:
        yield feed_forward(rng, f"feed_forward_{act}", 20, 70, 20, act)
    yield feed_forward(rng, "feed_forward_narrow", 33, 3, 1, "relu", bias=False)
    yield feed_forward(rng, "feed_forward_rank_2", 16, 64, 16, "gelu", rank=2)
    yield feed_forward(rng, "feed_forward_rank_4", 16, 64, 16, "gelu", rank=4)
    for norm in ("post", "pre"):
        for act in ACTS:
            yield encoder(rng, f"encoder_{norm}_{act}", 4, 64, 128, act, norm)
        yield encoder(rng, f"encoder_{norm}_plain", 2, 40, 50, norm=norm, mask=None, bias=False, layers=2)
        yield encoder(rng, f"encoder_{norm}_deep", 3, 36, 72, norm=norm, layers=3, empty="zero")


def random_case(rng, number):
    name, heads, mask = f"random_{number}", int(rng.integers(1, 6)), [None, "i1", "i8", "i32", "i64"][rng.integers(5)]
    empty, bias = str(rng.choice(["zero", "uniform", "unmasked"])), bool(rng.random() < 0.6)
    if rng.random() < 0.5:
        d = int(rng.integers(1, 50))
        return multi_head(rng, name, heads, int(rng.integers(1, 100)), d,
                          int(rng.integers(1, 100)) if rng.random() < 0.5 else None,
                          int(rng.integers(2, 50)) if rng.random() < 0.5 else None, int(rng.integers(1, 100)), mask, empty,
                          bias)  # fmt: skip
    return encoder(rng, name, heads, heads * int(rng.integers(1, 40)), int(rng.integers(1, 200)), str(rng.choice(list(ACTS))),
                   str(rng.choice(["pre", "post"])), mask, empty, bias, int(rng.integers(1, 4)))  # fmt: skip


if __name__ == "__main__":
    harness.main("Check whole blocks against float64 NumPy.", fixed, random_case)
