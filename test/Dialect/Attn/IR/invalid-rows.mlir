// RUN: attn-opt %s --verify-diagnostics --split-input-file

// linear, C1
func.func @f(%x: tensor<4x8xf32>, %w: tensor<16x8xf32>, %init: tensor<16xf32>) {
  // expected-error @below {{C1: init is 'tensor<16xf32>', expected at least 2 dimensions}}
  %0 = attn.linear ins(%x, %w : tensor<4x8xf32>, tensor<16x8xf32>) outs(%init : tensor<16xf32>) -> tensor<16xf32> {
  ^bb0(%s: f32):
    attn.yield %s : f32
  }
  return
}

// -----

func.func @f(%x: tensor<5x8xf32>, %w: tensor<16x8xf32>, %init: tensor<4x16xf32>) {
  // expected-error @below {{C1: input is 'tensor<5x8xf32>', expected [m0 = 4, K]}}
  %0 = attn.linear ins(%x, %w : tensor<5x8xf32>, tensor<16x8xf32>) outs(%init : tensor<4x16xf32>) -> tensor<4x16xf32> {
  ^bb0(%s: f32):
    attn.yield %s : f32
  }
  return
}

// -----

func.func @f(%x: tensor<2x4x8xf32>, %w: tensor<16x8xf32>, %init: tensor<4x16xf32>) {
  // expected-error @below {{C1: input is 'tensor<2x4x8xf32>', expected [m0 = 4, K]}}
  %0 = attn.linear ins(%x, %w : tensor<2x4x8xf32>, tensor<16x8xf32>) outs(%init : tensor<4x16xf32>) -> tensor<4x16xf32> {
  ^bb0(%s: f32):
    attn.yield %s : f32
  }
  return
}

// -----

// linear, C2
func.func @f(%x: tensor<4x8xf32>, %w: tensor<16x9xf32>, %init: tensor<4x16xf32>) {
  // expected-error @below {{C2: weight is 'tensor<16x9xf32>', expected [N = 16, K = 8]}}
  %0 = attn.linear ins(%x, %w : tensor<4x8xf32>, tensor<16x9xf32>) outs(%init : tensor<4x16xf32>) -> tensor<4x16xf32> {
  ^bb0(%s: f32):
    attn.yield %s : f32
  }
  return
}

// -----

func.func @f(%x: tensor<4x8xf32>, %w: tensor<15x8xf32>, %init: tensor<4x16xf32>) {
  // expected-error @below {{C2: weight is 'tensor<15x8xf32>', expected [N = 16, K = 8]}}
  %0 = attn.linear ins(%x, %w : tensor<4x8xf32>, tensor<15x8xf32>) outs(%init : tensor<4x16xf32>) -> tensor<4x16xf32> {
  ^bb0(%s: f32):
    attn.yield %s : f32
  }
  return
}

// -----

func.func @f(%x: tensor<4x8xf32>, %w: tensor<3x8x8xf32>, %init: tensor<4x16xf32>) {
  // expected-error @below {{C2: weight is 'tensor<3x8x8xf32>', expected [panels = 2, K = 8, P]}}
  %0 = attn.linear ins(%x, %w : tensor<4x8xf32>, tensor<3x8x8xf32>) outs(%init : tensor<4x16xf32>) -> tensor<4x16xf32> {
  ^bb0(%s: f32):
    attn.yield %s : f32
  }
  return
}

// -----

func.func @f(%x: tensor<4x8xf32>, %w: tensor<2x8x?xf32>, %init: tensor<4x16xf32>) {
  // expected-error @below {{C2: weight is 'tensor<2x8x?xf32>', expected panels of a static width P}}
  %0 = attn.linear ins(%x, %w : tensor<4x8xf32>, tensor<2x8x?xf32>) outs(%init : tensor<4x16xf32>) -> tensor<4x16xf32> {
  ^bb0(%s: f32):
    attn.yield %s : f32
  }
  return
}

// -----

// linear, C3
func.func @f(%x: tensor<4x8xf32>, %w: tensor<16x8xf32>, %init: tensor<4x16xf32>, %e0: tensor<16xf32>) {
  // expected-error @below {{C3: there are 0 maps for 1 extras}}
  %0 = attn.linear ins(%x, %w : tensor<4x8xf32>, tensor<16x8xf32>) extras(%e0 : tensor<16xf32>) outs(%init : tensor<4x16xf32>) -> tensor<4x16xf32> {
  ^bb0(%s: f32, %a0: f32):
    attn.yield %s : f32
  }
  return
}

