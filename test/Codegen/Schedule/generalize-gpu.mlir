// RUN: attn-opt %s --attn-widen --attn-generalize | FileCheck %s

// What GPUs have no kernels of their own for becomes linalg ops.
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

  // Linear layers run on tensor cores in f16 and, by parts of tf32, in f32; not in f64.
  // CHECK-LABEL: func @linear
  // CHECK: attn.linear ins(%{{.*}} : tensor<?x8xf16>, tensor<8x8xf16>)
  // CHECK: attn.linear ins(%{{.*}} : tensor<?x8xf32>, tensor<8x8xf32>)
  // CHECK-NOT: attn.linear
  func.func @linear(%x: tensor<?x8xf16>, %v: tensor<8x8xf16>, %y: tensor<?x8xf32>, %w: tensor<8x8xf32>, %z: tensor<?x8xf64>,
                    %u: tensor<8x8xf64>) -> (tensor<?x8xf16>, tensor<?x8xf32>, tensor<?x8xf64>) {
    %0 = attn.linear ins(%x, %v : tensor<?x8xf16>, tensor<8x8xf16>) outs(%x : tensor<?x8xf16>) -> tensor<?x8xf16> {
    ^bb0(%sum: f16):
      attn.yield %sum : f16
    }
    %1 = attn.linear ins(%y, %w : tensor<?x8xf32>, tensor<8x8xf32>) outs(%y : tensor<?x8xf32>) -> tensor<?x8xf32> {
    ^bb0(%sum: f32):
      attn.yield %sum : f32
    }
    %2 = attn.linear ins(%z, %u : tensor<?x8xf64>, tensor<8x8xf64>) outs(%z : tensor<?x8xf64>) -> tensor<?x8xf64> {
    ^bb0(%sum: f64):
      attn.yield %sum : f64
    }
    return %0, %1, %2 : tensor<?x8xf16>, tensor<?x8xf32>, tensor<?x8xf64>
  }
}
