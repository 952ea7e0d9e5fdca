# ===- make_reference.py - References for the test model's entry `add` ------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Small dyadic numbers, so that equal means equal.
#
# ===------------------------------------------------------------------------===#
import sys

import numpy as np


def save(name, save=np.savez, **arrays):
    save(f"{sys.argv[1]}/{name}.npz", **arrays)


ids = np.arange(6, dtype=np.int64).reshape(2, 3)
x = (np.arange(24, dtype=np.float32) / 4).reshape(2, 3, 4)
y = x + ids[:, :, None].astype(np.float32)
total = y.astype(np.float64).sum(axis=(1, 2))
inputs = {"ids": ids, "x": x}

save("good", **inputs, y=y.astype(np.float64), total=total)
wrong = y.copy()
wrong[1, 2, 3] += 0.125
save("wrong", **inputs, y=wrong, total=total)
save("nan", **inputs, y=y, total=total * np.array([1, np.nan]))
save("shape", **inputs, y=y.reshape(2, 4, 3))
save("stranger", **inputs, y=y, z=y)
save("nothing", **inputs)
save("packed", save=np.savez_compressed, **inputs, y=y.astype(np.float64), total=total)
np.save(f"{sys.argv[1]}/ids.npy", ids)
np.save(f"{sys.argv[1]}/ids32.npy", ids.astype(np.int32))
np.save(f"{sys.argv[1]}/outside.npy", ids + 5)
np.save(f"{sys.argv[1]}/flat.npy", ids.ravel())
