// RUN: attn-opt %s --pass-pipeline='builtin.module(func.func(attn-write-results))' --split-input-file --verify-diagnostics

// expected-error @below {{result 1 of an entry is a tensor, got 'index'}}
func.func @scalar(%x: tensor<4xf32>, %i: index) -> (tensor<4xf32>, index) {
  return %x, %i : tensor<4xf32>, index
}

// -----

// expected-error @below {{an entry needs a body of one block}}
func.func @blocks(%x: tensor<4xf32>) -> tensor<4xf32> {
  cf.br ^end
^end:
  return %x : tensor<4xf32>
}
