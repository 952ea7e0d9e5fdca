// RUN: attn-opt %s --attn-infer-bounds --verify-diagnostics

func.func @too_long(%ids: tensor<2x64xi64> {attn.shape = [2, 64]}, %w: tensor<100x8xf32>, %p: tensor<40x8xf32>, %e: tensor<2x64x8xf32>) -> tensor<2x64x8xf32> {
  // expected-error @+1 {{looks up 64 positions in a table of 40 rows}}
  %0 = attn.embedding ins(%ids : tensor<2x64xi64>) tables(%w : tensor<100x8xf32>) positions(%p : tensor<40x8xf32>) outs(%e : tensor<2x64x8xf32>) -> tensor<2x64x8xf32>
  return %0 : tensor<2x64x8xf32>
}
