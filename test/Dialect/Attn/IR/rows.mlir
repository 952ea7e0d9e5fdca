// RUN: attn-opt %s --split-input-file | attn-opt --split-input-file | FileCheck %s
// RUN: attn-opt %s --split-input-file --mlir-print-op-generic | attn-opt --split-input-file | FileCheck %s

// CHECK-LABEL: func @linear
//       CHECK:   attn.linear ins(%{{[a-z0-9_#]+}}, %{{[a-z0-9_#]+}} : tensor<?x384xf32>, tensor<1536x384xf32>) outs(%{{[a-z0-9_#]+}} : tensor<?x1536xf32>) -> tensor<?x1536xf32> {
//       CHECK:   ^bb0(%[[S:[a-z0-9_]+]]: f32):
//       CHECK:     attn.yield %[[S]] : f32
func.func @linear(%x: tensor<?x384xf32>, %w: tensor<1536x384xf32>, %init: tensor<?x1536xf32>) -> tensor<?x1536xf32> {
  %0 = attn.linear ins(%x, %w : tensor<?x384xf32>, tensor<1536x384xf32>) outs(%init : tensor<?x1536xf32>) -> tensor<?x1536xf32> {
  ^bb0(%sum: f32):
    attn.yield %sum : f32
  }
  return %0 : tensor<?x1536xf32>
}

// A ragged last panel: 50 columns in panels of 16.
// CHECK-LABEL: func @linear_panels
//       CHECK:   attn.linear ins(%{{[a-z0-9_#]+}}, %{{[a-z0-9_#]+}} : tensor<2x?x64xf32>, tensor<4x64x16xf32>) extras(%{{[a-z0-9_#]+}}, %{{[a-z0-9_#]+}}, %{{[a-z0-9_#]+}} : tensor<50xf32>, tensor<2x?x50xf32>, tensor<1x?xf32>)
//  CHECK-SAME:     maps [#{{.+}}, #{{.+}}, #{{.+}}] attributes {kernel = #attn.linear_kernel<rows = 6, columns = 16, lanes = 8>, schedule = #attn.schedule<rowBlock = 48, kernel = #attn.linear_kernel<rows = 6, columns = 16, lanes = 8>>}
//       CHECK:     attn.gelu approximate %{{[a-z0-9_#]+}} : f32
func.func @linear_panels(%x: tensor<2x?x64xf32>, %w: tensor<4x64x16xf32>, %bias: tensor<50xf32>, %residual: tensor<2x?x50xf32>, %row: tensor<1x?xf32>, %init: tensor<2x?x50xf32>) -> tensor<2x?x50xf32> {
  %0 = attn.linear ins(%x, %w : tensor<2x?x64xf32>, tensor<4x64x16xf32>)
      extras(%bias, %residual, %row : tensor<50xf32>, tensor<2x?x50xf32>, tensor<1x?xf32>) outs(%init : tensor<2x?x50xf32>) -> tensor<2x?x50xf32>
      maps [affine_map<(b, m, n) -> (n)>, affine_map<(b, m, n) -> (b, m, n)>, affine_map<(b, m, n) -> (0, m)>]
      attributes {kernel = #attn.linear_kernel<rows = 6, columns = 16, lanes = 8>,
                  schedule = #attn.schedule<rowBlock = 48, kernel = #attn.linear_kernel<rows = 6, columns = 16, lanes = 8>>} {
  ^bb0(%sum: f32, %b: f32, %r: f32, %m: f32):
    %1 = arith.addf %sum, %b : f32
    %2 = attn.gelu approximate %1 : f32
    %3 = arith.addf %2, %r : f32
    %4 = arith.mulf %3, %m : f32
    attn.yield %4 : f32
  }
  return %0 : tensor<2x?x50xf32>
}

