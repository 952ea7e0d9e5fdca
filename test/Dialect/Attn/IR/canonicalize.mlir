// RUN: attn-opt %s --split-input-file --canonicalize | FileCheck %s

// gelu of a constant; the tanh form and the erf form differ in the fourth digit.

// CHECK-LABEL: func @gelu
//   CHECK-DAG:   %[[E:.+]] = arith.constant 0.841344{{.*}} : f32
//   CHECK-DAG:   %[[T:.+]] = arith.constant 8.411920e-01 : f32
//   CHECK-DAG:   %[[D:.+]] = arith.constant dense<[0.000000e+00, -8.9586878{{.*}}E-12]> : tensor<2xf64>
//       CHECK:   return %[[E]], %[[T]], %[[D]]
func.func @gelu() -> (f32, f32, tensor<2xf64>) {
  %one = arith.constant 1.0 : f32
  %some = arith.constant dense<[0.0, -7.0]> : tensor<2xf64>
  %0 = attn.gelu %one : f32
  %1 = attn.gelu approximate %one : f32
  %2 = attn.gelu %some : tensor<2xf64>
  return %0, %1, %2 : f32, f32, tensor<2xf64>
}

// -----

// Extras that nothing reads go, those that stand there twice merge; an extra read through another map stays.

// CHECK-LABEL: func @extras
//  CHECK-SAME:   %[[X:.+]]: tensor<4x8xf32>, %[[W:.+]]: tensor<4x8xf32>, %[[A:.+]]: tensor<4xf32>, %{{.+}}: tensor<4xf32>,
//       CHECK:   attn.linear ins(%[[X]], %[[W]] : tensor<4x8xf32>, tensor<4x8xf32>) extras(%[[A]], %[[A]] : tensor<4xf32>, tensor<4xf32>)
//  CHECK-SAME:     maps [#[[N:.+]], #[[M:.+]]] {
//       CHECK:   ^bb0(%[[S:.+]]: f32, %[[N0:.+]]: f32, %[[M0:.+]]: f32):
//       CHECK:     %[[T0:.+]] = arith.addf %[[S]], %[[N0]]
//       CHECK:     %[[T1:.+]] = arith.addf %[[T0]], %[[N0]]
//       CHECK:     %[[T2:.+]] = arith.addf %[[T1]], %[[M0]]
//       CHECK:     attn.yield %[[T2]]
func.func @extras(%x: tensor<4x8xf32>, %w: tensor<4x8xf32>, %a: tensor<4xf32>, %b: tensor<4xf32>, %init: tensor<4x4xf32>) -> tensor<4x4xf32> {
  %0 = attn.linear ins(%x, %w : tensor<4x8xf32>, tensor<4x8xf32>) extras(%a, %b, %a, %a : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>)
      outs(%init : tensor<4x4xf32>) -> tensor<4x4xf32>
      maps [affine_map<(m, n) -> (n)>, affine_map<(m, n) -> (n)>, affine_map<(m, n) -> (n)>, affine_map<(m, n) -> (m)>] {
  ^bb0(%s: f32, %p: f32, %q: f32, %r: f32, %t: f32):
    %1 = arith.addf %s, %p : f32
    %2 = arith.addf %1, %r : f32
    %3 = arith.addf %2, %t : f32
    attn.yield %3 : f32
  }
  return %0 : tensor<4x4xf32>
}

// -----

// Casts of operands fold into the op, whose result is then cast where its type changed.

// CHECK-LABEL: func @casts
//       CHECK:   %[[R:.+]] = attn.layer_norm ins(%{{.+}}, %{{.+}} : tensor<4x8xf32>, tensor<8xf32>) outs(%{{.+}} : tensor<4x8xf32>) -> tensor<4x8xf32>
//       CHECK:   tensor.cast %[[R]] : tensor<4x8xf32> to tensor<?x8xf32>
func.func @casts(%x: tensor<4x8xf32>, %s: tensor<8xf32>, %init: tensor<4x8xf32>) -> tensor<?x8xf32> {
  %0 = tensor.cast %x : tensor<4x8xf32> to tensor<?x8xf32>
  %1 = tensor.cast %init : tensor<4x8xf32> to tensor<?x8xf32>
  %2 = attn.layer_norm ins(%0, %s : tensor<?x8xf32>, tensor<8xf32>) outs(%1 : tensor<?x8xf32>) -> tensor<?x8xf32> {epsilon = 1.0e-5}
  return %2 : tensor<?x8xf32>
}

// -----

// Regions that say nothing go, and with them what only they read.

#qd = affine_map<(b, h, q, k, d, e) -> (b, h, q, d)>
#kd = affine_map<(b, h, q, k, d, e) -> (b, h, k, d)>
#ke = affine_map<(b, h, q, k, d, e) -> (b, h, k, e)>
#qe = affine_map<(b, h, q, k, d, e) -> (b, h, q, e)>
#hh = affine_map<(b, h, q, k, d, e) -> (h)>

