// RUN: attn-opt %s --attn-flatten-rows --cse --split-input-file | FileCheck %s
// RUN: attn-opt %s --attn-flatten-rows --split-input-file --remarks-filter=attn-fuse --remark-format=emitRemark 2>&1 | FileCheck %s --check-prefix=REMARK

// A norm, a linear, an activation, a residual: one reshape in, one out, and one value for the number of rows.

// CHECK-DAG: #[[PRODUCT:.*]] = affine_map<()[s0, s1] -> (s0 * s1)>
// CHECK-LABEL: func.func @chain
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<?x?x8xf32>
// CHECK-DAG: %[[B:.*]] = tensor.dim %[[X]], %c0
// CHECK-DAG: %[[S:.*]] = tensor.dim %[[X]], %c1
// CHECK-DAG: %[[FLAT:.*]] = tensor.collapse_shape %[[X]] {{\[\[}}0, 1], [2]]
// CHECK-DAG: %[[M:.*]] = affine.apply #[[PRODUCT]]()[%[[B]], %[[S]]]
// CHECK-DAG: %[[INIT:.*]] = tensor.empty(%[[M]]) : tensor<?x8xf32>
// CHECK-NOT: collapse_shape
// CHECK-NOT: expand_shape
// CHECK-NOT: affine.apply
// CHECK: %[[N:.*]] = attn.layer_norm ins(%[[FLAT]], {{.*}}) outs(%[[INIT]] : tensor<?x8xf32>)
// CHECK-SAME: epsilon
// CHECK: %[[L:.*]] = attn.linear ins(%[[N]], {{.*}} outs(%[[INIT]] : tensor<?x8xf32>) -> tensor<?x8xf32> maps [#{{.*}}]
// CHECK: %[[G:.*]] = attn.gelu %[[L]] : tensor<?x8xf32>
// CHECK: %[[Y:.*]] = arith.addf %[[G]], %[[FLAT]] : tensor<?x8xf32>
// CHECK: %[[R:.*]] = tensor.expand_shape %[[Y]] {{\[\[}}0, 1], [2]] output_shape [%[[B]], %[[S]], 8]
// CHECK: return %[[R]]
func.func @chain(%x: tensor<?x?x8xf32>, %s: tensor<8xf32>, %w: tensor<8x8xf32>) -> tensor<?x?x8xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %b = tensor.dim %x, %c0 : tensor<?x?x8xf32>
  %q = tensor.dim %x, %c1 : tensor<?x?x8xf32>
  %e = tensor.empty(%b, %q) : tensor<?x?x8xf32>
  %n = attn.layer_norm ins(%x, %s, %s : tensor<?x?x8xf32>, tensor<8xf32>, tensor<8xf32>) outs(%e : tensor<?x?x8xf32>) -> tensor<?x?x8xf32> {epsilon = 1.0e-5 : f64}
  %nb = tensor.dim %n, %c0 : tensor<?x?x8xf32>
  %nq = tensor.dim %n, %c1 : tensor<?x?x8xf32>
  %f = tensor.empty(%nb, %nq) : tensor<?x?x8xf32>
  %l = attn.linear ins(%n, %w : tensor<?x?x8xf32>, tensor<8x8xf32>) extras(%s : tensor<8xf32>) outs(%f : tensor<?x?x8xf32>) -> tensor<?x?x8xf32> maps [affine_map<(b, s, n) -> (n)>] {
  ^bb0(%sum: f32, %bias: f32):
    %0 = arith.addf %sum, %bias : f32
    attn.yield %0 : f32
  }
  %g = attn.gelu %l : tensor<?x?x8xf32>
  %r = arith.addf %g, %x : tensor<?x?x8xf32>
  return %r : tensor<?x?x8xf32>
}

// -----

// An extra that is read at every element is flattened too; a generic with identity maps is elementwise.

