// RUN: attn-opt %s --attn-fold-mask --split-input-file | FileCheck %s
// RUN: attn-opt %s --attn-fold-mask --split-input-file --remarks-filter=attn-fuse --remark-format=emitRemark 2>&1 | FileCheck %s --check-prefix=REMARK

#q = affine_map<(b, h, q, k, d, e) -> (b, q, h, d)>
#k = affine_map<(b, h, q, k, d, e) -> (b, k, h, d)>
#v = affine_map<(b, h, q, k, d, e) -> (b, k, h, e)>
#m = affine_map<(b, h, q, k, d, e) -> (b, k)>
#o = affine_map<(b, h, q, k, d, e) -> (b, q, h, e)>

// Two layers with the same mask share the ranges, which are found right where the mask is.

// CHECK-LABEL: func.func @key_mask
// CHECK-SAME: %[[MASK:[a-z0-9]+]]: tensor<?x?xi64>
// CHECK: %[[B:.*]] = tensor.dim %[[MASK]], %c0
// CHECK: %[[E:.*]] = tensor.empty(%[[B]]) : tensor<?x4xi64>
// CHECK: %[[R:.*]] = attn.key_ranges ins(%[[MASK]] : tensor<?x?xi64>) outs(%[[E]] : tensor<?x4xi64>)
// CHECK-NOT: key_ranges
// CHECK: attn.attention ins({{.*}}) ranges(%[[R]] : tensor<?x4xi64>) key_mask(%[[MASK]] : tensor<?x?xi64>) outs(
// CHECK-NOT: mapped
// CHECK-SAME: maps [#{{.*}}, #{{.*}}, #{{.*}}, #{{[a-z0-9]+}}]
// CHECK-NOT: attn.yield
// CHECK: attn.attention ins({{.*}}) ranges(%[[R]] : tensor<?x4xi64>) key_mask(%[[MASK]] : tensor<?x?xi64>) outs(
// REMARK: [Passed] FoldMask | Category:attn-fuse | Function=key_mask | Remark="mask became key ranges"
func.func @key_mask(%mask: tensor<?x?xi64>, %x: tensor<?x?x4x16xf32>, %init: tensor<?x?x4x16xf32>) -> tensor<?x?x4x16xf32> {
  %0 = attn.attention ins(%x, %x, %x : tensor<?x?x4x16xf32>, tensor<?x?x4x16xf32>, tensor<?x?x4x16xf32>)
    mapped(%mask : tensor<?x?xi64>) outs(%init : tensor<?x?x4x16xf32>) -> tensor<?x?x4x16xf32> maps [#q, #k, #v, #m, #o] mask {
  ^bb0(%b: index, %h: index, %q: index, %k: index, %e: i64):
    %zero = arith.constant 0 : i64
    %t = arith.cmpi ne, %e, %zero : i64
    attn.yield %t : i1
  }
  %1 = attn.attention ins(%0, %0, %0 : tensor<?x?x4x16xf32>, tensor<?x?x4x16xf32>, tensor<?x?x4x16xf32>)
    mapped(%mask : tensor<?x?xi64>) outs(%init : tensor<?x?x4x16xf32>) -> tensor<?x?x4x16xf32> maps [#q, #k, #v, #m, #o] mask {
  ^bb0(%b: index, %h: index, %q: index, %k: index, %e: i64):
    %zero = arith.constant 0 : i64
    %t = arith.cmpi ugt, %e, %zero : i64
    attn.yield %t : i1
  }
  return %1 : tensor<?x?x4x16xf32>
}

// -----

#q = affine_map<(b, h, q, k, d, e) -> (b, q, h, d)>
#k = affine_map<(b, h, q, k, d, e) -> (b, k, h, d)>
#v = affine_map<(b, h, q, k, d, e) -> (b, k, h, e)>
#m = affine_map<(b, h, q, k, d, e) -> (b, k)>
#o = affine_map<(b, h, q, k, d, e) -> (b, q, h, e)>

