# ===- cases.py - What is measured, and how many FLOPs it is ----------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Only multiply-adds of matrix products count (two FLOPs each), as is usual;
# norms, GELU, softmax and look-ups are free, so that a share of the FMA peak is
# never flattered.
#
# ===------------------------------------------------------------------------===#


def encoder_flops(batch, sequence, layers=6, hidden=384, inner=1536):
    projections = 2 * batch * sequence * (4 * hidden * hidden + 2 * hidden * inner)
    attention = 4 * batch * sequence * sequence * hidden
    return float(layers * (projections + attention))


def gemm_flops(m, n, k):
    return 2.0 * m * n * k


def attention_flops(heads, sequence, width):
    return 4.0 * heads * sequence * sequence * width


# name -> (batch, sequence); every token is kept, so no peer can skip work.
ENCODER = {"minilm_b1_s128": (1, 128), "minilm_b8_s128": (8, 128)}
