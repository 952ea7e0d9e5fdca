// RUN: attn-opt %s --split-input-file --transform-interpreter --canonicalize --cse --verify-diagnostics | FileCheck %s

// Rows and columns of a plain weight are loops; the extras are sliced through their maps, the kernel stays.

// CHECK-LABEL: func @linear
//  CHECK-SAME:   %[[X:[a-z0-9_]+]]: tensor<?x384xf32>, %[[W:[a-z0-9_]+]]: tensor<1536x384xf32>, %[[BIAS:[a-z0-9_]+]]: tensor<1536xf32>, %[[RES:[a-z0-9_]+]]: tensor<?x1536xf32>
//       CHECK:   scf.forall {{.*}} shared_outs(%[[OUT:[a-z0-9_]+]] = %{{.+}})
//   CHECK-DAG:     %[[XS:[a-z0-9_]+]] = tensor.extract_slice %[[X]][%[[M:[a-z0-9_]+]], 0] [%[[MS:[a-z0-9_]+]], 384] [1, 1] : tensor<?x384xf32> to tensor<?x384xf32>
//   CHECK-DAG:     %[[WS:[a-z0-9_]+]] = tensor.extract_slice %[[W]][%[[N:[a-z0-9_]+]], 0] [512, 384] [1, 1] : tensor<1536x384xf32> to tensor<512x384xf32>
//   CHECK-DAG:     %[[BS:[a-z0-9_]+]] = tensor.extract_slice %[[BIAS]][%[[N]]] [512] [1] : tensor<1536xf32> to tensor<512xf32>
//   CHECK-DAG:     %[[RS:[a-z0-9_]+]] = tensor.extract_slice %[[RES]][%[[M]], %[[N]]] [%[[MS]], 512] [1, 1]
//   CHECK-DAG:     %[[OS:[a-z0-9_]+]] = tensor.extract_slice %[[OUT]][%[[M]], %[[N]]] [%[[MS]], 512] [1, 1]
//       CHECK:     %[[TILE:[a-z0-9_]+]] = attn.linear ins(%[[XS]], %[[WS]] : tensor<?x384xf32>, tensor<512x384xf32>) extras(%[[BS]], %[[RS]] : tensor<512xf32>, tensor<?x512xf32>)
//  CHECK-SAME:       outs(%[[OS]] : tensor<?x512xf32>) -> tensor<?x512xf32>
//  CHECK-SAME:       kernel = #attn.linear_kernel<rows = 6, columns = 16, lanes = 8>
//       CHECK:     tensor.parallel_insert_slice %[[TILE]] into %[[OUT]][%[[M]], %[[N]]] [%[[MS]], 512] [1, 1]
func.func @linear(%x: tensor<?x384xf32>, %w: tensor<1536x384xf32>, %bias: tensor<1536xf32>, %residual: tensor<?x1536xf32>, %init: tensor<?x1536xf32>) -> tensor<?x1536xf32> {
  %y = attn.linear ins(%x, %w : tensor<?x384xf32>, tensor<1536x384xf32>)
      extras(%bias, %residual : tensor<1536xf32>, tensor<?x1536xf32>) outs(%init : tensor<?x1536xf32>) -> tensor<?x1536xf32>
      maps [affine_map<(m, n) -> (n)>, affine_map<(m, n) -> (m, n)>]
      attributes {kernel = #attn.linear_kernel<rows = 6, columns = 16, lanes = 8>} {
  ^bb0(%sum: f32, %b: f32, %r: f32):
    %0 = arith.addf %sum, %b : f32
    %1 = arith.addf %0, %r : f32
    attn.yield %1 : f32
  }
  return %y : tensor<?x1536xf32>
}

module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %op = transform.structured.match ops{["attn.linear"]} in %root : (!transform.any_op) -> !transform.any_op
    %tiled, %loop = transform.structured.tile_using_forall %op tile_sizes [48, 512] : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    transform.yield
  }
}

// -----

// A weight in panels is never cut.

