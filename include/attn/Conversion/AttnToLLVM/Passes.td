//===- Passes.td - Passes of the stage `lower` ----------------*- tablegen -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_CONVERSION_ATTNTOLLVM_PASSES_TD
#define ATTN_CONVERSION_ATTNTOLLVM_PASSES_TD

include "mlir/Pass/PassBase.td"

def OutlineTasks : Pass<"attn-outline-tasks", "::mlir::ModuleOp"> {
  let summary = "Make a function of the body of each parallel loop";
  let description = [{
    The body of each bufferized `scf.forall` of a public function moves into a function `NAME.task.I(begin, end, worker,
    captures...)` that loops over [begin, end); in its place stands `attn.parallel_for`. Constants and weights move along
    instead of being captured. `attn.worker` becomes the function's argument.

    ```mlir
    // Before
    scf.forall (%i) in (%n) { use(%i, %buffer) }
    // After
    attn.parallel_for @f.task.0(%n) captures(%buffer : memref<?xf32>)
    func.func private @f.task.0(%begin: index, %end: index, %worker: index, %buffer: memref<?xf32>) {
      scf.for %i = %begin to %end step %c1 { use(%i, %buffer) }
    }
    ```
  }];
  let statistics = [Statistic<"numTasks", "num-tasks", "Task functions made">];
  let dependentDialects = ["::mlir::scf::SCFDialect", "::mlir::arith::ArithDialect", "::mlir::func::FuncDialect",
                           "::attn::AttnDialect"];
}

def LowerEntries : Pass<"attn-lower-entries", "::mlir::ModuleOp"> {
  let summary = "Give entries the calling convention of the runtime";
  let description = [{
    For each entry writes the two functions that the model's table points to, `PREFIX.ENTRY.TARGET.run(ptr call) -> i32`
    and `PREFIX.ENTRY.TARGET.workspace(ptr dims, i64 threads) -> i64` (see Runtime/Model.h): they read pointers and sizes
    and call the entry, which becomes private. `attn.num_workers` is read from the call; `attn.parallel_for` stores its
    captures in a frame on the stack and calls the runtime with a function that loads them. `attn.check`, also in tasks,
    gets the call.
  }];
  let options = [Option<"prefix", "prefix", "std::string", "\"model\"", "Of the symbols: the library's prefix">];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::func::FuncDialect", "::mlir::arith::ArithDialect"];
}

def LowerChecks : Pass<"attn-lower-checks", "::mlir::ModuleOp"> {
  let summary = "Return early where a check fails";
  let description = [{
    After structured control flow has become branches, each `attn.check` becomes one: to what follows it, or to a block
    that raises the call's flag and returns from the entry or task. The runtime returns the first flag as run's error.

    ```mlir
    attn.check %fits violates shape call(%call : !llvm.ptr)
    // becomes
    cf.cond_br %fits, ^rest, ^violated
    ^violated:
      call @attn_rt_v1_flag(%call, %c3_i32) : (!llvm.ptr, i32) -> ()
      return
    ```
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::cf::ControlFlowDialect", "::mlir::func::FuncDialect",
                           "::mlir::arith::ArithDialect"];
  let statistics = [Statistic<"numChecks", "num-checks", "Checks lowered">];
}

def LowerWeights : Pass<"attn-lower-weights", "::mlir::ModuleOp"> {
  let summary = "Address weights as external symbols";
  let description = [{
    `attn.get_weight @w` becomes the address of the external constant `PREFIX.weight.w`, which lies in the library's weight
    section.
  }];
  let options = [Option<"prefix", "prefix", "std::string", "\"model\"", "Of the symbols: the library's prefix">];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

def LowerLaunches : Pass<"attn-lower-launches", "::mlir::ModuleOp"> {
  let summary = "Let the runtime launch kernels and keep constants on the GPU";
  let description = [{
    Each `gpu.launch_func` of an entry stores its arguments on the stack, memrefs as their descriptors' fields, and calls
    `attn_rt_v1_launch`. `attn.get_weight` and constants become the GPU's copies, whose addresses the call holds. The
    image of the kernels, a `gpu.binary`, and the lists of kernels and constants become the table `PREFIX.TARGET.gpu`,
    an `attn_gpu_code` of Runtime/Model.h.

    ```mlir
    gpu.launch_func @kernels::@kernel blocks in (%n, %c1, %c1) threads in (%c256, %c1, %c1) args(%x : f32)
    // becomes
    llvm.store %x, %frame : f32, !llvm.ptr
    llvm.store %frame, %pointers : !llvm.ptr, !llvm.ptr
    call @attn_rt_v1_launch(%call, %c0, %n, %c256, %pointers)
    ```
  }];
  let options = [Option<"prefix", "prefix", "std::string", "\"model\"", "Of the symbols: the library's prefix">];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::func::FuncDialect", "::mlir::arith::ArithDialect"];
}

def ExpandReshapes : Pass<"attn-expand-reshapes"> {
  let summary = "Make reinterpreting casts of memref.expand_shape";
  let description = [{
    Each becomes `memref.reinterpret_cast` with its sizes and the strides they imply. Unlike the upstream expansion of
    strided metadata, several dimensions of a group may be dynamic, since the op says their sizes.
  }];
  let dependentDialects = ["::mlir::memref::MemRefDialect", "::mlir::arith::ArithDialect"];
}

def GuardDivision : Pass<"attn-guard-division"> {
  let summary = "Give every integer division a value";
  let description = [{
    Processors trap where a model divides integers by 0, or the least number by -1, and a trap would end the host's
    process. With this pass `x / 0` is 0 and `x % 0` is x; the least number divided by -1 is itself, remainder 0. That
    holds for signed and unsigned division of `arith` and `index`, rounded in any direction, also in vectors. Divisions
    by constants other than 0 and -1 stay as they are.

    ```mlir
    // Before
    %q = arith.divui %x, %y : i32
    // After
    %is_zero = arith.cmpi eq, %y, %c0_i32 : i32
    %safe = arith.select %is_zero, %c1_i32, %y : i32
    %d = arith.divui %x, %safe : i32
    %q = arith.select %is_zero, %c0_i32, %d : i32
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect"];
}

def VerifyLower : Pass<"attn-verify-lower", "::mlir::ModuleOp"> {
  let summary = "The contract of the stage `lower`";
  let description = [{ Every op in the module is of the LLVM dialect. }];
}

#endif // ATTN_CONVERSION_ATTNTOLLVM_PASSES_TD
