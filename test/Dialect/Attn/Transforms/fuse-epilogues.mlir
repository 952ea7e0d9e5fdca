// RUN: attn-opt %s --attn-fuse-epilogues --split-input-file --mlir-print-local-scope | FileCheck %s
// RUN: attn-opt %s --attn-fuse-epilogues --split-input-file --remarks-filter=attn-fuse --remark-format=emitRemark 2>&1 | FileCheck %s --check-prefix=REMARK

// An activation, then a residual that is computed after the linear.

// CHECK-LABEL: func.func @chain
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<?x8xf32>, %{{.*}}: tensor<8x8xf32>, %[[BIAS:[a-z0-9]+]]: tensor<8xf32>
// CHECK: %[[R:.*]] = math.absf %[[X]]
// CHECK: %[[L:.*]] = attn.linear ins(%[[X]], {{.*}}) extras(%[[BIAS]], %[[R]] : tensor<8xf32>, tensor<?x8xf32>) {{.*}} maps [affine_map<(d0, d1) -> (d1)>, affine_map<(d0, d1) -> (d0, d1)>]
// CHECK: ^bb0(%[[SUM:.*]]: f32, %[[B:.*]]: f32, %[[E:.*]]: f32):
// CHECK-NEXT: %[[S0:.*]] = arith.addf %[[SUM]], %[[B]] : f32
// CHECK-NEXT: %[[S1:.*]] = attn.gelu %[[S0]] : f32
// CHECK-NEXT: %[[S2:.*]] = arith.addf %[[E]], %[[S1]] : f32
// CHECK-NEXT: attn.yield %[[S2]] : f32
// CHECK: return %[[L]]
// REMARK: [Passed] FuseEpilogues | Category:attn-fuse | Function=chain | Remark="attn.gelu entered the epilogue"
// REMARK: [Passed] FuseEpilogues | Category:attn-fuse | Function=chain | Remark="arith.addf entered the epilogue"
func.func @chain(%x: tensor<?x8xf32>, %w: tensor<8x8xf32>, %bias: tensor<8xf32>, %e: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %l = attn.linear ins(%x, %w : tensor<?x8xf32>, tensor<8x8xf32>) extras(%bias : tensor<8xf32>) outs(%e : tensor<?x8xf32>) -> tensor<?x8xf32> maps [affine_map<(m, n) -> (n)>] {
  ^bb0(%sum: f32, %b: f32):
    %0 = arith.addf %sum, %b : f32
    attn.yield %0 : f32
  }
  %g = attn.gelu %l : tensor<?x8xf32>
  %r = math.absf %x : tensor<?x8xf32>
  %y = arith.addf %r, %g : tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}

// -----

// Constants come into the region: a dense splat, a splat and a fill. A square reads the sum twice.

// CHECK-LABEL: func.func @constants
// CHECK: attn.linear ins({{.*}}) outs(
// CHECK: ^bb0(%[[SUM:.*]]: f32):
// CHECK-DAG: %[[TWO:.*]] = arith.constant 2.0{{.*}} : f32
// CHECK-DAG: %[[THREE:.*]] = arith.constant 3.0{{.*}} : f32
// CHECK-DAG: %[[FOUR:.*]] = arith.constant 4.0{{.*}} : f32
// CHECK: %[[A:.*]] = arith.mulf %[[SUM]], %[[TWO]] : f32
// CHECK: %[[B:.*]] = arith.maximumf %[[A]], %[[THREE]] : f32
// CHECK: %[[C:.*]] = arith.subf %[[B]], %[[FOUR]] : f32
// CHECK: %[[D:.*]] = arith.mulf %[[C]], %[[C]] : f32
// CHECK: attn.yield %[[D]] : f32
func.func @constants(%x: tensor<5x8xf32>, %w: tensor<8x8xf32>, %e: tensor<5x8xf32>) -> tensor<5x8xf32> {
  %l = attn.linear ins(%x, %w : tensor<5x8xf32>, tensor<8x8xf32>) outs(%e : tensor<5x8xf32>) -> tensor<5x8xf32> {
  ^bb0(%sum: f32):
    attn.yield %sum : f32
  }
  %two = arith.constant dense<2.0> : tensor<5x8xf32>
  %a = arith.mulf %l, %two : tensor<5x8xf32>
  %3 = arith.constant 3.0 : f32
  %three = tensor.splat %3 : tensor<5x8xf32>
  %b = arith.maximumf %a, %three : tensor<5x8xf32>
  %4 = arith.constant 4.0 : f32
  %four = linalg.fill ins(%4 : f32) outs(%e : tensor<5x8xf32>) -> tensor<5x8xf32>
  %c = arith.subf %b, %four : tensor<5x8xf32>
  %d = arith.mulf %c, %c : tensor<5x8xf32>
  return %d : tensor<5x8xf32>
}

// -----

// A generic op: operands keep their maps, a value that is read the same way already is read once, constants from outside
// are cloned.