// CHECK-LABEL: func @packed
//  CHECK-SAME:   %[[X:[a-z0-9_]+]]: tensor<?x384xf32>, %[[W:[a-z0-9_]+]]: tensor<48x384x32xf32>
//       CHECK:   scf.forall
//       CHECK:     attn.linear ins(%{{.+}}, %[[W]] : tensor<?x384xf32>, tensor<48x384x32xf32>) outs(%{{.+}} : tensor<?x1536xf32>)
func.func @packed(%x: tensor<?x384xf32>, %w: tensor<48x384x32xf32>, %init: tensor<?x1536xf32>) -> tensor<?x1536xf32> {
  %y = attn.linear ins(%x, %w : tensor<?x384xf32>, tensor<48x384x32xf32>) outs(%init : tensor<?x1536xf32>) -> tensor<?x1536xf32> {
  ^bb0(%sum: f32):
    attn.yield %sum : f32
  }
  return %y : tensor<?x1536xf32>
}

module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %op = transform.structured.match ops{["attn.linear"]} in %root : (!transform.any_op) -> !transform.any_op
    %tiled, %loop = transform.structured.tile_using_forall %op tile_sizes [48] : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    transform.yield
  }
}

// -----

func.func @packed_columns(%x: tensor<?x384xf32>, %w: tensor<48x384x32xf32>, %init: tensor<?x1536xf32>) -> tensor<?x1536xf32> {
  // expected-error @below {{tile operation}}
  // expected-error @below {{failed to generate tiling loops}}
  // expected-note @below {{when applied to this op}}
  %y = attn.linear ins(%x, %w : tensor<?x384xf32>, tensor<48x384x32xf32>) outs(%init : tensor<?x1536xf32>) -> tensor<?x1536xf32> {
  ^bb0(%sum: f32):
    attn.yield %sum : f32
  }
  return %y : tensor<?x1536xf32>
}

module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %op = transform.structured.match ops{["attn.linear"]} in %root : (!transform.any_op) -> !transform.any_op
    // expected-error @below {{transform.structured.tile_using_forall failed to apply}}
    %tiled, %loop = transform.structured.tile_using_forall %op tile_sizes [48, 64] : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    transform.yield
  }
}

// -----

// Row ops fuse into their consumer by rows; positions move with the sequence.

// CHECK-LABEL: func @embedding_norm
//  CHECK-SAME:   %[[IDS:[a-z0-9_]+]]: tensor<?x?xi64>, %[[WORDS:[a-z0-9_]+]]: tensor<100x64xf32>, %[[POS:[a-z0-9_]+]]: tensor<512x64xf32>
//       CHECK:   scf.for %[[B:[a-z0-9_]+]] = %c0 to %{{.+}} step %c1
//       CHECK:     scf.for %[[S:[a-z0-9_]+]] = %c0 to %{{.+}} step %c8
//   CHECK-DAG:       %[[SIZE:[a-z0-9_]+]] = affine.min
//   CHECK-DAG:       %[[I:[a-z0-9_]+]] = tensor.extract_slice %[[IDS]][%[[B]], %[[S]]] [1, %[[SIZE]]] [1, 1] : tensor<?x?xi64> to tensor<1x?xi64>
//   CHECK-DAG:       %[[P:[a-z0-9_]+]] = tensor.extract_slice %[[POS]][%[[S]], 0] [%[[SIZE]], 64] [1, 1] : tensor<512x64xf32> to tensor<?x64xf32>
//       CHECK:       %[[E:[a-z0-9_]+]] = attn.embedding ins(%[[I]] : tensor<1x?xi64>) tables(%[[WORDS]] : tensor<100x64xf32>) positions(%[[P]] : tensor<?x64xf32>)
//  CHECK-SAME:         -> tensor<1x?x64xf32>
//       CHECK:       attn.layer_norm ins(%[[E]], %{{.+}}, %{{.+}} : tensor<1x?x64xf32>, tensor<64xf32>, tensor<64xf32>)
//  CHECK-SAME:         -> tensor<1x?x64xf32> {epsilon = 9.99
func.func @embedding_norm(%ids: tensor<?x?xi64>, %words: tensor<100x64xf32>, %positions: tensor<512x64xf32>, %scale: tensor<64xf32>, %shift: tensor<64xf32>, %init: tensor<?x?x64xf32>) -> tensor<?x?x64xf32> {
  %0 = attn.embedding ins(%ids : tensor<?x?xi64>) tables(%words : tensor<100x64xf32>) positions(%positions : tensor<512x64xf32>) outs(%init : tensor<?x?x64xf32>) -> tensor<?x?x64xf32>
  %1 = attn.layer_norm ins(%0, %scale, %shift : tensor<?x?x64xf32>, tensor<64xf32>, tensor<64xf32>) outs(%init : tensor<?x?x64xf32>) -> tensor<?x?x64xf32> {epsilon = 1.0e-12}
  return %1 : tensor<?x?x64xf32>
}