// CHECK-LABEL: func @linear_memref
//       CHECK:   attn.linear ins(%{{[a-z0-9_#]+}}, %{{[a-z0-9_#]+}} : memref<?x8xf32, strided<[?, ?], offset: ?>>, memref<4x8xf32>) outs(%{{[a-z0-9_#]+}} : memref<?x4xf32, strided<[16, 1], offset: ?>>) {
func.func @linear_memref(%x: memref<?x8xf32, strided<[?, ?], offset: ?>>, %w: memref<4x8xf32>, %init: memref<?x4xf32, strided<[16, 1], offset: ?>>) {
  attn.linear ins(%x, %w : memref<?x8xf32, strided<[?, ?], offset: ?>>, memref<4x8xf32>) outs(%init : memref<?x4xf32, strided<[16, 1], offset: ?>>) {
  ^bb0(%sum: f32):
    attn.yield %sum : f32
  }
  return
}

// CHECK-LABEL: func @layer_norm
//       CHECK:   attn.layer_norm ins(%{{[a-z0-9_#]+}}, %{{[a-z0-9_#]+}}, %{{[a-z0-9_#]+}} : tensor<?x?x64xf32>, tensor<64xf32>, tensor<64xf32>) outs(%{{[a-z0-9_#]+}} : tensor<?x?x64xf32>) -> tensor<?x?x64xf32> {epsilon = 1.250000e-01 : f64, kernel = #attn.row_kernel<lanes = 16>}
//       CHECK:   attn.layer_norm ins(%{{[a-z0-9_#]+}}, %{{[a-z0-9_#]+}} : tensor<?x?x64xf32>, tensor<64xf32>) outs(%{{[a-z0-9_#]+}} : tensor<?x?x64xf32>) -> tensor<?x?x64xf32> {epsilon = 0.000000e+00 : f64}
func.func @layer_norm(%x: tensor<?x?x64xf32>, %scale: tensor<64xf32>, %shift: tensor<64xf32>, %init: tensor<?x?x64xf32>) -> tensor<?x?x64xf32> {
  %0 = attn.layer_norm ins(%x, %scale, %shift : tensor<?x?x64xf32>, tensor<64xf32>, tensor<64xf32>) outs(%init : tensor<?x?x64xf32>) -> tensor<?x?x64xf32>
      {epsilon = 0.125, kernel = #attn.row_kernel<lanes = 16>}
  %1 = attn.layer_norm ins(%0, %scale : tensor<?x?x64xf32>, tensor<64xf32>) outs(%init : tensor<?x?x64xf32>) -> tensor<?x?x64xf32> {epsilon = 0.0}
  return %1 : tensor<?x?x64xf32>
}

// CHECK-LABEL: func @rms_norm
//       CHECK:   attn.rms_norm ins(%{{[a-z0-9_#]+}}, %{{[a-z0-9_#]+}} : tensor<?x?x64xf32>, tensor<64xf32>) outs(%{{[a-z0-9_#]+}} : tensor<?x?x64xf32>) -> tensor<?x?x64xf32> {epsilon = 1.250000e-01 : f64, kernel = #attn.row_kernel<lanes = 16>}
func.func @rms_norm(%x: tensor<?x?x64xf32>, %scale: tensor<64xf32>, %init: tensor<?x?x64xf32>) -> tensor<?x?x64xf32> {
  %0 = attn.rms_norm ins(%x, %scale : tensor<?x?x64xf32>, tensor<64xf32>) outs(%init : tensor<?x?x64xf32>) -> tensor<?x?x64xf32>
      {epsilon = 0.125, kernel = #attn.row_kernel<lanes = 16>}
  return %0 : tensor<?x?x64xf32>
}

// CHECK-LABEL: func @rotary
//       CHECK:   attn.rotary ins(%{{[a-z0-9_#]+}}, %{{[a-z0-9_#]+}}, %{{[a-z0-9_#]+}} : tensor<?x?x12x64xf32>, tensor<?x32xf32>, tensor<?x32xf32>) outs(%{{[a-z0-9_#]+}} : tensor<?x?x12x64xf32>) -> tensor<?x?x12x64xf32> map #{{.+}} interleaved
//       CHECK:   attn.rotary ins(%{{[a-z0-9_#]+}}, %{{[a-z0-9_#]+}}, %{{[a-z0-9_#]+}} : tensor<?x?x12x64xf32>, tensor<1x?x64xf32>, tensor<1x?x64xf32>) outs(%{{[a-z0-9_#]+}} : tensor<?x?x12x64xf32>) -> tensor<?x?x12x64xf32> map #
func.func @rotary(%x: tensor<?x?x12x64xf32>, %c: tensor<?x32xf32>, %s: tensor<?x32xf32>, %fc: tensor<1x?x64xf32>, %fs: tensor<1x?x64xf32>, %init: tensor<?x?x12x64xf32>) -> tensor<?x?x12x64xf32> {
  %0 = attn.rotary ins(%x, %c, %s : tensor<?x?x12x64xf32>, tensor<?x32xf32>, tensor<?x32xf32>) outs(%init : tensor<?x?x12x64xf32>) -> tensor<?x?x12x64xf32>
      map affine_map<(b, s, h) -> (s)> interleaved
  %1 = attn.rotary ins(%0, %fc, %fs : tensor<?x?x12x64xf32>, tensor<1x?x64xf32>, tensor<1x?x64xf32>) outs(%init : tensor<?x?x12x64xf32>) -> tensor<?x?x12x64xf32>
      map affine_map<(b, s, h) -> (0, s)>
  return %1 : tensor<?x?x12x64xf32>
}

// CHECK-LABEL: func @embedding
//       CHECK:   attn.embedding ins(%{{[a-z0-9_#]+}}, %{{[a-z0-9_#]+}} : tensor<?x?xi64>, tensor<?x?xi32>) tables(%{{[a-z0-9_#]+}}, %{{[a-z0-9_#]+}} : tensor<100x64xf32>, tensor<2x64xf32>) positions(%{{[a-z0-9_#]+}} : tensor<512x64xf32>) outs(%{{[a-z0-9_#]+}} : tensor<?x?x64xf32>) -> tensor<?x?x64xf32>
func.func @embedding(%ids: tensor<?x?xi64>, %types: tensor<?x?xi32>, %words: tensor<100x64xf32>, %kinds: tensor<2x64xf32>, %positions: tensor<512x64xf32>, %init: tensor<?x?x64xf32>) -> tensor<?x?x64xf32> {
  %0 = attn.embedding ins(%ids, %types : tensor<?x?xi64>, tensor<?x?xi32>) tables(%words, %kinds : tensor<100x64xf32>, tensor<2x64xf32>)
      positions(%positions : tensor<512x64xf32>) outs(%init : tensor<?x?x64xf32>) -> tensor<?x?x64xf32>
  return %0 : tensor<?x?x64xf32>
}

// CHECK-LABEL: func @key_ranges
//       CHECK:   attn.key_ranges ins(%{{[a-z0-9_#]+}} : tensor<?x?xi64>) outs(%{{[a-z0-9_#]+}} : tensor<?x4xi64>) -> tensor<?x4xi64>
func.func @key_ranges(%mask: tensor<?x?xi64>, %init: tensor<?x4xi64>) -> tensor<?x4xi64> {
  %0 = attn.key_ranges ins(%mask : tensor<?x?xi64>) outs(%init : tensor<?x4xi64>) -> tensor<?x4xi64>
  return %0 : tensor<?x4xi64>
}

// CHECK-LABEL: func @gelu
//       CHECK:   attn.gelu %{{[a-z0-9_#]+}} : tensor<?x4xf32>
//       CHECK:   attn.gelu approximate %{{[a-z0-9_#]+}} : vector<8xf16>
func.func @gelu(%t: tensor<?x4xf32>, %v: vector<8xf16>) -> (tensor<?x4xf32>, vector<8xf16>) {
  %0 = attn.gelu %t : tensor<?x4xf32>
  %1 = attn.gelu approximate %v : vector<8xf16>
  return %0, %1 : tensor<?x4xf32>, vector<8xf16>
}
