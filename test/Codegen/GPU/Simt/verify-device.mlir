// RUN: attn-opt %s --pass-pipeline='builtin.module(gpu.module(attn-verify-device))' --split-input-file --verify-diagnostics

gpu.module @kernels {
  llvm.func @inside(%x: f32) -> f32 {
    llvm.return %x : f32
  }
  llvm.func @f(%x: f32) -> f32 {
    %y = llvm.call @inside(%x) : (f32) -> f32
    llvm.return %y : f32
  }
}

// -----

gpu.module @kernels {
  llvm.func @__nv_sinf(f32) -> f32
  llvm.func @f(%x: f32) -> f32 {
    // expected-error @below {{'__nv_sinf' has no code for GPU targets; compile the model for a CPU target}}
    %y = llvm.call @__nv_sinf(%x) : (f32) -> f32
    llvm.return %y : f32
  }
}
