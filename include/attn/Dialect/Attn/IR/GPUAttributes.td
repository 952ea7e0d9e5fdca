//===- GPUAttributes.td - Kernels for GPUs and their launch --*- tablegen -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_DIALECT_ATTN_IR_GPUATTRIBUTES_TD
#define ATTN_DIALECT_ATTN_IR_GPUATTRIBUTES_TD

include "attn/Dialect/Attn/IR/Attributes.td"

//===----------------------------------------------------------------------===//
// Schedules
//===----------------------------------------------------------------------===//

def Attn_MatrixInstruction : Attn_Enum<"MatrixInstruction", "The tensor core instructions of a kernel", [
  I32EnumAttrCase<"Mma", 0, "mma">,
  I32EnumAttrCase<"Wgmma", 1, "wgmma">
]>;

def Attn_TileOrder : Attn_Enum<"TileOrder", "How tiles of queries are given to blocks", [
  I32EnumAttrCase<"Grid", 0, "grid">,
  I32EnumAttrCase<"Persistent", 1, "persistent">,
  I32EnumAttrCase<"Dynamic", 2, "dynamic">
]>;

def Attn_GPUAttentionKernelAttr : AttrDef<Attn_Dialect, "GPUAttentionKernel"> {
  let mnemonic = "gpu_attention_kernel";
  let summary = "The schedule of attn.attention as one GPU kernel";
  let description = [{
    A block of threads takes a tile of `queryBlock` queries of one head through all keys, `keyBlock` of them at a time,
    from the last to the first; `warps` warps compute, each on `queryBlock` / `warps` queries. Scores, probabilities and
    outputs stay in registers. What masks the kernel knows and whether it writes log-sum-exps is no part of the schedule.

    | `instruction` | runs on | data comes by | notes |
    |---|---|---|---|
    | `mma` | sm_80 and later | `cp.async`, `ldmatrix` | keys and values have one buffer each, loaded while the other is used |
    | `wgmma` | sm_90a | TMA, by a warp of its own, through `stages` buffers of keys and of values | one more group of four warps is launched for that warp |

    `order` says which block takes which tile. `grid`: a block for each tile. `persistent`: a block for each
    multiprocessor, which takes every n-th tile, so that a tile's end overlaps with the next one's beginning. `dynamic`:
    the same with the next tile taken from a counter in global memory, which balances causal tiles of unequal length; two
    i32, zero before the first launch, and zero again after each.

    `pingpong` lets groups of four warps take turns with the tensor cores, so that one computes exponentials while
    another multiplies. With `lazyRescale` = n > 0, outputs are rescaled only where a row's maximum has grown by more than
    n in powers of two since the last time: probabilities are then up to 2^n, and as exact as before.

    `headSize` is that of the tiles. For `wgmma`, heads may be smaller by any multiple of 8 channels: missing ones are
    read as zeros and not written.

    Constraints:
    - K1: `mma`: headSize 64, 128 or 256; queryBlock is warps * 16 or warps * 32; warps 4 or 8; keyBlock a multiple of 16
      and of warps * 256 / headSize (the rows that all threads copy at a time); stages = 1, order = grid, no pingpong, no
      lazyRescale.
    - K2: `wgmma`: headSize a multiple of 64 up to 256; warps 8 or 12 and queryBlock = warps * 16; keyBlock a multiple of
      16 up to 256; 2 to 8 stages; lazyRescale from 0 to 8.
    - K3: shared memory: 227 KiB for `wgmma`, 99 KiB for `mma`, which every chip since sm_80 has.
    - K4: registers of a thread, counted as accumulators of scores and outputs, packed probabilities and 32 more, are at
      most 240 (`wgmma`, 8 warps), 160 (12 warps); for `mma`, accumulators and 80 more are at most 255.

    ```mlir
    #attn.gpu_attention_kernel<instruction = wgmma, headSize = 128, queryBlock = 128, keyBlock = 128, warps = 8,
                               stages = 2, order = persistent>
    ```

    Source: Dao, FlashAttention-2, 2023; Shah et al., FlashAttention-3, 2024.
  }];
  let parameters = (ins EnumParameter<Attn_MatrixInstruction>:$instruction, "int64_t":$headSize, "int64_t":$queryBlock,
                        "int64_t":$keyBlock, "int64_t":$warps, DefaultValuedParameter<"int64_t", "1">:$stages,
                        DefaultValuedParameter<"::attn::TileOrder", "::attn::TileOrder::Grid">:$order,
                        DefaultValuedParameter<"bool", "false">:$pingpong,
                        DefaultValuedParameter<"int64_t", "0">:$lazyRescale);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    bool isWgmma() const { return getInstruction() == ::attn::MatrixInstruction::Wgmma; }
    /// Threads of a block, those of the warps that only load included.
    int64_t getThreads() const;
    /// The oldest chip that runs the kernel, as LLVM calls it.
    ::llvm::StringRef getChip() const { return isWgmma() ? "sm_90a" : "sm_80"; }
  }];
}

