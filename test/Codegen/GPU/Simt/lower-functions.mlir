// RUN: attn-opt %s --pass-pipeline='builtin.module(gpu.module(attn-lower-functions))' --split-input-file --verify-diagnostics | FileCheck %s

gpu.module @kernels {
  // CHECK-LABEL: func @known
  // CHECK: llvm.call_intrinsic "llvm.sqrt"(%{{.*}}) : (f32) -> f32
  // CHECK: llvm.call_intrinsic "llvm.fma"(%{{.*}}) : (f64, f64, f64) -> f64
  // CHECK: llvm.call_intrinsic "llvm.maxnum"(%{{.*}}) : (f32, f32) -> f32
  // CHECK: math.absi
  func.func @known(%x: f32, %y: f64, %i: i32) -> (f32, f64, f32, i32) {
    %a = math.sqrt %x : f32
    %b = math.fma %y, %y, %y : f64
    %c = arith.maxnumf %x, %a : f32
    %d = math.absi %i : i32
    return %a, %b, %c, %d : f32, f64, f32, i32
  }
}

// -----

gpu.module @kernels {
  func.func @sine(%x: f32) -> f32 {
    // expected-error @below {{'math.sin' of 'f32' has no code for GPU targets; compile the model for a CPU target}}
    %a = math.sin %x : f32
    return %a : f32
  }
}

// -----

gpu.module @kernels {
  func.func @remainder(%x: f32) -> f32 {
    // expected-error @below {{'arith.remf' of 'f32' has no code for GPU targets; compile the model for a CPU target}}
    %a = arith.remf %x, %x : f32
    return %a : f32
  }
}
