// RUN: attn-opt %s --pass-pipeline='builtin.module(func.func(attn-decompose-blocks,attn-fold-transposes,attn-fold-mask,attn-flatten-rows,canonicalize,cse),attn-merge-linears,func.func(attn-fuse-epilogues,canonicalize,cse,attn-infer-bounds),attn-prune-weights,attn-verify-fused)' \
// RUN:   --mlir-print-local-scope | FileCheck %s

// The whole stage on one encoder layer over embeddings: what is left is what the model costs.

attn.weight @words : tensor<100x16xf32> = #attn.file<"m", 0 : tensor<100x16xf32>>
attn.weight @positions : tensor<32x16xf32> = #attn.file<"m", 6400 : tensor<32x16xf32>>
attn.weight @norm : tensor<16xf32> = #attn.file<"m", 10000 : tensor<16xf32>>
attn.weight @query.weight : tensor<16x16xf32> = #attn.file<"m", 11000 : tensor<16x16xf32>>
attn.weight @key.weight : tensor<16x16xf32> = #attn.file<"m", 13000 : tensor<16x16xf32>>
attn.weight @value.weight : tensor<16x16xf32> = #attn.file<"m", 15000 : tensor<16x16xf32>>
attn.weight @output.weight : tensor<16x16xf32> = #attn.file<"m", 17000 : tensor<16x16xf32>>
attn.weight @up : tensor<64x16xf32> = #attn.file<"m", 19000 : tensor<64x16xf32>>
attn.weight @down : tensor<16x64xf32> = #attn.file<"m", 29000 : tensor<16x64xf32>>

// CHECK-NOT: attn.weight @query.weight
// CHECK: attn.weight @query_key_value.weight : tensor<48x16xf32>
// CHECK-LABEL: func.func @encoder
// CHECK-SAME: %[[IDS:[a-z0-9]+]]: tensor<?x?xi64> {attn.index_range = array<i64: 0, 100>
// CHECK-SAME: %[[MASK:[a-z0-9]+]]: tensor<?x?xi64>
// CHECK-SAME: attn.dims = {sequence = #attn.dim<max = 32>}
// CHECK: attn.key_ranges ins(%[[MASK]]
// CHECK: %[[B:.*]] = tensor.dim %[[IDS]], %c0
// CHECK: %[[S:.*]] = tensor.dim %[[IDS]], %c1
// CHECK: %[[E:.*]] = attn.embedding
// CHECK: %[[FLAT:.*]] = tensor.collapse_shape %[[E]]
// CHECK: %[[M:.*]] = affine.apply {{.*}}()[%[[B]], %[[S]]]
// CHECK-NOT: affine.apply
// CHECK-NOT: tensor.dim
// CHECK: %[[N:.*]] = attn.layer_norm ins(%[[FLAT]],
// CHECK: %[[QKV:.*]] = attn.linear ins(%[[N]], {{.*}} -> tensor<?x48xf32>
// CHECK: tensor.expand_shape %[[QKV]] {{\[\[}}0, 1], [2, 3, 4]] output_shape [%[[B]], %[[S]], 3, 4, 4]
// CHECK-COUNT-3: tensor.extract_slice
// CHECK: %[[A:.*]] = attn.attention {{.*}} ranges({{.*}}) key_mask(%[[MASK]] :
// CHECK: %[[C:.*]] = tensor.collapse_shape %[[A]] {{\[\[}}0, 1], [2, 3]]
// CHECK: %[[O:.*]] = attn.linear ins(%[[C]], {{.*}} extras(%[[N]] : tensor<?x16xf32>)
// CHECK: %[[Y:.*]] = attn.layer_norm ins(%[[O]],
// CHECK: %[[U:.*]] = attn.linear ins(%[[Y]],
// CHECK: attn.gelu %{{.*}} : f32
// CHECK: %[[D:.*]] = attn.linear ins(%[[U]], {{.*}} extras(%[[Y]] : tensor<?x16xf32>)
// CHECK: %[[Z:.*]] = attn.layer_norm ins(%[[D]],
// CHECK-NEXT: %[[R:.*]] = tensor.expand_shape %[[Z]] {{\[\[}}0, 1], [2]] output_shape [%[[B]], %[[S]], 16]
// CHECK-NEXT: return %[[R]]
func.func @encoder(%ids: tensor<?x?xi64> {attn.name = "ids", attn.shape = ["batch", "sequence"]},
                   %mask: tensor<?x?xi64> {attn.name = "mask", attn.shape = ["batch", "sequence"]})
    -> (tensor<?x?x16xf32> {attn.name = "out", attn.shape = ["batch", "sequence", 16]}) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %b = tensor.dim %ids, %c0 : tensor<?x?xi64>
  %s = tensor.dim %ids, %c1 : tensor<?x?xi64>
  %words = attn.get_weight @words : tensor<100x16xf32>
  %positions = attn.get_weight @positions : tensor<32x16xf32>
  %n = attn.get_weight @norm : tensor<16xf32>
  %qw = attn.get_weight @query.weight : tensor<16x16xf32>
  %kw = attn.get_weight @key.weight : tensor<16x16xf32>
  %vw = attn.get_weight @value.weight : tensor<16x16xf32>
  %ow = attn.get_weight @output.weight : tensor<16x16xf32>
  %uw = attn.get_weight @up : tensor<64x16xf32>
  %dw = attn.get_weight @down : tensor<16x64xf32>
  %e = tensor.empty(%b, %s) : tensor<?x?x16xf32>
  %x = attn.embedding ins(%ids : tensor<?x?xi64>) tables(%words : tensor<100x16xf32>) positions(%positions : tensor<32x16xf32>) outs(%e : tensor<?x?x16xf32>) -> tensor<?x?x16xf32>
  %y = attn.layer_norm ins(%x, %n, %n : tensor<?x?x16xf32>, tensor<16xf32>, tensor<16xf32>) outs(%e : tensor<?x?x16xf32>) -> tensor<?x?x16xf32> {epsilon = 1.0e-12 : f64}
  %z = attn.encoder_layer %y, mask(%mask : tensor<?x?xi64>)
    query_projection(%qw : tensor<16x16xf32>) key_projection(%kw : tensor<16x16xf32>)
    value_projection(%vw : tensor<16x16xf32>) output_projection(%ow : tensor<16x16xf32>)
    attention_norm(%n, %n : tensor<16xf32>, tensor<16xf32>)
    up(%uw : tensor<64x16xf32>) down(%dw : tensor<16x64xf32>)
    output_norm(%n, %n : tensor<16xf32>, tensor<16xf32>)
    {num_heads = 4 : i64, epsilon = 1.0e-12 : f64} : tensor<?x?x16xf32> -> tensor<?x?x16xf32>
  return %z : tensor<?x?x16xf32>
}
