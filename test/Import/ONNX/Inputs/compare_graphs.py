# ===- compare_graphs.py - Shapes, slices and indices against ONNX ----------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#   python compare_graphs.py DIRECTORY
#
# Small graphs as exporters write them, with sizes that are symbols, against ONNX's
# reference implementation. Each runs with several sizes, 0 among them.
#
# ===------------------------------------------------------------------------===#
import os
import subprocess
import sys

import numpy as np
import onnx
import onnx.parser
from onnx.reference import ReferenceEvaluator

import attn
import derived_sizes

random = np.random.default_rng(5)


def floats(*shape):
    return random.standard_normal(shape).astype(np.float32)


def integers(*shape, low=-4, high=4):
    return random.integers(low, high, shape).astype(np.int64)


# Name, graph, and inputs for each run. "!" before a run's inputs: the library must refuse them.
GRAPHS = [
    ("split_heads", """(float[n,s,8] x) => (float[n,2,s,4] y) {
        shape = Shape(x) i0 = Constant<value_int=0>() i1 = Constant<value_int=1>()
        n = Gather(shape, i0) s = Gather(shape, i1) axes = Constant<value_ints=[0]>()
        nu = Unsqueeze(n, axes) su = Unsqueeze(s, axes) tail = Constant<value_ints=[2,4]>()
        new = Concat<axis=0>(nu, su, tail) r = Reshape(x, new) y = Transpose<perm=[0,2,1,3]>(r)
     }""", [[floats(2, 3, 8)], [floats(1, 5, 8)], [floats(0, 5, 8)]]),
    ("expand_where", """(float[n,1] x, float[n,m] z) => (float[n,m] y) {
        s = Shape(z) one = Constant<value_ints=[-1]>() e = Equal(s, one) n = Shape(s)
        ones = ConstantOfShape<value=int64[1] {1}>(n) w = Where(e, ones, s) y = Expand(x, w)
     }""", [[floats(2, 1), floats(2, 3)]]),
    ("range_mask", """(float[s,t] x) => (float[s,t] y) {
        i0 = Constant<value_int=0>() i1 = Constant<value_int=1>() shape = Shape(x) s = Gather(shape, i0)
        t = Gather(shape, i1) rows = Range(i0, s, i1) columns = Range(i0, t, i1) axis = Constant<value_ints=[1]>()
        r = Unsqueeze(rows, axis) m = LessOrEqual(columns, r) low = Constant<value_float=-100.0>() y = Where(m, x, low)
     }""", [[floats(3, 4)], [floats(1, 1)], [floats(5, 2)]]),
    ("last", """(float[n,s,4] x) => (float[n,1,4] y) {
        b = Constant<value_ints=[-1]>() e = Constant<value_ints=[9223372036854775807]>() a = Constant<value_ints=[1]>()
        y = Slice(x, b, e, a)
     }""", [[floats(2, 3, 4)], [floats(2, 1, 4)]]),
    ("first", """(float[n,s,4] x) => (float[n,4] y) {
        i = Constant<value_int=0>() y = Gather<axis=1>(x, i)
     }""", [[floats(2, 3, 4)]]),
    ("truncate", """(float[s,4] x) => (float[4] y) {
        b = Constant<value_ints=[0]>() e = Constant<value_ints=[3]>() p = Slice(x, b, e)
        y = ReduceSum<keepdims=0>(p, b)
     }""", [[floats(5, 4)], [floats(3, 4)], [floats(2, 4)], [floats(0, 4)]]),
    ("last_three", """(float[s,4] x) => (float[4] y) {
        b = Constant<value_ints=[-3]>() e = Constant<value_ints=[2147483647]>() a = Constant<value_ints=[0]>()
        p = Slice(x, b, e, a) y = ReduceSum<keepdims=0>(p, a)
     }""", [[floats(5, 4)], [floats(3, 4)], [floats(2, 4)], [floats(0, 4)]]),
    ("all_but_last", """(float[s,4] x) => (float[4] y) {
        b = Constant<value_ints=[0]>() e = Constant<value_ints=[-1]>() p = Slice(x, b, e) y = ReduceSum<keepdims=0>(p, b)
     }""", [[floats(5, 4)], [floats(1, 4)], [floats(0, 4)]]),
    ("behind", """(float[s,4] x) => (float[4] y) {
        b = Constant<value_ints=[2]>() e = Constant<value_ints=[9999999999]>() a = Constant<value_ints=[0]>()
        p = Slice(x, b, e) y = ReduceSum<keepdims=0>(p, a)
     }""", [[floats(5, 4)], [floats(2, 4)], [floats(1, 4)]]),
    ("every_second", """(float[s,4] x) => (float[4] y) {
        b = Constant<value_ints=[1]>() e = Constant<value_ints=[-1]>() a = Constant<value_ints=[0]>()
        t = Constant<value_ints=[2]>() p = Slice(x, b, e, a, t) y = ReduceSum<keepdims=0>(p, a)
     }""", [[floats(7, 4)], [floats(8, 4)], [floats(2, 4)], [floats(0, 4)]]),
    ("reverse", """(float[s,4] x) => (float[s,4] y) {
        b = Constant<value_ints=[-1]>() e = Constant<value_ints=[-9223372036854775807]>() a = Constant<value_ints=[0]>()
        y = Slice(x, b, e, a, b)
     }""", [[floats(7, 4)], [floats(1, 4)]]),
    ("reverse_part", """(float[s,4] x) => (float[4] y) {
        b = Constant<value_ints=[4]>() e = Constant<value_ints=[0]>() a = Constant<value_ints=[0]>()
        t = Constant<value_ints=[-2]>() p = Slice(x, b, e, a, t) y = ReduceSum<keepdims=0>(p, a)
     }""", [[floats(7, 4)], [floats(4, 4)], [floats(3, 4)], [floats(1, 4)], [floats(0, 4)]]),
    ("positions", """(float[n,s,4] x) => (float[n,s,4] y) <float[6,4] table> {
        shape = Shape<start=1,end=2>(x) b = Constant<value_ints=[0]>() p = Slice(table, b, shape) y = Add(x, p)
     }""", [[floats(2, 3, 4)], [floats(2, 6, 4)], "!", [floats(2, 7, 4)]]),
    ("repeat_heads", """(float[n,2,s,4] x) => (float[n,6,s,4] y) {
        a = Constant<value_ints=[2]>() u = Unsqueeze(x, a) n = Shape<start=0,end=1>(x) s = Shape<start=2,end=3>(x)
        two = Constant<value_ints=[2]>() three = Constant<value_ints=[3]>() four = Constant<value_ints=[4]>()
        w = Concat<axis=0>(n, two, three, s, four) e = Expand(u, w) six = Mul(two, three)
        r = Concat<axis=0>(n, six, s, four) y = Reshape(e, r)
     }""", [[floats(1, 2, 3, 4)], [floats(2, 2, 1, 4)]]),
    ("tile", """(float[n,1,3] x) => (float[m,k,l] y) {
        r = Constant<value_ints=[2,3,2]>() y = Tile(x, r)
     }""", [[floats(2, 1, 3)], [floats(1, 1, 3)]]),
    ("gather_rows", """(int64[n,s] i) => (float[n,s,4] y) <float[7,4] table> {
        y = Gather(table, i)
     }""", [[integers(2, 5)], [integers(1, 1)]]),
    ("gather_columns", """(float[n,m] x, int64[k] i) => (float[n,k] y) {
        y = Gather<axis=1>(x, i)
     }""", [[floats(3, 5), integers(4)]]),
    ("one_hot", """(int64[n] i) => (float[n,d] y) {
        d = Constant<value_int=5>() v = Constant<value_floats=[0.5,2.0]>() y = OneHot(i, d, v)
     }""", [[integers(6, low=-7, high=7)]]),
    ("trilu", """(float[n,m] x) => (float[n,m] y) {
        k = Constant<value_int=1>() y = Trilu<upper=0>(x, k)
     }""", [[floats(4, 6)], [floats(6, 2)]]),
    ("cumsum", """(int64[n,m] x) => (int64[n,m] y) {
        a = Constant<value_int=1>() c = CumSum(x, a) one = Constant<value_int=1>() y = Sub(c, one)
     }""", [[integers(3, 5)]]),
    ("pad", """(float[n,m] x) => (float[k,l] y) {
        p = Constant<value_ints=[1,0,2,3]>() v = Constant<value_float=7.0>() y = Pad(x, p, v)
     }""", [[floats(2, 3)], [floats(1, 1)]]),
    ("pad_reflect", """(float[n,m] x) => (float[k,l] y) {
        p = Constant<value_ints=[1,2,1,2]>() y = Pad<mode="reflect">(x, p)
     }""", [[floats(3, 4)], [floats(2, 3)]]),
    ("pad_wrap", """(float[n,m] x) => (float[k,l] y) {
        p = Constant<value_ints=[1,2,0,2]>() y = Pad<mode="wrap">(x, p)
     }""", [[floats(3, 4)], [floats(2, 2)]]),
    ("halves", """(float[n,s,8] x) => (float[n,s,8] y) {
        a, b = Split<axis=-1,num_outputs=2>(x) c = Neg(b) y = Concat<axis=-1>(c, a)
     }""", [[floats(2, 3, 8)]]),
    ("scatter", """(float[n,m] x, int64[k,1] i, float[k,m] u) => (float[n,m] y) {
        y = ScatterND<reduction="add">(x, i, u)
     }""", [[floats(4, 3), np.array([[1], [-1], [1]]), floats(3, 3)]]),
    ("clip_sizes", """(float[n,m] x) => (float[n,m] y) {
        s = Shape(x) c = Cast<to=1>(s) p = ReduceProd<keepdims=0>(c) r = Sqrt(p) y = Div(x, r)
     }""", [[floats(3, 5)]]),
    ("pow", """(float[n] x) => (float[n] y) {
        two = Constant<value_float=2.0>() a = Pow(x, two) h = Constant<value_float=0.5>() y = Pow(a, h)
     }""", [[floats(9)]]),
    ("divide", """(int64[n] a, int64[n] b) => (int64[n] y, int64[n] z, int64[n] w) {
        y = Div(a, b) z = Mod(a, b) w = Mod<fmod=1>(a, b)
     }""", [[np.array([7, -7, 7, -7, 6]), np.array([2, 2, -2, -2, 3])]]),
    # Ranges: where they are compared and used as indices, less is computed; it is the same.
    ("mask_gather", """(int64[n,s] mask, float[n,h,s,s] x) => (float[n,h,s,s] y) {
        i0 = Constant<value_int=0>() i1 = Constant<value_int=1>() shape = Shape(mask) n = Gather(shape, i0)
        s = Gather(shape, i1) rows = Range(i0, n, i1) columns = Range(i0, s, i1) bs = Constant<value_ints=[1,2,3]>()
        r = Unsqueeze(rows, bs) cs = Constant<value_ints=[0,1,2]>() c = Unsqueeze(columns, cs) at = Mul(r, s)
        index = Add(at, c) all = Constant<value_ints=[-1]>() flat = Reshape(mask, all) picked = Gather(flat, index)
        keys = Cast<to=9>(picked) inside = GreaterOrEqual(c, i0) both = And(keys, inside)
        low = Constant<value_float=-100.0>() y = Where(both, x, low)
     }""", [[integers(2, 3, low=0, high=2), floats(2, 2, 3, 3)], [integers(1, 1), floats(1, 1, 1, 1)]]),
    ("every_second_row", """(float[8,m] x, float[k] like) => (float[k,m] y) {
        i0 = Constant<value_int=0>() i1 = Constant<value_int=1>() n = Size(like) r = Range(i0, n, i1)
        two = Constant<value_int=2>() index = Mul(r, two) y = Gather(x, index)
     }""", [[floats(8, 3), floats(4)], [floats(8, 3), floats(1)]]),
    ("overlapping_rows", """(float[m] x) => (float[2] y) {
        i0 = Constant<value_int=0>() i1 = Constant<value_int=1>() i2 = Constant<value_int=2>() n = Size(x)
        rows = Range(i0, i2, i1) last = Sub(n, i1) columns = Range(i0, last, i1) a = Constant<value_ints=[1]>()
        r = Unsqueeze(rows, a) index = Add(r, columns) g = Gather(x, index) y = ReduceSum<keepdims=0>(g, a)
     }""", [[floats(5)], [floats(2)]]),
    ("compared_ranges", """(float[n] x) => (bool[n] a, bool[n] b, bool[n] c, bool[n] d, bool[n] e) {
        i0 = Constant<value_int=0>() i1 = Constant<value_int=1>() i2 = Constant<value_int=2>() n = Size(x)
        r = Range(i0, n, i1) back = Sub(r, i2) a = Less(r, n) b = Greater(r, n) c = LessOrEqual(i0, r)
        d = Less(back, i0) e = GreaterOrEqual(back, r)
     }""", [[floats(5)], [floats(1)], [floats(0)]]),
    ("decided", """(bool[n] x, float[n] y) => (bool[n] a, bool[n] b, bool[n] c, float[n] d, float[n] e) {
        s = Shape(x) yes = ConstantOfShape<value=bool[1] {1}>(s) no = Not(yes) a = And(x, yes) b = Or(x, yes)
        c = And(no, x) z = Neg(y) d = Where(yes, y, z) e = Where(no, y, z)
     }""", [[integers(5) > 0, floats(5)], [integers(0) > 0, floats(0)]]),
    ("wrapping", """(float[n] x) => (int32[n] a, int64[n] b, int32[n] c) {
        s = Shape(x) big = ConstantOfShape<value=int64[1] {1099511627783}>(s) a = Cast<to=6>(big)
        odd = ConstantOfShape<value=int64[1] {9007199254740993}>(s) i0 = Constant<value_int=0>() b = Add(odd, i0)
        most = ConstantOfShape<value=int32[1] {2147483647}>(s) c = Add(most, most)
     }""", [[floats(5)], [floats(0)]]),
    ("gather_pairs", """(float[n,m] x) => (float[n,k] y) {
        i0 = Constant<value_int=0>() i1 = Constant<value_int=1>() shape = Shape(x) n = Gather(shape, i0)
        m = Gather(shape, i1) rows = Range(i0, n, i1) columns = Range(i0, m, i1) a = Constant<value_ints=[1]>()
        r = Unsqueeze(rows, a) re = Expand(r, shape) ce = Expand(columns, shape) last = Constant<value_ints=[-1]>()
        ru = Unsqueeze(re, last) cu = Unsqueeze(ce, last) index = Concat<axis=-1>(ru, cu) y = GatherND(x, index)
     }""", [[floats(3, 4)], [floats(1, 1)]]),
    ("merged_and_split", """(float[n,2,s,4] x) => (float[n,s,2,4] y, float[2,n,s,4] z, float[s,k,4] w) {
        n = Shape<start=0,end=1>(x) s = Shape<start=2,end=3>(x) two = Constant<value_ints=[2]>() rest = Constant<value_ints=[-1]>()
        four = Constant<value_ints=[4]>() merged = Concat<axis=0>(rest, s, four) m = Reshape(x, merged)
        whole = Concat<axis=0>(n, two, s, four) back = Reshape(m, whole) y = Transpose<perm=[0,2,1,3]>(back)
        other = Concat<axis=0>(two, n, s, four) z = Reshape(m, other) w = Transpose<perm=[1,0,2]>(m)
     }""", [[floats(3, 2, 5, 4)], [floats(1, 2, 1, 4)]]),
    # Masks of several conditions, as a bias and in place of the scores, with rows that have no key.
    ("masked_attention", """(float[n,h,s,8] q, float[n,h,s,8] k, float[n,h,s,8] v, int64[n,s] mask) => (float[n,h,s,8] y) {
        i0 = Constant<value_int=0>() i1 = Constant<value_int=1>() shape = Shape(mask) s = Gather(shape, i1)
        r = Range(i0, s, i1) a = Constant<value_ints=[1]>() rows = Unsqueeze(r, a) causal = LessOrEqual(r, rows)
        bs = Constant<value_ints=[1,2]>() m = Unsqueeze(mask, bs) keys = Cast<to=9>(m) both = And(keys, causal)
        kt = Transpose<perm=[0,1,3,2]>(k) scores = MatMul(q, kt) low = Constant<value_float=-1.0e9>()
        kept = Where(both, scores, low) p = Softmax<axis=-1>(kept) y = MatMul(p, v)
     }""", [[floats(2, 3, 5, 8), floats(2, 3, 5, 8), floats(2, 3, 5, 8), np.array([[1, 0, 1, 1, 0], [0, 0, 1, 0, 1]])]]),
    ("guarded_attention", """(float[n,h,s,8] q, float[n,h,t,8] k, float[n,h,t,8] v, bool[n,1,s,t] mask) => (float[n,h,s,8] y) {
        zero = Constant<value_float=0.0>() least = Constant<value=float[1] {-inf}>() bias = Where(mask, zero, least)
        scale = Constant<value_float=0.5>() qs = Mul(q, scale) kt = Transpose<perm=[0,1,3,2]>(k) kts = Mul(kt, scale)
        scores = MatMul(qs, kts) masked = Add(scores, bias) p = Softmax<axis=-1>(masked) none = IsNaN(p)
        guarded = Where(none, zero, p) y = MatMul(guarded, v)
     }""", [[floats(2, 3, 4, 8), floats(2, 3, 5, 8), floats(2, 3, 5, 8), integers(2, 1, 4, 5, low=0, high=2) > 0],
            [floats(1, 1, 2, 8), floats(1, 1, 3, 8), floats(1, 1, 3, 8), integers(1, 1, 2, 3, low=0, high=1) > 0]]),
    ("part_of_transpose", """(float[n,s,6] x) => (float[s,n,2] y) {
        t = Transpose<perm=[1,2,0]>(x) b = Constant<value_ints=[2]>() e = Constant<value_ints=[4]>()
        a = Constant<value_ints=[1]>() p = Slice(t, b, e, a) y = Transpose<perm=[0,2,1]>(p)
     }""", [[floats(2, 3, 6)], [floats(1, 1, 6)]]),
]  # fmt: skip


