// RUN: attn-opt %s --pass-pipeline='builtin.module(builtin.module(attn-lower-entries{prefix=m},attn-lower-launches{prefix=m}))' | FileCheck %s

attn.weight @w : tensor<4xf32> = #attn.file<"w.bin", 0 : tensor<4xf32>>
module @sm_80 attributes {attn.target = #attn.target<"sm_80">, gpu.container_module} {
  // The table says which GPUs run the code, its kernels and its constants.
  // CHECK-DAG: llvm.mlir.global external hidden constant @m.weight.w() {{.*}} : !llvm.array<16 x i8>
  // CHECK-DAG: llvm.mlir.global internal constant @m.gpu.image("PTX\00")
  // CHECK-DAG: llvm.mlir.global internal constant @m.gpu.name.k("k\00")
  // CHECK-DAG: llvm.mlir.global internal constant @m.gpu.c(dense<{{.*}}> : tensor<2xf32>)
  // CHECK-DAG: llvm.mlir.global external hidden constant @attn_rt_v1_gpu()
  // CHECK-DAG: llvm.mlir.global external constant @m.sm_80.gpu()
  // CHECK-NOT: gpu.
  memref.global "private" constant @c : memref<2xf32> = dense<[1.0, 2.0]>
  func.func private @f.workspace(%n: index, %threads: index) -> i64 {
    %zero = arith.constant 0 : i64
    return %zero : i64
  }
  // Memrefs are passed as their fields, the device's copies of constants by their number.
  // CHECK-LABEL: func private @f(
  // CHECK-SAME: %[[CALL:arg[0-9]+]]: !llvm.ptr)
  // CHECK: llvm.alloca %{{.*}} x !llvm.struct<(ptr, ptr, i64, i64, i64, ptr, ptr, i64, i64, i64, f32, {{.*}})>
  // CHECK: %[[ARGUMENTS:.*]] = llvm.alloca %{{.*}} x !llvm.array<19 x ptr>
  func.func @f(%x: memref<?xf32> {attn.name = "x", attn.shape = ["n"]}, %workspace: memref<?xi8> {attn.workspace}) {
    %c1 = arith.constant 1 : index
    %c7 = arith.constant 7 : index
    %v = arith.constant 1.5 : f32
    %w = attn.get_weight @w : memref<4xf32>
    %c = memref.get_global @c : memref<2xf32>
    %flag = attn.run_flag : memref<i32>
    // CHECK: call @attn_rt_v1_launch(%[[CALL]], %{{.*}}, %{{.*}}, %{{.*}}, %[[ARGUMENTS]])
    gpu.launch_func @kernels::@k blocks in (%c7, %c1, %c1) threads in (%c1, %c1, %c1)
      args(%x : memref<?xf32>, %w : memref<4xf32>, %v : f32, %c : memref<2xf32>, %flag : memref<i32>)
    return
  }
  gpu.binary @kernels [#gpu.object<#nvvm.target<chip = "sm_80">, kernels = <[#gpu.kernel_metadata<"k", (!llvm.ptr) -> ()>]>, "PTX">]
}
