// RUN: attn-opt %s --attn-generalize | FileCheck %s
// RUN: attn-opt %s --attn-generalize --remarks-filter=attn-schedule --remark-format=emitRemark 2>&1 | FileCheck %s --check-prefix=REMARK

#q = affine_map<(b, h, q, k, d, e) -> (b, q, h, d)>
#k = affine_map<(b, h, q, k, d, e) -> (b, k, h, d)>
#v = affine_map<(b, h, q, k, d, e) -> (b, k, h, e)>
#o = affine_map<(b, h, q, k, d, e) -> (b, q, h, e)>
#l = affine_map<(b, h, q, k, d, e) -> (b, h, q)>
!t = tensor<2x?x4x8xf32>

module attributes {attn.target = #attn.target<"x86-64-v3">} {

// The steps of attention, in order; masked keys have no weight, and the values of such are not looked at.
// CHECK-LABEL: func.func @causal
// CHECK: %[[KT:.*]] = linalg.transpose ins(%{{.*}} : tensor<2x?x4x8xf32>) outs(%{{.*}} : tensor<2x4x8x?xf32>) permutation = [0, 2, 3, 1]
// CHECK: %[[DOTS:.*]] = linalg.generic {{.*}} "reduction"]} ins(%{{.*}}, %[[KT]] : {{.*}})
// CHECK: %[[SCORES:.*]] = linalg.generic {{.*}} ins(%[[DOTS]] : tensor<2x4x?x?xf32>)
// CHECK: arith.mulf
// CHECK: %[[COUNTS:.*]] = arith.cmpi ule, %{{.*}}, %{{.*}} : index
// CHECK: arith.select %[[COUNTS]], %{{.*}}, %{{.*}} : f32
// CHECK: %[[MAX:.*]] = linalg.generic {{.*}} ins(%[[SCORES]] : {{.*}})
// CHECK: arith.maximumf
// CHECK: %[[WEIGHTS:.*]] = linalg.generic {{.*}} ins(%[[SCORES]], %[[MAX]] : {{.*}})
// CHECK: math.exp
// CHECK: %[[SUM:.*]] = linalg.generic {{.*}} ins(%[[WEIGHTS]] : {{.*}})
// CHECK: arith.addf
// CHECK: %[[PRODUCTS:.*]] = linalg.generic {{.*}} ins(%[[WEIGHTS]], %{{.*}} : {{.*}})
// CHECK: arith.cmpf oeq
// CHECK: %[[LOG:.*]] = linalg.generic {{.*}} ins(%[[MAX]], %[[SUM]] : {{.*}})
// CHECK: math.log
// CHECK: %[[Y:.*]] = linalg.generic {{.*}} ins(%[[PRODUCTS]], %[[SUM]] : {{.*}})
// CHECK: arith.divf
// CHECK: return %[[Y]], %[[LOG]]
// REMARK: attn.attention: it has a log-sum-exp result; the generic path compiles it
func.func @causal(%q: !t, %e: tensor<2x4x?xf32>) -> (!t, tensor<2x4x?xf32>) {
  %0:2 = attn.attention ins(%q, %q, %q : !t, !t, !t) outs(%q, %e : !t, tensor<2x4x?xf32>) -> !t, tensor<2x4x?xf32> maps [#q, #k, #v, #o, #l] mask {
  ^bb0(%b: index, %h: index, %i: index, %j: index):
    %1 = arith.cmpi ule, %j, %i : index
    attn.yield %1 : i1
  }
  return %0#0, %0#1 : !t, tensor<2x4x?xf32>
}

// Where rows without keys are not zeros, it is found out first which these are.
// CHECK-LABEL: func.func @uniform
// CHECK: %[[ANY:.*]] = linalg.generic {{.*}} outs(%{{.*}} : tensor<2x4x?xi32>)
// CHECK: arith.ori %{{.*}}, %{{.*}} : i32
// CHECK: linalg.generic {{.*}} ins(%{{.*}}, %[[ANY]] : {{.*}})
// CHECK: %[[NONE:.*]] = arith.cmpi eq, %{{.*}}, %c0_i32
// CHECK: arith.select %[[NONE]], %{{.*}}, %{{.*}} : f32
// CHECK: arith.ori %{{.*}}, %[[NONE]] : i1
func.func @uniform(%q: !t, %e: tensor<2x4x?xf32>) -> (!t, tensor<2x4x?xf32>) {
  %0:2 = attn.attention ins(%q, %q, %q : !t, !t, !t) outs(%q, %e : !t, tensor<2x4x?xf32>) -> !t, tensor<2x4x?xf32> maps [#q, #k, #v, #o, #l] attributes {empty = #attn.empty<uniform>} mask {
  ^bb0(%b: index, %h: index, %i: index, %j: index):
    %1 = arith.cmpi ult, %j, %i : index
    attn.yield %1 : i1
  }
  return %0#0, %0#1 : !t, tensor<2x4x?xf32>
}

// Whole operands are read inside of their memory, offsets are added to indices.
// CHECK-LABEL: func.func @whole
// CHECK-SAME: %[[T:[a-z0-9]+]]: tensor<9xf32>, %[[O:[a-z0-9]+]]: index
// CHECK: %[[K:.*]] = linalg.index 3
// CHECK: %[[AT:.*]] = arith.addi %[[K]], %[[O]] : index
// CHECK: %[[LAST:.*]] = arith.minsi %[[AT]], %{{.*}} : index
// CHECK: %[[IN:.*]] = arith.maxsi %[[LAST]], %{{.*}} : index
// CHECK: tensor.extract %[[T]][%[[IN]]]
// REMARK: attn.attention: {{.*}}; the generic path compiles it
func.func @whole(%q: !t, %t: tensor<9xf32>, %o: index) -> !t {
  %0 = attn.attention ins(%q, %q, %q : !t, !t, !t) whole(%t : tensor<9xf32>) offsets(%o, %o, %o, %o) outs(%q : !t) -> !t maps [#q, #k, #v, #o] score {
  ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index, %w: tensor<9xf32>):
    %1 = tensor.extract %w[%j] : tensor<9xf32>
    %2 = arith.addf %s, %1 : f32
    attn.yield %2 : f32
  }
  return %0 : !t
}

