// RUN: attn-opt %s --attn-insert-checks --canonicalize --split-input-file | FileCheck %s

// What symbols and types say is not checked again.
// CHECK-LABEL: func.func @known
// CHECK-NOT: attn.check
func.func @known(%x: tensor<?x8xf32> {attn.shape = ["n", 8]}, %y: tensor<?x8xf32> {attn.shape = ["n", 8]}) -> tensor<?x8xf32> {
  %0 = arith.addf %x, %y : tensor<?x8xf32>
  %1 = arith.mulf %0, %x : tensor<?x8xf32>
  return %1 : tensor<?x8xf32>
}

// -----

// Two sizes that only a computation could make equal are checked once, at the beginning.
// CHECK-LABEL: func.func @computed
// CHECK-SAME: (%[[X:.+]]: tensor<?xf32> {{.*}}, %[[Y:.+]]: tensor<?xf32>
// CHECK: %[[EQUAL:.+]] = arith.cmpi eq, %{{.+}}, %{{.+}} : index
// CHECK: attn.check %[[EQUAL]] violates shape
// CHECK-NOT: attn.check
// CHECK: tensor.extract_slice
func.func @computed(%x: tensor<?xf32> {attn.shape = ["n"]}, %y: tensor<?xf32> {attn.shape = ["m"]}) -> tensor<?xf32> {
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %n = tensor.dim %x, %c0 : tensor<?xf32>
  %least = arith.minui %n, %c2 : index
  %0 = tensor.extract_slice %x[0] [%least] [1] : tensor<?xf32> to tensor<?xf32>
  %1 = arith.addf %0, %y : tensor<?xf32>
  %2 = arith.mulf %0, %y : tensor<?xf32>
  return %2 : tensor<?xf32>
}

// -----

// A slice needs a tensor that is large enough, an index one that has it.
// CHECK-LABEL: func.func @slice
// CHECK: attn.check %{{.+}} violates shape
// CHECK: tensor.extract_slice
// CHECK: attn.check %{{.+}} violates index
// CHECK: tensor.extract
func.func @slice(%x: tensor<?xf32> {attn.shape = ["n"]}, %p: tensor<1xi64> {attn.shape = [1]}) -> (tensor<4xf32>, f32) {
  %c0 = arith.constant 0 : index
  %0 = tensor.extract_slice %x[3] [4] [1] : tensor<?xf32> to tensor<4xf32>
  %1 = tensor.extract %p[%c0] : tensor<1xi64>
  %2 = arith.index_cast %1 : i64 to index
  %3 = tensor.extract %0[%2] : tensor<4xf32>
  return %0, %3 : tensor<4xf32>, f32
}

// -----

// A loop that keeps what it carries as large as it was; a branch whose sides are equally large.
// CHECK-LABEL: func.func @control
// CHECK-NOT: attn.check
func.func @control(%x: tensor<?xf32> {attn.shape = ["n"]}, %flag: i1, %begin: index, %end: index, %step: index) -> tensor<?xf32> {
  %0 = scf.for %i = %begin to %end step %step iter_args(%y = %x) -> tensor<?xf32> {
    %1 = scf.if %flag -> tensor<?xf32> {
      %2 = arith.addf %y, %x : tensor<?xf32>
      scf.yield %2 : tensor<?xf32>
    } else {
      scf.yield %y : tensor<?xf32>
    }
    scf.yield %1 : tensor<?xf32>
  }
  %3 = arith.addf %0, %x : tensor<?xf32>
  return %3 : tensor<?xf32>
}

// -----

// Groups of heads that are known at run time only.
// CHECK-LABEL: func.func @groups
// CHECK: %[[GROUPS:.+]] = arith.ceildivsi %{{.+}}, %c2
// CHECK: arith.cmpi eq, %{{.+}}, %[[GROUPS]]
// CHECK: attn.check
func.func @groups(%q: tensor<2x5x?x8xf32> {attn.shape = [2, 5, "h", 8]}, %k: tensor<2x6x?x8xf32> {attn.shape = [2, 6, "g", 8]}, %init: tensor<2x5x?x8xf32> {attn.shape = [2, 5, "h", 8]}) -> tensor<2x5x?x8xf32> {
  %0 = attn.attention ins(%q, %k, %k : tensor<2x5x?x8xf32>, tensor<2x6x?x8xf32>, tensor<2x6x?x8xf32>) outs(%init : tensor<2x5x?x8xf32>) -> tensor<2x5x?x8xf32>
      maps [affine_map<(b, h, q, k, d, e) -> (b, q, h, d)>, affine_map<(b, h, q, k, d, e) -> (b, k, h floordiv 2, d)>,
            affine_map<(b, h, q, k, d, e) -> (b, k, h floordiv 2, e)>, affine_map<(b, h, q, k, d, e) -> (b, q, h, e)>]
  return %0 : tensor<2x5x?x8xf32>
}

