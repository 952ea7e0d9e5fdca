// RUN: %attn-opt %s --attn-expand-attention --canonicalize --cse --split-input-file | FileCheck %s

// CHECK-LABEL: func.func @online
// CHECK-SAME:    %[[Q:.+]]: memref<1x8x16xf32>, %[[K:.+]]: memref<?x8xf32>, %[[V:.+]]: memref<?x16xf32>, %[[MASK:[^:]+]]: memref<?xi64>,
// CHECK-SAME:    %[[ACC:.+]]: memref<16x16xf32>, %[[MAX:.+]]: memref<16xf32>, %[[SUM:[^:]+]]: memref<16xf32>, %[[S:[^:]+]]: memref<64x16xf32>, %[[F:[^:]+]]: memref<16xf32>
// CHECK-DAG:     %[[NONE:.+]] = arith.constant dense<0xFF800000> : vector<8xf32>
// Scores: 2 keys x 2 vectors of queries, with the maxima carried from tile to tile.
// CHECK:         scf.for {{.+}} iter_args(%[[M0:.+]] = %[[NONE]], %[[M1:.+]] = %[[NONE]]) -> (vector<8xf32>, vector<8xf32>) {
// CHECK:           %[[T:.+]]:4 = scf.for
// CHECK-COUNT-2:     vector.load %[[Q]]
// CHECK-COUNT-4:     vector.fma
// CHECK:           %[[E:.+]] = memref.load %[[MASK]]
// CHECK:           %[[C:.+]] = arith.cmpi ne, %[[E]]
// CHECK:           %[[B:.+]] = vector.broadcast %[[C]] : i1 to vector<8xi1>
// CHECK:           %[[S0:.+]] = arith.select %[[B]], %[[T]]#0, %[[NONE]]
// CHECK:           vector.store %[[S0]], %[[S]]
// CHECK:           arith.cmpf ogt
// CHECK:           scf.yield
// Maxima and factors of what came before, then powers in place.
// CHECK:         vector.store %{{.+}}, %[[MAX]]
// CHECK:         vector.store %{{.+}}, %[[F]]
// CHECK:         scf.for
// CHECK-COUNT-8:   vector.load %[[S]]
// CHECK:           arith.cmpf uge
// CHECK-COUNT-8:   vector.store %{{.+}}, %[[S]]
// CHECK:         vector.store %{{.+}}, %[[SUM]]
// Outputs: the scaled accumulator is where the loop over keys begins.
// CHECK:         scf.for
// CHECK:           %[[FACTOR:.+]] = memref.load %[[F]]
// CHECK:           vector.broadcast %[[FACTOR]]
// CHECK:           arith.mulf
// CHECK:           scf.for %[[KEY:.+]] = {{.+}} iter_args
// CHECK:             vector.load %[[V]][%[[KEY]],
// CHECK:             memref.load %[[S]][%[[KEY]],
// CHECK:           vector.store %{{.+}}, %[[ACC]]
func.func @online(%q: memref<1x8x16xf32>, %k: memref<?x8xf32>, %v: memref<?x16xf32>, %mask: memref<?xi64>, %acc: memref<16x16xf32>,
                  %max: memref<16xf32>, %sum: memref<16xf32>, %scores: memref<64x16xf32>, %factors: memref<16xf32>) {
  attn.online_attention ins(%q, %k, %v : memref<1x8x16xf32>, memref<?x8xf32>, memref<?x16xf32>) key_mask(%mask : memref<?xi64>)
    outs(%acc, %max, %sum : memref<16x16xf32>, memref<16xf32>, memref<16xf32>)
    scratch(%scores, %factors : memref<64x16xf32>, memref<16xf32>)
    {scale = 0.25, kernel = #attn.attention_kernel<queries = 16, keyRows = 2, valueRows = 4, valueColumns = 16, keyBlock = 64, lanes = 8>}
  return
}

// -----

// Where a tile has one query, keys stand in lanes: 8 rows of keys meet the query, and a transpose adds their products. The
// last keys are read again in place of those that there aren't, and don't count. Else it is as above.

// CHECK-LABEL: func.func @single
// CHECK-SAME:    %[[Q:.+]]: memref<1x8x16xf32>, %[[ROWS:.+]]: memref<?x8xf32>, %[[K:.+]]: memref<?x8xf32>, %[[V:[^:]+]]: memref<?x16xf32>,
// CHECK-DAG:     %[[ONE:.+]] = arith.constant 1 : index
// CHECK:         %[[R:.+]] = memref.dim %[[ROWS]]
// CHECK:         %[[SINGLE:.+]] = arith.cmpi eq, %[[R]], %[[ONE]]
// CHECK:         scf.if %[[SINGLE]] {
// CHECK:           %[[SCORES:.+]] = memref.collapse_shape %{{.+}} {{\[\[}}0, 1]] : memref<64x16xf32> into memref<1024xf32>
// CHECK:           scf.for
// CHECK:             %[[QUERY:.+]] = vector.load %[[ROWS]]
// CHECK-COUNT-8:     vector.load %[[K]]
// CHECK-COUNT-14:    vector.shuffle
// CHECK:             vector.store %{{.+}}, %[[SCORES]]
// CHECK:           scf.if
// CHECK:             arith.minsi
// CHECK:           vector.reduction <maximumf>
// CHECK:           scf.for
// CHECK:             vector.load %[[SCORES]]
// CHECK:             vector.store %{{.+}}, %[[SCORES]]
// CHECK:           scf.for
// CHECK:             %[[P:.+]] = memref.load %[[SCORES]]
// CHECK:             vector.broadcast %[[P]]
// CHECK:         } else {
// CHECK:           vector.load %[[Q]]
func.func @single(%q: memref<1x8x16xf32>, %rows: memref<?x8xf32>, %k: memref<?x8xf32>, %v: memref<?x16xf32>, %acc: memref<16x16xf32>,
                  %max: memref<16xf32>, %sum: memref<16xf32>, %scores: memref<64x16xf32>, %factors: memref<16xf32>) {
  attn.online_attention ins(%q, %k, %v : memref<1x8x16xf32>, memref<?x8xf32>, memref<?x16xf32>) rows(%rows : memref<?x8xf32>)
    outs(%acc, %max, %sum : memref<16x16xf32>, memref<16xf32>, memref<16xf32>)
    scratch(%scores, %factors : memref<64x16xf32>, memref<16xf32>)
    {scale = 0.25, kernel = #attn.attention_kernel<queries = 16, keyRows = 2, valueRows = 4, valueColumns = 16, keyBlock = 64, lanes = 8>}
  return
}

// -----

// A row of which the sum is 0 has no keys and becomes 0.

// CHECK-LABEL: func.func @finish
// CHECK-SAME:    %[[ACC:.+]]: memref<16x12xf32>, %{{.+}}: memref<16xf32>, %[[SUM:.+]]: memref<16xf32>, %[[OUT:.+]]: memref<?x12xf32>
// CHECK:         scf.for %[[ROW:.+]] =
// CHECK:           %[[S:.+]] = memref.load %[[SUM]][%[[ROW]]]
// CHECK:           %[[SOME:.+]] = arith.cmpf une, %[[S]]
// CHECK:           %[[I:.+]] = arith.divf
// CHECK:           %[[F:.+]] = arith.select %[[SOME]], %[[I]]
// CHECK:           vector.load %[[ACC]]
// CHECK:           vector.store %{{.+}}, %[[OUT]]
// CHECK:           vector.maskedload %[[ACC]]
// CHECK:           vector.maskedstore %[[OUT]]
func.func @finish(%acc: memref<16x12xf32>, %max: memref<16xf32>, %sum: memref<16xf32>, %out: memref<?x12xf32>) {
  attn.online_finish ins(%acc, %max, %sum : memref<16x12xf32>, memref<16xf32>, memref<16xf32>) outs(%out : memref<?x12xf32>)
    {kernel = #attn.row_kernel<lanes = 8>}
  return
}

// -----

// A square of 4 x 4 takes two steps of four shuffles; rows beyond the source are masked.

// CHECK-LABEL: func.func @pack
// CHECK-SAME:    %[[X:.+]]: memref<?x4xf32>, %[[Y:.+]]: memref<1x4x4xf32>
// CHECK-COUNT-4: vector.maskedload %[[X]]
// CHECK:         vector.shuffle %{{.+}}, %{{.+}} [0, 1, 4, 5] : vector<4xf32>, vector<4xf32>
// CHECK:         vector.shuffle %{{.+}}, %{{.+}} [2, 3, 6, 7] : vector<4xf32>, vector<4xf32>
// CHECK:         vector.shuffle %{{.+}}, %{{.+}} [0, 4, 2, 6] : vector<4xf32>, vector<4xf32>
// CHECK:         vector.shuffle %{{.+}}, %{{.+}} [1, 5, 3, 7] : vector<4xf32>, vector<4xf32>
// CHECK-COUNT-4: vector.store %{{.+}}, %[[Y]]
func.func @pack(%x: memref<?x4xf32>, %y: memref<1x4x4xf32>) {
  attn.pack ins(%x : memref<?x4xf32>) outs(%y : memref<1x4x4xf32>) {kernel = #attn.row_kernel<lanes = 4>}
  return
}

// -----

// A causal edge: tiles of keys inside of it are stored as they are, those across it lane by lane, and products with values
// end at the last key of their queries.

// CHECK-LABEL: func.func @causal
// CHECK-SAME:    %[[UPPER:[a-z0-9]+]]: index
// CHECK-DAG:     %[[LANES:.+]] = arith.constant dense<[0, 1, 2, 3, 4, 5, 6, 7]> : vector<8xi32>
// CHECK-DAG:     %[[NONE:.+]] = arith.constant dense<0xFF800000> : vector<8xf32>
// CHECK:         %[[LAST:.+]] = arith.addi %{{.+}}, %c1
// CHECK:         %[[INSIDE:.+]] = arith.cmpi sle, %[[LAST]], %[[UPPER]]
// CHECK:         scf.if %[[INSIDE]]
// CHECK:         } else {
// CHECK:           %[[LANE:.+]] = arith.index_cast %{{.+}} : index to i32
// CHECK:           %[[LANEV:.+]] = vector.broadcast %[[LANE]]
// CHECK:           %[[COUNTS:.+]] = arith.cmpi sle, %[[LANEV]], %[[LANES]]
// CHECK:           arith.select %[[COUNTS]], %{{.+}}, %[[NONE]]
// CHECK:         %[[ROWEND:.+]] = arith.addi %{{.+}}, %[[UPPER]]
// CHECK:         %[[POSITIVE:.+]] = arith.maxsi %[[ROWEND]], %c0
// CHECK:         %[[DEPTH:.+]] = arith.minsi %[[POSITIVE]], %{{.+}}
// CHECK:         scf.for %{{.+}} = %c0 to %[[DEPTH]]
func.func @causal(%q: memref<1x8x16xf32>, %k: memref<?x8xf32>, %v: memref<?x16xf32>, %upper: index, %acc: memref<16x16xf32>,
                  %max: memref<16xf32>, %sum: memref<16xf32>, %scores: memref<64x16xf32>, %factors: memref<16xf32>) {
  attn.online_attention ins(%q, %k, %v : memref<1x8x16xf32>, memref<?x8xf32>, memref<?x16xf32>) upper(%upper)
    outs(%acc, %max, %sum : memref<16x16xf32>, memref<16xf32>, memref<16xf32>)
    scratch(%scores, %factors : memref<64x16xf32>, memref<16xf32>)
    {scale = 0.25, kernel = #attn.attention_kernel<queries = 16, keyRows = 2, valueRows = 4, valueColumns = 16, keyBlock = 64, lanes = 8>}
  return
}

// -----

// A bias [queries, keys] is transposed first, square by square; the region is applied to vectors of queries.

// CHECK-LABEL: func.func @bias
// CHECK-SAME:    %[[BIAS:[a-z0-9]+]]: memref<?x?xf32>, %[[I:[a-z0-9]+]]: index
// CHECK-SAME:    %[[TURNED:[a-z0-9]+]]: memref<64x16xf32>)
// CHECK:         scf.if
// CHECK-COUNT-8:   vector.load %[[BIAS]]
// CHECK-COUNT-24:  vector.shuffle
// CHECK-COUNT-8:   vector.store %{{.+}}, %[[TURNED]]
// CHECK:         } else {
// CHECK-COUNT-8:   vector.maskedload %[[BIAS]]
// CHECK:         %[[SCALED:.+]] = arith.mulf
// CHECK:         %[[ELEMENT:.+]] = vector.load %[[TURNED]]
// CHECK:         arith.addf %[[SCALED]], %[[ELEMENT]] : vector<8xf32>
func.func @bias(%q: memref<1x8x16xf32>, %k: memref<?x8xf32>, %v: memref<?x16xf32>, %bias: memref<?x?xf32>, %i: index, %acc: memref<16x16xf32>,
                %max: memref<16xf32>, %sum: memref<16xf32>, %scores: memref<64x16xf32>, %factors: memref<16xf32>, %turned: memref<64x16xf32>) {
  attn.online_attention ins(%q, %k, %v : memref<1x8x16xf32>, memref<?x8xf32>, memref<?x16xf32>) mapped(%bias : memref<?x?xf32>) indices(%i, %i, %i, %i)
    outs(%acc, %max, %sum : memref<16x16xf32>, memref<16xf32>, memref<16xf32>)
    scratch(%scores, %factors, %turned : memref<64x16xf32>, memref<16xf32>, memref<64x16xf32>)
    {scale = 0.25, maps = [affine_map<(j, k) -> (j, k)>], kernel = #attn.attention_kernel<queries = 16, keyRows = 2, valueRows = 4, valueColumns = 16, keyBlock = 64, lanes = 8>} score {
  ^bb0(%s: f32, %b: index, %h: index, %qi: index, %ki: index, %x: f32):
    %0 = arith.addf %s, %x : f32
    attn.yield %0 : f32
  }
  return
}
