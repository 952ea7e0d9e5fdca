// RUN: attn-opt %s --attn-assign-schedules --split-input-file --verify-diagnostics

// What no kernel can do is an error here, at the op.

#q = affine_map<(b, h, q, k, d, e) -> (b, q, h, d)>
#k = affine_map<(b, h, q, k, d, e) -> (b, k, h, d)>
#v = affine_map<(b, h, q, k, d, e) -> (b, k, h, e)>
#o = affine_map<(b, h, q, k, d, e) -> (b, q, h, e)>
#l = affine_map<(b, h, q, k, d, e) -> (b, h, q)>
!t = tensor<2x?x4x8xf32>
module attributes {attn.target = #attn.target<"x86-64-v3">} {
  func.func @score(%q: !t) -> !t {
    // expected-error @below {{attention with a score region is not supported on CPUs}}
    %0 = attn.attention ins(%q, %q, %q : !t, !t, !t) outs(%q : !t) -> !t maps [#q, #k, #v, #o] score {
    ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
      %1 = math.tanh %s : f32
      attn.yield %1 : f32
    }
    return %0 : !t
  }
  func.func @causal(%q: !t) -> !t {
    // expected-error @below {{this attention mask is not supported on CPUs: only masks over keys that hold for all queries and heads of a batch row are}}
    %0 = attn.attention ins(%q, %q, %q : !t, !t, !t) outs(%q : !t) -> !t maps [#q, #k, #v, #o] mask {
    ^bb0(%b: index, %h: index, %i: index, %j: index):
      %1 = arith.cmpi ule, %j, %i : index
      attn.yield %1 : i1
    }
    return %0 : !t
  }
  func.func @log_sum_exp(%q: !t, %l: tensor<2x4x?xf32>) -> !t {
    // expected-error @below {{attention with a log-sum-exp result is not supported on CPUs}}
    %0:2 = attn.attention ins(%q, %q, %q : !t, !t, !t) outs(%q, %l : !t, tensor<2x4x?xf32>) -> !t, tensor<2x4x?xf32> maps [#q, #k, #v, #o, #l]
    return %0#0 : !t
  }
  func.func @key_mask_alone(%q: !t, %m: tensor<2x?xi64>) -> !t {
    // expected-error @below {{attention with a key mask needs the ranges that attn.key_ranges computes from it}}
    %0 = attn.attention ins(%q, %q, %q : !t, !t, !t) key_mask(%m : tensor<2x?xi64>) outs(%q : !t) -> !t maps [#q, #k, #v, #o]
    return %0 : !t
  }
  func.func @head_size(%q: tensor<2x?x4x?xf32>) -> tensor<2x?x4x?xf32> {
    // expected-error @below {{attention needs static head sizes}}
    %0 = attn.attention ins(%q, %q, %q : tensor<2x?x4x?xf32>, tensor<2x?x4x?xf32>, tensor<2x?x4x?xf32>) outs(%q : tensor<2x?x4x?xf32>) -> tensor<2x?x4x?xf32>
        maps [#q, #k, #v, #o] attributes {scale = 1.0 : f64}
    return %0 : tensor<2x?x4x?xf32>
  }
  func.func @element_type(%x: tensor<?x8xf16>, %s: tensor<8xf16>) -> tensor<?x8xf16> {
    // expected-error @below {{element type 'f16' is not supported on CPUs; convert to f32}}
    %0 = attn.layer_norm ins(%x, %s : tensor<?x8xf16>, tensor<8xf16>) outs(%x : tensor<?x8xf16>) -> tensor<?x8xf16> {epsilon = 1.0e-5 : f64}
    return %0 : tensor<?x8xf16>
  }
}

// -----

module attributes {attn.target = #attn.target<"z80">} {
  func.func @target(%x: tensor<?x8xf32>, %s: tensor<8xf32>) -> tensor<?x8xf32> {
    // expected-error @below {{unknown target 'z80'; the known ones are x86-64-v4, x86-64-v3}}
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