// What a kernel runs stays.
// CHECK-LABEL: func.func @kernel
// CHECK: attn.attention
// CHECK: attn.layer_norm
func.func @kernel(%q: !t, %x: tensor<?x8xf32>, %s: tensor<8xf32>) -> (!t, tensor<?x8xf32>) {
  %0 = attn.attention ins(%q, %q, %q : !t, !t, !t) outs(%q : !t) -> !t maps [#q, #k, #v, #o]
  %1 = attn.layer_norm ins(%x, %s : tensor<?x8xf32>, tensor<8xf32>) outs(%x : tensor<?x8xf32>) -> tensor<?x8xf32> {epsilon = 1.0e-5 : f64}
  return %0, %1 : !t, tensor<?x8xf32>
}

// Row ops on f64, and on narrow tables.
// CHECK-LABEL: func.func @rows
// CHECK-NOT: attn.
// CHECK: linalg.generic {{.*}} outs(%{{.*}} : tensor<?xf64>)
// CHECK: math.sqrt %{{.*}} : f64
// CHECK: tensor.extract %{{.*}} : tensor<9x8xf16>
// CHECK: arith.extf %{{.*}} : f16 to f32
// CHECK: arith.truncf %{{.*}} : f32 to f16
// CHECK: math.erfc %{{.*}} : f64
// CHECK: return
// REMARK: attn.layer_norm: kernels compute in f32, not on f64; the generic path compiles it
// REMARK: attn.embedding: kernels compute in f32, not on f16; the generic path compiles it
func.func @rows(%x: tensor<?x8xf64>, %s: tensor<8xf64>, %i: tensor<?xi64>, %t: tensor<9x8xf16>, %o: tensor<?x8xf16>)
    -> (tensor<?x8xf64>, tensor<?x8xf16>, tensor<?x8xf64>) {
  %0 = attn.layer_norm ins(%x, %s : tensor<?x8xf64>, tensor<8xf64>) outs(%x : tensor<?x8xf64>) -> tensor<?x8xf64> {epsilon = 1.0e-5 : f64}
  %1 = attn.embedding ins(%i : tensor<?xi64>) tables(%t : tensor<9x8xf16>) outs(%o : tensor<?x8xf16>) -> tensor<?x8xf16>
  %2 = attn.gelu %x : tensor<?x8xf64>
  return %0, %1, %2 : tensor<?x8xf64>, tensor<?x8xf16>, tensor<?x8xf64>
}
}
