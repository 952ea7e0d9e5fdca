# ===- gpu_driver.py - Launches kernels through the CUDA driver -------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# libcuda.so.1 through ctypes: load a kernel that gpu_kernels.py built, encode its
# tensor maps and launch it on torch tensors, in torch's context and on its stream.
#
# ===------------------------------------------------------------------------===#
import ctypes
import math
import os

import torch

cuda = ctypes.CDLL("libcuda.so.1")

MAX_DYNAMIC_SHARED_SIZE_BYTES = 8  # of CUfunction_attribute, as the next two
NUM_REGS, LOCAL_SIZE_BYTES = 4, 3
DATA_TYPES = {torch.float16: 6, torch.bfloat16: 9}  # of CUtensorMapDataType
SWIZZLE_128B, L2_PROMOTION_256B = 3, 3


def check(status):
    if status != 0:
        text = ctypes.c_char_p()
        cuda.cuGetErrorString(status, ctypes.byref(text))
        raise RuntimeError(f"CUDA error {status}: {(text.value or b'?').decode()}")


class TensorMap:
    """A CUtensorMap of a tensor [batch, head, row, channel] of any strides, in boxes of 64 channels x `rows` rows."""

    def __init__(self, tensor, rows):
        # 128 bytes at a multiple of 64.
        self.storage = ctypes.create_string_buffer(128 + 63)
        self.address = (ctypes.addressof(self.storage) + 63) & ~63
        batch, heads, length, channels = tensor.shape
        strides = [tensor.stride(i) * tensor.element_size() for i in (2, 1, 0)]
        sizes = (ctypes.c_uint64 * 4)(channels, length, heads, batch)
        box, ones = (ctypes.c_uint32 * 4)(64, rows, 1, 1), (ctypes.c_uint32 * 4)(1, 1, 1, 1)
        check(
            cuda.cuTensorMapEncodeTiled(
                ctypes.c_void_p(self.address), DATA_TYPES[tensor.dtype], 4, ctypes.c_void_p(tensor.data_ptr()), sizes,
                (ctypes.c_uint64 * 3)(*strides), box, ones, 0, SWIZZLE_128B, L2_PROMOTION_256B, 0,
            )
        )  # fmt: skip


def heads_together(pairs, key_bytes, causal):
    """How many (batch, head) pairs' tiles run side by side: as many as keep their keys and values within a part of the
    second-level cache, all groups of the same size, since a smaller last one would leave processors idle."""
    budget = 24 << 20
    return max(n for n in range(1, pairs + 1) if n == 1 or causal and pairs % n == 0 and n * key_bytes <= budget)


class Kernel:
    """A kernel of kernels.json."""

    def __init__(self, directory, entry):
        torch.cuda.init()
        torch.zeros(1, device="cuda")  # makes the context current
        self.entry, self.launch = entry, entry["launch"]
        with open(os.path.join(directory, entry["file"]), "rb") as file:
            self.image = file.read() + b"\0"
        module, self.function = ctypes.c_void_p(), ctypes.c_void_p()
        check(cuda.cuModuleLoadData(ctypes.byref(module), self.image))
        check(cuda.cuModuleGetFunction(ctypes.byref(self.function), module, entry["function"].encode()))
        check(cuda.cuFuncSetAttribute(self.function, MAX_DYNAMIC_SHARED_SIZE_BYTES, self.launch["shared_bytes"]))
        self.counter = torch.zeros(2, dtype=torch.int32, device="cuda")
        self.processors = torch.cuda.get_device_properties(0).multi_processor_count

    def attribute(self, attribute):
        value = ctypes.c_int()
        check(cuda.cuFuncGetAttribute(ctypes.byref(value), attribute, self.function))
        return value.value

    def prepare(self, q, k, v, o, lse, scale):
        """A function that launches the kernel on these tensors, [batch, head, row, channel]."""
        batch, heads, length, channels = q.shape
        key_heads, key_length = k.shape[1], k.shape[2]
        tensors = {"query": q, "key": k, "value": v, "output": o}
        integers = {
            "query_length": length, "key_length": key_length, "batch": batch, "heads": heads,
            "heads_per_key_head": heads // key_heads,
            "heads_together": heads_together(batch * heads, 4 * key_length * channels, self.entry["causal"]),
        }  # fmt: skip
        keep, addresses = [], []

        def add(value):
            keep.append(value)
            addresses.append(ctypes.addressof(value))

        for argument in self.launch["arguments"]:
            kind = argument["kind"]
            tensor = tensors.get(kind.removesuffix("_map").removesuffix("_strides"))
            if kind.endswith("_map"):
                keep.append(tensor_map := TensorMap(tensor, argument["rows"]))
                addresses.append(tensor_map.address)
            elif kind.endswith("_strides"):
                for dimension in range(3):
                    add(ctypes.c_int64(tensor.stride(dimension)))
            elif tensor is not None:
                add(ctypes.c_void_p(tensor.data_ptr()))
            elif kind == "log_sum_exp":
                add(ctypes.c_void_p(lse.data_ptr()))
            elif kind == "tile_counter":
                add(ctypes.c_void_p(self.counter.data_ptr()))
            elif kind == "scale":
                add(ctypes.c_float(scale * math.log2(math.e)))
            else:
                add(ctypes.c_int32(integers[kind]))
        tiles = -(-length // self.launch["query_block"]) * heads * batch
        blocks = tiles if self.launch["order"] == "grid" else min(tiles, self.processors)
        parameters = (ctypes.c_void_p * len(addresses))(*addresses)

        def launch(keep=(keep, tensors, lse)):
            stream = ctypes.c_void_p(torch.cuda.current_stream().cuda_stream)
            check(
                cuda.cuLaunchKernel(
                    self.function, blocks, 1, 1, self.launch["threads"], 1, 1, self.launch["shared_bytes"], stream,
                    parameters, None,
                )
            )  # fmt: skip

        return launch
