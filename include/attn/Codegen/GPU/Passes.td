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
    For every `attn.attention` whose schedule holds a `#attn.gpu_attention_kernel`, a function in the `gpu.module`
    @kernels of the GPU that the module's `attn.target` names or, where it names none, of the oldest chip that runs the
    kernel, @attn_sm_90a or @attn_sm_80. Ops with equal kernels share one. The op stays and refers
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

def LaunchKernels : Pass<"attn-launch-kernels", "::mlir::func::FuncOp"> {
  let summary = "Launches the kernels that ops on buffers refer to";
  let description = [{
    An `attn.attention` on buffers with `attn.gpu_kernel` becomes a launch of that kernel with what its `attn.gpu_launch`
    asks for. Addresses, strides and extents are computed on the host.

    ```mlir
    attn.attention ins(%q, %k, %v : memref<?x?x8x64xf16>, ...) outs(%o : ...) maps [...]
      attributes {attn.gpu_kernel = @kernels::@attention_mma_f16_d64_128x64, ...}
    // becomes
    gpu.launch_func @kernels::@attention_mma_f16_d64_128x64 blocks in (%tiles, %c1, %c1) threads in (%c128, %c1, %c1)
      dynamic_shared_memory_size %c32768 args(%query : i64, ...)
    ```
  }];
  let statistics = [Statistic<"numLaunches", "launches", "Ops that became launches">];
  let dependentDialects = ["::mlir::gpu::GPUDialect", "::mlir::arith::ArithDialect", "::mlir::memref::MemRefDialect"];
}

def LaunchLinears : Pass<"attn-launch-linears", "::mlir::func::FuncOp"> {
  let summary = "Launches linear layers on tensor cores";
  let description = [{
    Each `attn.linear` on buffers whose schedule holds a `#attn.gpu_linear_kernel` becomes a `gpu.launch` with a block for
    each part of its output. Sums go through shared memory to the epilogue, which computes in f32 and is rounded once,
    when its element is stored. Rows and columns beyond the ends are computed as zeros and not stored. Tensors whose
    rows do not begin at multiples of 16 bytes, or end there, are copied element by element.

    ```mlir
    attn.linear ins(%x, %w : memref<?x384xf16>, memref<1536x384xf16>) ...
    // becomes
    gpu.launch blocks(...) in (%blocks, %c1, %c1) threads(...) in (%c256, %c1, %c1)
      workgroup(%shared : memref<3072xvector<4xf32>, #gpu.address_space<workgroup>>) {...}
    ```
  }];
  let statistics = [Statistic<"numLaunches", "launches", "Ops that became launches">];
  let dependentDialects = ["::mlir::gpu::GPUDialect", "::mlir::scf::SCFDialect", "::mlir::arith::ArithDialect",
                           "::mlir::math::MathDialect", "::mlir::memref::MemRefDialect", "::mlir::LLVM::LLVMDialect",
                           "::mlir::NVVM::NVVMDialect"];
}

def MapToThreads : Pass<"attn-map-to-threads", "::mlir::func::FuncOp"> {
  let summary = "Launches a GPU thread for each element of what linalg ops compute";
  let description = [{
    Each linalg op on buffers becomes a `gpu.launch` with a thread for each element of its result; what a thread sums up
    over the other loops stays in registers. Rows of 32 and more f32 or i32 that are reduced, such as those of a softmax
    or of a layer norm, have a warp each, whose lanes read neighbours and are combined in the end. Copies and stores of
    single elements are launches as well. The host keeps sizes, addresses, and the loops and branches around launches:
    what would have to read a buffer to know a size is an error, and so is an op that there is no code for.

    Where an argument has an `attn.index_range`, a launch at the beginning looks at all its elements. `attn.check` in a
    thread raises the run's flag.

    ```mlir
    linalg.generic ... ins(%x : memref<?x64xf32>) outs(%y : memref<?xf32>)    // sums of rows
    // becomes
    gpu.launch blocks(%block, ...) in (...) threads(%thread, ...) in (%c256, ...) {
      %row = ... // block * 256 + thread
      scf.if %inside {
        %before = memref.load %y[%row]
        %sum = scf.for %k = %c0 to %c64 step %c1 iter_args(%s = %before) -> (f32) {...}
        memref.store %sum, %y[%row]
      }
    }
    ```
  }];
  let statistics = [Statistic<"numLaunches", "launches", "Ops that became launches">];
  let dependentDialects = ["::mlir::gpu::GPUDialect", "::mlir::scf::SCFDialect", "::mlir::arith::ArithDialect",
                           "::mlir::memref::MemRefDialect", "::attn::AttnDialect"];
}

def OutlineLaunches : Pass<"attn-outline-launches", "::mlir::ModuleOp"> {
  let summary = "Makes kernels of the bodies of launches, equal ones once";
  let description = [{
    The body of each `gpu.launch` becomes a function of the `gpu.module` @kernels, for the chip that the module's
    `attn.target` names; in its place stands `gpu.launch_func`. Constants and sizes of operands move along.

    ```mlir
    gpu.launch blocks(...) in (%blocks, %c1, %c1) threads(...) in (%c256, %c1, %c1) { use(%buffer) }
    // becomes
    gpu.launch_func @kernels::@kernel blocks in (%blocks, %c1, %c1) threads in (%c256, %c1, %c1)
      args(%buffer : memref<?xf32>)
    ```
  }];
  let statistics = [Statistic<"numKernels", "kernels", "Different kernels">];
  let dependentDialects = ["::mlir::gpu::GPUDialect", "::mlir::NVVM::NVVMDialect"];
}

def LowerFunctions : Pass<"attn-lower-functions", "::mlir::gpu::GPUModuleOp"> {
  let summary = "Make instructions of the functions that kernels compute";
  let description = [{
    `math.sqrt`, `math.fma`, rounding and signs of f32 and f64 become LLVM intrinsics that NVPTX has instructions for, and
    so do `arith.maxnumf` and `arith.minnumf`. Any other function of floats, `arith.remf` too, is an error: there is no
    library of them on the GPU.

    ```mlir
    %y = math.sqrt %x : f32
    // becomes
    %y = llvm.call_intrinsic "llvm.sqrt"(%x) : (f32) -> f32
    ```
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

def VerifyDevice : Pass<"attn-verify-device", "::mlir::gpu::GPUModuleOp"> {
  let summary = "Kernels call nothing outside of their module";
  let description = [{ Every call in a kernel's LLVM dialect is of a function with a body. }];
}

#endif // ATTN_CODEGEN_GPU_PASSES_TD
