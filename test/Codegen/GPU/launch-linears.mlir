// RUN: attn-opt %s --attn-launch-linears --canonicalize --cse | FileCheck %s

// A block for each 64 x 64 part; the epilogue is computed in f32, and rounds what the model rounds.
// CHECK-LABEL: func.func @f
// CHECK-SAME: (%[[X:.*]]: memref<?x100xf16>, %[[W:.*]]: memref<40x100xf16>, %[[BIAS:.*]]: memref<40xf32>, %[[OUT:.*]]: memref<?x40xf16>)
// CHECK-NOT: attn.linear
// CHECK: %[[BLOCKS:.*]] = arith.ceildivui %{{.*}}, %c64_i64
// CHECK: gpu.launch blocks({{.*}}) in (%{{.*}} = %{{.*}}, %{{.*}} = %c1, %{{.*}} = %c1) threads({{.*}}) in (%{{.*}} = %c128,
// CHECK-SAME: workgroup(%{{.*}} : memref<1536xvector<4xf32>, #gpu.address_space<workgroup>>)
// Two slices are on their way before the first is multiplied.
// CHECK-COUNT-2: nvvm.cp.async.commit.group
// CHECK: scf.for %{{.*}} = %c0_i64 to %c4_i64 step %c1_i64 iter_args({{.*}}) -> (f32
// CHECK: nvvm.cp.async.wait.group 1
// CHECK: gpu.barrier
// CHECK: nvvm.ldmatrix
// CHECK: nvvm.mma.sync {{.*}} shape = #nvvm.shape<m = 16, n = 8, k = 16>
// CHECK: nvvm.cp.async.wait.group 0
// Then twice half of the sums.
// CHECK-COUNT-16: llvm.store %{{.*}} : vector<2xf32>, !llvm.ptr<3>
// CHECK: scf.for
// CHECK: %[[SUM:.*]] = llvm.load %{{.*}} : !llvm.ptr<3> -> f32
// CHECK: %[[B:.*]] = memref.load %[[BIAS]][%[[J:.*]]] : memref<40xf32>
// CHECK: %[[ROUNDED:.*]] = arith.truncf %[[B]] : f32 to f16
// CHECK: %[[WIDE:.*]] = arith.extf %[[ROUNDED]] : f16 to f32
// CHECK: %[[ADDED:.*]] = arith.addf %[[SUM]], %[[WIDE]] : f32
// CHECK: %[[STORED:.*]] = arith.truncf %[[ADDED]] : f32 to f16
// CHECK: memref.store %[[STORED]], %[[OUT]][%{{.*}}, %[[J]]] : memref<?x40xf16>
func.func @f(%x: memref<?x100xf16>, %w: memref<40x100xf16>, %b: memref<40xf32>, %o: memref<?x40xf16>) {
  attn.linear ins(%x, %w : memref<?x100xf16>, memref<40x100xf16>) extras(%b : memref<40xf32>) outs(%o : memref<?x40xf16>)
    maps [affine_map<(i, j) -> (j)>] attributes {schedule = #attn.schedule<rowBlock = 64, kernel = #attn.gpu_linear_kernel<rows = 64, columns = 64, warpRows = 2, warpColumns = 2, stages = 3, products = narrow>>} {
  ^bb0(%sum: f16, %bias: f32):
    %0 = arith.truncf %bias : f32 to f16
    %1 = arith.addf %sum, %0 : f16
    attn.yield %1 : f16
  }
  return
}
