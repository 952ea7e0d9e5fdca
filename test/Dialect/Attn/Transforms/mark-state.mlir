// RUN: attn-opt %s --pass-pipeline='builtin.module(func.func(attn-mark-state))' | FileCheck %s

// A cache that grows along one dimension continues its argument.

// CHECK-LABEL: func.func @grows(
// CHECK-SAME: -> (tensor<2x?x8xf32> {attn.state = 1 : i64})
func.func @grows(%new: tensor<2x?x8xf32>, %past: tensor<2x?x8xf32>, %n: index, %p: index, %all: index) -> tensor<2x?x8xf32> {
  %e = tensor.empty(%all) : tensor<2x?x8xf32>
  %0 = tensor.insert_slice %past into %e[0, 0, 0] [2, %p, 8] [1, 1, 1] : tensor<2x?x8xf32> into tensor<2x?x8xf32>
  %1 = tensor.insert_slice %new into %0[0, %p, 0] [2, %n, 8] [1, 1, 1] : tensor<2x?x8xf32> into tensor<2x?x8xf32>
  return %1 : tensor<2x?x8xf32>
}

// Two results can't both continue one argument.
// CHECK-LABEL: func.func @twice(
// CHECK-SAME: -> (tensor<5xf32> {attn.state = 0 : i64}, tensor<5xf32>)
func.func @twice(%past: tensor<3xf32>, %a: tensor<2xf32>, %b: tensor<2xf32>) -> (tensor<5xf32>, tensor<5xf32>) {
  %e = tensor.empty() : tensor<5xf32>
  %0 = tensor.insert_slice %past into %e[0] [3] [1] : tensor<3xf32> into tensor<5xf32>
  %1 = tensor.insert_slice %a into %0[3] [2] [1] : tensor<2xf32> into tensor<5xf32>
  %2 = tensor.insert_slice %past into %e[0] [3] [1] : tensor<3xf32> into tensor<5xf32>
  %3 = tensor.insert_slice %b into %2[3] [2] [1] : tensor<2xf32> into tensor<5xf32>
  return %1, %3 : tensor<5xf32>, tensor<5xf32>
}

// What is written over the argument's elements would be lost.
// CHECK-LABEL: func.func @overwrites(
// CHECK-NOT: attn.state
func.func @overwrites(%past: tensor<3xf32>, %a: tensor<3xf32>) -> tensor<5xf32> {
  %e = tensor.empty() : tensor<5xf32>
  %0 = tensor.insert_slice %past into %e[0] [3] [1] : tensor<3xf32> into tensor<5xf32>
  %1 = tensor.insert_slice %a into %0[2] [3] [1] : tensor<3xf32> into tensor<5xf32>
  return %1 : tensor<5xf32>
}

// The argument comes last.
// CHECK-LABEL: func.func @before(
// CHECK-NOT: attn.state
func.func @before(%past: tensor<3xf32>, %a: tensor<2xf32>) -> tensor<5xf32> {
  %e = tensor.empty() : tensor<5xf32>
  %b = math.exp %a : tensor<2xf32>
  %0 = tensor.insert_slice %b into %e[0] [2] [1] : tensor<2xf32> into tensor<5xf32>
  %1 = tensor.insert_slice %past into %0[2] [3] [1] : tensor<3xf32> into tensor<5xf32>
  return %1 : tensor<5xf32>
}

// What is inserted into holds something already.
// CHECK-LABEL: func.func @filled(
// CHECK-NOT: attn.state
func.func @filled(%past: tensor<3xf32>, %a: tensor<2xf32>, %e: tensor<5xf32>) -> tensor<5xf32> {
  %0 = tensor.insert_slice %past into %e[0] [3] [1] : tensor<3xf32> into tensor<5xf32>
  %1 = tensor.insert_slice %a into %0[3] [2] [1] : tensor<2xf32> into tensor<5xf32>
  return %1 : tensor<5xf32>
}

// A mark that does not hold goes away, or a caller might overlap what must not be.
// CHECK-LABEL: func.func @marked_by_hand(
// CHECK-NOT: attn.state
func.func @marked_by_hand(%past: tensor<3xf32>) -> (tensor<3xf32> {attn.state = 0 : i64}) {
  %0 = math.exp %past : tensor<3xf32>
  return %0 : tensor<3xf32>
}
