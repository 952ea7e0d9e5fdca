# ===- runs.py - What a run on a GPU takes and refuses ----------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#   python runs.py librows.so        the entries of Inputs/rows.mlir
#
# ===------------------------------------------------------------------------===#
import sys

import attn
import numpy as np
from gpu_tensor import Tensor

library = attn.load(sys.argv[1], device="cuda")
rng = np.random.default_rng(3)


def fails(what, call):
    try:
        call()
    except attn.Error as error:
        print(f"{what}: {error}")
    else:
        print(f"{what}: no error")


def strided():
    """Inputs and outputs of all kinds of strides against dense ones."""
    for kind in ("transposed", "reversed", "every second", "broadcast", "dense"):
        base = rng.standard_normal((12, 14)).astype(np.float32)
        view = {
            "transposed": lambda: base.T,
            "reversed": lambda: base[::-1, ::-1],
            "every second": lambda: base[::2, 1::2],
            "broadcast": lambda: np.broadcast_to(base[3:4], (5, 14)),
            "dense": lambda: base,
        }[kind]()
        wanted = (view * 2 + view.sum(1, keepdims=True)).astype(np.float32)
        for out_kind in ("dense", "transposed"):
            memory = np.full(wanted.shape if out_kind == "dense" else wanted.shape[::-1], np.nan, np.float32)
            out = Tensor(memory if out_kind == "dense" else memory.T, memory)
            library.double_and_sum(Tensor(view, base), out=out)
            library.synchronize()
            same = np.allclose(out.numpy(), wanted, atol=1e-5)
            print(f"{kind} to {out_kind}: {'right' if same else 'WRONG'}")


def indices():
    """Indices that the caller gives are checked where they are read; the run after a bad one is fine, also one of none."""
    table = Tensor(np.arange(20, dtype=np.float32).reshape(5, 4))
    out = Tensor(np.zeros((3, 4), np.float32))
    good, bad = (Tensor(np.array(ids, np.int64)) for ids in ([4, 0, 2], [4, 5, -1]))
    library.gather(good, table, out=out)
    library.synchronize()
    print("good indices:", out.numpy()[:, 0].tolist())
    library.gather(bad, table, out=out)
    fails("bad indices", library.synchronize)
    library.gather(bad, table, out=out)
    nothing = Tensor(np.zeros((0, 4), np.float32))
    library.gather(Tensor(np.zeros(0, np.int64)), table, out=nothing)
    library.synchronize()
    print("none after bad ones:", nothing.numpy().shape)
    library.gather(good, table, out=out)
    library.synchronize()
    print("good again:", out.numpy()[:, 0].tolist())


def refused():
    x = Tensor(np.zeros((3, 4), np.float32))
    out = Tensor(np.zeros((3, 4), np.float32))
    run = lambda value, result=out: library.double_and_sum(value, out=result)
    fails("array", lambda: run(x.array))
    fails("CPU tensor", lambda: run(Tensor(x.array, device=(1, 0))))
    fails("other GPU", lambda: run(Tensor(x.array, device=(2, 1))))
    fails("host memory", lambda: run(Tensor(x.array, address=x.array.ctypes.data)))
    fails("shape", lambda: run(x, Tensor(np.zeros((3, 5), np.float32))))
    fails("alias", lambda: run(x, x))
    fails("no output", lambda: library.double_and_sum(x))


def empty():
    out = Tensor(np.zeros((0, 4), np.float32))
    library.double_and_sum(Tensor(np.zeros((0, 4), np.float32)), out=out)
    library.synchronize()
    print("empty:", out.numpy().shape)


strided()
indices()
refused()
empty()
library.close()
