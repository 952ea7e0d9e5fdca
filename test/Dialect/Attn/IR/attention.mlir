// RUN: attn-opt %s --split-input-file | attn-opt --split-input-file | FileCheck %s
// RUN: attn-opt %s --split-input-file --mlir-print-op-generic | attn-opt --split-input-file | FileCheck %s

#qd = affine_map<(b, h, q, k, d, e) -> (b, q, h, d)>
#kd = affine_map<(b, h, q, k, d, e) -> (b, k, h, d)>
#kd_grouped = affine_map<(b, h, q, k, d, e) -> (b, k, h floordiv 4, d)>
#ke_grouped = affine_map<(b, h, q, k, d, e) -> (b, k, h floordiv 4, e)>
#ke = affine_map<(b, h, q, k, d, e) -> (b, k, h, e)>
#hqk = affine_map<(b, h, q, k, d, e) -> (h, q, k)>
#qe = affine_map<(b, h, q, k, d, e) -> (b, q, h, e)>
#bhq = affine_map<(b, h, q, k, d, e) -> (b, h, q)>

// CHECK-LABEL: func @plain
//       CHECK:   attn.attention ins(%{{[a-z0-9_#]+}}, %{{[a-z0-9_#]+}}, %{{[a-z0-9_#]+}} : tensor<2x128x4x64xf32>, tensor<2x128x4x64xf32>, tensor<2x128x4x64xf32>) outs(%{{[a-z0-9_#]+}} : tensor<2x128x4x64xf32>) -> tensor<2x128x4x64xf32> maps [#{{.+}}, #{{.+}}, #{{.+}}, #{{.+}}]
func.func @plain(%q: tensor<2x128x4x64xf32>, %k: tensor<2x128x4x64xf32>, %v: tensor<2x128x4x64xf32>, %init: tensor<2x128x4x64xf32>) -> tensor<2x128x4x64xf32> {
  %0 = attn.attention ins(%q, %k, %v : tensor<2x128x4x64xf32>, tensor<2x128x4x64xf32>, tensor<2x128x4x64xf32>)
      outs(%init : tensor<2x128x4x64xf32>) -> tensor<2x128x4x64xf32> maps [#qd, #kd, #ke, #qe]
  return %0 : tensor<2x128x4x64xf32>
}

// CHECK-LABEL: func @masked
//       CHECK:   attn.attention ins(%{{[a-z0-9_#]+}}, %{{[a-z0-9_#]+}}, %{{[a-z0-9_#]+}} : tensor<?x?x12x32xf32>, tensor<?x?x3x32xf32>, tensor<?x?x3x16xf32>) ranges(%{{[a-z0-9_#]+}} : tensor<?x4xi64>) key_mask(%{{[a-z0-9_#]+}} : tensor<?x?xi8>)
//  CHECK-SAME:     outs(%{{[a-z0-9_#]+}} : tensor<?x?x12x16xf32>) -> tensor<?x?x12x16xf32> maps [{{[#a-z0-9, ]+}}] attributes {empty = #attn.empty<uniform>, scale = 1.250000e-01 : f64}
func.func @masked(%q: tensor<?x?x12x32xf32>, %k: tensor<?x?x3x32xf32>, %v: tensor<?x?x3x16xf32>, %r: tensor<?x4xi64>, %m: tensor<?x?xi8>, %init: tensor<?x?x12x16xf32>) -> tensor<?x?x12x16xf32> {
  %0 = attn.attention ins(%q, %k, %v : tensor<?x?x12x32xf32>, tensor<?x?x3x32xf32>, tensor<?x?x3x16xf32>) ranges(%r : tensor<?x4xi64>) key_mask(%m : tensor<?x?xi8>)
      outs(%init : tensor<?x?x12x16xf32>) -> tensor<?x?x12x16xf32> maps [#qd, #kd_grouped, #ke_grouped, #qe] attributes {scale = 0.125, empty = #attn.empty<uniform>}
  return %0 : tensor<?x?x12x16xf32>
}

// CHECK-LABEL: func @regions
//       CHECK:   %{{[a-z0-9_#]+}}:2 = attn.attention {{.*}} mapped(%{{[a-z0-9_#]+}} : tensor<12x?x?xf32>) whole(%{{[a-z0-9_#]+}}, %{{[a-z0-9_#]+}} : tensor<12xf32>, tensor<?xi64>) offsets(%{{[a-z0-9_#]+}}, %{{[a-z0-9_#]+}}, %{{[a-z0-9_#]+}}, %{{[a-z0-9_#]+}})
//  CHECK-SAME:     outs(%{{[a-z0-9_#]+}}, %{{[a-z0-9_#]+}} : tensor<?x?x12x32xf32>, tensor<?x12x?xf32>) -> tensor<?x?x12x32xf32>, tensor<?x12x?xf32> maps [{{[#a-z0-9, ]+}}] score {
//       CHECK:   ^bb0(%{{[a-z0-9_#]+}}: f32, %{{[a-z0-9_#]+}}: index, %{{[a-z0-9_#]+}}: index, %{{[a-z0-9_#]+}}: index, %{{[a-z0-9_#]+}}: index, %{{[a-z0-9_#]+}}: f32, %{{[a-z0-9_#]+}}: tensor<12xf32>, %{{[a-z0-9_#]+}}: tensor<?xi64>):
//       CHECK:     attn.yield %{{[a-z0-9_#]+}} : f32
//       CHECK:   } mask {
//       CHECK:     attn.yield %{{[a-z0-9_#]+}} : i1
func.func @regions(%q: tensor<?x?x12x32xf32>, %k: tensor<?x?x12x32xf32>, %v: tensor<?x?x12x32xf32>, %bias: tensor<12x?x?xf32>, %slopes: tensor<12xf32>, %documents: tensor<?xi64>,
                   %o: index, %init: tensor<?x?x12x32xf32>, %l: tensor<?x12x?xf32>) -> (tensor<?x?x12x32xf32>, tensor<?x12x?xf32>) {
  %0:2 = attn.attention ins(%q, %k, %v : tensor<?x?x12x32xf32>, tensor<?x?x12x32xf32>, tensor<?x?x12x32xf32>)
      mapped(%bias : tensor<12x?x?xf32>) whole(%slopes, %documents : tensor<12xf32>, tensor<?xi64>) offsets(%o, %o, %o, %o)
      outs(%init, %l : tensor<?x?x12x32xf32>, tensor<?x12x?xf32>) -> tensor<?x?x12x32xf32>, tensor<?x12x?xf32> maps [#qd, #kd, #ke, #hqk, #qe, #bhq] score {
  ^bb0(%s: f32, %bi: index, %hi: index, %qi: index, %ki: index, %add: f32, %all: tensor<12xf32>, %docs: tensor<?xi64>):
    %1 = arith.addf %s, %add : f32
    attn.yield %1 : f32
  } mask {
  ^bb0(%bi: index, %hi: index, %qi: index, %ki: index, %add: f32, %all: tensor<12xf32>, %docs: tensor<?xi64>):
    %1 = tensor.extract %docs[%qi] : tensor<?xi64>
    %2 = tensor.extract %docs[%ki] : tensor<?xi64>
    %3 = arith.cmpi eq, %1, %2 : i64
    attn.yield %3 : i1
  }
  return %0#0, %0#1 : tensor<?x?x12x32xf32>, tensor<?x12x?xf32>
}

// CHECK-LABEL: func @tile
//       CHECK:   attn.pack ins(%{{[a-z0-9_#]+}} : tensor<?x32xf32>) outs(%{{[a-z0-9_#]+}} : tensor<1x32x16xf32>) -> tensor<1x32x16xf32> {kernel = #attn.row_kernel<lanes = 8>}
//       CHECK:   attn.online_attention ins(%{{[a-z0-9_#]+}}, %{{[a-z0-9_#]+}}, %{{[a-z0-9_#]+}} : tensor<1x32x16xf32>, tensor<?x32xf32>, tensor<?x24xf32>) key_mask(%{{[a-z0-9_#]+}} : tensor<?xi64>)
//  CHECK-SAME:     outs(%{{[a-z0-9_#]+}}, %{{[a-z0-9_#]+}}, %{{[a-z0-9_#]+}} : tensor<16x24xf32>, tensor<16xf32>, tensor<16xf32>) -> tensor<16x24xf32>, tensor<16xf32>, tensor<16xf32>
//  CHECK-SAME:     {kernel = #attn.attention_kernel<queries = 16, keyRows = 4, valueRows = 4, valueColumns = 24, keyBlock = 64, lanes = 8>, scale = 5.000000e-01 : f64}
//       CHECK:   attn.online_finish ins(%{{[a-z0-9_#]+}}, %{{[a-z0-9_#]+}}, %{{[a-z0-9_#]+}} : tensor<16x24xf32>, tensor<16xf32>, tensor<16xf32>) outs(%{{[a-z0-9_#]+}}, %{{[a-z0-9_#]+}} : tensor<?x24xf32>, tensor<?xf32>) -> tensor<?x24xf32>, tensor<?xf32>
func.func @tile(%q: tensor<?x32xf32>, %p: tensor<1x32x16xf32>, %k: tensor<?x32xf32>, %v: tensor<?x24xf32>, %mask: tensor<?xi64>, %a: tensor<16x24xf32>, %m: tensor<16xf32>, %s: tensor<16xf32>,
                %o: tensor<?x24xf32>, %l: tensor<?xf32>) -> (tensor<?x24xf32>, tensor<?xf32>) {
  %0 = attn.pack ins(%q : tensor<?x32xf32>) outs(%p : tensor<1x32x16xf32>) -> tensor<1x32x16xf32> {kernel = #attn.row_kernel<lanes = 8>}
  %1:3 = attn.online_attention ins(%0, %k, %v : tensor<1x32x16xf32>, tensor<?x32xf32>, tensor<?x24xf32>) key_mask(%mask : tensor<?xi64>)
      outs(%a, %m, %s : tensor<16x24xf32>, tensor<16xf32>, tensor<16xf32>) -> tensor<16x24xf32>, tensor<16xf32>, tensor<16xf32>
      {scale = 0.5, kernel = #attn.attention_kernel<queries = 16, keyRows = 4, valueRows = 4, valueColumns = 24, keyBlock = 64, lanes = 8>}
  %2:2 = attn.online_finish ins(%1#0, %1#1, %1#2 : tensor<16x24xf32>, tensor<16xf32>, tensor<16xf32>) outs(%o, %l : tensor<?x24xf32>, tensor<?xf32>) -> tensor<?x24xf32>, tensor<?xf32>
  return %2#0, %2#1 : tensor<?x24xf32>, tensor<?xf32>
}

// CHECK-LABEL: func @tile_regions
//       CHECK:   attn.online_attention {{.*}} lower(%{{[a-z0-9_#]+}}) upper(%{{[a-z0-9_#]+}}) mapped(%{{[a-z0-9_#]+}}, %{{[a-z0-9_#]+}} : tensor<?x?xf32>, tensor<i8>) indices(%{{[a-z0-9_#]+}}, %{{[a-z0-9_#]+}}, %{{[a-z0-9_#]+}}, %{{[a-z0-9_#]+}})
//  CHECK-SAME:     {maps = [#{{.+}}, #{{.+}}], scale = 5.000000e-01 : f64} score {
//       CHECK:   ^bb0(%{{.+}}: f32, %{{.+}}: index, %{{.+}}: index, %{{.+}}: index, %{{.+}}: index, %{{.+}}: f32, %{{.+}}: i8):
//       CHECK:   } mask {
//       CHECK:     attn.yield %{{.+}} : i1
func.func @tile_regions(%q: tensor<1x32x16xf32>, %k: tensor<?x32xf32>, %v: tensor<?x24xf32>, %x: tensor<?x?xf32>, %y: tensor<i8>, %i: index, %a: tensor<16x24xf32>, %m: tensor<16xf32>, %s: tensor<16xf32>) -> tensor<16x24xf32> {
  %0:3 = attn.online_attention ins(%q, %k, %v : tensor<1x32x16xf32>, tensor<?x32xf32>, tensor<?x24xf32>)
      lower(%i) upper(%i) mapped(%x, %y : tensor<?x?xf32>, tensor<i8>) indices(%i, %i, %i, %i)
      outs(%a, %m, %s : tensor<16x24xf32>, tensor<16xf32>, tensor<16xf32>) -> tensor<16x24xf32>, tensor<16xf32>, tensor<16xf32>
      {scale = 0.5, maps = [affine_map<(j, k) -> (j, k)>, affine_map<(j, k) -> ()>]} score {
  ^bb0(%p: f32, %b: index, %h: index, %qi: index, %ki: index, %e: f32, %f: i8):
    %1 = arith.addf %p, %e : f32
    attn.yield %1 : f32
  } mask {
  ^bb0(%b: index, %h: index, %qi: index, %ki: index, %e: f32, %f: i8):
    %1 = arith.trunci %f : i8 to i1
    attn.yield %1 : i1
  }
  return %0#0 : tensor<16x24xf32>
}

// CHECK-LABEL: func @tile_memref
//       CHECK:   attn.online_attention {{.*}} scratch(%{{[a-z0-9_#]+}}, %{{[a-z0-9_#]+}} : memref<64x16xf32>, memref<16xf32>)
func.func @tile_memref(%p: memref<1x32x16xf32>, %k: memref<?x32xf32, strided<[384, 1], offset: ?>>, %v: memref<?x24xf32, strided<[?, ?], offset: ?>>, %a: memref<16x24xf32>, %m: memref<16xf32>, %s: memref<16xf32>,
                       %x: memref<64x16xf32>, %y: memref<16xf32>) {
  attn.online_attention ins(%p, %k, %v : memref<1x32x16xf32>, memref<?x32xf32, strided<[384, 1], offset: ?>>, memref<?x24xf32, strided<[?, ?], offset: ?>>)
      outs(%a, %m, %s : memref<16x24xf32>, memref<16xf32>, memref<16xf32>) scratch(%x, %y : memref<64x16xf32>, memref<16xf32>)
      {scale = 0.5, kernel = #attn.attention_kernel<queries = 16, keyRows = 4, valueRows = 4, valueColumns = 24, keyBlock = 64, lanes = 8>}
  return
}
