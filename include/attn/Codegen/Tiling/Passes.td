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
    Ops that compute a row of their result from a row of their operands (`attn.linear`, norms, `attn.embedding`) and
    feed each other become one `scf.forall` over blocks of rows: a task takes its rows through the whole chain, so that
    what is between stays in its core's cache and the chain costs one barrier. Results that are used outside of the
    chain are inserted into full tensors; the others become tiles of a task's own.

    How many rows a task takes is known at run time: at most the smallest `rowBlock` of the chain's schedules, and so that
    the tasks are as many for each worker. The `kernel` of each schedule moves onto its op.

    Where a schedule has a `columnBlock`, the chain is made twice, and an `scf.if` chooses at run time: where there are
    fewer blocks of rows than workers, each linear is a parallel loop of its own over blocks of columns.

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
                    Statistic<"numRowOps", "num-row-ops", "Row ops in them">,
                    Statistic<"numSplit", "num-split", "Chains with a second form for few rows">];
  let dependentDialects = ["::mlir::scf::SCFDialect", "::mlir::tensor::TensorDialect", "::mlir::arith::ArithDialect",
                           "::mlir::bufferization::BufferizationDialect", "::attn::AttnDialect"];
}

def TileAttention : Pass<"attn-tile-attention", "::mlir::func::FuncOp"> {
  let summary = "Make attention a task for each batch row, head and tile of queries, looping over blocks of keys";
  let description = [{
    A task packs its queries into lanes, takes the keys from the first to the last that counts in blocks into
    `attn.online_attention`, and divides by the sums. Which keys count is read from `ranges` once; rows whose range has
    holes take a loop with the element mask, all others a loop without.

    An empty row (an empty range, or beside a key mask `ranges[b, 3]`) yields zeros because its loop has no keys (`empty =
    zero`), the mean of the values because its queries are taken as zeros (`uniform`), or attention over all keys
    (`unmasked`).

    Conditions of the mask region that compare `k`, or `k - q`, with what is the same in a task bound the loop over keys,
    and the latter are the edges `lower` and `upper` of `attn.online_attention`; the other conditions and the score region
    become its regions, which read tiles of the mapped operands. Where such rows without keys yield something, they are
    looked for after the loop, and replaced. Tiles of a causal mask with most keys come first.
  }];
  let statistics = [Statistic<"numTiled", "num-tiled", "Attention ops made into parallel loops">];
  let dependentDialects = ["::mlir::scf::SCFDialect", "::mlir::tensor::TensorDialect", "::mlir::arith::ArithDialect",
                           "::mlir::linalg::LinalgDialect", "::mlir::affine::AffineDialect",
                           "::mlir::bufferization::BufferizationDialect", "::attn::AttnDialect"];
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

def FuseGeneric : Pass<"attn-fuse-generic", "::mlir::func::FuncOp"> {
  let summary = "Make elementwise ops linalg ops and fuse them";
  let description = [{
    Elementwise ops on tensors that no kernel took up (`arith`, `math`, `attn.gelu`) become `linalg.generic`, as named
    elementwise linalg ops and `linalg.softmax` do. An elementwise op that one other linalg op reads element by element
    is computed there.

    ```mlir
    %0 = arith.addf %x, %y : tensor<?xf32>
    %1 = math.exp %0 : tensor<?xf32>
    // becomes
    %1 = linalg.generic {...} ins(%x, %y : ...) outs(%e : ...) {
    ^bb0(%a: f32, %b: f32, %o: f32):
      %2 = arith.addf %a, %b : f32
      %3 = math.exp %2 : f32
      linalg.yield %3 : f32
    } -> tensor<?xf32>
    ```
  }];
  let dependentDialects = ["::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect",
                           "::mlir::linalg::LinalgDialect", "::mlir::math::MathDialect",
                           "::mlir::tensor::TensorDialect"];
}

def TileGeneric : Pass<"attn-tile-generic", "::mlir::func::FuncOp"> {
  let summary = "Make tasks of linalg ops";
  let description = [{
    Linalg ops on tensors whose results have the same leading dimensions and that read each other along these become one
    `scf.forall` over them; the last of these dimensions is cut into blocks, the others go one by one. Reductions and the
    last dimension of a result stay whole in a task. What only a task needs is a buffer of the task.

    How large a block is follows at run time from the work there is: a task has at least some microseconds of it, and
    there are as many tasks as workers where that allows it.

    ```mlir
    %0 = linalg.fill ins(%zero : f32) outs(%e : tensor<?xf32>) -> tensor<?xf32>
    %1 = linalg.reduce ins(%x : tensor<?x?xf32>) outs(%0 : tensor<?xf32>) dimensions = [1] ...
    // becomes
    %1 = scf.forall (%task) in (%tasks) shared_outs(%o = %e) -> (tensor<?xf32>) {
      %rows = tensor.extract_slice %x[%begin, 0] [%size, %n] [1, 1] : ...
      %out = tensor.extract_slice %o[%begin] [%size] [1] : ...
      %2 = linalg.fill ins(%zero : f32) outs(%out : tensor<?xf32>) -> tensor<?xf32>
      %3 = linalg.reduce ins(%rows : tensor<?x?xf32>) outs(%2 : tensor<?xf32>) dimensions = [1] ...
      scf.forall.in_parallel { tensor.parallel_insert_slice %3 into %o[%begin] [%size] [1] : ... }
    }
    ```
  }];
  let statistics = [Statistic<"numChains", "num-chains", "Parallel loops made">,
                    Statistic<"numOps", "num-ops", "Linalg ops in them">];
  let dependentDialects = ["::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect",
                           "::mlir::bufferization::BufferizationDialect", "::mlir::scf::SCFDialect",
                           "::mlir::tensor::TensorDialect", "::attn::AttnDialect"];
}

def VectorizeGeneric : Pass<"attn-vectorize-generic", "::mlir::func::FuncOp"> {
  let summary = "Run linalg ops on native vectors";
  let description = [{
    A linalg op on buffers, named or generic, becomes loops around one-dimensional vectors of the target's width. One of
    its loops goes in lanes: the one with the most consecutive and the fewest strided accesses. What is left of it takes
    a mask. Elements that lanes meet in steps are gathered and scattered. Sums over lanes are partial sums that are
    combined at the end, thus in another order; products that are summed are fused.

    Ops whose body is not elementwise or calls functions that have no vector form, or none of whose loops can go in
    lanes, stay as they are, with a remark of the category `attn-vectorize` that says why. Copies between buffers that
    are not dense are treated like linalg ops.

    ```mlir
    linalg.generic {indexing_maps = [affine_map<(m, n) -> (m, n)>, affine_map<(m, n) -> (m)>],
                    iterator_types = ["parallel", "reduction"]}
        ins(%x : memref<?x384xf32>) outs(%sum : memref<?xf32>) {
    ^bb0(%e: f32, %s: f32):
      %0 = arith.addf %s, %e : f32
      linalg.yield %0 : f32
    }
    ```
    becomes a loop over m around
    ```mlir
    %sums:4 = scf.for %n = %c0 to %c384 step %c64 iter_args(%s0 = %zero, ...) -> (vector<16xf32>, ...) {
      %e0 = vector.load %x[%m, %n] : memref<?x384xf32>, vector<16xf32>
      %a0 = arith.addf %s0, %e0 : vector<16xf32>
      ...
    }
    ```
  }];
  let statistics = [Statistic<"numVectorized", "num-vectorized", "Linalg ops that became vectors">,
                    Statistic<"numScalar", "num-scalar", "Linalg ops that stay scalar">];
  let dependentDialects = ["::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect",
                           "::mlir::linalg::LinalgDialect", "::mlir::LLVM::LLVMDialect", "::mlir::math::MathDialect",
                           "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect"];
}

#endif // ATTN_CODEGEN_TILING_PASSES_TD
