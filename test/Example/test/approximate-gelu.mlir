// RUN: attn-example-opt %s --example-approximate-gelu | FileCheck %s
// The passes of attn-mlir are there, too.
// RUN: attn-example-opt %s --example-approximate-gelu --attn-stage-fuse | FileCheck %s --check-prefix=FUSED

// CHECK-LABEL: func.func @activate
// CHECK: attn.gelu approximate %{{.*}} : tensor<?x8xf32>
// FUSED: attn.gelu approximate %{{.*}} : tensor<{{.*}}xf32>
func.func @activate(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %0 = attn.gelu %x : tensor<?x8xf32>
  return %0 : tensor<?x8xf32>
}
