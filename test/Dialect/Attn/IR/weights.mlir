// RUN: attn-opt %s --split-input-file | attn-opt --split-input-file | FileCheck %s
// RUN: attn-opt %s --split-input-file --mlir-print-op-generic | attn-opt --split-input-file | FileCheck %s

// CHECK: attn.weight @file : tensor<4x8xf16> = #attn.file<"m.safetensors", 1024 : tensor<4x8xf16>>
attn.weight @file : tensor<4x8xf16> = #attn.file<"m.safetensors", 1024 : tensor<4x8xf16>>
// CHECK: attn.weight @all : tensor<2x8x4xf32>
attn.weight @all : tensor<2x8x4xf32> = #attn.panels<#attn.concat<0, #attn.convert<#attn.file<"m.safetensors", 1024 : tensor<4x8xf16>> to f32>,
    #attn.transpose<#attn.slice<#attn.reshape<#attn.file<"n.safetensors", 0 : tensor<32xf32>>, [8, 4]>, [0, 2], [8, 2]>, [1, 0]>>, 4>
// CHECK: attn.weight @dense : tensor<2xf32> = #attn.dense<dense<[1.000000e+00, 2.000000e+00]> : tensor<2xf32>> {sym_visibility = "private"}
attn.weight @dense : tensor<2xf32> = #attn.dense<dense<[1.0, 2.0]> : tensor<2xf32>> {sym_visibility = "private"}

// CHECK: module @x86_64_v4 attributes {attn.target = #attn.target<"x86-64-v4">}
module @x86_64_v4 attributes {attn.target = #attn.target<"x86-64-v4">} {
  // CHECK: func.func @entry(%{{.+}}: tensor<?x4xi64> {attn.index_range = array<i64: 0, 10>, attn.name = "ids", attn.shape = ["batch", 4]}) -> (tensor<4x8xf16> {attn.name = "w", attn.shape = [4, 8]}) attributes {attn.dims = {batch = #attn.dim<max = 64>}}
  func.func @entry(%ids: tensor<?x4xi64> {attn.name = "ids", attn.shape = ["batch", 4], attn.index_range = array<i64: 0, 10>})
      -> (tensor<4x8xf16> {attn.name = "w", attn.shape = [4, 8]}) attributes {attn.dims = {batch = #attn.dim<max = 64>}} {
    // A module of a target uses the weights of the module around it.
    // CHECK: attn.get_weight @file : tensor<4x8xf16>
    // CHECK: attn.get_weight @file : memref<4x8xf16>
    %0 = attn.get_weight @file : tensor<4x8xf16>
    %1 = attn.get_weight @file : memref<4x8xf16>
    return %0 : tensor<4x8xf16>
  }
}
