// RUN: attn-opt %s --attn-remove-padding --canonicalize --split-input-file | FileCheck %s
// RUN: attn-opt %s --attn-remove-padding=undefined-results --canonicalize --split-input-file | FileCheck %s --check-prefix=UNDEFINED
// RUN: attn-opt %s --attn-remove-padding --split-input-file --remarks-filter=attn-fuse --remark-format=emitRemark 2>&1 | FileCheck %s --check-prefix=REMARK

#head = affine_map<(b, h, q, k, d, e) -> (b, q, h, d)>
#key = affine_map<(b, h, q, k, d, e) -> (b, k, h, d)>
#value = affine_map<(b, h, q, k, d, e) -> (b, k, h, e)>
#out = affine_map<(b, h, q, k, d, e) -> (b, q, h, e)>
#column = affine_map<(r, n) -> (n)>
#element = affine_map<(b, s, n) -> (b, s, n)>
#token = affine_map<(b, s, n) -> (b, s)>
#sum = affine_map<(b, s, n) -> (b, n)>

// A projection, attention and another projection, whose rows are summed with the mask: a matrix of tokens goes through
// the linears, and attention sees sequences.

// REMARK: remark: [Passed] RemovePadding
// REMARK-SAME: 2 ops without padding
// CHECK-LABEL: func.func @masked_sum
// CHECK-SAME: (%[[X:.+]]: tensor<?x8xf32>, %[[MASK:.+]]: tensor<?x?xi64>,
// CHECK-DAG: %[[B:.+]] = tensor.dim %[[MASK]], %c0
// CHECK-DAG: %[[S:.+]] = tensor.dim %[[MASK]], %c1
// CHECK: %[[RANGES:.+]] = attn.key_ranges
// CHECK: %[[STARTS:.+]]:2 = scf.for %[[I:.+]] = %c0 to %[[B]] step %c1 iter_args(%[[N:.+]] = %c0,
// CHECK:   tensor.insert
// CHECK:   %[[END:.+]] = tensor.extract %[[RANGES]][%[[I]], %c1]
// CHECK:   arith.addi %[[N]],
// CHECK: %[[ALL:.+]] = arith.muli %[[B]], %[[S]]
// CHECK: %[[TOKENS:.+]] = arith.minsi %[[STARTS]]#0, %[[ALL]]
// CHECK: %[[ROWS:.+]] = tensor.expand_shape %[[X]] {{\[\[}}0, 1], [2]] output_shape [%[[B]], %[[S]], 8]
// CHECK: %[[PACKED:.+]] = scf.forall (%[[T:.+]]) in (%[[B]])
// CHECK:   %[[FROM:.+]] = tensor.extract_slice %[[ROWS]][%[[T]], 0, 0] [1, %[[LENGTH:.+]], 8]
// CHECK:   bufferization.materialize_in_destination %[[FROM]]
// CHECK:   tensor.parallel_insert_slice {{.+}}[%{{.+}}, 0] [%[[LENGTH]], 8]
// CHECK: %[[INIT:.+]] = tensor.empty(%[[TOKENS]]) : tensor<?x24xf32>
// CHECK: attn.linear ins(%[[PACKED]], {{.+}} outs(%[[INIT]]
// CHECK: scf.forall
// CHECK: attn.attention
// CHECK: scf.forall
// CHECK: attn.linear
// Rows without tokens are zeros in the sum.
// CHECK: %[[ZEROS:.+]] = linalg.fill
// CHECK: %[[BACK:.+]] = scf.forall ({{.+}}) in (%[[B]]) shared_outs(%{{.+}} = %[[ZEROS]])
// CHECK: %[[MATRIX:.+]] = tensor.collapse_shape %[[BACK]]
// CHECK: %[[EACH:.+]] = tensor.expand_shape %[[MATRIX]]
// CHECK: linalg.generic {{.+}} ins(%[[EACH]], %[[MASK]]
func.func @masked_sum(%x: tensor<?x8xf32>, %mask: tensor<?x?xi64>, %w: tensor<24x8xf32>, %p: tensor<8x8xf32>, %bias: tensor<8xf32>) -> tensor<?x8xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : f32
  %b = tensor.dim %mask, %c0 : tensor<?x?xi64>
  %s = tensor.dim %mask, %c1 : tensor<?x?xi64>
  %r = tensor.dim %x, %c0 : tensor<?x8xf32>
  %e0 = tensor.empty(%b) : tensor<?x4xi64>
  %ranges = attn.key_ranges ins(%mask : tensor<?x?xi64>) outs(%e0 : tensor<?x4xi64>) -> tensor<?x4xi64>
  %e1 = tensor.empty(%r) : tensor<?x24xf32>
  %qkv = attn.linear ins(%x, %w : tensor<?x8xf32>, tensor<24x8xf32>) outs(%e1 : tensor<?x24xf32>) -> tensor<?x24xf32> {
  ^bb0(%t: f32):
    attn.yield %t : f32
  }
  %parts = tensor.expand_shape %qkv [[0, 1], [2, 3, 4]] output_shape [%b, %s, 3, 2, 4] : tensor<?x24xf32> into tensor<?x?x3x2x4xf32>
  %q = tensor.extract_slice %parts[0, 0, 0, 0, 0] [%b, %s, 1, 2, 4] [1, 1, 1, 1, 1] : tensor<?x?x3x2x4xf32> to tensor<?x?x2x4xf32>
  %k = tensor.extract_slice %parts[0, 0, 1, 0, 0] [%b, %s, 1, 2, 4] [1, 1, 1, 1, 1] : tensor<?x?x3x2x4xf32> to tensor<?x?x2x4xf32>
  %v = tensor.extract_slice %parts[0, 0, 2, 0, 0] [%b, %s, 1, 2, 4] [1, 1, 1, 1, 1] : tensor<?x?x3x2x4xf32> to tensor<?x?x2x4xf32>
  %e2 = tensor.empty(%b, %s) : tensor<?x?x2x4xf32>
  %a = attn.attention ins(%q, %k, %v : tensor<?x?x2x4xf32>, tensor<?x?x2x4xf32>, tensor<?x?x2x4xf32>)
    ranges(%ranges : tensor<?x4xi64>) key_mask(%mask : tensor<?x?xi64>) outs(%e2 : tensor<?x?x2x4xf32>) -> tensor<?x?x2x4xf32>
    maps [#head, #key, #value, #out]
  %m = tensor.collapse_shape %a [[0, 1], [2, 3]] : tensor<?x?x2x4xf32> into tensor<?x8xf32>
  %e3 = tensor.empty(%r) : tensor<?x8xf32>
  %y = attn.linear ins(%m, %p : tensor<?x8xf32>, tensor<8x8xf32>) extras(%bias : tensor<8xf32>) outs(%e3 : tensor<?x8xf32>) -> tensor<?x8xf32> maps [#column] {
  ^bb0(%t: f32, %c: f32):
    %u = arith.addf %t, %c : f32
    attn.yield %u : f32
  }
  %rows = tensor.expand_shape %y [[0, 1], [2]] output_shape [%b, %s, 8] : tensor<?x8xf32> into tensor<?x?x8xf32>
  %e4 = tensor.empty(%b) : tensor<?x8xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e4 : tensor<?x8xf32>) -> tensor<?x8xf32>
  %sum = linalg.generic {indexing_maps = [#element, #token, #sum], iterator_types = ["parallel", "reduction", "parallel"]}
    ins(%rows, %mask : tensor<?x?x8xf32>, tensor<?x?xi64>) outs(%f : tensor<?x8xf32>) {
  ^bb0(%t: f32, %w0: i64, %o: f32):
    %weight = arith.sitofp %w0 : i64 to f32
    %product = arith.mulf %t, %weight : f32
    %next = arith.addf %o, %product : f32
    linalg.yield %next : f32
  } -> tensor<?x8xf32>
  return %sum : tensor<?x8xf32>
}

// -----

#head = affine_map<(b, h, q, k, d, e) -> (b, q, h, d)>
#key = affine_map<(b, h, q, k, d, e) -> (b, k, h, d)>
#value = affine_map<(b, h, q, k, d, e) -> (b, k, h, e)>
#out = affine_map<(b, h, q, k, d, e) -> (b, q, h, e)>

// Whoever returns all rows gets all, unless nobody needs them.

// REMARK: remark: [Missed] RemovePadding
// REMARK-SAME: padding stays: rows after a sequence's end are results; --padded-rows=undefined says that nobody needs them
// CHECK-LABEL: func.func @result
// CHECK-NOT: scf.forall
// UNDEFINED-LABEL: func.func @result
// UNDEFINED: attn.linear
// UNDEFINED: linalg.fill
// UNDEFINED: scf.forall
func.func @result(%x: tensor<32x8xf32>, %mask: tensor<4x8xi64>, %p: tensor<8x8xf32>) -> tensor<4x8x8xf32> {
  %e0 = tensor.empty() : tensor<4x4xi64>
  %ranges = attn.key_ranges ins(%mask : tensor<4x8xi64>) outs(%e0 : tensor<4x4xi64>) -> tensor<4x4xi64>
  %e1 = tensor.empty() : tensor<32x8xf32>
  %q = attn.linear ins(%x, %p : tensor<32x8xf32>, tensor<8x8xf32>) outs(%e1 : tensor<32x8xf32>) -> tensor<32x8xf32> {
  ^bb0(%t: f32):
    attn.yield %t : f32
  }
  %heads = tensor.expand_shape %q [[0, 1], [2, 3]] output_shape [4, 8, 2, 4] : tensor<32x8xf32> into tensor<4x8x2x4xf32>
  %e2 = tensor.empty() : tensor<4x8x2x4xf32>
  %a = attn.attention ins(%heads, %heads, %heads : tensor<4x8x2x4xf32>, tensor<4x8x2x4xf32>, tensor<4x8x2x4xf32>)
    ranges(%ranges : tensor<4x4xi64>) key_mask(%mask : tensor<4x8xi64>) outs(%e2 : tensor<4x8x2x4xf32>) -> tensor<4x8x2x4xf32>
    maps [#head, #key, #value, #out]
  %m = tensor.collapse_shape %a [[0, 1], [2, 3]] : tensor<4x8x2x4xf32> into tensor<32x8xf32>
  %y = attn.linear ins(%m, %p : tensor<32x8xf32>, tensor<8x8xf32>) outs(%e1 : tensor<32x8xf32>) -> tensor<32x8xf32> {
  ^bb0(%t: f32):
    attn.yield %t : f32
  }
  %rows = tensor.expand_shape %y [[0, 1], [2]] output_shape [4, 8, 8] : tensor<32x8xf32> into tensor<4x8x8xf32>
  return %rows : tensor<4x8x8xf32>
}

// -----

#head = affine_map<(b, h, q, k, d, e) -> (b, q, h, d)>
#key = affine_map<(b, h, q, k, d, e) -> (b, k, h, d)>
#value = affine_map<(b, h, q, k, d, e) -> (b, k, h, e)>
#out = affine_map<(b, h, q, k, d, e) -> (b, q, h, e)>
#element = affine_map<(b, s, n) -> (b, s, n)>
#sum = affine_map<(b, s, n) -> (b, n)>

// A mean over all rows reads those without tokens, whatever the caller needs.

// REMARK: remark: [Missed] RemovePadding
// REMARK-SAME: padding stays: rows after a sequence's end are read by linalg.generic
// CHECK-LABEL: func.func @sum
// CHECK-NOT: scf.forall
// UNDEFINED-LABEL: func.func @sum
// UNDEFINED-NOT: scf.forall
func.func @sum(%x: tensor<32x8xf32>, %mask: tensor<4x8xi64>, %p: tensor<8x8xf32>) -> tensor<4x8xf32> {
  %zero = arith.constant 0.0 : f32
  %e0 = tensor.empty() : tensor<4x4xi64>
  %ranges = attn.key_ranges ins(%mask : tensor<4x8xi64>) outs(%e0 : tensor<4x4xi64>) -> tensor<4x4xi64>
  %e1 = tensor.empty() : tensor<32x8xf32>
  %q = attn.linear ins(%x, %p : tensor<32x8xf32>, tensor<8x8xf32>) outs(%e1 : tensor<32x8xf32>) -> tensor<32x8xf32> {
  ^bb0(%t: f32):
    attn.yield %t : f32
  }
  %heads = tensor.expand_shape %q [[0, 1], [2, 3]] output_shape [4, 8, 2, 4] : tensor<32x8xf32> into tensor<4x8x2x4xf32>
  %e2 = tensor.empty() : tensor<4x8x2x4xf32>
  %a = attn.attention ins(%heads, %heads, %heads : tensor<4x8x2x4xf32>, tensor<4x8x2x4xf32>, tensor<4x8x2x4xf32>)
    ranges(%ranges : tensor<4x4xi64>) key_mask(%mask : tensor<4x8xi64>) outs(%e2 : tensor<4x8x2x4xf32>) -> tensor<4x8x2x4xf32>
    maps [#head, #key, #value, #out]
  %m = tensor.collapse_shape %a [[0, 1], [2, 3]] : tensor<4x8x2x4xf32> into tensor<32x8xf32>
  %y = attn.linear ins(%m, %p : tensor<32x8xf32>, tensor<8x8xf32>) outs(%e1 : tensor<32x8xf32>) -> tensor<32x8xf32> {
  ^bb0(%t: f32):
    attn.yield %t : f32
  }
  %rows = tensor.expand_shape %y [[0, 1], [2]] output_shape [4, 8, 8] : tensor<32x8xf32> into tensor<4x8x8xf32>
  %e4 = tensor.empty() : tensor<4x8xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e4 : tensor<4x8xf32>) -> tensor<4x8xf32>
  %all = linalg.generic {indexing_maps = [#element, #sum], iterator_types = ["parallel", "reduction", "parallel"]}
    ins(%rows : tensor<4x8x8xf32>) outs(%f : tensor<4x8xf32>) {
  ^bb0(%t: f32, %o: f32):
    %next = arith.addf %o, %t : f32
    linalg.yield %next : f32
  } -> tensor<4x8xf32>
  return %all : tensor<4x8xf32>
}

// -----

#head = affine_map<(b, h, q, k, d, e) -> (b, q, h, d)>
#key = affine_map<(b, h, q, k, d, e) -> (b, k, h, d)>
#value = affine_map<(b, h, q, k, d, e) -> (b, k, h, e)>
#out = affine_map<(b, h, q, k, d, e) -> (b, q, h, e)>

// The first row of a sequence is always there. Here the number of rows is known, that of tokens is not.

// REMARK: remark: [Passed] RemovePadding
// CHECK-LABEL: func.func @first_row
// UNDEFINED-LABEL: func.func @first_row
// CHECK: %[[TOKENS:.+]] = arith.minsi %{{.+}}, %c32
// CHECK: tensor.empty(%[[TOKENS]]) : tensor<?x8xf32>
// CHECK: linalg.fill
// CHECK: %[[ROWS:.+]] = scf.forall {{.+}} -> (tensor<4x8x8xf32>)
// CHECK: tensor.extract_slice %[[ROWS]][0, 0, 0] [4, 1, 8]
func.func @first_row(%x: tensor<32x8xf32>, %mask: tensor<4x8xi64>, %p: tensor<8x8xf32>) -> tensor<4x8xf32> {
  %e0 = tensor.empty() : tensor<4x4xi64>
  %ranges = attn.key_ranges ins(%mask : tensor<4x8xi64>) outs(%e0 : tensor<4x4xi64>) -> tensor<4x4xi64>
  %e1 = tensor.empty() : tensor<32x8xf32>
  %q = attn.linear ins(%x, %p : tensor<32x8xf32>, tensor<8x8xf32>) outs(%e1 : tensor<32x8xf32>) -> tensor<32x8xf32> {
  ^bb0(%t: f32):
    attn.yield %t : f32
  }
  %heads = tensor.expand_shape %q [[0, 1], [2, 3]] output_shape [4, 8, 2, 4] : tensor<32x8xf32> into tensor<4x8x2x4xf32>
  %e2 = tensor.empty() : tensor<4x8x2x4xf32>
  %a = attn.attention ins(%heads, %heads, %heads : tensor<4x8x2x4xf32>, tensor<4x8x2x4xf32>, tensor<4x8x2x4xf32>)
    ranges(%ranges : tensor<4x4xi64>) key_mask(%mask : tensor<4x8xi64>) outs(%e2 : tensor<4x8x2x4xf32>) -> tensor<4x8x2x4xf32>
    maps [#head, #key, #value, #out]
  %m = tensor.collapse_shape %a [[0, 1], [2, 3]] : tensor<4x8x2x4xf32> into tensor<32x8xf32>
  %y = attn.linear ins(%m, %p : tensor<32x8xf32>, tensor<8x8xf32>) outs(%e1 : tensor<32x8xf32>) -> tensor<32x8xf32> {
  ^bb0(%t: f32):
    attn.yield %t : f32
  }
  %rows = tensor.expand_shape %y [[0, 1], [2]] output_shape [4, 8, 8] : tensor<32x8xf32> into tensor<4x8x8xf32>
  %first = tensor.extract_slice %rows[0, 0, 0] [4, 1, 8] [1, 1, 1] : tensor<4x8x8xf32> to tensor<4x8xf32>
  return %first : tensor<4x8xf32>
}

// -----

#head = affine_map<(b, h, q, k, d, e) -> (b, q, h, d)>
#key = affine_map<(b, h, q, k, d, e) -> (b, k, h, d)>
#value = affine_map<(b, h, q, k, d, e) -> (b, k, h, e)>
#out = affine_map<(b, h, q, k, d, e) -> (b, q, h, e)>

// In cross-attention the mask says nothing of the rows of queries, even where there are as many as keys.

// REMARK: remark: [Missed] RemovePadding
// REMARK-SAME: padding stays: queries and keys are of different rows
// UNDEFINED-LABEL: func.func @cross
// UNDEFINED-NOT: scf.forall
func.func @cross(%x: tensor<32x8xf32>, %z: tensor<32x8xf32>, %mask: tensor<4x8xi64>, %p: tensor<8x8xf32>) -> tensor<4x8x8xf32> {
  %e0 = tensor.empty() : tensor<4x4xi64>
  %ranges = attn.key_ranges ins(%mask : tensor<4x8xi64>) outs(%e0 : tensor<4x4xi64>) -> tensor<4x4xi64>
  %e1 = tensor.empty() : tensor<32x8xf32>
  %q = attn.linear ins(%x, %p : tensor<32x8xf32>, tensor<8x8xf32>) outs(%e1 : tensor<32x8xf32>) -> tensor<32x8xf32> {
  ^bb0(%t: f32):
    attn.yield %t : f32
  }
  %k = attn.linear ins(%z, %p : tensor<32x8xf32>, tensor<8x8xf32>) outs(%e1 : tensor<32x8xf32>) -> tensor<32x8xf32> {
  ^bb0(%t: f32):
    attn.yield %t : f32
  }
  %queries = tensor.expand_shape %q [[0, 1], [2, 3]] output_shape [4, 8, 2, 4] : tensor<32x8xf32> into tensor<4x8x2x4xf32>
  %keys = tensor.expand_shape %k [[0, 1], [2, 3]] output_shape [4, 8, 2, 4] : tensor<32x8xf32> into tensor<4x8x2x4xf32>
  %e2 = tensor.empty() : tensor<4x8x2x4xf32>
  %a = attn.attention ins(%queries, %keys, %keys : tensor<4x8x2x4xf32>, tensor<4x8x2x4xf32>, tensor<4x8x2x4xf32>)
    ranges(%ranges : tensor<4x4xi64>) key_mask(%mask : tensor<4x8xi64>) outs(%e2 : tensor<4x8x2x4xf32>) -> tensor<4x8x2x4xf32>
    maps [#head, #key, #value, #out]
  %m = tensor.collapse_shape %a [[0, 1], [2, 3]] : tensor<4x8x2x4xf32> into tensor<32x8xf32>
  %y = attn.linear ins(%m, %p : tensor<32x8xf32>, tensor<8x8xf32>) outs(%e1 : tensor<32x8xf32>) -> tensor<32x8xf32> {
  ^bb0(%t: f32):
    attn.yield %t : f32
  }
  %rows = tensor.expand_shape %y [[0, 1], [2]] output_shape [4, 8, 8] : tensor<32x8xf32> into tensor<4x8x8xf32>
  return %rows : tensor<4x8x8xf32>
}