// -----

func.func @f(%x: tensor<4x8xf32>, %w: tensor<16x8xf32>, %init: tensor<4x16xf32>, %e0: tensor<16xf32>) {
  // expected-error @below {{C3: the map of extra 0 has 3 dimensions and 0 symbols, expected 2 dimensions}}
  %0 = attn.linear ins(%x, %w : tensor<4x8xf32>, tensor<16x8xf32>) extras(%e0 : tensor<16xf32>) outs(%init : tensor<4x16xf32>) -> tensor<4x16xf32>
      maps [affine_map<(a, m, n) -> (n)>] {
  ^bb0(%s: f32, %a0: f32):
    attn.yield %s : f32
  }
  return
}

// -----

func.func @f(%x: tensor<4x8xf32>, %w: tensor<16x8xf32>, %init: tensor<4x16xf32>, %e0: tensor<16xf32>) {
  // expected-error @below {{C3: the map of extra 0 has 2 results, expected 1, one for each of its dimensions}}
  %0 = attn.linear ins(%x, %w : tensor<4x8xf32>, tensor<16x8xf32>) extras(%e0 : tensor<16xf32>) outs(%init : tensor<4x16xf32>) -> tensor<4x16xf32>
      maps [affine_map<(m, n) -> (m, n)>] {
  ^bb0(%s: f32, %a0: f32):
    attn.yield %s : f32
  }
  return
}

// -----

func.func @f(%x: tensor<4x8xf32>, %w: tensor<16x8xf32>, %init: tensor<4x16xf32>, %e0: tensor<16xf32>) {
  // expected-error @below {{C3: the map of extra 0 has a result that is neither a dimension nor 0}}
  %0 = attn.linear ins(%x, %w : tensor<4x8xf32>, tensor<16x8xf32>) extras(%e0 : tensor<16xf32>) outs(%init : tensor<4x16xf32>) -> tensor<4x16xf32>
      maps [affine_map<(m, n) -> (n floordiv 2)>] {
  ^bb0(%s: f32, %a0: f32):
    attn.yield %s : f32
  }
  return
}

// -----

func.func @f(%x: tensor<4x8xf32>, %w: tensor<16x8xf32>, %init: tensor<4x16xf32>, %e0: tensor<4xf32>) {
  // expected-error @below {{C3: extra 0 is 'tensor<4xf32>', expected [N = 16]}}
  %0 = attn.linear ins(%x, %w : tensor<4x8xf32>, tensor<16x8xf32>) extras(%e0 : tensor<4xf32>) outs(%init : tensor<4x16xf32>) -> tensor<4x16xf32>
      maps [affine_map<(m, n) -> (n)>] {
  ^bb0(%s: f32, %a0: f32):
    attn.yield %s : f32
  }
  return
}

// -----

// linear, C4
func.func @f(%x: tensor<4x8xf32>, %w: tensor<16x8xf32>, %init: tensor<4x16xf32>, %e0: tensor<16xf32>) {
  // expected-error @below {{C4: the epilogue takes 1 arguments, expected 2}}
  %0 = attn.linear ins(%x, %w : tensor<4x8xf32>, tensor<16x8xf32>) extras(%e0 : tensor<16xf32>) outs(%init : tensor<4x16xf32>) -> tensor<4x16xf32>
      maps [affine_map<(m, n) -> (n)>] {
  ^bb0(%s: f32):
    attn.yield %s : f32
  }
  return
}

// -----

func.func @f(%x: tensor<4x8xf32>, %w: tensor<16x8xf32>, %init: tensor<4x16xf32>, %e0: tensor<16xf16>) {
  // expected-error @below {{C4: argument 1 of the epilogue has type 'f32', expected 'f16'}}
  %0 = attn.linear ins(%x, %w : tensor<4x8xf32>, tensor<16x8xf32>) extras(%e0 : tensor<16xf16>) outs(%init : tensor<4x16xf32>) -> tensor<4x16xf32>
      maps [affine_map<(m, n) -> (n)>] {
  ^bb0(%s: f32, %a0: f32):
    attn.yield %s : f32
  }
  return
}

