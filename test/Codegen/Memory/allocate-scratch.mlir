// RUN: attn-opt %s --pass-pipeline='builtin.module(func.func(attn-allocate-scratch))' | FileCheck %s

// What a kernel needs beside its operands is allocated at the begin of its task, once for all kernels that need the same.

// CHECK-LABEL: func.func @f
// CHECK: scf.forall (%{{.+}}) in (4) {
// CHECK-NEXT: %[[A:.+]] = memref.alloc() : memref<64x16xf32>
// CHECK-NEXT: %[[B:.+]] = memref.alloc() : memref<16xf32>
// CHECK-NOT: memref.alloc
// CHECK: attn.online_attention {{.*}} scratch(%[[A]], %[[B]] : memref<64x16xf32>, memref<16xf32>)
// CHECK: attn.online_attention {{.*}} scratch(%[[A]], %[[B]] : memref<64x16xf32>, memref<16xf32>)
// CHECK: attn.layer_norm
#kernel = #attn.attention_kernel<queries = 16, keyRows = 4, valueRows = 4, valueColumns = 16, keyBlock = 64, lanes = 8>
func.func @f(%p: memref<1x32x16xf32>, %k: memref<?x32xf32>, %v: memref<?x24xf32>, %a: memref<16x24xf32>, %m: memref<16xf32>, %s: memref<16xf32>,
             %x: memref<?x8xf32>, %g: memref<8xf32>) {
  scf.forall (%i) in (4) {
    attn.online_attention ins(%p, %k, %v : memref<1x32x16xf32>, memref<?x32xf32>, memref<?x24xf32>)
        outs(%a, %m, %s : memref<16x24xf32>, memref<16xf32>, memref<16xf32>) {scale = 0.5, kernel = #kernel}
    attn.online_attention ins(%p, %k, %v : memref<1x32x16xf32>, memref<?x32xf32>, memref<?x24xf32>)
        outs(%a, %m, %s : memref<16x24xf32>, memref<16xf32>, memref<16xf32>) {scale = 0.5, kernel = #kernel}
    attn.layer_norm ins(%x, %g : memref<?x8xf32>, memref<8xf32>) outs(%x : memref<?x8xf32>) {epsilon = 1.0e-5 : f64, kernel = #attn.row_kernel<lanes = 8>}
  }
  return
}

// A linear layer that copies its input: the rows stand a vector further apart than they are long.

// CHECK-LABEL: func.func @linear
// CHECK: %[[COPY:.+]] = memref.alloc() : memref<24x1032xf32>
// CHECK: attn.linear {{.*}} scratch(%[[COPY]] : memref<24x1032xf32>)
func.func @linear(%x: memref<?x1024xf32>, %w: memref<1x1024x8xf32>, %y: memref<?x8xf32>) {
  attn.linear ins(%x, %w : memref<?x1024xf32>, memref<1x1024x8xf32>) outs(%y : memref<?x8xf32>)
      attributes {kernel = #attn.linear_kernel<rows = 4, columns = 8, lanes = 8, copiedRows = 24>} {
  ^bb0(%sum: f32):
    attn.yield %sum : f32
  }
  return
}
