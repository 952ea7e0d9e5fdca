//===- Passes.td - Passes of the stage `tile` -----------------*- tablegen -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_CODEGEN_TILING_PASSES_TD
#define ATTN_CODEGEN_TILING_PASSES_TD

include "mlir/Pass/PassBase.td"

def TileRows : Pass<"attn-tile-rows", "::mlir::func::FuncOp"> {
  let summary = "Make tasks of blocks of rows, each through a chain of row ops";
  let description = [{
    Ops that compute a row of their result from a row of their operands (`attn.linear`, `attn.layer_norm`,
    `attn.embedding`) and feed each other become one `scf.forall` over blocks of rows: a task takes its rows through the
    whole chain, so that what is between stays in its core's cache and the chain costs one barrier. Results that are used
    outside of the chain are inserted into full tensors; the others become tiles of a task's own.

    How many rows a task takes is known at run time: at most the smallest `rowBlock` of the chain's schedules, and so that
    the tasks are as many for each worker. The `kernel` of each schedule moves onto its op.

    ```mlir
    // Before
    %a = attn.linear ins(%x, %w) outs(%e0) {schedule = ...}
    %b = attn.layer_norm ins(%a, ...) outs(%e1) {schedule = ...}
    // After
    %b = scf.forall (%task) in (%tasks) shared_outs(%o = %e1) {
      %a = attn.linear ins(%x_rows, %w) outs(%tile) {kernel = ...}
      %r = attn.layer_norm ins(%a, ...) outs(%o_rows) {kernel = ...}
      scf.forall.in_parallel { tensor.parallel_insert_slice %r into %o[...] }
    }
    ```
  }];
  let statistics = [Statistic<"numChains", "num-chains", "Chains of row ops made into one parallel loop">,
                    Statistic<"numRowOps", "num-row-ops", "Row ops in them">];
  let dependentDialects = ["::mlir::scf::SCFDialect", "::mlir::tensor::TensorDialect", "::mlir::arith::ArithDialect",
                           "::mlir::bufferization::BufferizationDialect", "::attn::AttnDialect"];
}

def TileAttention : Pass<"attn-tile-attention", "::mlir::func::FuncOp"> {
  let summary = "Make attention a task for each batch row, head and tile of queries, looping over blocks of keys";
  let description = [{
    A task packs its queries into lanes, takes the keys from the first to the last that counts in blocks into
    `attn.online_attention`, and divides by the sums. Which keys count is read from `ranges` once; rows whose range has
    holes take a loop with the element mask, all others a loop without.

    An empty row (`ranges[b, 3]`) yields zeros because its loop has no keys (`empty = zero`), the mean of the values
    because its queries are taken as zeros (`uniform`), or attention over all keys (`unmasked`).
  }];
  let statistics = [Statistic<"numTiled", "num-tiled", "Attention ops made into parallel loops">];
  let dependentDialects = ["::mlir::scf::SCFDialect", "::mlir::tensor::TensorDialect", "::mlir::arith::ArithDialect",
                           "::mlir::linalg::LinalgDialect", "::mlir::affine::AffineDialect", "::attn::AttnDialect"];
}

def AssignKernels : Pass<"attn-assign-kernels", "::mlir::func::FuncOp"> {
  let summary = "Give a kernel to the ops that are not cut into tasks";
  let description = [{
    `attn.key_ranges` and `attn.pack` outside of parallel loops run as one call each; they get the `kernel` of the
    target's row ops. After this pass every attn op that reaches the stage `memory` has a kernel.
  }];
  let dependentDialects = ["::attn::AttnDialect"];
}

def VerifyTile : Pass<"attn-verify-tile", "::mlir::ModuleOp"> {
  let summary = "The contract of the stage `tile`";
  let description = [{
    No `attn.attention` and no schedule is left. Each attn op that keeps its name until the stage `kernel` has a kernel.
  }];
}

#endif // ATTN_CODEGEN_TILING_PASSES_TD
