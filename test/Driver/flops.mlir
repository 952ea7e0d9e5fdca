// Floating-point operations of entries, as expressions of their symbolic dimensions.

// RUN: %attnc %s --compile-to=fuse --target=x86-64-v3 | FileCheck %s
// RUN: rm -rf %t && mkdir %t && %attnc %s -o %t/libflops.so --quiet && FileCheck %s --check-prefix=JSON < %t/flops.json
// RUN: %attn-run %t/libflops.so --entry encode --dim b=2 --dim s=3 --bench --bench-seconds 0.02 | FileCheck %s --check-prefix=BENCH

// Two matrix products of 8 x 20 on b * s rows, three heads of 4 and 5 channels over s * s pairs.
// CHECK: func.func @encode({{.*}} attributes {attn.flops = "640*b*s+54*b*s*s"}
// JSON: "flops": "640*b*s+54*b*s*s"
// BENCH: {{[0-9.]+}} GFLOP/s
attn.weight @w : tensor<20x8xf32> = #attn.dense<dense<0.5> : tensor<20x8xf32>>
func.func @encode(%x: tensor<?x?x8xf32> {attn.name = "x", attn.shape = ["b", "s", 8]}, %q: tensor<?x?x3x4xf32> {attn.name = "q", attn.shape = ["b", "s", 3, 4]},
                  %v: tensor<?x?x3x5xf32> {attn.name = "v", attn.shape = ["b", "s", 3, 5]})
    -> (tensor<?x?x20xf32> {attn.shape = ["b", "s", 20]}, tensor<?x?x20xf32> {attn.shape = ["b", "s", 20]}, tensor<?x?x3x5xf32> {attn.shape = ["b", "s", 3, 5]}) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %b = tensor.dim %x, %c0 : tensor<?x?x8xf32>
  %s = tensor.dim %x, %c1 : tensor<?x?x8xf32>
  %w = attn.get_weight @w : tensor<20x8xf32>
  %e = tensor.empty(%b, %s) : tensor<?x?x20xf32>
  %0 = attn.linear ins(%x, %w : tensor<?x?x8xf32>, tensor<20x8xf32>) outs(%e : tensor<?x?x20xf32>) -> tensor<?x?x20xf32> {
  ^bb0(%sum: f32):
    attn.yield %sum : f32
  }
  %1 = attn.linear ins(%x, %w : tensor<?x?x8xf32>, tensor<20x8xf32>) outs(%e : tensor<?x?x20xf32>) -> tensor<?x?x20xf32> {
  ^bb0(%sum: f32):
    %n = arith.negf %sum : f32
    attn.yield %n : f32
  }
  %2 = attn.attention ins(%q, %q, %v : tensor<?x?x3x4xf32>, tensor<?x?x3x4xf32>, tensor<?x?x3x5xf32>) outs(%v : tensor<?x?x3x5xf32>) -> tensor<?x?x3x5xf32>
      maps [affine_map<(b, h, q, k, d, e) -> (b, q, h, d)>, affine_map<(b, h, q, k, d, e) -> (b, k, h, d)>,
            affine_map<(b, h, q, k, d, e) -> (b, k, h, e)>, affine_map<(b, h, q, k, d, e) -> (b, q, h, e)>]
  return %0, %1, %2 : tensor<?x?x20xf32>, tensor<?x?x20xf32>, tensor<?x?x3x5xf32>
}

// How often a loop runs is not known.
// CHECK: func.func @loop({{.*}} attributes {attn.flops = ""}
func.func @loop(%x: tensor<?x8xf32> {attn.name = "x", attn.shape = ["m", 8]}, %w: tensor<8x8xf32>) -> (tensor<?x8xf32> {attn.shape = ["m", 8]}) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %m = tensor.dim %x, %c0 : tensor<?x8xf32>
  %e = tensor.empty(%m) : tensor<?x8xf32>
  %0 = scf.for %i = %c0 to %m step %c1 iter_args(%a = %x) -> tensor<?x8xf32> {
    %1 = attn.linear ins(%a, %w : tensor<?x8xf32>, tensor<8x8xf32>) outs(%e : tensor<?x8xf32>) -> tensor<?x8xf32> {
    ^bb0(%sum: f32):
      attn.yield %sum : f32
    }
    scf.yield %1 : tensor<?x8xf32>
  }
  return %0 : tensor<?x8xf32>
}

// Channels may be symbols, too.
// CHECK: func.func @channels({{.*}} attributes {attn.flops = "4*b*d*h*s*s"}
func.func @channels(%q: tensor<?x?x?x?xf32> {attn.name = "q", attn.shape = ["b", "h", "s", "d"]}) -> (tensor<?x?x?x?xf32> {attn.shape = ["b", "h", "s", "d"]}) {
  %0 = attn.attention ins(%q, %q, %q : tensor<?x?x?x?xf32>, tensor<?x?x?x?xf32>, tensor<?x?x?x?xf32>) outs(%q : tensor<?x?x?x?xf32>) -> tensor<?x?x?x?xf32>
      maps [affine_map<(b, h, q, k, d, e) -> (b, h, q, d)>, affine_map<(b, h, q, k, d, e) -> (b, h, k, d)>,
            affine_map<(b, h, q, k, d, e) -> (b, h, k, e)>, affine_map<(b, h, q, k, d, e) -> (b, h, q, e)>] attributes {scale = 1.0 : f64}
  return %0 : tensor<?x?x?x?xf32>
}
