// RUN: not %attnc %s -o %t.so --quiet 2>&1 | FileCheck %s

// An error of a weight's file names the model, the weight and the file.
// CHECK: error: {{.*}}weight-errors.mlir: attn.weight @w: cannot read the weights in '/no/such/file': No such file or directory
attn.weight @w : tensor<2x2xf32> = #attn.file<"/no/such/file", 0 : tensor<2x2xf32>>
func.func @f() -> tensor<2x2xf32> {
  %w = attn.get_weight @w : tensor<2x2xf32>
  return %w : tensor<2x2xf32>
}