// CHECK-LABEL: func @trivial_regions
//       CHECK:   attn.attention ins(%{{[a-z0-9]+}}, %{{[a-z0-9]+}}, %{{[a-z0-9]+}} : tensor<2x4x8x16xf32>, tensor<2x4x8x16xf32>, tensor<2x4x8x16xf32>) outs(
//  CHECK-SAME:     maps [#{{[a-z0-9]+}}, #{{[a-z0-9]+}}, #{{[a-z0-9]+}}, #{{[a-z0-9]+}}]{{$}}
//  CHECK-NEXT:   return
func.func @trivial_regions(%q: tensor<2x4x8x16xf32>, %slopes: tensor<4xf32>, %o: index, %init: tensor<2x4x8x16xf32>) -> tensor<2x4x8x16xf32> {
  %0 = attn.attention ins(%q, %q, %q : tensor<2x4x8x16xf32>, tensor<2x4x8x16xf32>, tensor<2x4x8x16xf32>)
      mapped(%slopes : tensor<4xf32>) whole(%slopes : tensor<4xf32>) offsets(%o, %o, %o, %o)
      outs(%init : tensor<2x4x8x16xf32>) -> tensor<2x4x8x16xf32> maps [#qd, #kd, #ke, #hh, #qe] score {
  ^bb0(%s: f32, %bi: index, %hi: index, %qi: index, %ki: index, %a: f32, %all: tensor<4xf32>):
    attn.yield %s : f32
  } mask {
  ^bb0(%bi: index, %hi: index, %qi: index, %ki: index, %a: f32, %all: tensor<4xf32>):
    %true = arith.constant true
    attn.yield %true : i1
  }
  return %0 : tensor<2x4x8x16xf32>
}

// -----

// A region that is read keeps its operand, its constants and the offsets; what is whole may be more static outside than inside.

#qd = affine_map<(b, h, q, k, d, e) -> (b, h, q, d)>
#kd = affine_map<(b, h, q, k, d, e) -> (b, h, k, d)>
#ke = affine_map<(b, h, q, k, d, e) -> (b, h, k, e)>
#qe = affine_map<(b, h, q, k, d, e) -> (b, h, q, e)>
#hh = affine_map<(b, h, q, k, d, e) -> (h)>

// CHECK-LABEL: func @read_regions
//  CHECK-SAME:   %{{.+}}: tensor<2x4x8x16xf32>, %[[S:[a-z0-9]+]]: tensor<4xf32>
//   CHECK-NOT:   arith.constant
//       CHECK:   attn.attention {{.*}} whole(%[[S]] : tensor<4xf32>) offsets(
//       CHECK:   ^bb0(%{{.+}}: f32, %{{.+}}: index, %{{.+}}: index, %{{.+}}: index, %{{.+}}: index, %[[ALL:.+]]: tensor<?xf32>):
//       CHECK:     %[[TWO:.+]] = arith.constant 2.0
//       CHECK:     tensor.extract %[[ALL]]
func.func @read_regions(%q: tensor<2x4x8x16xf32>, %slopes: tensor<4xf32>, %o: index, %init: tensor<2x4x8x16xf32>) -> tensor<2x4x8x16xf32> {
  %cast = tensor.cast %slopes : tensor<4xf32> to tensor<?xf32>
  %0 = attn.attention ins(%q, %q, %q : tensor<2x4x8x16xf32>, tensor<2x4x8x16xf32>, tensor<2x4x8x16xf32>)
      mapped(%slopes : tensor<4xf32>) whole(%cast : tensor<?xf32>) offsets(%o, %o, %o, %o)
      outs(%init : tensor<2x4x8x16xf32>) -> tensor<2x4x8x16xf32> maps [#qd, #kd, #ke, #hh, #qe] score {
  ^bb0(%s: f32, %bi: index, %hi: index, %qi: index, %ki: index, %a: f32, %all: tensor<?xf32>):
    %two = arith.constant 2.0 : f32
    %1 = tensor.extract %all[%hi] : tensor<?xf32>
    %2 = arith.mulf %1, %two : f32
    %3 = arith.addf %s, %2 : f32
    attn.yield %3 : f32
  }
  return %0 : tensor<2x4x8x16xf32>
}

// -----

// Weight expressions have a normal form.