// -----

func.func @f(%x: tensor<4x8xf32>, %w: tensor<16x8xf32>, %init: tensor<4x16xf32>) {
  // expected-error @below {{C4: the epilogue yields 0 values, expected 1}}
  %0 = attn.linear ins(%x, %w : tensor<4x8xf32>, tensor<16x8xf32>) outs(%init : tensor<4x16xf32>) -> tensor<4x16xf32> {
  ^bb0(%s: f32):
    attn.yield
  }
  return
}

// -----

func.func @f(%x: tensor<4x8xf32>, %w: tensor<16x8xf32>, %init: tensor<4x16xf32>) {
  // expected-error @below {{C4: the epilogue yields a value of type 'f16', expected 'f32'}}
  %0 = attn.linear ins(%x, %w : tensor<4x8xf32>, tensor<16x8xf32>) outs(%init : tensor<4x16xf32>) -> tensor<4x16xf32> {
  ^bb0(%s: f32):
    %t = arith.truncf %s : f32 to f16
    attn.yield %t : f16
  }
  return
}

// -----

func.func @f(%x: tensor<4x8xf32>, %w: tensor<16x8xf32>, %init: tensor<4x16xf32>) {
  // expected-error @below {{C4: the epilogue does not end with attn.yield}}
  "attn.linear"(%x, %w, %init) ({
  ^bb0(%s: f32):
    "func.return"(%s) : (f32) -> ()
  }) {extra_maps = [], operandSegmentSizes = array<i32: 1, 1, 0, 1, 0>} : (tensor<4x8xf32>, tensor<16x8xf32>, tensor<4x16xf32>) -> tensor<4x16xf32>
  return
}

// -----

func.func @f(%x: tensor<4x8xf32>, %w: tensor<16x8xf32>, %init: tensor<4x16xf32>) {
  // expected-error @below {{region #0 ('epilogue') failed to verify constraint: region with 1 blocks}}
  "attn.linear"(%x, %w, %init) ({
  }) {extra_maps = [], operandSegmentSizes = array<i32: 1, 1, 0, 1, 0>} : (tensor<4x8xf32>, tensor<16x8xf32>, tensor<4x16xf32>) -> tensor<4x16xf32>
  return
}

// -----

// linear, C5
func.func @f(%x: tensor<4x8xi32>, %w: tensor<16x8xf32>, %init: tensor<4x16xf32>) {
  // expected-error @below {{C5: input has elements of type 'i32', expected a floating-point type}}
  %0 = attn.linear ins(%x, %w : tensor<4x8xi32>, tensor<16x8xf32>) outs(%init : tensor<4x16xf32>) -> tensor<4x16xf32> {
  ^bb0(%s: f32):
    attn.yield %s : f32
  }
  return
}

// -----

func.func @f(%x: tensor<4x8xf32>, %w: tensor<16x8xi8>, %init: tensor<4x16xf32>) {
  // expected-error @below {{C5: weight has elements of type 'i8', expected a floating-point type}}
  %0 = attn.linear ins(%x, %w : tensor<4x8xf32>, tensor<16x8xi8>) outs(%init : tensor<4x16xf32>) -> tensor<4x16xf32> {
  ^bb0(%s: f32):
    attn.yield %s : f32
  }
  return
}

// -----

// linear, C6
func.func @f(%x: memref<4x8xf32>, %w: memref<1x8x16xf32>, %init: memref<4x16xf32>, %buffer: memref<4x16xf32>) {
  // expected-error @below {{C6: there are 1 scratch buffers, expected none or 0}}
  attn.linear ins(%x, %w : memref<4x8xf32>, memref<1x8x16xf32>) outs(%init : memref<4x16xf32>) scratch(%buffer : memref<4x16xf32>)
      attributes {kernel = #attn.linear_kernel<rows = 4, columns = 16, lanes = 8>} {
  ^bb0(%s: f32):
    attn.yield %s : f32
  }
  return
}

// -----

// A result has the type of its destination.
func.func @f(%x: tensor<4x8xf32>, %w: tensor<16x8xf32>, %init: tensor<4x16xf32>) {
  // expected-error @below {{to match type of corresponding result}}
  %0 = attn.linear ins(%x, %w : tensor<4x8xf32>, tensor<16x8xf32>) outs(%init : tensor<4x16xf32>) -> tensor<?x16xf32> {
  ^bb0(%s: f32):
    attn.yield %s : f32
  }
  return
}

