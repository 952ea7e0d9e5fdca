// RUN: attn-opt %s --attn-expand-reshapes | FileCheck %s

// Sizes are the op's; strides follow from them and from the source's, where the type doesn't say them.

// CHECK-LABEL: func.func @dense
// CHECK-SAME: (%[[X:.+]]: memref<?x96xf32>, %[[B:.+]]: index, %[[S:.+]]: index)
// CHECK: %[[C:.+]] = memref.reinterpret_cast %[[X]] to offset: [0], sizes: [%[[B]], %[[S]], 12, 8], strides: [%[[STRIDE:.+]], 96, 8, 1]
// CHECK: return %[[C]]
func.func @dense(%x: memref<?x96xf32>, %b: index, %s: index) -> memref<?x?x12x8xf32> {
  %0 = memref.expand_shape %x [[0, 1], [2, 3]] output_shape [%b, %s, 12, 8] : memref<?x96xf32> into memref<?x?x12x8xf32>
  return %0 : memref<?x?x12x8xf32>
}

// CHECK-LABEL: func.func @strided
// CHECK: %{{.+}}, %[[OFFSET:.+]], %{{.+}}:2, %{{.+}}:2 = memref.extract_strided_metadata
// CHECK: memref.reinterpret_cast %{{.+}} to offset: [%[[OFFSET]]], sizes: [%{{.+}}, 4, 8], strides: [100, 8, 1]
func.func @strided(%x: memref<?x32xf32, strided<[100, 1], offset: ?>>, %b: index) -> memref<?x4x8xf32, strided<[100, 8, 1], offset: ?>> {
  %0 = memref.expand_shape %x [[0], [1, 2]] output_shape [%b, 4, 8] : memref<?x32xf32, strided<[100, 1], offset: ?>> into memref<?x4x8xf32, strided<[100, 8, 1], offset: ?>>
  return %0 : memref<?x4x8xf32, strided<[100, 8, 1], offset: ?>>
}
