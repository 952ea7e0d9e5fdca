# ===- gpu_arrays.py - Tensors on a GPU ------------------------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# They are torch's where somebody has imported it; a program without torch brings
# its own outputs and, if it uses one, its own stream.
#
# ===------------------------------------------------------------------------===#
import sys

from . import dlpack
from .errors import Error


def current_stream(device):
    """The CUDA stream that torch works on now, 0 (the default one) without torch."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available():
        return 0
    return torch.cuda.current_stream(device).cuda_stream


def empty(device, shape, code, bits):
    """An uninitialised torch tensor."""
    torch = sys.modules.get("torch")
    if torch is None:
        raise Error("INVALID_ARGUMENT", "without torch, outputs on a GPU have to be given as 'out'")
    return torch.empty(shape, dtype=getattr(torch, dlpack.dtype_name(code, bits)), device=f"cuda:{device}")
