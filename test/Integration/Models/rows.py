# ===- rows.py - Linear layers, norms, embeddings and chains of them --------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#   python rows.py --dir DIR [--fuzz COUNT --seed SEED]
#
# Weights as symbols and as arguments, every ragged size, epilogues, rows that
# go through several ops, results used twice.
#
# ===------------------------------------------------------------------------===#
import math

import harness
import numpy as np
from reference import ACTIVATIONS, layer_norm

ACTS = {
    "relu": lambda x: np.maximum(x, 0.0),
    "tanh": np.tanh,
    "silu": lambda x: x / (1.0 + np.exp(-x)),
    "quick_gelu": lambda x: x / (1.0 + np.exp(-1.702 * x)),
    "gelu": ACTIVATIONS["gelu"],
    "gelu_tanh": ACTIVATIONS["gelu_new"],
}
ROWS = (0, 1, 2, 3, 4, 5, 7, 8, 11, 12, 13, 24, 31, 64, 65, 130)


def normal(rng, *shape, scale=1.0):
    return (rng.standard_normal(shape) * scale).astype(np.float32)


def matrix(rng, n, k):
    return normal(rng, n, k, scale=1 / np.sqrt(max(k, 1)))


def linear(result, source, weight, m, k, n, extra="", epilogue="attn.yield %s : f32", bias=None):
    """A linear layer on rows of `m` (SSA name or number) as MLIR text."""
    dynamic = str(m).startswith("%")
    rows, size = ("?", m) if dynamic else (m, "")
    w = f"tensor<{n}x{k}xf32>"
    extras, maps, arguments = "", "", "%s: f32"
    if bias:
        extras, maps = f" extras({bias} : tensor<{n}xf32>)", " maps [affine_map<(m, n) -> (n)>]"
        arguments, epilogue = "%s: f32, %a: f32", "%t = arith.addf %s, %a : f32\n    attn.yield %t : f32"
    return f"""
  {result}_init = tensor.empty({size}) : tensor<{rows}x{n}xf32>
  {result} = attn.linear ins({source}, {weight} : tensor<{rows}x{k}xf32>, {w}){extras}{extra}
      outs({result}_init : tensor<{rows}x{n}xf32>) -> tensor<{rows}x{n}xf32>{maps} {{
  ^bb0({arguments}):
    {epilogue}
  }}"""


def linear_case(rng, name, k, n, rows=ROWS, where="symbol", bias=True):
    """x W^T (+ b); the weight is a symbol's or an argument of the entry."""
    w, b = matrix(rng, n, k), normal(rng, n)
    arguments = [f'%x: tensor<?x{k}xf32> {{attn.name = "x", attn.shape = ["m", {k}]}}']
    body = [f"%c0 = arith.constant 0 : index\n  %m = tensor.dim %x, %c0 : tensor<?x{k}xf32>"]
    weights, given = [], {}
    for value, symbol, kind in ((w, "w", f"tensor<{n}x{k}xf32>"), (b, "b", f"tensor<{n}xf32>")):
        if symbol == "b" and not bias:
            continue
        if where == "symbol":
            weights.append((symbol, value))
            body.append(f"%{symbol} = attn.get_weight @{symbol} : {kind}")
        else:
            arguments.append(f'%{symbol}: {kind} {{attn.name = "{symbol}"}}')
            given[symbol] = value
    body.append(linear("%y", "%x", "%w", "%m", k, n, bias="%b" if bias else None))
    text = f"""func.func @{name}({', '.join(arguments)}) -> (tensor<?x{n}xf32> {{attn.name = "y"}}) {{
  {chr(10).join(body)}
  return %y : tensor<?x{n}xf32>
}}
"""
    runs = []
    for m in rows:
        x = normal(rng, m, k)
        runs.append(({"x": x, **given}, {"y": x.astype(np.float64) @ w.T.astype(np.float64) + (b if bias else 0.0)}))
    return harness.Case(name, text, runs, weights)


def rms_norm(x, scale, epsilon):
    return x / np.sqrt(np.square(x).mean(-1, keepdims=True) + epsilon) * scale


