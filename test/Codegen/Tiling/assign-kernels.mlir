// RUN: attn-opt %s --pass-pipeline='builtin.module(func.func(attn-assign-kernels))' --split-input-file --verify-diagnostics | FileCheck %s

// What runs as one call gets the kernel of the target's row ops; a kernel that is there stays.

// CHECK-LABEL: func.func @f
// CHECK: attn.key_ranges {{.*}} {kernel = #attn.row_kernel<lanes = 8>}
// CHECK: attn.pack {{.*}} {kernel = #attn.row_kernel<lanes = 8>}
// CHECK: attn.pack {{.*}} {kernel = #attn.row_kernel<lanes = 4>}
module attributes {attn.target = #attn.target<"x86-64-v3">} {
  func.func @f(%m: tensor<?x?xi64>, %r: tensor<?x4xi64>, %w: tensor<50x8xf32>, %p: tensor<2x8x32xf32>) -> (tensor<?x4xi64>, tensor<2x8x32xf32>, tensor<2x8x32xf32>) {
    %0 = attn.key_ranges ins(%m : tensor<?x?xi64>) outs(%r : tensor<?x4xi64>) -> tensor<?x4xi64>
    %1 = attn.pack ins(%w : tensor<50x8xf32>) outs(%p : tensor<2x8x32xf32>) -> tensor<2x8x32xf32>
    %2 = attn.pack ins(%w : tensor<50x8xf32>) outs(%p : tensor<2x8x32xf32>) -> tensor<2x8x32xf32> {kernel = #attn.row_kernel<lanes = 4>}
    return %0, %1, %2 : tensor<?x4xi64>, tensor<2x8x32xf32>, tensor<2x8x32xf32>
  }
}

// -----

module attributes {attn.target = #attn.target<"x86-64-v3">} {
  func.func @unscheduled(%x: tensor<?x8xf32>, %s: tensor<8xf32>) -> tensor<?x8xf32> {
    // expected-error @below {{has no kernel, and none is chosen for it outside of attn.attention}}
    %0 = attn.layer_norm ins(%x, %s : tensor<?x8xf32>, tensor<8xf32>) outs(%x : tensor<?x8xf32>) -> tensor<?x8xf32> {epsilon = 1.0e-5 : f64}
    return %0 : tensor<?x8xf32>
  }
}

// -----

// expected-error @below {{no module around this op names its target in 'attn.target'}}
func.func @no_target() {
  return
}
