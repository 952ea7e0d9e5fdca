// The reference as a command: inputs and outputs by name, doubles out.

// RUN: rm -rf %t && mkdir %t
// RUN: %python -c "import numpy as np; np.save(r'%t/x.npy', np.array([[1, 2], [3, 5]], np.float32)); np.save(r'%t/ids.npy', np.array([1, 0], np.int64))"
// RUN: attn-interpret %s --input x=%t/x.npy --input ids=%t/ids.npy --output %t/out
// RUN: %python -c "import numpy as np; y = np.load(r'%t/out/y.npy'); assert y.dtype == np.float64 and y.tolist() == [[-1, 1], [-1, 1]], y; z = np.load(r'%t/out/result1.npy'); assert z.tolist() == [[3, 5], [1, 2]], z"

// RUN: not attn-interpret %s --input x=%t/x.npy --output %t/out 2>&1 | FileCheck %s --check-prefix=MISSING
// MISSING: error: input 'ids' of @main is not given; add --input ids=FILE.npy

// RUN: not attn-interpret %s --entry other 2>&1 | FileCheck %s --check-prefix=ENTRY
// ENTRY: error: '{{.*}}' has no function 'other'

// RUN: not attn-interpret %s --input x=%t/x.npy --input ids=%t/ids.npy --input z=%t/x.npy 2>&1 | FileCheck %s --check-prefix=UNKNOWN
// UNKNOWN: error: @main has no input 'z'

// RUN: not attn-interpret %s --input x=%t/ids.npy --input ids=%t/ids.npy 2>&1 | FileCheck %s --check-prefix=TYPE
// TYPE: error: {{.*}}func.func: input 0 holds integers, but the argument doesn't

func.func @main(%x: tensor<2x2xf32> {attn.name = "x"}, %ids: tensor<2xi64> {attn.name = "ids"}) -> (tensor<2x2xf32> {attn.name = "y"}, tensor<2x2xf32>) {
  %one = arith.constant dense<1.0> : tensor<2xf32>
  %e = tensor.empty() : tensor<2x2xf32>
  %0 = attn.layer_norm ins(%x, %one : tensor<2x2xf32>, tensor<2xf32>) outs(%e : tensor<2x2xf32>) -> tensor<2x2xf32> {epsilon = 0.0}
  %1 = attn.embedding ins(%ids : tensor<2xi64>) tables(%x : tensor<2x2xf32>) outs(%e : tensor<2x2xf32>) -> tensor<2x2xf32>
  return %0, %1 : tensor<2x2xf32>, tensor<2x2xf32>
}
