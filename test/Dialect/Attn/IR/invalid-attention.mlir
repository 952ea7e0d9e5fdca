// RUN: attn-opt %s --verify-diagnostics --split-input-file

// attention, C1
func.func @f(%q: tensor<2x4x8x16xf32>, %k: tensor<2x4x6x16xf32>, %v: tensor<2x4x6x16xf32>, %init: tensor<2x4x8x16xf32>) {
  // expected-error @below {{C1: there are 3 maps, expected 4: query, key, value, 0 mapped, init}}
  %0 = attn.attention ins(%q, %k, %v : tensor<2x4x8x16xf32>, tensor<2x4x6x16xf32>, tensor<2x4x6x16xf32>)
      outs(%init : tensor<2x4x8x16xf32>) -> tensor<2x4x8x16xf32>
      maps [affine_map<(b, h, q, k, d, e) -> (b, h, q, d)>, affine_map<(b, h, q, k, d, e) -> (b, h, k, d)>, affine_map<(b, h, q, k, d, e) -> (b, h, k, e)>]
  return
}

// -----

func.func @f(%q: tensor<2x4x8x16xf32>, %k: tensor<2x4x6x16xf32>, %v: tensor<2x4x6x16xf32>, %init: tensor<2x4x8x16xf32>, %l: tensor<2x4x8xf32>) {
  // expected-error @below {{C1: there are 4 maps, expected 5: query, key, value, 0 mapped, init, log_sum_exp}}
  %0:2 = attn.attention ins(%q, %k, %v : tensor<2x4x8x16xf32>, tensor<2x4x6x16xf32>, tensor<2x4x6x16xf32>)
      outs(%init, %l : tensor<2x4x8x16xf32>, tensor<2x4x8xf32>) -> tensor<2x4x8x16xf32>, tensor<2x4x8xf32>
      maps [affine_map<(b, h, q, k, d, e) -> (b, h, q, d)>, affine_map<(b, h, q, k, d, e) -> (b, h, k, d)>, affine_map<(b, h, q, k, d, e) -> (b, h, k, e)>, affine_map<(b, h, q, k, d, e) -> (b, h, q, e)>]
  return
}

// -----

func.func @f(%q: tensor<2x4x8x16xf32>, %k: tensor<2x4x6x16xf32>, %v: tensor<2x4x6x16xf32>, %init: tensor<2x4x8x16xf32>) {
  // expected-error @below {{C1: the map of query has 4 dimensions and 0 symbols, expected the 6 dimensions b, h, q, k, d, e}}
  %0 = attn.attention ins(%q, %k, %v : tensor<2x4x8x16xf32>, tensor<2x4x6x16xf32>, tensor<2x4x6x16xf32>)
      outs(%init : tensor<2x4x8x16xf32>) -> tensor<2x4x8x16xf32>
      maps [affine_map<(b, h, q, d) -> (b, h, q, d)>, affine_map<(b, h, q, k, d, e) -> (b, h, k, d)>, affine_map<(b, h, q, k, d, e) -> (b, h, k, e)>, affine_map<(b, h, q, k, d, e) -> (b, h, q, e)>]
  return
}

// -----

// attention, C2
func.func @f(%q: tensor<2x4x8x16xf32>, %k: tensor<2x4x6x16xf32>, %v: tensor<2x4x6x16xf32>, %init: tensor<2x4x8x16xf32>) {
  // expected-error @below {{C2: the map of key has 3 results, expected 4, one for each dimension of 'tensor<2x4x6x16xf32>'}}
  %0 = attn.attention ins(%q, %k, %v : tensor<2x4x8x16xf32>, tensor<2x4x6x16xf32>, tensor<2x4x6x16xf32>)
      outs(%init : tensor<2x4x8x16xf32>) -> tensor<2x4x8x16xf32>
      maps [affine_map<(b, h, q, k, d, e) -> (b, h, q, d)>, affine_map<(b, h, q, k, d, e) -> (h, k, d)>, affine_map<(b, h, q, k, d, e) -> (b, h, k, e)>, affine_map<(b, h, q, k, d, e) -> (b, h, q, e)>]
  return
}

// -----

func.func @f(%q: tensor<2x4x8x16xf32>, %k: tensor<2x4x6x16xf32>, %v: tensor<2x4x6x16xf32>, %init: tensor<2x4x8x16xf32>) {
  // expected-error @below {{C2: result 1 of the map of query is not a dimension, or one floordiv a positive constant}}
  %0 = attn.attention ins(%q, %k, %v : tensor<2x4x8x16xf32>, tensor<2x4x6x16xf32>, tensor<2x4x6x16xf32>)
      outs(%init : tensor<2x4x8x16xf32>) -> tensor<2x4x8x16xf32>
      maps [affine_map<(b, h, q, k, d, e) -> (b, h + 1, q, d)>, affine_map<(b, h, q, k, d, e) -> (b, h, k, d)>, affine_map<(b, h, q, k, d, e) -> (b, h, k, e)>, affine_map<(b, h, q, k, d, e) -> (b, h, q, e)>]
  return
}

// -----

func.func @f(%q: tensor<2x4x8x16xf32>, %k: tensor<2x4x6x16xf32>, %v: tensor<2x4x6x16xf32>, %init: tensor<2x4x8x16xf32>) {
  // expected-error @below {{C2: the map of query uses k, expected b, h, q, d only}}
  %0 = attn.attention ins(%q, %k, %v : tensor<2x4x8x16xf32>, tensor<2x4x6x16xf32>, tensor<2x4x6x16xf32>)
      outs(%init : tensor<2x4x8x16xf32>) -> tensor<2x4x8x16xf32>
      maps [affine_map<(b, h, q, k, d, e) -> (b, h, k, d)>, affine_map<(b, h, q, k, d, e) -> (b, h, k, d)>, affine_map<(b, h, q, k, d, e) -> (b, h, k, e)>, affine_map<(b, h, q, k, d, e) -> (b, h, q, e)>]
  return
}

// -----

func.func @f(%q: tensor<2x4x8x16xf32>, %k: tensor<2x4x6x16xf32>, %v: tensor<2x4x6x16xf32>, %init: tensor<2x4x8x16xf32>) {
  // expected-error @below {{C2: the map of key uses b twice}}
  %0 = attn.attention ins(%q, %k, %v : tensor<2x4x8x16xf32>, tensor<2x4x6x16xf32>, tensor<2x4x6x16xf32>)
      outs(%init : tensor<2x4x8x16xf32>) -> tensor<2x4x8x16xf32>
      maps [affine_map<(b, h, q, k, d, e) -> (b, h, q, d)>, affine_map<(b, h, q, k, d, e) -> (b, b, k, d)>, affine_map<(b, h, q, k, d, e) -> (b, h, k, e)>, affine_map<(b, h, q, k, d, e) -> (b, h, q, e)>]
  return
}

