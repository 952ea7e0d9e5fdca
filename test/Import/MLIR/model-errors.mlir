// One error for what MLIR may say and a model may not, at its place.

// RUN: split-file %s %t
// RUN: not %attnc %t/external.mlir --compile-to=import -o - 2>&1 | FileCheck %t/external.mlir
// RUN: not %attnc %t/global.mlir --compile-to=import -o - 2>&1 | FileCheck %t/global.mlir
// RUN: not %attnc %t/asm.mlir --compile-to=import -o - 2>&1 | FileCheck %t/asm.mlir
// RUN: not %attnc %t/module-asm.mlir --compile-to=import -o - 2>&1 | FileCheck %t/module-asm.mlir
// RUN: not %attnc %t/assert.mlir --compile-to=import -o - 2>&1 | FileCheck %t/assert.mlir
// RUN: not %attnc %t/recursion.mlir --compile-to=import -o - 2>&1 | FileCheck %t/recursion.mlir
// RUN: %attnc %t/calls.mlir --compile-to=import --quiet -o - | FileCheck %t/calls.mlir

//--- external.mlir
// CHECK: external.mlir:2:1: error: function 'free' has no body; define it, since a model calls nothing outside of its file
func.func private @free(tensor<4xf32>) -> tensor<4xf32>
func.func @f(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = func.call @free(%x) : (tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

//--- global.mlir
// CHECK: global.mlir:2:1: error: 'environ' has no value; give it one
memref.global "private" @environ : memref<4xf32>
func.func @f(%x: tensor<4xf32>) -> tensor<4xf32> {
  return %x : tensor<4xf32>
}

//--- asm.mlir
// CHECK: asm.mlir:3:3: error: 'llvm.inline_asm' works on raw memory, where nothing can be checked; write models with tensors, or name the stage that left this file with --compile-from
func.func @f(%x: tensor<4xf32>) -> tensor<4xf32> {
  llvm.inline_asm has_side_effects "hlt", "" : () -> ()
  return %x : tensor<4xf32>
}

//--- module-asm.mlir
// CHECK: module-asm.mlir:2:1: error: assembly (llvm.module_asm) is no part of a model
module attributes {llvm.module_asm = ["x: hlt"]} {
  func.func @f(%x: tensor<4xf32>) -> tensor<4xf32> {
    return %x : tensor<4xf32>
  }
}

//--- assert.mlir
// CHECK: assert.mlir:4:3: error: 'cf.assert' would end the caller's process; leave it out
func.func @f(%x: tensor<4xf32>, %y: tensor<i1>) -> tensor<4xf32> {
  %0 = tensor.extract %y[] : tensor<i1>
  cf.assert %0, "no"
  return %x : tensor<4xf32>
}

//--- recursion.mlir
// CHECK-DAG: recursion.mlir:3:1: error: function 'f' calls itself: recursion is not supported; write a loop, for example scf.while
// CHECK-DAG: recursion.mlir:8:1: error: function 'g' calls itself through others: recursion is not supported; write a loop
func.func @f(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = func.call @f(%x) : (tensor<4xf32>) -> tensor<4xf32>
  %1 = func.call @g(%0) : (tensor<4xf32>) -> tensor<4xf32>
  return %1 : tensor<4xf32>
}
func.func private @g(%x: tensor<4xf32>) -> tensor<4xf32> {
  %h = func.constant @h : (tensor<4xf32>) -> tensor<4xf32>
  %0 = func.call_indirect %h(%x) : (tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}
func.func private @h(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = func.call @g(%x) : (tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

//--- calls.mlir
// Two calls of one function are no recursion.
// CHECK: func.func @f
func.func @f(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = func.call @g(%x) : (tensor<4xf32>) -> tensor<4xf32>
  %1 = func.call @g(%0) : (tensor<4xf32>) -> tensor<4xf32>
  return %1 : tensor<4xf32>
}
func.func private @g(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = math.exp %x : tensor<4xf32>
  return %0 : tensor<4xf32>
}
