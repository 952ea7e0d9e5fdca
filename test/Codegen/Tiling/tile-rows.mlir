// RUN: attn-opt %s --attn-tile-rows --canonicalize --cse --split-input-file | FileCheck %s

#linear = #attn.schedule<rowBlock = 72, kernel = #attn.linear_kernel<rows = 6, columns = 16, lanes = 8>>
#rows = #attn.schedule<rowBlock = 128, kernel = #attn.row_kernel<lanes = 8>>

// A chain is one loop: its tasks take as many rows as the smallest schedule allows, spread over the workers, in multiples
// of four. What the chain keeps to itself is a buffer of the task.

// CHECK-LABEL: func.func @chain
// CHECK-SAME: (%[[X:.+]]: tensor<?x8xf32>, %[[W:.+]]: tensor<1x8x32xf32>, %[[S:.+]]: tensor<8xf32>, %[[A:.+]]: tensor<?x8xf32>, %[[B:.+]]: tensor<?x8xf32>)
// CHECK: %[[ROWS:.+]] = tensor.dim %[[A]], %c0
// CHECK: %[[WORKERS:.+]] = attn.num_workers
// CHECK: %[[SHARE:.+]] = arith.ceildivui %[[ROWS]], %[[WORKERS]]
// CHECK: arith.ceildivui %[[SHARE]], %c72
// CHECK: %[[EVEN:.+]] = arith.muli %{{.+}}, %c4
// CHECK: %[[BLOCK:.+]] = arith.minui %[[EVEN]], %c72
// CHECK: %[[TASKS:.+]] = arith.ceildivui %[[ROWS]], %[[BLOCK]]
// CHECK: scf.forall (%[[T:.+]]) in (%[[TASKS]]) shared_outs(%[[OUT:.+]] = %[[B]])
// CHECK:   %[[BEGIN:.+]] = arith.muli %[[T]], %[[BLOCK]]
// CHECK:   %[[LEFT:.+]] = arith.subi %[[ROWS]], %[[BEGIN]]
// CHECK:   %[[SIZE:.+]] = arith.minui %[[LEFT]], %[[BLOCK]]
// CHECK:   %[[IN:.+]] = tensor.extract_slice %[[X]][%[[BEGIN]], 0] [%[[SIZE]], 8]
// CHECK:   %[[OWN:.+]] = bufferization.alloc_tensor(%[[BLOCK]]) : tensor<?x8xf32>
// CHECK:   %[[TILE:.+]] = tensor.extract_slice %[[OWN]][0, 0] [%[[SIZE]], 8]
// CHECK:   %[[L:.+]] = attn.linear ins(%[[IN]], %[[W]] : {{.*}}) outs(%[[TILE]] : {{.*}} attributes {kernel = #attn.linear_kernel<rows = 6, columns = 16, lanes = 8>}
// CHECK:   %[[TO:.+]] = tensor.extract_slice %[[OUT]][%[[BEGIN]], 0] [%[[SIZE]], 8]
// CHECK:   %[[N:.+]] = attn.layer_norm ins(%[[L]], %[[S]] : {{.*}}) outs(%[[TO]] : {{.*}} {epsilon = {{.*}}, kernel = #attn.row_kernel<lanes = 8>}
// CHECK:   tensor.parallel_insert_slice %[[N]] into %[[OUT]][%[[BEGIN]], 0] [%[[SIZE]], 8]
// CHECK-NOT: scf.forall (
// CHECK-NOT: schedule
func.func @chain(%x: tensor<?x8xf32>, %w: tensor<1x8x32xf32>, %s: tensor<8xf32>, %a: tensor<?x8xf32>, %b: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %0 = attn.linear ins(%x, %w : tensor<?x8xf32>, tensor<1x8x32xf32>) outs(%a : tensor<?x8xf32>) -> tensor<?x8xf32> attributes {schedule = #linear} {
  ^bb0(%sum: f32):
    attn.yield %sum : f32
  }
  %1 = attn.layer_norm ins(%0, %s : tensor<?x8xf32>, tensor<8xf32>) outs(%b : tensor<?x8xf32>) -> tensor<?x8xf32> {epsilon = 1.0e-5 : f64, schedule = #rows}
  return %1 : tensor<?x8xf32>
}

// -----

#linear = #attn.schedule<rowBlock = 72, kernel = #attn.linear_kernel<rows = 6, columns = 16, lanes = 8>>
#rows = #attn.schedule<rowBlock = 128, kernel = #attn.row_kernel<lanes = 8>>

// A result that is used outside of the chain as well is inserted, too.

// CHECK-LABEL: func.func @escapes
// CHECK: %[[LOOP:.+]]:2 = scf.forall {{.*}} shared_outs(%[[A:.+]] = %{{.+}}, %[[B:.+]] = %{{.+}}) ->
// CHECK: %[[L:.+]] = attn.linear
// CHECK: %[[N:.+]] = attn.layer_norm ins(%[[L]]
// CHECK-DAG: tensor.parallel_insert_slice %[[L]] into %[[A]]
// CHECK-DAG: tensor.parallel_insert_slice %[[N]] into %[[B]]
// CHECK: return %[[LOOP]]#0, %[[LOOP]]#1
func.func @escapes(%x: tensor<?x8xf32>, %w: tensor<1x8x32xf32>, %s: tensor<8xf32>, %a: tensor<?x8xf32>, %b: tensor<?x8xf32>) -> (tensor<?x8xf32>, tensor<?x8xf32>) {
  %0 = attn.linear ins(%x, %w : tensor<?x8xf32>, tensor<1x8x32xf32>) outs(%a : tensor<?x8xf32>) -> tensor<?x8xf32> attributes {schedule = #linear} {
  ^bb0(%sum: f32):
    attn.yield %sum : f32
  }
  %1 = attn.layer_norm ins(%0, %s : tensor<?x8xf32>, tensor<8xf32>) outs(%b : tensor<?x8xf32>) -> tensor<?x8xf32> {epsilon = 1.0e-5 : f64, schedule = #rows}
  return %0, %1 : tensor<?x8xf32>, tensor<?x8xf32>
}

// -----

#rows = #attn.schedule<rowBlock = 128, kernel = #attn.row_kernel<lanes = 8>>

// A chain ends where an op reads more of a result than its rows: here the columns are what the next op takes as rows.

// CHECK-LABEL: func.func @broken
// CHECK: %[[FIRST:.+]] = scf.forall
// CHECK: %[[T:.+]] = linalg.transpose ins(%[[FIRST]]
// CHECK: scf.forall
// CHECK: tensor.extract_slice %[[T]]
func.func @broken(%x: tensor<8x8xf32>, %s: tensor<8xf32>, %a: tensor<8x8xf32>, %b: tensor<8x8xf32>, %c: tensor<8x8xf32>) -> tensor<8x8xf32> {
  %0 = attn.layer_norm ins(%x, %s : tensor<8x8xf32>, tensor<8xf32>) outs(%a : tensor<8x8xf32>) -> tensor<8x8xf32> {epsilon = 1.0e-5 : f64, schedule = #rows}
  %1 = linalg.transpose ins(%0 : tensor<8x8xf32>) outs(%b : tensor<8x8xf32>) permutation = [1, 0]
  %2 = attn.layer_norm ins(%1, %s : tensor<8x8xf32>, tensor<8xf32>) outs(%c : tensor<8x8xf32>) -> tensor<8x8xf32> {epsilon = 1.0e-5 : f64, schedule = #rows}
  return %2 : tensor<8x8xf32>
}

// -----

#rows = #attn.schedule<rowBlock = 128, kernel = #attn.row_kernel<lanes = 8>>

// Row ops in the body of a loop become tasks there.

// CHECK-LABEL: func.func @inside
// CHECK: scf.for
// CHECK:   scf.forall
// CHECK:     attn.layer_norm {{.*}} kernel =
func.func @inside(%x: tensor<?x8xf32>, %s: tensor<8xf32>, %n: index) -> tensor<?x8xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %m = tensor.dim %x, %c0 : tensor<?x8xf32>
  %0 = scf.for %i = %c0 to %n step %c1 iter_args(%a = %x) -> tensor<?x8xf32> {
    %e = tensor.empty(%m) : tensor<?x8xf32>
    %1 = attn.layer_norm ins(%a, %s : tensor<?x8xf32>, tensor<8xf32>) outs(%e : tensor<?x8xf32>) -> tensor<?x8xf32> {epsilon = 1.0e-5 : f64, schedule = #rows}
    scf.yield %1 : tensor<?x8xf32>
  }
  return %0 : tensor<?x8xf32>
}

// -----

#linear = #attn.schedule<rowBlock = 72, kernel = #attn.linear_kernel<rows = 6, columns = 16, lanes = 8>, columnBlock = 32>
#rows = #attn.schedule<rowBlock = 128, kernel = #attn.row_kernel<lanes = 8>>

// With blocks of columns there is a second form: each linear a loop over them, and what is left, on buffers of as many
// rows as are few.

// CHECK-LABEL: func.func @few
// CHECK-SAME: (%[[X:.+]]: tensor<?x8xf32>, %[[W:.+]]: tensor<5x8x16xf32>, %[[S:.+]]: tensor<72xf32>, %[[E:.+]]: tensor<?x72xf32>, %[[A:.+]]: tensor<?x72xf32>, %[[B:.+]]: tensor<?x72xf32>)
// CHECK-DAG: %[[ROWS:.+]] = tensor.dim %[[A]], %c0
// CHECK-DAG: %[[BLOCKS:.+]] = arith.ceildivui %[[ROWS]], %c4
// CHECK-DAG: %[[WORKERS:.+]] = attn.num_workers
// CHECK-DAG: %[[IDLE:.+]] = arith.cmpi ult, %[[BLOCKS]], %[[WORKERS]]
// CHECK-DAG: %[[SMALL:.+]] = arith.cmpi ule, %[[ROWS]], %c16
// CHECK-DAG: %[[FEW:.+]] = arith.andi %[[IDLE]], %[[SMALL]]
// CHECK-DAG: %[[OWN:.+]] = bufferization.alloc_tensor() : tensor<16x72xf32>
// CHECK: %[[R:.+]] = scf.if %[[FEW]] -> (tensor<?x72xf32>) {
// CHECK:   %[[TO:.+]] = tensor.extract_slice %[[OWN]][0, 0] [%[[ROWS]], 72]
// CHECK:   %[[L:.+]] = scf.forall (%[[T:.+]]) in (2) shared_outs(%[[O:.+]] = %[[TO]])
// CHECK:     %[[P:.+]] = arith.muli %[[T]], %c2
// CHECK:     %[[C:.+]] = arith.muli %[[T]], %c32
// CHECK:     %[[WS:.+]] = tensor.extract_slice %[[W]][%[[P]], 0, 0] [2, 8, 16]
// CHECK:     %[[ES:.+]] = tensor.extract_slice %[[E]][0, %[[C]]] [%{{.+}}, 32]
// CHECK:     %[[OS:.+]] = tensor.extract_slice %[[O]][0, %[[C]]] [%{{.+}}, 32]
// CHECK:     attn.linear ins(%[[X]], %[[WS]] : {{.*}}) extras(%[[ES]] : {{.*}}) outs(%[[OS]] : {{.*}} attributes {kernel =
// CHECK:     tensor.parallel_insert_slice %{{.+}} into %[[O]][0, %[[C]]] [%{{.+}}, 32]
// CHECK:   tensor.extract_slice %[[W]][4, 0, 0] [1, 8, 16]
// CHECK:   attn.linear {{.*}} -> tensor<?x8xf32>
// CHECK:   %[[L2:.+]] = tensor.insert_slice %{{.+}} into %[[L]][0, 64] [%[[ROWS]], 8]
// CHECK:   %[[N:.+]] = scf.forall {{.+}} shared_outs(%{{.+}} = %[[B]])
// CHECK:     tensor.extract_slice %[[L2]]
// CHECK:     attn.layer_norm
// CHECK:   scf.yield %[[N]]
// CHECK: } else {
// CHECK:   scf.forall
// CHECK:     attn.linear
// CHECK:     attn.layer_norm
// CHECK:   scf.yield
// CHECK: return %[[R]]
func.func @few(%x: tensor<?x8xf32>, %w: tensor<5x8x16xf32>, %s: tensor<72xf32>, %e: tensor<?x72xf32>, %a: tensor<?x72xf32>, %b: tensor<?x72xf32>) -> tensor<?x72xf32> {
  %0 = attn.linear ins(%x, %w : tensor<?x8xf32>, tensor<5x8x16xf32>) extras(%e : tensor<?x72xf32>) outs(%a : tensor<?x72xf32>) -> tensor<?x72xf32>
      maps [affine_map<(m, n) -> (m, n)>] attributes {schedule = #linear} {
  ^bb0(%sum: f32, %more: f32):
    %t = arith.addf %sum, %more : f32
    attn.yield %t : f32
  }
  %1 = attn.layer_norm ins(%0, %s : tensor<?x72xf32>, tensor<72xf32>) outs(%b : tensor<?x72xf32>) -> tensor<?x72xf32> {epsilon = 1.0e-5 : f64, schedule = #rows}
  return %1 : tensor<?x72xf32>
}
