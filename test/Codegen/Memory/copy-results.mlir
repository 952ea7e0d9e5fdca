// RUN: attn-opt %s --pass-pipeline='builtin.module(func.func(attn-copy-results))' | FileCheck %s

// CHECK-LABEL: func.func @f
// CHECK-SAME: (%[[X:.+]]: tensor<?xf32>, %[[Y:.+]]: tensor<?xf32>, %[[B:.+]]: memref<?xf32>)
// CHECK: %[[C:.+]] = linalg.copy ins(%[[X]] : tensor<?xf32>) outs(%[[Y]] : tensor<?xf32>) -> tensor<?xf32>
// A buffer is no tensor that could stand elsewhere.
// CHECK: bufferization.materialize_in_destination %[[X]] in restrict writable %[[B]]
// CHECK: return %[[C]]
func.func @f(%x: tensor<?xf32>, %y: tensor<?xf32>, %b: memref<?xf32>) -> tensor<?xf32> {
  %0 = bufferization.materialize_in_destination %x in %y : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
  bufferization.materialize_in_destination %x in restrict writable %b : (tensor<?xf32>, memref<?xf32>) -> ()
  return %0 : tensor<?xf32>
}
