// Attention on tensor cores: layouts, shared heads, the causal mask, parts of tensors, every size of heads.

func.func @plain(%q: tensor<?x?x3x64xf16> {attn.name = "q", attn.shape = ["b", "n", 3, 64]},
                 %k: tensor<?x?x3x64xf16> {attn.name = "k", attn.shape = ["b", "m", 3, 64]},
                 %v: tensor<?x?x3x64xf16> {attn.name = "v", attn.shape = ["b", "m", 3, 64]})
    -> (tensor<?x?x3x64xf16> {attn.name = "o", attn.shape = ["b", "n", 3, 64]}) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %b = tensor.dim %q, %c0 : tensor<?x?x3x64xf16>
  %n = tensor.dim %q, %c1 : tensor<?x?x3x64xf16>
  %e = tensor.empty(%b, %n) : tensor<?x?x3x64xf16>
  %o = attn.attention ins(%q, %k, %v : tensor<?x?x3x64xf16>, tensor<?x?x3x64xf16>, tensor<?x?x3x64xf16>)
    outs(%e : tensor<?x?x3x64xf16>) -> tensor<?x?x3x64xf16>
    maps [affine_map<(b, h, q, k, d, e) -> (b, q, h, d)>, affine_map<(b, h, q, k, d, e) -> (b, k, h, d)>,
          affine_map<(b, h, q, k, d, e) -> (b, k, h, e)>, affine_map<(b, h, q, k, d, e) -> (b, q, h, e)>]
  return %o : tensor<?x?x3x64xf16>
}

// Two heads of queries to a head of keys; rows of 257 elements, which no vector is aligned in.
func.func @parts(%x: tensor<?x4x?x257xf16> {attn.name = "x", attn.shape = ["b", 4, "n", 257]},
                 %y: tensor<?x2x?x257xf16> {attn.name = "y", attn.shape = ["b", 2, "n", 257]})
    -> (tensor<?x4x?x128xf16> {attn.name = "o", attn.shape = ["b", 4, "n", 128]}) {
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %b = tensor.dim %x, %c0 : tensor<?x4x?x257xf16>
  %n = tensor.dim %x, %c2 : tensor<?x4x?x257xf16>
  %q = tensor.extract_slice %x[0, 0, 0, 3] [%b, 4, %n, 128] [1, 1, 1, 1] : tensor<?x4x?x257xf16> to tensor<?x4x?x128xf16>
  %k = tensor.extract_slice %y[0, 0, 0, 0] [%b, 2, %n, 128] [1, 1, 1, 1] : tensor<?x2x?x257xf16> to tensor<?x2x?x128xf16>
  %v = tensor.extract_slice %y[0, 0, 0, 129] [%b, 2, %n, 128] [1, 1, 1, 1] : tensor<?x2x?x257xf16> to tensor<?x2x?x128xf16>
  %e = tensor.empty(%b, %n) : tensor<?x4x?x128xf16>
  %o = attn.attention ins(%q, %k, %v : tensor<?x4x?x128xf16>, tensor<?x2x?x128xf16>, tensor<?x2x?x128xf16>)
    outs(%e : tensor<?x4x?x128xf16>) -> tensor<?x4x?x128xf16>
    maps [affine_map<(b, h, q, k, d, e) -> (b, h, q, d)>, affine_map<(b, h, q, k, d, e) -> (b, h floordiv 2, k, d)>,
          affine_map<(b, h, q, k, d, e) -> (b, h floordiv 2, k, e)>, affine_map<(b, h, q, k, d, e) -> (b, h, q, e)>]
    attributes {scale = 0.5 : f64, empty = #attn.empty<uniform>} mask {
  ^bb0(%i0: index, %i1: index, %query: index, %key: index):
    %1 = arith.cmpi sle, %key, %query : index
    attn.yield %1 : i1
  }
  return %o : tensor<?x4x?x128xf16>
}

func.func @bf16(%x: tensor<?x1x?x256xf32> {attn.name = "x", attn.shape = ["b", 1, "n", 256]})
    -> (tensor<?x1x?x256xf32> {attn.name = "o", attn.shape = ["b", 1, "n", 256]}) {
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %b = tensor.dim %x, %c0 : tensor<?x1x?x256xf32>
  %n = tensor.dim %x, %c2 : tensor<?x1x?x256xf32>
  %q = arith.truncf %x : tensor<?x1x?x256xf32> to tensor<?x1x?x256xbf16>
  %e = tensor.empty(%b, %n) : tensor<?x1x?x256xbf16>
  %o = attn.attention ins(%q, %q, %q : tensor<?x1x?x256xbf16>, tensor<?x1x?x256xbf16>, tensor<?x1x?x256xbf16>)
    outs(%e : tensor<?x1x?x256xbf16>) -> tensor<?x1x?x256xbf16>
    maps [affine_map<(b, h, q, k, d, e) -> (b, h, q, d)>, affine_map<(b, h, q, k, d, e) -> (b, h, k, d)>,
          affine_map<(b, h, q, k, d, e) -> (b, h, k, e)>, affine_map<(b, h, q, k, d, e) -> (b, h, q, e)>]
  %r = arith.extf %o : tensor<?x1x?x256xbf16> to tensor<?x1x?x256xf32>
  return %r : tensor<?x1x?x256xf32>
}
