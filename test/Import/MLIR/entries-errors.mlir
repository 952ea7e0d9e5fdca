// One error for what an entry may not be, at its function.

// RUN: split-file %s %t
// RUN: not %attnc %t/no-entry.mlir --compile-to=import --emit=mlir -o - 2>&1 | FileCheck %t/no-entry.mlir
// RUN: not %attnc %t/no-body.mlir --compile-to=import --emit=mlir -o - 2>&1 | FileCheck %t/no-body.mlir
// RUN: not %attnc %t/unranked.mlir --compile-to=import --emit=mlir -o - 2>&1 | FileCheck %t/unranked.mlir
// RUN: not %attnc %t/scalar.mlir --compile-to=import --emit=mlir -o - 2>&1 | FileCheck %t/scalar.mlir
// RUN: not %attnc %t/element.mlir --compile-to=import --emit=mlir -o - 2>&1 | FileCheck %t/element.mlir
// RUN: not %attnc %t/rank.mlir --compile-to=import --emit=mlir -o - 2>&1 | FileCheck %t/rank.mlir
// RUN: not %attnc %t/same-name.mlir --compile-to=import --emit=mlir -o - 2>&1 | FileCheck %t/same-name.mlir
// RUN: not %attnc %t/size.mlir --compile-to=import --emit=mlir -o - 2>&1 | FileCheck %t/size.mlir
// RUN: not %attnc %t/two-symbols.mlir --compile-to=import --emit=mlir -o - 2>&1 | FileCheck %t/two-symbols.mlir
// RUN: not %attnc %t/fixed-argument.mlir --compile-to=import --emit=mlir -o - 2>&1 | FileCheck %t/fixed-argument.mlir
// RUN: not %attnc %t/fixed-result.mlir --compile-to=import --emit=mlir -o - 2>&1 | FileCheck %t/fixed-result.mlir
// RUN: not %attnc %t/underived.mlir --compile-to=import --emit=mlir -o - 2>&1 | FileCheck %t/underived.mlir
// RUN: not %attnc %t/wrong-result.mlir --compile-to=import --emit=mlir -o - 2>&1 | FileCheck %t/wrong-result.mlir
// RUN: not %attnc %t/unknown-result.mlir --compile-to=import --emit=mlir -o - 2>&1 | FileCheck %t/unknown-result.mlir
// RUN: not %attnc %t/blocks.mlir --compile-to=import --emit=mlir -o - 2>&1 | FileCheck %t/blocks.mlir
// RUN: not %attnc %t/syntax.mlir --compile-to=import --emit=mlir -o - 2>&1 | FileCheck %t/syntax.mlir
// RUN: not %attnc %t/verifier.mlir --compile-to=import --emit=mlir -o - 2>&1 | FileCheck %t/verifier.mlir

//--- no-entry.mlir
// CHECK: error: the module has no entry: no public func.func
func.func private @f(%a: tensor<4xf32>) {
  return
}

//--- no-body.mlir
// CHECK: no-body.mlir:2:1: error: {{.*}}declaration cannot have public visibility
func.func @f(tensor<4xf32>) -> tensor<4xf32>

//--- unranked.mlir
// CHECK: unranked.mlir:2:1: error: entry 'f': argument 0: has type 'tensor<*xf32>'; entries take and return ranked tensors of f16,
func.func @f(%a: tensor<*xf32>) {
  return
}

//--- scalar.mlir
// CHECK: error: entry 'f': argument 1 'n': has type 'index'; entries take and return ranked tensors
func.func @f(%a: tensor<4xf32>, %n: index {attn.name = "n"}) {
  return
}

//--- element.mlir
// CHECK: error: entry 'f': result 0: has type 'tensor<4xindex>'
func.func @f() -> tensor<4xindex> {
  %0 = arith.constant dense<0> : tensor<4xindex>
  return %0 : tensor<4xindex>
}

