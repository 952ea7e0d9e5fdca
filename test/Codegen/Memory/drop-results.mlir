// RUN: attn-opt %s --pass-pipeline='builtin.module(func.func(attn-drop-results))' --split-input-file --verify-diagnostics | FileCheck %s

// What stands in its output, in whatever shape, is dropped; what stands elsewhere, another output too, is copied.

// CHECK-LABEL: func.func @f(
// CHECK-SAME: %[[X:.+]]: memref<?xf32>, %[[A:.+]]: memref<?xf32> {attn.output}, %[[B:.+]]: memref<2x3xf32> {attn.output}, %[[C:.+]]: memref<?xf32> {attn.output}) {
// CHECK-NOT: memref.copy
// CHECK: memref.copy %[[X]], %[[C]]
// CHECK-NOT: memref.copy
// CHECK: return{{$}}
func.func @f(%x: memref<?xf32>, %a: memref<?xf32> {attn.output}, %b: memref<2x3xf32> {attn.output}, %c: memref<?xf32> {attn.output})
    -> (memref<?xf32>, memref<2x3xf32>, memref<?xf32>) {
  %0 = memref.collapse_shape %b [[0, 1]] : memref<2x3xf32> into memref<6xf32>
  %1 = memref.expand_shape %0 [[0, 1]] output_shape [2, 3] : memref<6xf32> into memref<2x3xf32>
  return %a, %1, %x : memref<?xf32>, memref<2x3xf32>, memref<?xf32>
}

// Other functions keep theirs.
// CHECK-LABEL: func.func private @g(%{{.+}}: memref<?xf32>) -> memref<?xf32>
func.func private @g(%x: memref<?xf32>) -> memref<?xf32> {
  return %x : memref<?xf32>
}

// -----

// expected-error @below {{has 1 results for 0 outputs}}
func.func @f(%x: memref<?xf32>) -> memref<?xf32> {
  return %x : memref<?xf32>
}
