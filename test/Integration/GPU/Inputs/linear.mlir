// Linear layers on tensor cores: elements of all types, sizes that no tile divides, epilogues, weights of the model and
// of the caller.

// f32, with a bias, gelu and a residual.
func.func @f32(%x: tensor<?x36xf32> {attn.name = "x", attn.shape = ["m", 36]},
               %w: tensor<71x36xf32> {attn.name = "w", attn.shape = [71, 36]},
               %bias: tensor<71xf32> {attn.name = "bias", attn.shape = [71]},
               %r: tensor<?x71xf32> {attn.name = "r", attn.shape = ["m", 71]})
    -> (tensor<?x71xf32> {attn.name = "y", attn.shape = ["m", 71]}) {
  %c0 = arith.constant 0 : index
  %m = tensor.dim %x, %c0 : tensor<?x36xf32>
  %e = tensor.empty(%m) : tensor<?x71xf32>
  %y = attn.linear ins(%x, %w : tensor<?x36xf32>, tensor<71x36xf32>)
      extras(%bias, %r : tensor<71xf32>, tensor<?x71xf32>) outs(%e : tensor<?x71xf32>) -> tensor<?x71xf32>
      maps [affine_map<(i, j) -> (j)>, affine_map<(i, j) -> (i, j)>] {
  ^bb0(%sum: f32, %b: f32, %a: f32):
    %0 = arith.addf %sum, %b : f32
    %1 = attn.gelu %0 : f32
    %2 = arith.addf %1, %a : f32
    attn.yield %2 : f32
  }
  return %y : tensor<?x71xf32>
}

// f16, its rows of 100 and of 33 elements, a bias of f32 and a hyperbolic tangent.
func.func @f16(%x: tensor<?x100xf16> {attn.name = "x", attn.shape = ["m", 100]},
               %w: tensor<40x100xf16> {attn.name = "w", attn.shape = [40, 100]},
               %bias: tensor<40xf32> {attn.name = "bias", attn.shape = [40]})
    -> (tensor<?x40xf16> {attn.name = "y", attn.shape = ["m", 40]}) {
  %c0 = arith.constant 0 : index
  %m = tensor.dim %x, %c0 : tensor<?x100xf16>
  %e = tensor.empty(%m) : tensor<?x40xf16>
  %y = attn.linear ins(%x, %w : tensor<?x100xf16>, tensor<40x100xf16>) extras(%bias : tensor<40xf32>)
      outs(%e : tensor<?x40xf16>) -> tensor<?x40xf16> maps [affine_map<(i, j) -> (j)>] {
  ^bb0(%sum: f16, %b: f32):
    %0 = arith.truncf %b : f32 to f16
    %1 = arith.addf %sum, %0 : f16
    %2 = math.tanh %1 : f16
    attn.yield %2 : f16
  }
  return %y : tensor<?x40xf16>
}

func.func @odd(%x: tensor<50x33xf16> {attn.name = "x"}, %w: tensor<130x33xf16> {attn.name = "w"})
    -> (tensor<50x130xf16> {attn.name = "y"}) {
  %e = tensor.empty() : tensor<50x130xf16>
  %y = attn.linear ins(%x, %w : tensor<50x33xf16>, tensor<130x33xf16>) outs(%e : tensor<50x130xf16>) -> tensor<50x130xf16> {
  ^bb0(%sum: f16):
    attn.yield %sum : f16
  }
  return %y : tensor<50x130xf16>
}

// bf16 between conversions.
func.func @bf16(%x: tensor<?x64xf32> {attn.name = "x", attn.shape = ["m", 64]},
                %w: tensor<136x64xf32> {attn.name = "w", attn.shape = [136, 64]})
    -> (tensor<?x136xf32> {attn.name = "y", attn.shape = ["m", 136]}) {
  %c0 = arith.constant 0 : index
  %m = tensor.dim %x, %c0 : tensor<?x64xf32>
  %a = arith.truncf %x : tensor<?x64xf32> to tensor<?x64xbf16>
  %b = arith.truncf %w : tensor<136x64xf32> to tensor<136x64xbf16>
  %e = tensor.empty(%m) : tensor<?x136xbf16>
  %y = attn.linear ins(%a, %b : tensor<?x64xbf16>, tensor<136x64xbf16>) outs(%e : tensor<?x136xbf16>) -> tensor<?x136xbf16> {
  ^bb0(%sum: bf16):
    attn.yield %sum : bf16
  }
  %r = arith.extf %y : tensor<?x136xbf16> to tensor<?x136xf32>
  return %r : tensor<?x136xf32>
}
