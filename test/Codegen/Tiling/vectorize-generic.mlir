// RUN: attn-opt %s --split-input-file --pass-pipeline='builtin.module(func.func(attn-vectorize-generic),cse,canonicalize)' | FileCheck %s

module attributes {attn.target = #attn.target<"x86-64-v4">} {

// Elements that a body reads by index: consecutive ones along the lanes, any others elsewhere.
// CHECK-LABEL: func.func @by_index
// CHECK: vector.load %arg1[%{{.*}}, %{{.*}}] : memref<9x32xf32>, vector<16xf32>
// CHECK: vector.gather %{{.*}}[%c0] [%{{.*}}], %{{.*}}, %{{.*}} : memref<?xf32, strided<[1], offset: ?>>, vector<16xindex>, vector<16xi1>, vector<16xf32> into vector<16xf32>
// CHECK-NOT: linalg
func.func @by_index(%i: memref<?xi64>, %t: memref<9x32xf32>, %u: memref<9xf32>, %o: memref<?x32xf32>) {
  linalg.generic {indexing_maps = [affine_map<(m, n) -> (m)>, affine_map<(m, n) -> (m, n)>], iterator_types = ["parallel", "parallel"]}
      ins(%i : memref<?xi64>) outs(%o : memref<?x32xf32>) {
  ^bb0(%a: i64, %z: f32):
    %row = arith.index_cast %a : i64 to index
    %column = linalg.index 1 : index
    %c8 = arith.constant 8 : index
    %other = arith.minui %column, %c8 : index
    %0 = memref.load %t[%row, %column] : memref<9x32xf32>
    %1 = memref.load %u[%other] : memref<9xf32>
    %2 = arith.addf %0, %1 : f32
    linalg.yield %2 : f32
  }
  return
}

// A static fill is stores alone.
// CHECK-LABEL: func.func @fill
// CHECK-NOT: mask
// CHECK: %[[V:.*]] = vector.broadcast %{{.*}} : f32 to vector<16xf32>
// CHECK: vector.store %[[V]], %{{.*}} : memref<32x32xf32>, vector<16xf32>
// CHECK-NOT: linalg
func.func @fill(%v: f32, %o: memref<32x32xf32>) {
  linalg.fill ins(%v : f32) outs(%o : memref<32x32xf32>)
  return
}

// The reduction is inside of the lanes, four accumulators side by side; the product is fused; the mask's element is read
// once for all of them.
// CHECK-LABEL: func.func @pooling
// CHECK: scf.for %[[B:.*]] = %c0 to
// CHECK: scf.for %[[D:.*]] = %c0 to %c384 step %c64
// CHECK-COUNT-4: vector.load %arg2[%[[B]], {{.*}}] : memref<?x384xf32>, vector<16xf32>
// CHECK: %[[R:.*]]:4 = scf.for %[[S:.*]] = %c0 to {{.*}} iter_args
// CHECK: memref.load %arg1[%[[B]], %[[S]]]
// CHECK: arith.sitofp %{{.*}} : i64 to f32
// CHECK-COUNT-4: math.fma {{.*}} : vector<16xf32>
// CHECK: scf.yield
// CHECK-COUNT-4: vector.store
// CHECK-NOT: linalg
func.func @pooling(%a: memref<?x?x384xf32>, %m: memref<?x?xi64>, %o: memref<?x384xf32>) {
  linalg.generic {indexing_maps = [affine_map<(b, s, d) -> (b, s, d)>, affine_map<(b, s, d) -> (b, s)>,
                                   affine_map<(b, s, d) -> (b, d)>],
                  iterator_types = ["parallel", "reduction", "parallel"]}
      ins(%a, %m : memref<?x?x384xf32>, memref<?x?xi64>) outs(%o : memref<?x384xf32>) {
  ^bb0(%e: f32, %k: i64, %s: f32):
    %0 = arith.sitofp %k : i64 to f32
    %1 = arith.mulf %e, %0 : f32
    %2 = arith.addf %s, %1 : f32
    linalg.yield %2 : f32
  }
  return
}

// A factor from outside the body is fused, too.
// CHECK-LABEL: func.func @scaled_sum
// CHECK: %[[FACTOR:.*]] = vector.broadcast %arg1 : f32 to vector<16xf32>
// CHECK: math.fma %{{.*}}, %[[FACTOR]], %{{.*}} : vector<16xf32>
// CHECK-NOT: linalg
func.func @scaled_sum(%a: memref<?x?x384xf32>, %factor: f32, %o: memref<?x384xf32>) {
  linalg.generic {indexing_maps = [affine_map<(b, s, d) -> (b, s, d)>, affine_map<(b, s, d) -> (b, d)>],
                  iterator_types = ["parallel", "reduction", "parallel"]}
      ins(%a : memref<?x?x384xf32>) outs(%o : memref<?x384xf32>) {
  ^bb0(%e: f32, %s: f32):
    %0 = arith.mulf %e, %factor : f32
    %1 = arith.addf %s, %0 : f32
    linalg.yield %1 : f32
  }
  return
}

// Lanes are partial sums, combined once; the lanes beyond the end don't count.
// CHECK-LABEL: func.func @count
// CHECK: scf.for {{.*}} iter_args
// CHECK: vector.load {{.*}} vector<16xi64>
// CHECK: arith.sitofp {{.*}} : vector<16xi64> to vector<16xf32>
// CHECK: %[[MASK:.*]] = vector.create_mask
// CHECK: vector.maskedload %{{.*}}, %[[MASK]]
// CHECK: arith.select %[[MASK]]
// CHECK: vector.reduction <add>, {{.*}} fastmath<reassoc> : vector<16xf32> into f32
// CHECK-NOT: linalg
func.func @count(%m: memref<?x?xi64>, %o: memref<?xf32>) {
  linalg.generic {indexing_maps = [affine_map<(b, s) -> (b, s)>, affine_map<(b, s) -> (b)>],
                  iterator_types = ["parallel", "reduction"]} ins(%m : memref<?x?xi64>) outs(%o : memref<?xf32>) {
  ^bb0(%k: i64, %s: f32):
    %0 = arith.sitofp %k : i64 to f32
    %1 = arith.addf %s, %0 : f32
    linalg.yield %1 : f32
  }
  return
}

// Whichever side goes in lanes, the other is met in steps.
// CHECK-LABEL: func.func @transpose
// CHECK: memref.reinterpret_cast
// CHECK: vector.gather
// CHECK: vector.store
// CHECK: vector.maskedstore
// CHECK-NOT: linalg
func.func @transpose(%x: memref<?x?xf32>, %o: memref<?x?xf32>) {
  linalg.transpose ins(%x : memref<?x?xf32>) outs(%o : memref<?x?xf32>) permutation = [1, 0]
  return
}

// Four rows share what they read of the second matrix.
// CHECK-LABEL: func.func @product
// CHECK: scf.for %[[N:.*]] = %c0 to {{.*}} step %c64
// CHECK: scf.for %[[M:.*]] = %c0 to {{.*}} step %c4
// CHECK: scf.for %[[K:.*]] = %c0
// CHECK-COUNT-4: vector.load %arg1[%[[K]]
// CHECK-NOT: vector.load
// CHECK-COUNT-16: vector.store
// CHECK-NOT: linalg
func.func @product(%a: memref<?x?xf32>, %b: memref<?x?xf32>, %o: memref<?x?xf32>) {
  linalg.matmul ins(%a, %b : memref<?x?xf32>, memref<?x?xf32>) outs(%o : memref<?x?xf32>)
  return
}

// A copy of rows of a larger buffer is no call.
// CHECK-LABEL: func.func @copy
// CHECK: vector.load
// CHECK-NOT: memref.copy
func.func @copy(%a: memref<?x64xf32, strided<[128, 1]>>, %o: memref<?x64xf32>) {
  memref.copy %a, %o : memref<?x64xf32, strided<[128, 1]>> to memref<?x64xf32>
  return
}

// A value that is the same in all lanes is computed once.
// CHECK-LABEL: func.func @uniform
// CHECK: math.sqrt %{{.*}} : f32
// CHECK: vector.broadcast
// CHECK: arith.divf {{.*}} : vector<16xf32>
func.func @uniform(%a: memref<?x64xf32>, %n: memref<?xf32>, %o: memref<?x64xf32>) {
  linalg.generic {indexing_maps = [affine_map<(m, n) -> (m, n)>, affine_map<(m, n) -> (m)>, affine_map<(m, n) -> (m, n)>],
                  iterator_types = ["parallel", "parallel"]}
      ins(%a, %n : memref<?x64xf32>, memref<?xf32>) outs(%o : memref<?x64xf32>) {
  ^bb0(%x: f32, %y: f32, %z: f32):
    %0 = math.sqrt %y : f32
    %1 = arith.divf %x, %0 : f32
    linalg.yield %1 : f32
  }
  return
}
}

