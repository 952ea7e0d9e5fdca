// RUN: attn-opt %s --attn-pack-weights --verify-diagnostics

func.func @dynamic(%x: tensor<?x8xf32>, %w: tensor<?x8xf32>, %init: tensor<?x?xf32>) -> tensor<?x?xf32> {
  // expected-error @below {{a linear layer needs a weight of static shape, got 'tensor<?x8xf32>'}}
  %0 = attn.linear ins(%x, %w : tensor<?x8xf32>, tensor<?x8xf32>) outs(%init : tensor<?x?xf32>) -> tensor<?x?xf32> {
  ^bb0(%s: f32):
    attn.yield %s : f32
  }
  return %0 : tensor<?x?xf32>
}