def norm_case(rng, name, n, shift=True, rank=2, epsilon=1e-5, offset=0.0, op="layer_norm"):
    scale, move = normal(rng, n) + 1, normal(rng, n)
    lead = ["?"] * (rank - 1)
    symbols = ", ".join([f'"n{i}"' for i in range(rank - 1)] + [str(n)])
    kind, one = f"tensor<{'x'.join(lead + [str(n), 'f32'])}>", f"tensor<{n}xf32>"
    dims = "\n  ".join(
        f"%c{i} = arith.constant {i} : index\n  %n{i} = tensor.dim %x, %c{i} : {kind}" for i in range(rank - 1)
    )
    sizes = ", ".join(f"%n{i}" for i in range(rank - 1))
    more = (", %shift", f", {one}") if shift else ("", "")
    text = f"""func.func @{name}(%x: {kind} {{attn.name = "x", attn.shape = [{symbols}]}}) -> ({kind} {{attn.name = "y"}}) {{
  {dims}
  %scale = attn.get_weight @scale : {one}
  %shift = attn.get_weight @shift : {one}
  %init = tensor.empty({sizes}) : {kind}
  %y = attn.{op} ins(%x, %scale{more[0]} : {kind}, {one}{more[1]}) outs(%init : {kind}) -> {kind}
      {{epsilon = {epsilon:.3e} : f64}}
  return %y : {kind}
}}
"""
    runs = []
    for m in (1, 2, 3, 17, 130, 0):
        x = normal(rng, *([m, 3, 2][: rank - 1] if rank > 1 else []), n) + np.float32(offset)
        wide, factor = x.astype(np.float64), scale.astype(np.float64)
        if op == "rms_norm":
            want = rms_norm(wide, factor, epsilon)
        else:
            want = layer_norm(wide, factor, move if shift else 0.0, epsilon)
        runs.append(({"x": x}, {"y": want}))
    return harness.Case(name, text, runs if rank > 1 else runs[:1], [("scale", scale), ("shift", move)])


