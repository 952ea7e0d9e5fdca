// RUN: %attn-opt %s --attn-expand-rows --canonicalize --cse --split-input-file | FileCheck %s

// Three sweeps for four rows at a time; the second sums differences and their squares, and leaves the lanes beyond a row
// out of both.

// CHECK-LABEL: func.func @layer_norm
// CHECK-SAME:    %[[X:.+]]: memref<?x20xf32>, %[[SCALE:.+]]: memref<20xf32>, %[[SHIFT:[^:]+]]: memref<20xf32>, %[[Y:[^:]+]]: memref<?x20xf32>
// CHECK-DAG:     %[[MASK:.+]] = arith.constant dense<[true, true, true, true, false, false, false, false]> : vector<8xi1>
// CHECK:         scf.for {{.+}} step %c4
// CHECK:           scf.for {{.+}} -> (vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>) {
// CHECK-COUNT-4:   vector.maskedload %[[X]]{{.+}} %[[MASK]]
// CHECK-COUNT-4:   vector.reduction <add>
// CHECK:           scf.for
// CHECK-SAME:        -> (vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>) {
// CHECK:             %[[D:.+]] = arith.subf
// CHECK:             vector.fma %[[D]], %[[D]], %{{.+}} : vector<8xf32>
// CHECK:             arith.addf %{{.+}}, %[[D]] : vector<8xf32>
// CHECK:           arith.select %[[MASK]]
// CHECK-COUNT-2:   vector.reduction <add>
// CHECK:           math.sqrt
// CHECK-COUNT-6:   vector.reduction <add>
// CHECK:           math.sqrt
// CHECK:           scf.for
// CHECK:             vector.load %[[SCALE]]
// CHECK:             vector.load %[[SHIFT]]
// CHECK-COUNT-4:     vector.store %{{.+}}, %[[Y]]
// CHECK-COUNT-4:   vector.maskedstore %[[Y]]
func.func @layer_norm(%x: memref<?x20xf32>, %scale: memref<20xf32>, %shift: memref<20xf32>, %y: memref<?x20xf32>) {
  attn.layer_norm ins(%x, %scale, %shift : memref<?x20xf32>, memref<20xf32>, memref<20xf32>) outs(%y : memref<?x20xf32>)
    {epsilon = 1.0e-12, kernel = #attn.row_kernel<lanes = 8>}
  return
}

// -----

// One sweep for the squares, one for the quotients.

// CHECK-LABEL: func.func @rms_norm
// CHECK-SAME:    %[[X:.+]]: memref<?x20xf32>, %[[SCALE:.+]]: memref<20xf32>, %[[Y:[^:]+]]: memref<?x20xf32>
// CHECK:         scf.for {{.+}} step %c4
// CHECK-NEXT:    arith.addi
// CHECK-NOT:     arith.subf
// CHECK:           scf.for {{.+}} -> (vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>) {
// CHECK:             %[[E:.+]] = vector.load %[[X]]
// CHECK-NEXT:        vector.fma %[[E]], %[[E]], %{{.+}} : vector<8xf32>
// CHECK:           vector.reduction <add>
// CHECK:           math.sqrt
// CHECK:           scf.for
// CHECK:             vector.load %[[SCALE]]
// CHECK-COUNT-4:     vector.store %{{.+}}, %[[Y]]
// CHECK-COUNT-4:   vector.maskedstore %[[Y]]
func.func @rms_norm(%x: memref<?x20xf32>, %scale: memref<20xf32>, %y: memref<?x20xf32>) {
  attn.rms_norm ins(%x, %scale : memref<?x20xf32>, memref<20xf32>) outs(%y : memref<?x20xf32>)
    {epsilon = 1.0e-12, kernel = #attn.row_kernel<lanes = 8>}
  return
}

// -----

// Indices are moved into their table.

// CHECK-LABEL: func.func @embedding
// CHECK-SAME:    %[[I:.+]]: memref<?x?xi32>, %[[TABLE:.+]]: memref<100x16xf32>, %[[POSITIONS:.+]]: memref<50x16xf32>, %[[Y:.+]]: memref<?x?x16xf32>
// CHECK-DAG:     %[[C99:.+]] = arith.constant 99 : index
// CHECK:         scf.for %[[B:.+]] =
// CHECK:           scf.for %[[S:.+]] =
// CHECK:             %[[E:.+]] = memref.load %[[I]][%[[B]], %[[S]]]
// CHECK:             %[[INDEX:.+]] = arith.index_cast %[[E]] : i32 to index
// CHECK:             %[[LOW:.+]] = arith.maxsi %[[INDEX]], %c0
// CHECK:             %[[ROW:.+]] = arith.minsi %[[LOW]], %[[C99]]
// CHECK:             vector.load %[[TABLE]][%[[ROW]],
// CHECK:             vector.load %[[POSITIONS]]
// CHECK:             arith.addf
// CHECK:             vector.store %{{.+}}, %[[Y]][%[[B]], %[[S]],
func.func @embedding(%i: memref<?x?xi32>, %table: memref<100x16xf32>, %positions: memref<50x16xf32>, %y: memref<?x?x16xf32>) {
  attn.embedding ins(%i : memref<?x?xi32>) tables(%table : memref<100x16xf32>) positions(%positions : memref<50x16xf32>)
    outs(%y : memref<?x?x16xf32>) {kernel = #attn.row_kernel<lanes = 16>}
  return
}

// -----

// CHECK-LABEL: func.func @key_ranges
// CHECK-SAME:    %[[MASK:.+]]: memref<?x?xi64>, %[[Y:.+]]: memref<?x4xi64>
// CHECK:         scf.for
// CHECK:           scf.for {{.+}} -> (index, index, index) {
// CHECK:             memref.load %[[MASK]]
// CHECK-COUNT-4:   memref.store %{{.+}}, %[[Y]]
func.func @key_ranges(%mask: memref<?x?xi64>, %y: memref<?x4xi64>) {
  attn.key_ranges ins(%mask : memref<?x?xi64>) outs(%y : memref<?x4xi64>) {kernel = #attn.row_kernel<lanes = 16>}
  return
}
