// RUN: attn-opt %s --pass-pipeline='builtin.module(func.func(attn-raise-rotary,canonicalize))' --split-input-file | FileCheck %s

// x * cos + concat(-x[half:], x[:half]) * sin, in any order of the factors and terms.

#all = affine_map<(n, h, c) -> (n, h, c)>
#row = affine_map<(n, h, c) -> (n, c)>

// CHECK: #[[MAP:.+]] = affine_map<(d0, d1) -> (d0)>
// CHECK-LABEL: func.func @turned(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<?x4x8xf32>, %[[COS:[a-z0-9]+]]: tensor<?x8xf32>, %[[SIN:[a-z0-9]+]]: tensor<?x8xf32>
// CHECK-NOT: linalg.generic
// CHECK: %[[Y:.+]] = attn.rotary ins(%[[X]], %[[COS]], %[[SIN]] : {{.*}} map #[[MAP]]
// CHECK: return %[[Y]]
func.func @turned(%x: tensor<?x4x8xf32>, %cos: tensor<?x8xf32>, %sin: tensor<?x8xf32>, %n: index) -> tensor<?x4x8xf32> {
  %low = tensor.extract_slice %x[0, 0, 0] [%n, 4, 4] [1, 1, 1] : tensor<?x4x8xf32> to tensor<?x4x4xf32>
  %high = tensor.extract_slice %x[0, 0, 4] [%n, 4, 4] [1, 1, 1] : tensor<?x4x8xf32> to tensor<?x4x4xf32>
  %negated = arith.negf %high : tensor<?x4x4xf32>
  %e = tensor.empty(%n) : tensor<?x4x8xf32>
  %0 = tensor.insert_slice %negated into %e[0, 0, 0] [%n, 4, 4] [1, 1, 1] : tensor<?x4x4xf32> into tensor<?x4x8xf32>
  %half = tensor.insert_slice %low into %0[0, 0, 4] [%n, 4, 4] [1, 1, 1] : tensor<?x4x4xf32> into tensor<?x4x8xf32>
  %p = linalg.generic {indexing_maps = [#row, #all, #all], iterator_types = ["parallel", "parallel", "parallel"]} ins(%cos, %x : tensor<?x8xf32>, tensor<?x4x8xf32>) outs(%e : tensor<?x4x8xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %s = arith.mulf %a, %b : f32
    linalg.yield %s : f32
  } -> tensor<?x4x8xf32>
  %q = linalg.generic {indexing_maps = [#all, #row, #all], iterator_types = ["parallel", "parallel", "parallel"]} ins(%half, %sin : tensor<?x4x8xf32>, tensor<?x8xf32>) outs(%e : tensor<?x4x8xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %s = arith.mulf %a, %b : f32
    linalg.yield %s : f32
  } -> tensor<?x4x8xf32>
  %y = arith.addf %q, %p : tensor<?x4x8xf32>
  return %y : tensor<?x4x8xf32>
}

// -----

// What was moved before is turned where it stood, and moved after; slices may be of the tensor itself.

#all = affine_map<(h, n, c) -> (h, n, c)>
#row = affine_map<(h, n, c) -> (n, c)>

// CHECK: #[[MAP:.+]] = affine_map<(d0, d1) -> (d0)>
// CHECK-LABEL: func.func @moved(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<?x4x8xf32>
// CHECK: %[[Y:.+]] = attn.rotary ins(%[[X]], {{.*}} map #[[MAP]]
// CHECK: %[[T:.+]] = linalg.transpose ins(%[[Y]] : tensor<?x4x8xf32>) outs({{.*}}) permutation = [1, 0, 2]
// CHECK: return %[[T]]
func.func @moved(%x: tensor<?x4x8xf32>, %cos: tensor<?x8xf32>, %sin: tensor<?x8xf32>, %n: index) -> tensor<4x?x8xf32> {
  %e = tensor.empty(%n) : tensor<4x?x8xf32>
  %f = tensor.empty(%n) : tensor<4x?x4xf32>
  %t = linalg.transpose ins(%x : tensor<?x4x8xf32>) outs(%e : tensor<4x?x8xf32>) permutation = [1, 0, 2]
  %low = tensor.extract_slice %t[0, 0, 0] [4, %n, 4] [1, 1, 1] : tensor<4x?x8xf32> to tensor<4x?x4xf32>
  %part = tensor.extract_slice %x[0, 0, 4] [%n, 4, 4] [1, 1, 1] : tensor<?x4x8xf32> to tensor<?x4x4xf32>
  %high = linalg.transpose ins(%part : tensor<?x4x4xf32>) outs(%f : tensor<4x?x4xf32>) permutation = [1, 0, 2]
  %negated = arith.negf %high : tensor<4x?x4xf32>
  %0 = tensor.insert_slice %negated into %e[0, 0, 0] [4, %n, 4] [1, 1, 1] : tensor<4x?x4xf32> into tensor<4x?x8xf32>
  %half = tensor.insert_slice %low into %0[0, 0, 4] [4, %n, 4] [1, 1, 1] : tensor<4x?x4xf32> into tensor<4x?x8xf32>
  %p = linalg.generic {indexing_maps = [#all, #row, #all], iterator_types = ["parallel", "parallel", "parallel"]} ins(%t, %cos : tensor<4x?x8xf32>, tensor<?x8xf32>) outs(%e : tensor<4x?x8xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %s = arith.mulf %a, %b : f32
    linalg.yield %s : f32
  } -> tensor<4x?x8xf32>
  %q = linalg.generic {indexing_maps = [#all, #row, #all], iterator_types = ["parallel", "parallel", "parallel"]} ins(%half, %sin : tensor<4x?x8xf32>, tensor<?x8xf32>) outs(%e : tensor<4x?x8xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %s = arith.mulf %a, %b : f32
    linalg.yield %s : f32
  } -> tensor<4x?x8xf32>
  %y = arith.addf %p, %q : tensor<4x?x8xf32>
  return %y : tensor<4x?x8xf32>
}

// -----

// The halves are not swapped; the wrong one is negated; not all elements are written.

// CHECK-LABEL: func.func @others(
// CHECK-NOT: attn.rotary
// CHECK: return
func.func @others(%x: tensor<3x8xf32>, %cos: tensor<3x8xf32>, %sin: tensor<3x8xf32>) -> (tensor<3x8xf32>, tensor<3x8xf32>) {
  %low = tensor.extract_slice %x[0, 0] [3, 4] [1, 1] : tensor<3x8xf32> to tensor<3x4xf32>
  %high = tensor.extract_slice %x[0, 4] [3, 4] [1, 1] : tensor<3x8xf32> to tensor<3x4xf32>
  %e = tensor.empty() : tensor<3x8xf32>
  %p = arith.mulf %x, %cos : tensor<3x8xf32>

  %nlow = arith.negf %low : tensor<3x4xf32>
  %0 = tensor.insert_slice %nlow into %e[0, 0] [3, 4] [1, 1] : tensor<3x4xf32> into tensor<3x8xf32>
  %same = tensor.insert_slice %high into %0[0, 4] [3, 4] [1, 1] : tensor<3x4xf32> into tensor<3x8xf32>
  %q0 = arith.mulf %same, %sin : tensor<3x8xf32>
  %y0 = arith.addf %p, %q0 : tensor<3x8xf32>

  %1 = tensor.insert_slice %high into %e[0, 0] [3, 4] [1, 1] : tensor<3x4xf32> into tensor<3x8xf32>
  %wrong = tensor.insert_slice %nlow into %1[0, 4] [3, 4] [1, 1] : tensor<3x4xf32> into tensor<3x8xf32>
  %q1 = arith.mulf %wrong, %sin : tensor<3x8xf32>
  %y1 = arith.addf %p, %q1 : tensor<3x8xf32>

  return %y0, %y1 : tensor<3x8xf32>, tensor<3x8xf32>
}

// CHECK-LABEL: func.func @partly(
// CHECK-NOT: attn.rotary
// CHECK: return
func.func @partly(%x: tensor<4x8xf32>, %cos: tensor<4x8xf32>, %sin: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %low = tensor.extract_slice %x[0, 0] [3, 4] [1, 1] : tensor<4x8xf32> to tensor<3x4xf32>
  %high = tensor.extract_slice %x[0, 4] [3, 4] [1, 1] : tensor<4x8xf32> to tensor<3x4xf32>
  %nhigh = arith.negf %high : tensor<3x4xf32>
  %e = tensor.empty() : tensor<4x8xf32>
  %0 = tensor.insert_slice %nhigh into %e[0, 0] [3, 4] [1, 1] : tensor<3x4xf32> into tensor<4x8xf32>
  %part = tensor.insert_slice %low into %0[0, 4] [3, 4] [1, 1] : tensor<3x4xf32> into tensor<4x8xf32>
  %p = arith.mulf %x, %cos : tensor<4x8xf32>
  %q = arith.mulf %part, %sin : tensor<4x8xf32>
  %y = arith.addf %p, %q : tensor<4x8xf32>
  return %y : tensor<4x8xf32>
}
