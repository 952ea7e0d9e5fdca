// RUN: attn-opt %s --attn-widen | FileCheck %s

// The weight is converted when the library is written, once for both of its users.
// CHECK: attn.weight @w : tensor<12x16xf16> = #[[FILE:.*]]
// CHECK-NEXT: attn.weight @w_f32 : tensor<12x16xf32> = #attn.convert<{{.*}} to f32>
// CHECK-NOT: attn.weight
attn.weight @w : tensor<12x16xf16> = #attn.file<"w.bin", 0 : tensor<12x16xf16>>

module attributes {attn.target = #attn.target<"x86-64-v3">} {

// Sum, epilogue and extras are f32 ones; an element is rounded once.
// CHECK-LABEL: func.func @linear
// CHECK-SAME: %[[X:.*]]: tensor<?x16xf16>, %[[B:.*]]: tensor<12xf16>
// CHECK-DAG: %[[XW:.*]] = arith.extf %[[X]] : tensor<?x16xf16> to tensor<?x16xf32>
// CHECK-DAG: %[[W:.*]] = attn.get_weight @w_f32
// CHECK-DAG: %[[BW:.*]] = arith.extf %[[B]] : tensor<12xf16> to tensor<12xf32>
// CHECK: %[[Y:.*]] = attn.linear ins(%[[XW]], %[[W]] : {{.*}}) extras(%[[BW]] : tensor<12xf32>) outs(%{{.*}} : tensor<?x12xf32>)
// CHECK: ^bb0(%[[S:.*]]: f32, %[[E:.*]]: f32):
// CHECK-NEXT: %[[SUM:.*]] = arith.addf %[[S]], %[[E]] : f32
// CHECK-NEXT: %[[T:.*]] = math.tanh %[[SUM]] : f32
// CHECK-NEXT: attn.yield %[[T]] : f32
// CHECK: %[[R:.*]] = arith.truncf %[[Y]] : tensor<?x12xf32> to tensor<?x12xf16>
// CHECK: attn.linear {{.*}} outs(%{{.*}} : tensor<?x12xf32>)
func.func @linear(%x: tensor<?x16xf16>, %b: tensor<12xf16>, %e: tensor<?x12xf16>) -> (tensor<?x12xf16>, tensor<?x12xf16>) {
  %w = attn.get_weight @w : tensor<12x16xf16>
  %y = attn.linear ins(%x, %w : tensor<?x16xf16>, tensor<12x16xf16>) extras(%b : tensor<12xf16>) outs(%e : tensor<?x12xf16>) -> tensor<?x12xf16>
      maps [affine_map<(m, n) -> (n)>] {
  ^bb0(%s: f16, %a: f16):
    %t = arith.addf %s, %a : f16
    %u = math.tanh %t : f16
    attn.yield %u : f16
  }
  %z = attn.linear ins(%x, %w : tensor<?x16xf16>, tensor<12x16xf16>) outs(%e : tensor<?x12xf16>) -> tensor<?x12xf16> {
  ^bb0(%s: f16):
    attn.yield %s : f16
  }
  return %y, %z : tensor<?x12xf16>, tensor<?x12xf16>
}

// What a region alone reads is converted inside, and a rounding that the model asks for stays.
// CHECK-LABEL: func.func @regions
// CHECK: attn.attention ins({{.*}} : tensor<2x?x8xf32>, {{.*}}) mapped(%{{.*}} : tensor<?x?xbf16>) outs(%{{.*}} : tensor<1x2x?x8xf32>)
// CHECK: ^bb0(%[[S:.*]]: f32, %{{.*}}: index, %{{.*}}: index, %{{.*}}: index, %{{.*}}: index, %[[M:.*]]: bf16):
// CHECK-NEXT: %[[MW:.*]] = arith.extf %[[M]] : bf16 to f32
// CHECK-NEXT: %[[SUM:.*]] = arith.addf %[[S]], %[[MW]] : f32
// CHECK-NEXT: %[[N:.*]] = arith.truncf %[[SUM]] : f32 to bf16
// CHECK-NEXT: %[[NW:.*]] = arith.extf %[[N]] : bf16 to f32
// CHECK-NEXT: attn.yield %[[NW]] : f32
func.func @regions(%q: tensor<2x?x8xbf16>, %m: tensor<?x?xbf16>, %e: tensor<1x2x?x8xbf16>) -> tensor<1x2x?x8xbf16> {
  %y = attn.attention ins(%q, %q, %q : tensor<2x?x8xbf16>, tensor<2x?x8xbf16>, tensor<2x?x8xbf16>) mapped(%m : tensor<?x?xbf16>)
      outs(%e : tensor<1x2x?x8xbf16>) -> tensor<1x2x?x8xbf16>
      maps [affine_map<(b, h, q, k, d, e) -> (h, q, d)>, affine_map<(b, h, q, k, d, e) -> (h, k, d)>,
            affine_map<(b, h, q, k, d, e) -> (h, k, e)>, affine_map<(b, h, q, k, d, e) -> (q, k)>,
            affine_map<(b, h, q, k, d, e) -> (b, h, q, e)>] score {
  ^bb0(%s: bf16, %b: index, %h: index, %i: index, %j: index, %x: bf16):
    %0 = arith.extf %s : bf16 to f32
    %1 = arith.extf %x : bf16 to f32
    %2 = arith.addf %0, %1 : f32
    %3 = arith.truncf %2 : f32 to bf16
    attn.yield %3 : bf16
  }
  return %y : tensor<1x2x?x8xbf16>
}

// Functions elsewhere; an embedding stays.
// CHECK-LABEL: func.func @others
// CHECK: %[[W:.*]] = arith.extf %{{.*}} : tensor<?xbf16> to tensor<?xf32>
// CHECK: %[[E:.*]] = math.exp %[[W]] : tensor<?xf32>
// CHECK: arith.truncf %[[E]] : tensor<?xf32> to tensor<?xbf16>
// CHECK: attn.embedding {{.*}} tables(%{{.*}} : tensor<9x8xf16>)
func.func @others(%x: tensor<?xbf16>, %i: tensor<?xi64>, %t: tensor<9x8xf16>, %o: tensor<?x8xf16>) -> (tensor<?xbf16>, tensor<?x8xf16>) {
  %0 = math.exp %x : tensor<?xbf16>
  %1 = attn.embedding ins(%i : tensor<?xi64>) tables(%t : tensor<9x8xf16>) outs(%o : tensor<?x8xf16>) -> tensor<?x8xf16>
  return %0, %1 : tensor<?xbf16>, tensor<?x8xf16>
}
}
