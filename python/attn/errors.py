# ===- errors.py - The one exception of this package ----------------------===//
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Whatever goes wrong, in the compiler, while loading or in a run, is an Error
# with the same sentence that the C interface gives.
#
# ===------------------------------------------------------------------------===#
class Error(RuntimeError):
    """A failure, with the sentence that says what was wrong.

    code     a word: what a library's run returned ("SHAPE", "DTYPE", "INDEX", ...), "LOAD" for a file that is no
             compiled model, "COMPILE" for a failed compilation, "INVALID_ARGUMENT" for a wrong call
    """

    def __init__(self, code, message):
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message

    def __reduce__(self):
        return Error, (self.code, self.message)