def Attn_ProductKind : Attn_Enum<"ProductKind", "How a kernel multiplies elements", [
  I32EnumAttrCase<"Narrow", 0, "narrow">,
  I32EnumAttrCase<"SplitTF32", 1, "split_tf32">
]>;

def Attn_GPULinearKernelAttr : AttrDef<Attn_Dialect, "GPULinearKernel"> {
  let mnemonic = "gpu_linear_kernel";
  let summary = "The schedule of attn.linear as one GPU kernel";
  let description = [{
    A block of `warpRows` x `warpColumns` warps computes `rows` x `columns` elements of the output with `mma`, each warp
    an equal part of them. 64 bytes of each row of the input and of the weight at a time come by `cp.async` through
    `stages` buffers. The weight stands as models store it. Sums are f32 in registers; they pass through shared memory to
    the epilogue, which takes them in rows.

    | `products` | elements | error |
    |---|---|---|
    | `narrow` | f16 or bf16 | products are exact, sums in f32 |
    | `split_tf32` | f32 | an element is the sum of two tf32, x = h + l with an error of 2^-22 x or less; a product is h h' + h l' + l h', which leaves out l l', 2^-22 of it or less: in all, less than 2^-20 of each product, sums in f32; infinity yields NaN |

    Constraints:
    - C1: `rows` is a positive multiple of 32 * warpRows, `columns` of 16 * warpColumns, and both of 8 * warpRows *
      warpColumns, the rows that all threads copy at a time.
    - C2: 2 to 4 stages; their stages * (rows + columns) * 64 bytes of shared memory are at most 48 KiB, and hold half of
      the sums, in rows of columns + 8.
    - C3: a thread has at most 128 sums.

    ```mlir
    #attn.gpu_linear_kernel<rows = 128, columns = 128, warpRows = 2, warpColumns = 4, stages = 3, products = narrow>
    ```

    Source: Ootomo and Yokota, Recovering single precision accuracy from Tensor Cores, 2022.
  }];
  let parameters = (ins "int64_t":$rows, "int64_t":$columns, "int64_t":$warpRows, "int64_t":$warpColumns,
                        "int64_t":$stages, EnumParameter<Attn_ProductKind>:$products);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    int64_t getThreads() const { return 32 * getWarpRows() * getWarpColumns(); }
  }];
}

//===----------------------------------------------------------------------===//
// Launches
//===----------------------------------------------------------------------===//

