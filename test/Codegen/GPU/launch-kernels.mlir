// RUN: attn-opt %s --attn-build-kernels --attn-launch-kernels --canonicalize --cse | FileCheck %s

// A launch of the tensor cores' kernel: addresses, strides of batch row, head and row, then sizes. Two heads of queries
// share one of keys.
module @sm_86 attributes {attn.target = #attn.target<"sm_86">} {
  // CHECK-LABEL: func.func @f
  // CHECK-SAME: (%[[Q:[^:]*]]: memref<?x?x8x64xf16>, %[[K:[^:]*]]: memref<?x?x4x64xf16, strided<[?, ?, 100, 1], offset: ?>>
  // CHECK-DAG: %[[PAIR:.*]] = arith.constant 2 : i32
  // CHECK-DAG: %[[C64:.*]] = arith.constant 64 : i64
  // CHECK-DAG: %[[C100:.*]] = arith.constant 100 : i64
  // CHECK-DAG: %[[SCALE:.*]] = arith.constant 0.180336878 : f32
  // CHECK-DAG: %[[BYTES:.*]] = arith.constant 32768 : i32
  // CHECK-DAG: %[[THREADS:.*]] = arith.constant 128 : index
  // CHECK: arith.ceildivui
  // CHECK-NOT: attn.attention
  // CHECK: gpu.launch_func @kernels::@attention_mma_f16_d64_128x64 blocks in (%{{[^ ]*}}, %{{[^ ]*}}, %{{[^ ]*}})
  // CHECK-SAME: threads in (%[[THREADS]], %{{.*}}, %{{.*}}) dynamic_shared_memory_size %[[BYTES]]
  // CHECK-SAME: args(%[[QUERY:.*]] : i64, %{{.*}} : i64, %{{.*}} : i64, %[[QUERY]] : i64,
  // CHECK-SAME: %[[BATCH:.*]] : i64, %[[C64]] : i64, %{{.*}} : i64, %{{.*}} : i64, %[[C100]] : i64,
  // CHECK-SAME: %[[SCALE]] : f32, %{{.*}} : i32, %{{.*}} : i32, %[[PAIR]] : i32
  func.func @f(%q: memref<?x?x8x64xf16>, %k: memref<?x?x4x64xf16, strided<[?, ?, 100, 1], offset: ?>>) {
    attn.attention ins(%q, %k, %k : memref<?x?x8x64xf16>, memref<?x?x4x64xf16, strided<[?, ?, 100, 1], offset: ?>>, memref<?x?x4x64xf16, strided<[?, ?, 100, 1], offset: ?>>)
      outs(%q : memref<?x?x8x64xf16>)
      maps [affine_map<(b, h, q, k, d, e) -> (b, q, h, d)>, affine_map<(b, h, q, k, d, e) -> (b, k, h floordiv 2, d)>,
            affine_map<(b, h, q, k, d, e) -> (b, k, h floordiv 2, e)>, affine_map<(b, h, q, k, d, e) -> (b, q, h, e)>]
      attributes {schedule = #attn.schedule<rowBlock = 128, kernel = #attn.gpu_attention_kernel<instruction = mma, headSize = 64, queryBlock = 128, keyBlock = 64, warps = 4>>}
    return
  }

  // The kernel stands in the one module of the target's kernels.
  // CHECK: gpu.module @kernels [#nvvm.target<O = 3, chip = "sm_86"
  // CHECK: llvm.func @attention_mma_f16_d64_128x64(
}