// -----

// The epilogue is isolated from above.
func.func @f(%x: tensor<4x8xf32>, %w: tensor<16x8xf32>, %init: tensor<4x16xf32>, %c: f32) {
  // expected-note @below {{required by region isolation constraints}}
  %0 = attn.linear ins(%x, %w : tensor<4x8xf32>, tensor<16x8xf32>) outs(%init : tensor<4x16xf32>) -> tensor<4x16xf32> {
  ^bb0(%s: f32):
  // expected-error @below {{using value defined outside the region}}
    %t = arith.addf %s, %c : f32
    attn.yield %t : f32
  }
  return
}

// -----

// layer_norm, C1
func.func @f(%x: tensor<4x9xf32>, %s: tensor<8xf32>, %init: tensor<4x8xf32>) {
  // expected-error @below {{C1: input is 'tensor<4x9xf32>', expected [m0 = 4, N = 8]}}
  %0 = attn.layer_norm ins(%x, %s : tensor<4x9xf32>, tensor<8xf32>) outs(%init : tensor<4x8xf32>) -> tensor<4x8xf32> {epsilon = 1.0e-5}
  return
}

// -----

func.func @f(%x: tensor<4x8xf16>, %s: tensor<8xf32>, %init: tensor<4x8xf32>) {
  // expected-error @below {{C1: input has elements of type 'f16', expected 'f32'}}
  %0 = attn.layer_norm ins(%x, %s : tensor<4x8xf16>, tensor<8xf32>) outs(%init : tensor<4x8xf32>) -> tensor<4x8xf32> {epsilon = 1.0e-5}
  return
}

// -----

func.func @f(%x: tensor<4x8xi32>, %s: tensor<8xf32>, %init: tensor<4x8xi32>) {
  // expected-error @below {{C1: init has elements of type 'i32', expected a floating-point type}}
  %0 = attn.layer_norm ins(%x, %s : tensor<4x8xi32>, tensor<8xf32>) outs(%init : tensor<4x8xi32>) -> tensor<4x8xi32> {epsilon = 1.0e-5}
  return
}

// -----

func.func @f(%x: tensor<f32>, %s: tensor<8xf32>, %init: tensor<f32>) {
  // expected-error @below {{C1: init is 'tensor<f32>', expected at least 1 dimension}}
  %0 = attn.layer_norm ins(%x, %s : tensor<f32>, tensor<8xf32>) outs(%init : tensor<f32>) -> tensor<f32> {epsilon = 1.0e-5}
  return
}

// -----

// layer_norm, C2
func.func @f(%x: tensor<4x8xf32>, %s: tensor<4xf32>, %init: tensor<4x8xf32>) {
  // expected-error @below {{C2: scale is 'tensor<4xf32>', expected [N = 8]}}
  %0 = attn.layer_norm ins(%x, %s : tensor<4x8xf32>, tensor<4xf32>) outs(%init : tensor<4x8xf32>) -> tensor<4x8xf32> {epsilon = 1.0e-5}
  return
}

// -----

func.func @f(%x: tensor<4x8xf32>, %s: tensor<8xf32>, %init: tensor<4x8xf32>, %t: tensor<1x8xf32>) {
  // expected-error @below {{C2: shift is 'tensor<1x8xf32>', expected [N = 8]}}
  %0 = attn.layer_norm ins(%x, %s, %t : tensor<4x8xf32>, tensor<8xf32>, tensor<1x8xf32>) outs(%init : tensor<4x8xf32>) -> tensor<4x8xf32> {epsilon = 1.0e-5}
  return
}

// -----

// layer_norm, C3
func.func @f(%x: tensor<4x8xf32>, %s: tensor<8xf32>, %init: tensor<4x8xf32>) {
  // expected-error-re @below {{C3: epsilon is -1.0{{.*}}, expected a number that is not negative}}
  %0 = attn.layer_norm ins(%x, %s : tensor<4x8xf32>, tensor<8xf32>) outs(%init : tensor<4x8xf32>) -> tensor<4x8xf32> {epsilon = -1.0}
  return
}

// -----

