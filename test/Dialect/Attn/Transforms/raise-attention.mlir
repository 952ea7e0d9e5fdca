// RUN: attn-opt %s --pass-pipeline='builtin.module(func.func(attn-raise-attention))' --split-input-file | FileCheck %s
// RUN: attn-opt %s --pass-pipeline='builtin.module(func.func(attn-raise-attention,attn-fold-mask))' --split-input-file | FileCheck %s --check-prefix=FOLD

// A scale at the scores and a bias that broadcasts over heads and queries; keys stand as [b, h, d, k].

#scores = affine_map<(b, h, q, k) -> (b, h, q, k)>
#row = affine_map<(b, h, q, k) -> (b, h, q)>
#key = affine_map<(b, h, q, k) -> (b, k)>

// CHECK-DAG: #[[Q:.+]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2, d4)>
// CHECK-DAG: #[[K:.+]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d4, d3)>
// CHECK-DAG: #[[V:.+]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d3, d5)>
// CHECK-DAG: #[[B:.+]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d3)>
// CHECK-DAG: #[[O:.+]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2, d5)>
// CHECK-LABEL: func.func @bias(
// CHECK-SAME: %[[QUERY:.+]]: tensor<2x4x5x8xf32>, %[[KEY:.+]]: tensor<2x4x8x7xf32>, %[[VALUE:.+]]: tensor<2x4x7x8xf32>, %[[BIAS:.+]]: tensor<2x7xf32>)
// CHECK: attn.attention ins(%[[QUERY]], %[[KEY]], %[[VALUE]] : {{.+}}) mapped(%[[BIAS]] : tensor<2x7xf32>)
// CHECK-SAME: maps [#[[Q]], #[[K]], #[[V]], #[[B]], #[[O]]] attributes {scale = 2.500000e-01 : f64} score {
// CHECK: ^bb0(%[[S:.+]]: f32, %{{.+}}: index, %{{.+}}: index, %{{.+}}: index, %{{.+}}: index, %[[E:.+]]: f32):
// CHECK: %[[SUM:.+]] = arith.addf %[[S]], %[[E]] : f32
// CHECK: attn.yield %[[SUM]] : f32
// CHECK-NOT: linalg.softmax
func.func @bias(%q: tensor<2x4x5x8xf32>, %k: tensor<2x4x8x7xf32>, %v: tensor<2x4x7x8xf32>, %bias: tensor<2x7xf32>) -> tensor<2x4x5x8xf32> {
  %zero = arith.constant 0.0 : f32
  %quarter = arith.constant dense<0.25> : tensor<2x4x5x7xf32>
  %e = tensor.empty() : tensor<2x4x5x7xf32>
  %z = linalg.fill ins(%zero : f32) outs(%e : tensor<2x4x5x7xf32>) -> tensor<2x4x5x7xf32>
  %s = linalg.generic {indexing_maps = [affine_map<(b, h, q, k, d) -> (b, h, q, d)>, affine_map<(b, h, q, k, d) -> (b, h, d, k)>,
                                        affine_map<(b, h, q, k, d) -> (b, h, q, k)>],
                       iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]}
      ins(%q, %k : tensor<2x4x5x8xf32>, tensor<2x4x8x7xf32>) outs(%z : tensor<2x4x5x7xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %p = arith.mulf %a, %b : f32
    %r = arith.addf %o, %p : f32
    linalg.yield %r : f32
  } -> tensor<2x4x5x7xf32>
  %scaled = arith.mulf %s, %quarter : tensor<2x4x5x7xf32>
  %biased = linalg.generic {indexing_maps = [#scores, #key, #scores], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%scaled, %bias : tensor<2x4x5x7xf32>, tensor<2x7xf32>) outs(%e : tensor<2x4x5x7xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %r = arith.addf %a, %b : f32
    linalg.yield %r : f32
  } -> tensor<2x4x5x7xf32>
  %p = linalg.softmax dimension(3) ins(%biased : tensor<2x4x5x7xf32>) outs(%e : tensor<2x4x5x7xf32>) -> tensor<2x4x5x7xf32>
  %f = tensor.empty() : tensor<2x4x5x8xf32>
  %g = linalg.fill ins(%zero : f32) outs(%f : tensor<2x4x5x8xf32>) -> tensor<2x4x5x8xf32>
  %o = linalg.generic {indexing_maps = [affine_map<(b, h, q, e, k) -> (b, h, q, k)>, affine_map<(b, h, q, e, k) -> (b, h, k, e)>,
                                        affine_map<(b, h, q, e, k) -> (b, h, q, e)>],
                       iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]}
      ins(%p, %v : tensor<2x4x5x7xf32>, tensor<2x4x7x8xf32>) outs(%g : tensor<2x4x5x8xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %m = arith.mulf %a, %b : f32
    %r = arith.addf %c, %m : f32
    linalg.yield %r : f32
  } -> tensor<2x4x5x8xf32>
  return %o : tensor<2x4x5x8xf32>
}

// -----

// [batch, query, key], a softmax in its parts, and (1 - mask) * -10000: a mask over keys, which attn-fold-mask makes a
// range. A row whose keys are all masked is as if none were.