// -----

func.func @f(%q: tensor<2x4x8x16xf32>, %k: tensor<2x4x6x16xf32>, %v: tensor<2x4x6xf32>, %init: tensor<2x4x8x16xf32>) {
  // expected-error @below {{C2: the map of value does not use e}}
  %0 = attn.attention ins(%q, %k, %v : tensor<2x4x8x16xf32>, tensor<2x4x6x16xf32>, tensor<2x4x6xf32>)
      outs(%init : tensor<2x4x8x16xf32>) -> tensor<2x4x8x16xf32>
      maps [affine_map<(b, h, q, k, d, e) -> (b, h, q, d)>, affine_map<(b, h, q, k, d, e) -> (b, h, k, d)>, affine_map<(b, h, q, k, d, e) -> (b, h, k)>, affine_map<(b, h, q, k, d, e) -> (b, h, q, e)>]
  return
}

// -----

func.func @f(%q: tensor<2x4x8x16xf32>, %k: tensor<2x4x6x16xf32>, %v: tensor<2x4x6x16xf32>, %init: tensor<2x4x8x16xf32>) {
  // expected-error @below {{C2: the map of key divides k}}
  %0 = attn.attention ins(%q, %k, %v : tensor<2x4x8x16xf32>, tensor<2x4x6x16xf32>, tensor<2x4x6x16xf32>)
      outs(%init : tensor<2x4x8x16xf32>) -> tensor<2x4x8x16xf32>
      maps [affine_map<(b, h, q, k, d, e) -> (b, h, q, d)>, affine_map<(b, h, q, k, d, e) -> (b, h, k floordiv 2, d)>, affine_map<(b, h, q, k, d, e) -> (b, h, k, e)>, affine_map<(b, h, q, k, d, e) -> (b, h, q, e)>]
  return
}

// -----

func.func @f(%q: tensor<2x4x8x16xf32>, %k: tensor<2x4x6x16xf32>, %v: tensor<2x4x6x16xf32>, %init: tensor<2x4x8x16xf32>) {
  // expected-error @below {{C2: result 1 of the map of init is not a dimension}}
  %0 = attn.attention ins(%q, %k, %v : tensor<2x4x8x16xf32>, tensor<2x4x6x16xf32>, tensor<2x4x6x16xf32>)
      outs(%init : tensor<2x4x8x16xf32>) -> tensor<2x4x8x16xf32>
      maps [affine_map<(b, h, q, k, d, e) -> (b, h, q, d)>, affine_map<(b, h, q, k, d, e) -> (b, h, k, d)>, affine_map<(b, h, q, k, d, e) -> (b, h, k, e)>, affine_map<(b, h, q, k, d, e) -> (b, h floordiv 2, q, e)>]
  return
}

// -----

func.func @f(%q: tensor<2x4x8x16xf32>, %k: tensor<2x4x6x16xf32>, %v: tensor<2x4x6x16xf32>, %init: tensor<2x8x16xf32>) {
  // expected-error @below {{C2: the map of init does not use h}}
  %0 = attn.attention ins(%q, %k, %v : tensor<2x4x8x16xf32>, tensor<2x4x6x16xf32>, tensor<2x4x6x16xf32>)
      outs(%init : tensor<2x8x16xf32>) -> tensor<2x8x16xf32>
      maps [affine_map<(b, h, q, k, d, e) -> (b, h, q, d)>, affine_map<(b, h, q, k, d, e) -> (b, h, k, d)>, affine_map<(b, h, q, k, d, e) -> (b, h, k, e)>, affine_map<(b, h, q, k, d, e) -> (b, q, e)>]
  return
}

// -----

func.func @f(%q: tensor<2x4x8x16xf32>, %k: tensor<2x4x6x16xf32>, %v: tensor<2x4x6x16xf32>, %init: tensor<2x4x8x16xf32>, %l: tensor<2x4xf32>) {
  // expected-error @below {{C2: the map of log_sum_exp does not use q}}
  %0:2 = attn.attention ins(%q, %k, %v : tensor<2x4x8x16xf32>, tensor<2x4x6x16xf32>, tensor<2x4x6x16xf32>)
      outs(%init, %l : tensor<2x4x8x16xf32>, tensor<2x4xf32>) -> tensor<2x4x8x16xf32>, tensor<2x4xf32>
      maps [affine_map<(b, h, q, k, d, e) -> (b, h, q, d)>, affine_map<(b, h, q, k, d, e) -> (b, h, k, d)>, affine_map<(b, h, q, k, d, e) -> (b, h, k, e)>, affine_map<(b, h, q, k, d, e) -> (b, h, q, e)>, affine_map<(b, h, q, k, d, e) -> (b, h)>]
  return
}

// -----

func.func @f(%q: tensor<2x4x8x16xf32>, %k: tensor<2x4x6x16xf32>, %v: tensor<2x4x6x16xf32>, %p0: tensor<16xf32>, %init: tensor<2x4x8x16xf32>) {
  // expected-error @below {{C2: the map of mapped 0 uses d, expected b, h, q, k only}}
  %0 = attn.attention ins(%q, %k, %v : tensor<2x4x8x16xf32>, tensor<2x4x6x16xf32>, tensor<2x4x6x16xf32>) mapped(%p0 : tensor<16xf32>)
      outs(%init : tensor<2x4x8x16xf32>) -> tensor<2x4x8x16xf32>
      maps [affine_map<(b, h, q, k, d, e) -> (b, h, q, d)>, affine_map<(b, h, q, k, d, e) -> (b, h, k, d)>, affine_map<(b, h, q, k, d, e) -> (b, h, k, e)>, affine_map<(b, h, q, k, d, e) -> (d)>, affine_map<(b, h, q, k, d, e) -> (b, h, q, e)>]
  return
}

// -----

// attention, C3
func.func @f(%q: tensor<2x4x8x16xf32>, %k: tensor<2x4x6x15xf32>, %v: tensor<2x4x6x16xf32>, %init: tensor<2x4x8x16xf32>) {
  // expected-error @below {{C3: key is 'tensor<2x4x6x15xf32>', expected [B = 2, H = 4, K, D = 16]}}
  %0 = attn.attention ins(%q, %k, %v : tensor<2x4x8x16xf32>, tensor<2x4x6x15xf32>, tensor<2x4x6x16xf32>)
      outs(%init : tensor<2x4x8x16xf32>) -> tensor<2x4x8x16xf32>
      maps [affine_map<(b, h, q, k, d, e) -> (b, h, q, d)>, affine_map<(b, h, q, k, d, e) -> (b, h, k, d)>, affine_map<(b, h, q, k, d, e) -> (b, h, k, e)>, affine_map<(b, h, q, k, d, e) -> (b, h, q, e)>]
  return
}

