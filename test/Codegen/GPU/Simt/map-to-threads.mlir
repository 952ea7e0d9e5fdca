// RUN: attn-opt %s --attn-map-to-threads --canonicalize --split-input-file | FileCheck %s

// A warp for each sum of a row: lanes take every 32nd element, and pass what they have around.
// CHECK-LABEL: func @row_sums
// CHECK-SAME: (%[[X:.*]]: memref<?x64xf32>, %[[Y:.*]]: memref<?xf32>)
// CHECK: gpu.launch
// CHECK: %[[LANE:.*]] = arith.remui %[[PLACE:.*]], %c32
// CHECK: %[[ROW:.*]] = arith.divui %[[PLACE]], %c32
// CHECK: %[[SUM:.*]] = scf.for %[[K:.*]] = %[[LANE]] to %c64 step %c32 iter_args(%[[S:.*]] = %{{.*}}) -> (f32)
// CHECK: %[[E:.*]] = memref.load %[[X]][%[[ROW]], %[[K]]]
// CHECK: arith.addf %[[S]], %[[E]]
// CHECK: %[[OTHER:.*]], %{{.*}} = gpu.shuffle xor %[[SUM]], %c16_i32, %c32_i32 : f32
// CHECK: arith.addf %[[SUM]], %[[OTHER]]
// CHECK-COUNT-4: gpu.shuffle
// CHECK: arith.cmpi eq, %[[LANE]], %c0
// CHECK: scf.if
// CHECK: %[[BEFORE:.*]] = memref.load %[[Y]][%[[ROW]]]
// CHECK: arith.addf %[[BEFORE]]
// CHECK: memref.store %{{.*}}, %[[Y]][%[[ROW]]]
func.func @row_sums(%x: memref<?x64xf32>, %y: memref<?xf32>) {
  linalg.generic {indexing_maps = [affine_map<(i, k) -> (i, k)>, affine_map<(i, k) -> (i)>],
                  iterator_types = ["parallel", "reduction"]} ins(%x : memref<?x64xf32>) outs(%y : memref<?xf32>) {
  ^bb0(%e: f32, %s: f32):
    %a = arith.addf %s, %e : f32
    linalg.yield %a : f32
  }
  return
}

// -----

// A thread for each sum of a column, which stays in a register until it is stored: neighbours read neighbours.
// CHECK-LABEL: func @column_sums
// CHECK-SAME: (%[[X:.*]]: memref<64x?xf32>, %[[Y:.*]]: memref<?xf32>)
// CHECK: %[[ROWS:.*]] = memref.dim %[[X]]
// CHECK: %[[BLOCKS:.*]] = arith.ceildivui %[[ROWS]], %c256
// CHECK: gpu.launch blocks(%[[B:.*]], %{{.*}}, %{{.*}}) in (%{{.*}} = %[[BLOCKS]]
// CHECK-SAME: threads(%[[T:.*]], %{{.*}}, %{{.*}}) in (%{{.*}} = %c256
// CHECK: %[[FIRST:.*]] = arith.muli %[[B]], %c256
// CHECK: %[[ROW:.*]] = arith.addi %[[FIRST]], %[[T]]
// CHECK: %[[INSIDE:.*]] = arith.cmpi ult, %[[ROW]], %[[ROWS]]
// CHECK: scf.if %[[INSIDE]]
// CHECK: %[[BEFORE:.*]] = memref.load %[[Y]][%[[ROW]]]
// CHECK: %[[SUM:.*]] = scf.for %[[K:.*]] = %c0 to %c64 step %c1 iter_args(%[[S:.*]] = %[[BEFORE]])
// CHECK: %[[E:.*]] = memref.load %[[X]][%[[K]], %[[ROW]]]
// CHECK: arith.addf %[[S]], %[[E]]
// CHECK: memref.store %[[SUM]], %[[Y]][%[[ROW]]]
func.func @column_sums(%x: memref<64x?xf32>, %y: memref<?xf32>) {
  linalg.generic {indexing_maps = [affine_map<(i, k) -> (k, i)>, affine_map<(i, k) -> (i)>],
                  iterator_types = ["parallel", "reduction"]} ins(%x : memref<64x?xf32>) outs(%y : memref<?xf32>) {
  ^bb0(%e: f32, %s: f32):
    %a = arith.addf %s, %e : f32
    linalg.yield %a : f32
  }
  return
}

// -----

// What an output held is not read where nobody asks for it; indices are the thread's.
// CHECK-LABEL: func @positions
// CHECK: gpu.launch
// CHECK: %[[COLUMN:.*]] = arith.remui %[[PLACE:.*]], %c8
// CHECK: %[[ROW:.*]] = arith.divui %[[PLACE]], %c8
// CHECK-NOT: memref.load
// CHECK: arith.addi %[[ROW]], %[[COLUMN]]
func.func @positions(%y: memref<4x8xindex>) {
  linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
      outs(%y : memref<4x8xindex>) {
  ^bb0(%old: index):
    %i = linalg.index 0 : index
    %j = linalg.index 1 : index
    %s = arith.addi %i, %j : index
    linalg.yield %s : index
  }
  return
}

// -----

// The host keeps loops; copies and stores of single elements are launches of their own.
// CHECK-LABEL: func @host
// CHECK: scf.for
// CHECK: memref.subview
// CHECK: gpu.launch
// CHECK: memref.store
// CHECK: }
// CHECK: gpu.launch blocks({{.*}} = %c1, {{.*}} threads({{.*}} = %c1,
// CHECK: memref.store
func.func @host(%x: memref<?x8xf32>, %y: memref<8xf32>, %n: index, %v: f32) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %i = %c0 to %n step %c1 {
    %row = memref.subview %x[%i, 0] [1, 8] [1, 1] : memref<?x8xf32> to memref<8xf32, strided<[1], offset: ?>>
    memref.copy %row, %y : memref<8xf32, strided<[1], offset: ?>> to memref<8xf32>
  }
  memref.store %v, %y[%c1] : memref<8xf32>
  return
}

// -----

// Given indices are looked at first; a check in a thread raises the flag of the run.
// CHECK-LABEL: func @indices
// CHECK: %[[FLAG:.*]] = attn.run_flag : memref<i32>
// CHECK: gpu.launch
// CHECK: %[[ID:.*]] = memref.load %arg0
// CHECK-DAG: arith.cmpi sge, %[[ID]], %c0_i64
// CHECK-DAG: arith.cmpi slt, %[[ID]], %c10_i64
// CHECK: scf.if
// CHECK-NEXT: memref.store %c8_i32, %[[FLAG]][]
func.func @indices(%ids: memref<?xi64> {attn.index_range = array<i64: 0, 10>}) {
  return
}
