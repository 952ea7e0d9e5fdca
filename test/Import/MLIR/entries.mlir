// RUN: split-file %s %t
// RUN: %attnc %t/default.mlir --compile-to=import --emit=mlir -o - | FileCheck %t/default.mlir
// RUN: %attnc %t/given.mlir --compile-to=import --emit=mlir -o - | FileCheck %t/given.mlir
// RUN: %attnc %t/equal.mlir --compile-to=import --emit=mlir -o - | FileCheck %t/equal.mlir
// RUN: %attnc %t/derived.mlir --compile-to=import --emit=mlir -o - | FileCheck %t/derived.mlir

//--- default.mlir
// Names and symbols by position; private functions are no entries, and what no entry calls is dropped.

// CHECK-LABEL: func.func @f(
// CHECK-SAME: tensor<?x4x?xf32> {attn.name = "arg0", attn.shape = ["arg0_0", 4, "arg0_2"]}
// CHECK-SAME: tensor<3xi64> {attn.name = "arg1", attn.shape = [3]}
// CHECK-SAME: -> (tensor<?x4x?xf32> {attn.name = "result0", attn.shape = ["arg0_0", 4, "arg0_2"]}, tensor<3xi64> {attn.name = "result1", attn.shape = [3]})
func.func @f(%a: tensor<?x4x?xf32>, %b: tensor<3xi64>) -> (tensor<?x4x?xf32>, tensor<3xi64>) {
  return %a, %b : tensor<?x4x?xf32>, tensor<3xi64>
}
// CHECK-NOT: @g
func.func private @g(%a: index) {
  return
}

//--- given.mlir
// What is given stays; a default name steps aside.

// CHECK: {attn.name = "arg1", attn.shape = ["n"]}
// CHECK-SAME: {attn.name = "arg1_", attn.shape = ["n"]}
// CHECK-SAME: {attn.name = "arg2", attn.shape = ["arg2_0"]}
// CHECK-SAME: -> (tensor<?xf32> {attn.name = "y", attn.shape = ["n"]})
func.func @f(%a: tensor<?xf32> {attn.name = "arg1", attn.shape = ["n"]}, %b: tensor<?xf32> {attn.shape = ["n"]},
             %c: tensor<?xf32>) -> (tensor<?xf32> {attn.name = "y"}) {
  return %b : tensor<?xf32>
}

//--- equal.mlir
// Dimensions that an operation needs equal get one symbol, a given one if there is any.

// CHECK-LABEL: func.func @add(
// CHECK-SAME: attn.shape = ["m", "arg0_1"]
// CHECK-SAME: attn.shape = ["m", "arg0_1"]
// CHECK-SAME: -> (tensor<?x?xf32> {attn.name = "result0", attn.shape = ["m", "arg0_1"]})
func.func @add(%a: tensor<?x?xf32>, %b: tensor<?x?xf32> {attn.shape = ["m", "arg0_1"]}) -> tensor<?x?xf32> {
  %0 = arith.addf %a, %b : tensor<?x?xf32>
  return %0 : tensor<?x?xf32>
}

// CHECK-LABEL: func.func @embed(
// CHECK-SAME: attn.shape = ["arg0_0"]
// CHECK-SAME: attn.shape = ["arg0_0"]
func.func @embed(%i: tensor<?xi64>, %j: tensor<?xi64>) -> tensor<?x4xf32> {
  %c0 = arith.constant 0 : index
  %table = arith.constant dense<0.5> : tensor<9x4xf32>
  %n = tensor.dim %i, %c0 : tensor<?xi64>
  %e = tensor.empty(%n) : tensor<?x4xf32>
  %0 = attn.embedding ins(%i, %j : tensor<?xi64>, tensor<?xi64>) tables(%table, %table : tensor<9x4xf32>, tensor<9x4xf32>)
      outs(%e : tensor<?x4xf32>) -> tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}

//--- derived.mlir
// Results whose sizes come out of operations.

// CHECK-LABEL: func.func @matmul(
// CHECK-SAME: attn.shape = ["m", "arg0_1"]
// CHECK-SAME: attn.shape = ["arg0_1", "arg1_1"]
// CHECK-SAME: -> (tensor<?x?xf32> {attn.name = "result0", attn.shape = ["m", "arg1_1"]})
func.func @matmul(%a: tensor<?x?xf32> {attn.shape = ["m", "arg0_1"]}, %b: tensor<?x?xf32>) -> tensor<?x?xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : f32
  %m = tensor.dim %a, %c0 : tensor<?x?xf32>
  %n = tensor.dim %b, %c1 : tensor<?x?xf32>
  %e = tensor.empty(%m, %n) : tensor<?x?xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<?x?xf32>) -> tensor<?x?xf32>
  %r = linalg.matmul ins(%a, %b : tensor<?x?xf32>, tensor<?x?xf32>) outs(%f : tensor<?x?xf32>) -> tensor<?x?xf32>
  return %r : tensor<?x?xf32>
}

// CHECK-LABEL: func.func @layer(
// CHECK-SAME: attn.shape = ["arg0_0", "arg0_1", 4]
// CHECK-SAME: attn.shape = ["arg0_0", "arg0_1"]
// CHECK-SAME: -> (tensor<?x?x4xf32> {attn.name = "result0", attn.shape = ["arg0_0", "arg0_1", 4]})
func.func @layer(%x: tensor<?x?x4xf32>, %mask: tensor<?x?xi64>) -> tensor<?x?x4xf32> {
  %w = arith.constant dense<0.5> : tensor<4x4xf32>
  %b = arith.constant dense<0.5> : tensor<4xf32>
  %0 = attn.encoder_layer %x, mask(%mask : tensor<?x?xi64>) query_projection(%w, %b : tensor<4x4xf32>, tensor<4xf32>)
      key_projection(%w, %b : tensor<4x4xf32>, tensor<4xf32>) value_projection(%w, %b : tensor<4x4xf32>, tensor<4xf32>)
      output_projection(%w, %b : tensor<4x4xf32>, tensor<4xf32>)
      attention_norm(%b, %b : tensor<4xf32>, tensor<4xf32>) up(%w, %b : tensor<4x4xf32>, tensor<4xf32>)
      down(%w, %b : tensor<4x4xf32>, tensor<4xf32>) output_norm(%b, %b : tensor<4xf32>, tensor<4xf32>)
      {num_heads = 2 : i64, epsilon = 1.0e-5 : f64} : tensor<?x?x4xf32> -> tensor<?x?x4xf32>
  return %0 : tensor<?x?x4xf32>
}

// CHECK-LABEL: func.func @padded(
// CHECK-SAME: -> (tensor<?x?xf32> {attn.name = "result0", attn.shape = ["b", "s"]})
// CHECK-NOT: tensor.dim
// CHECK: return
func.func @padded(%x: tensor<?x?xf32> {attn.shape = ["b", "s"]}) -> tensor<?x?xf32> {
  %zero = arith.constant 0.0 : f32
  %0 = tensor.pad %x low[0, 0] high[0, 0] {
  ^bb0(%i: index, %j: index):
    tensor.yield %zero : f32
  } : tensor<?x?xf32> to tensor<?x?xf32>
  return %0 : tensor<?x?xf32>
}
