// RUN: attn-opt %s --attn-prune-weights | FileCheck %s

// Only what is read stays; a read without a user is none.

// CHECK: attn.weight @used
// CHECK-NOT: attn.weight
attn.weight @used : tensor<4xf32> = #attn.file<"w", 0 : tensor<4xf32>>
attn.weight @unused : tensor<4xf32> = #attn.file<"w", 16 : tensor<4xf32>>
attn.weight @forgotten : tensor<4xf32> = #attn.file<"w", 32 : tensor<4xf32>>

// CHECK-LABEL: func.func @f
// CHECK-NOT: @forgotten
func.func @f() -> tensor<4xf32> {
  %w = attn.get_weight @used : tensor<4xf32>
  %v = attn.get_weight @forgotten : tensor<4xf32>
  return %w : tensor<4xf32>
}