func.func @f(%x: tensor<4x8xf32>, %s: tensor<8xf32>, %init: tensor<4x8xf32>) {
  // expected-error-re @below {{C3: epsilon is {{.*}}, expected a number that is not negative}}
  %0 = attn.layer_norm ins(%x, %s : tensor<4x8xf32>, tensor<8xf32>) outs(%init : tensor<4x8xf32>) -> tensor<4x8xf32> {epsilon = 0x7FF8000000000000 : f64}
  return
}

// -----

// rms_norm
func.func @f(%x: tensor<4x9xf32>, %s: tensor<8xf32>, %init: tensor<4x8xf32>) {
  // expected-error @below {{C1: input is 'tensor<4x9xf32>', expected [m0 = 4, N = 8]}}
  %0 = attn.rms_norm ins(%x, %s : tensor<4x9xf32>, tensor<8xf32>) outs(%init : tensor<4x8xf32>) -> tensor<4x8xf32> {epsilon = 1.0e-5}
  return
}

// -----

func.func @f(%x: tensor<4x8xf32>, %s: tensor<8xi32>, %init: tensor<4x8xf32>) {
  // expected-error @below {{C2: scale has elements of type 'i32', expected a floating-point type}}
  %0 = attn.rms_norm ins(%x, %s : tensor<4x8xf32>, tensor<8xi32>) outs(%init : tensor<4x8xf32>) -> tensor<4x8xf32> {epsilon = 1.0e-5}
  return
}

// -----

func.func @f(%x: tensor<4x8xf32>, %s: tensor<8xf32>, %init: tensor<4x8xf32>) {
  // expected-error-re @below {{C3: epsilon is {{.*}}, expected a number that is not negative}}
  %0 = attn.rms_norm ins(%x, %s : tensor<4x8xf32>, tensor<8xf32>) outs(%init : tensor<4x8xf32>) -> tensor<4x8xf32> {epsilon = 0x7FF0000000000000 : f64}
  return
}

// -----

// rotary
func.func @f(%x: tensor<4x7xf32>, %c: tensor<4x4xf32>, %s: tensor<4x4xf32>, %init: tensor<4x7xf32>) {
  // expected-error @below {{C1: there are 7 channels, expected an even number that is not 0}}
  %0 = attn.rotary ins(%x, %c, %s : tensor<4x7xf32>, tensor<4x4xf32>, tensor<4x4xf32>) outs(%init : tensor<4x7xf32>) -> tensor<4x7xf32> map affine_map<(i) -> (i)>
  return
}

// -----

func.func @f(%x: tensor<4x8xi32>, %c: tensor<4x4xf32>, %s: tensor<4x4xf32>, %init: tensor<4x8xi32>) {
  // expected-error @below {{C1: init has elements of type 'i32', expected a floating-point type}}
  %0 = attn.rotary ins(%x, %c, %s : tensor<4x8xi32>, tensor<4x4xf32>, tensor<4x4xf32>) outs(%init : tensor<4x8xi32>) -> tensor<4x8xi32> map affine_map<(i) -> (i)>
  return
}

// -----

func.func @f(%x: tensor<4x8xf32>, %c: tensor<4x4xf32>, %s: tensor<4x4xf32>, %init: tensor<4x8xf32>) {
  // expected-error @below {{C2: the map takes 2 dimensions and 0 symbols, expected 1 and none}}
  %0 = attn.rotary ins(%x, %c, %s : tensor<4x8xf32>, tensor<4x4xf32>, tensor<4x4xf32>) outs(%init : tensor<4x8xf32>) -> tensor<4x8xf32> map affine_map<(i, j) -> (i)>
  return
}

// -----

func.func @f(%x: tensor<4x8xf32>, %c: tensor<4x4xf32>, %s: tensor<4x4xf32>, %init: tensor<4x8xf32>) {
  // expected-error @below {{C2: a result of the map is neither a dimension of its own nor 0}}
  %0 = attn.rotary ins(%x, %c, %s : tensor<4x8xf32>, tensor<4x4xf32>, tensor<4x4xf32>) outs(%init : tensor<4x8xf32>) -> tensor<4x8xf32> map affine_map<(i) -> (i + 1)>
  return
}

// -----

