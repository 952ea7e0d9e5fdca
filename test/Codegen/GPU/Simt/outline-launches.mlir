// RUN: attn-opt %s --attn-outline-launches | FileCheck %s

// Two launches that differ in what they are given share a kernel; constants and sizes move into it.
// CHECK: module @sm_80 attributes {{.*}}gpu.container_module
module @sm_80 attributes {attn.target = #attn.target<"sm_80">} {
  // CHECK-LABEL: func @f
  // CHECK: gpu.launch_func @kernels::@kernel blocks in (%{{.*}}, %{{.*}}, %{{.*}}) threads in (%{{.*}}) args(%arg0 : memref<?xf32>)
  // CHECK: gpu.launch_func @kernels::@kernel blocks in {{.*}} args(%arg1 : memref<?xf32>)
  // CHECK: gpu.launch_func @kernels::@kernel_0
  func.func @f(%x: memref<?xf32>, %y: memref<?xf32>) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %one = arith.constant 1.0 : f32
    %two = arith.constant 2.0 : f32
    gpu.launch blocks(%b0, %b1, %b2) in (%g0 = %c1, %g1 = %c1, %g2 = %c1)
               threads(%t0, %t1, %t2) in (%s0 = %c1, %s1 = %c1, %s2 = %c1) {
      memref.store %one, %x[%c0] : memref<?xf32>
      gpu.terminator
    }
    gpu.launch blocks(%b0, %b1, %b2) in (%g0 = %c1, %g1 = %c1, %g2 = %c1)
               threads(%t0, %t1, %t2) in (%s0 = %c1, %s1 = %c1, %s2 = %c1) {
      memref.store %one, %y[%c0] : memref<?xf32>
      gpu.terminator
    }
    gpu.launch blocks(%b0, %b1, %b2) in (%g0 = %c1, %g1 = %c1, %g2 = %c1)
               threads(%t0, %t1, %t2) in (%s0 = %c1, %s1 = %c1, %s2 = %c1) {
      memref.store %two, %y[%c0] : memref<?xf32>
      gpu.terminator
    }
    return
  }
  // CHECK: gpu.module @kernels [#nvvm.target<O = 3, chip = "sm_80", features = "+ptx80">]
  // CHECK: gpu.func @kernel(%[[X:.*]]: memref<?xf32>) kernel
  // CHECK: %[[ONE:.*]] = arith.constant 1.0
  // CHECK: memref.store %[[ONE]], %[[X]]
  // CHECK: gpu.func @kernel_0
}
