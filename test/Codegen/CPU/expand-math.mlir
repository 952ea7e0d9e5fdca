// RUN: %attn-opt %s --attn-expand-math | FileCheck %s

// No function is left but those that are one instruction; what isn't f32 is not touched.

// CHECK-LABEL: func.func @vectors
// CHECK-NOT:     {{math\.(exp|exp2|log|tanh|erf|erfc) |attn\.gelu}}
// CHECK:         math.fma {{.+}} : vector<16xf32>
// CHECK:         arith.shli {{.+}} : vector<16xi32>
// CHECK-NOT:     {{math\.(exp|exp2|log|tanh|erf|erfc) |attn\.gelu}}
// CHECK:         return
func.func @vectors(%x: vector<16xf32>) -> vector<16xf32> {
  %0 = math.exp %x : vector<16xf32>
  %1 = math.exp2 %0 : vector<16xf32>
  %2 = math.log %1 : vector<16xf32>
  %3 = math.tanh %2 : vector<16xf32>
  %4 = math.erf %3 : vector<16xf32>
  %c = math.erfc %4 : vector<16xf32>
  %5 = attn.gelu %c : vector<16xf32>
  %6 = attn.gelu approximate %5 : vector<16xf32>
  return %6 : vector<16xf32>
}

// CHECK-LABEL: func.func @scalar
// CHECK-NOT:     math.exp
// CHECK:         math.fma {{.+}} : f32
// CHECK:         return
func.func @scalar(%x: f32) -> f32 {
  %0 = math.exp %x : f32
  return %0 : f32
}

// CHECK-LABEL: func.func @double
// CHECK:         math.exp {{.+}} : f64
func.func @double(%x: f64) -> f64 {
  %0 = math.exp %x : f64
  return %0 : f64
}
