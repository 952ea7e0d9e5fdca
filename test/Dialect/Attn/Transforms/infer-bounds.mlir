// RUN: attn-opt %s --attn-infer-bounds | FileCheck %s
// RUN: attn-opt %s --attn-infer-bounds --remarks-filter=attn-fuse --remark-format=emitRemark 2>&1 | FileCheck %s --check-prefix=REMARK

// The smallest table that an argument indexes bounds its values; the table of positions bounds the sequence.

// CHECK-LABEL: func.func @entry
// CHECK-SAME: %{{.*}}: tensor<?x?xi64> {attn.index_range = array<i64: 0, 50>, attn.name = "ids"
// CHECK-SAME: %{{.*}}: tensor<?x?xi32> {attn.index_range = array<i64: 0, 2>, attn.name = "types"
// CHECK-SAME: attributes {attn.dims = {sequence = #attn.dim<max = 40>}}
func.func @entry(%ids: tensor<?x?xi64> {attn.name = "ids", attn.shape = ["batch", "sequence"]},
                 %types: tensor<?x?xi32> {attn.name = "types", attn.shape = ["batch", "sequence"]},
                 %w: tensor<100x8xf32>, %v: tensor<50x8xf32>, %t: tensor<2x8xf32>, %p: tensor<40x8xf32>, %e: tensor<?x?x8xf32>) -> tensor<?x?x8xf32> {
  %0 = attn.embedding ins(%ids : tensor<?x?xi64>) tables(%w : tensor<100x8xf32>) outs(%e : tensor<?x?x8xf32>) -> tensor<?x?x8xf32>
  %wide = arith.extsi %types : tensor<?x?xi32> to tensor<?x?xi64>
  %1 = attn.embedding ins(%ids, %wide : tensor<?x?xi64>, tensor<?x?xi64>) tables(%v, %t : tensor<50x8xf32>, tensor<2x8xf32>)
    positions(%p : tensor<40x8xf32>) outs(%0 : tensor<?x?x8xf32>) -> tensor<?x?x8xf32>
  return %1 : tensor<?x?x8xf32>
}

// A bound that is there already stays where it is smaller.

// CHECK-LABEL: func.func @narrower
// CHECK-SAME: {attn.index_range = array<i64: 1, 7>
// CHECK-SAME: attributes {attn.dims = {batch = #attn.dim<max = 9>, sequence = #attn.dim<max = 5>}}
func.func @narrower(%ids: tensor<?x?xi64> {attn.index_range = array<i64: 1, 7>, attn.shape = ["batch", "sequence"]},
                    %w: tensor<100x8xf32>, %p: tensor<40x8xf32>, %e: tensor<?x?x8xf32>) -> tensor<?x?x8xf32>
    attributes {attn.dims = {batch = #attn.dim<max = 9>, sequence = #attn.dim<max = 5>}} {
  %0 = attn.embedding ins(%ids : tensor<?x?xi64>) tables(%w : tensor<100x8xf32>) positions(%p : tensor<40x8xf32>) outs(%e : tensor<?x?x8xf32>) -> tensor<?x?x8xf32>
  return %0 : tensor<?x?x8xf32>
}

// Computed indices are not the caller's.

// CHECK-LABEL: func.func @computed
// CHECK-NOT: attn.index_range
// CHECK-NOT: attn.dims
// REMARK: [Missed] InferBounds | Category:attn-fuse | Function=computed | Remark="an index is computed, or its table's size is not known: it is checked where it is read"
// REMARK: [Missed] InferBounds | Category:attn-fuse | Function=computed | Remark="the number of positions is not a symbolic dimension of an argument: positions are clamped instead"
func.func @computed(%ids: tensor<?x?xi64> {attn.shape = ["batch", "sequence"]}, %w: tensor<100x8xf32>, %p: tensor<40x8xf32>, %e: tensor<?x?x8xf32>) -> tensor<?x?x8xf32> {
  %0 = arith.addi %ids, %ids : tensor<?x?xi64>
  %1 = attn.embedding ins(%0 : tensor<?x?xi64>) tables(%w : tensor<100x8xf32>) positions(%p : tensor<40x8xf32>) outs(%e : tensor<?x?x8xf32>) -> tensor<?x?x8xf32>
  return %1 : tensor<?x?x8xf32>
}

// Only entries have bounds.

// CHECK-LABEL: func.func private @helper
// CHECK-NOT: attn.index_range
func.func private @helper(%ids: tensor<?x?xi64> {attn.shape = ["batch", "sequence"]}, %w: tensor<100x8xf32>, %e: tensor<?x?x8xf32>) -> tensor<?x?x8xf32> {
  %0 = attn.embedding ins(%ids : tensor<?x?xi64>) tables(%w : tensor<100x8xf32>) outs(%e : tensor<?x?x8xf32>) -> tensor<?x?x8xf32>
  return %0 : tensor<?x?x8xf32>
}