// CHECK-DAG: #[[ID:.*]] = affine_map<(d0, d1) -> (d0, d1)>
// CHECK-LABEL: func.func @generic
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<2x3x5x8xf32>
// CHECK: %[[FLAT:.*]] = tensor.collapse_shape %[[X]] {{\[\[}}0, 1, 2], [3]] : tensor<2x3x5x8xf32> into tensor<30x8xf32>
// CHECK: %[[L:.*]] = attn.linear ins(%[[FLAT]], {{.*}} extras(%[[FLAT]] : tensor<30x8xf32>) {{.*}} maps [#[[ID]]]
// CHECK: %[[G:.*]] = linalg.generic {indexing_maps = [#[[ID]], #[[ID]]], iterator_types = ["parallel", "parallel"]} ins(%[[L]] : tensor<30x8xf32>)
// CHECK: tensor.expand_shape %[[G]] {{\[\[}}0, 1, 2], [3]] output_shape [2, 3, 5, 8]
func.func @generic(%x: tensor<2x3x5x8xf32>, %w: tensor<8x8xf32>) -> tensor<2x3x5x8xf32> {
  %e = tensor.empty() : tensor<2x3x5x8xf32>
  %l = attn.linear ins(%x, %w : tensor<2x3x5x8xf32>, tensor<8x8xf32>) extras(%x : tensor<2x3x5x8xf32>) outs(%e : tensor<2x3x5x8xf32>) -> tensor<2x3x5x8xf32> maps [affine_map<(a, b, s, n) -> (a, b, s, n)>] {
  ^bb0(%sum: f32, %r: f32):
    %0 = arith.addf %sum, %r : f32
    attn.yield %0 : f32
  }
  %g = linalg.generic {indexing_maps = [affine_map<(a, b, c, d) -> (a, b, c, d)>, affine_map<(a, b, c, d) -> (a, b, c, d)>],
                       iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
    ins(%l : tensor<2x3x5x8xf32>) outs(%e : tensor<2x3x5x8xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = math.absf %in : f32
    linalg.yield %0 : f32
  } -> tensor<2x3x5x8xf32>
  return %g : tensor<2x3x5x8xf32>
}

// -----

// What has no reshaped matrix among its operands is left alone, as is an extra that follows one of the row dimensions.

// CHECK-LABEL: func.func @stays
// CHECK-NOT: collapse_shape
// CHECK: arith.addf %{{.*}} : tensor<2x3x8xf32>
// CHECK: attn.linear {{.*}} -> tensor<2x3x8xf32>
// REMARK: [Missed] FlattenRows | Category:attn-fuse | Function=stays | Remark="stays of a higher rank: an extra is read along some of the row dimensions"
func.func @stays(%x: tensor<2x3x8xf32>, %w: tensor<8x8xf32>, %p: tensor<3x8xf32>) -> tensor<2x3x8xf32> {
  %y = arith.addf %x, %x : tensor<2x3x8xf32>
  %e = tensor.empty() : tensor<2x3x8xf32>
  %l = attn.linear ins(%y, %w : tensor<2x3x8xf32>, tensor<8x8xf32>) extras(%p : tensor<3x8xf32>) outs(%e : tensor<2x3x8xf32>) -> tensor<2x3x8xf32> maps [affine_map<(b, s, n) -> (s, n)>] {
  ^bb0(%sum: f32, %r: f32):
    %0 = arith.addf %sum, %r : f32
    attn.yield %0 : f32
  }
  return %l : tensor<2x3x8xf32>
}

// -----

// A single row is a matrix of one row.

// CHECK-LABEL: func.func @single
// CHECK: %[[X:.*]] = tensor.expand_shape %{{.*}} {{\[\[}}0, 1]] output_shape [1, 8]
// CHECK: %[[N:.*]] = attn.layer_norm ins(%[[X]], {{.*}} -> tensor<1x8xf32>
// CHECK: tensor.collapse_shape %[[N]] {{\[\[}}0, 1]]
func.func @single(%x: tensor<8xf32>, %s: tensor<8xf32>) -> tensor<8xf32> {
  %e = tensor.empty() : tensor<8xf32>
  %n = attn.layer_norm ins(%x, %s : tensor<8xf32>, tensor<8xf32>) outs(%e : tensor<8xf32>) -> tensor<8xf32> {epsilon = 1.0e-5 : f64}
  return %n : tensor<8xf32>
}

// -----

// A generic that adds a bias [N] follows the columns; heads of a matrix follow their own reshape; attributes are kept.

// CHECK-DAG: #[[ID:.*]] = affine_map<(d0, d1) -> (d0, d1)>
// CHECK-DAG: #[[COLUMN:.*]] = affine_map<(d0, d1) -> (d1)>
// CHECK-LABEL: func.func @columns_and_heads
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<6x8xf32>, %[[BIAS:[a-z0-9]+]]: tensor<8xf32>
// CHECK: %[[G:.*]] = linalg.generic {indexing_maps = [#[[ID]], #[[COLUMN]], #[[ID]]], {{.*}} ins(%[[X]], %[[BIAS]] : tensor<6x8xf32>, tensor<8xf32>)
// CHECK: %[[H:.*]] = arith.mulf %[[G]], %{{.*}} fastmath<nnan> : tensor<6x8xf32>
// CHECK: %[[A:.*]] = attn.gelu approximate %[[H]] : tensor<6x8xf32>
// CHECK: %[[R:.*]] = tensor.expand_shape %[[A]] {{\[\[}}0, 1], [2, 3]] output_shape [2, 3, 2, 4]
// CHECK: return %[[R]]
func.func @columns_and_heads(%x: tensor<6x8xf32>, %bias: tensor<8xf32>) -> tensor<2x3x2x4xf32> {
  %half = arith.constant dense<0.5> : tensor<2x3x2x4xf32>
  %e = tensor.empty() : tensor<2x3x8xf32>
  %y = tensor.expand_shape %x [[0, 1], [2]] output_shape [2, 3, 8] : tensor<6x8xf32> into tensor<2x3x8xf32>
  %g = linalg.generic {indexing_maps = [affine_map<(b, s, n) -> (b, s, n)>, affine_map<(b, s, n) -> (n)>, affine_map<(b, s, n) -> (b, s, n)>],
                       iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%y, %bias : tensor<2x3x8xf32>, tensor<8xf32>) outs(%e : tensor<2x3x8xf32>) {
  ^bb0(%in: f32, %b: f32, %out: f32):
    %0 = arith.addf %in, %b : f32
    linalg.yield %0 : f32
  } -> tensor<2x3x8xf32>
  %h = tensor.expand_shape %g [[0], [1], [2, 3]] output_shape [2, 3, 2, 4] : tensor<2x3x8xf32> into tensor<2x3x2x4xf32>
  %s = arith.mulf %h, %half fastmath<nnan> : tensor<2x3x2x4xf32>
  %a = attn.gelu approximate %s : tensor<2x3x2x4xf32>
  return %a : tensor<2x3x2x4xf32>
}