// A causal mask and a padding mask of bits: the padding leaves the region, the causal test stays.

// CHECK-LABEL: func.func @conjunction
// CHECK-SAME: %[[MASK:[a-z0-9]+]]: tensor<2x5xi1>
// CHECK: %[[R:.*]] = attn.key_ranges ins(%[[MASK]] : tensor<2x5xi1>)
// CHECK: attn.attention {{.*}} ranges(%[[R]] : tensor<2x4xi64>) key_mask(%[[MASK]] : tensor<2x5xi1>) outs
// CHECK: ^bb0(%{{.*}}: index, %{{.*}}: index, %[[Q:.*]]: index, %[[K:.*]]: index):
// CHECK-NEXT: %[[C:.*]] = arith.cmpi ule, %[[K]], %[[Q]] : index
// CHECK-NEXT: attn.yield %[[C]] : i1
// REMARK: [Passed] FoldMask | Category:attn-fuse | Function=conjunction | Remark="part of the mask became key ranges"
// REMARK: [Missed] FoldMask | Category:attn-fuse | Function=conjunction | Remark="a mask region stays: the op has a key mask already"
func.func @conjunction(%mask: tensor<2x5xi1>, %x: tensor<2x5x4x16xf32>) -> tensor<2x5x4x16xf32> {
  %0 = attn.attention ins(%x, %x, %x : tensor<2x5x4x16xf32>, tensor<2x5x4x16xf32>, tensor<2x5x4x16xf32>)
    mapped(%mask : tensor<2x5xi1>) outs(%x : tensor<2x5x4x16xf32>) -> tensor<2x5x4x16xf32> maps [#q, #k, #v, #m, #o] mask {
  ^bb0(%b: index, %h: index, %q: index, %k: index, %e: i1):
    %causal = arith.cmpi ule, %k, %q : index
    %t = arith.andi %e, %causal : i1
    attn.yield %t : i1
  }
  return %0 : tensor<2x5x4x16xf32>
}

// -----

#q = affine_map<(b, h, q, k, d, e) -> (b, q, h, d)>
#k = affine_map<(b, h, q, k, d, e) -> (b, k, h, d)>
#v = affine_map<(b, h, q, k, d, e) -> (b, k, h, e)>
#m = affine_map<(b, h, q, k, d, e) -> (b, k)>
#o = affine_map<(b, h, q, k, d, e) -> (b, q, h, e)>

// The score region reads the mask too, so it stays mapped; both regions keep their arguments in step.

// CHECK-LABEL: func.func @score_reads
// CHECK: attn.attention {{.*}} ranges({{.*}}) key_mask({{.*}}) mapped(%{{.*}} : tensor<2x5xi32>) outs
// CHECK-SAME: score {
// CHECK: ^bb0(%{{.*}}: f32, %{{.*}}: index, %{{.*}}: index, %{{.*}}: index, %{{.*}}: index, %{{.*}}: i32):
// CHECK-NOT: mask {
func.func @score_reads(%mask: tensor<2x5xi32>, %x: tensor<2x5x4x16xf32>) -> tensor<2x5x4x16xf32> {
  %0 = attn.attention ins(%x, %x, %x : tensor<2x5x4x16xf32>, tensor<2x5x4x16xf32>, tensor<2x5x4x16xf32>)
    mapped(%mask : tensor<2x5xi32>) outs(%x : tensor<2x5x4x16xf32>) -> tensor<2x5x4x16xf32> maps [#q, #k, #v, #m, #o] score {
  ^bb0(%s: f32, %b: index, %h: index, %q: index, %k: index, %e: i32):
    %f = arith.sitofp %e : i32 to f32
    %t = arith.addf %s, %f : f32
    attn.yield %t : f32
  } mask {
  ^bb0(%b: index, %h: index, %q: index, %k: index, %e: i32):
    %zero = arith.constant 0 : i32
    %t = arith.cmpi ne, %zero, %e : i32
    attn.yield %t : i1
  }
  return %0 : tensor<2x5x4x16xf32>
}