// -----

// A table that may have no rows, and one of positions that may be short.
// CHECK-LABEL: func.func @tables
// CHECK-DAG: attn.check %{{.+}} violates index
// CHECK-DAG: attn.check %{{.+}} violates shape
func.func @tables(%ids: tensor<2x?xi64> {attn.shape = [2, "s"]}, %words: tensor<?x8xf32> {attn.shape = ["r", 8]}, %places: tensor<?x8xf32> {attn.shape = ["p", 8]}, %init: tensor<2x?x8xf32> {attn.shape = [2, "s", 8]}) -> tensor<2x?x8xf32> {
  %0 = attn.embedding ins(%ids : tensor<2x?xi64>) tables(%words : tensor<?x8xf32>) positions(%places : tensor<?x8xf32>) outs(%init : tensor<2x?x8xf32>) -> tensor<2x?x8xf32>
  return %0 : tensor<2x?x8xf32>
}

// -----

// A convolution reads as far as its loops reach.
// CHECK-LABEL: func.func @convolution
// CHECK: attn.check %{{.+}} violates shape
// CHECK: linalg.conv_1d
func.func @convolution(%x: tensor<?xf32> {attn.shape = ["n"]}, %w: tensor<?xf32> {attn.shape = ["k"]}, %o: tensor<?xf32> {attn.shape = ["m"]}) -> tensor<?xf32> {
  %0 = linalg.conv_1d ins(%x, %w : tensor<?xf32>, tensor<?xf32>) outs(%o : tensor<?xf32>) -> tensor<?xf32>
  return %0 : tensor<?xf32>
}

// -----

// Indices that the entry's own range says nothing of are checked one by one.

// CHECK-LABEL: func.func @rows
// CHECK-SAME: %[[GIVEN:[a-z0-9]+]]: tensor<?xi64> {attn.index_range
// CHECK-SAME: %[[OTHER:[a-z0-9]+]]: tensor<?xi32>
// CHECK: %[[CHECKED:.+]] = linalg.generic {{.*}} ins(%[[OTHER]] : tensor<?xi32>)
// CHECK:   %[[I:.+]] = arith.index_cast %{{.+}} : i32 to index
// CHECK:   %[[INSIDE:.+]] = arith.cmpi ult, %[[I]], %c7
// CHECK:   attn.check %[[INSIDE]] violates index
// CHECK: attn.embedding ins(%[[GIVEN]], %[[CHECKED]] :
func.func @rows(%given: tensor<?xi64> {attn.index_range = array<i64: 0, 5>}, %other: tensor<?xi32>, %a: tensor<5x4xf32>, %b: tensor<7x4xf32>, %init: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %0 = attn.embedding ins(%given, %other : tensor<?xi64>, tensor<?xi32>) tables(%a, %b : tensor<5x4xf32>, tensor<7x4xf32>) outs(%init : tensor<?x4xf32>) -> tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}

// Those that are known are not.

// CHECK-LABEL: func.func @known_rows
// CHECK-NOT: linalg.generic
// CHECK: attn.embedding ins(%{{.+}}, %{{.+}} :
func.func @known_rows(%a: tensor<5x4xf32>, %init: tensor<2x4xf32>, %e: tensor<2xi64>) -> tensor<2x4xf32> {
  %c3 = arith.constant 3 : i64
  %f = linalg.fill ins(%c3 : i64) outs(%e : tensor<2xi64>) -> tensor<2xi64>
  %g = arith.constant dense<[0, 4]> : tensor<2xi64>
  %0 = attn.embedding ins(%f, %g : tensor<2xi64>, tensor<2xi64>) tables(%a, %a : tensor<5x4xf32>, tensor<5x4xf32>) outs(%init : tensor<2x4xf32>) -> tensor<2x4xf32>
  return %0 : tensor<2x4xf32>
}

// CHECK-LABEL: func.func @beyond
// CHECK: attn.check
func.func @beyond(%a: tensor<5x4xf32>, %init: tensor<2x4xf32>) -> tensor<2x4xf32> {
  %g = arith.constant dense<[0, 5]> : tensor<2xi64>
  %0 = attn.embedding ins(%g : tensor<2xi64>) tables(%a : tensor<5x4xf32>) outs(%init : tensor<2x4xf32>) -> tensor<2x4xf32>
  return %0 : tensor<2x4xf32>
}
