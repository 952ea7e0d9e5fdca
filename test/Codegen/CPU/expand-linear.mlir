// RUN: %attn-opt %s --attn-expand-linear --canonicalize --cse --split-input-file | FileCheck %s

#column = affine_map<(m, n) -> (n)>
#element = affine_map<(m, n) -> (m, n)>

// All accumulators of a tile are values carried by the loop over K; bias and residual are read after it.

// CHECK-LABEL: func.func @bias_residual
// CHECK-SAME:    %[[X:.+]]: memref<?x64xf32>, %[[W:.+]]: memref<3x64x32xf32>, %[[BIAS:.+]]: memref<96xf32>, %[[R:[^:]+]]: memref<?x96xf32>, %[[Y:[^:]+]]: memref<?x96xf32>
// CHECK-DAG:     %[[ZERO:.+]] = arith.constant dense<0.000000e+00> : vector<16xf32>
// CHECK-DAG:     %[[C0:.+]] = arith.constant 0 : index
// CHECK-DAG:     %[[C1:.+]] = arith.constant 1 : index
// CHECK-DAG:     %[[C3:.+]] = arith.constant 3 : index
// CHECK-DAG:     %[[C4:.+]] = arith.constant 4 : index
// CHECK-DAG:     %[[C16:.+]] = arith.constant 16 : index
// CHECK-DAG:     %[[C64:.+]] = arith.constant 64 : index
// CHECK:         scf.for %[[PANEL:.+]] = %[[C0]] to %[[C3]] step %[[C1]] {
// CHECK:           scf.for %[[M:.+]] = %[[C0]] to %{{.+}} step %[[C4]] {
// CHECK:             %[[SUMS:.+]]:8 = scf.for %[[K:.+]] = %[[C0]] to %[[C64]] step %[[C1]]
// CHECK-SAME:          iter_args(%[[S0:[a-z0-9]+]] = %[[ZERO]], %[[S1:[a-z0-9]+]] = %[[ZERO]],
// CHECK-DAG:           memref.prefetch %[[W]][%[[PANEL]],
// CHECK-DAG:           %[[W0:.+]] = vector.load %[[W]][%[[PANEL]], %[[K]], %[[C0]]] : memref<3x64x32xf32>, vector<16xf32>
// CHECK-DAG:           %[[W1:.+]] = vector.load %[[W]][%[[PANEL]], %[[K]], %[[C16]]] : memref<3x64x32xf32>, vector<16xf32>
// CHECK:               %[[E:.+]] = memref.load %[[X]][%[[M]], %[[K]]]
// CHECK:               %[[B:.+]] = vector.broadcast %[[E]] : f32 to vector<16xf32>
// CHECK:               vector.fma %[[B]], %[[W0]], %[[S0]] : vector<16xf32>
// CHECK:               vector.fma %[[B]], %[[W1]], %[[S1]] : vector<16xf32>
// CHECK:               scf.yield
// CHECK:             %[[BIAS0:.+]] = vector.load %[[BIAS]][%[[COLUMN:.+]]] : memref<96xf32>, vector<16xf32>
// CHECK:             %[[R0:.+]] = vector.load %[[R]][%[[M]], %[[COLUMN]]]
// CHECK:             %[[A0:.+]] = arith.addf %[[SUMS]]#0, %[[BIAS0]] : vector<16xf32>
// CHECK:             %[[A1:.+]] = arith.addf %[[A0]], %[[R0]] : vector<16xf32>
// CHECK:             vector.store %[[A1]], %[[Y]][%[[M]], %[[COLUMN]]]
// The tails have tiles of 2 rows and 1.
// CHECK:           scf.if
// CHECK:             scf.for {{.+}} -> (vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>) {
// CHECK:           scf.if
// CHECK:             scf.for {{.+}} -> (vector<16xf32>, vector<16xf32>) {
// CHECK-NOT:     vector.mask
// CHECK:         return
func.func @bias_residual(%x: memref<?x64xf32>, %w: memref<3x64x32xf32>, %bias: memref<96xf32>, %r: memref<?x96xf32>,
                         %y: memref<?x96xf32>) {
  attn.linear ins(%x, %w : memref<?x64xf32>, memref<3x64x32xf32>) extras(%bias, %r : memref<96xf32>, memref<?x96xf32>)
      outs(%y : memref<?x96xf32>) maps [#column, #element]
      attributes {kernel = #attn.linear_kernel<rows = 4, columns = 32, lanes = 16>} {
  ^bb0(%sum: f32, %b: f32, %e: f32):
    %0 = arith.addf %sum, %b : f32
    %1 = arith.addf %0, %e : f32
    attn.yield %1 : f32
  }
  return
}

// -----

// Columns beyond the last full panel have their own tiles: here one of 8 + 3 columns, masked only in its last vector.

// CHECK-LABEL: func.func @tail
// CHECK-SAME:    %{{.+}}: memref<2x5xf32>, %[[W:.+]]: memref<1x5x16xf32>, %[[Y:[^:]+]]: memref<2x11xf32>
// CHECK-DAG:     %[[MASK:.+]] = arith.constant dense<[true, true, true, false, false, false, false, false]> : vector<8xi1>
// CHECK:         scf.for
// CHECK-COUNT-2:   vector.load %[[W]]
// CHECK-COUNT-4:   vector.fma
// CHECK:         vector.store %{{.+}}, %[[Y]][%{{.+}}, %{{.+}}] : memref<2x11xf32>, vector<8xf32>
// CHECK:         vector.maskedstore %[[Y]][%{{.+}}, %{{.+}}], %[[MASK]], %{{.+}} : memref<2x11xf32>, vector<8xi1>, vector<8xf32>
// CHECK-NOT:     scf.if
func.func @tail(%x: memref<2x5xf32>, %w: memref<1x5x16xf32>, %y: memref<2x11xf32>) {
  attn.linear ins(%x, %w : memref<2x5xf32>, memref<1x5x16xf32>) outs(%y : memref<2x11xf32>)
      attributes {kernel = #attn.linear_kernel<rows = 2, columns = 16, lanes = 8>} {
  ^bb0(%sum: f32):
    attn.yield %sum : f32
  }
  return
}

// -----

// A copy of the input's rows, as many as the scratch holds at a time, is read in its place.

// CHECK-LABEL: func.func @copied
// CHECK-SAME:    %[[X:.+]]: memref<?x8xf32>, %{{.+}}: memref<1x8x8xf32>, %[[Y:.+]]: memref<?x8xf32>, %[[COPY:.+]]: memref<4x16xf32>
// CHECK:         scf.for %[[FIRST:.+]] =
// CHECK:           scf.for %[[R:.+]] =
// CHECK:             %[[FROM:.+]] = arith.addi %[[FIRST]], %[[R]]
// CHECK:             %[[V:.+]] = vector.load %[[X]][%[[FROM]], %{{.+}}]
// CHECK:             vector.store %[[V]], %[[COPY]][%[[R]], %{{.+}}]
// CHECK-NOT:       %[[X]]
// CHECK:           memref.load %[[COPY]]
// CHECK-NOT:       %[[X]]
// CHECK:           vector.store %{{.+}}, %[[Y]]
func.func @copied(%x: memref<?x8xf32>, %w: memref<1x8x8xf32>, %y: memref<?x8xf32>, %copy: memref<4x16xf32>) {
  attn.linear ins(%x, %w : memref<?x8xf32>, memref<1x8x8xf32>) outs(%y : memref<?x8xf32>) scratch(%copy : memref<4x16xf32>)
      attributes {kernel = #attn.linear_kernel<rows = 2, columns = 8, lanes = 8, copiedRows = 4>} {
  ^bb0(%sum: f32):
    attn.yield %sum : f32
  }
  return
}

// -----

// Functions stand once for a tile, in a loop over its rows; constants of the epilogue become splats.

// CHECK-LABEL: func.func @gelu
// CHECK-DAG:     %[[HALF:.+]] = arith.constant dense<5.000000e-01> : vector<8xf32>
// CHECK:         %[[SUMS:.+]]:2 = scf.for
// CHECK:         vector.store %[[SUMS]]#0
// CHECK:         vector.store %[[SUMS]]#1
// CHECK:         scf.for
// CHECK:           %[[SUM:.+]] = vector.load
// CHECK:           %[[G:.+]] = attn.gelu %[[SUM]] : vector<8xf32>
// CHECK:           arith.mulf %[[G]], %[[HALF]] : vector<8xf32>
// CHECK-NOT:       attn.gelu
func.func @gelu(%x: memref<2x5xf32>, %w: memref<1x5x8xf32>, %y: memref<2x8xf32>) {
  attn.linear ins(%x, %w : memref<2x5xf32>, memref<1x5x8xf32>) outs(%y : memref<2x8xf32>)
      attributes {kernel = #attn.linear_kernel<rows = 2, columns = 8, lanes = 8>} {
  ^bb0(%sum: f32):
    %half = arith.constant 0.5 : f32
    %0 = attn.gelu %sum : f32
    %1 = arith.mulf %0, %half : f32
    attn.yield %1 : f32
  }
  return
}

// -----

// Sums of more than 384 terms are taken in blocks: 520 in three, which start from 0 and are added to the totals.

// CHECK-LABEL: func.func @blocks
// CHECK-SAME:    %[[X:.+]]: memref<1x520xf32>, %[[W:.+]]: memref<1x520x8xf32>
// CHECK-DAG:     %[[ZERO:.+]] = arith.constant dense<0.000000e+00> : vector<8xf32>
// CHECK-DAG:     %[[C174:.+]] = arith.constant 174 : index
// CHECK-DAG:     %[[C520:.+]] = arith.constant 520 : index
// CHECK:         %[[ALL:.+]] = scf.for %[[FIRST:.+]] = %{{.+}} to %[[C520]] step %[[C174]] iter_args(%[[TOTAL:.+]] = %[[ZERO]])
// CHECK:           %[[LEFT:.+]] = arith.subi %[[C520]], %[[FIRST]]
// CHECK:           %[[SIZE:.+]] = arith.minsi %[[LEFT]], %[[C174]]
// CHECK:           %[[SUM:.+]] = scf.for %[[I:.+]] = %{{.+}} to %[[SIZE]] step %{{.+}} iter_args(%{{.+}} = %[[ZERO]])
// CHECK:             %[[K:.+]] = arith.addi %[[FIRST]], %[[I]]
// CHECK:             vector.load %[[W]][%{{.+}}, %[[K]], %{{.+}}]
// CHECK:           %[[NEXT:.+]] = arith.addf %[[SUM]], %[[TOTAL]] : vector<8xf32>
// CHECK:           scf.yield %[[NEXT]]
// CHECK:         vector.store %[[ALL]]
func.func @blocks(%x: memref<1x520xf32>, %w: memref<1x520x8xf32>, %y: memref<1x8xf32>) {
  attn.linear ins(%x, %w : memref<1x520xf32>, memref<1x520x8xf32>) outs(%y : memref<1x8xf32>)
      attributes {kernel = #attn.linear_kernel<rows = 1, columns = 8, lanes = 8>} {
  ^bb0(%sum: f32):
    attn.yield %sum : f32
  }
  return
}

// -----

// Not before the op has a kernel.

// CHECK-LABEL: func.func @no_kernel
// CHECK:         attn.linear
func.func @no_kernel(%x: memref<2x5xf32>, %w: memref<1x5x8xf32>, %y: memref<2x8xf32>) {
  attn.linear ins(%x, %w : memref<2x5xf32>, memref<1x5x8xf32>) outs(%y : memref<2x8xf32>) {
  ^bb0(%sum: f32):
    attn.yield %sum : f32
  }
  return
}
