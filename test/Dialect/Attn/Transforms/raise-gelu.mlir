// RUN: attn-opt %s --pass-pipeline='builtin.module(func.func(attn-raise-gelu))' --split-input-file | FileCheck %s

// In any order of the factors, on tensors or as linalg ops.

// CHECK-LABEL: func.func @erf
// CHECK-SAME: (%[[X:.+]]: tensor<?x8xf32>)
// CHECK: %[[G:.+]] = attn.gelu %[[X]] : tensor<?x8xf32>
// CHECK: return %[[G]]
func.func @erf(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %inverse_root = arith.constant dense<0.707106769> : tensor<8xf32>
  %one = arith.constant dense<1.0> : tensor<8xf32>
  %half = arith.constant dense<0.5> : tensor<8xf32>
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?x8xf32>
  %e = tensor.empty(%n) : tensor<?x8xf32>
  %0 = linalg.generic {indexing_maps = [affine_map<(m, n) -> (m, n)>, affine_map<(m, n) -> (n)>, affine_map<(m, n) -> (m, n)>],
                       iterator_types = ["parallel", "parallel"]}
      ins(%x, %inverse_root : tensor<?x8xf32>, tensor<8xf32>) outs(%e : tensor<?x8xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %p = arith.mulf %a, %b : f32
    linalg.yield %p : f32
  } -> tensor<?x8xf32>
  %1 = math.erf %0 : tensor<?x8xf32>
  %2 = linalg.generic {indexing_maps = [affine_map<(m, n) -> (m, n)>, affine_map<(m, n) -> (n)>, affine_map<(m, n) -> (m, n)>],
                       iterator_types = ["parallel", "parallel"]}
      ins(%1, %one : tensor<?x8xf32>, tensor<8xf32>) outs(%e : tensor<?x8xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %p = arith.addf %b, %a : f32
    linalg.yield %p : f32
  } -> tensor<?x8xf32>
  %3 = linalg.generic {indexing_maps = [affine_map<(m, n) -> (m, n)>, affine_map<(m, n) -> (n)>, affine_map<(m, n) -> (m, n)>],
                       iterator_types = ["parallel", "parallel"]}
      ins(%2, %half : tensor<?x8xf32>, tensor<8xf32>) outs(%e : tensor<?x8xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %p = arith.mulf %a, %b : f32
    linalg.yield %p : f32
  } -> tensor<?x8xf32>
  %4 = arith.mulf %3, %x : tensor<?x8xf32>
  return %4 : tensor<?x8xf32>
}

// -----

// CHECK-LABEL: func.func @tanh
// CHECK-SAME: (%[[X:.+]]: tensor<4x8xf32>)
// CHECK: attn.gelu approximate %[[X]] : tensor<4x8xf32>
func.func @tanh(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %three = arith.constant dense<3.0> : tensor<4x8xf32>
  %c = arith.constant dense<0.044715> : tensor<4x8xf32>
  %s = arith.constant dense<0.797884583> : tensor<4x8xf32>
  %one = arith.constant dense<1.0> : tensor<4x8xf32>
  %half = arith.constant dense<0.5> : tensor<4x8xf32>
  %0 = math.powf %x, %three : tensor<4x8xf32>
  %1 = arith.mulf %0, %c : tensor<4x8xf32>
  %2 = arith.addf %x, %1 : tensor<4x8xf32>
  %3 = arith.mulf %2, %s : tensor<4x8xf32>
  %4 = math.tanh %3 : tensor<4x8xf32>
  %5 = arith.addf %4, %one : tensor<4x8xf32>
  %6 = arith.mulf %x, %half : tensor<4x8xf32>
  %7 = arith.mulf %6, %5 : tensor<4x8xf32>
  return %7 : tensor<4x8xf32>
}

// -----

// Another constant, and another tensor in the gate, are other functions.

// CHECK-LABEL: func.func @other
// CHECK-NOT: attn.gelu
func.func @other(%x: tensor<8xf32>, %y: tensor<8xf32>) -> (tensor<8xf32>, tensor<8xf32>) {
  %r = arith.constant dense<0.707> : tensor<8xf32>
  %right = arith.constant dense<0.707106769> : tensor<8xf32>
  %one = arith.constant dense<1.0> : tensor<8xf32>
  %half = arith.constant dense<0.5> : tensor<8xf32>
  %h = arith.mulf %x, %half : tensor<8xf32>
  %0 = arith.mulf %x, %r : tensor<8xf32>
  %1 = math.erf %0 : tensor<8xf32>
  %2 = arith.addf %1, %one : tensor<8xf32>
  %3 = arith.mulf %h, %2 : tensor<8xf32>
  %4 = arith.mulf %y, %right : tensor<8xf32>
  %5 = math.erf %4 : tensor<8xf32>
  %6 = arith.addf %5, %one : tensor<8xf32>
  %7 = arith.mulf %h, %6 : tensor<8xf32>
  return %3, %7 : tensor<8xf32>, tensor<8xf32>
}