//--- rank.mlir
// CHECK: error: entry 'f': argument 0: has 33 dimensions; libraries take and return at most 32
func.func @f(%a: tensor<1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1xf32>) {
  return
}

//--- same-name.mlir
// CHECK: error: entry 'f': result 0 'x': another argument or result has this attn.name too
func.func @f(%a: tensor<4xf32> {attn.name = "x"}) -> (tensor<4xf32> {attn.name = "x"}) {
  return %a : tensor<4xf32>
}

//--- size.mlir
// CHECK: error: entry 'f': argument 0: attn.shape has 5 : i64 for dimension 0 of 'tensor<?x4xf32>'; name it, or make it static
func.func @f(%a: tensor<?x4xf32> {attn.shape = [5, 4]}) {
  return
}

//--- two-symbols.mlir
// CHECK: error: entry 'f': argument 1 'arg1': attn.shape names dimension 0 "m", but the function needs it to be equal to "n"; give both one name
func.func @f(%a: tensor<?xf32> {attn.shape = ["n"]}, %b: tensor<?xf32> {attn.shape = ["m"]}) -> tensor<?xf32> {
  %0 = arith.addf %a, %b : tensor<?xf32>
  return %0 : tensor<?xf32>
}

//--- fixed-argument.mlir
// CHECK: error: entry 'f': argument 0 'arg0': dimension 0 is dynamic, but the function needs it to be 4; make it static
func.func @f(%a: tensor<?xf32>) -> tensor<4xf32> {
  %0 = tensor.cast %a : tensor<?xf32> to tensor<4xf32>
  return %0 : tensor<4xf32>
}

//--- fixed-result.mlir
// CHECK: error: entry 'f': result 0 'result0': dimension 0 is dynamic, but is always 4; make it static
func.func @f(%a: tensor<4xf32>) -> tensor<?xf32> {
  %0 = tensor.cast %a : tensor<4xf32> to tensor<?xf32>
  return %0 : tensor<?xf32>
}

//--- underived.mlir
// CHECK: error: entry 'f': result 0 'result0': dimension 0 of 'tensor<?xf32>' can't be derived from the arguments' dimensions; name it with attn.shape
func.func @f(%a: tensor<?xf32>) -> tensor<?xf32> {
  %0 = tensor.concat dim(0) %a, %a : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
  return %0 : tensor<?xf32>
}

//--- wrong-result.mlir
// CHECK: error: entry 'f': result 0 'result0': attn.shape names dimension 0 "m", but it is "n"
func.func @f(%a: tensor<?x?xf32> {attn.shape = ["n", "m"]}) -> (tensor<?x?xf32> {attn.shape = ["m", "m"]}) {
  return %a : tensor<?x?xf32>
}

//--- unknown-result.mlir
// CHECK: error: entry 'f': result 0 'result0': attn.shape names dimension 0 "k", which is no dimension of an argument
func.func @f(%a: tensor<?xf32>) -> (tensor<?xf32> {attn.shape = ["k"]}) {
  %0 = tensor.concat dim(0) %a, %a : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
  return %0 : tensor<?xf32>
}

//--- blocks.mlir
// CHECK: error: entry 'f': must be one block that ends with func.return; use scf for control flow
func.func @f(%a: tensor<4xf32>) -> tensor<4xf32> {
  cf.br ^bb1
^bb1:
  return %a : tensor<4xf32>
}

//--- syntax.mlir
// CHECK: syntax.mlir:{{[0-9]+}}:{{[0-9]+}}: error: expected
func.func @f(%a: tensor<4xf32>

//--- verifier.mlir
// CHECK: verifier.mlir:3:{{[0-9]+}}: error: 'attn.get_weight' op C1: there is no attn.weight @missing
func.func @f() -> tensor<4xf32> {
  %0 = attn.get_weight @missing : tensor<4xf32>
  return %0 : tensor<4xf32>
}
