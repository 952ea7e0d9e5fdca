# ===- __init__.py - Compile attention models, run what came out ----------===//
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#     import attn
#     path = attn.compile("MiniLM/", "libminilm.so")
#     minilm = attn.load(path)
#     result = minilm.minilm(ids, mask, types)        # NumPy arrays, torch tensors, ...
#     result.sentence_embedding                       # or result[1], result["sentence_embedding"]
#
# The package is a thin layer over two C interfaces: the compiler's (libAttnC)
# and the one that every compiled model has.
#
# ===------------------------------------------------------------------------===#
from .compiler import compile
from .entry import Dim, Entry, Result, Tensor
from .errors import Error
from .library import Library, load

__all__ = ["Dim", "Entry", "Error", "Library", "Result", "Tensor", "compile", "load"]
