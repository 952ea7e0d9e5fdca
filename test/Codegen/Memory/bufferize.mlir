// RUN: attn-opt %s --attn-bufferize | FileCheck %s

// Arguments are dense; both of a state, and what has their type, may be parts of larger buffers with contiguous rows.

// CHECK-LABEL: func.func @f(
// CHECK-SAME: %{{[a-z0-9]+}}: memref<2x?x8xf32, strided<[?, ?, 1]>>
// CHECK-SAME: %{{[a-z0-9]+}}: memref<2x1x8xf32>
// CHECK-SAME: %{{[a-z0-9]+}}: memref<2x?x8xf32, strided<[?, ?, 1]>> {attn.output, attn.state = 0 : i64}
func.func @f(%past: tensor<2x?x8xf32> {bufferization.writable = false}, %new: tensor<2x1x8xf32> {bufferization.writable = false},
             %out: tensor<2x?x8xf32> {attn.output, attn.state = 0 : i64, bufferization.writable = true}, %p: index) -> tensor<2x?x8xf32> {
  %0 = tensor.insert_slice %past into %out[0, 0, 0] [2, %p, 8] [1, 1, 1] : tensor<2x?x8xf32> into tensor<2x?x8xf32>
  // CHECK: memref.copy
  // CHECK: memref.copy
  // CHECK-NOT: memref.alloc
  %1 = tensor.insert_slice %new into %0[0, %p, 0] [2, 1, 8] [1, 1, 1] : tensor<2x1x8xf32> into tensor<2x?x8xf32>
  return %1 : tensor<2x?x8xf32>
}
