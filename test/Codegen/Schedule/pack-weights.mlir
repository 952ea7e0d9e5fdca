// RUN: attn-opt %s --attn-pack-weights --split-input-file | FileCheck %s
// RUN: attn-opt %s --attn-pack-weights='width=8' --split-input-file | FileCheck %s --check-prefix=NARROW
// RUN: not attn-opt %s --attn-pack-weights='width=0' --split-input-file 2>&1 | FileCheck %s --check-prefix=ZERO

// ZERO: error: the width of a panel is at least 1

// The panels are an expression of the weight's value; the weight itself is gone, since nothing reads it.

// CHECK-LABEL: module @symbol
// CHECK-NEXT: attn.weight @w_panels : tensor<2x8x32xf32> = #attn.panels<#attn.file<"w.bin", 64 : tensor<50x8xf32>>, 32>
// CHECK-NEXT: func.func @f(
// CHECK: %[[W:.+]] = attn.get_weight @w_panels : tensor<2x8x32xf32>
// CHECK: attn.linear ins(%{{.+}}, %[[W]] : tensor<?x8xf32>, tensor<2x8x32xf32>)
// NARROW: attn.weight @w_panels : tensor<7x8x8xf32> = #attn.panels<{{.*}}, 8>
module @symbol {
  attn.weight @w : tensor<50x8xf32> = #attn.file<"w.bin", 64 : tensor<50x8xf32>>
  func.func @f(%x: tensor<?x8xf32>, %init: tensor<?x50xf32>) -> tensor<?x50xf32> {
    %w = attn.get_weight @w : tensor<50x8xf32>
    %0 = attn.linear ins(%x, %w : tensor<?x8xf32>, tensor<50x8xf32>) outs(%init : tensor<?x50xf32>) -> tensor<?x50xf32> {
    ^bb0(%s: f32):
      attn.yield %s : f32
    }
    return %0 : tensor<?x50xf32>
  }
}

// -----

// All targets and all layers that read one weight share its panels; who reads it otherwise keeps it.

// CHECK-LABEL: module @shared
// CHECK-DAG: attn.weight @w : tensor<8x8xf32>
// CHECK-DAG: attn.weight @w_panels : tensor<1x8x32xf32>
// CHECK-NOT: attn.weight
// CHECK: module @a
// CHECK: attn.get_weight @w_panels
// CHECK: module @b
// CHECK: attn.get_weight @w_panels
module @shared {
  attn.weight @w : tensor<8x8xf32> = #attn.file<"w.bin", 0 : tensor<8x8xf32>>
  module @a {
    func.func @f(%x: tensor<?x8xf32>) -> (tensor<?x8xf32>, tensor<8x8xf32>) {
      %w = attn.get_weight @w : tensor<8x8xf32>
      %0 = attn.linear ins(%x, %w : tensor<?x8xf32>, tensor<8x8xf32>) outs(%x : tensor<?x8xf32>) -> tensor<?x8xf32> {
      ^bb0(%s: f32):
        attn.yield %s : f32
      }
      return %0, %w : tensor<?x8xf32>, tensor<8x8xf32>
    }
  }
  module @b {
    func.func @f(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
      %w = attn.get_weight @w : tensor<8x8xf32>
      %0 = attn.linear ins(%x, %w : tensor<?x8xf32>, tensor<8x8xf32>) outs(%x : tensor<?x8xf32>) -> tensor<?x8xf32> {
      ^bb0(%s: f32):
        attn.yield %s : f32
      }
      return %0 : tensor<?x8xf32>
    }
  }
}

// -----

// A weight that comes at run time is packed at run time; panels stay as they are.

// CHECK-LABEL: func.func @run_time
// CHECK-SAME: (%[[X:.+]]: tensor<?x8xf32>, %[[W:.+]]: tensor<50x8xf32>, %[[P:.+]]: tensor<1x8x32xf32>
// CHECK: %[[EMPTY:.+]] = tensor.empty() : tensor<2x8x32xf32>
// CHECK: %[[PANELS:.+]] = attn.pack ins(%[[W]] : tensor<50x8xf32>) outs(%[[EMPTY]] : tensor<2x8x32xf32>)
// CHECK: attn.linear ins(%[[X]], %[[PANELS]] :
// CHECK: attn.linear ins(%[[X]], %[[P]] :
func.func @run_time(%x: tensor<?x8xf32>, %w: tensor<50x8xf32>, %p: tensor<1x8x32xf32>, %i: tensor<?x50xf32>, %j: tensor<?x20xf32>)
    -> (tensor<?x50xf32>, tensor<?x20xf32>) {
  %0 = attn.linear ins(%x, %w : tensor<?x8xf32>, tensor<50x8xf32>) outs(%i : tensor<?x50xf32>) -> tensor<?x50xf32> {
  ^bb0(%s: f32):
    attn.yield %s : f32
  }
  %1 = attn.linear ins(%x, %p : tensor<?x8xf32>, tensor<1x8x32xf32>) outs(%j : tensor<?x20xf32>) -> tensor<?x20xf32> {
  ^bb0(%s: f32):
    attn.yield %s : f32
  }
  return %0, %1 : tensor<?x50xf32>, tensor<?x20xf32>
}

// -----

// GPUs' kernels read weights as models store them.

// CHECK-LABEL: module @gpu
// CHECK: attn.linear ins(%{{.+}}, %{{.+}} : tensor<?x8xf32>, tensor<50x8xf32>)
module @gpu attributes {attn.target = #attn.target<"sm_80">} {
  func.func @f(%x: tensor<?x8xf32>, %w: tensor<50x8xf32>, %init: tensor<?x50xf32>) -> tensor<?x50xf32> {
    %0 = attn.linear ins(%x, %w : tensor<?x8xf32>, tensor<50x8xf32>) outs(%init : tensor<?x50xf32>) -> tensor<?x50xf32> {
    ^bb0(%s: f32):
      attn.yield %s : f32
    }
    return %0 : tensor<?x50xf32>
  }
}
