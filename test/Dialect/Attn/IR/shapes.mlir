// RUN: attn-opt %s --resolve-ranked-shaped-type-result-dims --canonicalize | FileCheck %s

// The extents of results are known without the results: those of the destination, or of a block's input and weights.

// CHECK-LABEL: func @destination
//  CHECK-SAME:   %{{.+}}: tensor<?x8xf32>, %{{.+}}: tensor<8xf32>, %[[INIT:.+]]: tensor<?x8xf32>
//       CHECK:   %[[D:.+]] = tensor.dim %[[INIT]], %c0
//       CHECK:   return %[[D]]
func.func @destination(%x: tensor<?x8xf32>, %s: tensor<8xf32>, %init: tensor<?x8xf32>) -> index {
  %c0 = arith.constant 0 : index
  %0 = attn.layer_norm ins(%x, %s : tensor<?x8xf32>, tensor<8xf32>) outs(%init : tensor<?x8xf32>) -> tensor<?x8xf32> {epsilon = 0.0}
  %d = tensor.dim %0, %c0 : tensor<?x8xf32>
  return %d : index
}

// CHECK-LABEL: func @feed_forward
//  CHECK-SAME:   %[[X:.+]]: tensor<?x8xf32>, %{{.+}}: tensor<16x8xf32>, %[[DOWN:.+]]: tensor<?x16xf32>
//   CHECK-DAG:   %[[R:.+]] = tensor.dim %[[X]], %c0
//   CHECK-DAG:   %[[C:.+]] = tensor.dim %[[DOWN]], %c0
//       CHECK:   return %[[R]], %[[C]]
func.func @feed_forward(%x: tensor<?x8xf32>, %up: tensor<16x8xf32>, %down: tensor<?x16xf32>) -> (index, index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %0 = attn.feed_forward %x up(%up : tensor<16x8xf32>) down(%down : tensor<?x16xf32>) : tensor<?x8xf32> -> tensor<?x?xf32>
  %d0 = tensor.dim %0, %c0 : tensor<?x?xf32>
  %d1 = tensor.dim %0, %c1 : tensor<?x?xf32>
  return %d0, %d1 : index, index
}

// CHECK-LABEL: func @multi_head_attention
//  CHECK-SAME:   %[[X:[a-z0-9]+]]: tensor<?x?x8xf32>
//   CHECK-DAG:   %[[B:.+]] = tensor.dim %[[X]], %c0
//   CHECK-DAG:   %[[S:.+]] = tensor.dim %[[X]], %c1
//       CHECK:   return %[[B]], %[[S]]
func.func @multi_head_attention(%x: tensor<?x?x8xf32>, %k: tensor<?x?x8xf32>, %w: tensor<8x8xf32>) -> (index, index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %0 = attn.multi_head_attention %x, key(%k : tensor<?x?x8xf32>), value(%k : tensor<?x?x8xf32>) query_projection(%w : tensor<8x8xf32>) key_projection(%w : tensor<8x8xf32>)
      value_projection(%w : tensor<8x8xf32>) output_projection(%w : tensor<8x8xf32>) {num_heads = 2} : tensor<?x?x8xf32> -> tensor<?x?x8xf32>
  %d0 = tensor.dim %0, %c0 : tensor<?x?x8xf32>
  %d1 = tensor.dim %0, %c1 : tensor<?x?x8xf32>
  return %d0, %d1 : index, index
}
