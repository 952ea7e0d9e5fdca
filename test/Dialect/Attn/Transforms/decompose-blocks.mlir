// RUN: attn-opt %s --attn-decompose-blocks --mlir-print-debuginfo --mlir-print-local-scope --split-input-file | FileCheck %s
// RUN: attn-opt %s --attn-decompose-blocks --split-input-file | attn-opt --split-input-file

// Self-attention: three projections of one input, heads split, a mask region, heads joined, an output projection.

// CHECK-LABEL: func.func @self
// CHECK-SAME: %[[X:.*]]: tensor<?x?x64xf32>{{.*}}, %[[MASK:.*]]: tensor<?x?xi64>
func.func @self(%x: tensor<?x?x64xf32>, %mask: tensor<?x?xi64>, %w: tensor<64x64xf32>, %b: tensor<64xf32>) -> tensor<?x?x64xf32> {
  // CHECK: %[[Q:.*]] = attn.linear ins(%[[X]], {{.*}}) extras(
  // CHECK: arith.addf
  // CHECK: loc("mha/query"
  // CHECK: %[[QH:.*]] = tensor.expand_shape %[[Q]] {{\[\[}}0], [1], [2, 3]] output_shape [%{{.*}}, %{{.*}}, 4, 16]
  // CHECK: %[[K:.*]] = attn.linear ins(%[[X]], {{.*}}) outs
  // CHECK: %[[KH:.*]] = tensor.expand_shape %[[K]]
  // CHECK: %[[V:.*]] = attn.linear ins(%[[X]], {{.*}}) extras
  // CHECK: %[[VH:.*]] = tensor.expand_shape %[[V]]
  // CHECK: %[[O:.*]] = attn.attention ins(%[[QH]], %[[KH]], %[[VH]] :
  // CHECK-SAME: mapped(%[[MASK]] : tensor<?x?xi64>)
  // CHECK-SAME: maps [affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d2, d1, d4)>, affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d3, d1, d4)>,
  // CHECK-SAME: affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d3, d1, d5)>, affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d3)>, affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d2, d1, d5)>]
  // CHECK-SAME: empty = #attn.empty<uniform>
  // CHECK: ^bb0(%{{.*}}: index {{.*}}, %{{.*}}: index {{.*}}, %{{.*}}: index {{.*}}, %{{.*}}: index {{.*}}, %[[M:.*]]: i64
  // CHECK: %[[T:.*]] = arith.cmpi ne, %[[M]], %{{.*}} : i64
  // CHECK: attn.yield %[[T]] : i1
  // CHECK: loc("mha/core"
  // CHECK: %[[J:.*]] = tensor.collapse_shape %[[O]] {{\[\[}}0], [1], [2, 3]]
  // CHECK: attn.linear ins(%[[J]],
  // CHECK: loc("mha/output"
  %0 = attn.multi_head_attention %x, key(%x : tensor<?x?x64xf32>), value(%x : tensor<?x?x64xf32>), mask(%mask : tensor<?x?xi64>)
    query_projection(%w, %b : tensor<64x64xf32>, tensor<64xf32>) key_projection(%w : tensor<64x64xf32>)
    value_projection(%w, %b : tensor<64x64xf32>, tensor<64xf32>) output_projection(%w : tensor<64x64xf32>)
    {num_heads = 4 : i64, empty = #attn.empty<uniform>} : tensor<?x?x64xf32> -> tensor<?x?x64xf32> loc("mha")
  return %0 : tensor<?x?x64xf32>
}

// -----

// Cross-attention without a mask: keys and values have sizes of their own, and values other channels.

// CHECK-LABEL: func.func @cross
// CHECK-SAME: %[[X:.*]]: tensor<2x3x64xf32>{{.*}}, %[[K:.*]]: tensor<2x7x48xf32>{{.*}}, %[[V:.*]]: tensor<2x7x40xf32>
func.func @cross(%x: tensor<2x3x64xf32>, %k: tensor<2x7x48xf32>, %v: tensor<2x7x40xf32>, %wq: tensor<64x64xf32>,
                 %wk: tensor<64x48xf32>, %wv: tensor<32x40xf32>, %wo: tensor<24x32xf32>) -> tensor<2x3x24xf32> {
  // CHECK: attn.linear ins(%[[X]],
  // CHECK: attn.linear ins(%[[K]],
  // CHECK: attn.linear ins(%[[V]],
  // CHECK: attn.attention ins({{.*}} : tensor<2x3x4x16xf32>, tensor<2x7x4x16xf32>, tensor<2x7x4x8xf32>) outs({{.*}} : tensor<2x3x4x8xf32>)
  // CHECK-NOT: cmpi
  // CHECK: attn.linear {{.*}} -> tensor<2x3x24xf32>
  %0 = attn.multi_head_attention %x, key(%k : tensor<2x7x48xf32>), value(%v : tensor<2x7x40xf32>)
    query_projection(%wq : tensor<64x64xf32>) key_projection(%wk : tensor<64x48xf32>)
    value_projection(%wv : tensor<32x40xf32>) output_projection(%wo : tensor<24x32xf32>)
    {num_heads = 4 : i64} : tensor<2x3x64xf32> -> tensor<2x3x24xf32>
  return %0 : tensor<2x3x24xf32>
}

// -----

// Each activation in its simplest form.

// CHECK-LABEL: func.func @activations
  // CHECK: %[[Q:.*]] = arith.constant 1.702000e+00 : f32
func.func @activations(%x: tensor<?x8xf32>, %up: tensor<16x8xf32>, %down: tensor<8x16xf32>) -> tensor<?x8xf32> {
  // CHECK: attn.linear
  // CHECK: attn.gelu %{{.*}} : tensor<?x16xf32>
  // CHECK: attn.linear
  %0 = attn.feed_forward %x up(%up : tensor<16x8xf32>) down(%down : tensor<8x16xf32>) : tensor<?x8xf32> -> tensor<?x8xf32>
  // CHECK: attn.gelu approximate %{{.*}} : tensor<?x16xf32>
  %1 = attn.feed_forward %0 up(%up : tensor<16x8xf32>) down(%down : tensor<8x16xf32>) {activation = #attn.activation<gelu_tanh>} : tensor<?x8xf32> -> tensor<?x8xf32>
  // CHECK: math.tanh %{{.*}} : tensor<?x16xf32>
  %2 = attn.feed_forward %1 up(%up : tensor<16x8xf32>) down(%down : tensor<8x16xf32>) {activation = #attn.activation<tanh>} : tensor<?x8xf32> -> tensor<?x8xf32>
  // CHECK: linalg.generic
  // CHECK: arith.maximumf %{{.*}}, %{{.*}} : f32
  %3 = attn.feed_forward %2 up(%up : tensor<16x8xf32>) down(%down : tensor<8x16xf32>) {activation = #attn.activation<relu>} : tensor<?x8xf32> -> tensor<?x8xf32>
  // CHECK: linalg.generic
  // CHECK: %[[N:.*]] = arith.negf
  // CHECK: %[[E:.*]] = math.exp %[[N]]
  // CHECK: %[[D:.*]] = arith.addf %[[E]],
  // CHECK: arith.divf %{{.*}}, %[[D]]
  %4 = attn.feed_forward %3 up(%up : tensor<16x8xf32>) down(%down : tensor<8x16xf32>) {activation = #attn.activation<silu>} : tensor<?x8xf32> -> tensor<?x8xf32>
  // CHECK: linalg.generic
  // CHECK: %[[STEEP:.*]] = arith.mulf %{{.*}}, %[[Q]]
  // CHECK: arith.negf %[[STEEP]]
  // CHECK: arith.divf
  %5 = attn.feed_forward %4 up(%up : tensor<16x8xf32>) down(%down : tensor<8x16xf32>) {activation = #attn.activation<quick_gelu>} : tensor<?x8xf32> -> tensor<?x8xf32>
  return %5 : tensor<?x8xf32>
}

// -----

// Post-norm: norms after the residuals.

// CHECK-LABEL: func.func @post
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<1x5x8xf32>
func.func @post(%x: tensor<1x5x8xf32>, %w: tensor<8x8xf32>, %s: tensor<8xf32>) -> tensor<1x5x8xf32> {
  // CHECK: attn.attention
  // CHECK: %[[A:.*]] = attn.linear {{.*}} -> tensor<1x5x8xf32>
  // CHECK: loc("layer/attention/output"
  // CHECK: %[[R:.*]] = arith.addf %[[A]], %[[X]] : tensor<1x5x8xf32> loc("layer/attention_residual"
  // CHECK: %[[Y:.*]] = attn.layer_norm ins(%[[R]], {{.*}}epsilon = 1.000000e-05{{.*}} loc("layer/attention_norm"
  // CHECK: attn.linear ins(%[[Y]],
  // CHECK: attn.gelu
  // CHECK: %[[F:.*]] = attn.linear
  // CHECK: %[[G:.*]] = arith.addf %[[F]], %[[Y]]
  // CHECK: %[[Z:.*]] = attn.layer_norm ins(%[[G]],
  // CHECK: return %[[Z]]
  %0 = attn.encoder_layer %x query_projection(%w : tensor<8x8xf32>) key_projection(%w : tensor<8x8xf32>)
    value_projection(%w : tensor<8x8xf32>) output_projection(%w : tensor<8x8xf32>)
    attention_norm(%s, %s : tensor<8xf32>, tensor<8xf32>) up(%w : tensor<8x8xf32>) down(%w : tensor<8x8xf32>)
    output_norm(%s, %s : tensor<8xf32>, tensor<8xf32>) {num_heads = 2 : i64, epsilon = 1.0e-5 : f64}
    : tensor<1x5x8xf32> -> tensor<1x5x8xf32> loc("layer")
  return %0 : tensor<1x5x8xf32>
}

// -----

// Pre-norm: norms before the parts, residuals outside.

// CHECK-LABEL: func.func @pre
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<1x5x8xf32>
func.func @pre(%x: tensor<1x5x8xf32>, %w: tensor<8x8xf32>, %s: tensor<8xf32>) -> tensor<1x5x8xf32> {
  // CHECK: %[[N:.*]] = attn.layer_norm ins(%[[X]],
  // CHECK: attn.linear ins(%[[N]],
  // CHECK: attn.attention
  // CHECK: %[[A:.*]] = attn.linear {{.*}} -> tensor<1x5x8xf32>
  // CHECK: loc("layer/attention/output"
  // CHECK: %[[Y:.*]] = arith.addf %[[A]], %[[X]]
  // CHECK: %[[M:.*]] = attn.layer_norm ins(%[[Y]],
  // CHECK: attn.linear ins(%[[M]],
  // CHECK: %[[F:.*]] = attn.linear
  // CHECK: %[[Z:.*]] = arith.addf %[[F]], %[[Y]]
  // CHECK: return %[[Z]]
  %0 = attn.encoder_layer %x query_projection(%w : tensor<8x8xf32>) key_projection(%w : tensor<8x8xf32>)
    value_projection(%w : tensor<8x8xf32>) output_projection(%w : tensor<8x8xf32>)
    attention_norm(%s, %s : tensor<8xf32>, tensor<8xf32>) up(%w : tensor<8x8xf32>) down(%w : tensor<8x8xf32>)
    output_norm(%s, %s : tensor<8xf32>, tensor<8xf32>) {num_heads = 2 : i64, epsilon = 1.0e-5 : f64, norm = #attn.norm<pre>}
    : tensor<1x5x8xf32> -> tensor<1x5x8xf32> loc("layer")
  return %0 : tensor<1x5x8xf32>
}

// -----

// One row alone is the row of a matrix.

// CHECK-LABEL: func.func @row
// CHECK: %[[ROW:.*]] = tensor.expand_shape %{{.*}} {{\[\[}}0, 1]] output_shape [1, 8] : tensor<8xf32> into tensor<1x8xf32>
// CHECK: attn.linear ins(%[[ROW]],
// CHECK: %[[DOWN:.*]] = attn.linear {{.*}} -> tensor<1x8xf32>
// CHECK: %[[R:.*]] = tensor.collapse_shape %[[DOWN]] {{\[\[}}0, 1]] : tensor<1x8xf32> into tensor<8xf32>
// CHECK: return %[[R]]
func.func @row(%x: tensor<8xf32>, %up: tensor<16x8xf32>, %down: tensor<8x16xf32>) -> tensor<8xf32> {
  %0 = attn.feed_forward %x up(%up : tensor<16x8xf32>) down(%down : tensor<8x16xf32>) : tensor<8xf32> -> tensor<8xf32>
  return %0 : tensor<8xf32>
}
