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

def Widen : Pass<"attn-widen", "::mlir::ModuleOp"> {
  let summary = "Compute in f32 what is stored in f16 and bf16";
  let description = [{
    `attn.linear`, `attn.attention`, norms and `attn.rotary` on f16 or bf16 become the same ops on f32 between conversions,
    and those that mix f64 with others become ops on f64. Regions are rewritten in the wide type: an element is rounded
    once, when it is stored. Operands that are an `attn.weight` become another one, whose expression is `#attn.convert`
    of the first's, so that the conversion happens when the library is written. Functions of the dialect `math` on narrow
    elements become functions of f32 between conversions.

    What a GPU's kernel computes on narrow elements stays. `attn.embedding` stays: its tables are read by rows, and
    would be twice as large.

    ```mlir
    // Before
    %y = attn.layer_norm ins(%x, %s : tensor<?x8xf16>, tensor<8xf16>) outs(%e : tensor<?x8xf16>) ...
    // After
    %wide = arith.extf %x : tensor<?x8xf16> to tensor<?x8xf32>
    %scale = arith.extf %s : tensor<8xf16> to tensor<8xf32>
    %n = attn.layer_norm ins(%wide, %scale : tensor<?x8xf32>, tensor<8xf32>) outs(%e32 : tensor<?x8xf32>) ...
    %y = arith.truncf %n : tensor<?x8xf32> to tensor<?x8xf16>
    ```
  }];
  let statistics = [Statistic<"numWidened", "num-widened", "Ops that compute in a wider type">,
                    Statistic<"numWeights", "num-weights", "Weights converted when the library is written">];
  let dependentDialects = ["::attn::AttnDialect", "::mlir::arith::ArithDialect", "::mlir::math::MathDialect",
                           "::mlir::tensor::TensorDialect"];
}

def Generalize : Pass<"attn-generalize", "::mlir::ModuleOp"> {
  let summary = "Make linalg ops of the attn ops that no kernel runs";
  let description = [{
    What no kernel of the target runs (attention with score or mask regions, a log-sum-exp, offsets, head sizes that are
    not static, channels that are not last; rows of sizes that are not static; any op on f64; embeddings of narrow
    elements) becomes linalg ops that mean the same, which the generic path of the later stages tiles and vectorizes. A
    remark of the category `attn-schedule` says why. `attn.gelu` of other types than f32 becomes arithmetic.

    Attention becomes the product with the keys, the scores, their maximum, their exponentials and sum, the product with
    the values and the quotient, all along [B, H, Q]. Keys that don't count have a score of -infinity, and values of theirs
    that are not finite don't matter. Operands `whole` are read by `tensor.extract`, at the nearest index inside.

    ```mlir
    %o = attn.attention ins(%q, %k, %v : ...) outs(%init : ...) -> ... maps [...] mask {...}
    // becomes
    %dots = linalg.generic ... ins(%q, %k_transposed) outs(%zeros : tensor<?x4x?x?xf32>)   // sum of products over d
    %scores = linalg.generic ... ins(%dots) ...                                          // scaled; -infinity where masked
    %max = linalg.generic ... ins(%scores) ... // arith.maximumf over k
    %weights = linalg.generic ... ins(%scores, %max) ...                                 // math.exp
    %sum = linalg.generic ... ins(%weights) ... // arith.addf over k
    %products = linalg.generic ... ins(%weights, %v) ...                                 // sum of products over k
    %o = linalg.generic ... ins(%products, %sum) outs(%init) ...                         // arith.divf
    ```
  }];
  let statistics = [Statistic<"numGeneralized", "num-generalized", "Ops made linalg ops or arithmetic">];
  let dependentDialects = ["::attn::AttnDialect", "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
                           "::mlir::math::MathDialect", "::mlir::tensor::TensorDialect"];
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
    Sets `schedule` on `attn.linear`, `attn.attention`, `attn.embedding` and norms from the description of the
    target (register file, caches). An op that no kernel runs, and that `attn-generalize` left because of its element
    types, is an error here.
  }];
  let statistics = [Statistic<"numScheduled", "num-scheduled", "Ops that got a schedule">];
  let dependentDialects = ["::attn::AttnDialect"];
}

def VerifySchedule : Pass<"attn-verify-schedule", "::mlir::ModuleOp"> {
  let summary = "The contract of the stage `schedule`";
  let description = [{
    The module names its target. Each `attn.linear`, `attn.attention`, `attn.embedding` and norm has a
    schedule; each weight of a linear layer is in panels.
  }];
}

#endif // ATTN_CODEGEN_SCHEDULE_PASSES_TD
