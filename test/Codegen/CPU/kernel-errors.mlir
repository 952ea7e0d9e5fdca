// RUN: %attn-opt %s --attn-expand-linear --attn-expand-attention --attn-expand-rows --split-input-file --verify-diagnostics

func.func @panels(%x: memref<2x5xf32>, %w: memref<2x5x8xf32>, %y: memref<2x16xf32>) {
  // expected-error @+1 {{no kernel for 'attn.linear': panels of 8 are no multiple of the kernel's columns}}
  attn.linear ins(%x, %w : memref<2x5xf32>, memref<2x5x8xf32>) outs(%y : memref<2x16xf32>)
      attributes {kernel = #attn.linear_kernel<rows = 2, columns = 16, lanes = 8>} {
  ^bb0(%sum: f32):
    attn.yield %sum : f32
  }
  return
}

// -----

func.func @not_packed(%x: memref<2x5xf32>, %w: memref<16x5xf32>, %y: memref<2x16xf32>) {
  // expected-error @+1 {{no kernel for 'attn.linear': the weight is not in panels}}
  attn.linear ins(%x, %w : memref<2x5xf32>, memref<16x5xf32>) outs(%y : memref<2x16xf32>)
      attributes {kernel = #attn.linear_kernel<rows = 2, columns = 16, lanes = 8>} {
  ^bb0(%sum: f32):
    attn.yield %sum : f32
  }
  return
}

// -----

func.func @map(%x: memref<2x5xf32>, %w: memref<1x5x16xf32>, %e: memref<16x2xf32>, %y: memref<2x16xf32>) {
  // expected-error @+1 {{no kernel for 'attn.linear': an extra operand is neither read along the columns nor constant along them}}
  attn.linear ins(%x, %w : memref<2x5xf32>, memref<1x5x16xf32>) extras(%e : memref<16x2xf32>) outs(%y : memref<2x16xf32>)
      maps [affine_map<(m, n) -> (n, m)>] attributes {kernel = #attn.linear_kernel<rows = 2, columns = 16, lanes = 8>} {
  ^bb0(%sum: f32, %a: f32):
    %0 = arith.addf %sum, %a : f32
    attn.yield %0 : f32
  }
  return
}

// -----

func.func @strided(%x: memref<2x5xf32, strided<[10, 2]>>, %scale: memref<5xf32>, %y: memref<2x5xf32>) {
  // expected-error @+1 {{no kernel for 'attn.layer_norm': operand #0 is not contiguous in its last dimension}}
  attn.layer_norm ins(%x, %scale : memref<2x5xf32, strided<[10, 2]>>, memref<5xf32>) outs(%y : memref<2x5xf32>)
    {epsilon = 1.0e-5, kernel = #attn.row_kernel<lanes = 8>}
  return
}

// -----

func.func @dtype(%x: memref<2x5xf64>, %scale: memref<5xf64>, %y: memref<2x5xf64>) {
  // expected-error @+1 {{no kernel for 'attn.layer_norm': operand #0 has elements other than f32 and integers}}
  attn.layer_norm ins(%x, %scale : memref<2x5xf64>, memref<5xf64>) outs(%y : memref<2x5xf64>)
    {epsilon = 1.0e-5, kernel = #attn.row_kernel<lanes = 8>}
  return
}

// -----

func.func @dynamic(%x: memref<2x?xf32>, %scale: memref<?xf32>, %y: memref<2x?xf32>) {
  // expected-error @+1 {{no kernel for 'attn.layer_norm': the size of a row is not static}}
  attn.layer_norm ins(%x, %scale : memref<2x?xf32>, memref<?xf32>) outs(%y : memref<2x?xf32>)
    {epsilon = 1.0e-5, kernel = #attn.row_kernel<lanes = 8>}
  return
}

// -----

func.func @scratch(%q: memref<1x8x16xf32>, %k: memref<?x8xf32>, %v: memref<?x16xf32>, %acc: memref<16x16xf32>, %max: memref<16xf32>,
                   %sum: memref<16xf32>) {
  // expected-error @+1 {{no kernel for 'attn.online_attention': its scratch buffers are not allocated}}
  attn.online_attention ins(%q, %k, %v : memref<1x8x16xf32>, memref<?x8xf32>, memref<?x16xf32>)
    outs(%acc, %max, %sum : memref<16x16xf32>, memref<16xf32>, memref<16xf32>)
    {scale = 0.25, kernel = #attn.attention_kernel<queries = 16, keyRows = 2, valueRows = 4, valueColumns = 16, keyBlock = 64, lanes = 8>}
  return
}

// -----

func.func @pack(%x: memref<?x4xf32>, %y: memref<?x4x12xf32>) {
  // expected-error @+1 {{no kernel for 'attn.pack': a panel is not made of squares with a power of two of lanes}}
  attn.pack ins(%x : memref<?x4xf32>) outs(%y : memref<?x4x12xf32>) {kernel = #attn.row_kernel<lanes = 8>}
  return
}
