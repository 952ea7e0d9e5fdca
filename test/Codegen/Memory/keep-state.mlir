// RUN: attn-opt %s --pass-pipeline='builtin.module(func.func(attn-keep-state))' | FileCheck %s

// CHECK-LABEL: func.func @f(
// CHECK-SAME: %[[PAST:[a-z0-9]+]]: memref<?x8xf32, strided<[?, 1]>>, %[[NEW:[a-z0-9]+]]: memref<1x8xf32>, %[[OUT:[a-z0-9]+]]:
func.func @f(%past: memref<?x8xf32, strided<[?, 1]>>, %new: memref<1x8xf32>,
             %out: memref<?x8xf32, strided<[?, 1]>> {attn.output, attn.state = 0 : i64}, %p: index) {
  // CHECK: %[[OLD:.+]] = memref.subview %[[OUT]][0, 0]
  %old = memref.subview %out[0, 0] [%p, 8] [1, 1] : memref<?x8xf32, strided<[?, 1]>> to memref<?x8xf32, strided<[?, 1]>>
  // CHECK: %[[A:.+]] = memref.extract_aligned_pointer_as_index %[[PAST]]
  // CHECK: %[[B:.+]] = memref.extract_aligned_pointer_as_index %[[OUT]]
  // CHECK: %[[DIFFER:.+]] = arith.cmpi ne, %[[A]], %[[B]]
  // CHECK: scf.if %[[DIFFER]] {
  // CHECK-NEXT: memref.copy %[[PAST]], %[[OLD]]
  // CHECK-NEXT: }
  memref.copy %past, %old : memref<?x8xf32, strided<[?, 1]>> to memref<?x8xf32, strided<[?, 1]>>
  %rest = memref.subview %out[%p, 0] [1, 8] [1, 1] : memref<?x8xf32, strided<[?, 1]>> to memref<1x8xf32, strided<[?, 1], offset: ?>>
  // What is new is written always.
  // CHECK-NOT: scf.if
  // CHECK: memref.copy %[[NEW]]
  memref.copy %new, %rest : memref<1x8xf32> to memref<1x8xf32, strided<[?, 1], offset: ?>>
  return
}

// An output that continues nothing.
// CHECK-LABEL: func.func @g(
// CHECK-NOT: scf.if
func.func @g(%x: memref<?x8xf32>, %out: memref<?x8xf32> {attn.output}) {
  memref.copy %x, %out : memref<?x8xf32> to memref<?x8xf32>
  return
}
