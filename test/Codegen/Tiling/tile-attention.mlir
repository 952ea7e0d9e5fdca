// RUN: attn-opt %s --attn-tile-attention --canonicalize --cse --split-input-file | FileCheck %s

#q = affine_map<(b, h, q, k, d, e) -> (b, q, h, d)>
#k = affine_map<(b, h, q, k, d, e) -> (b, k, h floordiv 2, d)>
#v = affine_map<(b, h, q, k, d, e) -> (b, k, h floordiv 2, e)>
#o = affine_map<(b, h, q, k, d, e) -> (b, q, h, e)>
#s = #attn.schedule<rowBlock = 24, kernel = #attn.attention_kernel<queries = 24, keyRows = 4, valueRows = 6, valueColumns = 16, keyBlock = 100, lanes = 8>>

// A task for each batch row, head and tile of 24 queries; in it the queries in lanes, a loop over blocks of 100 keys of the
// group's head, and the division.

// CHECK-DAG: #[[GROUP:.+]] = affine_map<(d0) -> (d0 floordiv 2)>
// CHECK-LABEL: func.func @plain
// CHECK-SAME: (%[[Q:.+]]: tensor<?x?x4x8xf32>, %[[K:.+]]: tensor<?x?x2x8xf32>, %[[O:.+]]: tensor<?x?x4x8xf32>)
// CHECK-DAG: %[[B:.+]] = tensor.dim %[[Q]], %c0
// CHECK-DAG: %[[QUERIES:.+]] = tensor.dim %[[Q]], %c1
// CHECK-DAG: %[[KEYS:.+]] = tensor.dim %[[K]], %c1
// CHECK: %[[TILES:.+]] = arith.ceildivui %[[QUERIES]], %c24
// CHECK: %[[PER_ROW:.+]] = arith.muli %[[TILES]], %c4
// CHECK: %[[TASKS:.+]] = arith.muli %[[B]], %[[PER_ROW]]
// CHECK: scf.forall (%[[T:.+]]) in (%[[TASKS]]) shared_outs(%[[OUT:.+]] = %[[O]])
// CHECK:   %[[BATCH:.+]] = arith.divui %[[T]], %[[PER_ROW]]
// CHECK:   %[[LEFT:.+]] = arith.remui %[[T]], %[[PER_ROW]]
// CHECK:   %[[HEAD:.+]] = arith.divui %[[LEFT]], %[[TILES]]
// CHECK:   %[[TILE:.+]] = arith.remui %[[LEFT]], %[[TILES]]
// CHECK:   %[[FIRST:.+]] = arith.muli %[[TILE]], %c24
// CHECK:   %[[COUNT:.+]] = arith.minui %{{.+}}, %c24
// CHECK:   %[[ROWS:.+]] = tensor.extract_slice %[[Q]][%[[BATCH]], %[[FIRST]], %[[HEAD]], 0] [1, %[[COUNT]], 1, 8]
// CHECK:   %[[PACKED:.+]] = attn.pack ins(%[[ROWS]] {{.*}} -> tensor<1x8x24xf32> {kernel = #attn.row_kernel<lanes = 8>}
// CHECK:   scf.for %[[BLOCK:.+]] = %c0 to %[[KEYS]] step %c100
// CHECK:     %[[SIZE:.+]] = arith.minui %{{.+}}, %c100
// CHECK:     %[[KV:.+]] = affine.apply #[[GROUP]](%[[HEAD]])
// CHECK:     %[[KEY:.+]] = tensor.extract_slice %[[K]][%[[BATCH]], %[[BLOCK]], %[[KV]], 0] [1, %[[SIZE]], 1, 8]
// CHECK:     attn.online_attention ins(%[[PACKED]], %[[KEY]], %[[KEY]] :
// CHECK-SAME: rows(%[[ROWS]] :
// CHECK-SAME: kernel = #attn.attention_kernel<queries = 24, {{.*}}keyBlock = 100, lanes = 8>, scale = 5.000000e-01 : f64
// CHECK:   %[[RESULT:.+]] = tensor.extract_slice %[[OUT]][%[[BATCH]], %[[FIRST]], %[[HEAD]], 0] [1, %[[COUNT]], 1, 8]
// CHECK:   %[[DONE:.+]] = attn.online_finish {{.*}} outs(%[[RESULT]] :
// CHECK:   tensor.parallel_insert_slice %[[DONE]] into %[[OUT]]
func.func @plain(%q: tensor<?x?x4x8xf32>, %k: tensor<?x?x2x8xf32>, %o: tensor<?x?x4x8xf32>) -> tensor<?x?x4x8xf32> {
  %0 = attn.attention ins(%q, %k, %k : tensor<?x?x4x8xf32>, tensor<?x?x2x8xf32>, tensor<?x?x2x8xf32>) outs(%o : tensor<?x?x4x8xf32>) -> tensor<?x?x4x8xf32>
      maps [#q, #k, #v, #o] attributes {schedule = #s, scale = 0.5 : f64}
  return %0 : tensor<?x?x4x8xf32>
}

// -----

#q = affine_map<(b, h, q, k, d, e) -> (b, q, h, d)>
#k = affine_map<(b, h, q, k, d, e) -> (b, k, h, d)>
#v = affine_map<(b, h, q, k, d, e) -> (b, k, h, e)>
#o = affine_map<(b, h, q, k, d, e) -> (b, q, h, e)>
#s = #attn.schedule<rowBlock = 24, kernel = #attn.attention_kernel<queries = 24, keyRows = 4, valueRows = 6, valueColumns = 16, keyBlock = 100, lanes = 8>>

// The range of keys, kept inside of the tensor, is the loop's; a range with holes takes the loop with the mask.

// CHECK-LABEL: func.func @masked
// CHECK-SAME: %{{[a-z0-9]+}}: tensor<?x4xi64>, %[[M:[a-z0-9]+]]: tensor<?x?xi64>
// CHECK: %[[R:.+]] = attn.key_ranges
// CHECK-DAG: %[[KEYS:.+]] = tensor.dim %{{.+}}, %c1
// CHECK: %[[R0:.+]] = tensor.extract %[[R]][%[[BATCH:.+]], %c0]
// CHECK: %[[I0:.+]] = arith.index_cast %[[R0]]
// CHECK: %[[BEGIN:.+]] = arith.maxsi %[[I0]], %c0
// CHECK: %[[R1:.+]] = tensor.extract %[[R]][%[[BATCH]], %c1]
// CHECK: %[[I1:.+]] = arith.index_cast %[[R1]]
// CHECK: %[[END:.+]] = arith.minsi %[[I1]], %{{.+}}
// CHECK: %[[R2:.+]] = tensor.extract %[[R]][%[[BATCH]], %c2]
// CHECK: %[[HOLES:.+]] = arith.cmpi ne, %[[R2]], %c0_i64
// CHECK: scf.if %[[HOLES]]
// CHECK:   scf.for %[[BLOCK:.+]] = %[[BEGIN]] to %[[LAST:.+]] step %c100
// CHECK:     tensor.extract_slice %[[M]][%[[BATCH]], %[[BLOCK]]] [1, %{{.+}}]
// CHECK:     attn.online_attention {{.*}} key_mask(
// CHECK: } else {
// CHECK:   scf.for %{{.+}} = %[[BEGIN]] to %[[LAST]] step %c100
// CHECK-NOT: key_mask
// CHECK:     attn.online_attention
func.func @masked(%q: tensor<?x?x4x8xf32>, %k: tensor<?x?x4x8xf32>, %i: tensor<?x4xi64>, %m: tensor<?x?xi64>, %o: tensor<?x?x4x8xf32>) -> tensor<?x?x4x8xf32> {
  %r = attn.key_ranges ins(%m : tensor<?x?xi64>) outs(%i : tensor<?x4xi64>) -> tensor<?x4xi64>
  %0 = attn.attention ins(%q, %k, %k : tensor<?x?x4x8xf32>, tensor<?x?x4x8xf32>, tensor<?x?x4x8xf32>) ranges(%r : tensor<?x4xi64>) key_mask(%m : tensor<?x?xi64>)
      outs(%o : tensor<?x?x4x8xf32>) -> tensor<?x?x4x8xf32> maps [#q, #k, #v, #o] attributes {schedule = #s, scale = 0.5 : f64}
  return %0 : tensor<?x?x4x8xf32>
}

// A caller's own ranges need not know the mask's holes: each of their keys is looked up.

// CHECK-LABEL: func.func @own
// CHECK-NOT: scf.if
// CHECK: attn.online_attention {{.*}} key_mask(
// CHECK: return
func.func @own(%q: tensor<?x?x4x8xf32>, %k: tensor<?x?x4x8xf32>, %r: tensor<?x4xi64>, %m: tensor<?x?xi64>, %o: tensor<?x?x4x8xf32>) -> tensor<?x?x4x8xf32> {
  %0 = attn.attention ins(%q, %k, %k : tensor<?x?x4x8xf32>, tensor<?x?x4x8xf32>, tensor<?x?x4x8xf32>) ranges(%r : tensor<?x4xi64>) key_mask(%m : tensor<?x?xi64>)
      outs(%o : tensor<?x?x4x8xf32>) -> tensor<?x?x4x8xf32> maps [#q, #k, #v, #o] attributes {schedule = #s, scale = 0.5 : f64}
  return %0 : tensor<?x?x4x8xf32>
}

// -----

#q = affine_map<(b, h, q, k, d, e) -> (b, q, h, d)>
#k = affine_map<(b, h, q, k, d, e) -> (b, k, h, d)>
#v = affine_map<(b, h, q, k, d, e) -> (b, k, h, e)>
#o = affine_map<(b, h, q, k, d, e) -> (b, q, h, e)>
#s = #attn.schedule<rowBlock = 24, kernel = #attn.attention_kernel<queries = 24, keyRows = 4, valueRows = 6, valueColumns = 16, keyBlock = 100, lanes = 8>>

// A row without keys, whose range is empty: no keys (zero), queries of zeros over all keys (uniform), or all keys
// (unmasked). Whether the range holds keys at all is read where a key mask says so only.

// CHECK-LABEL: func.func @zero
// CHECK: %[[BEGIN:.+]] = arith.maxsi
// CHECK: %[[STOP:.+]] = arith.minsi
// CHECK: %[[EMPTY:.+]] = arith.cmpi sge, %[[BEGIN]], %[[STOP]]
// CHECK: %[[END:.+]] = arith.select %[[EMPTY]], %[[BEGIN]], %[[STOP]]
// CHECK: scf.for %{{.+}} = %[[BEGIN]] to %[[END]]
func.func @zero(%q: tensor<2x?x4x8xf32>, %m: tensor<2x?xi64>, %i: tensor<2x4xi64>) -> tensor<2x?x4x8xf32> {
  %r = attn.key_ranges ins(%m : tensor<2x?xi64>) outs(%i : tensor<2x4xi64>) -> tensor<2x4xi64>
  %0 = attn.attention ins(%q, %q, %q : tensor<2x?x4x8xf32>, tensor<2x?x4x8xf32>, tensor<2x?x4x8xf32>) ranges(%r : tensor<2x4xi64>) outs(%q : tensor<2x?x4x8xf32>) -> tensor<2x?x4x8xf32>
      maps [#q, #k, #v, #o] attributes {schedule = #s, empty = #attn.empty<zero>}
  return %0 : tensor<2x?x4x8xf32>
}

// CHECK-LABEL: func.func @uniform
// CHECK: %[[EMPTY:.+]] = arith.cmpi sge
// CHECK: arith.select %[[EMPTY]], %c0, %{{.+}}
// CHECK: arith.select %[[EMPTY]], %{{.+}}, %{{.+}}
// CHECK: %[[ROWS:.+]] = arith.select %[[EMPTY]], %c0, %{{.+}}
// CHECK: tensor.extract_slice %{{.+}}[%{{.+}}, %{{.+}}, %{{.+}}, 0] [1, %[[ROWS]], 1, 8]
func.func @uniform(%q: tensor<2x?x4x8xf32>, %m: tensor<2x?xi64>, %i: tensor<2x4xi64>) -> tensor<2x?x4x8xf32> {
  %r = attn.key_ranges ins(%m : tensor<2x?xi64>) outs(%i : tensor<2x4xi64>) -> tensor<2x4xi64>
  %0 = attn.attention ins(%q, %q, %q : tensor<2x?x4x8xf32>, tensor<2x?x4x8xf32>, tensor<2x?x4x8xf32>) ranges(%r : tensor<2x4xi64>) outs(%q : tensor<2x?x4x8xf32>) -> tensor<2x?x4x8xf32>
      maps [#q, #k, #v, #o] attributes {schedule = #s, empty = #attn.empty<uniform>}
  return %0 : tensor<2x?x4x8xf32>
}

// CHECK-LABEL: func.func @unmasked
// CHECK: %[[EMPTY:.+]] = arith.cmpi sge
// CHECK: %[[BEGIN:.+]] = arith.select %[[EMPTY]], %c0, %{{.+}}
// CHECK: %[[END:.+]] = arith.select %[[EMPTY]], %{{.+}}, %{{.+}}
// CHECK-NOT: arith.select
// CHECK: scf.for %{{.+}} = %[[BEGIN]] to %[[END]]
func.func @unmasked(%q: tensor<2x?x4x8xf32>, %r: tensor<2x4xi64>) -> tensor<2x?x4x8xf32> {
  %0 = attn.attention ins(%q, %q, %q : tensor<2x?x4x8xf32>, tensor<2x?x4x8xf32>, tensor<2x?x4x8xf32>) ranges(%r : tensor<2x4xi64>) outs(%q : tensor<2x?x4x8xf32>) -> tensor<2x?x4x8xf32>
      maps [#q, #k, #v, #o] attributes {schedule = #s, empty = #attn.empty<unmasked>}
  return %0 : tensor<2x?x4x8xf32>
}

// -----

#q = affine_map<(b, h, q, k, d, e) -> (b, q, h, d)>
#k = affine_map<(b, h, q, k, d, e) -> (b, k, h, d)>
#v = affine_map<(b, h, q, k, d, e) -> (b, k, h, e)>
#o = affine_map<(b, h, q, k, d, e) -> (b, q, h, e)>
#s = #attn.schedule<rowBlock = 24, kernel = #attn.attention_kernel<queries = 24, keyRows = 4, valueRows = 6, valueColumns = 16, keyBlock = 100, lanes = 8>>

// A causal mask ends the loop at the tile's last query and is an edge of the band in a block; what compares keys with numbers
// of the batch row bounds the loop, too; other conditions and the score stay code. Tiles with most keys come first.

// CHECK-LABEL: func.func @causal
// CHECK-SAME: %[[L:[a-z0-9]+]]: tensor<?xi64>, %[[W:[a-z0-9]+]]: tensor<4x?x?xi1>, %[[X:[a-z0-9]+]]: tensor<4xf32>
// CHECK: %[[LAST:.+]] = arith.subi %[[TILES:.+]], %c1
// CHECK: %[[TILE:.+]] = arith.subi %[[LAST]], %{{.+}}
// CHECK: %[[FIRST:.+]] = arith.muli %[[TILE]], %c24
// CHECK: %[[COUNT:.+]] = arith.minui %{{.+}}, %c24
// CHECK: tensor.extract %[[L]]
// CHECK: %[[SHORT:.+]] = arith.minsi
// CHECK: %[[REACH:.+]] = arith.addi %[[FIRST]], %[[COUNT]]
// CHECK: %[[END:.+]] = arith.minsi %{{.+}}, %[[REACH]]
// CHECK: scf.for %[[BLOCK:.+]] = %c0 to %[[END]] step %c100
// CHECK:   %[[UPPER:.+]] = arith.subi %[[FIRST]], %[[BLOCK]]
// CHECK:   %[[SLOPE:.+]] = tensor.extract_slice %[[X]][%{{.+}}] [1] [1] : tensor<4xf32> to tensor<f32>
// CHECK:   attn.online_attention {{.*}} upper(%[[UPPER]]) mapped(%{{.+}}, %[[SLOPE]] : tensor<?x?xi1>, tensor<f32>) indices(%{{.+}}, %{{.+}}, %[[FIRST]], %[[BLOCK]])
// CHECK: } score {
// CHECK: } mask {
// CHECK-NEXT: ^bb0(%{{.+}}: index, %{{.+}}: index, %{{.+}}: index, %{{.+}}: index, %[[E:.+]]: i1, %{{.+}}: f32):
// CHECK-NEXT: attn.yield %[[E]] : i1
func.func @causal(%q: tensor<?x?x4x8xf32>, %l: tensor<?xi64>, %w: tensor<4x?x?xi1>, %x: tensor<4xf32>) -> tensor<?x?x4x8xf32> {
  %0 = attn.attention ins(%q, %q, %q : tensor<?x?x4x8xf32>, tensor<?x?x4x8xf32>, tensor<?x?x4x8xf32>) mapped(%l, %w, %x : tensor<?xi64>, tensor<4x?x?xi1>, tensor<4xf32>)
      outs(%q : tensor<?x?x4x8xf32>) -> tensor<?x?x4x8xf32> maps [#q, #k, #v, affine_map<(b, h, q, k, d, e) -> (b)>, affine_map<(b, h, q, k, d, e) -> (h, q, k)>, affine_map<(b, h, q, k, d, e) -> (h)>, #o]
      attributes {schedule = #s} score {
  ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index, %length: i64, %seen: i1, %slope: f32):
    %1 = arith.addf %s, %slope : f32
    attn.yield %1 : f32
  } mask {
  ^bb0(%b: index, %h: index, %i: index, %j: index, %length: i64, %seen: i1, %slope: f32):
    %1 = arith.index_cast %j : index to i64
    %2 = arith.cmpi slt, %1, %length : i64
    %3 = arith.cmpi ule, %j, %i : index
    %4 = arith.andi %2, %3 : i1
    %5 = arith.andi %4, %seen : i1
    attn.yield %5 : i1
  }
  return %0 : tensor<?x?x4x8xf32>
}

// -----

#q = affine_map<(b, h, q, k, d, e) -> (b, q, h, d)>
#k = affine_map<(b, h, q, k, d, e) -> (b, k, h, d)>
#v = affine_map<(b, h, q, k, d, e) -> (b, k, h, e)>
#o = affine_map<(b, h, q, k, d, e) -> (b, q, h, e)>
#s = #attn.schedule<rowBlock = 24, kernel = #attn.attention_kernel<queries = 24, keyRows = 4, valueRows = 6, valueColumns = 16, keyBlock = 100, lanes = 8>>

// A window has both edges. Rows that may be without keys are looked for where these yield something.

// CHECK-LABEL: func.func @window
// CHECK: %[[PAST:.+]] = arith.addi %[[FIRST:.+]], %c-2
// CHECK: %[[BEGIN:.+]] = arith.maxsi %{{.+}}, %c0
// CHECK: %[[STATE:.+]]:3 = scf.for %{{.+}} = %[[BEGIN]] to
// CHECK:   attn.online_attention {{.*}} lower(%{{.+}}) upper(%{{.+}}) outs
// CHECK: %[[ANY:.+]] = scf.for
// CHECK:   tensor.extract %[[STATE]]#2
// CHECK:   arith.cmpf oeq
// CHECK: scf.if %[[ANY]]
// CHECK:   %[[COUNTED:.+]]:3 = scf.for
// CHECK:   scf.for %{{.+}} = %c0 to
// CHECK:     attn.online_attention
// CHECK-NOT: upper
// CHECK:   linalg.generic {{.*}} ins(%[[COUNTED]]#2, %{{.+}} : {{.+}}) outs(%[[STATE]]#0
func.func @window(%q: tensor<?x?x4x8xf32>) -> tensor<?x?x4x8xf32> {
  %0 = attn.attention ins(%q, %q, %q : tensor<?x?x4x8xf32>, tensor<?x?x4x8xf32>, tensor<?x?x4x8xf32>)
      outs(%q : tensor<?x?x4x8xf32>) -> tensor<?x?x4x8xf32> maps [#q, #k, #v, #o] attributes {schedule = #s, empty = #attn.empty<uniform>} mask {
  ^bb0(%b: index, %h: index, %i: index, %j: index):
    %c3 = arith.constant 3 : index
    %1 = arith.subi %i, %j : index
    %2 = arith.cmpi slt, %1, %c3 : index
    %3 = arith.cmpi slt, %j, %i : index
    %4 = arith.andi %2, %3 : i1
    attn.yield %4 : i1
  }
  return %0 : tensor<?x?x4x8xf32>
}
