// RUN: attn-opt %s --attn-tile-attention --split-input-file --verify-diagnostics

#q = affine_map<(b, h, q, k, d, e) -> (b, q, h, d)>
#k = affine_map<(b, h, q, k, d, e) -> (b, k, h, d)>
#v = affine_map<(b, h, q, k, d, e) -> (b, k, h, e)>
#o = affine_map<(b, h, q, k, d, e) -> (b, q, h, e)>
func.func @no_schedule(%q: tensor<2x?x4x8xf32>) -> tensor<2x?x4x8xf32> {
  // expected-error @below {{attention has no schedule}}
  %0 = attn.attention ins(%q, %q, %q : tensor<2x?x4x8xf32>, tensor<2x?x4x8xf32>, tensor<2x?x4x8xf32>) outs(%q : tensor<2x?x4x8xf32>) -> tensor<2x?x4x8xf32> maps [#q, #k, #v, #o]
  return %0 : tensor<2x?x4x8xf32>
}

// -----

#q = affine_map<(b, h, q, k, d, e) -> (b, h, d, q)>
#k = affine_map<(b, h, q, k, d, e) -> (b, k, h, d)>
#v = affine_map<(b, h, q, k, d, e) -> (b, k, h, e)>
#o = affine_map<(b, h, q, k, d, e) -> (b, q, h, e)>
#s = #attn.schedule<rowBlock = 24, kernel = #attn.attention_kernel<queries = 24, keyRows = 4, valueRows = 6, valueColumns = 16, keyBlock = 100, lanes = 8>>
func.func @channels_first(%q: tensor<2x4x8x?xf32>, %k: tensor<2x?x4x8xf32>) -> tensor<2x?x4x8xf32> {
  // expected-error @below {{attention needs its channels in the last dimension of each operand; transpose affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d4, d2)>}}
  %0 = attn.attention ins(%q, %k, %k : tensor<2x4x8x?xf32>, tensor<2x?x4x8xf32>, tensor<2x?x4x8xf32>) outs(%k : tensor<2x?x4x8xf32>) -> tensor<2x?x4x8xf32>
      maps [#q, #k, #v, #o] attributes {schedule = #s}
  return %0 : tensor<2x?x4x8xf32>
}

// -----

#q = affine_map<(b, h, q, k, d, e) -> (b, h, d)>
#k = affine_map<(b, h, q, k, d, e) -> (b, k, h, d)>
#v = affine_map<(b, h, q, k, d, e) -> (b, k, h, e)>
#o = affine_map<(b, h, q, k, d, e) -> (b, q, h, e)>
#s = #attn.schedule<rowBlock = 24, kernel = #attn.attention_kernel<queries = 24, keyRows = 4, valueRows = 6, valueColumns = 16, keyBlock = 100, lanes = 8>>
func.func @one_query_for_all(%q: tensor<2x4x8xf32>, %k: tensor<2x?x4x8xf32>) -> tensor<2x?x4x8xf32> {
  // expected-error @below {{attention needs its queries as rows of the query, and its keys as rows of the key}}
  %0 = attn.attention ins(%q, %k, %k : tensor<2x4x8xf32>, tensor<2x?x4x8xf32>, tensor<2x?x4x8xf32>) outs(%k : tensor<2x?x4x8xf32>) -> tensor<2x?x4x8xf32>
      maps [#q, #k, #v, #o] attributes {schedule = #s}
  return %0 : tensor<2x?x4x8xf32>
}

// -----

#q = affine_map<(b, h, q, k, d, e) -> (b, q, h, d)>
#k = affine_map<(b, h, q, k, d, e) -> (b, k, h, d)>
#v = affine_map<(b, h, q, k, d, e) -> (b, k, h, e)>
#o = affine_map<(b, h, q, k, d, e) -> (b, q, h, e)>
#s = #attn.schedule<rowBlock = 24, kernel = #attn.attention_kernel<queries = 24, keyRows = 4, valueRows = 6, valueColumns = 16, keyBlock = 100, lanes = 8>>
func.func @own_ranges(%q: tensor<2x?x4x8xf32>, %r: tensor<2x4xi64>, %m: tensor<2x?xi64>) -> tensor<2x?x4x8xf32> {
  // expected-error @below {{attention that yields something for rows without keys needs the ranges that attn.key_ranges makes of its key mask}}
  %0 = attn.attention ins(%q, %q, %q : tensor<2x?x4x8xf32>, tensor<2x?x4x8xf32>, tensor<2x?x4x8xf32>) ranges(%r : tensor<2x4xi64>) key_mask(%m : tensor<2x?xi64>)
      outs(%q : tensor<2x?x4x8xf32>) -> tensor<2x?x4x8xf32> maps [#q, #k, #v, #o] attributes {schedule = #s, empty = #attn.empty<uniform>}
  return %0 : tensor<2x?x4x8xf32>
}