def main(directory):
    os.makedirs(directory, exist_ok=True)
    graphs = GRAPHS + derived_sizes.GRAPHS
    models, paths = {}, []
    for name, text, _ in graphs:
        model = onnx.parser.parse_model(f'<ir_version: 9, opset_import: ["": 20]> {name} {text}')
        for info in model.graph.value_info:  # a weight
            table = floats(*(dim.dim_value for dim in info.type.tensor_type.shape.dim))
            model.graph.initializer.append(onnx.numpy_helper.from_array(table, info.name))
        models[name] = model
        paths.append(os.path.join(directory, name + ".onnx"))
        onnx.save(model, paths[-1])
    library = os.path.join(directory, "libgraphs.so")
    attnc = os.path.join(os.environ["ATTN_BUILD_DIR"], "bin", "attnc")
    subprocess.run([attnc, *paths, "-o", library, "--quiet"], check=True)
    loaded = attn.load(library)
    count = failed = 0
    for name, _, runs in graphs:
        refuses = False
        for arrays in runs:
            if arrays == "!":
                refuses = True
                continue
            count += 1
            sizes = [list(array.shape) for array in arrays]
            try:
                actual = loaded.entries[name](*arrays)
            except attn.Error as error:
                if not refuses:
                    print(f"{name} {sizes}: {error}")
                failed += not refuses
                continue
            feeds = dict(zip((info.name for info in models[name].graph.input), arrays))
            for i, expected in enumerate(ReferenceEvaluator(models[name]).run(None, feeds)):
                got = np.asarray(actual[i])
                if refuses or got.shape != expected.shape or got.dtype != expected.dtype or not np.allclose(got, expected, 1e-5, 1e-5):
                    print(f"{name} {sizes}: output {i} is {got}, expected {expected}")
                    failed += 1
    print(f"{count} runs, {failed} differences")


if __name__ == "__main__":
    main(sys.argv[1])
