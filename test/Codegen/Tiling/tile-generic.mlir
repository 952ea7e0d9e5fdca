// RUN: attn-opt %s --attn-tile-generic --canonicalize --cse | FileCheck %s

// Sum and quotient by it are one loop over rows: the sums are the task's own, the fill goes where they are.
// CHECK-LABEL: func.func @normalize
// CHECK: attn.num_workers
// CHECK: %[[R:.*]] = scf.forall (%[[TASK:.*]]) in (%{{.*}}) shared_outs(%[[O:.*]] = %{{.*}}) -> (tensor<?x64xf32>)
// CHECK: %[[SIZE:.*]] = arith.minui
// CHECK: %[[OWN:.*]] = bufferization.alloc_tensor(%{{.*}}) : tensor<?xf32>
// CHECK: %[[SLICE:.*]] = tensor.extract_slice %[[OWN]][0] [%[[SIZE]]]
// CHECK: %[[ZERO:.*]] = linalg.fill ins(%{{.*}}) outs(%[[SLICE]]
// CHECK: %[[X:.*]] = tensor.extract_slice %arg0[%[[BEGIN:.*]], 0] [%[[SIZE]], 64]
// CHECK: %[[SUM:.*]] = linalg.generic {{.*}} iterator_types = ["parallel", "reduction"]} ins(%[[X]] : {{.*}}) outs(%[[ZERO]]
// CHECK: %[[OUT:.*]] = tensor.extract_slice %[[O]][%[[BEGIN]], 0] [%[[SIZE]], 64]
// CHECK: %[[Y:.*]] = linalg.generic {{.*}} ins(%[[X]], %[[SUM]] : {{.*}}) outs(%[[OUT]]
// CHECK: tensor.parallel_insert_slice %[[Y]] into %[[O]][%[[BEGIN]], 0] [%[[SIZE]], 64]
// CHECK: return %[[R]]
func.func @normalize(%x: tensor<?x64xf32>) -> tensor<?x64xf32> {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %m = tensor.dim %x, %c0 : tensor<?x64xf32>
  %e = tensor.empty(%m) : tensor<?xf32>
  %full = tensor.empty(%m) : tensor<?x64xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<?xf32>) -> tensor<?xf32>
  %sum = linalg.generic {indexing_maps = [affine_map<(m, n) -> (m, n)>, affine_map<(m, n) -> (m)>],
                         iterator_types = ["parallel", "reduction"]} ins(%x : tensor<?x64xf32>) outs(%f : tensor<?xf32>) {
  ^bb0(%a: f32, %s: f32):
    %0 = arith.addf %s, %a : f32
    linalg.yield %0 : f32
  } -> tensor<?xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(m, n) -> (m, n)>, affine_map<(m, n) -> (m)>,
                                        affine_map<(m, n) -> (m, n)>], iterator_types = ["parallel", "parallel"]}
      ins(%x, %sum : tensor<?x64xf32>, tensor<?xf32>) outs(%full : tensor<?x64xf32>) {
  ^bb0(%a: f32, %s: f32, %o: f32):
    %0 = arith.divf %a, %s : f32
    linalg.yield %0 : f32
  } -> tensor<?x64xf32>
  return %y : tensor<?x64xf32>
}

// A result that is read along another dimension ends the loop.
// CHECK-LABEL: func.func @across
// CHECK: %[[E:.*]] = scf.forall (
// CHECK: linalg.exp
// CHECK: scf.forall (
// CHECK: tensor.extract_slice %[[E]][0, %[[BEGIN:[0-9]+]]] [8, %[[SIZE:[0-9]+]]]
// CHECK: linalg.transpose
// CHECK: tensor.parallel_insert_slice %{{.*}} into %{{.*}}[%[[BEGIN]], 0] [%[[SIZE]], 8]
func.func @across(%x: tensor<8x8xf32>) -> tensor<8x8xf32> {
  %e = tensor.empty() : tensor<8x8xf32>
  %0 = linalg.exp ins(%x : tensor<8x8xf32>) outs(%e : tensor<8x8xf32>) -> tensor<8x8xf32>
  %1 = linalg.transpose ins(%0 : tensor<8x8xf32>) outs(%e : tensor<8x8xf32>) permutation = [1, 0]
  return %1 : tensor<8x8xf32>
}

