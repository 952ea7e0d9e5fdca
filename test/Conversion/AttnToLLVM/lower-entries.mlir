// RUN: attn-opt %s --attn-lower-entries='prefix=lib' | FileCheck %s

// An entry gets the runtime's call as its last argument and becomes private. The number of workers is a field of the call;
// a parallel loop stores its captures and hands them to a function that loads them.

// CHECK-LABEL: func.func private @f(
// CHECK-SAME: %[[CALL:[a-z0-9]+]]: !llvm.ptr)
// CHECK: %[[FRAME:.+]] = llvm.alloca %{{.+}} x !llvm.struct<(struct<(ptr, ptr, i64, array<2 x i64>, array<2 x i64>)>, i64)> {alignment = 64 : i64}
// CHECK: %[[FIELD:.+]] = llvm.getelementptr %[[CALL]][32]
// CHECK: llvm.load %[[FIELD]]
// CHECK: %[[TASK:.+]] = constant @f.task.0.thunk
// CHECK: %[[POINTER:.+]] = builtin.unrealized_conversion_cast %[[TASK]]
// CHECK: call @attn_rt_v1_parallel_for(%[[CALL]], %[[POINTER]], %[[FRAME]], %{{.+}}, %c1_i64)

// CHECK-LABEL: func.func private @f.task.0.thunk(
// CHECK-SAME: %[[FRAME:.+]]: !llvm.ptr, %{{.+}}: i64, %{{.+}}: i64, %{{.+}}: i32)
// CHECK: llvm.getelementptr %[[FRAME]][0, 0]
// CHECK: llvm.getelementptr %[[FRAME]][0, 1]
// CHECK: call @f.task.0(

// What the model's table points to. Dimensions are read in the order of their first occurrence in the arguments.

// CHECK-LABEL: func.func @"lib.f.x86-64-v3.run"(
// CHECK-SAME: %[[CALL:.+]]: !llvm.ptr) -> i32
// CHECK: %[[DIMS:.+]] = llvm.load
// CHECK: llvm.getelementptr %[[DIMS]][0]
// CHECK: %[[M:.+]] = llvm.load {{.*}} -> i64
// CHECK: llvm.getelementptr %[[CALL]][8]
// CHECK: %[[INPUTS:.+]] = llvm.load
// CHECK: llvm.getelementptr %[[CALL]][16]
// CHECK: %[[OUTPUTS:.+]] = llvm.load
// CHECK: llvm.getelementptr %[[INPUTS]][0]
// CHECK: llvm.insertvalue %[[M]], %{{.+}}[3, 0]
// CHECK: llvm.getelementptr %[[OUTPUTS]][0]
// CHECK: llvm.getelementptr %[[CALL]][24]
// CHECK: call @f(%{{.+}}, %{{.+}}, %{{.+}}, %[[CALL]])
// CHECK: return %c0_i32

// CHECK-LABEL: func.func @"lib.f.x86-64-v3.workspace"(%{{.+}}: !llvm.ptr, %{{.+}}: i64) -> i64
// CHECK: call @f.workspace(
module attributes {attn.target = #attn.target<"x86-64-v3">} {
  func.func private @f.workspace(%m: index, %w: index) -> i64 {
    %c0 = arith.constant 0 : i64
    return %c0 : i64
  }
  func.func @f(%x: memref<?x8xf32> {attn.shape = ["m", 8]}, %y: memref<?x8xf32> {attn.output, attn.shape = ["m", 8]}, %ws: memref<?xi8> {attn.workspace}) {
    %c0 = arith.constant 0 : index
    %n = attn.num_workers
    %m = memref.dim %x, %c0 : memref<?x8xf32>
    attn.parallel_for @f.task.0(%m) captures(%x, %n : memref<?x8xf32>, index)
    return
  }
  func.func private @f.task.0(%b: index, %e: index, %w: index, %x: memref<?x8xf32>, %n: index) {
    return
  }

  // The strides of what may be strided come from the call, one tensor after another; the last is used, too.

  // CHECK-LABEL: func.func @"lib.g.x86-64-v3.run"(
  // CHECK-SAME: %[[CALL:.+]]: !llvm.ptr) -> i32
  // CHECK: llvm.getelementptr %[[CALL]][48]
  // CHECK: %[[STRIDES:.+]] = llvm.load
  // CHECK: llvm.getelementptr %[[STRIDES]][0]
  // CHECK: %[[S0:.+]] = llvm.load
  // CHECK: llvm.getelementptr %[[STRIDES]][8]
  // CHECK: %[[S1:.+]] = llvm.load
  // CHECK: llvm.insertvalue %[[S1]], %{{.+}}[4, 1]
  // CHECK: llvm.insertvalue %[[S0]], %{{.+}}[4, 0]
  // CHECK: llvm.getelementptr %[[STRIDES]][16]
  // CHECK: llvm.getelementptr %[[STRIDES]][24]
  func.func private @g.workspace(%m: index, %w: index) -> i64 {
    %c0 = arith.constant 0 : i64
    return %c0 : i64
  }
  func.func @g(%x: memref<?x8xf32, strided<[?, 1]>> {attn.shape = ["m", 8]}, %z: memref<8xf32>, %y: memref<?x8xf32, strided<[?, 1]>> {attn.output, attn.shape = ["m", 8]}, %ws: memref<?xi8> {attn.workspace}) {
    return
  }
}