// -----

func.func @f(%q: tensor<2x4x8x16xf32>, %k: tensor<2x4x6x16xf32>, %v: tensor<2x4x5x16xf32>, %init: tensor<2x4x8x16xf32>) {
  // expected-error @below {{C3: value is 'tensor<2x4x5x16xf32>', expected [B = 2, H = 4, K = 6, E = 16]}}
  %0 = attn.attention ins(%q, %k, %v : tensor<2x4x8x16xf32>, tensor<2x4x6x16xf32>, tensor<2x4x5x16xf32>)
      outs(%init : tensor<2x4x8x16xf32>) -> tensor<2x4x8x16xf32>
      maps [affine_map<(b, h, q, k, d, e) -> (b, h, q, d)>, affine_map<(b, h, q, k, d, e) -> (b, h, k, d)>, affine_map<(b, h, q, k, d, e) -> (b, h, k, e)>, affine_map<(b, h, q, k, d, e) -> (b, h, q, e)>]
  return
}

// -----

func.func @f(%q: tensor<2x4x8x16xf32>, %k: tensor<2x3x6x16xf32>, %v: tensor<2x4x6x16xf32>, %init: tensor<2x4x8x16xf32>) {
  // expected-error @below {{C3: key is 'tensor<2x3x6x16xf32>', expected [B = 2, H floordiv 2 = 2, K, D = 16]}}
  %0 = attn.attention ins(%q, %k, %v : tensor<2x4x8x16xf32>, tensor<2x3x6x16xf32>, tensor<2x4x6x16xf32>)
      outs(%init : tensor<2x4x8x16xf32>) -> tensor<2x4x8x16xf32>
      maps [affine_map<(b, h, q, k, d, e) -> (b, h, q, d)>, affine_map<(b, h, q, k, d, e) -> (b, h floordiv 2, k, d)>, affine_map<(b, h, q, k, d, e) -> (b, h, k, e)>, affine_map<(b, h, q, k, d, e) -> (b, h, q, e)>]
  return
}

// -----

func.func @f(%q: tensor<2x4x8x16xi32>, %k: tensor<2x4x6x16xf32>, %v: tensor<2x4x6x16xf32>, %init: tensor<2x4x8x16xf32>) {
  // expected-error @below {{C3: query has elements of type 'i32', expected a floating-point type}}
  %0 = attn.attention ins(%q, %k, %v : tensor<2x4x8x16xi32>, tensor<2x4x6x16xf32>, tensor<2x4x6x16xf32>)
      outs(%init : tensor<2x4x8x16xf32>) -> tensor<2x4x8x16xf32>
      maps [affine_map<(b, h, q, k, d, e) -> (b, h, q, d)>, affine_map<(b, h, q, k, d, e) -> (b, h, k, d)>, affine_map<(b, h, q, k, d, e) -> (b, h, k, e)>, affine_map<(b, h, q, k, d, e) -> (b, h, q, e)>]
  return
}

// -----

func.func @f(%q: tensor<2x4x8x16xf32>, %k: tensor<2x4x6x16xf32>, %v: tensor<2x4x6x16xf32>, %p0: tensor<4x7x6xf32>, %init: tensor<2x4x8x16xf32>) {
  // expected-error @below {{C3: mapped 0 is 'tensor<4x7x6xf32>', expected [H = 4, Q = 8, K = 6]}}
  %0 = attn.attention ins(%q, %k, %v : tensor<2x4x8x16xf32>, tensor<2x4x6x16xf32>, tensor<2x4x6x16xf32>) mapped(%p0 : tensor<4x7x6xf32>)
      outs(%init : tensor<2x4x8x16xf32>) -> tensor<2x4x8x16xf32>
      maps [affine_map<(b, h, q, k, d, e) -> (b, h, q, d)>, affine_map<(b, h, q, k, d, e) -> (b, h, k, d)>, affine_map<(b, h, q, k, d, e) -> (b, h, k, e)>, affine_map<(b, h, q, k, d, e) -> (h, q, k)>, affine_map<(b, h, q, k, d, e) -> (b, h, q, e)>]
  return
}

// -----

// attention, C4
func.func @f(%q: tensor<2x4x8x16xf32>, %k: tensor<2x4x6x16xf32>, %v: tensor<2x4x6x16xf32>, %r: tensor<2x2xi64>, %init: tensor<2x4x8x16xf32>) {
  // expected-error @below {{C4: ranges is 'tensor<2x2xi64>', expected [B = 2, 4]}}
  %0 = attn.attention ins(%q, %k, %v : tensor<2x4x8x16xf32>, tensor<2x4x6x16xf32>, tensor<2x4x6x16xf32>) ranges(%r : tensor<2x2xi64>)
      outs(%init : tensor<2x4x8x16xf32>) -> tensor<2x4x8x16xf32>
      maps [affine_map<(b, h, q, k, d, e) -> (b, h, q, d)>, affine_map<(b, h, q, k, d, e) -> (b, h, k, d)>, affine_map<(b, h, q, k, d, e) -> (b, h, k, e)>, affine_map<(b, h, q, k, d, e) -> (b, h, q, e)>]
  return
}

// -----

func.func @f(%q: tensor<2x4x8x16xf32>, %k: tensor<2x4x6x16xf32>, %v: tensor<2x4x6x16xf32>, %r: tensor<2x4xi32>, %init: tensor<2x4x8x16xf32>) {
  // expected-error @below {{C4: ranges has elements of type 'i32', expected 'i64'}}
  %0 = attn.attention ins(%q, %k, %v : tensor<2x4x8x16xf32>, tensor<2x4x6x16xf32>, tensor<2x4x6x16xf32>) ranges(%r : tensor<2x4xi32>)
      outs(%init : tensor<2x4x8x16xf32>) -> tensor<2x4x8x16xf32>
      maps [affine_map<(b, h, q, k, d, e) -> (b, h, q, d)>, affine_map<(b, h, q, k, d, e) -> (b, h, k, d)>, affine_map<(b, h, q, k, d, e) -> (b, h, k, e)>, affine_map<(b, h, q, k, d, e) -> (b, h, q, e)>]
  return
}

// -----

