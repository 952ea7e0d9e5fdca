// Functions that have no vector form are libm's, which the library then names; no more of them than are used.
// RUN: %attnc %s -o %t.so --name=libm --quiet --target=x86-64-v4,x86-64-v3
// RUN: %python %S/check_symbols.py %t.so libm --libm cosf powf sin | FileCheck %s
// CHECK-NOT: FAILED
// CHECK: undefined symbols, 0 problems

func.func @f(%x: tensor<?xf32>, %y: tensor<?xf64>) -> (tensor<?xf32>, tensor<?xf64>) {
  %0 = math.cos %x : tensor<?xf32>
  %1 = math.powf %0, %x : tensor<?xf32>
  %2 = math.sin %y : tensor<?xf64>
  return %1, %2 : tensor<?xf32>, tensor<?xf64>
}
