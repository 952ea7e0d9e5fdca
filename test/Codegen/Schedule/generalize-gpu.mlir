// RUN: attn-opt %s --attn-widen --attn-generalize | FileCheck %s

// GPUs have no kernels of their own for these: all of them become linalg ops.
module @sm_80 attributes {attn.target = #attn.target<"sm_80">} {
  // CHECK-LABEL: func @norm
  // CHECK-NOT: attn.layer_norm
  // CHECK-COUNT-3: linalg.generic
  func.func @norm(%x: tensor<?x8xf32>, %s: tensor<8xf32>, %init: tensor<?x8xf32>) -> tensor<?x8xf32> {
    %0 = attn.layer_norm ins(%x, %s : tensor<?x8xf32>, tensor<8xf32>) outs(%init : tensor<?x8xf32>) -> tensor<?x8xf32> {epsilon = 1.0e-5 : f64}
    return %0 : tensor<?x8xf32>
  }

  // The least key that counts, the last one, how many there are, and what follows from them.
  // CHECK-LABEL: func @ranges
  // CHECK: linalg.generic {{.*}} iterator_types = ["parallel", "reduction"]
  // CHECK: arith.minsi
  // CHECK: linalg.generic {{.*}} iterator_types = ["parallel", "reduction"]
  // CHECK: arith.maxsi
  // CHECK: linalg.generic {{.*}} iterator_types = ["parallel", "reduction"]
  // CHECK: arith.addi
  // CHECK: linalg.generic {{.*}} iterator_types = ["parallel", "parallel"]
  func.func @ranges(%mask: tensor<?x?xi64>, %init: tensor<?x4xi64>) -> tensor<?x4xi64> {
    %0 = attn.key_ranges ins(%mask : tensor<?x?xi64>) outs(%init : tensor<?x4xi64>) -> tensor<?x4xi64>
    return %0 : tensor<?x4xi64>
  }

  // Tensor cores compute this attention on f16, so it stays as it is; without their kernel, in f32, it does not.
  // CHECK-LABEL: func @attention
  // CHECK: attn.attention ins(%{{.*}} : tensor<?x?x2x64xf16>, tensor<?x?x2x64xf16>, tensor<?x?x2x64xf16>)
  // CHECK-LABEL: func @heads
  // CHECK-NOT: attn.attention
  func.func @attention(%q: tensor<?x?x2x64xf16>) -> tensor<?x?x2x64xf16> {
    %0 = attn.attention ins(%q, %q, %q : tensor<?x?x2x64xf16>, tensor<?x?x2x64xf16>, tensor<?x?x2x64xf16>)
      outs(%q : tensor<?x?x2x64xf16>) -> tensor<?x?x2x64xf16>
      maps [affine_map<(b, h, q, k, d, e) -> (b, q, h, d)>, affine_map<(b, h, q, k, d, e) -> (b, k, h, d)>,
            affine_map<(b, h, q, k, d, e) -> (b, k, h, e)>, affine_map<(b, h, q, k, d, e) -> (b, q, h, e)>]
    return %0 : tensor<?x?x2x64xf16>
  }
  func.func @heads(%q: tensor<?x?x2x48xf16>) -> tensor<?x?x2x48xf16> {
    %0 = attn.attention ins(%q, %q, %q : tensor<?x?x2x48xf16>, tensor<?x?x2x48xf16>, tensor<?x?x2x48xf16>)
      outs(%q : tensor<?x?x2x48xf16>) -> tensor<?x?x2x48xf16>
      maps [affine_map<(b, h, q, k, d, e) -> (b, q, h, d)>, affine_map<(b, h, q, k, d, e) -> (b, k, h, d)>,
            affine_map<(b, h, q, k, d, e) -> (b, k, h, e)>, affine_map<(b, h, q, k, d, e) -> (b, q, h, e)>]
    return %0 : tensor<?x?x2x48xf16>
  }
}