// -----

// AVX2 has lanes half as wide.
module attributes {attn.target = #attn.target<"x86-64-v3">} {
// CHECK-LABEL: func.func @narrow
// CHECK: vector.load {{.*}} vector<8xf32>
// CHECK: vector.maskedstore {{.*}} vector<8xf32>
func.func @narrow(%a: memref<?xf32>, %o: memref<?xf32>) {
  linalg.generic {indexing_maps = [affine_map<(n) -> (n)>, affine_map<(n) -> (n)>], iterator_types = ["parallel"]}
      ins(%a : memref<?xf32>) outs(%o : memref<?xf32>) {
  ^bb0(%x: f32, %z: f32):
    %0 = arith.negf %x : f32
    linalg.yield %0 : f32
  }
  return
}
}

// -----

// What has no vector form stays as it is.
module attributes {attn.target = #attn.target<"x86-64-v4">} {
// CHECK-LABEL: func.func @scalar
// CHECK-NOT: vector
// CHECK-COUNT-3: linalg.generic
func.func @scalar(%a: memref<?xf32>, %t: memref<?xf32>, %i: memref<?xindex>, %o: memref<?xf32>, %s: memref<f32>) {
  linalg.generic {indexing_maps = [affine_map<(n) -> (n)>, affine_map<(n) -> (n)>], iterator_types = ["parallel"]}
      ins(%a : memref<?xf32>) outs(%o : memref<?xf32>) {
  ^bb0(%x: f32, %z: f32):
    %0 = math.sin %x : f32
    linalg.yield %0 : f32
  }
  linalg.generic {indexing_maps = [affine_map<(n) -> (n)>, affine_map<(n) -> (n)>], iterator_types = ["parallel"]}
      ins(%i : memref<?xindex>) outs(%o : memref<?xf32>) {
  ^bb0(%x: index, %z: f32):
    %0 = memref.load %t[%x] : memref<?xf32>
    linalg.yield %0 : f32
  }
  linalg.generic {indexing_maps = [affine_map<(n) -> (n)>, affine_map<(n) -> ()>], iterator_types = ["reduction"]}
      ins(%a : memref<?xf32>) outs(%s : memref<f32>) {
  ^bb0(%x: f32, %z: f32):
    %0 = arith.subf %x, %z : f32
    linalg.yield %0 : f32
  }
  return
}
}
