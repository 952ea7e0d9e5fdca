// Entries that read and write each element type need no function of a compiler's own library.
// RUN: %attnc %s -o %t.so --name=dtypes --quiet --target=x86-64-v4,x86-64-v3
// RUN: %python %S/check_symbols.py %t.so dtypes | FileCheck %s
// CHECK-NOT: FAILED
// CHECK: undefined symbols, 0 problems

func.func @f16(%x: tensor<?xf16>) -> (tensor<?xf16>, tensor<?xf32>, tensor<?xf64>, tensor<?xi32>) {
  %f32 = arith.extf %x : tensor<?xf16> to tensor<?xf32>
  %f64 = arith.extf %x : tensor<?xf16> to tensor<?xf64>
  %i32 = arith.fptosi %x : tensor<?xf16> to tensor<?xi32>
  %y = math.exp %f32 : tensor<?xf32>
  %f16 = arith.truncf %y : tensor<?xf32> to tensor<?xf16>
  %sum = arith.addf %f16, %x : tensor<?xf16>
  return %sum, %f32, %f64, %i32 : tensor<?xf16>, tensor<?xf32>, tensor<?xf64>, tensor<?xi32>
}

func.func @bf16(%x: tensor<?xbf16>) -> (tensor<?xbf16>, tensor<?xf32>) {
  %f32 = arith.extf %x : tensor<?xbf16> to tensor<?xf32>
  %y = math.tanh %f32 : tensor<?xf32>
  %bf16 = arith.truncf %y : tensor<?xf32> to tensor<?xbf16>
  return %bf16, %f32 : tensor<?xbf16>, tensor<?xf32>
}

func.func @f64(%x: tensor<?xf64>, %i: tensor<?xi64>) -> (tensor<?xf64>, tensor<?xf32>, tensor<?xi64>) {
  %f = arith.sitofp %i : tensor<?xi64> to tensor<?xf64>
  %s = arith.addf %x, %f : tensor<?xf64>
  %r = math.sqrt %s : tensor<?xf64>
  %f32 = arith.truncf %r : tensor<?xf64> to tensor<?xf32>
  %back = arith.fptosi %r : tensor<?xf64> to tensor<?xi64>
  return %r, %f32, %back : tensor<?xf64>, tensor<?xf32>, tensor<?xi64>
}

func.func @integers(%i8: tensor<?xi8>, %i16: tensor<?xi16>, %i32: tensor<?xi32>, %i64: tensor<?xi64>, %i1: tensor<?xi1>)
    -> (tensor<?xi64>, tensor<?xi1>, tensor<?xi8>) {
  %a = arith.extsi %i8 : tensor<?xi8> to tensor<?xi64>
  %b = arith.extui %i16 : tensor<?xi16> to tensor<?xi64>
  %c = arith.extsi %i32 : tensor<?xi32> to tensor<?xi64>
  %d = arith.addi %a, %b : tensor<?xi64>
  %e = arith.muli %d, %c : tensor<?xi64>
  %f = arith.select %i1, %e, %i64 : tensor<?xi1>, tensor<?xi64>
  %g = arith.cmpi slt, %f, %i64 : tensor<?xi64>
  %h = arith.trunci %f : tensor<?xi64> to tensor<?xi8>
  return %f, %g, %h : tensor<?xi64>, tensor<?xi1>, tensor<?xi8>
}
