//===- Passes.td - The example's pass -------------------------*- tablegen -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

include "mlir/Pass/PassBase.td"

def ApproximateGelu : Pass<"example-approximate-gelu"> {
  let summary = "Use the tanh form of GELU everywhere";
  let description = [{
    ```mlir
    // Before
    %1 = attn.gelu %0 : f32
    // After
    %1 = attn.gelu approximate %0 : f32
    ```
  }];
  let dependentDialects = ["::attn::AttnDialect"];
}
