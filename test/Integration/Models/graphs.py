# ===- graphs.py - Ops in unusual company: shapes of graphs, not of ops -----===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#   python graphs.py --dir DIR
#
# What a compiler of chains can get wrong: values used twice, results that are
# arguments or each other, several entries, calls, loops and branches around ops
# that become tasks, linalg ops between them, static and empty shapes.
#
# ===------------------------------------------------------------------------===#
import harness
import numpy as np
from reference import layer_norm
from rows import matrix, normal

PRELUDE = """
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %m = tensor.dim %x, %c0 : tensor<?x16xf32>
  %e = tensor.empty(%m) : tensor<?x16xf32>
  %w = attn.get_weight @w : tensor<16x16xf32>
  %u = attn.get_weight @u : tensor<16x16xf32>
  %g = attn.get_weight @g : tensor<16xf32>
"""
X = '%x: tensor<?x16xf32> {attn.name = "x", attn.shape = ["m", 16]}'
Y = '(tensor<?x16xf32> {attn.name = "y", attn.shape = ["m", 16]})'
YZ = '(tensor<?x16xf32> {attn.name = "y", attn.shape = ["m", 16]}, tensor<?x16xf32> {attn.name = "z", attn.shape = ["m", 16]})'


def linear(result, source, weight="%w"):
    return f"""
  {result} = attn.linear ins({source}, {weight} : tensor<?x16xf32>, tensor<16x16xf32>) outs(%e : tensor<?x16xf32>) -> tensor<?x16xf32> {{
  ^bb0(%s: f32):
    attn.yield %s : f32
  }}"""


def norm(result, source):
    return f"""
  {result} = attn.layer_norm ins({source}, %g : tensor<?x16xf32>, tensor<16xf32>) outs(%e : tensor<?x16xf32>) -> tensor<?x16xf32> {{epsilon = 1.0e-5 : f64}}"""


def each(result, sources, op, kind="tensor<?x16xf32>"):
    """result = op(sources) on tensors."""
    return f"\n  {result} = {op} {', '.join(sources)} : {kind}"


