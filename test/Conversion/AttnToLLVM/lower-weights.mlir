// RUN: attn-opt %s --attn-lower-weights='prefix=lib' | FileCheck %s

// A weight is the address of a symbol in the weight section: hidden, constant, aligned, never its bytes.

// CHECK-DAG: llvm.mlir.global external hidden constant @lib.weight.w() {{{.*}}alignment = 64 : i64} : !llvm.array<96 x i8>
// CHECK-DAG: llvm.mlir.global external hidden constant @lib.weight.h() {{{.*}}alignment = 64 : i64} : !llvm.array<10 x i8>
// CHECK-LABEL: func.func @f
// CHECK: %[[W:.+]] = llvm.mlir.addressof @lib.weight.w
// CHECK: llvm.insertvalue %[[W]], %{{.+}}[1]
// CHECK: llvm.mlir.constant(3 : index)
// CHECK: llvm.mlir.constant(8 : index)
// CHECK: llvm.mlir.addressof @lib.weight.h
// CHECK-NOT: attn.get_weight
attn.weight @w : tensor<3x8xf32> = #attn.file<"w.bin", 0 : tensor<3x8xf32>>
attn.weight @h : tensor<5xf16> = #attn.file<"w.bin", 0 : tensor<5xf16>>
func.func @f() -> (memref<3x8xf32>, memref<5xf16>, memref<3x8xf32>) {
  %0 = attn.get_weight @w : memref<3x8xf32>
  %1 = attn.get_weight @h : memref<5xf16>
  %2 = attn.get_weight @w : memref<3x8xf32>
  return %0, %1, %2 : memref<3x8xf32>, memref<5xf16>, memref<3x8xf32>
}
