// RUN: attn-opt %s --attn-fuse-generic | FileCheck %s

// A chain of elementwise ops is one.
// CHECK-LABEL: func.func @chain
// CHECK: linalg.generic
// CHECK: arith.addf %{{.*}} : f32
// CHECK-NEXT: attn.gelu approximate %{{.*}} : f32
// CHECK-NEXT: arith.cmpf
// CHECK-NEXT: arith.select
// CHECK-NOT: linalg.generic
func.func @chain(%x: tensor<?x8xf32>, %y: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %0 = arith.addf %x, %y : tensor<?x8xf32>
  %1 = attn.gelu approximate %0 : tensor<?x8xf32>
  %2 = arith.cmpf ogt, %x, %y : tensor<?x8xf32>
  %3 = arith.select %2, %1, %y : tensor<?x8xi1>, tensor<?x8xf32>
  return %3 : tensor<?x8xf32>
}

// Softmax comes apart; its exponentials are used twice and stay.
// CHECK-LABEL: func.func @softmax
// CHECK-NOT: linalg.softmax
// CHECK: arith.maxnumf
// CHECK: math.exp
// CHECK: arith.addf
// CHECK: arith.divf
func.func @softmax(%x: tensor<4x?xf32>, %o: tensor<4x?xf32>) -> tensor<4x?xf32> {
  %0 = linalg.softmax dimension(1) ins(%x : tensor<4x?xf32>) outs(%o : tensor<4x?xf32>) -> tensor<4x?xf32>
  return %0 : tensor<4x?xf32>
}

// What is broadcast would be computed for every element.
// CHECK-LABEL: func.func @broadcast
// CHECK: linalg.generic
// CHECK: math.exp
// CHECK: linalg.generic
// CHECK-NOT: math.exp
// CHECK: arith.mulf
func.func @broadcast(%x: tensor<?x8xf32>, %y: tensor<8xf32>, %o: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %0 = math.exp %y : tensor<8xf32>
  %1 = linalg.generic {indexing_maps = [affine_map<(m, n) -> (m, n)>, affine_map<(m, n) -> (n)>,
                                        affine_map<(m, n) -> (m, n)>], iterator_types = ["parallel", "parallel"]}
      ins(%x, %0 : tensor<?x8xf32>, tensor<8xf32>) outs(%o : tensor<?x8xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %2 = arith.mulf %a, %b : f32
    linalg.yield %2 : f32
  } -> tensor<?x8xf32>
  return %1 : tensor<?x8xf32>
}
