// RUN: attn-opt %s --pass-pipeline='builtin.module(func.func(attn-write-results))' --split-input-file | FileCheck %s

// A result is written into an argument that is the caller's buffer, with the result's attributes; inputs are not written.

// CHECK-LABEL: func.func @f(
// CHECK-SAME: %[[X:.+]]: tensor<?x4xf32> {attn.name = "x", attn.shape = ["m", 4], bufferization.writable = false}
// CHECK-SAME: %[[Y:[^:]+]]: tensor<?x4xf32> {attn.name = "y", attn.output, attn.shape = ["m", 4], bufferization.writable = true}
// CHECK-SAME: %[[Z:[^:]+]]: tensor<?x4xf32> {attn.output, bufferization.writable = true}
// CHECK: %[[V:.+]] = math.exp %[[X]]
// CHECK: %[[A:.+]] = bufferization.materialize_in_destination %[[V]] in %[[Y]]
// CHECK: %[[B:.+]] = bufferization.materialize_in_destination %[[X]] in %[[Z]]
// CHECK: return %[[A]], %[[B]]
func.func @f(%x: tensor<?x4xf32> {attn.name = "x", attn.shape = ["m", 4]})
    -> (tensor<?x4xf32> {attn.name = "y", attn.shape = ["m", 4]}, tensor<?x4xf32>) {
  %0 = math.exp %x : tensor<?x4xf32>
  return %0, %x : tensor<?x4xf32>, tensor<?x4xf32>
}

// Other functions are not entries.
// CHECK-LABEL: func.func private @g(%{{.+}}: tensor<4xf32>) -> tensor<4xf32>
func.func private @g(%x: tensor<4xf32>) -> tensor<4xf32> {
  return %x : tensor<4xf32>
}

// -----

// Iterations of a loop work in one buffer: what one yields is written where it began.

// CHECK-LABEL: func.func @loop
// CHECK: scf.for {{.*}} iter_args(%[[A:.+]] = %{{.+}}, %[[B:.+]] = %{{.+}}, %[[N:.+]] = %{{.+}})
// CHECK:   %[[V:.+]] = math.exp %[[A]]
// CHECK:   %[[M:.+]] = bufferization.materialize_in_destination %[[V]] in %[[A]]
// CHECK:   scf.yield %[[M]], %[[B]], %{{.+}} :
func.func @loop(%x: tensor<4xf32>, %n: tensor<index>) -> (tensor<4xf32>, tensor<4xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c9 = arith.constant 9 : index
  %0:3 = scf.for %i = %c0 to %c9 step %c1 iter_args(%a = %x, %b = %x, %k = %c0) -> (tensor<4xf32>, tensor<4xf32>, index) {
    %1 = math.exp %a : tensor<4xf32>
    %2 = arith.addi %k, %i : index
    scf.yield %1, %b, %2 : tensor<4xf32>, tensor<4xf32>, index
  }
  return %0#0, %0#1 : tensor<4xf32>, tensor<4xf32>
}

// -----

// A loop inside that began with the value has written it there already.

// CHECK-LABEL: func.func @nested
// CHECK: scf.for {{.*}} iter_args(%[[A:.+]] = %{{.+}}) -> (tensor<4xf32>) {
// CHECK:   %[[L:.+]] = scf.for {{.*}} iter_args(%[[B:.+]] = %[[A]])
// CHECK:     %[[M:.+]] = bufferization.materialize_in_destination %{{.+}} in %[[B]]
// CHECK:     scf.yield %[[M]]
// CHECK:   }
// CHECK:   scf.yield %[[L]]
func.func @nested(%x: tensor<4xf32>) -> tensor<4xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c9 = arith.constant 9 : index
  %0 = scf.for %i = %c0 to %c9 step %c1 iter_args(%a = %x) -> tensor<4xf32> {
    %1 = scf.for %j = %c0 to %c9 step %c1 iter_args(%b = %a) -> tensor<4xf32> {
      %2 = math.exp %b : tensor<4xf32>
      scf.yield %2 : tensor<4xf32>
    }
    scf.yield %1 : tensor<4xf32>
  }
  return %0 : tensor<4xf32>
}

// -----

// What the branches of an scf.if yield is written there by each of them.

// CHECK-LABEL: func.func @branches
// CHECK-SAME: tensor<i1> {{.*}}, %[[OUT:[a-z0-9]+]]: tensor<4xf32> {attn.output
// CHECK: %[[R:.+]] = scf.if
// CHECK:   %[[A:.+]] = bufferization.materialize_in_destination %{{.+}} in %[[OUT]]
// CHECK:   scf.yield %[[A]]
// CHECK: } else {
// CHECK:   %[[B:.+]] = bufferization.materialize_in_destination %{{.+}} in %[[OUT]]
// CHECK:   scf.yield %[[B]]
// CHECK: bufferization.materialize_in_destination %[[R]] in %[[OUT]]
func.func @branches(%x: tensor<4xf32>, %which: tensor<i1>) -> tensor<4xf32> {
  %c = tensor.extract %which[] : tensor<i1>
  %0 = scf.if %c -> (tensor<4xf32>) {
    %1 = math.exp %x : tensor<4xf32>
    scf.yield %1 : tensor<4xf32>
  } else {
    %1 = math.tanh %x : tensor<4xf32>
    scf.yield %1 : tensor<4xf32>
  }
  return %0 : tensor<4xf32>
}
