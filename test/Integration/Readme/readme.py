# ===- readme.py - The README's Python example, as a program ----------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Started where path/to/MiniLM is a model of that kind and build/ a folder.
#
# ===------------------------------------------------------------------------===#
import attn
import numpy as np

ids = np.array([[1, 7, 2], [1, 2, 0]])
mask = np.array([[1, 1, 1], [1, 1, 0]])
types = np.zeros_like(ids)

library = attn.load(attn.compile("path/to/MiniLM", "build/libminilm.so"))
outputs = library(input_ids=ids, attention_mask=mask, token_type_ids=types)   # NumPy or DLPack arrays, not copied
print(outputs["sentence_embedding"])

assert np.allclose(np.linalg.norm(outputs["sentence_embedding"], axis=1), 1)