// CHECK: attn.weight @one_part : tensor<4x2xf32> = #attn.file<"m", 0 : tensor<4x2xf32>>
attn.weight @one_part : tensor<4x2xf32> = #attn.concat<0, #attn.file<"m", 0 : tensor<4x2xf32>>>
// CHECK: attn.weight @nested_concat : tensor<6xf32> = #attn.concat<0, #attn.file<"m", 0 : tensor<2xf32>>, #attn.file<"m", 16 : tensor<2xf32>>, #attn.file<"m", 32 : tensor<2xf32>>>
attn.weight @nested_concat : tensor<6xf32> = #attn.concat<0, #attn.file<"m", 0 : tensor<2xf32>>, #attn.concat<0, #attn.file<"m", 16 : tensor<2xf32>>, #attn.file<"m", 32 : tensor<2xf32>>>>
// CHECK: attn.weight @transposed_twice : tensor<4x2xf32> = #attn.file<"m", 0 : tensor<4x2xf32>>
attn.weight @transposed_twice : tensor<4x2xf32> = #attn.transpose<#attn.transpose<#attn.file<"m", 0 : tensor<4x2xf32>>, [1, 0]>, [1, 0]>
// CHECK: attn.weight @rotated : tensor<4x2x3xf32> = #attn.transpose<#attn.file<"m", 0 : tensor<2x3x4xf32>>, [2, 0, 1]>
attn.weight @rotated : tensor<4x2x3xf32> = #attn.transpose<#attn.transpose<#attn.file<"m", 0 : tensor<2x3x4xf32>>, [1, 2, 0]>, [1, 2, 0]>
// CHECK: attn.weight @slice_of_slice : tensor<4x1xf32> = #attn.slice<#attn.file<"m", 0 : tensor<4x8xf32>>, [0, 3], [4, 1]>
attn.weight @slice_of_slice : tensor<4x1xf32> = #attn.slice<#attn.slice<#attn.file<"m", 0 : tensor<4x8xf32>>, [0, 2], [4, 4]>, [0, 1], [4, 1]>
// CHECK: attn.weight @rows : tensor<2x8xf32> = #attn.file<"m", 132 : tensor<2x8xf32>>
attn.weight @rows : tensor<2x8xf32> = #attn.slice<#attn.file<"m", 100 : tensor<4x8xf32>>, [1, 0], [2, 8]>
// CHECK: attn.weight @slice_of_part : tensor<1x8xf16> = #attn.file<"n", 16 : tensor<1x8xf16>>
attn.weight @slice_of_part : tensor<1x8xf16> = #attn.slice<#attn.concat<0, #attn.file<"m", 0 : tensor<4x8xf16>>, #attn.file<"n", 0 : tensor<4x8xf16>>>, [5, 0], [1, 8]>
// CHECK: attn.weight @slice_of_parts : tensor<2x8xf16> = #attn.slice<#attn.concat<0, #attn.file<"m", 0 : tensor<4x8xf16>>, #attn.file<"n", 0 : tensor<4x8xf16>>>, [3, 0], [2, 8]>
attn.weight @slice_of_parts : tensor<2x8xf16> = #attn.slice<#attn.concat<0, #attn.file<"m", 0 : tensor<4x8xf16>>, #attn.file<"n", 0 : tensor<4x8xf16>>>, [3, 0], [2, 8]>
// CHECK: attn.weight @reshaped : tensor<8xf32> = #attn.file<"m", 0 : tensor<8xf32>>
attn.weight @reshaped : tensor<8xf32> = #attn.reshape<#attn.reshape<#attn.file<"m", 0 : tensor<4x2xf32>>, [2, 4]>, [8]>
// CHECK: attn.weight @same_type : tensor<4x2xf32> = #attn.file<"m", 0 : tensor<4x2xf32>>
attn.weight @same_type : tensor<4x2xf32> = #attn.convert<#attn.file<"m", 0 : tensor<4x2xf32>> to f32>
// CHECK: attn.weight @inside : tensor<1x2x4xf32> = #attn.panels<#attn.convert<#attn.file<"m", 0 : tensor<4x2xf16>> to f32>, 4>
attn.weight @inside : tensor<1x2x4xf32> = #attn.panels<#attn.convert<#attn.concat<0, #attn.file<"m", 0 : tensor<4x2xf16>>> to f32>, 4>

// -----

// What writes no element is its destination, and a check of what holds goes.

// CHECK-LABEL: func @nothing
//  CHECK-SAME:   %{{.+}}: tensor<5x4xf32>, %{{.+}}: tensor<0x4xf32>, %[[I:[a-z0-9]+]]: tensor<5x0xf32>
//   CHECK-NOT:   attn
//       CHECK:   return %[[I]]
func.func @nothing(%x: tensor<5x4xf32>, %w: tensor<0x4xf32>, %i: tensor<5x0xf32>) -> tensor<5x0xf32> {
  %true = arith.constant true
  attn.check %true violates shape
  %0 = attn.linear ins(%x, %w : tensor<5x4xf32>, tensor<0x4xf32>) outs(%i : tensor<5x0xf32>) -> tensor<5x0xf32> {
  ^bb0(%sum: f32):
    attn.yield %sum : f32
  }
  return %0 : tensor<5x0xf32>
}