func.func @f(%q: tensor<2x4x8x16xf32>, %k: tensor<2x4x6x16xf32>, %v: tensor<2x4x6x16xf32>, %m: tensor<2x8xi64>, %init: tensor<2x4x8x16xf32>) {
  // expected-error @below {{C4: key_mask is 'tensor<2x8xi64>', expected [B = 2, K = 6]}}
  %0 = attn.attention ins(%q, %k, %v : tensor<2x4x8x16xf32>, tensor<2x4x6x16xf32>, tensor<2x4x6x16xf32>) key_mask(%m : tensor<2x8xi64>)
      outs(%init : tensor<2x4x8x16xf32>) -> tensor<2x4x8x16xf32>
      maps [affine_map<(b, h, q, k, d, e) -> (b, h, q, d)>, affine_map<(b, h, q, k, d, e) -> (b, h, k, d)>, affine_map<(b, h, q, k, d, e) -> (b, h, k, e)>, affine_map<(b, h, q, k, d, e) -> (b, h, q, e)>]
  return
}

// -----

func.func @f(%q: tensor<2x4x8x16xf32>, %k: tensor<2x4x6x16xf32>, %v: tensor<2x4x6x16xf32>, %m: tensor<2x6xf32>, %init: tensor<2x4x8x16xf32>) {
  // expected-error @below {{C4: key_mask has elements of type 'f32', expected an integer type}}
  %0 = attn.attention ins(%q, %k, %v : tensor<2x4x8x16xf32>, tensor<2x4x6x16xf32>, tensor<2x4x6x16xf32>) key_mask(%m : tensor<2x6xf32>)
      outs(%init : tensor<2x4x8x16xf32>) -> tensor<2x4x8x16xf32>
      maps [affine_map<(b, h, q, k, d, e) -> (b, h, q, d)>, affine_map<(b, h, q, k, d, e) -> (b, h, k, d)>, affine_map<(b, h, q, k, d, e) -> (b, h, k, e)>, affine_map<(b, h, q, k, d, e) -> (b, h, q, e)>]
  return
}

// -----

// attention, C5
func.func @f(%q: tensor<2x4x8x16xf32>, %k: tensor<2x4x6x16xf32>, %v: tensor<2x4x6x16xf32>, %o: index, %init: tensor<2x4x8x16xf32>) {
  // expected-error @below {{C5: there are 3 offsets, expected none or 4}}
  %0 = attn.attention ins(%q, %k, %v : tensor<2x4x8x16xf32>, tensor<2x4x6x16xf32>, tensor<2x4x6x16xf32>) offsets(%o, %o, %o)
      outs(%init : tensor<2x4x8x16xf32>) -> tensor<2x4x8x16xf32>
      maps [affine_map<(b, h, q, k, d, e) -> (b, h, q, d)>, affine_map<(b, h, q, k, d, e) -> (b, h, k, d)>, affine_map<(b, h, q, k, d, e) -> (b, h, k, e)>, affine_map<(b, h, q, k, d, e) -> (b, h, q, e)>]
  return
}

// -----

func.func @f(%q: tensor<2x4x8x16xf32>, %k: tensor<2x4x6x16xf32>, %v: tensor<2x4x6x16xf32>, %p0: tensor<4xf32>, %init: tensor<2x4x8x16xf32>) {
  // expected-error @below {{C5: the score region takes 5 arguments, expected 6}}
  %0 = attn.attention ins(%q, %k, %v : tensor<2x4x8x16xf32>, tensor<2x4x6x16xf32>, tensor<2x4x6x16xf32>) mapped(%p0 : tensor<4xf32>)
      outs(%init : tensor<2x4x8x16xf32>) -> tensor<2x4x8x16xf32>
      maps [affine_map<(b, h, q, k, d, e) -> (b, h, q, d)>, affine_map<(b, h, q, k, d, e) -> (b, h, k, d)>, affine_map<(b, h, q, k, d, e) -> (b, h, k, e)>, affine_map<(b, h, q, k, d, e) -> (h)>, affine_map<(b, h, q, k, d, e) -> (b, h, q, e)>] score {
  ^bb0(%s: f32, %bi: index, %hi: index, %qi: index, %ki: index):
    attn.yield %s : f32
  }
  return
}

// -----

func.func @f(%q: tensor<2x4x8x16xf32>, %k: tensor<2x4x6x16xf32>, %v: tensor<2x4x6x16xf32>, %init: tensor<2x4x8x16xf32>) {
  // expected-error @below {{C5: argument 0 of the score region has type 'index', expected a floating-point type}}
  %0 = attn.attention ins(%q, %k, %v : tensor<2x4x8x16xf32>, tensor<2x4x6x16xf32>, tensor<2x4x6x16xf32>)
      outs(%init : tensor<2x4x8x16xf32>) -> tensor<2x4x8x16xf32>
      maps [affine_map<(b, h, q, k, d, e) -> (b, h, q, d)>, affine_map<(b, h, q, k, d, e) -> (b, h, k, d)>, affine_map<(b, h, q, k, d, e) -> (b, h, k, e)>, affine_map<(b, h, q, k, d, e) -> (b, h, q, e)>] score {
  ^bb0(%bi: index, %hi: index, %qi: index, %ki: index):
    attn.yield %bi : index
  }
  return
}

// -----

func.func @f(%q: tensor<2x4x8x16xf32>, %k: tensor<2x4x6x16xf32>, %v: tensor<2x4x6x16xf32>, %init: tensor<2x4x8x16xf32>) {
  // expected-error @below {{C5: the score region yields a value of type 'index', expected 'f32'}}
  %0 = attn.attention ins(%q, %k, %v : tensor<2x4x8x16xf32>, tensor<2x4x6x16xf32>, tensor<2x4x6x16xf32>)
      outs(%init : tensor<2x4x8x16xf32>) -> tensor<2x4x8x16xf32>
      maps [affine_map<(b, h, q, k, d, e) -> (b, h, q, d)>, affine_map<(b, h, q, k, d, e) -> (b, h, k, d)>, affine_map<(b, h, q, k, d, e) -> (b, h, k, e)>, affine_map<(b, h, q, k, d, e) -> (b, h, q, e)>] score {
  ^bb0(%s: f32, %bi: index, %hi: index, %qi: index, %ki: index):
    attn.yield %bi : index
  }
  return
}

// -----

