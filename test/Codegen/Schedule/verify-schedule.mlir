// RUN: attn-opt %s --attn-verify-schedule --split-input-file --verify-diagnostics

// Everything is scheduled and packed: nothing to say.
module attributes {attn.target = #attn.target<"x86-64-v3">} {
  func.func @f(%x: tensor<?x8xf32>, %w: tensor<1x8x32xf32>) -> tensor<?x8xf32> {
    %0 = attn.linear ins(%x, %w : tensor<?x8xf32>, tensor<1x8x32xf32>) outs(%x : tensor<?x8xf32>) -> tensor<?x8xf32>
        attributes {schedule = #attn.schedule<rowBlock = 72, kernel = #attn.linear_kernel<rows = 6, columns = 16, lanes = 8>>} {
    ^bb0(%sum: f32):
      attn.yield %sum : f32
    }
    return %0 : tensor<?x8xf32>
  }
}

// -----

// Kernels of GPUs read weights as they are.
module attributes {attn.target = #attn.target<"sm_80">} {
  func.func @f(%x: tensor<?x8xf32>, %w: tensor<8x8xf32>) -> tensor<?x8xf32> {
    %0 = attn.linear ins(%x, %w : tensor<?x8xf32>, tensor<8x8xf32>) outs(%x : tensor<?x8xf32>) -> tensor<?x8xf32>
        attributes {schedule = #attn.schedule<rowBlock = 64, kernel = #attn.gpu_linear_kernel<rows = 64, columns = 64, warpRows = 2, warpColumns = 2, stages = 3, products = split_tf32>>} {
    ^bb0(%sum: f32):
      attn.yield %sum : f32
    }
    return %0 : tensor<?x8xf32>
  }
}

// -----

// expected-error @below {{no module around this op names its target in 'attn.target'}}
module {
}

// -----

module attributes {attn.target = #attn.target<"x86-64-v3">} {
  func.func @f(%x: tensor<?x8xf32>, %s: tensor<8xf32>) -> tensor<?x8xf32> {
    // expected-error @below {{has no schedule after the stage 'schedule'}}
    %0 = attn.layer_norm ins(%x, %s : tensor<?x8xf32>, tensor<8xf32>) outs(%x : tensor<?x8xf32>) -> tensor<?x8xf32> {epsilon = 1.0e-5 : f64}
    return %0 : tensor<?x8xf32>
  }
}

// -----

module attributes {attn.target = #attn.target<"x86-64-v3">} {
  func.func @f(%x: tensor<?x8xf32>, %w: tensor<8x8xf32>) -> tensor<?x8xf32> {
    // expected-error @below {{reads a weight that is not in panels after the stage 'schedule'}}
    %0 = attn.linear ins(%x, %w : tensor<?x8xf32>, tensor<8x8xf32>) outs(%x : tensor<?x8xf32>) -> tensor<?x8xf32>
        attributes {schedule = #attn.schedule<rowBlock = 72, kernel = #attn.linear_kernel<rows = 6, columns = 16, lanes = 8>>} {
    ^bb0(%sum: f32):
      attn.yield %sum : f32
    }
    return %0 : tensor<?x8xf32>
  }
}