class Graphs:
    def __init__(self, rng):
        self.rng = rng
        self.weights = [("w", matrix(rng, 16, 16)), ("u", matrix(rng, 16, 16)), ("g", normal(rng, 16) + 1)]
        self.w, self.u, self.g = (value.astype(np.float64) for _, value in self.weights)

    def norm(self, x, epsilon=1e-5):
        return layer_norm(x, self.g, 0.0, epsilon)

    def model(self, name, results, body, want, more=(), inputs=None, rows=(1, 4, 37, 0), tolerance=harness.TOLERANCE):
        """An entry on x [m, 16]; `want` gets the inputs by name in float64."""
        arguments = ", ".join([X, *more])
        text = f"func.func @{name}({arguments}) -> {results} {{{PRELUDE}{body}\n}}\n"
        values = lambda m: {"x": normal(self.rng, m, 16), **(inputs(m) if inputs else {})}  # noqa: E731
        return self.case(name, text, want, values, rows, tolerance=tolerance)

    def case(self, name, text, want, inputs, rows=(1, 4, 37, 0), entry=0, tolerance=harness.TOLERANCE):
        runs = []
        for m in rows:
            values = inputs(m)
            exact = {n: v.astype(np.float64) if v.dtype.kind == "f" else v for n, v in values.items()}
            runs.append((values, want(**exact)))
        return harness.Case(name, text, runs, self.weights, entry, tolerance)

    def results(self):
        w, u = self.w, self.u
        yield self.model("identity", Y, "return %x : tensor<?x16xf32>", lambda x: {"y": x})
        yield self.model(
            "same_twice", YZ, linear("%y", "%x") + "\n return %y, %y : tensor<?x16xf32>, tensor<?x16xf32>",
            lambda x: {"y": x @ w.T, "z": x @ w.T},
        )  # fmt: skip
        yield self.model(
            "argument_and_result", YZ, linear("%y", "%x") + "\n return %x, %y : tensor<?x16xf32>, tensor<?x16xf32>",
            lambda x: {"y": x, "z": x @ w.T},
        )  # fmt: skip
        yield self.model(
            "swapped", YZ, "return %b, %x : tensor<?x16xf32>, tensor<?x16xf32>", lambda x, b: {"y": b, "z": x},
            ['%b: tensor<?x16xf32> {attn.name = "b", attn.shape = ["m", 16]}'], lambda m: {"b": normal(self.rng, m, 16)},
        )  # fmt: skip
        yield self.model(
            "weight", '(tensor<16x16xf32> {attn.name = "y"}, tensor<2x2xf32> {attn.name = "z"})',
            "%k = arith.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>\n"
            "return %w, %k : tensor<16x16xf32>, tensor<2x2xf32>",
            lambda x: {"y": w, "z": np.array([[1.0, 2.0], [3.0, 4.0]])},
        )  # fmt: skip
        yield self.model(
            "unused_argument", Y, linear("%y", "%x") + "\n return %y : tensor<?x16xf32>", lambda x, b: {"y": x @ w.T},
            ['%b: tensor<?x3xi64> {attn.name = "b", attn.shape = ["n", 3]}'], lambda m: {"b": np.ones((5, 3), np.int64)},
        )  # fmt: skip

    def chains(self):
        w, u = self.w, self.u
        yield self.model(
            "middle_is_result", YZ, linear("%y", "%x") + norm("%n", "%y") + linear("%z", "%n", "%u")
            + "\n return %y, %z : tensor<?x16xf32>, tensor<?x16xf32>",
            lambda x: {"y": x @ w.T, "z": self.norm(x @ w.T) @ u.T},
        )  # fmt: skip
        yield self.model(
            "diamond", Y, linear("%a", "%x") + linear("%b", "%a") + norm("%c", "%a") + each("%y", ["%b", "%c"], "arith.addf")
            + "\n return %y : tensor<?x16xf32>",
            lambda x: {"y": x @ w.T @ w.T + self.norm(x @ w.T)},
        )  # fmt: skip
        yield self.model(
            "residuals", Y, linear("%a", "%x") + each("%b", ["%a", "%x"], "arith.addf") + norm("%c", "%b")
            + linear("%d", "%c", "%u") + each("%f", ["%d", "%b"], "arith.addf") + linear("%h", "%f")
            + each("%y", ["%h", "%c"], "arith.mulf") + "\n return %y : tensor<?x16xf32>",
            lambda x: (lambda b: {"y": (self.norm(b) @ u.T + b) @ w.T * self.norm(b)})(x @ w.T + x),
        )  # fmt: skip
        yield self.model(
            "elementwise_only", Y, each("%a", ["%x", "%x"], "arith.mulf") + each("%b", ["%a"], "math.tanh")
            + each("%y", ["%b", "%x"], "arith.addf") + "\n return %y : tensor<?x16xf32>",
            lambda x: {"y": np.tanh(x * x) + x},
        )  # fmt: skip
        long = "".join(linear(f"%a{i + 1}", f"%a{i}") + norm(f"%n{i + 1}", f"%a{i + 1}") for i in range(12)).replace("%a0", "%x")
        for i in range(1, 12):
            long = long.replace(f"ins(%a{i}, %w", f"ins(%n{i}, %w")

        def deep(x):
            for _ in range(12):
                x = self.norm(x @ w.T)
            return {"y": x}

        yield self.model("long_chain", Y, long + "\n return %n12 : tensor<?x16xf32>", deep)

    def repeat(self, step, x, times):
        for _ in range(times):
            x = step(x)
        return x

    def carry_two(self, x):
        a = b = x
        for _ in range(3):
            b = b + a @ self.w.T
            a = self.norm(b)
        return {"y": a, "z": b}

    def control(self):
        w, u = self.w, self.u
        yield self.model(
            "loop", Y, """
  %c3 = arith.constant 3 : index
  %y = scf.for %i = %c0 to %c3 step %c1 iter_args(%a = %x) -> tensor<?x16xf32> {"""
            + linear("%b", "%a") + norm("%c", "%b") + """
    scf.yield %c : tensor<?x16xf32>
  }
  return %y : tensor<?x16xf32>""",
            lambda x: {"y": self.norm(self.norm(self.norm(x @ w.T) @ w.T) @ w.T)},
        )  # fmt: skip
        yield self.model(
            "loop_of_loops", Y, """
  %n = arith.constant 2 : index
  %y = scf.for %i = %c0 to %n step %c1 iter_args(%a = %x) -> tensor<?x16xf32> {
    %f = scf.for %j = %c0 to %m step %c1 iter_args(%b = %a) -> tensor<?x16xf32> {"""
            + linear("%c", "%b") + norm("%d", "%c") + each("%h", ["%d", "%x"], "arith.addf") + """
      scf.yield %h : tensor<?x16xf32>
    }
    scf.yield %f : tensor<?x16xf32>
  }
  return %y : tensor<?x16xf32>""",
            lambda x: {"y": self.repeat(lambda a: self.norm(a @ w.T) + x, x, 2 * len(x))},
        )  # fmt: skip
        yield self.model(
            "loop_carries_two", YZ, """
  %n = arith.constant 3 : index
  %y, %z = scf.for %i = %c0 to %n step %c1 iter_args(%a = %x, %b = %x) -> (tensor<?x16xf32>, tensor<?x16xf32>) {"""
            + linear("%c", "%a") + each("%d", ["%b", "%c"], "arith.addf") + norm("%f", "%d") + """
    scf.yield %f, %d : tensor<?x16xf32>, tensor<?x16xf32>
  }
  return %y, %z : tensor<?x16xf32>, tensor<?x16xf32>""",
            self.carry_two,
        )  # fmt: skip
        yield self.model(
            "branch", Y, """
  %c2 = arith.constant 2 : index
  %many = arith.cmpi ugt, %m, %c2 : index
  %y = scf.if %many -> tensor<?x16xf32> {""" + linear("%a", "%x") + """
    scf.yield %a : tensor<?x16xf32>
  } else {""" + linear("%b", "%x", "%u") + """
    scf.yield %b : tensor<?x16xf32>
  }
  return %y : tensor<?x16xf32>""",
            lambda x: {"y": x @ (w if len(x) > 2 else u).T},
        )  # fmt: skip
        text = f"""func.func @outer({X}) -> {Y} {{
  %a = func.call @inner(%x) : (tensor<?x16xf32>) -> tensor<?x16xf32>
  %y = func.call @inner(%a) : (tensor<?x16xf32>) -> tensor<?x16xf32>
  return %y : tensor<?x16xf32>
}}
func.func private @inner(%x: tensor<?x16xf32>) -> tensor<?x16xf32> {{{PRELUDE}{linear("%y", "%x")}
  return %y : tensor<?x16xf32>
}}
"""
        yield self.case("call", text, lambda x: {"y": x @ w.T @ w.T}, lambda m: {"x": normal(self.rng, m, 16)})
        entries = "".join(
            f"func.func @{name}({X}) -> {Y} {{{PRELUDE}{body}\n  return %y : tensor<?x16xf32>\n}}\n"
            for name, body in (("first", linear("%y", "%x")), ("second", norm("%y", "%x")))
        )
        for entry, want in enumerate((lambda x: {"y": x @ w.T}, lambda x: {"y": self.norm(x)})):
            yield self.case(f"entry_{entry}", entries, want, lambda m: {"x": normal(self.rng, m, 16)}, entry=entry)

    def shapes(self):
        w = self.w
        yield self.model(
            "first_row", '(tensor<16xf32> {attn.name = "y"})', linear("%a", "%x")
            + "\n %y = tensor.extract_slice %a[0, 0] [1, 16] [1, 1] : tensor<?x16xf32> to tensor<16xf32>"
            "\n return %y : tensor<16xf32>",
            lambda x: {"y": (x @ w.T)[0]}, rows=(1, 5),
        )  # fmt: skip
        yield self.model(
            "columns", '(tensor<?x5xf32> {attn.name = "y", attn.shape = ["m", 5]})', linear("%a", "%x")
            + "\n %y = tensor.extract_slice %a[0, 3] [%m, 5] [1, 2] : tensor<?x16xf32> to tensor<?x5xf32>"
            "\n return %y : tensor<?x5xf32>",
            lambda x: {"y": (x @ w.T)[:, 3:13:2]},
        )  # fmt: skip
        yield self.model(
            "transposed", '(tensor<16x?xf32> {attn.name = "y", attn.shape = [16, "m"]})', linear("%a", "%x")
            + "\n %t = tensor.empty(%m) : tensor<16x?xf32>"
            "\n %y = linalg.transpose ins(%a : tensor<?x16xf32>) outs(%t : tensor<16x?xf32>) permutation = [1, 0]"
            "\n return %y : tensor<16x?xf32>",
            lambda x: {"y": (x @ w.T).T},
        )  # fmt: skip
        yield self.model(
            "sum_of_rows", '(tensor<16xf32> {attn.name = "y"})', linear("%a", "%x") + """
  %zero = arith.constant 0.0 : f32
  %init = tensor.empty() : tensor<16xf32>
  %start = linalg.fill ins(%zero : f32) outs(%init : tensor<16xf32>) -> tensor<16xf32>
  %y = linalg.reduce { arith.addf } ins(%a : tensor<?x16xf32>) outs(%start : tensor<16xf32>) dimensions = [0]
  return %y : tensor<16xf32>""",
            lambda x: {"y": (x @ w.T).sum(axis=0)},
        )  # fmt: skip
        yield self.model(
            "matmul", '(tensor<?x?xf32> {attn.name = "y", attn.shape = ["m", "m"]})', linear("%a", "%x") + """
  %zero = arith.constant 0.0 : f32
  %t0 = tensor.empty(%m) : tensor<16x?xf32>
  %t = linalg.transpose ins(%a : tensor<?x16xf32>) outs(%t0 : tensor<16x?xf32>) permutation = [1, 0]
  %init = tensor.empty(%m, %m) : tensor<?x?xf32>
  %start = linalg.fill ins(%zero : f32) outs(%init : tensor<?x?xf32>) -> tensor<?x?xf32>
  %y = linalg.matmul ins(%a, %t : tensor<?x16xf32>, tensor<16x?xf32>) outs(%start : tensor<?x?xf32>) -> tensor<?x?xf32>
  return %y : tensor<?x?xf32>""",
            lambda x: {"y": x @ w.T @ (x @ w.T).T},
        )  # fmt: skip
        static = """func.func @static(%x: tensor<3x16xf32> {attn.name = "x"}) -> (tensor<3x16xf32> {attn.name = "y"}) {
  %w = attn.get_weight @w : tensor<16x16xf32>
  %e = tensor.empty() : tensor<3x16xf32>
  %y = attn.linear ins(%x, %w : tensor<3x16xf32>, tensor<16x16xf32>) outs(%e : tensor<3x16xf32>) -> tensor<3x16xf32> {
  ^bb0(%s: f32):
    attn.yield %s : f32
  }
  return %y : tensor<3x16xf32>
}
"""
        yield self.case("static", static, lambda x: {"y": x @ w.T}, lambda m: {"x": normal(self.rng, 3, 16)}, (3,))
        yield self.case(
            "static_one", static.replace("3x16xf32", "1x16xf32"), lambda x: {"y": x @ w.T},
            lambda m: {"x": normal(self.rng, 1, 16)}, (1,),
        )  # fmt: skip
        yield self.case(
            "static_none", static.replace("3x16xf32", "0x16xf32"), lambda x: {"y": x @ w.T},
            lambda m: {"x": normal(self.rng, 0, 16)}, (0,),
        )  # fmt: skip

    def types(self):
        scalar = """func.func @scalar(%x: tensor<f32> {attn.name = "x"}, %n: tensor<i64> {attn.name = "n"}) -> (tensor<f32> {attn.name = "y"}, tensor<i64> {attn.name = "z"}) {
  %y = arith.mulf %x, %x : tensor<f32>
  %z = arith.addi %n, %n : tensor<i64>
  return %y, %z : tensor<f32>, tensor<i64>
}
"""
        yield self.case(
            "scalar", scalar, lambda x, n: {"y": x * x, "z": n + n},
            lambda m: {"x": np.asarray(normal(self.rng, 1)[0]), "n": np.asarray(np.int64(m))}, (4,),
        )  # fmt: skip
        for kind, dtype in (("f64", np.float64), ("f16", np.float16)):
            text = f"""func.func @{kind}(%x: tensor<?x7x{kind}> {{attn.name = "x", attn.shape = ["m", 7]}}) -> (tensor<?x7x{kind}> {{attn.name = "y"}}) {{
  %y = arith.addf %x, %x : tensor<?x7x{kind}>
  return %y : tensor<?x7x{kind}>
}}
"""
            yield self.case(kind, text, lambda x: {"y": x + x}, lambda m, t=dtype: {"x": self.rng.standard_normal((m, 7)).astype(t)})
        for bits in (8, 16, 32, 64):
            text = f"""func.func @i{bits}(%x: tensor<?x5xi{bits}> {{attn.name = "x", attn.shape = ["m", 5]}}) -> (tensor<?x5xi{bits}> {{attn.name = "y"}}, tensor<?x5xi1> {{attn.name = "z"}}) {{
  %y = arith.muli %x, %x : tensor<?x5xi{bits}>
  %z = arith.cmpi slt, %x, %y : tensor<?x5xi{bits}>
  return %y, %z : tensor<?x5xi{bits}>, tensor<?x5xi1>
}}
"""
            yield self.case(
                f"i{bits}", text, lambda x: {"y": x * x, "z": x < x * x},
                lambda m, bits=bits: {"x": self.rng.integers(-9, 9, (m, 5)).astype(f"int{bits}")},
            )  # fmt: skip

    def attentions(self):
        w, u = self.w, self.u
        split = "\n  %{0}h = tensor.expand_shape %{0} [[0], [1, 2]] output_shape [%m, 2, 8] : tensor<?x16xf32> into tensor<?x2x8xf32>"
        maps = [f"affine_map<(b, h, q, k, d, e) -> ({x})>" for x in ("q, h, d", "k, h, d", "k, h, e", "q, h, e")]

        def attend(q, k, v):
            q, k, v = (x.reshape(-1, 2, 8).transpose(1, 0, 2) for x in (q, k, v))
            s = q @ k.transpose(0, 2, 1) / np.sqrt(8)
            p = np.exp(s - s.max(axis=-1, keepdims=True, initial=-np.inf))
            return (p / p.sum(axis=-1, keepdims=True) @ v).transpose(1, 0, 2).reshape(-1, 16)

        one = "tensor<1x?x2x8xf32>"
        maps = [f"affine_map<(b, h, q, k, d, e) -> ({x})>" for x in ("b, q, h, d", "b, k, h, d", "b, k, h, e", "b, q, h, e")]
        split = f"\n  %{{0}}h = tensor.expand_shape %{{0}} [[0, 1], [2, 3]] output_shape [1, %m, 2, 8] : tensor<?x16xf32> into {one}"

        def op(result, q, k, v):
            return f"""
  %i{result} = tensor.empty(%m) : {one}
  %o{result} = attn.attention ins(%{q}h, %{k}h, %{v}h : {one}, {one}, {one}) outs(%i{result} : {one}) -> {one} maps [{", ".join(maps)}]
  %{result} = tensor.collapse_shape %o{result} [[0, 1], [2, 3]] : {one} into tensor<?x16xf32>"""

        yield self.model(
            "same_tensor_three_times", Y, split.format("x") + op("y", "x", "x", "x") + "\n return %y : tensor<?x16xf32>",
            lambda x: {"y": attend(x, x, x)},
        )  # fmt: skip
        yield self.model(
            "attention_of_attention", Y, split.format("x") + op("a", "x", "x", "x") + split.format("a") + op("y", "a", "x", "a")
            + "\n return %y : tensor<?x16xf32>",
            lambda x: (lambda a: {"y": attend(a, x, a)})(attend(x, x, x)),
        )  # fmt: skip
        yield self.model(
            "attention_between_linears", YZ, linear("%a", "%x") + linear("%b", "%x", "%u") + split.format("a") + split.format("b")
            + split.format("x") + op("c", "a", "b", "x") + linear("%d", "%c") + each("%y", ["%d", "%x"], "arith.addf")
            + each("%z", ["%c", "%a"], "arith.subf") + "\n return %y, %z : tensor<?x16xf32>, tensor<?x16xf32>",
            lambda x: (lambda c: {"y": c @ w.T + x, "z": c - x @ w.T})(attend(x @ w.T, x @ u.T, x)),
        )  # fmt: skip


def main():
    suite = harness.Suite("Check unusual graphs against float64 NumPy.")
    graphs = Graphs(np.random.default_rng(suite.arguments.seed))
    for group in (graphs.results, graphs.chains, graphs.control, graphs.shapes, graphs.types, graphs.attentions):
        for case in group():
            suite.check(case)
    suite.finish()


if __name__ == "__main__":
    main()