func.func @f(%q: tensor<2x4x8x16xf32>, %k: tensor<2x4x6x16xf32>, %v: tensor<2x4x6x16xf32>, %init: tensor<2x4x8x16xf32>) {
  // expected-error @below {{C5: the mask region takes 0 arguments, expected 4}}
  %0 = attn.attention ins(%q, %k, %v : tensor<2x4x8x16xf32>, tensor<2x4x6x16xf32>, tensor<2x4x6x16xf32>)
      outs(%init : tensor<2x4x8x16xf32>) -> tensor<2x4x8x16xf32>
      maps [affine_map<(b, h, q, k, d, e) -> (b, h, q, d)>, affine_map<(b, h, q, k, d, e) -> (b, h, k, d)>, affine_map<(b, h, q, k, d, e) -> (b, h, k, e)>, affine_map<(b, h, q, k, d, e) -> (b, h, q, e)>] mask {
  ^bb0:
    %t = arith.constant true
    attn.yield %t : i1
  }
  return
}

// -----

func.func @f(%q: tensor<2x4x8x16xf32>, %k: tensor<2x4x6x16xf32>, %v: tensor<2x4x6x16xf32>, %init: tensor<2x4x8x16xf32>) {
  // expected-error @below {{C5: the mask region yields a value of type 'f32', expected 'i1'}}
  %0 = attn.attention ins(%q, %k, %v : tensor<2x4x8x16xf32>, tensor<2x4x6x16xf32>, tensor<2x4x6x16xf32>)
      outs(%init : tensor<2x4x8x16xf32>) -> tensor<2x4x8x16xf32>
      maps [affine_map<(b, h, q, k, d, e) -> (b, h, q, d)>, affine_map<(b, h, q, k, d, e) -> (b, h, k, d)>, affine_map<(b, h, q, k, d, e) -> (b, h, k, e)>, affine_map<(b, h, q, k, d, e) -> (b, h, q, e)>] mask {
  ^bb0(%bi: index, %hi: index, %qi: index, %ki: index):
    %t = arith.constant 1.0 : f32
    attn.yield %t : f32
  }
  return
}

// -----

func.func @f(%q: tensor<2x4x8x16xf32>, %k: tensor<2x4x6x16xf32>, %v: tensor<2x4x6x16xf32>, %w0: tensor<4xf32>, %init: tensor<2x4x8x16xf32>) {
  // expected-error @below {{C5: argument 4 of the mask region has type 'tensor<5xf32>', expected 'tensor<4xf32>'}}
  %0 = attn.attention ins(%q, %k, %v : tensor<2x4x8x16xf32>, tensor<2x4x6x16xf32>, tensor<2x4x6x16xf32>) whole(%w0 : tensor<4xf32>)
      outs(%init : tensor<2x4x8x16xf32>) -> tensor<2x4x8x16xf32>
      maps [affine_map<(b, h, q, k, d, e) -> (b, h, q, d)>, affine_map<(b, h, q, k, d, e) -> (b, h, k, d)>, affine_map<(b, h, q, k, d, e) -> (b, h, k, e)>, affine_map<(b, h, q, k, d, e) -> (b, h, q, e)>] mask {
  ^bb0(%bi: index, %hi: index, %qi: index, %ki: index, %w: tensor<5xf32>):
    %t = arith.constant true
    attn.yield %t : i1
  }
  return
}

// -----

// attention, C6
func.func @f(%q: tensor<2x4x8x16xf32>, %k: tensor<2x4x6x16xf32>, %v: tensor<2x4x6x16xf32>, %init: tensor<2x4x8x16xf32>) {
  // expected-error @below {{C6: scale is 1.000000e+300, expected a finite number of f32}}
  %0 = attn.attention ins(%q, %k, %v : tensor<2x4x8x16xf32>, tensor<2x4x6x16xf32>, tensor<2x4x6x16xf32>)
      outs(%init : tensor<2x4x8x16xf32>) -> tensor<2x4x8x16xf32>
      maps [affine_map<(b, h, q, k, d, e) -> (b, h, q, d)>, affine_map<(b, h, q, k, d, e) -> (b, h, k, d)>, affine_map<(b, h, q, k, d, e) -> (b, h, k, e)>, affine_map<(b, h, q, k, d, e) -> (b, h, q, e)>]
      attributes {scale = 1.0e300 : f64}
  return
}

// -----

// Regions are isolated from above.
func.func @f(%q: tensor<2x4x8x16xf32>, %k: tensor<2x4x6x16xf32>, %v: tensor<2x4x6x16xf32>, %init: tensor<2x4x8x16xf32>, %c: i1) {
  // expected-note @below {{required by region isolation constraints}}
  %0 = attn.attention ins(%q, %k, %v : tensor<2x4x8x16xf32>, tensor<2x4x6x16xf32>, tensor<2x4x6x16xf32>)
      outs(%init : tensor<2x4x8x16xf32>) -> tensor<2x4x8x16xf32>
      maps [affine_map<(b, h, q, k, d, e) -> (b, h, q, d)>, affine_map<(b, h, q, k, d, e) -> (b, h, k, d)>, affine_map<(b, h, q, k, d, e) -> (b, h, k, e)>, affine_map<(b, h, q, k, d, e) -> (b, h, q, e)>] mask {
  ^bb0(%bi: index, %hi: index, %qi: index, %ki: index):
  // expected-error @below {{using value defined outside the region}}
    attn.yield %c : i1
  }
  return
}

// -----

// online_attention, C1
func.func @f(%q: tensor<2x8x16xf32>, %k: tensor<4x8xf32>, %v: tensor<4x6xf32>, %a: tensor<16x6xf32>, %x: tensor<16xf32>, %s: tensor<16xf32>) {
  // expected-error @below {{C1: queries is 'tensor<2x8x16xf32>', expected [1, D, P]}}
  %0:3 = attn.online_attention ins(%q, %k, %v : tensor<2x8x16xf32>, tensor<4x8xf32>, tensor<4x6xf32>)
      outs(%a, %x, %s : tensor<16x6xf32>, tensor<16xf32>, tensor<16xf32>) -> tensor<16x6xf32>, tensor<16xf32>, tensor<16xf32> {scale = 1.0}
  return
}

// -----

func.func @f(%q: tensor<1x8x16xf32>, %k: tensor<4x9xf32>, %v: tensor<4x6xf32>, %a: tensor<16x6xf32>, %x: tensor<16xf32>, %s: tensor<16xf32>) {
  // expected-error @below {{C1: key is 'tensor<4x9xf32>', expected [T, D = 8]}}
  %0:3 = attn.online_attention ins(%q, %k, %v : tensor<1x8x16xf32>, tensor<4x9xf32>, tensor<4x6xf32>)
      outs(%a, %x, %s : tensor<16x6xf32>, tensor<16xf32>, tensor<16xf32>) -> tensor<16x6xf32>, tensor<16xf32>, tensor<16xf32> {scale = 1.0}
  return
}

// -----