def Attn_GPUArgumentKind : Attn_Enum<"GPUArgumentKind", "What an argument of a GPU kernel is", [
  I32EnumAttrCase<"QueryMap", 0, "query_map">,
  I32EnumAttrCase<"KeyMap", 1, "key_map">,
  I32EnumAttrCase<"ValueMap", 2, "value_map">,
  I32EnumAttrCase<"OutputMap", 3, "output_map">,
  I32EnumAttrCase<"Query", 4, "query">,
  I32EnumAttrCase<"Key", 5, "key">,
  I32EnumAttrCase<"Value", 6, "value">,
  I32EnumAttrCase<"Output", 7, "output">,
  I32EnumAttrCase<"LogSumExp", 8, "log_sum_exp">,
  I32EnumAttrCase<"QueryStrides", 9, "query_strides">,
  I32EnumAttrCase<"KeyStrides", 10, "key_strides">,
  I32EnumAttrCase<"ValueStrides", 11, "value_strides">,
  I32EnumAttrCase<"OutputStrides", 12, "output_strides">,
  I32EnumAttrCase<"QueryLength", 13, "query_length">,
  I32EnumAttrCase<"KeyLength", 14, "key_length">,
  I32EnumAttrCase<"Scale", 15, "scale">,
  I32EnumAttrCase<"Batch", 16, "batch">,
  I32EnumAttrCase<"Heads", 17, "heads">,
  I32EnumAttrCase<"HeadsPerKeyHead", 18, "heads_per_key_head">,
  I32EnumAttrCase<"HeadsTogether", 19, "heads_together">,
  I32EnumAttrCase<"TileCounter", 20, "tile_counter">
]>;

def Attn_GPUArgumentAttr : AttrDef<Attn_Dialect, "GPUArgument"> {
  let mnemonic = "gpu_argument";
  let summary = "What one argument of a GPU kernel is";
  let description = [{
    | kind | passed as |
    |---|---|
    | `query_map`, `key_map`, `value_map`, `output_map` | a tensor map (128 bytes, by value) of dimensions (channel, row, head, batch), the channel innermost and contiguous; boxes of 64 channels x `rows` rows, 128-byte swizzle, zeros outside |
    | `query`, `key`, `value`, `output` | a pointer into global memory |
    | `log_sum_exp` | a pointer to f32 [batch, heads, query_length] |
    | `..._strides` | three i64, elements from one batch row, head and row to the next |
    | `query_length`, `key_length`, `batch`, `heads` | i32; `heads` are those of the queries |
    | `heads_per_key_head` | i32, how many heads of queries share a head of keys and values |
    | `scale` | f32, positive: the scale of scores times log2(e) |
    | `heads_together` | i32, at least 1: tiles of so many (batch, head) pairs run side by side, so that their keys and values stay in the second-level cache; best a divisor of their number, else the last few leave multiprocessors idle |
    | `tile_counter` | a pointer to two i32, see `order` of `#attn.gpu_attention_kernel` |

    Tensors given by pointers are read and written in vectors where all pointers and strides are multiples of 16 bytes,
    and else element by element.
  }];
  let parameters = (ins EnumParameter<Attn_GPUArgumentKind>:$kind, DefaultValuedParameter<"int64_t", "0">:$rows);
  let assemblyFormat = "`<` $kind (`,` `rows` `=` $rows^)? `>`";
}

def Attn_GPULaunchAttr : AttrDef<Attn_Dialect, "GPULaunch"> {
  let mnemonic = "gpu_launch";
  let summary = "How a GPU kernel is launched";
  let description = [{
    Stands on a kernel's function as `attn.gpu_launch`. There are T = ceil(query_length / `queryBlock`) * heads * batch
    tiles. The grid is one-dimensional: T blocks for `order` = grid, else the smaller of T and the number of
    multiprocessors; a block has `threads` threads and `sharedBytes` of dynamic shared memory. `arguments` are those of
    the function, in order.
  }];
  let parameters = (ins "int64_t":$threads, "int64_t":$sharedBytes, "int64_t":$queryBlock,
                        EnumParameter<Attn_TileOrder>:$order, ArrayRefParameter<"::attn::GPUArgumentAttr">:$arguments);
  let assemblyFormat = [{
    `<` `threads` `=` $threads `,` `sharedBytes` `=` $sharedBytes `,` `queryBlock` `=` $queryBlock `,`
    `order` `=` $order `,` `arguments` `=` `[` $arguments `]` `>`
  }];
}

#endif
