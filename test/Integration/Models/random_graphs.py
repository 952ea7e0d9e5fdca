# ===- random_graphs.py - Random graphs of ops on rows ----------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#   python random_graphs.py --dir DIR [--fuzz COUNT --seed SEED]
#
# Every value is [m, 16]. Each step takes earlier values, any of them, into one
# op: a linear layer, a norm, attention of two heads, arithmetic, reductions, a
# loop; some of the values are results. What can go wrong is not in the ops but
# between them: which are fused, which share a task, which share memory.
#
# ===------------------------------------------------------------------------===#
import harness
import numpy as np
from graphs import Graphs, each, linear, norm
from reference import ACTIVATIONS

T, ONE = "tensor<?x16xf32>", "tensor<1x?x2x8xf32>"
MAPS = ", ".join(
    f"affine_map<(b, h, q, k, d, e) -> ({x})>" for x in ("b, q, h, d", "b, k, h, d", "b, k, h, e", "b, q, h, e")
)


def softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True, initial=-np.inf))
    return e / e.sum(axis=-1, keepdims=True)


def attend(q, k, v):
    q, k, v = (x.reshape(-1, 2, 8).transpose(1, 0, 2) for x in (q, k, v))
    scores = q @ k.transpose(0, 2, 1) / np.sqrt(8)
    return (softmax(scores) @ v).transpose(1, 0, 2).reshape(-1, 16)


