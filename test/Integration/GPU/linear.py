# ===- linear.py - Linear layers of models on tensor cores, against float64 --===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#   python linear.py liblinear.so        the entries of Inputs/linear.mlir
#
# ===------------------------------------------------------------------------===#
import math
import sys

import attn
import numpy as np
from gpu_tensor import Tensor, unaligned

library = attn.load(sys.argv[1], device="cuda")
rng = np.random.default_rng(7)
erf = np.vectorize(math.erf, otypes=[np.float64])


def numbers(*shape, dtype=np.float32):
    return rng.standard_normal(shape).astype(dtype)


def product(x, w):
    return x.astype(np.float64) @ w.astype(np.float64).T


def compare(what, out, wanted, tolerance):
    library.synchronize()
    difference = np.abs(out.numpy() - wanted).max(initial=0)
    print(f"{what}: {'right' if difference <= tolerance else f'WRONG by {difference}'}")


def f32(m, place):
    x, w, bias, r = numbers(m, 36), numbers(71, 36), numbers(71), numbers(m, 71)
    out = Tensor(np.zeros((m, 71), np.float32))
    library.f32(place(x), place(w), Tensor(bias), place(r), out=out)
    y = product(x, w) + bias
    # The sums' own rounding: 36 products of about 1.
    compare(f"f32 {m} {place.__name__}", out, y / 2 * (1 + erf(y / math.sqrt(2))) + r, 1e-5)


def f16(m, place):
    x, w, bias = numbers(m, 100, dtype=np.float16), numbers(40, 100, dtype=np.float16) / 10, numbers(40)
    out = Tensor(np.zeros((m, 40), np.float16))
    library.f16(place(x), Tensor(w), Tensor(bias), out=out)
    compare(f"f16 {m} {place.__name__}", out, np.tanh(product(x, w) + bias.astype(np.float16)), 1e-3)


def odd():
    x, w = numbers(50, 33, dtype=np.float16), numbers(130, 33, dtype=np.float16)
    out = Tensor(np.zeros((50, 130), np.float16))
    library.odd(Tensor(x), Tensor(w), out=out)
    compare("odd", out, product(x, w), 2e-2)


def bf16(m):
    x, w = ((numbers(*shape).view(np.uint32) & 0xFFFF0000).view(np.float32) for shape in ((m, 64), (136, 64)))
    out = Tensor(np.zeros((m, 136), np.float32))
    library.bf16(Tensor(x), Tensor(w), out=out)
    compare(f"bf16 {m}", out, product(x, w), 0.13)


f32(7, Tensor)
f32(131, unaligned)
f32(0, Tensor)
f16(3, Tensor)
f16(66, unaligned)
odd()
bf16(129)
library.close()