def rotary(x, cosine, sine, interleaved):
    """Tables that broadcast to x, or have half as many columns."""
    first, second = (slice(0, None, 2), slice(1, None, 2)) if interleaved else (slice(x.shape[-1] // 2), slice(x.shape[-1] // 2, None))
    if cosine.shape[-1] != x.shape[-1]:
        cosine, sine = (np.repeat(t, 2, -1) if interleaved else np.concatenate([t, t], -1) for t in (cosine, sine))
    turned = np.empty_like(x)
    turned[..., first], turned[..., second] = -x[..., second], x[..., first]
    return x * cosine + turned * sine


def rotary_case(rng, name, channels, interleaved=False, wide=False, layout="bshd", of_batch=False):
    """Heads before or after the sequence, tables with or without a batch."""
    heads, columns = 3, channels if wide else channels // 2
    sizes = {"b": "?", "s": "?", "h": str(heads)}
    kind = f"tensor<{'x'.join(sizes[dim] for dim in layout[:3])}x{channels}xf32>"
    lead = "b, s" if of_batch else "s"
    table = f"tensor<{'?x?' if of_batch else '?'}x{columns}xf32>"
    symbols = ", ".join({"b": '"b"', "s": '"s"', "h": str(heads)}[dim] for dim in layout[:3])
    rows = ", ".join(f'"{dim}"' for dim in lead.split(", "))
    given = ", ".join(f'%{t}: {table} {{attn.name = "{t}", attn.shape = [{rows}, {columns}]}}' for t in ("cos", "sin"))
    text = f"""func.func @{name}(%x: {kind} {{attn.name = "x", attn.shape = [{symbols}, {channels}]}}, {given}) -> ({kind} {{attn.name = "y"}}) {{
  %cb = arith.constant {layout.index("b")} : index
  %cs = arith.constant {layout.index("s")} : index
  %b = tensor.dim %x, %cb : {kind}
  %s = tensor.dim %x, %cs : {kind}
  %init = tensor.empty({", ".join("%" + dim for dim in layout if dim in "bs")}) : {kind}
  %y = attn.rotary ins(%x, %cos, %sin : {kind}, {table}, {table}) outs(%init : {kind}) -> {kind}
      map affine_map<({", ".join(layout[:3])}) -> ({lead})> {"interleaved" if interleaved else ""}
  return %y : {kind}
}}
"""
    runs = []
    for b, s in ((1, 1), (2, 5), (1, 16), (0, 3), (2, 0)):
        x = normal(rng, *({"b": b, "s": s, "h": heads}[dim] for dim in layout[:3]), channels)
        tables = [normal(rng, *((b, s) if of_batch else (s,)), columns) for _ in range(2)]
        # Heads get a dimension of one, the batch where the tables have none, too.
        placed = [t.reshape([{"b": b if of_batch else 1, "s": s, "h": 1}[dim] for dim in layout[:3]] + [columns]) for t in tables]
        want = rotary(x.astype(np.float64), *(t.astype(np.float64) for t in placed), interleaved)
        runs.append(({"x": x, "cos": tables[0], "sin": tables[1]}, {"y": want}))
    return harness.Case(name, text, runs)


def embedding_case(rng, name, n, tables=1, positions=0, rank=2):
    values = [normal(rng, int(rng.integers(1, 50)), n) for _ in range(tables)]
    weights = [(f"table{i}", value) for i, value in enumerate(values)]
    indices = f"tensor<{'x'.join(['?'] * rank + ['i64'])}>"
    out = f"tensor<{'x'.join(['?'] * rank + [str(n), 'f32'])}>"
    symbols = ", ".join(f'"n{i}"' for i in range(rank))
    arguments = ", ".join(f'%i{t}: {indices} {{attn.name = "i{t}", attn.shape = [{symbols}]}}' for t in range(tables))
    lines = [
        f"%c{i} = arith.constant {i} : index\n  %n{i} = tensor.dim %i0, %c{i} : {indices}" for i in range(rank)
    ] + [f"%{symbol} = attn.get_weight @{symbol} : {harness.type_of(value)}" for symbol, value in weights]
    extra = ""
    if positions:
        table = normal(rng, positions, n)
        weights.append(("positions", table))
        lines.append(f"%positions = attn.get_weight @positions : {harness.type_of(table)}")
        extra = f" positions(%positions : {harness.type_of(table)})"
    names = ", ".join(f"%i{t}" for t in range(tables)) + " : " + ", ".join([indices] * tables)
    from_tables = (
        ", ".join(f"%table{t}" for t in range(tables)) + " : " + ", ".join(harness.type_of(value) for value in values)
    )
    lines.append(f"%init = tensor.empty({', '.join(f'%n{i}' for i in range(rank))}) : {out}")
    lines.append(
        f"%y = attn.embedding ins({names}) tables({from_tables}){extra} outs(%init : {out}) -> {out}\n  return %y : {out}"
    )
    text = f'func.func @{name}({arguments}) -> ({out} {{attn.name = "y"}}) {{\n  ' + "\n  ".join(lines) + "\n}\n"
    runs = []
    for shape in ((1, 1), (3, 7), (2, 20), (0, 4), (5, 0)):
        shape = shape[2 - rank :]
        ids = {f"i{t}": rng.integers(0, len(values[t]), shape) for t in range(tables)}
        want = sum(values[t].astype(np.float64)[ids[f"i{t}"]] for t in range(tables))
        if positions:
            want = want + table[: shape[-1]]
        runs.append((ids, {"y": want}))
    return harness.Case(name, text, runs, weights)


def epilogue_cases(rng, n=50, k=24):
    """What may follow a product: each form that attn.linear's region allows."""
    w, b = matrix(rng, n, k), normal(rng, n)
    forms = {
        "relu": ("%z = arith.constant 0.0 : f32\n    %y = arith.maximumf %s, %z : f32", ACTS["relu"]),
        "gelu": ("%y = attn.gelu %s : f32", ACTS["gelu"]),
        "gelu_tanh": ("%y = attn.gelu approximate %s : f32", ACTS["gelu_tanh"]),
        "tanh": ("%y = math.tanh %s : f32", np.tanh),
        "exp": ("%y = math.exp %s : f32", np.exp),
        "erf": ("%y = math.erf %s : f32", lambda x: 2 * ACTS["gelu"](x * np.sqrt(2)) / (x * np.sqrt(2)) - 1),
        "sqrt": ("%a = math.absf %s : f32\n    %y = math.sqrt %a : f32", lambda x: np.sqrt(np.abs(x))),
        "cbrt": ("%y = math.cbrt %s : f32", np.cbrt),
        "erfc": ("%y = math.erfc %s : f32", np.vectorize(math.erfc, otypes=[np.float64])),
        "acosh": (
            "%a = math.absf %s : f32\n    %l = arith.constant 1.5 : f32\n    %t = arith.addf %a, %l : f32\n"
            "    %y = math.acosh %t : f32",
            lambda x: np.arccosh(np.abs(x) + 1.5),
        ),
        "select": (
            "%z = arith.constant 0.25 : f32\n    %c = arith.cmpf olt, %s, %z : f32\n"
            "    %t = arith.subf %z, %s : f32\n    %y = arith.select %c, %t, %s : f32",
            lambda x: np.where(x < 0.25, 0.25 - x, x),
        ),
    }
    for form, (body, act) in forms.items():
        text = f"""func.func @epilogue_{form}(%x: tensor<?x{k}xf32> {{attn.name = "x"}}) -> (tensor<?x{n}xf32> {{attn.name = "y"}}) {{
  %c0 = arith.constant 0 : index
  %m = tensor.dim %x, %c0 : tensor<?x{k}xf32>
  %w = attn.get_weight @w : tensor<{n}x{k}xf32>
  {linear("%y", "%x", "%w", "%m", k, n, epilogue=body + chr(10) + "    attn.yield %y : f32")}
  return %y : tensor<?x{n}xf32>
}}
"""
        runs = []
        for m in (1, 6, 33):
            x = normal(rng, m, k)
            runs.append(({"x": x}, {"y": act(x.astype(np.float64) @ w.T.astype(np.float64))}))
        yield harness.Case(f"epilogue_{form}", text, runs, [("w", w), ("b", b)])


def extras_case(rng, n=50, k=24):
    """All ways in which a linear layer may read others: by row and column, by column, by row, one value."""
    w = matrix(rng, n, k)
    text = f"""func.func @extras(%x: tensor<?x{k}xf32> {{attn.name = "x", attn.shape = ["m", {k}]}},
    %all: tensor<?x{n}xf32> {{attn.name = "all", attn.shape = ["m", {n}]}}, %column: tensor<{n}xf32> {{attn.name = "column"}},
    %row: tensor<?x1xf32> {{attn.name = "row", attn.shape = ["m", 1]}}, %one: tensor<1xf32> {{attn.name = "one"}},
    %other: tensor<?xf32> {{attn.name = "other", attn.shape = ["m"]}}) -> (tensor<?x{n}xf32> {{attn.name = "y"}}) {{
  %c0 = arith.constant 0 : index
  %m = tensor.dim %x, %c0 : tensor<?x{k}xf32>
  %w = attn.get_weight @w : tensor<{n}x{k}xf32>
  %init = tensor.empty(%m) : tensor<?x{n}xf32>
  %y = attn.linear ins(%x, %w : tensor<?x{k}xf32>, tensor<{n}x{k}xf32>)
      extras(%all, %column, %row, %one, %other : tensor<?x{n}xf32>, tensor<{n}xf32>, tensor<?x1xf32>, tensor<1xf32>, tensor<?xf32>)
      outs(%init : tensor<?x{n}xf32>) -> tensor<?x{n}xf32>
      maps [affine_map<(m, n) -> (m, n)>, affine_map<(m, n) -> (n)>, affine_map<(m, n) -> (m, 0)>, affine_map<(m, n) -> (0)>,
            affine_map<(m, n) -> (m)>] {{
  ^bb0(%s: f32, %a: f32, %c: f32, %r: f32, %o: f32, %t: f32):
    %0 = arith.mulf %s, %a : f32
    %1 = arith.addf %0, %c : f32
    %2 = arith.mulf %1, %r : f32
    %3 = arith.subf %2, %o : f32
    %4 = arith.addf %3, %t : f32
    attn.yield %4 : f32
  }}
  return %y : tensor<?x{n}xf32>
}}
"""
    runs = []
    for m in (1, 5, 30, 0):
        values = {"x": normal(rng, m, k), "all": normal(rng, m, n), "column": normal(rng, n), "row": normal(rng, m, 1),
                  "one": normal(rng, 1), "other": normal(rng, m)}  # fmt: skip
        v = {name: value.astype(np.float64) for name, value in values.items()}
        product = v["x"] @ w.T.astype(np.float64)
        want = (product * v["all"] + v["column"]) * v["row"] - v["one"] + v["other"][:, None]
        runs.append((values, {"y": want}))
    return harness.Case("extras", text, runs, [("w", w)])


SPECIALS = [0.0, -0.0, np.nan, np.inf, -np.inf, 1e-40, -1e-40, 1e-30, 88.0, 89.5, 104.0, -87.0, -103.0, -200.0, 3e38, -3e38,
            0.5, -0.5, 5.0, -5.0, 9.0, -9.0, 1e-3, -1e-3, 20.0, -20.0]  # fmt: skip


def special_cases(rng):
    """Functions of values at the edges, as an op of their own and behind a product with one."""
    functions = {
        "exp": ("math.exp", np.exp),
        "exp2": ("math.exp2", np.exp2),
        "log": ("math.log", np.log),
        "tanh": ("math.tanh", np.tanh),
        "erf": ("math.erf", lambda x: np.vectorize(math.erf, otypes=[float])(x)),
        "sqrt": ("math.sqrt", np.sqrt),
        "rsqrt": ("math.rsqrt", lambda x: 1 / np.sqrt(x)),
        "absf": ("math.absf", np.abs),
        "floor": ("math.floor", np.floor),
        "ceil": ("math.ceil", np.ceil),
        "round": ("math.roundeven", np.rint),
    }
    x = np.array(SPECIALS, np.float32)
    for name, (op, meaning) in functions.items():
        text = f"""func.func @special_{name}(%x: tensor<?xf32> {{attn.name = "x", attn.shape = ["m"]}}) -> (tensor<?xf32> {{attn.name = "y"}}) {{
  %y = {op} %x : tensor<?xf32>
  return %y : tensor<?xf32>
}}
"""
        with np.errstate(all="ignore"):
            want = meaning(x.astype(np.float64)).astype(np.float32).astype(np.float64)
        yield harness.Case(f"special_{name}", text, [({"x": x}, {"y": want}), ({"x": x[3:5]}, {"y": want[3:5]})])


def spreading_case(rng, k=24, n=50):
    """NaN and infinity in some rows of a chain stay in these rows."""
    w, g = matrix(rng, n, k), normal(rng, k)
    text = f"""func.func @spreading(%x: tensor<?x{k}xf32> {{attn.name = "x", attn.shape = ["m", {k}]}}) -> (tensor<?x{n}xf32> {{attn.name = "y"}}) {{
  %c0 = arith.constant 0 : index
  %m = tensor.dim %x, %c0 : tensor<?x{k}xf32>
  %w = attn.get_weight @w : tensor<{n}x{k}xf32>
  %g = attn.get_weight @g : tensor<{k}xf32>
  %e = tensor.empty(%m) : tensor<?x{k}xf32>
  %n = attn.layer_norm ins(%x, %g : tensor<?x{k}xf32>, tensor<{k}xf32>) outs(%e : tensor<?x{k}xf32>) -> tensor<?x{k}xf32> {{epsilon = 1.0e-5 : f64}}
  {linear("%y", "%n", "%w", "%m", k, n)}
  return %y : tensor<?x{n}xf32>
}}
"""
    runs = []
    for m in (1, 7, 13, 40):
        x = normal(rng, m, k)
        x[m // 2, 3] = np.nan
        x[m // 3, k - 1] = np.inf
        with np.errstate(invalid="ignore"):
            y = layer_norm(x.astype(np.float64), g.astype(np.float64), 0.0, 1e-5) @ w.T.astype(np.float64)
        runs.append(({"x": x}, {"y": y}))
    return harness.Case("spreading", text, runs, [("w", w), ("g", g)])


def few_rows_case(rng, k=256, hidden=300, n=140):
    """A chain whose weights are so large that few rows are cut by columns: a residual, a norm, columns that fill no
    block."""
    up, down, b, g = matrix(rng, hidden, k), matrix(rng, n, hidden), normal(rng, hidden), normal(rng, hidden) + 1
    text = f"""func.func @few_rows(%x: tensor<?x{k}xf32> {{attn.name = "x", attn.shape = ["m", {k}]}}, %r: tensor<?x{n}xf32> {{attn.name = "r", attn.shape = ["m", {n}]}})
    -> (tensor<?x{n}xf32> {{attn.name = "y"}}, tensor<?x{hidden}xf32> {{attn.name = "h"}}) {{
  %c0 = arith.constant 0 : index
  %m = tensor.dim %x, %c0 : tensor<?x{k}xf32>
  %up = attn.get_weight @up : tensor<{hidden}x{k}xf32>
  %down = attn.get_weight @down : tensor<{n}x{hidden}xf32>
  %b = attn.get_weight @b : tensor<{hidden}xf32>
  %g = attn.get_weight @g : tensor<{hidden}xf32>
  {linear("%h", "%x", "%up", "%m", k, hidden, bias="%b")}
  %e = tensor.empty(%m) : tensor<?x{hidden}xf32>
  %n = attn.rms_norm ins(%h, %g : tensor<?x{hidden}xf32>, tensor<{hidden}xf32>) outs(%e : tensor<?x{hidden}xf32>) -> tensor<?x{hidden}xf32> {{epsilon = 1.0e-5 : f64}}
  {linear("%d", "%n", "%down", "%m", hidden, n)}
  %y = arith.addf %d, %r : tensor<?x{n}xf32>
  return %y, %h : tensor<?x{n}xf32>, tensor<?x{hidden}xf32>
}}
"""
    runs = []
    for m in (1, 2, 4, 5, 8, 9, 16, 17, 50, 0):
        x, r = normal(rng, m, k), normal(rng, m, n)
        h = x.astype(np.float64) @ up.T.astype(np.float64) + b
        y = rms_norm(h, g.astype(np.float64), 1e-5) @ down.T.astype(np.float64) + r
        runs.append(({"x": x, "r": r}, {"y": y, "h": h}))
    return harness.Case("few_rows", text, runs, [("up", up), ("down", down), ("b", b), ("g", g)])


def fixed(rng):
    yield few_rows_case(rng)
    yield from special_cases(rng)
    yield spreading_case(rng)
    for k, n in ((1, 1), (5, 3), (7, 31), (8, 32), (33, 33), (17, 50), (64, 64), (100, 1), (1, 100), (129, 65), (384, 384)):
        yield linear_case(rng, f"linear_{k}_{n}", k, n)
    yield linear_case(rng, "linear_long", 2000, 40, (1, 13))
    yield linear_case(rng, "linear_wide", 40, 3001, (1, 13))
    yield linear_case(rng, "linear_many_rows", 16, 48, (1000, 3001))
    yield linear_case(rng, "linear_argument", 17, 50, where="argument")
    yield linear_case(rng, "linear_without_bias", 17, 50, bias=False)
    for n in (1, 2, 7, 8, 15, 16, 17, 31, 100, 384, 1000):
        yield norm_case(rng, f"norm_{n}", n)
    yield norm_case(rng, "norm_without_shift", 33, shift=False)
    yield norm_case(rng, "norm_far_from_zero", 100, offset=100.0)
    yield norm_case(rng, "norm_rank_3", 20, rank=3)
    yield norm_case(rng, "norm_rank_4", 9, rank=4)
    yield norm_case(rng, "norm_rank_1", 20, rank=1)
    for n in (1, 7, 8, 33, 384):
        yield norm_case(rng, f"rms_{n}", n, shift=False, op="rms_norm")
    yield norm_case(rng, "rms_rank_3", 20, rank=3, shift=False, offset=5.0, op="rms_norm")
    yield norm_case(rng, "rms_rank_1", 20, rank=1, shift=False, op="rms_norm")
    for channels in (2, 10, 64):
        yield rotary_case(rng, f"rotary_{channels}", channels)
        yield rotary_case(rng, f"rotary_{channels}_interleaved", channels, interleaved=True, layout="bhsd")
        yield rotary_case(rng, f"rotary_{channels}_wide", channels, wide=True, of_batch=True)
    yield rotary_case(rng, "rotary_interleaved_wide", 12, interleaved=True, wide=True, of_batch=True)
    yield embedding_case(rng, "embedding_1", 1)
    yield embedding_case(rng, "embedding_37", 37, tables=3, positions=20)
    yield embedding_case(rng, "embedding_64", 64, tables=2)
    yield embedding_case(rng, "embedding_rank_1", 24, tables=2, positions=20, rank=1)
    yield from epilogue_cases(rng)
    yield extras_case(rng)


def random_case(rng, number):
    kind = rng.integers(3)
    if kind == 0:
        rows = [int(x) for x in rng.integers(0, 300, 6)]
        where = "symbol" if rng.random() < 0.7 else "argument"
        return linear_case(
            rng, f"random_{number}", int(rng.integers(1, 300)), int(rng.integers(1, 300)), rows, where, rng.random() < 0.7
        )
    if kind == 1:
        return norm_case(rng, f"random_{number}", int(rng.integers(1, 300)), rng.random() < 0.5, int(rng.integers(2, 5)))
    return embedding_case(
        rng, f"random_{number}", int(rng.integers(1, 100)), int(rng.integers(1, 4)), 20 * int(rng.integers(2)),
        int(rng.integers(1, 3)),
    )  # fmt: skip


if __name__ == "__main__":
    harness.main("Check linear layers, norms and embeddings against float64 NumPy.", fixed, random_case)