class RandomGraph:
    """Writes one graph: lines of MLIR, and beside them a list of (function, operands) that computes it."""

    def __init__(self, graphs, rng):
        self.graphs, self.rng, self.lines, self.steps = graphs, rng, [], [None]

    def name(self, value):
        return "%x" if value == 0 else f"%v{value}"

    def pick(self):
        """Recent values more often: chains grow long."""
        return max(int(self.rng.integers(len(self.steps))), int(self.rng.integers(len(self.steps))))

    def step(self):
        kind = str(self.rng.choice(["linear", "linear", "residual", "norm", "attention", "binary", "unary", "softmax",
                                    "columns", "loop", "slice", "branch"]))  # fmt: skip
        a, b, c = self.pick(), self.pick(), self.pick()
        number = len(self.steps)
        meaning, operands = getattr(self, kind)(f"%v{number}", number, *map(self.name, (a, b, c)))
        self.steps.append((meaning, (a, b, c)[:operands]))

    def weight(self):
        return ("%w", self.graphs.w) if self.rng.random() < 0.5 else ("%u", self.graphs.u)

    def linear(self, result, number, a, b, c):
        name, value = self.weight()
        self.lines.append(linear(result, a, name))
        return lambda x: x @ value.T, 1

    def residual(self, result, number, a, b, c):
        name, value = self.weight()
        self.lines.append(linear(f"%p{number}", a, name) + each(result, [f"%p{number}", b], "arith.addf"))
        return lambda x, y: x @ value.T + y, 2

    def norm(self, result, number, a, b, c):
        self.lines.append(norm(result, a).replace("1.0e-5", "1.0e-1"))
        return lambda x: self.graphs.norm(x, 0.1), 1

    def attention(self, result, number, a, b, c):
        for letter, source in zip("qkv", (a, b, c)):
            self.lines.append(
                f"\n  %{letter}{number} = tensor.expand_shape {source} [[0, 1], [2, 3]] output_shape [1, %m, 2, 8] : {T} into {ONE}"
            )
        self.lines.append(f"""
  %i{number} = tensor.empty(%m) : {ONE}
  %o{number} = attn.attention ins(%q{number}, %k{number}, %v_{number} : {ONE}, {ONE}, {ONE}) outs(%i{number} : {ONE}) -> {ONE} maps [{MAPS}]
  {result} = tensor.collapse_shape %o{number} [[0, 1], [2, 3]] : {ONE} into {T}""")
        self.lines[-2] = self.lines[-2].replace(f"%v{number} =", f"%v_{number} =")
        return attend, 3

    def binary(self, result, number, a, b, c):
        op, meaning = [("addf", np.add), ("subf", np.subtract), ("maximumf", np.maximum)][self.rng.integers(3)]
        self.lines.append(each(result, [a, b], "arith." + op))
        return meaning, 2

    def unary(self, result, number, a, b, c):
        op, meaning = [("math.tanh", np.tanh), ("attn.gelu", ACTIVATIONS["gelu"]), ("arith.negf", np.negative)][
            self.rng.integers(3)
        ]
        self.lines.append(each(result, [a], op))
        return meaning, 1

    def softmax(self, result, number, a, b, c):
        self.lines.append(f"\n  {result} = linalg.softmax dimension(1) ins({a} : {T}) outs(%e : {T}) -> {T}")
        return softmax, 1

    def columns(self, result, number, a, b, c):
        """b + the largest of each column of a."""
        self.lines.append(f"""
  %z{number} = arith.constant -1.0e30 : f32
  %s{number} = tensor.empty() : tensor<16xf32>
  %f{number} = linalg.fill ins(%z{number} : f32) outs(%s{number} : tensor<16xf32>) -> tensor<16xf32>
  %r{number} = linalg.reduce {{ arith.maximumf }} ins({a} : {T}) outs(%f{number} : tensor<16xf32>) dimensions = [0]
  {result} = linalg.generic {{indexing_maps = [affine_map<(m, n) -> (m, n)>, affine_map<(m, n) -> (n)>, affine_map<(m, n) -> (m, n)>],
      iterator_types = ["parallel", "parallel"]}} ins({b}, %r{number} : {T}, tensor<16xf32>) outs(%e : {T}) {{
  ^bb0(%l: f32, %t: f32, %i: f32):
    %y = arith.addf %l, %t : f32
    linalg.yield %y : f32
  }} -> {T}""")
        return lambda x, y: y + x.max(axis=0, initial=-1e30), 2

    def loop(self, result, number, a, b, c):
        name, value = self.weight()
        self.lines.append(
            f"\n  %n{number} = arith.constant 2 : index\n"
            f"  {result} = scf.for %j{number} = %c0 to %n{number} step %c1 iter_args(%a{number} = {a}) -> {T} {{"
            + linear(f"%b{number}", f"%a{number}", name)
            + each(f"%d{number}", [f"%b{number}", b], "arith.addf")
            + each(f"%g{number}", [f"%d{number}"], "math.tanh")
            + f"\n    scf.yield %g{number} : {T}\n  }}"
        )
        return lambda x, y: np.tanh(np.tanh(x @ value.T + y) @ value.T + y), 2

    def branch(self, result, number, a, b, c):
        self.lines.append(
            f"\n  %t{number} = arith.constant 5 : index\n  %h{number} = arith.cmpi ugt, %m, %t{number} : index\n"
            f"  {result} = scf.if %h{number} -> {T} {{"
            + linear(f"%b{number}", a)
            + f"\n    scf.yield %b{number} : {T}\n  }} else {{\n    scf.yield {b} : {T}\n  }}"
        )
        return lambda x, y: x @ self.graphs.w.T if len(x) > 5 else y, 2

    def slice(self, result, number, a, b, c):
        """The left half of a beside the right half of b."""
        half = "tensor<?x8xf32>"
        self.lines.append(f"""
  %l{number} = tensor.extract_slice {a}[0, 0] [%m, 8] [1, 1] : {T} to {half}
  {result} = tensor.insert_slice %l{number} into {b}[0, 0] [%m, 8] [1, 1] : {half} into {T}""")
        return lambda x, y: np.concatenate([x[:, :8], y[:, 8:]], axis=1), 2

    def case(self, name):
        for _ in range(int(self.rng.integers(2, 14))):
            self.step()
        last = len(self.steps) - 1
        results = [last] + [int(self.rng.integers(0, last + 1)) for _ in range(int(self.rng.integers(0, 3)))]
        types = ", ".join(f'{T} {{attn.name = "y{i}", attn.shape = ["m", 16]}}' for i in range(len(results)))
        body = "".join(self.lines)
        body += f"\n  return {', '.join(map(self.name, results))} : {', '.join([T] * len(results))}"

        def want(x):
            values = [x]
            for meaning, operands in self.steps[1:]:
                values.append(meaning(*(values[i] for i in operands)))
            return {f"y{i}": values[value] for i, value in enumerate(results)}

        return self.graphs.model(name, f"({types})", body, want, rows=(1, 3, 8, 50, 0), tolerance=2e-4)


def main():
    suite = harness.Suite("Check random graphs against float64 NumPy.")
    rng = np.random.default_rng(suite.arguments.seed)
    for number in range(suite.arguments.fuzz or 20):
        suite.check(RandomGraph(Graphs(rng), rng).case(f"random_{number}"))
    suite.finish()


if __name__ == "__main__":
    main()
