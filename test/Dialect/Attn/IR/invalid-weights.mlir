// RUN: attn-opt %s --verify-diagnostics --split-input-file

// weight, C1
// expected-error @below {{attribute 'type' failed to satisfy constraint: type attribute of statically shaped tensor}}
"attn.weight"() {sym_name = "w", type = tensor<?xf32>, value = #attn.file<"m", 0 : tensor<4xf32>>} : () -> ()

// -----

// weight, C2
// expected-error @below {{C2: has type 'tensor<4xf32>' but its expression has type 'tensor<4xf16>'}}
attn.weight @w : tensor<4xf32> = #attn.file<"m", 0 : tensor<4xf16>>

// -----

// expected-error @below {{attribute 'value' failed to satisfy constraint: weight expression}}
"attn.weight"() {sym_name = "w", type = tensor<4xf32>, value = 1 : i64} : () -> ()

// -----

// get_weight, C1
func.func @f() -> tensor<4xf32> {
  // expected-error @below {{C1: there is no attn.weight @w}}
  %0 = attn.get_weight @w : tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

// A symbol of another kind is no weight.
func.func private @w()
func.func @f() -> tensor<4xf32> {
  // expected-error @below {{C1: there is no attn.weight @w}}
  %0 = attn.get_weight @w : tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

// get_weight, C2
attn.weight @w : tensor<4xf32> = #attn.file<"m", 0 : tensor<4xf32>>
func.func @f() -> tensor<5xf32> {
  // expected-error @below {{C2: result 'tensor<5xf32>' does not match weight @w of type 'tensor<4xf32>'}}
  %0 = attn.get_weight @w : tensor<5xf32>
  return %0 : tensor<5xf32>
}

// -----

// expected-error @below {{a slice of a file needs a static type, got 'tensor<?xf32>'}}
attn.weight @w : tensor<4xf32> = #attn.file<"m", 0 : tensor<?xf32>>

// -----

// expected-error @below {{a slice of a file needs elements of whole bytes, got 'i1'}}
attn.weight @w : tensor<4xi1> = #attn.file<"m", 0 : tensor<4xi1>>

// -----

// expected-error @below {{a slice of a file ends beyond any file}}
attn.weight @w : tensor<4xf32> = #attn.file<"m", 9223372036854775800 : tensor<4xf32>>

// -----

// expected-error @below {{a slice of a file ends beyond any file}}
attn.weight @w : tensor<4xf32> = #attn.file<"m", 0 : tensor<9223372036854775807x9223372036854775807xf32>>

// -----

// expected-error @below {{a value in the IR is a tensor, got 'vector<4xf32>'}}
attn.weight @w : tensor<4xf32> = #attn.dense<dense<1.0> : vector<4xf32>>

// -----

// expected-error @below {{concat along dimension 1 of 'tensor<4xf32>'}}
attn.weight @w : tensor<8xf32> = #attn.concat<1, #attn.file<"m", 0 : tensor<4xf32>>, #attn.file<"m", 16 : tensor<4xf32>>>

// -----

// expected-error @below {{parts of concat differ outside dimension 0: 'tensor<4x2xf32>' and 'tensor<4x3xf32>'}}
attn.weight @w : tensor<8x2xf32> = #attn.concat<0, #attn.file<"m", 0 : tensor<4x2xf32>>, #attn.file<"m", 16 : tensor<4x3xf32>>>

// -----

// expected-error @below {{expected a weight expression, got 1 : i64}}
attn.weight @w : tensor<8x2xf32> = #attn.concat<0, #attn.file<"m", 0 : tensor<4x2xf32>>, 1 : i64>

// -----

// expected-error @below {{slice [3, 3 + 2) is outside of 'tensor<4xf32>'}}
attn.weight @w : tensor<2xf32> = #attn.slice<#attn.file<"m", 0 : tensor<4xf32>>, [3], [2]>

// -----

// expected-error @below {{slice [9223372036854775807, 9223372036854775807 + 2) is outside of 'tensor<4xf32>'}}
attn.weight @w : tensor<2xf32> = #attn.slice<#attn.file<"m", 0 : tensor<4xf32>>, [9223372036854775807], [2]>

// -----

// expected-error @below {{slice needs 1 offsets and sizes}}
attn.weight @w : tensor<2xf32> = #attn.slice<#attn.file<"m", 0 : tensor<4xf32>>, [0, 0], [2, 1]>

// -----

// expected-error @below {{reshape of 'tensor<4xf32>' to 6 elements}}
attn.weight @w : tensor<2x3xf32> = #attn.reshape<#attn.file<"m", 0 : tensor<4xf32>>, [2, 3]>

// -----

// expected-error @below {{reshape to an impossible shape}}
attn.weight @w : tensor<2x3xf32> = #attn.reshape<#attn.file<"m", 0 : tensor<4xf32>>, [-2, -2]>

// -----

// expected-error @below {{transpose of 'tensor<4x2xf32>' needs a permutation of its dimensions}}
attn.weight @w : tensor<4x2xf32> = #attn.transpose<#attn.file<"m", 0 : tensor<4x2xf32>>, [0, 0]>

// -----

// expected-error @below {{transpose of 'tensor<4x2xf32>' needs a permutation of its dimensions}}
attn.weight @w : tensor<4x2xf32> = #attn.transpose<#attn.file<"m", 0 : tensor<4x2xf32>>, [0]>

// -----

// expected-error @below {{convert is between floating-point types, got 'i8' and 'f32'}}
attn.weight @w : tensor<4xf32> = #attn.convert<#attn.file<"m", 0 : tensor<4xi8>> to f32>

// -----

// expected-error @below {{panels are of a matrix, got 'tensor<4xf32>'}}
attn.weight @w : tensor<1x4x4xf32> = #attn.panels<#attn.file<"m", 0 : tensor<4xf32>>, 4>

// -----

// expected-error @below {{panels need a positive width}}
attn.weight @w : tensor<1x4x4xf32> = #attn.panels<#attn.file<"m", 0 : tensor<4x4xf32>>, 0>

// -----

// expected-error @below {{panels of width 9223372036854775807 have too many elements}}
attn.weight @w : tensor<1x4x4xf32> = #attn.panels<#attn.file<"m", 0 : tensor<4x4xf32>>, 9223372036854775807>
