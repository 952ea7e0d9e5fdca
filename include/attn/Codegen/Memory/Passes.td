//===- Passes.td - Passes of the stage `memory` ---------------*- tablegen -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_CODEGEN_MEMORY_PASSES_TD
#define ATTN_CODEGEN_MEMORY_PASSES_TD

include "mlir/Pass/PassBase.td"

def WriteResults : Pass<"attn-write-results", "::mlir::func::FuncOp"> {
  let summary = "Entries write their results into buffers of the caller";
  let description = [{
    Each result of a public function gets a tensor argument, marked `attn.output`, that the value is materialized in, so
    that bufferization computes it there. Attributes of the result move to the argument. All other tensor arguments are
    marked as not writable. After bufferization `attn-drop-results` drops the results.

    Likewise what an iteration of a loop yields is materialized in the value that the iteration began with, so that all
    iterations work in the same buffers.

    ```mlir
    // Before
    func.func @f(%x: tensor<?xf32>) -> tensor<?xf32> { ... return %y }
    // After
    func.func @f(%x: tensor<?xf32>, %out: tensor<?xf32> {attn.output}) -> tensor<?xf32> {
      ... %0 = bufferization.materialize_in_destination %y in %out
      return %0
    }
    ```
  }];
  let dependentDialects = ["::mlir::bufferization::BufferizationDialect"];
}

def CopyResults : Pass<"attn-copy-results", "::mlir::func::FuncOp"> {
  let summary = "Make copies of what is materialized in a destination";
  let description = [{
    After empty tensors were replaced by the destinations of what is computed in them, each
    `bufferization.materialize_in_destination` on tensors becomes a `linalg.copy`: the analysis of bufferization then decides
    whether a value can stand in its destination, or has to be copied there since something else still reads it.

    ```mlir
    %0 = bufferization.materialize_in_destination %y in %out : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
    // becomes
    %0 = linalg.copy ins(%y : tensor<?xf32>) outs(%out : tensor<?xf32>) -> tensor<?xf32>
    ```
  }];
  let dependentDialects = ["::mlir::linalg::LinalgDialect"];
}

def Bufferize : Pass<"attn-bufferize", "::mlir::ModuleOp"> {
  let summary = "Make tensors buffers";
  let description = [{
    Upstream's one-shot bufferization of a module with its functions' boundaries. Arguments become dense, row-major buffers,
    but those of a type that a state has (`attn.state`, both of the pair): they become buffers of any strides with rows that
    are contiguous, so that a cache may be a part of a larger buffer.
  }];
  let dependentDialects = ["::mlir::bufferization::BufferizationDialect", "::mlir::memref::MemRefDialect"];
}

def KeepState : Pass<"attn-keep-state", "::mlir::func::FuncOp"> {
  let summary = "Don't copy a state onto itself";
  let description = [{
    The copy of an argument to the beginning of the output that continues it (`attn.state`) is made only where the caller
    gave the two at different places.

    ```mlir
    memref.copy %past, %beginning_of_present
    // becomes
    scf.if %addresses_differ { memref.copy %past, %beginning_of_present }
    ```
  }];
  let statistics = [Statistic<"numKept", "kept", "Number of copies that depend on addresses">];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect"];
}

def DropResults : Pass<"attn-drop-results", "::mlir::func::FuncOp"> {
  let summary = "Results of entries stand in the caller's buffers";
  let description = [{
    A result of a public function that is its output's buffer is dropped; any other is copied there first.

    ```mlir
    // Before
    func.func @f(%x: memref<?xf32>, %out: memref<?xf32> {attn.output}) -> memref<?xf32> { ... return %out }
    // After
    func.func @f(%x: memref<?xf32>, %out: memref<?xf32> {attn.output}) { ... return }
    ```
  }];
  let dependentDialects = ["::mlir::memref::MemRefDialect"];
}

def AllocateScratch : Pass<"attn-allocate-scratch", "::mlir::func::FuncOp"> {
  let summary = "Allocate the buffers that kernels need beside their operands";
  let description = [{
    Ops with a kernel say through KernelOpInterface which buffers it needs. They are allocated at the begin of the task
    that holds the op, from where `attn-plan-workspace` takes them.
  }];
  let dependentDialects = ["::mlir::memref::MemRefDialect"];
}

def PlanWorkspace : Pass<"attn-plan-workspace", "::mlir::ModuleOp"> {
  let summary = "Put all buffers into one workspace that the caller gives";
  let description = [{
    Each entry gets an argument `workspace`, and every allocation becomes a view of it. Buffers of the entry share slots
    where their lifetimes do not meet; a slot is as large as the largest of its buffers, computed from the entry's dynamic
    dimensions. Buffers of tasks are slices for each worker, shared by all parallel loops, which never run at the same
    time. A second function `NAME.workspace`, from the values of the entry's symbolic dimensions and the number of workers
    to i64, computes the size, or -1 where it does not fit in 63 bits.

    A size that is not known at entry counts as the largest that it may be: the full block for what a task has of a block
    of rows, the larger side for a branch. Where there is none, that is an error at the allocation's location.
  }];
  let options = [Option<"alignment", "alignment", "int64_t", "64", "Of each buffer, bytes">];
  let statistics = [Statistic<"numBuffers", "num-buffers", "Buffers placed">,
                    Statistic<"numSlots", "num-slots", "Slots that buffers of entries share">];
  let dependentDialects = ["::mlir::memref::MemRefDialect", "::mlir::arith::ArithDialect",
                           "::mlir::affine::AffineDialect", "::attn::AttnDialect"];
}

def VerifyMemory : Pass<"attn-verify-memory", "::mlir::ModuleOp"> {
  let summary = "The contract of the stage `memory`";
  let description = [{
    No value is a tensor. Nothing allocates. Nothing copies inside of a parallel loop. No constant is larger than 1 GiB.
  }];
}

#endif // ATTN_CODEGEN_MEMORY_PASSES_TD
