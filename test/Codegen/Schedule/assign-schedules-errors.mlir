// RUN: attn-opt %s --attn-assign-schedules --split-input-file --verify-diagnostics

// What no kernel runs, and no pass before made linalg ops of, is an error here, at the op.

module attributes {attn.target = #attn.target<"x86-64-v3">} {
  func.func @element_type(%x: tensor<?x8xf128>, %s: tensor<8xf128>) -> tensor<?x8xf128> {
    // expected-error @below {{no kernel runs this op: kernels compute in f32, not on f128}}
    %0 = attn.layer_norm ins(%x, %s : tensor<?x8xf128>, tensor<8xf128>) outs(%x : tensor<?x8xf128>) -> tensor<?x8xf128> {epsilon = 1.0e-5 : f64}
    return %0 : tensor<?x8xf128>
  }
  func.func @key_mask_alone(%q: tensor<2x?x4x8xf32>, %m: tensor<2x?xi64>) -> tensor<2x?x4x8xf32> {
    // expected-error @below {{no kernel runs this op: its key mask comes without the ranges that attn.key_ranges computes from it}}
    %0 = attn.attention ins(%q, %q, %q : tensor<2x?x4x8xf32>, tensor<2x?x4x8xf32>, tensor<2x?x4x8xf32>) key_mask(%m : tensor<2x?xi64>)
        outs(%q : tensor<2x?x4x8xf32>) -> tensor<2x?x4x8xf32>
        maps [affine_map<(b, h, q, k, d, e) -> (b, q, h, d)>, affine_map<(b, h, q, k, d, e) -> (b, k, h, d)>,
              affine_map<(b, h, q, k, d, e) -> (b, k, h, e)>, affine_map<(b, h, q, k, d, e) -> (b, q, h, e)>]
    return %0 : tensor<2x?x4x8xf32>
  }
}

// -----

module attributes {attn.target = #attn.target<"z80">} {
  func.func @target(%x: tensor<?x8xf32>, %s: tensor<8xf32>) -> tensor<?x8xf32> {
    // expected-error @below {{unknown target 'z80'; the known ones are sm_90a, sm_90, sm_89, sm_86, sm_80, x86-64-v4, x86-64-v3}}
    %0 = attn.layer_norm ins(%x, %s : tensor<?x8xf32>, tensor<8xf32>) outs(%x : tensor<?x8xf32>) -> tensor<?x8xf32> {epsilon = 1.0e-5 : f64}
    return %0 : tensor<?x8xf32>
  }
}

// -----

func.func @no_target(%x: tensor<?x8xf32>, %s: tensor<8xf32>) -> tensor<?x8xf32> {
  // expected-error @below {{no module around this op names its target in 'attn.target'}}
  %0 = attn.layer_norm ins(%x, %s : tensor<?x8xf32>, tensor<8xf32>) outs(%x : tensor<?x8xf32>) -> tensor<?x8xf32> {epsilon = 1.0e-5 : f64}
  return %0 : tensor<?x8xf32>
}
