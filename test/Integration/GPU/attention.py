# ===- attention.py - Attention of models on tensor cores, against float64 ---===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#   python attention.py libattention.so        the entries of Inputs/attention.mlir
#
# ===------------------------------------------------------------------------===#
import sys

import attn
import numpy as np
from gpu_tensor import Tensor, unaligned

library = attn.load(sys.argv[1], device="cuda")
rng = np.random.default_rng(5)


def numbers(*shape, dtype=np.float16):
    return rng.standard_normal(shape).astype(dtype)


def attention(q, k, v, scale, causal=False):
    """All in float64, [batch, head, row, channel]."""
    q, k, v = (x.astype(np.float64) for x in (q, k, v))
    s = scale * q @ k.swapaxes(2, 3)
    if causal:
        s = np.where(np.tri(*s.shape[2:], dtype=bool), s, -np.inf)
    p = np.exp(s - s.max(-1, keepdims=True))
    return p / p.sum(-1, keepdims=True) @ v


def compare(what, out, wanted, tolerance):
    library.synchronize()
    difference = np.abs(out.numpy() - wanted).max(initial=0)
    print(f"{what}: {'right' if difference <= tolerance else f'WRONG by {difference}'}")


def plain(b, n, m, place):
    q, k, v = numbers(b, n, 3, 64), numbers(b, m, 3, 64), numbers(b, m, 3, 64)
    out = place(np.zeros_like(q))
    library.plain(place(q), place(k), place(v), out=out)
    wanted = attention(*(x.swapaxes(1, 2) for x in (q, k, v)), 0.125).swapaxes(1, 2)
    compare(f"plain {b} {n} {m} {place.__name__}", out, wanted, 2e-3)


def parts(b, n):
    x, y = numbers(b, 4, n, 257), numbers(b, 2, n, 257)
    out = Tensor(np.zeros((b, 4, n, 128), np.float16))
    library.parts(Tensor(x), Tensor(y), out=out)
    k, v = (y[..., at : at + 128].repeat(2, axis=1) for at in (0, 129))
    compare(f"parts {b} {n}", out, attention(x[..., 3:131], k, v, 0.5, causal=True), 4e-3)


def bf16(n):
    x = (numbers(1, 1, n, 256, dtype=np.float32).view(np.uint32) & 0xFFFF0000).view(np.float32)
    out = Tensor(np.zeros_like(x))
    library.bf16(Tensor(x), out=out)
    compare(f"bf16 {n}", out, attention(x, x, x, 1 / 16), 3e-2)


plain(2, 7, 5, Tensor)
plain(1, 130, 131, Tensor)
plain(1, 9, 66, unaligned)
plain(0, 3, 3, Tensor)
parts(2, 67)
bf16(65)
library.close()
