// RUN: %attn-opt %s --attn-outline-kernels --split-input-file | FileCheck %s
// A function is not outlined again.
// RUN: %attn-opt %s --attn-outline-kernels --attn-outline-kernels --split-input-file | FileCheck %s

#column = affine_map<(m, n) -> (n)>

// Ops that differ in values, number of rows, offsets and schedules only share a function.

// CHECK-LABEL: func.func @shared
// CHECK-SAME:    %[[X:.+]]: memref<64x384xf32>, %[[W0:.+]]: memref<12x384x32xf32>, %[[W1:[^:]+]]: memref<12x384x32xf32>,
// CHECK-SAME:    %[[BIAS:.+]]: memref<384xf32>, %[[Y:.+]]: memref<?x384xf32, strided<[384, 1], offset: ?>>)
// CHECK:         %[[CAST:.+]] = memref.cast %[[X]] : memref<64x384xf32> to memref<?x384xf32, strided<[384, 1], offset: ?>>
// CHECK:         call @attn_linear_384x384_0(%[[CAST]], %[[W0]], %[[BIAS]], %[[Y]])
// CHECK:         call @attn_linear_384x384_0(%[[Y]], %[[W1]], %[[BIAS]],
// CHECK-NOT:     attn.linear
// CHECK:         return
// CHECK:       func.func private @attn_linear_384x384_0(%{{.+}}: memref<?x384xf32, strided<[384, 1], offset: ?>>,
// CHECK-SAME:    attributes {llvm.linkage = #llvm.linkage<internal>, no_inline, passthrough = ["noinline"]}
// CHECK:         attn.linear
// CHECK-NOT:     schedule
// CHECK:         return
// CHECK-NOT:   func.func
func.func @shared(%x: memref<64x384xf32>, %w0: memref<12x384x32xf32>, %w1: memref<12x384x32xf32>, %bias: memref<384xf32>,
                  %y: memref<?x384xf32, strided<[384, 1], offset: ?>>) {
  attn.linear ins(%x, %w0 : memref<64x384xf32>, memref<12x384x32xf32>) extras(%bias : memref<384xf32>)
      outs(%y : memref<?x384xf32, strided<[384, 1], offset: ?>>) maps [#column]
      attributes {kernel = #attn.linear_kernel<rows = 12, columns = 32, lanes = 16>,
                  schedule = #attn.schedule<rowBlock = 32, kernel = #attn.linear_kernel<rows = 12, columns = 32, lanes = 16>>} {
  ^bb0(%sum: f32, %b: f32):
    %0 = arith.addf %sum, %b : f32
    attn.yield %0 : f32
  }
  attn.linear ins(%y, %w1 : memref<?x384xf32, strided<[384, 1], offset: ?>>, memref<12x384x32xf32>)
      extras(%bias : memref<384xf32>) outs(%x : memref<64x384xf32>) maps [#column]
      attributes {kernel = #attn.linear_kernel<rows = 12, columns = 32, lanes = 16>} {
  ^bb0(%sum: f32, %b: f32):
    %0 = arith.addf %sum, %b : f32
    attn.yield %0 : f32
  }
  return
}

// -----

#column = affine_map<(m, n) -> (n)>

// Epilogues are compared with their operands: a - b is not b - a.

// CHECK-LABEL: func.func @epilogues
// CHECK:         call @attn_linear_64x32_0
// CHECK:         call @attn_linear_64x32_1
func.func @epilogues(%x: memref<8x64xf32>, %w: memref<1x64x32xf32>, %bias: memref<32xf32>, %y: memref<8x32xf32>) {
  attn.linear ins(%x, %w : memref<8x64xf32>, memref<1x64x32xf32>) extras(%bias : memref<32xf32>)
      outs(%y : memref<8x32xf32>) maps [#column] attributes {kernel = #attn.linear_kernel<rows = 6, columns = 16, lanes = 8>} {
  ^bb0(%sum: f32, %b: f32):
    %0 = arith.subf %sum, %b : f32
    attn.yield %0 : f32
  }
  attn.linear ins(%x, %w : memref<8x64xf32>, memref<1x64x32xf32>) extras(%bias : memref<32xf32>)
      outs(%y : memref<8x32xf32>) maps [#column] attributes {kernel = #attn.linear_kernel<rows = 6, columns = 16, lanes = 8>} {
  ^bb0(%sum: f32, %b: f32):
    %0 = arith.subf %b, %sum : f32
    attn.yield %0 : f32
  }
  return
}

// -----

// Each target's module has its own functions; other attributes and other inner strides make other functions.

// CHECK:       module @v4
// CHECK:         call @attn_layer_norm_32_0(%{{.+}}, %{{.+}}, %{{.+}}) : (memref<?x32xf32, strided<[32, 1], offset: ?>>
// CHECK:         call @attn_layer_norm_32_1
// CHECK:         call @attn_layer_norm_32_2
// CHECK:         func.func private @attn_layer_norm_32_0
// CHECK:       module @v3
// CHECK:         call @attn_layer_norm_32_0
// CHECK:         func.func private @attn_layer_norm_32_0
module @v4 {
  func.func @f(%x: memref<8x32xf32>, %s: memref<32xf32>, %z: memref<8x32xf32, strided<[96, 1]>>) {
    attn.layer_norm ins(%x, %s : memref<8x32xf32>, memref<32xf32>) outs(%x : memref<8x32xf32>)
      {epsilon = 1.0e-5, kernel = #attn.row_kernel<lanes = 16>}
    attn.layer_norm ins(%x, %s : memref<8x32xf32>, memref<32xf32>) outs(%x : memref<8x32xf32>)
      {epsilon = 1.0e-12, kernel = #attn.row_kernel<lanes = 16>}
    attn.layer_norm ins(%z, %s : memref<8x32xf32, strided<[96, 1]>>, memref<32xf32>) outs(%x : memref<8x32xf32>)
      {epsilon = 1.0e-12, kernel = #attn.row_kernel<lanes = 16>}
    return
  }
}
module @v3 {
  func.func @f(%x: memref<8x32xf32>, %s: memref<32xf32>) {
    attn.layer_norm ins(%x, %s : memref<8x32xf32>, memref<32xf32>) outs(%x : memref<8x32xf32>)
      {epsilon = 1.0e-5, kernel = #attn.row_kernel<lanes = 8>}
    return
  }
}

// -----

// What belongs to the tile of a task stays static; keys and rows of the result do not.

// CHECK-LABEL: func.func @attention
// CHECK:         call @attn_pack_16x16_0
// CHECK:         call @attn_online_attention_16x24_0
// CHECK:         call @attn_online_finish_24_0
// CHECK:       func.func private @attn_pack_16x16_0(%{{.+}}: memref<?x16xf32, strided<[16, 1], offset: ?>>, %{{.+}}: memref<1x16x16xf32>)
// CHECK:       func.func private @attn_online_attention_16x24_0(%{{.+}}: memref<1x16x16xf32>,
// CHECK-SAME:    memref<?x16xf32, strided<[16, 1], offset: ?>>, %{{.+}}: memref<?x24xf32, strided<[24, 1], offset: ?>>,
// CHECK-SAME:    memref<?xi64, strided<[1], offset: ?>>, %{{.+}}: memref<16x24xf32>, %{{.+}}: memref<16xf32>, %{{.+}}: memref<16xf32>,
// CHECK-SAME:    memref<64x16xf32>, %{{.+}}: memref<16xf32>)
// CHECK:       func.func private @attn_online_finish_24_0(%{{.+}}: memref<16x24xf32>, %{{.+}}: memref<16xf32>, %{{.+}}: memref<16xf32>,
// CHECK-SAME:    memref<?x24xf32, strided<[24, 1], offset: ?>>)
func.func @attention(%q: memref<9x16xf32>, %k: memref<40x16xf32>, %v: memref<40x24xf32>, %mask: memref<40xi64>,
                     %packed: memref<1x16x16xf32>, %acc: memref<16x24xf32>, %max: memref<16xf32>, %sum: memref<16xf32>,
                     %scores: memref<64x16xf32>, %factors: memref<16xf32>, %out: memref<9x24xf32>) {
  attn.pack ins(%q : memref<9x16xf32>) outs(%packed : memref<1x16x16xf32>) {kernel = #attn.row_kernel<lanes = 8>}
  attn.online_attention ins(%packed, %k, %v : memref<1x16x16xf32>, memref<40x16xf32>, memref<40x24xf32>)
    key_mask(%mask : memref<40xi64>) outs(%acc, %max, %sum : memref<16x24xf32>, memref<16xf32>, memref<16xf32>)
    scratch(%scores, %factors : memref<64x16xf32>, memref<16xf32>)
    {scale = 0.25, kernel = #attn.attention_kernel<queries = 16, keyRows = 4, valueRows = 4, valueColumns = 16, keyBlock = 64, lanes = 8>}
  attn.online_finish ins(%acc, %max, %sum : memref<16x24xf32>, memref<16xf32>, memref<16xf32>) outs(%out : memref<9x24xf32>)
    {kernel = #attn.row_kernel<lanes = 8>}
  return
}
