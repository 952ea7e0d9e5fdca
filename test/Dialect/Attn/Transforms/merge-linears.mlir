// RUN: attn-opt %s --attn-merge-linears --attn-prune-weights --split-input-file | FileCheck %s
// RUN: attn-opt %s --attn-merge-linears --split-input-file --remarks-filter=attn-fuse --remark-format=emitRemark 2>&1 | FileCheck %s --check-prefix=REMARK

// Queries, keys and values: one weight, one expansion, slices without a copy. Keys have no bias: zeros stand for it.

// CHECK: attn.weight @l.q_k_v.weight : tensor<24x8xf32> = #attn.concat<0, #attn.file<"w", 0 : tensor<8x8xf32>>, #attn.file<"w", 256 : tensor<8x8xf32>>, #attn.file<"w", 512 : tensor<8x8xf32>>>
// CHECK: attn.weight @l.q_v.bias : tensor<24xf32> = #attn.concat<0, #attn.file<"w", 768 : tensor<8xf32>>, #attn.dense<dense<0.000000e+00> : tensor<8xf32>>, #attn.file<"w", 800 : tensor<8xf32>>>
// CHECK-NOT: attn.weight
attn.weight @l.q.weight : tensor<8x8xf32> = #attn.file<"w", 0 : tensor<8x8xf32>>
attn.weight @l.k.weight : tensor<8x8xf32> = #attn.file<"w", 256 : tensor<8x8xf32>>
attn.weight @l.v.weight : tensor<8x8xf32> = #attn.file<"w", 512 : tensor<8x8xf32>>
attn.weight @l.q.bias : tensor<8xf32> = #attn.file<"w", 768 : tensor<8xf32>>
attn.weight @l.v.bias : tensor<8xf32> = #attn.file<"w", 800 : tensor<8xf32>>

// CHECK-LABEL: func.func @heads
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<?x8xf32>, %[[B:[a-z0-9]+]]: index, %[[S:[a-z0-9]+]]: index
// CHECK-DAG: %[[W:.*]] = attn.get_weight @l.q_k_v.weight : tensor<24x8xf32>
// CHECK-DAG: %[[BIAS:.*]] = attn.get_weight @l.q_v.bias : tensor<24xf32>
// CHECK: %[[L:.*]] = attn.linear ins(%[[X]], %[[W]] : {{.*}}) extras(%[[BIAS]] : tensor<24xf32>) outs({{.*}} : tensor<?x24xf32>)
// CHECK: %[[ALL:.*]] = tensor.expand_shape %[[L]] {{\[\[}}0, 1], [2, 3, 4]] output_shape [%[[B]], %[[S]], 3, 2, 4] : tensor<?x24xf32> into tensor<?x?x3x2x4xf32>
// CHECK: %[[Q:.*]] = tensor.extract_slice %[[ALL]][0, 0, 0, 0, 0] [%[[B]], %[[S]], 1, 2, 4] [1, 1, 1, 1, 1] : tensor<?x?x3x2x4xf32> to tensor<?x?x2x4xf32>
// CHECK: %[[K:.*]] = tensor.extract_slice %[[ALL]][0, 0, 1, 0, 0]
// CHECK: %[[V:.*]] = tensor.extract_slice %[[ALL]][0, 0, 2, 0, 0]
// CHECK-NOT: attn.linear
// CHECK: return %[[Q]], %[[K]], %[[V]]
// REMARK: [Passed] MergeLinears | Category:attn-fuse | Function=heads | Remark="3 linears of one input merged"
func.func @heads(%x: tensor<?x8xf32>, %b: index, %s: index) -> (tensor<?x?x2x4xf32>, tensor<?x?x2x4xf32>, tensor<?x?x2x4xf32>) {
  %c0 = arith.constant 0 : index
  %m = tensor.dim %x, %c0 : tensor<?x8xf32>
  %e = tensor.empty(%m) : tensor<?x8xf32>
  %wq = attn.get_weight @l.q.weight : tensor<8x8xf32>
  %bq = attn.get_weight @l.q.bias : tensor<8xf32>
  %q = attn.linear ins(%x, %wq : tensor<?x8xf32>, tensor<8x8xf32>) extras(%bq : tensor<8xf32>) outs(%e : tensor<?x8xf32>) -> tensor<?x8xf32> maps [affine_map<(m, n) -> (n)>] {
  ^bb0(%sum: f32, %bias: f32):
    %0 = arith.addf %sum, %bias : f32
    attn.yield %0 : f32
  }
  %qh = tensor.expand_shape %q [[0, 1], [2, 3]] output_shape [%b, %s, 2, 4] : tensor<?x8xf32> into tensor<?x?x2x4xf32>
  %wk = attn.get_weight @l.k.weight : tensor<8x8xf32>
  %k = attn.linear ins(%x, %wk : tensor<?x8xf32>, tensor<8x8xf32>) outs(%e : tensor<?x8xf32>) -> tensor<?x8xf32> {
  ^bb0(%sum: f32):
    attn.yield %sum : f32
  }
  %kh = tensor.expand_shape %k [[0, 1], [2, 3]] output_shape [%b, %s, 2, 4] : tensor<?x8xf32> into tensor<?x?x2x4xf32>
  %wv = attn.get_weight @l.v.weight : tensor<8x8xf32>
  %bv = attn.get_weight @l.v.bias : tensor<8xf32>
  %v = attn.linear ins(%x, %wv : tensor<?x8xf32>, tensor<8x8xf32>) extras(%bv : tensor<8xf32>) outs(%e : tensor<?x8xf32>) -> tensor<?x8xf32> maps [affine_map<(m, n) -> (n)>] {
  ^bb0(%sum: f32, %bias: f32):
    %0 = arith.addf %bias, %sum : f32
    attn.yield %0 : f32
  }
  %vh = tensor.expand_shape %v [[0, 1], [2, 3]] output_shape [%b, %s, 2, 4] : tensor<?x8xf32> into tensor<?x?x2x4xf32>
  return %qh, %kh, %vh : tensor<?x?x2x4xf32>, tensor<?x?x2x4xf32>, tensor<?x?x2x4xf32>
}