module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %op = transform.structured.match ops{["attn.layer_norm"]} in %root : (!transform.any_op) -> !transform.any_op
    %tiled, %loops:2 = transform.structured.fuse %op tile_sizes [1, 8] : (!transform.any_op) -> (!transform.any_op, !transform.any_op, !transform.any_op)
    transform.yield
  }
}

// -----

// Heads of queries share the keys of a group of four: a tile of one head reads one key head. Without regions no offsets
// appear.

// CHECK-LABEL: func @grouped
//  CHECK-SAME:   %[[Q:[a-z0-9_]+]]: tensor<?x?x12x32xf32>, %[[K:[a-z0-9_]+]]: tensor<?x?x3x32xf32>, %[[V:[a-z0-9_]+]]: tensor<?x?x3x32xf32>, %[[R:[a-z0-9_]+]]: tensor<?x4xi64>, %[[M:[a-z0-9_]+]]: tensor<?x?xi64>
//       CHECK:   scf.forall (%[[B:[a-z0-9_]+]], %[[H:[a-z0-9_]+]], %[[I:[a-z0-9_]+]]) in
//   CHECK-DAG:     %[[O:[a-z0-9_]+]] = affine.apply #{{.+}}(%[[I]])
//   CHECK-DAG:     %[[SIZE:[a-z0-9_]+]] = affine.min
//   CHECK-DAG:     %[[G:[a-z0-9_]+]] = affine.apply #{{.+}}(%[[H]])
//   CHECK-DAG:     %[[QS:[a-z0-9_]+]] = tensor.extract_slice %[[Q]][%[[B]], %[[O]], %[[H]], 0] [1, %[[SIZE]], 1, 32]
//   CHECK-DAG:     %[[KS:[a-z0-9_]+]] = tensor.extract_slice %[[K]][%[[B]], 0, %[[G]], 0] [1, %{{.+}}, 1, 32]
//   CHECK-DAG:     %[[VS:[a-z0-9_]+]] = tensor.extract_slice %[[V]][%[[B]], 0, %[[G]], 0] [1, %{{.+}}, 1, 32]
//   CHECK-DAG:     %[[RS:[a-z0-9_]+]] = tensor.extract_slice %[[R]][%[[B]], 0] [1, 4]
//   CHECK-DAG:     %[[MS:[a-z0-9_]+]] = tensor.extract_slice %[[M]][%[[B]], 0] [1, %{{.+}}]
//       CHECK:     attn.attention ins(%[[QS]], %[[KS]], %[[VS]] : tensor<1x?x1x32xf32>, tensor<1x?x1x32xf32>, tensor<1x?x1x32xf32>) ranges(%[[RS]] : tensor<1x4xi64>) key_mask(%[[MS]] : tensor<1x?xi64>)
//   CHECK-NOT:       offsets
//  CHECK-SAME:       schedule = #attn.schedule
#query = affine_map<(b, h, q, k, d, e) -> (b, q, h, d)>
#key = affine_map<(b, h, q, k, d, e) -> (b, k, h floordiv 4, d)>
#value = affine_map<(b, h, q, k, d, e) -> (b, k, h floordiv 4, e)>
#out = affine_map<(b, h, q, k, d, e) -> (b, q, h, e)>
func.func @grouped(%q: tensor<?x?x12x32xf32>, %k: tensor<?x?x3x32xf32>, %v: tensor<?x?x3x32xf32>, %r: tensor<?x4xi64>, %m: tensor<?x?xi64>, %init: tensor<?x?x12x32xf32>) -> tensor<?x?x12x32xf32> {
  %0 = attn.attention ins(%q, %k, %v : tensor<?x?x12x32xf32>, tensor<?x?x3x32xf32>, tensor<?x?x3x32xf32>) ranges(%r : tensor<?x4xi64>) key_mask(%m : tensor<?x?xi64>)
      outs(%init : tensor<?x?x12x32xf32>) -> tensor<?x?x12x32xf32> maps [#query, #key, #value, #out]
      attributes {schedule = #attn.schedule<rowBlock = 32, kernel = #attn.row_kernel<lanes = 8>>}
  return %0 : tensor<?x?x12x32xf32>
}

module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %op = transform.structured.match ops{["attn.attention"]} in %root : (!transform.any_op) -> !transform.any_op
    %tiled, %loop = transform.structured.tile_using_forall %op tile_sizes [1, 1, 32] : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    transform.yield
  }
}

