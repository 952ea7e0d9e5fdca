// RUN: attn-opt %s --attn-fold-transposes --canonicalize --split-input-file --mlir-print-local-scope | FileCheck %s
// RUN: attn-opt %s --attn-fold-transposes --split-input-file --remarks-filter=attn-fuse --remark-format=emitRemark 2>&1 | FileCheck %s --check-prefix=REMARK

#head_first = affine_map<(b, h, q, k, d, e) -> (b, h, q, d)>
#key = affine_map<(b, h, q, k, d, e) -> (b, h, k, d)>
#value = affine_map<(b, h, q, k, d, e) -> (b, h, k, e)>
#out = affine_map<(b, h, q, k, d, e) -> (b, h, q, e)>

// Heads in front before attention and back behind after it: nothing moves. The transpose of keys is written as a generic.

// CHECK-LABEL: func.func @heads
// REMARK-COUNT-3: [Passed] FoldTransposes | Category:attn-fuse | Function=heads | Remark="a transpose of an operand became part of its map"
// REMARK: [Passed] FoldTransposes | Category:attn-fuse | Function=heads | Remark="a transpose of the result became part of its map"
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<2x5x4x16xf32>, %[[V:[a-z0-9]+]]: tensor<2x5x4x8xf32>
// CHECK-NOT: linalg
// CHECK: %[[O:.*]] = attn.attention ins(%[[X]], %[[X]], %[[V]] : {{.*}}) outs({{.*}} : tensor<2x5x4x8xf32>) -> tensor<2x5x4x8xf32>
// CHECK-SAME: maps [affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d2, d1, d4)>, affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d3, d1, d4)>,
// CHECK-SAME: affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d3, d1, d5)>, affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d2, d1, d5)>]
// CHECK: return %[[O]]
func.func @heads(%x: tensor<2x5x4x16xf32>, %v: tensor<2x5x4x8xf32>) -> tensor<2x5x4x8xf32> {
  %e = tensor.empty() : tensor<2x4x5x16xf32>
  %ev = tensor.empty() : tensor<2x4x5x8xf32>
  %q = linalg.transpose ins(%x : tensor<2x5x4x16xf32>) outs(%e : tensor<2x4x5x16xf32>) permutation = [0, 2, 1, 3]
  %k = linalg.generic {indexing_maps = [affine_map<(a, b, c, d) -> (a, c, b, d)>, affine_map<(a, b, c, d) -> (a, b, c, d)>],
                       iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
    ins(%x : tensor<2x5x4x16xf32>) outs(%e : tensor<2x4x5x16xf32>) {
  ^bb0(%in: f32, %out: f32):
    linalg.yield %in : f32
  } -> tensor<2x4x5x16xf32>
  %vt = linalg.transpose ins(%v : tensor<2x5x4x8xf32>) outs(%ev : tensor<2x4x5x8xf32>) permutation = [0, 2, 1, 3]
  %o = attn.attention ins(%q, %k, %vt : tensor<2x4x5x16xf32>, tensor<2x4x5x16xf32>, tensor<2x4x5x8xf32>)
    outs(%ev : tensor<2x4x5x8xf32>) -> tensor<2x4x5x8xf32> maps [#head_first, #key, #value, #out]
  %eo = tensor.empty() : tensor<2x5x4x8xf32>
  %r = linalg.transpose ins(%o : tensor<2x4x5x8xf32>) outs(%eo : tensor<2x5x4x8xf32>) permutation = [0, 2, 1, 3]
  return %r : tensor<2x5x4x8xf32>
}

// -----

// A permutation that is not its own inverse: dimension i of the result is dimension permutation[i] of the operand.

// CHECK-LABEL: func.func @rotation
// CHECK-NOT: linalg
// CHECK: attn.attention ins(%{{.*}} : tensor<16x2x4x5xf32>,
// CHECK-SAME: maps [affine_map<(d0, d1, d2, d3, d4, d5) -> (d4, d0, d1, d2)>,
// CHECK-SAME: affine_map<(d0, d1, d2, d3, d4, d5) -> (d1, d2, d5, d0)>]
func.func @rotation(%x: tensor<16x2x4x5xf32>, %y: tensor<2x4x5x16xf32>) -> tensor<4x5x16x2xf32> {
  %e = tensor.empty() : tensor<2x4x5x16xf32>
  %q = linalg.transpose ins(%x : tensor<16x2x4x5xf32>) outs(%e : tensor<2x4x5x16xf32>) permutation = [1, 2, 3, 0]
  %o = attn.attention ins(%q, %y, %y : tensor<2x4x5x16xf32>, tensor<2x4x5x16xf32>, tensor<2x4x5x16xf32>)
    outs(%e : tensor<2x4x5x16xf32>) -> tensor<2x4x5x16xf32>
    maps [affine_map<(b, h, q, k, d, e) -> (b, h, q, d)>, affine_map<(b, h, q, k, d, e) -> (b, h, k, d)>,
          affine_map<(b, h, q, k, d, e) -> (b, h, k, e)>, affine_map<(b, h, q, k, d, e) -> (b, h, q, e)>]
  %eo = tensor.empty() : tensor<4x5x16x2xf32>
  %r = linalg.transpose ins(%o : tensor<2x4x5x16xf32>) outs(%eo : tensor<4x5x16x2xf32>) permutation = [1, 2, 3, 0]
  return %r : tensor<4x5x16x2xf32>
}

// -----

// Key heads that are repeated for groups of query heads are read by h floordiv group.

// CHECK-LABEL: func.func @groups
// CHECK-SAME: %[[Q:[a-z0-9]+]]: tensor<2x8x5x16xf32>, %[[K:[a-z0-9]+]]: tensor<2x2x5x16xf32>
// CHECK: attn.attention ins(%[[Q]], %[[K]], %[[K]] :
// CHECK-SAME: affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1 floordiv 4, d3, d4)>, affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1 floordiv 4, d3, d5)>
func.func @groups(%q: tensor<2x8x5x16xf32>, %k: tensor<2x2x5x16xf32>) -> tensor<2x8x5x16xf32> {
  %e = tensor.empty() : tensor<2x2x4x5x16xf32>
  %r = linalg.broadcast ins(%k : tensor<2x2x5x16xf32>) outs(%e : tensor<2x2x4x5x16xf32>) dimensions = [2]
  %c = tensor.collapse_shape %r [[0], [1, 2], [3], [4]] : tensor<2x2x4x5x16xf32> into tensor<2x8x5x16xf32>
  %o = attn.attention ins(%q, %c, %c : tensor<2x8x5x16xf32>, tensor<2x8x5x16xf32>, tensor<2x8x5x16xf32>)
    outs(%q : tensor<2x8x5x16xf32>) -> tensor<2x8x5x16xf32>
    maps [affine_map<(b, h, q, k, d, e) -> (b, h, q, d)>, affine_map<(b, h, q, k, d, e) -> (b, h, k, d)>,
          affine_map<(b, h, q, k, d, e) -> (b, h, k, e)>, affine_map<(b, h, q, k, d, e) -> (b, h, q, e)>]
  return %o : tensor<2x8x5x16xf32>
}

// -----

// The same as exporters write it: a copy of each element by a linalg.generic, keys transposed before heads are merged.

// CHECK-LABEL: func.func @generic_groups
// CHECK-SAME: %[[Q:[a-z0-9]+]]: tensor<2x8x?x16xf32>, %[[K:[a-z0-9]+]]: tensor<2x2x?x16xf32>
// CHECK: attn.attention ins(%[[Q]], %[[K]], %[[K]] :
// CHECK-SAME: affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1 floordiv 4, d3, d4)>, affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1 floordiv 4, d3, d5)>
func.func @generic_groups(%q: tensor<2x8x?x16xf32>, %k: tensor<2x2x?x16xf32>, %keys: index) -> tensor<2x8x?x16xf32> {
  %e = tensor.empty(%keys) : tensor<2x2x4x?x16xf32>
  %r = linalg.generic {indexing_maps = [affine_map<(b, h, g, k, d) -> (b, h, k, d)>, affine_map<(b, h, g, k, d) -> (b, h, g, k, d)>],
      iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]}
      ins(%k : tensor<2x2x?x16xf32>) outs(%e : tensor<2x2x4x?x16xf32>) {
    ^bb0(%x: f32, %out: f32):
      linalg.yield %x : f32
  } -> tensor<2x2x4x?x16xf32>
  %et = tensor.empty(%keys) : tensor<2x2x4x16x?xf32>
  %t = linalg.transpose ins(%r : tensor<2x2x4x?x16xf32>) outs(%et : tensor<2x2x4x16x?xf32>) permutation = [0, 1, 2, 4, 3]
  %ck = tensor.collapse_shape %t [[0], [1, 2], [3], [4]] : tensor<2x2x4x16x?xf32> into tensor<2x8x16x?xf32>
  %cv = tensor.collapse_shape %r [[0], [1, 2], [3], [4]] : tensor<2x2x4x?x16xf32> into tensor<2x8x?x16xf32>
  %o = attn.attention ins(%q, %ck, %cv : tensor<2x8x?x16xf32>, tensor<2x8x16x?xf32>, tensor<2x8x?x16xf32>)
    outs(%q : tensor<2x8x?x16xf32>) -> tensor<2x8x?x16xf32>
    maps [affine_map<(b, h, q, k, d, e) -> (b, h, q, d)>, affine_map<(b, h, q, k, d, e) -> (b, h, d, k)>,
          affine_map<(b, h, q, k, d, e) -> (b, h, k, e)>, affine_map<(b, h, q, k, d, e) -> (b, h, q, e)>]
  return %o : tensor<2x8x?x16xf32>
}

// -----

// Copies in front of the heads (h mod 4, not h floordiv 2) and a result with two users do not fold.

// CHECK-LABEL: func.func @stays
// REMARK-DAG: [Missed] FoldTransposes | Category:attn-fuse | Function=stays | Remark="a transpose stays: the result has other users"
// REMARK-DAG: [Missed] FoldTransposes | Category:attn-fuse | Function=stays | Remark="repeated heads stay: the copies are not groups of neighbours of a static size"
// CHECK: linalg.broadcast
// CHECK: attn.attention
// CHECK: linalg.transpose
func.func @stays(%q: tensor<2x8x5x16xf32>, %k: tensor<2x2x5x16xf32>) -> (tensor<2x8x5x16xf32>, tensor<2x5x8x16xf32>) {
  %e = tensor.empty() : tensor<2x4x2x5x16xf32>
  %r = linalg.broadcast ins(%k : tensor<2x2x5x16xf32>) outs(%e : tensor<2x4x2x5x16xf32>) dimensions = [1]
  %c = tensor.collapse_shape %r [[0], [1, 2], [3], [4]] : tensor<2x4x2x5x16xf32> into tensor<2x8x5x16xf32>
  %o = attn.attention ins(%q, %c, %c : tensor<2x8x5x16xf32>, tensor<2x8x5x16xf32>, tensor<2x8x5x16xf32>)
    outs(%q : tensor<2x8x5x16xf32>) -> tensor<2x8x5x16xf32>
    maps [affine_map<(b, h, q, k, d, e) -> (b, h, q, d)>, affine_map<(b, h, q, k, d, e) -> (b, h, k, d)>,
          affine_map<(b, h, q, k, d, e) -> (b, h, k, e)>, affine_map<(b, h, q, k, d, e) -> (b, h, q, e)>]
  %eo = tensor.empty() : tensor<2x5x8x16xf32>
  %t = linalg.transpose ins(%o : tensor<2x8x5x16xf32>) outs(%eo : tensor<2x5x8x16xf32>) permutation = [0, 2, 1, 3]
  return %o, %t : tensor<2x8x5x16xf32>, tensor<2x5x8x16xf32>
}