// -----

// Parts of different widths are ranges of columns. A second function uses the merged weight again.

// CHECK: attn.weight @a_b.weight : tensor<12x8xf32>
// CHECK-NOT: attn.weight
attn.weight @a.weight : tensor<8x8xf32> = #attn.file<"w", 0 : tensor<8x8xf32>>
attn.weight @b.weight : tensor<4x8xf32> = #attn.file<"w", 256 : tensor<4x8xf32>>

// CHECK-LABEL: func.func @columns
// CHECK: %[[L:.*]] = attn.linear {{.*}} -> tensor<5x12xf32>
// CHECK: %[[A:.*]] = tensor.extract_slice %[[L]][0, 0] [5, 8] [1, 1] : tensor<5x12xf32> to tensor<5x8xf32>
// CHECK: %[[B:.*]] = tensor.extract_slice %[[L]][0, 8] [5, 4] [1, 1] : tensor<5x12xf32> to tensor<5x4xf32>
// CHECK: return %[[A]], %[[B]]
func.func @columns(%x: tensor<5x8xf32>, %ea: tensor<5x8xf32>, %eb: tensor<5x4xf32>) -> (tensor<5x8xf32>, tensor<5x4xf32>) {
  %wa = attn.get_weight @a.weight : tensor<8x8xf32>
  %a = attn.linear ins(%x, %wa : tensor<5x8xf32>, tensor<8x8xf32>) outs(%ea : tensor<5x8xf32>) -> tensor<5x8xf32> {
  ^bb0(%sum: f32):
    attn.yield %sum : f32
  }
  %wb = attn.get_weight @b.weight : tensor<4x8xf32>
  %b = attn.linear ins(%x, %wb : tensor<5x8xf32>, tensor<4x8xf32>) outs(%eb : tensor<5x4xf32>) -> tensor<5x4xf32> {
  ^bb0(%sum: f32):
    attn.yield %sum : f32
  }
  return %a, %b : tensor<5x8xf32>, tensor<5x4xf32>
}

// CHECK-LABEL: func.func @again
// CHECK: attn.get_weight @a_b.weight
func.func @again(%x: tensor<5x8xf32>, %ea: tensor<5x8xf32>, %eb: tensor<5x4xf32>) -> (tensor<5x8xf32>, tensor<5x4xf32>) {
  %wa = attn.get_weight @a.weight : tensor<8x8xf32>
  %a = attn.linear ins(%x, %wa : tensor<5x8xf32>, tensor<8x8xf32>) outs(%ea : tensor<5x8xf32>) -> tensor<5x8xf32> {
  ^bb0(%sum: f32):
    attn.yield %sum : f32
  }
  %wb = attn.get_weight @b.weight : tensor<4x8xf32>
  %b = attn.linear ins(%x, %wb : tensor<5x8xf32>, tensor<4x8xf32>) outs(%eb : tensor<5x4xf32>) -> tensor<5x4xf32> {
  ^bb0(%sum: f32):
    attn.yield %sum : f32
  }
  return %a, %b : tensor<5x8xf32>, tensor<5x4xf32>
}

// -----

// A linear that an activation follows is kept for its epilogue, and a weight that is computed has no expression.

attn.weight @a.weight : tensor<8x8xf32> = #attn.file<"w", 0 : tensor<8x8xf32>>

// CHECK-LABEL: func.func @kept
// CHECK-COUNT-3: attn.linear
// REMARK: [Missed] MergeLinears | Category:attn-fuse | Function=kept | Remark="not merged with other linears of its input: it has a weight that is computed"
// REMARK: [Missed] MergeLinears | Category:attn-fuse | Function=kept | Remark="not merged with other linears of its input: it is better fused with the elementwise op that uses it"
func.func @kept(%x: tensor<5x8xf32>, %w: tensor<8x8xf32>, %e: tensor<5x8xf32>) -> (tensor<5x8xf32>, tensor<5x8xf32>, tensor<5x8xf32>) {
  %wa = attn.get_weight @a.weight : tensor<8x8xf32>
  %a = attn.linear ins(%x, %w : tensor<5x8xf32>, tensor<8x8xf32>) outs(%e : tensor<5x8xf32>) -> tensor<5x8xf32> {
  ^bb0(%sum: f32):
    attn.yield %sum : f32
  }
  %b = attn.linear ins(%x, %wa : tensor<5x8xf32>, tensor<8x8xf32>) outs(%e : tensor<5x8xf32>) -> tensor<5x8xf32> {
  ^bb0(%sum: f32):
    attn.yield %sum : f32
  }
  %g = attn.gelu %b : tensor<5x8xf32>
  %c = attn.linear ins(%x, %wa : tensor<5x8xf32>, tensor<8x8xf32>) outs(%e : tensor<5x8xf32>) -> tensor<5x8xf32> {
  ^bb0(%sum: f32):
    attn.yield %sum : f32
  }
  return %a, %g, %c : tensor<5x8xf32>, tensor<5x8xf32>, tensor<5x8xf32>
}