func.func @f(%x: tensor<4x8xf32>, %c: tensor<4x3xf32>, %s: tensor<4x4xf32>, %init: tensor<4x8xf32>) {
  // expected-error @below {{C3: cosine is 'tensor<4x3xf32>', expected [m0 = 4, D = 8]}}
  %0 = attn.rotary ins(%x, %c, %s : tensor<4x8xf32>, tensor<4x3xf32>, tensor<4x4xf32>) outs(%init : tensor<4x8xf32>) -> tensor<4x8xf32> map affine_map<(i) -> (i)>
  return
}

// -----

func.func @f(%x: tensor<4x8xf32>, %c: tensor<4x4xf32>, %s: tensor<4x8xf32>, %init: tensor<4x8xf32>) {
  // expected-error @below {{C3: sine is 'tensor<4x8xf32>', expected [m0 = 4, D / 2 = 4]}}
  %0 = attn.rotary ins(%x, %c, %s : tensor<4x8xf32>, tensor<4x4xf32>, tensor<4x8xf32>) outs(%init : tensor<4x8xf32>) -> tensor<4x8xf32> map affine_map<(i) -> (i)>
  return
}

// -----

func.func @f(%x: tensor<4x8xf32>, %c: tensor<4x4xf32>, %s: tensor<4x4xf16>, %init: tensor<4x8xf32>) {
  // expected-error @below {{C3: sine has elements of type 'f16', expected 'f32'}}
  %0 = attn.rotary ins(%x, %c, %s : tensor<4x8xf32>, tensor<4x4xf32>, tensor<4x4xf16>) outs(%init : tensor<4x8xf32>) -> tensor<4x8xf32> map affine_map<(i) -> (i)>
  return
}

// -----

