// RUN: attn-opt %s --split-input-file --one-shot-bufferize="bufferize-function-boundaries function-boundary-type-conversion=identity-layout-map" --canonicalize --cse --canonicalize | FileCheck %s

// Destinations are written in place and never copied, although their first contents are used by nobody.

attn.weight @w : tensor<64x32xf32> = #attn.file<"m.safetensors", 8 : tensor<64x32xf32>>
attn.weight @b : tensor<64xf32> = #attn.file<"m.safetensors", 8200 : tensor<64xf32>>

// CHECK-LABEL: func @rows
//  CHECK-SAME:   %[[X:[a-z0-9_]+]]: memref<?x32xf32>, %[[INIT:[a-z0-9_]+]]: memref<?x64xf32>
//   CHECK-NOT:   copy
//   CHECK-DAG:   %[[W:[a-z0-9_]+]] = attn.get_weight @w : memref<64x32xf32>
//   CHECK-DAG:   %[[B:[a-z0-9_]+]] = attn.get_weight @b : memref<64xf32>
//       CHECK:   %[[T:[a-z0-9_]+]] = memref.alloc
//       CHECK:   attn.linear ins(%[[X]], %[[W]] : memref<?x32xf32>, memref<64x32xf32>) extras(%[[B]] : memref<64xf32>) outs(%[[T]] : memref<?x64xf32>)
//  CHECK-SAME:     maps [#{{.+}}] attributes {kernel = #attn.linear_kernel<rows = 6, columns = 16, lanes = 8>}
//       CHECK:   ^bb0(%{{.+}}: f32, %{{.+}}: f32):
//       CHECK:   attn.layer_norm ins(%[[T]], %[[B]], %[[B]] : memref<?x64xf32>, memref<64xf32>, memref<64xf32>) outs(%[[INIT]] : memref<?x64xf32>) {epsilon
//   CHECK-NOT:   copy
//       CHECK:   return %[[INIT]]
func.func @rows(%x: tensor<?x32xf32>, %init: tensor<?x64xf32>) -> tensor<?x64xf32> {
  %w = attn.get_weight @w : tensor<64x32xf32>
  %b = attn.get_weight @b : tensor<64xf32>
  %c0 = arith.constant 0 : index
  %m = tensor.dim %x, %c0 : tensor<?x32xf32>
  %empty = tensor.empty(%m) : tensor<?x64xf32>
  %0 = attn.linear ins(%x, %w : tensor<?x32xf32>, tensor<64x32xf32>) extras(%b : tensor<64xf32>) outs(%empty : tensor<?x64xf32>) -> tensor<?x64xf32>
      maps [affine_map<(m, n) -> (n)>] attributes {kernel = #attn.linear_kernel<rows = 6, columns = 16, lanes = 8>} {
  ^bb0(%sum: f32, %bias: f32):
    %1 = arith.addf %sum, %bias : f32
    attn.yield %1 : f32
  }
  %2 = attn.layer_norm ins(%0, %b, %b : tensor<?x64xf32>, tensor<64xf32>, tensor<64xf32>) outs(%init : tensor<?x64xf32>) -> tensor<?x64xf32> {epsilon = 1.0e-5}
  return %2 : tensor<?x64xf32>
}

// -----

// A destination that somebody still reads is not overwritten; and no contents are copied into the new one.

// CHECK-LABEL: func @still_read
//  CHECK-SAME:   %[[X:[a-z0-9_]+]]: memref<4x8xf32>, %[[S:[a-z0-9_]+]]: memref<8xf32>
//       CHECK:   %[[T:[a-z0-9_]+]] = memref.alloc() {{.*}} : memref<4x8xf32>
//   CHECK-NOT:   copy
//       CHECK:   attn.layer_norm ins(%[[X]], %[[S]] : memref<4x8xf32>, memref<8xf32>) outs(%[[T]] : memref<4x8xf32>)
//       CHECK:   return %[[T]], %[[X]]
func.func @still_read(%x: tensor<4x8xf32>, %s: tensor<8xf32>) -> (tensor<4x8xf32>, tensor<4x8xf32>) {
  %0 = attn.layer_norm ins(%x, %s : tensor<4x8xf32>, tensor<8xf32>) outs(%x : tensor<4x8xf32>) -> tensor<4x8xf32> {epsilon = 1.0e-5}
  return %0, %x : tensor<4x8xf32>, tensor<4x8xf32>
}

