// RUN: attn-opt %s --attn-raise-linear | FileCheck %s

// The transposed weight is an expression, one for both uses.
// CHECK: attn.weight @w : tensor<8x16xf32>
// CHECK-NEXT: attn.weight @w_transposed : tensor<16x8xf32> = #attn.transpose<#attn.file<"f", 0 : tensor<8x16xf32>>, [1, 0]>
// CHECK-NOT: attn.weight
attn.weight @w : tensor<8x16xf32> = #attn.file<"f", 0 : tensor<8x16xf32>>

// CHECK-LABEL: func.func @weights
// CHECK: %[[W:.*]] = attn.get_weight @w_transposed
// CHECK: attn.linear ins(%arg0, %[[W]] :
// CHECK: attn.linear
// CHECK: arith.addf %{{.*}}, %arg1
// CHECK-NOT: linalg.matmul
func.func @weights(%x: tensor<?x8xf32>, %y: tensor<?x16xf32>) -> (tensor<?x16xf32>, tensor<?x16xf32>) {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %w = attn.get_weight @w : tensor<8x16xf32>
  %m = tensor.dim %x, %c0 : tensor<?x8xf32>
  %e = tensor.empty(%m) : tensor<?x16xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<?x16xf32>) -> tensor<?x16xf32>
  %0 = linalg.matmul ins(%x, %w : tensor<?x8xf32>, tensor<8x16xf32>) outs(%f : tensor<?x16xf32>) -> tensor<?x16xf32>
  %1 = linalg.matmul ins(%x, %w : tensor<?x8xf32>, tensor<8x16xf32>) outs(%y : tensor<?x16xf32>) -> tensor<?x16xf32>
  return %0, %1 : tensor<?x16xf32>, tensor<?x16xf32>
}

// A matrix that stands transposed has the layout of a weight.
// CHECK-LABEL: func.func @transposed
// CHECK: attn.linear ins(%arg0, %arg1 : tensor<?x5x8xf32>, tensor<16x8xf32>)
func.func @transposed(%x: tensor<?x5x8xf32>, %w: tensor<16x8xf32>, %e: tensor<?x5x16xf32>) -> tensor<?x5x16xf32> {
  %zero = arith.constant 0.0 : f32
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<?x5x16xf32>) -> tensor<?x5x16xf32>
  %0 = linalg.generic {indexing_maps = [affine_map<(b, m, n, k) -> (b, m, k)>, affine_map<(b, m, n, k) -> (n, k)>,
                                        affine_map<(b, m, n, k) -> (b, m, n)>],
                       iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<?x5x8xf32>, tensor<16x8xf32>) outs(%f : tensor<?x5x16xf32>) {
  ^bb0(%a: f32, %b: f32, %s: f32):
    %1 = arith.mulf %a, %b : f32
    %2 = arith.addf %s, %1 : f32
    linalg.yield %2 : f32
  } -> tensor<?x5x16xf32>
  return %0 : tensor<?x5x16xf32>
}

// No weight, no kernel: the generic path takes it. Nor is a batch of products a linear layer.
// CHECK-LABEL: func.func @others
// CHECK: linalg.matmul
// CHECK: linalg.batch_matmul
// CHECK-NOT: attn.linear
func.func @others(%x: tensor<?x8xf32>, %y: tensor<8x4xf32>, %o: tensor<?x4xf32>, %u: tensor<2x3x8xf32>,
                  %v: tensor<2x8x4xf32>, %p: tensor<2x3x4xf32>) -> (tensor<?x4xf32>, tensor<2x3x4xf32>) {
  %0 = linalg.matmul ins(%x, %y : tensor<?x8xf32>, tensor<8x4xf32>) outs(%o : tensor<?x4xf32>) -> tensor<?x4xf32>
  %1 = linalg.batch_matmul ins(%u, %v : tensor<2x3x8xf32>, tensor<2x8x4xf32>) outs(%p : tensor<2x3x4xf32>)
      -> tensor<2x3x4xf32>
  return %0, %1 : tensor<?x4xf32>, tensor<2x3x4xf32>
}