#scores = affine_map<(b, q, k) -> (b, q, k)>
#row = affine_map<(b, q, k) -> (b, q)>
#key = affine_map<(b, q, k) -> (b, k)>

// CHECK-LABEL: func.func @mask(
// CHECK-SAME: %{{.+}}: tensor<3x5x8xf32>, %{{.+}}: tensor<3x7x8xf32>, %[[VALUE:.+]]: tensor<3x7x8xf32>, %[[MASK:.+]]: tensor<3x7xi64>)
// CHECK: attn.attention ins({{.+}} : tensor<3x5x8xf32>, tensor<3x7x8xf32>, tensor<3x7x8xf32>) mapped(%[[MASK]] : tensor<3x7xi64>)
// CHECK-SAME: empty = #attn.empty<unmasked>, scale = 1.000000e+00 : f64} mask {
// CHECK: arith.cmpi ne
// CHECK: tensor.collapse_shape
// FOLD-LABEL: func.func @mask(
// FOLD: attn.key_ranges
// FOLD: attn.attention {{.+}} ranges({{.+}}) key_mask(
func.func @mask(%q: tensor<3x5x8xf32>, %k: tensor<3x7x8xf32>, %v: tensor<3x7x8xf32>, %mask: tensor<3x7xi64>) -> tensor<3x5x8xf32> {
  %zero = arith.constant 0.0 : f32
  %least = arith.constant 0xFF800000 : f32
  %one = arith.constant dense<1.0> : tensor<3x7xf32>
  %large = arith.constant dense<-1.0e4> : tensor<3x7xf32>
  %m0 = arith.sitofp %mask : tensor<3x7xi64> to tensor<3x7xf32>
  %m1 = arith.subf %one, %m0 : tensor<3x7xf32>
  %m2 = arith.mulf %m1, %large : tensor<3x7xf32>
  %e = tensor.empty() : tensor<3x5x7xf32>
  %z = linalg.fill ins(%zero : f32) outs(%e : tensor<3x5x7xf32>) -> tensor<3x5x7xf32>
  %s = linalg.generic {indexing_maps = [affine_map<(b, q, k, d) -> (b, q, d)>, affine_map<(b, q, k, d) -> (b, k, d)>,
                                        affine_map<(b, q, k, d) -> (b, q, k)>],
                       iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%q, %k : tensor<3x5x8xf32>, tensor<3x7x8xf32>) outs(%z : tensor<3x5x7xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %p = arith.mulf %a, %b : f32
    %r = arith.addf %o, %p : f32
    linalg.yield %r : f32
  } -> tensor<3x5x7xf32>
  %biased = linalg.generic {indexing_maps = [#scores, #key, #scores], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%s, %m2 : tensor<3x5x7xf32>, tensor<3x7xf32>) outs(%e : tensor<3x5x7xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %r = arith.addf %a, %b : f32
    linalg.yield %r : f32
  } -> tensor<3x5x7xf32>
  %re = tensor.empty() : tensor<3x5xf32>
  %low = linalg.fill ins(%least : f32) outs(%re : tensor<3x5xf32>) -> tensor<3x5xf32>
  %max = linalg.generic {indexing_maps = [#scores, #row], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%biased : tensor<3x5x7xf32>) outs(%low : tensor<3x5xf32>) {
  ^bb0(%a: f32, %o: f32):
    %r = arith.maximumf %o, %a : f32
    linalg.yield %r : f32
  } -> tensor<3x5xf32>
  %powers = linalg.generic {indexing_maps = [#scores, #row, #scores], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%biased, %max : tensor<3x5x7xf32>, tensor<3x5xf32>) outs(%e : tensor<3x5x7xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %d = arith.subf %a, %b : f32
    %r = math.exp %d : f32
    linalg.yield %r : f32
  } -> tensor<3x5x7xf32>
  %rz = linalg.fill ins(%zero : f32) outs(%re : tensor<3x5xf32>) -> tensor<3x5xf32>
  %sum = linalg.generic {indexing_maps = [#scores, #row], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%powers : tensor<3x5x7xf32>) outs(%rz : tensor<3x5xf32>) {
  ^bb0(%a: f32, %o: f32):
    %r = arith.addf %o, %a : f32
    linalg.yield %r : f32
  } -> tensor<3x5xf32>
  %p = linalg.generic {indexing_maps = [#scores, #row, #scores], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%powers, %sum : tensor<3x5x7xf32>, tensor<3x5xf32>) outs(%e : tensor<3x5x7xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %r = arith.divf %a, %b : f32
    linalg.yield %r : f32
  } -> tensor<3x5x7xf32>
  %f = tensor.empty() : tensor<3x5x8xf32>
  %g = linalg.fill ins(%zero : f32) outs(%f : tensor<3x5x8xf32>) -> tensor<3x5x8xf32>
  %o = linalg.batch_matmul ins(%p, %v : tensor<3x5x7xf32>, tensor<3x7x8xf32>) outs(%g : tensor<3x5x8xf32>) -> tensor<3x5x8xf32>
  return %o : tensor<3x5x8xf32>
}