// -----

#q = affine_map<(b, h, q, k, d, e) -> (b, q, h, d)>
#k = affine_map<(b, h, q, k, d, e) -> (b, k, h, d)>
#v = affine_map<(b, h, q, k, d, e) -> (b, k, h, e)>
#m = affine_map<(b, h, q, k, d, e) -> (b, q)>
#o = affine_map<(b, h, q, k, d, e) -> (b, q, h, e)>

// A mask of queries, and a test for a value that isn't 0, are not key masks.

// CHECK-LABEL: func.func @stays
// CHECK-NOT: key_ranges
// CHECK-COUNT-2: attn.yield %{{.*}} : i1
// REMARK: [Missed] FoldMask | Category:attn-fuse | Function=stays | Remark="a mask region stays: the mask region tests an element that is not read by (b, k) alone"
// REMARK: [Missed] FoldMask | Category:attn-fuse | Function=stays | Remark="a mask region stays: the mask region does not test that an element is not 0"
func.func @stays(%mask: tensor<5x5xi32>, %x: tensor<5x5x4x16xf32>) -> tensor<5x5x4x16xf32> {
  %0 = attn.attention ins(%x, %x, %x : tensor<5x5x4x16xf32>, tensor<5x5x4x16xf32>, tensor<5x5x4x16xf32>)
    mapped(%mask : tensor<5x5xi32>) outs(%x : tensor<5x5x4x16xf32>) -> tensor<5x5x4x16xf32> maps [#q, #k, #v, #m, #o] mask {
  ^bb0(%b: index, %h: index, %q: index, %k: index, %e: i32):
    %zero = arith.constant 0 : i32
    %t = arith.cmpi ne, %e, %zero : i32
    attn.yield %t : i1
  }
  %1 = attn.attention ins(%0, %x, %x : tensor<5x5x4x16xf32>, tensor<5x5x4x16xf32>, tensor<5x5x4x16xf32>)
    mapped(%mask : tensor<5x5xi32>) outs(%x : tensor<5x5x4x16xf32>) -> tensor<5x5x4x16xf32> maps [#q, #k, #v, affine_map<(b, h, q, k, d, e) -> (b, k)>, #o] mask {
  ^bb0(%b: index, %h: index, %q: index, %k: index, %e: i32):
    %one = arith.constant 1 : i32
    %t = arith.cmpi eq, %e, %one : i32
    attn.yield %t : i1
  }
  return %1 : tensor<5x5x4x16xf32>
}

// -----

#q = affine_map<(b, h, q, k, d, e) -> (b, q, h, d)>
#k = affine_map<(b, h, q, k, d, e) -> (b, k, h, d)>
#v = affine_map<(b, h, q, k, d, e) -> (b, k, h, e)>
#b = affine_map<(b, h, q, k, d, e) -> (b)>
#o = affine_map<(b, h, q, k, d, e) -> (b, q, h, e)>

// The first and last key of a batch row are a range without holes; an i8 does not hold every index.