// Two accumulators that start as one value each get their own.
// CHECK-LABEL: func.func @fills
// CHECK: scf.forall (
// CHECK: linalg.fill
// CHECK: linalg.reduce
// CHECK: linalg.fill
// CHECK: linalg.reduce
// CHECK-COUNT-2: tensor.parallel_insert_slice
// CHECK-NOT: linalg.fill
func.func @fills(%x: tensor<?x64xf32>, %y: tensor<?x64xf32>) -> (tensor<?xf32>, tensor<?xf32>) {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %m = tensor.dim %x, %c0 : tensor<?x64xf32>
  %e = tensor.empty(%m) : tensor<?xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<?xf32>) -> tensor<?xf32>
  %0 = linalg.reduce {arith.addf} ins(%x : tensor<?x64xf32>) outs(%f : tensor<?xf32>) dimensions = [1]
  %1 = linalg.reduce {arith.maximumf} ins(%y : tensor<?x64xf32>) outs(%f : tensor<?xf32>) dimensions = [1]
  return %0, %1 : tensor<?xf32>, tensor<?xf32>
}

// What a body reads by itself may be anywhere in a result, so that is whole before.
// CHECK-LABEL: func.func @gathers
// CHECK: %[[R:.*]] = scf.forall (
// CHECK: linalg.exp
// CHECK: scf.forall (
// CHECK: tensor.extract %[[R]]
func.func @gathers(%x: tensor<64x8xf32>) -> tensor<64x8xf32> {
  %c63 = arith.constant 63 : index
  %e = tensor.empty() : tensor<64x8xf32>
  %0 = linalg.exp ins(%x : tensor<64x8xf32>) outs(%e : tensor<64x8xf32>) -> tensor<64x8xf32>
  %1 = linalg.generic {indexing_maps = [affine_map<(m, n) -> (m, n)>], iterator_types = ["parallel", "parallel"]}
      outs(%e : tensor<64x8xf32>) {
  ^bb0(%out: f32):
    %m = linalg.index 0 : index
    %n = linalg.index 1 : index
    %other = arith.subi %c63, %m : index
    %2 = tensor.extract %0[%other, %n] : tensor<64x8xf32>
    linalg.yield %2 : f32
  } -> tensor<64x8xf32>
  return %1 : tensor<64x8xf32>
}

// A product whose second factor goes in lanes is cut along its rows, which share it.
// CHECK-LABEL: func.func @product
// CHECK: scf.forall (%{{.*}}) in (%{{.*}}) shared_outs
// CHECK: tensor.extract_slice %arg0[%[[BEGIN:.*]], 0] [%{{.*}}, 64]
// CHECK: linalg.matmul {{.*}} tensor<64x48xf32>
func.func @product(%x: tensor<?x64xf32>, %y: tensor<64x48xf32>) -> tensor<?x48xf32> {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %m = tensor.dim %x, %c0 : tensor<?x64xf32>
  %e = tensor.empty(%m) : tensor<?x48xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<?x48xf32>) -> tensor<?x48xf32>
  %0 = linalg.matmul ins(%x, %y : tensor<?x64xf32>, tensor<64x48xf32>) outs(%f : tensor<?x48xf32>) -> tensor<?x48xf32>
  return %0 : tensor<?x48xf32>
}

// A quotient of the row is not that of a row of a block.
// CHECK-LABEL: func.func @quotient
// CHECK-NOT: scf.forall
// CHECK: linalg.generic
func.func @quotient(%x: tensor<4x8xf32>) -> tensor<8x8xf32> {
  %e = tensor.empty() : tensor<8x8xf32>
  %0 = linalg.generic {indexing_maps = [affine_map<(m, n) -> (m floordiv 2, n)>, affine_map<(m, n) -> (m, n)>],
                       iterator_types = ["parallel", "parallel"]} ins(%x : tensor<4x8xf32>) outs(%e : tensor<8x8xf32>) {
  ^bb0(%a: f32, %o: f32):
    linalg.yield %a : f32
  } -> tensor<8x8xf32>
  return %0 : tensor<8x8xf32>
}
