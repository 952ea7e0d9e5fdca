// RUN: attn-opt %s --attn-assign-targets='targets=x86-64-v4,x86-64-v3' | FileCheck %s
// RUN: attn-opt %s --attn-assign-targets='targets=x86-64-v3,x86-64-v3' | FileCheck %s --check-prefix=ONCE
// RUN: attn-opt %s --attn-assign-targets | FileCheck %s --check-prefix=HOST
// RUN: not attn-opt %s --attn-assign-targets='targets=x86-64-v3,pentium' 2>&1 | FileCheck %s --check-prefix=UNKNOWN

// A module for each target, in the order given, with all functions; weights stay outside.

// CHECK: module {
// CHECK-NEXT: attn.weight @w
// CHECK-NEXT: module @x86_64_v4 attributes {attn.target = #attn.target<"x86-64-v4">} {
// CHECK-NEXT:   func.func @f
// CHECK-NEXT:     call @g
// CHECK:        func.func private @g
// CHECK:      module @x86_64_v3 attributes {attn.target = #attn.target<"x86-64-v3">} {
// CHECK-NEXT:   func.func @f
// CHECK:        func.func private @g
// CHECK-NOT:  func.func

// A target that is named twice gets one module.
// ONCE-COUNT-1: #attn.target
// ONCE-NOT: #attn.target

// Without names it is the machine's own.
// HOST-COUNT-1: #attn.target<"x86-64-v{{[34]}}">

// UNKNOWN: error: unknown target 'pentium'; the known ones are sm_90a, sm_90, sm_89, sm_86, sm_80, x86-64-v4, x86-64-v3

attn.weight @w : tensor<2xf32> = #attn.file<"w.bin", 0 : tensor<2xf32>>
func.func @f(%x: tensor<2xf32>) -> tensor<2xf32> {
  %0 = func.call @g(%x) : (tensor<2xf32>) -> tensor<2xf32>
  return %0 : tensor<2xf32>
}
func.func private @g(%x: tensor<2xf32>) -> tensor<2xf32> {
  return %x : tensor<2xf32>
}