// -----

// Tiles of two heads stay inside a group of four, tiles of eight start at one.

// CHECK-LABEL: func @inside_group
//       CHECK:   tensor.extract_slice %{{.+}}[0, %{{.+}}, 0, 0] [2, 1, 16, 32] [1, 1, 1, 1] : tensor<2x4x16x32xf32> to tensor<2x1x16x32xf32>
//       CHECK:   attn.attention ins(%{{.+}} : tensor<2x2x16x32xf32>, tensor<2x1x16x32xf32>, tensor<2x1x16x32xf32>)
//       CHECK:   attn.attention ins(%{{.+}} : tensor<2x8x16x32xf32>, tensor<2x2x16x32xf32>, tensor<2x2x16x32xf32>)
#query = affine_map<(b, h, q, k, d, e) -> (b, h, q, d)>
#key = affine_map<(b, h, q, k, d, e) -> (b, h floordiv 4, k, d)>
#value = affine_map<(b, h, q, k, d, e) -> (b, h floordiv 4, k, e)>
#out = affine_map<(b, h, q, k, d, e) -> (b, h, q, e)>
func.func @inside_group(%q: tensor<2x16x16x32xf32>, %k: tensor<2x4x16x32xf32>, %v: tensor<2x4x16x32xf32>, %init: tensor<2x16x16x32xf32>) -> (tensor<2x16x16x32xf32>, tensor<2x16x16x32xf32>) {
  %0 = attn.attention ins(%q, %k, %v : tensor<2x16x16x32xf32>, tensor<2x4x16x32xf32>, tensor<2x4x16x32xf32>)
      outs(%init : tensor<2x16x16x32xf32>) -> tensor<2x16x16x32xf32> maps [#query, #key, #value, #out] attributes {two}
  %1 = attn.attention ins(%q, %k, %v : tensor<2x16x16x32xf32>, tensor<2x4x16x32xf32>, tensor<2x4x16x32xf32>)
      outs(%init : tensor<2x16x16x32xf32>) -> tensor<2x16x16x32xf32> maps [#query, #key, #value, #out] attributes {eight}
  return %0, %1 : tensor<2x16x16x32xf32>, tensor<2x16x16x32xf32>
}

module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %two = transform.structured.match ops{["attn.attention"]} attributes {two} in %root : (!transform.any_op) -> !transform.any_op
    %tiled, %loop = transform.structured.tile_using_for %two tile_sizes [0, 2] : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    %eight = transform.structured.match ops{["attn.attention"]} attributes {eight} in %root : (!transform.any_op) -> !transform.any_op
    %tiled2, %loop2 = transform.structured.tile_using_forall %eight tile_sizes [0, 8] : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    transform.yield
  }
}

// -----

#query = affine_map<(b, h, q, k, d, e) -> (b, h, q, d)>
#key = affine_map<(b, h, q, k, d, e) -> (b, h floordiv 4, k, d)>
#value = affine_map<(b, h, q, k, d, e) -> (b, h floordiv 4, k, e)>
#out = affine_map<(b, h, q, k, d, e) -> (b, h, q, e)>
func.func @cut_group(%q: tensor<2x12x16x32xf32>, %k: tensor<2x3x16x32xf32>, %v: tensor<2x3x16x32xf32>, %init: tensor<2x12x16x32xf32>) -> tensor<2x12x16x32xf32> {
  // expected-error @below {{tile operation}}
  // expected-error @below {{failed to generate tiling loops}}
  // expected-note @below {{when applied to this op}}
  %0 = attn.attention ins(%q, %k, %v : tensor<2x12x16x32xf32>, tensor<2x3x16x32xf32>, tensor<2x3x16x32xf32>)
      outs(%init : tensor<2x12x16x32xf32>) -> tensor<2x12x16x32xf32> maps [#query, #key, #value, #out]
  return %0 : tensor<2x12x16x32xf32>
}

module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %op = transform.structured.match ops{["attn.attention"]} in %root : (!transform.any_op) -> !transform.any_op
    // expected-error @below {{transform.structured.tile_using_forall failed to apply}}
    %tiled, %loop = transform.structured.tile_using_forall %op tile_sizes [0, 3] : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    transform.yield
  }
}

