// RUN: attn-opt %s --attn-lower-checks --split-input-file --verify-diagnostics | FileCheck %s

// A check that fails raises the flag and returns, from an entry as from a task.

// CHECK-LABEL: func.func private @f
// CHECK-SAME: %[[CONDITION:[a-z0-9]+]]: i1, %[[CALL:[a-z0-9]+]]: !llvm.ptr
// CHECK: cf.cond_br %[[CONDITION]], ^[[REST:.+]], ^[[VIOLATED:.+]]
// CHECK: ^[[REST]]:
// CHECK: memref.store
// CHECK: return
// CHECK: ^[[VIOLATED]]:
// CHECK: %[[CODE:.+]] = arith.constant 3 : i32
// CHECK: call @attn_rt_v1_flag(%[[CALL]], %[[CODE]])
// CHECK: return
// CHECK: func.func private @attn_rt_v1_flag(!llvm.ptr, i32)
func.func private @f(%condition: i1, %call: !llvm.ptr, %x: memref<f32>) {
  attn.check %condition violates shape call(%call : !llvm.ptr)
  %zero = arith.constant 0.0 : f32
  memref.store %zero, %x[] : memref<f32>
  return
}

// -----

// An index has another code.
// CHECK-LABEL: func.func private @index
// CHECK: arith.constant 8 : i32
func.func private @index(%condition: i1, %call: !llvm.ptr) {
  attn.check %condition violates index call(%call : !llvm.ptr)
  return
}

// -----

func.func private @nobody(%condition: i1) {
  // expected-error @below {{can end the run only in an entry or a task}}
  attn.check %condition violates shape
  return
}
