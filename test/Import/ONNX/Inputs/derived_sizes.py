# ===- derived_sizes.py - Graphs whose sizes follow from others -------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# For compare_graphs.py: sizes that are quotients, must be multiples or must not be
# negative. What a caller gets wrong is refused by the library.
#
# ===------------------------------------------------------------------------===#
import numpy as np

random = np.random.default_rng(7)


def floats(*shape):
    return random.standard_normal(shape).astype(np.float32)


GRAPHS = [
    # Heads that are a third of what there is.
    ("multiple", """(float[n,s,w] x) => (float[n,h,s,d] y) {
        new = Constant<value_ints=[0,0,3,-1]>() r = Reshape(x, new) y = Transpose<perm=[0,2,1,3]>(r)
     }""", [[floats(2, 3, 6)], [floats(2, 3, 3)], [floats(1, 2, 0)], "!", [floats(2, 3, 7)]]),
    ("split_and_merge", """(float[n,s,w] x) => (float[n,s,w] y) {
        new = Constant<value_ints=[0,0,4,-1]>() r = Reshape(x, new) t = Transpose<perm=[0,2,1,3]>(r) u = Relu(t)
        v = Transpose<perm=[0,2,1,3]>(u) shape = Shape(x) y = Reshape(v, shape)
     }""", [[floats(2, 3, 8)], [floats(1, 1, 4)], "!", [floats(1, 1, 6)]]),
    # A multiple of a multiple.
    ("halves_of_heads", """(float[s,w] x) => (float[s,h,d] y) {
        new = Constant<value_ints=[0,2,-1]>() r = Reshape(x, new) a, b = Split<axis=2, num_outputs=2>(r) y = Sub(b, a)
     }""", [[floats(3, 8)], [floats(3, 4)], "!", [floats(3, 6)]]),
    # As many heads as there are, for as many as are wanted: what ONNX's own function for attention does.
    ("grouped", """(float[n,h,s,4] q, float[n,g,t,4] k) => (float[n,h,s,t] y) {
        zero = Constant<value_ints=[0]>() one = Constant<value_ints=[1]>() two = Constant<value_ints=[2]>()
        h = Shape<start=1,end=2>(q) g = Shape<start=1,end=2>(k) n = Shape<start=0,end=1>(q) t = Shape<start=2,end=3>(k)
        d = Shape<start=3,end=4>(k) same = Equal(h, g) differ = Not(same) rest = Mod(h, g) whole = Equal(rest, zero)
        is = And(differ, whole) times = Div(h, g) r = Where(is, times, one) u = Unsqueeze(k, two)
        wide = Concat<axis=0>(n, g, r, t, d) e = Expand(u, wide) new = Concat<axis=0>(n, h, t, d) all = Reshape(e, new)
        kt = Transpose<perm=[0,1,3,2]>(all) y = MatMul(q, kt)
     }""", [[floats(2, 6, 3, 4), floats(2, 2, 5, 4)], [floats(2, 2, 3, 4), floats(2, 2, 5, 4)],
            "!", [floats(2, 5, 3, 4), floats(2, 2, 5, 4)], [floats(2, 6, 3, 4), floats(2, 0, 5, 4)],
            [floats(2, 2, 3, 4), floats(2, 4, 5, 4)]]),
    # By a pad that may be negative as far as anyone knows.
    ("pad_to", """(float[n,s] x, float[t] z) => (float[n,t] y) {
        s = Shape<start=1,end=2>(x) t = Shape(z) more = Sub(t, s) none = Constant<value_ints=[0]>()
        pads = Concat<axis=0>(none, more) axes = Constant<value_ints=[1]>() low = Constant<value_float=0.5>()
        p = Pad(x, pads, low, axes) y = Add(p, z)
     }""", [[floats(2, 3), floats(5)], [floats(2, 3), floats(3)], [floats(2, 0), floats(2)]]),
    ("first_two", """(float[n,s] x) => (float[n,2] y, float[n,r] z) {
        s = Shape<start=1,end=2>(x) two = Constant<value_ints=[2]>() r = Sub(s, two) parts = Concat<axis=0>(two, r)
        y, z = Split<axis=1>(x, parts)
     }""", [[floats(2, 5)], [floats(2, 2)], "!", [floats(2, 1)]]),
    # A size that turns out to be a number.
    ("is_three", """(float[n,s] x, float[3,s] z) => (float[m,s] y) {
        sum = Add(x, z) y = Concat<axis=0>(sum, x)
     }""", [[floats(3, 2), floats(3, 2)], "!", [floats(2, 2), floats(3, 2)]]),
    ("first_half", """(float[s] x) => (float[h] y) {
        s = Shape(x) two = Constant<value_ints=[2]>() h = Div(s, two) zero = Constant<value_ints=[0]>()
        y = Slice(x, zero, h)
     }""", [[floats(7)], [floats(6)], [floats(1)], [floats(0)]]),
]  # fmt: skip
