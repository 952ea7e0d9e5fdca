// RUN: attn-opt %s --attn-verify-tile --split-input-file --verify-diagnostics

#rows = #attn.schedule<rowBlock = 128, kernel = #attn.row_kernel<lanes = 8>>
func.func @good(%x: tensor<?x8xf32>, %s: tensor<8xf32>) -> tensor<?x8xf32> {
  %0 = attn.layer_norm ins(%x, %s : tensor<?x8xf32>, tensor<8xf32>) outs(%x : tensor<?x8xf32>) -> tensor<?x8xf32> {epsilon = 1.0e-5 : f64, kernel = #attn.row_kernel<lanes = 8>}
  return %0 : tensor<?x8xf32>
}

// -----

func.func @no_kernel(%m: tensor<?x?xi64>, %r: tensor<?x4xi64>) -> tensor<?x4xi64> {
  // expected-error @below {{has no kernel after the stage 'tile'}}
  %0 = attn.key_ranges ins(%m : tensor<?x?xi64>) outs(%r : tensor<?x4xi64>) -> tensor<?x4xi64>
  return %0 : tensor<?x4xi64>
}

// -----

#rows = #attn.schedule<rowBlock = 128, kernel = #attn.row_kernel<lanes = 8>>
func.func @schedule(%x: tensor<?x8xf32>, %s: tensor<8xf32>) -> tensor<?x8xf32> {
  // expected-error @below {{still has a schedule after the stage 'tile'}}
  %0 = attn.layer_norm ins(%x, %s : tensor<?x8xf32>, tensor<8xf32>) outs(%x : tensor<?x8xf32>) -> tensor<?x8xf32>
      {epsilon = 1.0e-5 : f64, kernel = #attn.row_kernel<lanes = 8>, schedule = #rows}
  return %0 : tensor<?x8xf32>
}

// -----

#q = affine_map<(b, h, q, k, d, e) -> (b, q, h, d)>
#k = affine_map<(b, h, q, k, d, e) -> (b, k, h, d)>
#v = affine_map<(b, h, q, k, d, e) -> (b, k, h, e)>
#o = affine_map<(b, h, q, k, d, e) -> (b, q, h, e)>
func.func @attention(%q: tensor<2x?x4x8xf32>) -> tensor<2x?x4x8xf32> {
  // expected-error @below {{is not cut into tasks after the stage 'tile'}}
  %0 = attn.attention ins(%q, %q, %q : tensor<2x?x4x8xf32>, tensor<2x?x4x8xf32>, tensor<2x?x4x8xf32>) outs(%q : tensor<2x?x4x8xf32>) -> tensor<2x?x4x8xf32> maps [#q, #k, #v, #o]
  return %0 : tensor<2x?x4x8xf32>
}
