# ===- create.py - What becomes of a context --------------------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#   python create.py libmodel.so [device]      prints the target that was chosen, or the error
#
# ===------------------------------------------------------------------------===#
import sys

import attn

try:
    library = attn.load(sys.argv[1], device=sys.argv[2] if len(sys.argv) > 2 else None)
    print("target", next(iter(library.entries.values())).target)
    library.close()
except attn.Error as error:
    print(error)
