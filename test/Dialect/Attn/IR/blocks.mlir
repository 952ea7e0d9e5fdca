// RUN: attn-opt %s --split-input-file | attn-opt --split-input-file | FileCheck %s
// RUN: attn-opt %s --split-input-file --mlir-print-op-generic | attn-opt --split-input-file | FileCheck %s

// CHECK-LABEL: func @multi_head_attention
//       CHECK:   attn.multi_head_attention %{{[a-z0-9_#]+}}, key(%{{[a-z0-9_#]+}} : tensor<?x?x24xf32>), value(%{{[a-z0-9_#]+}} : tensor<?x?x20xf32>), mask(%{{[a-z0-9_#]+}} : tensor<?x?xi64>)
//  CHECK-SAME:     query_projection(%{{[a-z0-9_#]+}}, %{{[a-z0-9_#]+}} : tensor<32x16xf32>, tensor<32xf32>) key_projection(%{{[a-z0-9_#]+}} : tensor<32x24xf32>) value_projection(%{{[a-z0-9_#]+}} : tensor<8x20xf32>) output_projection(%{{[a-z0-9_#]+}} : tensor<12x8xf32>)
//  CHECK-SAME:     {num_heads = 4 : i64} : tensor<?x?x16xf32> -> tensor<?x?x12xf32>
func.func @multi_head_attention(%q: tensor<?x?x16xf32>, %k: tensor<?x?x24xf32>, %v: tensor<?x?x20xf32>, %mask: tensor<?x?xi64>, %wq: tensor<32x16xf32>, %bq: tensor<32xf32>, %wk: tensor<32x24xf32>,
                                %wv: tensor<8x20xf32>, %wo: tensor<12x8xf32>) -> tensor<?x?x12xf32> {
  %0 = attn.multi_head_attention %q, key(%k : tensor<?x?x24xf32>), value(%v : tensor<?x?x20xf32>), mask(%mask : tensor<?x?xi64>)
      query_projection(%wq, %bq : tensor<32x16xf32>, tensor<32xf32>) key_projection(%wk : tensor<32x24xf32>)
      value_projection(%wv : tensor<8x20xf32>) output_projection(%wo : tensor<12x8xf32>) {num_heads = 4} : tensor<?x?x16xf32> -> tensor<?x?x12xf32>
  return %0 : tensor<?x?x12xf32>
}

// CHECK-LABEL: func @feed_forward
//       CHECK:   attn.feed_forward %{{[a-z0-9_#]+}} up(%{{[a-z0-9_#]+}} : tensor<64x16xf32>) down(%{{[a-z0-9_#]+}}, %{{[a-z0-9_#]+}} : tensor<16x64xf32>, tensor<16xf32>) {activation = #attn.activation<silu>} : tensor<?x?x16xf32> -> tensor<?x?x16xf32>
func.func @feed_forward(%x: tensor<?x?x16xf32>, %up: tensor<64x16xf32>, %down: tensor<16x64xf32>, %b: tensor<16xf32>) -> tensor<?x?x16xf32> {
  %0 = attn.feed_forward %x up(%up : tensor<64x16xf32>) down(%down, %b : tensor<16x64xf32>, tensor<16xf32>) {activation = #attn.activation<silu>} : tensor<?x?x16xf32> -> tensor<?x?x16xf32>
  return %0 : tensor<?x?x16xf32>
}

// CHECK-LABEL: func @encoder_layer
//       CHECK:   attn.encoder_layer %{{[a-z0-9_#]+}}, mask(%{{[a-z0-9_#]+}} : tensor<?x?xi64>) query_projection({{.*}}) key_projection({{.*}}) value_projection({{.*}}) output_projection({{.*}}) attention_norm({{.*}}) up({{.*}}) down({{.*}}) output_norm({{.*}})
//  CHECK-SAME:     {empty = #attn.empty<unmasked>, epsilon = 1.250000e-01 : f64, norm = #attn.norm<pre>, num_heads = 2 : i64} : tensor<?x?x16xf32> -> tensor<?x?x16xf32>
func.func @encoder_layer(%x: tensor<?x?x16xf32>, %mask: tensor<?x?xi64>, %w: tensor<16x16xf32>, %b: tensor<16xf32>, %up: tensor<64x16xf32>, %c: tensor<64xf32>, %down: tensor<16x64xf32>) -> tensor<?x?x16xf32> {
  %0 = attn.encoder_layer %x, mask(%mask : tensor<?x?xi64>)
      query_projection(%w, %b : tensor<16x16xf32>, tensor<16xf32>) key_projection(%w, %b : tensor<16x16xf32>, tensor<16xf32>)
      value_projection(%w, %b : tensor<16x16xf32>, tensor<16xf32>) output_projection(%w, %b : tensor<16x16xf32>, tensor<16xf32>)
      attention_norm(%b, %b : tensor<16xf32>, tensor<16xf32>) up(%up, %c : tensor<64x16xf32>, tensor<64xf32>) down(%down, %b : tensor<16x64xf32>, tensor<16xf32>)
      output_norm(%b, %b : tensor<16xf32>, tensor<16xf32>) {num_heads = 2, epsilon = 0.125, norm = #attn.norm<pre>, empty = #attn.empty<unmasked>}
      : tensor<?x?x16xf32> -> tensor<?x?x16xf32>
  return %0 : tensor<?x?x16xf32>
}
