// RUN: attn-opt %s --attn-assign-schedules --split-input-file | FileCheck %s

// Tiles of registers, tasks that fit the caches: what the target is described as decides.

// CHECK-LABEL: module @v4
// CHECK: attn.linear {{.*}} attributes {schedule = #attn.schedule<rowBlock = {{[0-9]+}}, kernel = #attn.linear_kernel<rows = 12, columns = 32, lanes = 16>>}
// CHECK: attn.layer_norm {{.*}}schedule = #attn.schedule<rowBlock = {{[0-9]+}}, kernel = #attn.row_kernel<lanes = 16>>
// CHECK: attn.embedding {{.*}}schedule = #attn.schedule<rowBlock = {{[0-9]+}}, kernel = #attn.row_kernel<lanes = 16>>
// CHECK: attn.attention {{.*}}schedule = #attn.schedule<rowBlock = 32, kernel = #attn.attention_kernel<queries = 32, keyRows = {{[0-9]+}}, valueRows = {{[0-9]+}}, valueColumns = 32, keyBlock = {{[0-9]+}}, lanes = 16>>
module @v4 attributes {attn.target = #attn.target<"x86-64-v4">} {
  func.func @f(%x: tensor<?x8xf32>, %w: tensor<1x8x32xf32>, %s: tensor<8xf32>, %i: tensor<?xi64>, %t: tensor<9x8xf32>, %q: tensor<2x?x4x8xf32>)
      -> (tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>, tensor<2x?x4x8xf32>) {
    %0 = attn.linear ins(%x, %w : tensor<?x8xf32>, tensor<1x8x32xf32>) outs(%x : tensor<?x8xf32>) -> tensor<?x8xf32> {
    ^bb0(%sum: f32):
      attn.yield %sum : f32
    }
    %1 = attn.layer_norm ins(%x, %s : tensor<?x8xf32>, tensor<8xf32>) outs(%x : tensor<?x8xf32>) -> tensor<?x8xf32> {epsilon = 1.0e-5 : f64}
    %2 = attn.embedding ins(%i : tensor<?xi64>) tables(%t : tensor<9x8xf32>) outs(%x : tensor<?x8xf32>) -> tensor<?x8xf32>
    %3 = attn.attention ins(%q, %q, %q : tensor<2x?x4x8xf32>, tensor<2x?x4x8xf32>, tensor<2x?x4x8xf32>) outs(%q : tensor<2x?x4x8xf32>) -> tensor<2x?x4x8xf32>
        maps [affine_map<(b, h, q, k, d, e) -> (b, q, h, d)>, affine_map<(b, h, q, k, d, e) -> (b, k, h, d)>,
              affine_map<(b, h, q, k, d, e) -> (b, k, h, e)>, affine_map<(b, h, q, k, d, e) -> (b, q, h, e)>]
    return %0, %1, %2, %3 : tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>, tensor<2x?x4x8xf32>
  }
}

// -----

// CHECK-LABEL: module @v3
// CHECK: attn.linear {{.*}} kernel = #attn.linear_kernel<rows = 6, columns = 16, lanes = 8>
module @v3 attributes {attn.target = #attn.target<"x86-64-v3">} {
  func.func @f(%x: tensor<?x8xf32>, %w: tensor<1x8x32xf32>) -> tensor<?x8xf32> {
    %0 = attn.linear ins(%x, %w : tensor<?x8xf32>, tensor<1x8x32xf32>) outs(%x : tensor<?x8xf32>) -> tensor<?x8xf32> {
    ^bb0(%sum: f32):
      attn.yield %sum : f32
    }
    return %0 : tensor<?x8xf32>
  }
}

// -----

// Longer rows: fewer of them in a task.

// CHECK-LABEL: module @long_rows
// CHECK: attn.linear {{.*}} #attn.schedule<rowBlock = 12, kernel
module @long_rows attributes {attn.target = #attn.target<"x86-64-v4">} {
  func.func @f(%x: tensor<?x100000xf32>, %w: tensor<1x100000x32xf32>, %i: tensor<?x8xf32>) -> tensor<?x8xf32> {
    %0 = attn.linear ins(%x, %w : tensor<?x100000xf32>, tensor<1x100000x32xf32>) outs(%i : tensor<?x8xf32>) -> tensor<?x8xf32> {
    ^bb0(%sum: f32):
      attn.yield %sum : f32
    }
    return %0 : tensor<?x8xf32>
  }
}

// -----

// Twelve rows 4096 bytes apart compete for eight lines of the first-level cache; six fit, and a narrow product is not
// worth a copy. A weight of 512 KiB is worth several tasks for few rows, of 128 columns in panels of 32.

// CHECK-LABEL: module @conflicts
// CHECK: attn.linear {{.*}} #attn.schedule<rowBlock = 144, kernel = #attn.linear_kernel<rows = 12, columns = 32, lanes = 16, copiedRows = 144>, columnBlock = 32>
// CHECK: attn.linear {{.*}} kernel = #attn.linear_kernel<rows = 12, columns = 32, lanes = 16>>
// CHECK-LABEL: module @fits
// CHECK: attn.linear {{.*}} kernel = #attn.linear_kernel<rows = 6, columns = 16, lanes = 8>, columnBlock = 16>
module @conflicts attributes {attn.target = #attn.target<"x86-64-v4">} {
  func.func @f(%x: tensor<?x1024xf32>, %w: tensor<4x1024x32xf32>, %y: tensor<?x128xf32>, %narrow: tensor<1x1024x32xf32>,
               %z: tensor<?x32xf32>) -> (tensor<?x128xf32>, tensor<?x32xf32>) {
    %0 = attn.linear ins(%x, %w : tensor<?x1024xf32>, tensor<4x1024x32xf32>) outs(%y : tensor<?x128xf32>) -> tensor<?x128xf32> {
    ^bb0(%sum: f32):
      attn.yield %sum : f32
    }
    %1 = attn.linear ins(%x, %narrow : tensor<?x1024xf32>, tensor<1x1024x32xf32>) outs(%z : tensor<?x32xf32>) -> tensor<?x32xf32> {
    ^bb0(%sum: f32):
      attn.yield %sum : f32
    }
    return %0, %1 : tensor<?x128xf32>, tensor<?x32xf32>
  }
}
module @fits attributes {attn.target = #attn.target<"x86-64-v3">} {
  func.func @f(%x: tensor<?x1024xf32>, %w: tensor<4x1024x32xf32>, %y: tensor<?x128xf32>) -> tensor<?x128xf32> {
    %0 = attn.linear ins(%x, %w : tensor<?x1024xf32>, tensor<4x1024x32xf32>) outs(%y : tensor<?x128xf32>) -> tensor<?x128xf32> {
    ^bb0(%sum: f32):
      attn.yield %sum : f32
    }
    return %0 : tensor<?x128xf32>
  }
}
