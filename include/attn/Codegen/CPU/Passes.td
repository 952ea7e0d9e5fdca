//===- Passes.td - Passes of the stage `kernel` for CPUs ---*- tablegen -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_CODEGEN_CPU_PASSES_TD
#define ATTN_CODEGEN_CPU_PASSES_TD

include "mlir/Pass/PassBase.td"

def OutlineKernelsPass : Pass<"attn-outline-kernels", "::mlir::ModuleOp"> {
  let summary = "Makes each distinct kernel op a function";
  let description = [{
    Every op with a `kernel` attribute on memrefs becomes a call of a private function that holds just that op. Ops that
    are equal but for the values they are given share one function, so the layers of a model share their kernels. What
    may differ between uses of a kernel without harm is made dynamic in the function's types, by casts at the call: the
    number of rows, and offsets. Inner sizes and strides stay static: addresses in inner loops are then immediate.

    Functions are named after the op and its sizes, have internal linkage and are not inlined.

    ```mlir
    attn.layer_norm ins(%x, %scale : memref<16x384xf32>, memref<384xf32>) outs(%y : memref<16x384xf32>)
      {epsilon = 1.0e-12, kernel = #attn.row_kernel<lanes = 16>}
    ```
    becomes
    ```mlir
    %0 = memref.cast %x : memref<16x384xf32> to memref<?x384xf32, strided<[384, 1], offset: ?>>
    ...
    call @attn_layer_norm_384_0(%0, %scale, %1) : ...
    ```
  }];
  let statistics = [
    Statistic<"numKernelOps", "kernel-ops", "Number of kernel ops">,
    Statistic<"numFunctions", "functions", "Number of functions made for them">
  ];
  let dependentDialects = ["::mlir::func::FuncDialect", "::mlir::memref::MemRefDialect", "::mlir::LLVM::LLVMDialect"];
}

def ExpandLinearPass : Pass<"attn-expand-linear"> {
  let summary = "Expands attn.linear with a weight in panels into register tiles";
  let description = [{
    For each panel of the weight, tiles of `rows` x `columns` accumulators go down the rows of the input, and the whole
    sum over K runs with the accumulators in registers: a panel stays in cache while the rows pass by. Rows that are left
    over take exact tiles of 8, 4, 2 and 1 rows. While the tiles of a panel run, the next panel is prefetched, an equal
    part by each tile. The epilogue is applied to the accumulators before they are stored.
    Where N is no multiple of the panels' width, the last panel has its own code, with masks where they are needed.

    Sums of more than 384 terms are taken in equal blocks of at most 256, whose totals are added. For terms of size t and
    random sign the rounding error of a sum of K is about 2.5e-8 K t up to there and 2.5e-8 sqrt(256 K) t beyond.

    ```mlir
    attn.linear ins(%x, %w : memref<?x384xf32>, memref<12x384x32xf32>) outs(%y : memref<?x384xf32>)
      attributes {kernel = #attn.linear_kernel<rows = 12, columns = 32, lanes = 16>} {...}
    ```
    becomes loops around
    ```mlir
    %sums:24 = scf.for %k = %c0 to %c384 step %c1 iter_args(%s0 = %zero, ...) -> (vector<16xf32>, ...) {
      %w0 = vector.load %w[%panel, %k, %c0] : ...
      %w1 = vector.load %w[%panel, %k, %c16] : ...
      %x0 = memref.load %x[%m, %k] : ...
      %b0 = vector.broadcast %x0 : f32 to vector<16xf32>
      %f0 = vector.fma %b0, %w0, %s0 : vector<16xf32>
      ...
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::math::MathDialect", "::mlir::memref::MemRefDialect",
                           "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect"];
}

def ExpandAttentionPass : Pass<"attn-expand-attention"> {
  let summary = "Expands the tiled ops of attention into register tiles";
  let description = [{
    `attn.online_attention` becomes four loops: scores for tiles of `keyRows` keys x `queries` queries, whose maxima are
    kept in registers, one lane for each query; the exponentials, in place; the rescaling factors of what came before; and
    the products with the values in tiles of `valueRows` queries x `valueColumns` channels. As queries stand in lanes,
    neither keys nor values are packed or transposed, and maxima and sums need no operation across lanes.

    A power is 2^((s - m) c) with m the largest score so far and c = scale log2(e). (Scales that are not positive or are
    extreme multiply the scores instead.) The difference is rounded at most once and never positive, so the largest power
    of a query is exactly 1 and finite scores of any size are safe. Relative error of a power e^x: 1.7e-7 + 1e-7 |x|.

    Powers below 2^-126 are flushed to 0, so that no power is denormal. A key of which `key_mask` is 0 has the score
    -infinity. While a query has seen no key, its maximum is -infinity and its sum and outputs stay 0.

    `attn.pack` becomes transposes of lanes x lanes elements in registers, `attn.online_finish` a division of rows.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::math::MathDialect", "::mlir::memref::MemRefDialect",
                           "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect"];
}

def ExpandRowsPass : Pass<"attn-expand-rows"> {
  let summary = "Expands layer norm, embedding and key ranges into loops on vectors";
  let description = [{
    `attn.layer_norm` takes four rows at a time in three sweeps over data that is in the first-level cache by then: mean,
    variance around that mean with the mean's own rounding error, and the result; `init` may be the buffer of `input`. A
    normalized value is off by about 1e-6 however large the mean is. Rows of one value become `shift`, without an epsilon
    too, and so do finite rows of which the variance is no finite f32.

    `attn.embedding` adds up rows of its tables. `attn.key_ranges` is one scalar sweep over the mask. Sizes that are no
    multiple of the vector end with a mask.

    ```mlir
    attn.layer_norm ins(%x, %scale, %shift : memref<?x384xf32>, memref<384xf32>, memref<384xf32>)
      outs(%y : memref<?x384xf32>) {epsilon = 1.0e-12, kernel = #attn.row_kernel<lanes = 16>}
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::math::MathDialect", "::mlir::memref::MemRefDialect",
                           "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect"];
}

def ExpandMathPass : Pass<"attn-expand-math"> {
  let summary = "Expands functions of f32 into polynomials";
  let description = [{
    `attn.gelu`, `math.erf`, `math.erfc`, `math.exp`, `math.exp2`, `math.log` and `math.tanh` on f32 and vectors of f32 become
    arithmetic, so that no call of a mathematical library remains. Bounds, on all finite arguments:

    | function | bound |
    |---|---|
    | exp, exp2 | relative error 1e-7; 0 below 2^-125 |
    | log | relative error 1e-7 |
    | tanh | relative error 2e-7 |
    | erf | absolute error 2.4e-7 |
    | erfc | relative error 5e-7; 0 below 2^-125 |
    | gelu | error 1.2e-7 \|x\| |
    | gelu with tanh | error 1.2e-7 \|x\| |

    Finite arguments have finite results but for exp, exp2 and log. NaNs stay NaNs, and infinities have their limits (GELU
    of -infinity is NaN, as -infinity times 0 is).
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::math::MathDialect"];
}

def VerifyKernel : Pass<"attn-verify-kernel", "::mlir::ModuleOp"> {
  let summary = "The contract of the stage `kernel`";
  let description = [{
    Of the attn dialect only weights and what tasks need are left (`attn.get_weight`, `attn.worker`, `attn.num_workers`),
    and no op of linalg or tensor.
  }];
}

#endif // ATTN_CODEGEN_CPU_PASSES_TD