// -----

// A weight is never written: whoever would, writes elsewhere.

attn.weight @w : tensor<4x8xf32> = #attn.file<"m.safetensors", 8 : tensor<4x8xf32>>

// CHECK-LABEL: func @read_only
//       CHECK:   %[[W:[a-z0-9_]+]] = attn.get_weight @w : memref<4x8xf32>
//       CHECK:   %[[T:[a-z0-9_]+]] = memref.alloc() {{.*}} : memref<4x8xf32>
//       CHECK:   outs(%[[T]] : memref<4x8xf32>)
//       CHECK:   return %[[T]], %[[W]]
func.func @read_only(%x: tensor<4x8xf32>, %s: tensor<8xf32>) -> (tensor<4x8xf32>, tensor<4x8xf32>) {
  %w = attn.get_weight @w : tensor<4x8xf32>
  %0 = attn.layer_norm ins(%x, %s : tensor<4x8xf32>, tensor<8xf32>) outs(%w : tensor<4x8xf32>) -> tensor<4x8xf32> {epsilon = 1.0e-5}
  return %0, %w : tensor<4x8xf32>, tensor<4x8xf32>
}

// -----

// Tiles inside tasks: slices become views of any strides, the running state stays in place over the key loop.

// CHECK-LABEL: func @tiles
//  CHECK-SAME:   %[[Q:[a-z0-9_]+]]: memref<?x32xf32>, %[[K:[a-z0-9_]+]]: memref<?x32xf32>, %[[V:[a-z0-9_]+]]: memref<?x32xf32>, %[[M:[a-z0-9_]+]]: memref<?xi64>, %[[OUT:[a-z0-9_]+]]: memref<?x32xf32>
//       CHECK:   scf.forall
//   CHECK-DAG:     %[[QS:[a-z0-9_]+]] = memref.subview %[[Q]]
//       CHECK:     %[[P:[a-z0-9_]+]] = memref.alloc() {{.*}} : memref<1x32x16xf32>
//       CHECK:     attn.pack ins(%[[QS]] : memref<16x32xf32, strided<[32, 1], offset: ?>>) outs(%[[P]] : memref<1x32x16xf32>)
//   CHECK-DAG:     %[[ACC:[a-z0-9_]+]] = memref.alloc() {{.*}} : memref<16x32xf32>
//   CHECK-DAG:     %[[MAX:[a-z0-9_]+]] = memref.alloc() {{.*}} : memref<16xf32>
//   CHECK-DAG:     %[[SUM:[a-z0-9_]+]] = memref.alloc() {{.*}} : memref<16xf32>
//       CHECK:     scf.for
//   CHECK-NOT:       copy
//       CHECK:       attn.online_attention ins(%[[P]], %{{.+}}, %{{.+}} : memref<1x32x16xf32>, memref<?x32xf32, strided<[32, 1], offset: ?>>, memref<?x32xf32, strided<[32, 1], offset: ?>>)
//  CHECK-SAME:         key_mask(%{{.+}} : memref<?xi64, strided<[1], offset: ?>>) outs(%[[ACC]], %[[MAX]], %[[SUM]] : memref<16x32xf32>, memref<16xf32>, memref<16xf32>)
//       CHECK:     %[[OS:[a-z0-9_]+]] = memref.subview %[[OUT]]
//       CHECK:     attn.online_finish ins(%[[ACC]], %[[MAX]], %[[SUM]] : memref<16x32xf32>, memref<16xf32>, memref<16xf32>) outs(%[[OS]] : memref<16x32xf32, strided<[32, 1], offset: ?>>)
//   CHECK-NOT:     copy
#tail = affine_map<(d0)[s0] -> (64, s0 - d0)>
func.func @tiles(%q: tensor<?x32xf32>, %k: tensor<?x32xf32>, %v: tensor<?x32xf32>, %mask: tensor<?xi64>, %init: tensor<?x32xf32>) -> tensor<?x32xf32> {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %c64 = arith.constant 64 : index
  %zero = arith.constant 0.0 : f32
  %low = arith.constant 0xFF800000 : f32
  %n = tensor.dim %k, %c0 : tensor<?x32xf32>
  %rows = tensor.dim %q, %c0 : tensor<?x32xf32>
  %r = scf.forall (%i) = (0) to (%rows) step (16) shared_outs(%o = %init) -> tensor<?x32xf32> {
    %qs = tensor.extract_slice %q[%i, 0] [16, 32] [1, 1] : tensor<?x32xf32> to tensor<16x32xf32>
    %pe = tensor.empty() : tensor<1x32x16xf32>
    %p = attn.pack ins(%qs : tensor<16x32xf32>) outs(%pe : tensor<1x32x16xf32>) -> tensor<1x32x16xf32>
    %ae = tensor.empty() : tensor<16x32xf32>
    %me = tensor.empty() : tensor<16xf32>
    %se = tensor.empty() : tensor<16xf32>
    %a0 = linalg.fill ins(%zero : f32) outs(%ae : tensor<16x32xf32>) -> tensor<16x32xf32>
    %m0 = linalg.fill ins(%low : f32) outs(%me : tensor<16xf32>) -> tensor<16xf32>
    %s0 = linalg.fill ins(%zero : f32) outs(%se : tensor<16xf32>) -> tensor<16xf32>
    %l:3 = scf.for %j = %c0 to %n step %c64 iter_args(%a = %a0, %m = %m0, %s = %s0) -> (tensor<16x32xf32>, tensor<16xf32>, tensor<16xf32>) {
      %size = affine.min #tail(%j)[%n]
      %ks = tensor.extract_slice %k[%j, 0] [%size, 32] [1, 1] : tensor<?x32xf32> to tensor<?x32xf32>
      %vs = tensor.extract_slice %v[%j, 0] [%size, 32] [1, 1] : tensor<?x32xf32> to tensor<?x32xf32>
      %ms = tensor.extract_slice %mask[%j] [%size] [1] : tensor<?xi64> to tensor<?xi64>
      %t:3 = attn.online_attention ins(%p, %ks, %vs : tensor<1x32x16xf32>, tensor<?x32xf32>, tensor<?x32xf32>) key_mask(%ms : tensor<?xi64>)
          outs(%a, %m, %s : tensor<16x32xf32>, tensor<16xf32>, tensor<16xf32>) -> tensor<16x32xf32>, tensor<16xf32>, tensor<16xf32> {scale = 0.125 : f64}
      scf.yield %t#0, %t#1, %t#2 : tensor<16x32xf32>, tensor<16xf32>, tensor<16xf32>
    }
    %os = tensor.extract_slice %o[%i, 0] [16, 32] [1, 1] : tensor<?x32xf32> to tensor<16x32xf32>
    %f = attn.online_finish ins(%l#0, %l#1, %l#2 : tensor<16x32xf32>, tensor<16xf32>, tensor<16xf32>) outs(%os : tensor<16x32xf32>) -> tensor<16x32xf32>
    scf.forall.in_parallel {
      tensor.parallel_insert_slice %f into %o[%i, 0] [16, 32] [1, 1] : tensor<16x32xf32> into tensor<?x32xf32>
    }
  }
  return %r : tensor<?x32xf32>
}

// -----

// Regions move along; what they read by index becomes a memref.

// CHECK-LABEL: func @regions
//  CHECK-SAME:   %[[IDS:[a-z0-9_]+]]: memref<2x8xi64>, %[[TABLE:[a-z0-9_]+]]: memref<100x32xf32>, %[[SLOPES:[a-z0-9_]+]]: memref<1xf32>
//       CHECK:   attn.key_ranges ins(%[[IDS]] : memref<2x8xi64>) outs(%[[R:[a-z0-9_]+]] : memref<2x4xi64>)
//       CHECK:   attn.embedding ins(%[[IDS]] : memref<2x8xi64>) tables(%[[TABLE]] : memref<100x32xf32>) outs(%[[X:[a-z0-9_]+]] : memref<2x8x32xf32>)
//       CHECK:   attn.attention ins(%[[X4:[a-z0-9_]+]], %[[X4]], %[[X4]] : memref<2x1x8x32xf32>, memref<2x1x8x32xf32>, memref<2x1x8x32xf32>) ranges(%[[R]] : memref<2x4xi64>)
//  CHECK-SAME:     whole(%[[SLOPES]] : memref<1xf32>) outs(%{{.+}} : memref<2x1x8x32xf32>)
//       CHECK:   ^bb0(%{{.+}}: f32, %{{.+}}: index, %[[H:[a-z0-9_]+]]: index, %{{.+}}: index, %{{.+}}: index, %[[ALL:[a-z0-9_]+]]: memref<1xf32>):
//       CHECK:     memref.load %[[ALL]][%[[H]]]
//       CHECK:   mask
#qd = affine_map<(b, h, q, k, d, e) -> (b, h, q, d)>
#kd = affine_map<(b, h, q, k, d, e) -> (b, h, k, d)>
#ke = affine_map<(b, h, q, k, d, e) -> (b, h, k, e)>
#qe = affine_map<(b, h, q, k, d, e) -> (b, h, q, e)>
func.func @regions(%ids: tensor<2x8xi64>, %table: tensor<100x32xf32>, %slopes: tensor<1xf32>) -> tensor<2x1x8x32xf32> {
  %re = tensor.empty() : tensor<2x4xi64>
  %r = attn.key_ranges ins(%ids : tensor<2x8xi64>) outs(%re : tensor<2x4xi64>) -> tensor<2x4xi64>
  %xe = tensor.empty() : tensor<2x8x32xf32>
  %x = attn.embedding ins(%ids : tensor<2x8xi64>) tables(%table : tensor<100x32xf32>) outs(%xe : tensor<2x8x32xf32>) -> tensor<2x8x32xf32>
  %x4 = tensor.expand_shape %x [[0, 1], [2], [3]] output_shape [2, 1, 8, 32] : tensor<2x8x32xf32> into tensor<2x1x8x32xf32>
  %e = tensor.empty() : tensor<2x1x8x32xf32>
  %0 = attn.attention ins(%x4, %x4, %x4 : tensor<2x1x8x32xf32>, tensor<2x1x8x32xf32>, tensor<2x1x8x32xf32>) ranges(%r : tensor<2x4xi64>)
      whole(%slopes : tensor<1xf32>) outs(%e : tensor<2x1x8x32xf32>) -> tensor<2x1x8x32xf32> maps [#qd, #kd, #ke, #qe] score {
  ^bb0(%s: f32, %b: index, %h: index, %q: index, %k: index, %all: tensor<1xf32>):
    %slope = tensor.extract %all[%h] : tensor<1xf32>
    %1 = arith.addf %s, %slope : f32
    attn.yield %1 : f32
  } mask {
  ^bb0(%b: index, %h: index, %q: index, %k: index, %all: tensor<1xf32>):
    %1 = arith.cmpi sge, %q, %k : index
    attn.yield %1 : i1
  }
  return %0 : tensor<2x1x8x32xf32>
}