// CHECK-LABEL: func.func @bounds
// CHECK-SAME: %[[FIRST:[a-z0-9]+]]: tensor<2xi32>, %[[LAST:[a-z0-9]+]]: tensor<2xi64>
// CHECK: %[[R:.*]] = linalg.generic {{.*}} ins(%[[FIRST]], %[[LAST]] : tensor<2xi32>, tensor<2xi64>) outs(%{{.*}} : tensor<2x4xi64>)
// CHECK: ^bb0(%[[F:.*]]: i32, %[[L:.*]]: i64, %{{.*}}: i64):
// CHECK: %[[WIDE:.*]] = arith.extsi %[[F]] : i32 to i64
// CHECK: %[[BEGIN:.*]] = arith.maxsi %[[WIDE]], %c0_i64 : i64
// CHECK: %[[AFTER:.*]] = arith.addi %[[L]], %c1_i64 : i64
// CHECK: arith.cmpi sge, %[[BEGIN]], %[[AFTER]] : i64
// CHECK: attn.attention {{.*}} ranges(%[[R]] : tensor<2x4xi64>) outs
// CHECK-NOT: attn.yield
// CHECK: attn.attention {{.*}} mapped(%{{.*}} : tensor<2xi8>) outs
// CHECK: attn.yield
// REMARK: [Passed] FoldMask | Category:attn-fuse | Function=bounds | Remark="bounds became key ranges"
func.func @bounds(%first: tensor<2xi32>, %last: tensor<2xi64>, %short: tensor<2xi8>, %x: tensor<2x5x4x16xf32>) -> tensor<2x5x4x16xf32> {
  %0 = attn.attention ins(%x, %x, %x : tensor<2x5x4x16xf32>, tensor<2x5x4x16xf32>, tensor<2x5x4x16xf32>)
    mapped(%first, %last : tensor<2xi32>, tensor<2xi64>) outs(%x : tensor<2x5x4x16xf32>) -> tensor<2x5x4x16xf32> maps [#q, #k, #v, #b, #b, #o] mask {
  ^bb0(%b: index, %h: index, %q: index, %k: index, %f: i32, %l: i64):
    %begin = arith.index_cast %f : i32 to index
    %after = arith.cmpi sle, %begin, %k : index
    %i = arith.index_cast %k : index to i64
    %before = arith.cmpi sle, %i, %l : i64
    %t = arith.andi %after, %before : i1
    attn.yield %t : i1
  }
  %1 = attn.attention ins(%0, %x, %x : tensor<2x5x4x16xf32>, tensor<2x5x4x16xf32>, tensor<2x5x4x16xf32>)
    mapped(%short : tensor<2xi8>) outs(%x : tensor<2x5x4x16xf32>) -> tensor<2x5x4x16xf32> maps [#q, #k, #v, #b, #o] mask {
  ^bb0(%b: index, %h: index, %q: index, %k: index, %l: i8):
    %i = arith.index_cast %k : index to i8
    %t = arith.cmpi slt, %i, %l : i8
    attn.yield %t : i1
  }
  return %1 : tensor<2x5x4x16xf32>
}

// -----

#q = affine_map<(b, h, q, k, d, e) -> (b, q, h, d)>
#k = affine_map<(b, h, q, k, d, e) -> (b, k, h, d)>
#v = affine_map<(b, h, q, k, d, e) -> (b, k, h, e)>
#o = affine_map<(b, h, q, k, d, e) -> (b, q, h, e)>

// A key mask alone gets its ranges.

// CHECK-LABEL: func.func @mask_alone
// CHECK-SAME: %[[MASK:[a-z0-9]+]]: tensor<2x5xi32>
// CHECK: %[[R:.*]] = attn.key_ranges ins(%[[MASK]] : tensor<2x5xi32>)
// CHECK: attn.attention {{.*}} ranges(%[[R]] : tensor<2x4xi64>) key_mask(%[[MASK]] : tensor<2x5xi32>) outs
// REMARK: [Passed] FoldMask | Category:attn-fuse | Function=mask_alone | Remark="the key mask got key ranges"
func.func @mask_alone(%mask: tensor<2x5xi32>, %x: tensor<2x5x4x16xf32>) -> tensor<2x5x4x16xf32> {
  %0 = attn.attention ins(%x, %x, %x : tensor<2x5x4x16xf32>, tensor<2x5x4x16xf32>, tensor<2x5x4x16xf32>)
    key_mask(%mask : tensor<2x5xi32>) outs(%x : tensor<2x5x4x16xf32>) -> tensor<2x5x4x16xf32> maps [#q, #k, #v, #o]
  return %0 : tensor<2x5x4x16xf32>
}
