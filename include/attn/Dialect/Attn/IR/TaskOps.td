//===- TaskOps.td - Tasks: parallel loops after outlining --*- tablegen -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_DIALECT_ATTN_IR_TASKOPS_TD
#define ATTN_DIALECT_ATTN_IR_TASKOPS_TD

include "attn/Dialect/Attn/IR/OpBase.td"

def Attn_NumWorkersOp : Attn_Op<"num_workers", [Pure]> {
  let summary = "For how many workers this run's workspace has slices";
  let description = [{
    At least 1. The same value for a whole run.

    ```mlir
    %workers = attn.num_workers
    ```
  }];
  let results = (outs Index:$result);
  let assemblyFormat = "attr-dict";
}

def Attn_WorkerOp : Attn_Op<"worker"> {
  let summary = "Which worker runs this task, in [0, attn.num_workers)";
  let description = [{
    Inside an `scf.forall` or a task function only; selects the worker's slice of scratch. Not pure: two tasks differ in
    it.

    ```mlir
    %worker = attn.worker
    ```
  }];
  let results = (outs Index:$result);
  let assemblyFormat = "attr-dict";
}

def Attn_ParallelForOp : Attn_Op<"parallel_for", [DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "Calls a task function over chunks of [0, count)";
  let description = [{
    Calls `task(begin, end, worker, captures...)` for chunks that cover [0, count), possibly at the same time, and returns
    when all have returned. Tasks never wait for each other.

    Constraints:
    - C1: `task` is a function (index, index, index, types of captures...) -> ().

    ```mlir
    attn.parallel_for @rows(%count) captures(%x, %y : memref<?x384xf32>, memref<?x384xf32>)
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$task, Index:$count, Variadic<AnyType>:$captures);
  let assemblyFormat = "$task `(` $count `)` (`captures` `(` $captures^ `:` type($captures) `)`)? attr-dict";
}

#endif
