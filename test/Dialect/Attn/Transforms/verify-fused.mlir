// RUN: attn-opt %s --attn-verify-fused --split-input-file --verify-diagnostics

// What the stage `fuse` makes passes.
func.func @fine(%x: tensor<5x8xf32>, %w: tensor<8x8xf32>, %s: tensor<8xf32>) -> tensor<5x8xf32> {
  %l = attn.linear ins(%x, %w : tensor<5x8xf32>, tensor<8x8xf32>) outs(%x : tensor<5x8xf32>) -> tensor<5x8xf32> {
  ^bb0(%sum: f32):
    attn.yield %sum : f32
  }
  %n = attn.layer_norm ins(%l, %s : tensor<5x8xf32>, tensor<8xf32>) outs(%x : tensor<5x8xf32>) -> tensor<5x8xf32> {epsilon = 1.0e-5 : f64}
  return %n : tensor<5x8xf32>
}

// -----

func.func @block(%x: tensor<5x8xf32>, %w: tensor<8x8xf32>) -> tensor<5x8xf32> {
  // expected-error @+1 {{'attn.feed_forward' op after the stage 'fuse' must be taken apart}}
  %0 = attn.feed_forward %x up(%w : tensor<8x8xf32>) down(%w : tensor<8x8xf32>) : tensor<5x8xf32> -> tensor<5x8xf32>
  return %0 : tensor<5x8xf32>
}

// -----

func.func @rank(%x: tensor<2x5x8xf32>, %w: tensor<8x8xf32>, %s: tensor<8xf32>) -> tensor<2x5x8xf32> {
  // expected-error @+1 {{'attn.linear' op after the stage 'fuse' must be two-dimensional, got rank 3}}
  %l = attn.linear ins(%x, %w : tensor<2x5x8xf32>, tensor<8x8xf32>) outs(%x : tensor<2x5x8xf32>) -> tensor<2x5x8xf32> {
  ^bb0(%sum: f32):
    attn.yield %sum : f32
  }
  // expected-error @+1 {{'attn.layer_norm' op after the stage 'fuse' must be two-dimensional, got rank 3}}
  %n = attn.layer_norm ins(%l, %s : tensor<2x5x8xf32>, tensor<8xf32>) outs(%x : tensor<2x5x8xf32>) -> tensor<2x5x8xf32> {epsilon = 1.0e-5 : f64}
  return %n : tensor<2x5x8xf32>
}

// -----

func.func @panels(%x: tensor<5x8xf32>, %w: tensor<1x8x32xf32>) -> tensor<5x8xf32> {
  // expected-error @+1 {{'attn.linear' op after the stage 'fuse' must have a weight [N, K]}}
  %l = attn.linear ins(%x, %w : tensor<5x8xf32>, tensor<1x8x32xf32>) outs(%x : tensor<5x8xf32>) -> tensor<5x8xf32> {
  ^bb0(%sum: f32):
    attn.yield %sum : f32
  }
  return %l : tensor<5x8xf32>
}

// -----

func.func @kernel(%x: tensor<5x8xf32>, %s: tensor<8xf32>) -> tensor<5x8xf32> {
  // expected-error @+1 {{'attn.layer_norm' op after the stage 'fuse' must not have a schedule or kernel}}
  %n = attn.layer_norm ins(%x, %s : tensor<5x8xf32>, tensor<8xf32>) outs(%x : tensor<5x8xf32>) -> tensor<5x8xf32> {epsilon = 1.0e-5 : f64, kernel = #attn.row_kernel<lanes = 8>}
  return %n : tensor<5x8xf32>
}