// -----

// Regions keep seeing the indices of the whole: the tile's offsets become operands. `mapped` is sliced, `whole` is not.

// CHECK-LABEL: func @regions
//  CHECK-SAME:   %[[BIAS:[a-z0-9_]+]]: tensor<12x?x?xf32>, %[[SLOPES:[a-z0-9_]+]]: tensor<12xf32>
//       CHECK:   scf.forall (%[[B:[a-z0-9_]+]], %[[I:[a-z0-9_]+]]) in
//   CHECK-DAG:     %[[O:[a-z0-9_]+]] = affine.apply #{{.+}}(%[[I]])
//   CHECK-DAG:     %[[BS:[a-z0-9_]+]] = tensor.extract_slice %[[BIAS]][0, %[[O]], 0] [12, %{{.+}}, %{{.+}}]
//       CHECK:     %{{.+}}:2 = attn.attention
//  CHECK-SAME:       mapped(%[[BS]] : tensor<12x?x?xf32>) whole(%[[SLOPES]] : tensor<12xf32>) offsets(%[[B]], %{{c0[_0-9]*}}, %[[O]], %{{c0[_0-9]*}})
//  CHECK-SAME:       outs(%{{.+}}, %{{.+}} : tensor<1x12x?x32xf32>, tensor<1x12x?xf32>)
//       CHECK:     score
//       CHECK:     mask
//       CHECK:     scf.forall.in_parallel
//       CHECK:       tensor.parallel_insert_slice %{{.+}} into %{{.+}}[%[[B]], 0, %[[O]], 0]
//       CHECK:       tensor.parallel_insert_slice %{{.+}} into %{{.+}}[%[[B]], 0, %[[O]]]
#query = affine_map<(b, h, q, k, d, e) -> (b, h, q, d)>
#key = affine_map<(b, h, q, k, d, e) -> (b, h, k, d)>
#value = affine_map<(b, h, q, k, d, e) -> (b, h, k, e)>
#bias = affine_map<(b, h, q, k, d, e) -> (h, q, k)>
#out = affine_map<(b, h, q, k, d, e) -> (b, h, q, e)>
#lse = affine_map<(b, h, q, k, d, e) -> (b, h, q)>
func.func @regions(%bias: tensor<12x?x?xf32>, %slopes: tensor<12xf32>, %q: tensor<?x12x?x32xf32>, %k: tensor<?x12x?x32xf32>, %v: tensor<?x12x?x32xf32>, %init: tensor<?x12x?x32xf32>, %l: tensor<?x12x?xf32>) -> (tensor<?x12x?x32xf32>, tensor<?x12x?xf32>) {
  %0:2 = attn.attention ins(%q, %k, %v : tensor<?x12x?x32xf32>, tensor<?x12x?x32xf32>, tensor<?x12x?x32xf32>)
      mapped(%bias : tensor<12x?x?xf32>) whole(%slopes : tensor<12xf32>)
      outs(%init, %l : tensor<?x12x?x32xf32>, tensor<?x12x?xf32>) -> tensor<?x12x?x32xf32>, tensor<?x12x?xf32>
      maps [#query, #key, #value, #bias, #out, #lse] score {
  ^bb0(%s: f32, %bi: index, %hi: index, %qi: index, %ki: index, %add: f32, %all: tensor<12xf32>):
    %slope = tensor.extract %all[%hi] : tensor<12xf32>
    %1 = arith.mulf %add, %slope : f32
    %2 = arith.addf %s, %1 : f32
    attn.yield %2 : f32
  } mask {
  ^bb0(%bi: index, %hi: index, %qi: index, %ki: index, %add: f32, %all: tensor<12xf32>):
    %causal = arith.cmpi sge, %qi, %ki : index
    attn.yield %causal : i1
  }
  return %0#0, %0#1 : tensor<?x12x?x32xf32>, tensor<?x12x?xf32>
}

module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %op = transform.structured.match ops{["attn.attention"]} in %root : (!transform.any_op) -> !transform.any_op
    %tiled, %loop = transform.structured.tile_using_forall %op tile_sizes [1, 0, 32] : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    transform.yield
  }
}