// CHECK-LABEL: func.func @generic
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<?x8xf32>, %{{.*}}: tensor<8x8xf32>, %[[C:[a-z0-9]+]]: tensor<8xf32>, %[[R:[a-z0-9]+]]: tensor<?xf32>
// CHECK: attn.linear ins(%[[X]], {{.*}}) extras(%[[C]], %[[R]] : tensor<8xf32>, tensor<?xf32>) {{.*}} maps [affine_map<(d0, d1) -> (d1)>, affine_map<(d0, d1) -> (d0)>]
// CHECK: ^bb0(%[[SUM:.*]]: f32, %[[CE:.*]]: f32, %[[RE:.*]]: f32):
// CHECK: %[[ONE:.*]] = arith.constant 1.0{{.*}} : f32
// CHECK: %[[S0:.*]] = arith.addf %[[SUM]], %[[CE]] : f32
// CHECK: %[[S1:.*]] = arith.mulf %[[S0]], %[[RE]] : f32
// CHECK: %[[S2:.*]] = arith.addf %[[S1]], %[[CE]] : f32
// CHECK: %[[S3:.*]] = arith.addf %[[S2]], %[[ONE]] : f32
// CHECK: attn.yield %[[S3]] : f32
// CHECK-NOT: linalg.generic
func.func @generic(%x: tensor<?x8xf32>, %w: tensor<8x8xf32>, %column: tensor<8xf32>, %row: tensor<?xf32>, %e: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %one = arith.constant 1.0 : f32
  %l = attn.linear ins(%x, %w : tensor<?x8xf32>, tensor<8x8xf32>) extras(%column : tensor<8xf32>) outs(%e : tensor<?x8xf32>) -> tensor<?x8xf32> maps [affine_map<(m, n) -> (n)>] {
  ^bb0(%sum: f32, %b: f32):
    %0 = arith.addf %sum, %b : f32
    attn.yield %0 : f32
  }
  %g = linalg.generic {indexing_maps = [affine_map<(m, n) -> (m, n)>, affine_map<(m, n) -> (m)>, affine_map<(m, n) -> (n)>, affine_map<(m, n) -> (m, n)>],
                       iterator_types = ["parallel", "parallel"]}
    ins(%l, %row, %column : tensor<?x8xf32>, tensor<?xf32>, tensor<8xf32>) outs(%e : tensor<?x8xf32>) {
  ^bb0(%in: f32, %r: f32, %c: f32, %out: f32):
    %0 = arith.mulf %in, %r : f32
    %1 = arith.addf %0, %c : f32
    %2 = arith.addf %1, %one : f32
    linalg.yield %2 : f32
  } -> tensor<?x8xf32>
  return %g : tensor<?x8xf32>
}

// -----

// A result that is used elsewhere, another element type and a transposing read stay outside.

// CHECK-LABEL: func.func @stays
// CHECK-COUNT-3: attn.yield %{{[a-z0-9]+}} : f32
// CHECK: attn.gelu %{{.*}} : tensor<8x8xf32>
// CHECK: arith.truncf
// CHECK: linalg.generic
// REMARK: [Missed] FuseEpilogues | Category:attn-fuse | Function=stays | Remark="attn.gelu is not the only user of the linear"
// REMARK: [Missed] FuseEpilogues | Category:attn-fuse | Function=stays | Remark="arith.truncf has a result of another type"
func.func @stays(%x: tensor<8x8xf32>, %w: tensor<8x8xf32>, %e: tensor<8x8xf32>) -> (tensor<8x8xf32>, tensor<8x8xf32>, tensor<8x8xf16>, tensor<8x8xf32>) {
  %a = attn.linear ins(%x, %w : tensor<8x8xf32>, tensor<8x8xf32>) outs(%e : tensor<8x8xf32>) -> tensor<8x8xf32> {
  ^bb0(%sum: f32):
    attn.yield %sum : f32
  }
  %b = attn.linear ins(%a, %w : tensor<8x8xf32>, tensor<8x8xf32>) outs(%e : tensor<8x8xf32>) -> tensor<8x8xf32> {
  ^bb0(%sum: f32):
    attn.yield %sum : f32
  }
  %c = attn.linear ins(%b, %w : tensor<8x8xf32>, tensor<8x8xf32>) outs(%e : tensor<8x8xf32>) -> tensor<8x8xf32> {
  ^bb0(%sum: f32):
    attn.yield %sum : f32
  }
  %g = attn.gelu %a : tensor<8x8xf32>
  %d = attn.linear ins(%x, %w : tensor<8x8xf32>, tensor<8x8xf32>) outs(%e : tensor<8x8xf32>) -> tensor<8x8xf32> {
  ^bb0(%sum: f32):
    attn.yield %sum : f32
  }
  %t = arith.truncf %d : tensor<8x8xf32> to tensor<8x8xf16>
  %s = linalg.generic {indexing_maps = [affine_map<(m, n) -> (n, m)>, affine_map<(m, n) -> (m, n)>], iterator_types = ["parallel", "parallel"]}
    ins(%c : tensor<8x8xf32>) outs(%e : tensor<8x8xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = math.absf %in : f32
    linalg.yield %0 : f32
  } -> tensor<8x8xf32>
  return %a, %g, %t, %s : tensor<8x8xf32>, tensor<8x8xf32>, tensor<8x8xf16>, tensor<8x8xf32>
}