// embedding, C1
func.func @f(%i0: tensor<2x8xi64>, %i1: tensor<2x8xi64>, %t0: tensor<10x4xf32>, %init: tensor<2x8x4xf32>) {
  // expected-error @below {{C1: there are 2 indices for 1 tables, expected as many, at least 1}}
  %0 = attn.embedding ins(%i0, %i1 : tensor<2x8xi64>, tensor<2x8xi64>) tables(%t0 : tensor<10x4xf32>) outs(%init : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  return
}

// -----

func.func @f(%i0: tensor<2x8xsi64>, %t0: tensor<10x4xf32>, %init: tensor<2x8x4xf32>) {
  // expected-error @below {{C1: indices 0 has elements of type 'si64', expected an integer type without a sign}}
  %0 = attn.embedding ins(%i0 : tensor<2x8xsi64>) tables(%t0 : tensor<10x4xf32>) outs(%init : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  return
}

// -----

func.func @f(%i0: tensor<2x8xi1>, %t0: tensor<10x4xf32>, %init: tensor<2x8x4xf32>) {
  // expected-error @below {{C1: indices 0 has elements of type i1, expected a wider integer type}}
  %0 = attn.embedding ins(%i0 : tensor<2x8xi1>) tables(%t0 : tensor<10x4xf32>) outs(%init : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  return
}

// -----

func.func @f(%i0: tensor<2x9xi64>, %t0: tensor<10x4xf32>, %init: tensor<2x8x4xf32>) {
  // expected-error @below {{C1: indices 0 is 'tensor<2x9xi64>', expected [i0 = 2, i1 = 8]}}
  %0 = attn.embedding ins(%i0 : tensor<2x9xi64>) tables(%t0 : tensor<10x4xf32>) outs(%init : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  return
}

// -----

func.func @f(%i0: tensor<2x8xf32>, %t0: tensor<10x4xf32>, %init: tensor<2x8x4xf32>) {
  // expected-error @below {{C1: indices 0 has elements of type 'f32', expected an integer type}}
  %0 = attn.embedding ins(%i0 : tensor<2x8xf32>) tables(%t0 : tensor<10x4xf32>) outs(%init : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  return
}

// -----

// embedding, C2
func.func @f(%i0: tensor<2x8xi64>, %t0: tensor<10x5xf32>, %init: tensor<2x8x4xf32>) {
  // expected-error @below {{C2: table 0 is 'tensor<10x5xf32>', expected [R0, N = 4]}}
  %0 = attn.embedding ins(%i0 : tensor<2x8xi64>) tables(%t0 : tensor<10x5xf32>) outs(%init : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  return
}

// -----

func.func @f(%i0: tensor<2x8xi64>, %t0: tensor<10x4xi32>, %init: tensor<2x8x4xi32>) {
  // expected-error @below {{C2: init has elements of type 'i32', expected a floating-point type}}
  %0 = attn.embedding ins(%i0 : tensor<2x8xi64>) tables(%t0 : tensor<10x4xi32>) outs(%init : tensor<2x8x4xi32>) -> tensor<2x8x4xi32>
  return
}

// -----

func.func @f(%i0: tensor<i64>, %t0: tensor<10x4xf32>, %init: tensor<4xf32>) {
  // expected-error @below {{C2: init is 'tensor<4xf32>', expected at least 2 dimensions}}
  %0 = attn.embedding ins(%i0 : tensor<i64>) tables(%t0 : tensor<10x4xf32>) outs(%init : tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @f(%i0: tensor<2x8xi64>, %t0: tensor<10x4xf16>, %init: tensor<2x8x4xf32>) {
  // expected-error @below {{C2: table 0 has elements of type 'f16', expected 'f32'}}
  %0 = attn.embedding ins(%i0 : tensor<2x8xi64>) tables(%t0 : tensor<10x4xf16>) outs(%init : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  return
}

// -----

func.func @f(%i0: tensor<2x8xi64>, %t0: tensor<10x4xf32>, %p: tensor<10x5xf32>, %init: tensor<2x8x4xf32>) {
  // expected-error @below {{C2: positions is 'tensor<10x5xf32>', expected [P, N = 4]}}
  %0 = attn.embedding ins(%i0 : tensor<2x8xi64>) tables(%t0 : tensor<10x4xf32>) positions(%p : tensor<10x5xf32>) outs(%init : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  return
}

// -----

func.func @f(%i0: tensor<i64>, %t0: tensor<10x4xf32>, %p: tensor<10x4xf32>, %init: tensor<4xf32>) {
  // expected-error @below {{C2: init is 'tensor<4xf32>', expected at least 2 dimensions}}
  %0 = attn.embedding ins(%i0 : tensor<i64>) tables(%t0 : tensor<10x4xf32>) positions(%p : tensor<10x4xf32>) outs(%init : tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

// key_ranges, C1
func.func @f(%m: tensor<8xi64>, %init: tensor<2x4xi64>) {
  // expected-error @below {{C1: mask is 'tensor<8xi64>', expected [B, S]}}
  %0 = attn.key_ranges ins(%m : tensor<8xi64>) outs(%init : tensor<2x4xi64>) -> tensor<2x4xi64>
  return
}

// -----

func.func @f(%m: tensor<2x8xf32>, %init: tensor<2x4xi64>) {
  // expected-error @below {{C1: mask has elements of type 'f32', expected an integer type}}
  %0 = attn.key_ranges ins(%m : tensor<2x8xf32>) outs(%init : tensor<2x4xi64>) -> tensor<2x4xi64>
  return
}

// -----

func.func @f(%m: tensor<2x8xi64>, %init: tensor<2x3xi64>) {
  // expected-error @below {{C1: init is 'tensor<2x3xi64>', expected [B = 2, 4]}}
  %0 = attn.key_ranges ins(%m : tensor<2x8xi64>) outs(%init : tensor<2x3xi64>) -> tensor<2x3xi64>
  return
}

// -----

func.func @f(%m: tensor<2x8xi64>, %init: tensor<2x4xi32>) {
  // expected-error @below {{C1: init has elements of type 'i32', expected 'i64'}}
  %0 = attn.key_ranges ins(%m : tensor<2x8xi64>) outs(%init : tensor<2x4xi32>) -> tensor<2x4xi32>
  return
}

// -----

// gelu
func.func @f(%x: tensor<4xi32>) -> tensor<4xi32> {
  // expected-error @below {{'attn.gelu' op operand #0 must be floating-point-like, but got 'tensor<4xi32>'}}
  %0 = attn.gelu %x : tensor<4xi32>
  return %0 : tensor<4xi32>
}

// -----

func.func @f(%x: tensor<4xf32>) -> tensor<4xf64> {
  // expected-error @below {{'attn.gelu' op requires the same type for all operands and results}}
  %0 = "attn.gelu"(%x) : (tensor<4xf32>) -> tensor<4xf64>
  return %0 : tensor<4xf64>
}
