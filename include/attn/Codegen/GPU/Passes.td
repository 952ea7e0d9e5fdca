//===- Passes.td - Passes of the stage `kernel` for GPUs ---*- tablegen -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_CODEGEN_GPU_PASSES_TD
#define ATTN_CODEGEN_GPU_PASSES_TD

include "mlir/Pass/PassBase.td"

def BuildKernels : Pass<"attn-build-kernels", "::mlir::ModuleOp"> {
  let summary = "Builds the GPU kernels that ops are scheduled for";
  let description = [{
    For every `attn.attention` whose schedule holds a `#attn.gpu_attention_kernel`, a function in a `gpu.module` of the
    chip that the kernel needs, `attn_sm_90a` or `attn_sm_80`. Ops with equal kernels share one. The op stays and refers
    to its kernel as `attn.gpu_kernel`; the kernel's `attn.gpu_launch` says how it is launched and with which arguments.

    Kernels are complete when they are built: LLVM and NVVM ops and inline PTX, which `--convert-nvvm-to-llvm
    --gpu-module-to-binary` turns into PTX or machine code.

    Queries, keys, values and outputs are all bf16 or all f16, sums are f32. Powers are 2^((s - m) c) with the largest
    score m so far and c = scale log2(e), of relative error 2^-22, and rounded to the element type before they are
    multiplied with values. The mask is none or key <= query. Rows without keys are zeros with a log-sum-exp of -infinity.

    ```mlir
    attn.attention ins(%q, %k, %v : ...) outs(%o : ...) maps [...] attributes {schedule = #attn.schedule<rowBlock = 128,
      kernel = #attn.gpu_attention_kernel<instruction = wgmma, headSize = 128, queryBlock = 128, keyBlock = 128,
                                          warps = 8, stages = 2, order = persistent>>}
    ```
    becomes
    ```mlir
    attn.attention ... attributes {attn.gpu_kernel = @attn_sm_90a::@attention_wgmma_bf16_d128_128x128, ...}

    gpu.module @attn_sm_90a [#nvvm.target<O = 3, chip = "sm_90a", features = "+ptx80">] {
      llvm.func @attention_wgmma_bf16_d128_128x128(%query_map: !llvm.ptr {...}, ...) attributes {
        attn.gpu_launch = #attn.gpu_launch<threads = 384, sharedBytes = 196704, queryBlock = 128, order = persistent,
                                           arguments = [<query_map, rows = 128>, ...]>, gpu.kernel, nvvm.kernel, ...}
    ```
  }];
  let statistics = [
    Statistic<"numOps", "ops", "Number of ops that run as GPU kernels">,
    Statistic<"numKernels", "kernels", "Number of kernels built for them">
  ];
  let dependentDialects = ["::mlir::gpu::GPUDialect", "::mlir::LLVM::LLVMDialect", "::mlir::NVVM::NVVMDialect"];
}

#endif // ATTN_CODEGEN_GPU_PASSES_TD
