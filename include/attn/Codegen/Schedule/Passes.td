//===- Passes.td - Passes of the stage `schedule` -------------*- tablegen -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_CODEGEN_SCHEDULE_PASSES_TD
#define ATTN_CODEGEN_SCHEDULE_PASSES_TD

include "mlir/Pass/PassBase.td"

def AssignTargets : Pass<"attn-assign-targets", "::mlir::ModuleOp"> {
  let summary = "Give each target a nested module with a copy of the functions";
  let description = [{
    The functions move into one module for each target, named after it and marked with `attn.target`; weights stay in the
    outer module, where all targets share them. From here on what happens in a nested module concerns its target only.

    ```mlir
    // Before, with targets=x86-64-v3
    module { attn.weight @w ... func.func @f() {...} }
    // After
    module { attn.weight @w ... module @x86_64_v3 attributes {attn.target = #attn.target<"x86-64-v3">} { func.func @f() {...} } }
    ```
  }];
  let options = [ListOption<"targets", "targets", "std::string", "Names of the targets, best first; the host's if none">];
  let dependentDialects = ["::attn::AttnDialect"];
}

def PackWeights : Pass<"attn-pack-weights", "::mlir::ModuleOp"> {
  let summary = "Lay the weights of linear layers out in panels";
  let description = [{
    `attn.linear` with a weight [N, K] reads panels [ceil(N / width), K, width] instead. A weight that is an `attn.weight`
    gets a second symbol whose expression is `#attn.panels` of the first's, so that packing happens when the library is
    written, once for all targets; any other weight is packed at run time by `attn.pack`. Weights that are no longer used
    are erased.

    ```mlir
    // Before
    %w = attn.get_weight @w : tensor<1152x384xf32>
    // After, with attn.weight @w_panels : tensor<36x384x32xf32> = #attn.panels<..., 32>
    %w = attn.get_weight @w_panels : tensor<36x384x32xf32>
    ```
  }];
  let options = [Option<"width", "width", "int64_t", "32", "Columns of a panel, elements">];
  let statistics = [Statistic<"numPacked", "num-packed", "Weights packed when the library is written">,
                    Statistic<"numPackedAtRunTime", "num-packed-at-run-time", "Weights packed at run time">];
  let dependentDialects = ["::attn::AttnDialect", "::mlir::tensor::TensorDialect"];
}

def AssignSchedules : Pass<"attn-assign-schedules", "::mlir::ModuleOp"> {
  let summary = "Decide how each op runs on the module's target";
  let description = [{
    Sets `schedule` on `attn.linear`, `attn.attention`, `attn.layer_norm` and `attn.embedding` from the description of the
    target (register file, caches). What no kernel can do is an error here, at the op: score and mask regions, element
    types other than f32, channel sizes that are not static.
  }];
  let statistics = [Statistic<"numScheduled", "num-scheduled", "Ops that got a schedule">];
  let dependentDialects = ["::attn::AttnDialect"];
}

def VerifySchedule : Pass<"attn-verify-schedule", "::mlir::ModuleOp"> {
  let summary = "The contract of the stage `schedule`";
  let description = [{
    The module names its target. Each `attn.linear`, `attn.attention`, `attn.layer_norm` and `attn.embedding` has a
    schedule; each weight of a linear layer is in panels.
  }];
}

#endif // ATTN_CODEGEN_SCHEDULE_PASSES_TD