func.func @f(%q: tensor<1x8x16xf32>, %k: tensor<4x8xf32>, %v: tensor<5x6xf32>, %a: tensor<16x6xf32>, %x: tensor<16xf32>, %s: tensor<16xf32>) {
  // expected-error @below {{C1: value is 'tensor<5x6xf32>', expected [T = 4, E]}}
  %0:3 = attn.online_attention ins(%q, %k, %v : tensor<1x8x16xf32>, tensor<4x8xf32>, tensor<5x6xf32>)
      outs(%a, %x, %s : tensor<16x6xf32>, tensor<16xf32>, tensor<16xf32>) -> tensor<16x6xf32>, tensor<16xf32>, tensor<16xf32> {scale = 1.0}
  return
}

// -----

// online_attention, C2
func.func @f(%q: tensor<1x8x16xf32>, %k: tensor<4x8xf32>, %v: tensor<4x6xf32>, %a: tensor<6x16xf32>, %x: tensor<16xf32>, %s: tensor<16xf32>) {
  // expected-error @below {{C2: accumulator is 'tensor<6x16xf32>', expected [P = 16, E = 6]}}
  %0:3 = attn.online_attention ins(%q, %k, %v : tensor<1x8x16xf32>, tensor<4x8xf32>, tensor<4x6xf32>)
      outs(%a, %x, %s : tensor<6x16xf32>, tensor<16xf32>, tensor<16xf32>) -> tensor<6x16xf32>, tensor<16xf32>, tensor<16xf32> {scale = 1.0}
  return
}

// -----

func.func @f(%q: tensor<1x8x16xf32>, %k: tensor<4x8xf32>, %v: tensor<4x6xf32>, %a: tensor<16x6xf32>, %x: tensor<15xf32>, %s: tensor<16xf32>) {
  // expected-error @below {{C2: maximum is 'tensor<15xf32>', expected [P = 16]}}
  %0:3 = attn.online_attention ins(%q, %k, %v : tensor<1x8x16xf32>, tensor<4x8xf32>, tensor<4x6xf32>)
      outs(%a, %x, %s : tensor<16x6xf32>, tensor<15xf32>, tensor<16xf32>) -> tensor<16x6xf32>, tensor<15xf32>, tensor<16xf32> {scale = 1.0}
  return
}

// -----

func.func @f(%q: tensor<1x8x16xf32>, %k: tensor<4x8xf32>, %v: tensor<4x6xf32>, %a: tensor<16x6xf32>, %x: tensor<16xf32>, %s: tensor<16x1xf32>) {
  // expected-error @below {{C2: sum is 'tensor<16x1xf32>', expected [P = 16]}}
  %0:3 = attn.online_attention ins(%q, %k, %v : tensor<1x8x16xf32>, tensor<4x8xf32>, tensor<4x6xf32>)
      outs(%a, %x, %s : tensor<16x6xf32>, tensor<16xf32>, tensor<16x1xf32>) -> tensor<16x6xf32>, tensor<16xf32>, tensor<16x1xf32> {scale = 1.0}
  return
}

// -----

// online_attention, C3
func.func @f(%q: tensor<1x?x16xf32>, %k: tensor<4x?xf32>, %v: tensor<4x6xf32>, %a: tensor<16x6xf32>, %x: tensor<16xf32>, %s: tensor<16xf32>) {
  // expected-error @below {{C3: D is dynamic, expected a static extent}}
  %0:3 = attn.online_attention ins(%q, %k, %v : tensor<1x?x16xf32>, tensor<4x?xf32>, tensor<4x6xf32>)
      outs(%a, %x, %s : tensor<16x6xf32>, tensor<16xf32>, tensor<16xf32>) -> tensor<16x6xf32>, tensor<16xf32>, tensor<16xf32> {scale = 1.0}
  return
}

// -----

func.func @f(%q: tensor<1x8x16xf32>, %k: tensor<4x8xf16>, %v: tensor<4x6xf32>, %a: tensor<16x6xf32>, %x: tensor<16xf32>, %s: tensor<16xf32>) {
  // expected-error @below {{C3: key has elements of type 'f16', expected 'f32'}}
  %0:3 = attn.online_attention ins(%q, %k, %v : tensor<1x8x16xf32>, tensor<4x8xf16>, tensor<4x6xf32>)
      outs(%a, %x, %s : tensor<16x6xf32>, tensor<16xf32>, tensor<16xf32>) -> tensor<16x6xf32>, tensor<16xf32>, tensor<16xf32> {scale = 1.0}
  return
}

// -----

func.func @f(%q: tensor<1x8x16xf32>, %k: tensor<4x8xf32>, %v: tensor<4x6xf32>, %a: tensor<16x6xi32>, %x: tensor<16xf32>, %s: tensor<16xf32>) {
  // expected-error @below {{C3: accumulator has elements of type 'i32', expected a floating-point type}}
  %0:3 = attn.online_attention ins(%q, %k, %v : tensor<1x8x16xf32>, tensor<4x8xf32>, tensor<4x6xf32>)
      outs(%a, %x, %s : tensor<16x6xi32>, tensor<16xf32>, tensor<16xf32>) -> tensor<16x6xi32>, tensor<16xf32>, tensor<16xf32> {scale = 1.0}
  return
}

// -----

// online_attention, C4
func.func @f(%q: tensor<1x8x16xf32>, %k: tensor<4x8xf32>, %v: tensor<4x6xf32>, %m: tensor<5xi64>, %a: tensor<16x6xf32>, %x: tensor<16xf32>, %s: tensor<16xf32>) {
  // expected-error @below {{C4: key_mask is 'tensor<5xi64>', expected [T = 4]}}
  %0:3 = attn.online_attention ins(%q, %k, %v : tensor<1x8x16xf32>, tensor<4x8xf32>, tensor<4x6xf32>) key_mask(%m : tensor<5xi64>)
      outs(%a, %x, %s : tensor<16x6xf32>, tensor<16xf32>, tensor<16xf32>) -> tensor<16x6xf32>, tensor<16xf32>, tensor<16xf32> {scale = 1.0}
  return
}

// -----

func.func @f(%q: tensor<1x8x16xf32>, %k: tensor<4x8xf32>, %v: tensor<4x6xf32>, %m: tensor<4xf32>, %a: tensor<16x6xf32>, %x: tensor<16xf32>, %s: tensor<16xf32>) {
  // expected-error @below {{C4: key_mask has elements of type 'f32', expected an integer type}}
  %0:3 = attn.online_attention ins(%q, %k, %v : tensor<1x8x16xf32>, tensor<4x8xf32>, tensor<4x6xf32>) key_mask(%m : tensor<4xf32>)
      outs(%a, %x, %s : tensor<16x6xf32>, tensor<16xf32>, tensor<16xf32>) -> tensor<16x6xf32>, tensor<16xf32>, tensor<16xf32> {scale = 1.0}
  return
}

