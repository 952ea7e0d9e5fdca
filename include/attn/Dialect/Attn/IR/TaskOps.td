//===- TaskOps.td - Tasks: parallel loops after outlining --*- tablegen -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_DIALECT_ATTN_IR_TASKOPS_TD
#define ATTN_DIALECT_ATTN_IR_TASKOPS_TD

include "attn/Dialect/Attn/IR/OpBase.td"

/// A single i32 in memory.
def Attn_FlagBuffer : MemRefRankOf<[I32], [0]>;

def Attn_NumWorkersOp : Attn_Op<"num_workers", [Pure]> {
  let summary = "For how many workers this run's workspace has slices";
  let description = [{
    At least 1. The same value for a whole run.

    Constraints: none.

    ```mlir
    %workers = attn.num_workers
    ```

    Source: the tasks of this compiler; see the runtime's Team.c.
  }];
  let results = (outs Index:$result);
  let assemblyFormat = "attr-dict";
}

def Attn_WorkerOp : Attn_Op<"worker"> {
  let summary = "Which worker runs this task, in [0, attn.num_workers)";
  let description = [{
    Selects the worker's slice of scratch. Not pure: two tasks differ in it.

    Constraints:
    - C1: it stands inside an `scf.forall`, whose body becomes a task.

    ```mlir
    %worker = attn.worker
    ```

    Source: the tasks of this compiler; see the runtime's Team.c.
  }];
  let results = (outs Index:$result);
  let assemblyFormat = "attr-dict";
  let hasVerifier = 1;
}

def Attn_ParallelForOp : Attn_Op<"parallel_for", [DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "Calls a task function over chunks of [0, count)";
  let description = [{
    Calls `task(begin, end, worker, captures...)` for chunks that cover [0, count), possibly at the same time, and returns
    when all have returned. Tasks never wait for each other.

    Constraints:
    - C1: `task` is a function (index, index, index, types of captures...) -> ().
    - C2: no capture is a tensor: tasks write into buffers.

    ```mlir
    attn.parallel_for @rows(%count) captures(%x, %y : memref<?x384xf32>, memref<?x384xf32>)
    ```

    Source: the tasks of this compiler; see the runtime's Team.c.
  }];
  let arguments = (ins FlatSymbolRefAttr:$task, Index:$count, Variadic<AnyType>:$captures);
  let assemblyFormat = "$task `(` $count `)` (`captures` `(` $captures^ `:` type($captures) `)`)? attr-dict";
}

def Attn_CheckOp : Attn_Op<"check", [MemoryEffects<[MemWrite]>]> {
  let summary = "Ends the run with an error where a condition does not hold";
  let description = [{
    Where `condition` is false, nothing after the op runs in the entry or, inside a parallel loop, in the task, and the
    run returns the error that `violation` names: `shape` where sizes do not fit each other, `index` where an index lies
    outside of its tensor. What reads or writes after it may rely on the condition. `call` is the run of the entry, known
    from the stage `lower` on.

    Constraints: none.

    ```mlir
    %fits = arith.cmpi eq, %rows, %columns : index
    attn.check %fits violates shape
    ```

    Source: cf.assert, which ends the process instead.
  }];
  let arguments = (ins I1:$condition, Optional<AnyType>:$call, Attn_ViolationAttr:$violation);
  let assemblyFormat = "$condition `violates` $violation (`call` `(` $call^ `:` type($call) `)`)? attr-dict";
  let hasCanonicalizeMethod = 1;
}

def Attn_RunFlagOp : Attn_Op<"run_flag", [Pure]> {
  let summary = "Where threads of a GPU leave the error of a run";
  let description = [{
    An i32 in the GPU's memory, 0 before a run: kernels write the code of an error that they find. The runtime's `status`
    reads it when the run is through.

    Constraints: none.

    ```mlir
    %flag = attn.run_flag : memref<i32>
    ```

    Source: `attn.check`, which ends a run on the CPU.
  }];
  let results = (outs Attn_FlagBuffer:$result);
  let assemblyFormat = "attr-dict `:` type($result)";
}

#endif