// -----

// online_attention, C5
func.func @f(%q: tensor<1x8x16xf32>, %k: tensor<4x8xf32>, %v: tensor<4x6xf32>, %a: tensor<16x6xf32>, %x: tensor<16xf32>, %s: tensor<16xf32>, %c0: memref<64x16xf32>) {
  // expected-error @below {{C5: there are 1 scratch buffers, expected none or 2}}
  %0:3 = attn.online_attention ins(%q, %k, %v : tensor<1x8x16xf32>, tensor<4x8xf32>, tensor<4x6xf32>)
      outs(%a, %x, %s : tensor<16x6xf32>, tensor<16xf32>, tensor<16xf32>) scratch(%c0 : memref<64x16xf32>) -> tensor<16x6xf32>, tensor<16xf32>, tensor<16xf32> {scale = 1.0, kernel = #attn.attention_kernel<queries = 16, keyRows = 4, valueRows = 4, valueColumns = 8, keyBlock = 64, lanes = 8>}
  return
}

// -----

// online_attention, C7
func.func @f(%q: tensor<1x8x16xf32>, %k: tensor<4x8xf32>, %v: tensor<4x6xf32>, %r: tensor<?x7xf32>, %a: tensor<16x6xf32>, %x: tensor<16xf32>, %s: tensor<16xf32>) {
  // expected-error @below {{C7: rows is 'tensor<?x7xf32>', expected [R, D = 8]}}
  %0:3 = attn.online_attention ins(%q, %k, %v : tensor<1x8x16xf32>, tensor<4x8xf32>, tensor<4x6xf32>) rows(%r : tensor<?x7xf32>)
      outs(%a, %x, %s : tensor<16x6xf32>, tensor<16xf32>, tensor<16xf32>) -> tensor<16x6xf32>, tensor<16xf32>, tensor<16xf32> {scale = 1.0}
  return
}

// -----

// online_attention, C6
func.func @f(%q: tensor<1x8x16xf32>, %k: tensor<4x8xf32>, %v: tensor<4x6xf32>, %m: tensor<4x16xf32>, %i: index, %a: tensor<16x6xf32>, %x: tensor<16xf32>, %s: tensor<16xf32>) {
  // expected-error @below {{C6: there are 0 maps, expected one for each of 1 mapped operands}}
  %0:3 = attn.online_attention ins(%q, %k, %v : tensor<1x8x16xf32>, tensor<4x8xf32>, tensor<4x6xf32>) mapped(%m : tensor<4x16xf32>)
      outs(%a, %x, %s : tensor<16x6xf32>, tensor<16xf32>, tensor<16xf32>) -> tensor<16x6xf32>, tensor<16xf32>, tensor<16xf32> {scale = 1.0}
  return
}

// -----

func.func @f(%q: tensor<1x8x16xf32>, %k: tensor<4x8xf32>, %v: tensor<4x6xf32>, %m: tensor<4x16xf32>, %i: index, %a: tensor<16x6xf32>, %x: tensor<16xf32>, %s: tensor<16xf32>) {
  // expected-error @below {{C6: mapped 0 is 'tensor<4x16xf32>', expected [R, T = 4]}}
  %0:3 = attn.online_attention ins(%q, %k, %v : tensor<1x8x16xf32>, tensor<4x8xf32>, tensor<4x6xf32>) mapped(%m : tensor<4x16xf32>)
      outs(%a, %x, %s : tensor<16x6xf32>, tensor<16xf32>, tensor<16xf32>) -> tensor<16x6xf32>, tensor<16xf32>, tensor<16xf32> {scale = 1.0, maps = [affine_map<(j, k) -> (j, k)>]}
  return
}

// -----

func.func @f(%q: tensor<1x8x16xf32>, %k: tensor<4x8xf32>, %v: tensor<4x6xf32>, %m: tensor<4x16xf32>, %i: index, %a: tensor<16x6xf32>, %x: tensor<16xf32>, %s: tensor<16xf32>) {
  // expected-error @below {{C6: the map of mapped operand 0 is affine_map<(d0, d1) -> (d1, d1)>, expected dimensions of (j, k), none twice}}
  %0:3 = attn.online_attention ins(%q, %k, %v : tensor<1x8x16xf32>, tensor<4x8xf32>, tensor<4x6xf32>) mapped(%m : tensor<4x16xf32>)
      outs(%a, %x, %s : tensor<16x6xf32>, tensor<16xf32>, tensor<16xf32>) -> tensor<16x6xf32>, tensor<16xf32>, tensor<16xf32> {scale = 1.0, maps = [affine_map<(j, k) -> (k, k)>]}
  return
}

// -----

func.func @f(%q: tensor<1x8x16xf32>, %k: tensor<4x8xf32>, %v: tensor<4x6xf32>, %m: tensor<4x16xf32>, %i: index, %a: tensor<16x6xf32>, %x: tensor<16xf32>, %s: tensor<16xf32>) {
  // expected-error @below {{C6: there are 1 indices, expected none or 4}}
  %0:3 = attn.online_attention ins(%q, %k, %v : tensor<1x8x16xf32>, tensor<4x8xf32>, tensor<4x6xf32>) indices(%i)
      outs(%a, %x, %s : tensor<16x6xf32>, tensor<16xf32>, tensor<16xf32>) -> tensor<16x6xf32>, tensor<16xf32>, tensor<16xf32> {scale = 1.0}
  return
}

// -----

func.func @f(%q: tensor<1x8x16xf32>, %k: tensor<4x8xf32>, %v: tensor<4x6xf32>, %m: tensor<4x16xf32>, %i: index, %a: tensor<16x6xf32>, %x: tensor<16xf32>, %s: tensor<16xf32>) {
  // expected-error @below {{C6: there are 0 indices, expected 4}}
  %0:3 = attn.online_attention ins(%q, %k, %v : tensor<1x8x16xf32>, tensor<4x8xf32>, tensor<4x6xf32>) 
      outs(%a, %x, %s : tensor<16x6xf32>, tensor<16xf32>, tensor<16xf32>) -> tensor<16x6xf32>, tensor<16xf32>, tensor<16xf32> {scale = 1.0} mask {
  ^bb0(%bi: index, %hi: index, %qi: index, %ki: index):
    %1 = arith.cmpi eq, %qi, %ki : index
    attn.yield %1 : i1
  }
  return
}

// -----

func.func @f(%q: tensor<1x8x16xf32>, %k: tensor<4x8xf32>, %v: tensor<4x6xf32>, %m: tensor<4x16xf32>, %i: index, %a: tensor<16x6xf32>, %x: tensor<16xf32>, %s: tensor<16xf32>) {
  // expected-error @below {{C6: }}
  %0:3 = attn.online_attention ins(%q, %k, %v : tensor<1x8x16xf32>, tensor<4x8xf32>, tensor<4x6xf32>) indices(%i, %i, %i, %i)
      outs(%a, %x, %s : tensor<16x6xf32>, tensor<16xf32>, tensor<16xf32>) -> tensor<16x6xf32>, tensor<16xf32>, tensor<16xf32> {scale = 1.0} score {
  ^bb0(%p: f32, %bi: index, %hi: index, %qi: index, %ki: index):
    attn.yield %qi : index
  }
  return
}

// -----

// online_finish, C1
func.func @f(%a: tensor<16x6xf32>, %x: tensor<8xf32>, %s: tensor<16xf32>, %init: tensor<16x6xf32>) {
  // expected-error @below {{C1: maximum is 'tensor<8xf32>', expected [P = 16]}}
  %0 = attn.online_finish ins(%a, %x, %s : tensor<16x6xf32>, tensor<8xf32>, tensor<16xf32>) outs(%init : tensor<16x6xf32>) -> tensor<16x6xf32>
  return
}

// -----

func.func @f(%a: tensor<16x6xf32>, %x: tensor<16xf32>, %s: tensor<16xf32>, %init: tensor<16x7xf32>) {
  // expected-error @below {{C1: init is 'tensor<16x7xf32>', expected [R, E = 6]}}
  %0 = attn.online_finish ins(%a, %x, %s : tensor<16x6xf32>, tensor<16xf32>, tensor<16xf32>) outs(%init : tensor<16x7xf32>) -> tensor<16x7xf32>
  return
}

// -----

func.func @f(%a: tensor<16x6xf32>, %x: tensor<16xf32>, %s: tensor<16xf32>, %init: tensor<17x6xf32>) {
  // expected-error @below {{C1: init has 17 rows, expected at most P = 16}}
  %0 = attn.online_finish ins(%a, %x, %s : tensor<16x6xf32>, tensor<16xf32>, tensor<16xf32>) outs(%init : tensor<17x6xf32>) -> tensor<17x6xf32>
  return
}

// -----

func.func @f(%a: tensor<16x6xf32>, %x: tensor<16xf32>, %s: tensor<16xf32>, %init: tensor<16x6xf32>, %l: tensor<8xf32>) {
  // expected-error @below {{C1: log_sum_exp is 'tensor<8xf32>', expected [R = 16]}}
  %0:2 = attn.online_finish ins(%a, %x, %s : tensor<16x6xf32>, tensor<16xf32>, tensor<16xf32>) outs(%init, %l : tensor<16x6xf32>, tensor<8xf32>) -> tensor<16x6xf32>, tensor<8xf32>
  return
}

// -----

func.func @f(%a: tensor<16x6xf32>, %x: tensor<16xf32>, %s: tensor<16xi32>, %init: tensor<16x6xf32>) {
  // expected-error @below {{C1: sum has elements of type 'i32', expected a floating-point type}}
  %0 = attn.online_finish ins(%a, %x, %s : tensor<16x6xf32>, tensor<16xf32>, tensor<16xi32>) outs(%init : tensor<16x6xf32>) -> tensor<16x6xf32>
  return
}

// -----

// pack, C1
func.func @f(%s: tensor<20xf32>, %init: tensor<2x8x16xf32>) {
  // expected-error @below {{C1: source is 'tensor<20xf32>', expected [N, K]}}
  %0 = attn.pack ins(%s : tensor<20xf32>) outs(%init : tensor<2x8x16xf32>) -> tensor<2x8x16xf32>
  return
}

// -----

func.func @f(%s: tensor<20x8xf32>, %init: tensor<1x8x16xf32>) {
  // expected-error @below {{C1: init has 1 panels, expected at least 2 for N = 20}}
  %0 = attn.pack ins(%s : tensor<20x8xf32>) outs(%init : tensor<1x8x16xf32>) -> tensor<1x8x16xf32>
  return
}

// -----

func.func @f(%s: tensor<20x?xf32>, %init: tensor<2x?x16xf32>) {
  // expected-error @below {{C1: K is dynamic, expected a static extent}}
  %0 = attn.pack ins(%s : tensor<20x?xf32>) outs(%init : tensor<2x?x16xf32>) -> tensor<2x?x16xf32>
  return
}

// -----

func.func @f(%s: tensor<20x8xf32>, %init: tensor<2x8x?xf32>) {
  // expected-error @below {{C1: P is dynamic, expected a static extent}}
  %0 = attn.pack ins(%s : tensor<20x8xf32>) outs(%init : tensor<2x8x?xf32>) -> tensor<2x8x?xf32>
  return
}

// -----

func.func @f(%s: tensor<20x8xf32>, %init: tensor<2x8x0xf32>) {
  // expected-error @below {{C1: P is 0, expected a positive width}}
  %0 = attn.pack ins(%s : tensor<20x8xf32>) outs(%init : tensor<2x8x0xf32>) -> tensor<2x8x0xf32>
  return
}

// -----

func.func @f(%s: tensor<20x8xf32>, %init: tensor<2x8x16xf16>) {
  // expected-error @below {{C1: init has elements of type 'f16', expected 'f32'}}
  %0 = attn.pack ins(%s : tensor<20x8xf32>) outs(%init : tensor<2x8x16xf16>) -> tensor<2x8x16xf16>
  return
}

// -----

// Generic syntax with two keys and no query.
func.func @f(%q: tensor<4x4xf32>, %i: tensor<1x1x4x4xf32>) {
  // expected-error @below {{has 0 operands query, expected 1}}
  %0 = "attn.attention"(%q, %q, %q, %i) <{maps = [affine_map<(b, h, q, k, d, e) -> (q, d)>, affine_map<(b, h, q, k, d, e) -> (k, d)>,
      affine_map<(b, h, q, k, d, e) -> (k, e)>, affine_map<(b, h, q, k, d, e) -> (b, h, q, e)>], operandSegmentSizes = array<i32: 0, 2, 1, 0, 0, 0, 0, 0, 1, 0>}> ({
  }, {
  }) : (tensor<4x4xf32>, tensor<4x4xf32>, tensor<4x4xf32>, tensor<1x1x4x4xf32>) -> tensor<1x1x4x4xf32>
  return
}
