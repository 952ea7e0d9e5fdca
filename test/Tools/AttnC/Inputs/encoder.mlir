// One encoder layer, 16 wide with 2 heads, on embeddings of 10 words: every kind of kernel, compiled in a moment. Its
// largest weight, the table of words, is the first 640 bytes of encoder.bin beside this file.
attn.weight @words : tensor<10x16xf32> = #attn.file<"encoder.bin", 0 : tensor<10x16xf32>>
attn.weight @square : tensor<16x16xf32> = #attn.dense<dense<0.125> : tensor<16x16xf32>>
attn.weight @up : tensor<64x16xf32> = #attn.dense<dense<0.0625> : tensor<64x16xf32>>
attn.weight @down : tensor<16x64xf32> = #attn.dense<dense<0.03125> : tensor<16x64xf32>>
attn.weight @ones : tensor<16xf32> = #attn.dense<dense<1.0> : tensor<16xf32>>
attn.weight @zeros : tensor<16xf32> = #attn.dense<dense<0.0> : tensor<16xf32>>
attn.weight @up_bias : tensor<64xf32> = #attn.dense<dense<0.5> : tensor<64xf32>>

func.func @encode(%ids: tensor<?x?xi64> {attn.name = "ids", attn.shape = ["batch", "sequence"]},
                  %mask: tensor<?x?xi64> {attn.name = "mask", attn.shape = ["batch", "sequence"]})
    -> (tensor<?x?x16xf32> {attn.name = "hidden", attn.shape = ["batch", "sequence", 16]}) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %b = tensor.dim %ids, %c0 : tensor<?x?xi64>
  %s = tensor.dim %ids, %c1 : tensor<?x?xi64>
  %words = attn.get_weight @words : tensor<10x16xf32>
  %w = attn.get_weight @square : tensor<16x16xf32>
  %up = attn.get_weight @up : tensor<64x16xf32>
  %down = attn.get_weight @down : tensor<16x64xf32>
  %one = attn.get_weight @ones : tensor<16xf32>
  %zero = attn.get_weight @zeros : tensor<16xf32>
  %bias = attn.get_weight @up_bias : tensor<64xf32>
  %init = tensor.empty(%b, %s) : tensor<?x?x16xf32>
  %x = attn.embedding ins(%ids : tensor<?x?xi64>) tables(%words : tensor<10x16xf32>) outs(%init : tensor<?x?x16xf32>)
      -> tensor<?x?x16xf32> loc("words")
  %y = attn.encoder_layer %x, mask(%mask : tensor<?x?xi64>)
      query_projection(%w, %zero : tensor<16x16xf32>, tensor<16xf32>)
      key_projection(%w, %zero : tensor<16x16xf32>, tensor<16xf32>)
      value_projection(%w, %zero : tensor<16x16xf32>, tensor<16xf32>)
      output_projection(%w, %one : tensor<16x16xf32>, tensor<16xf32>)
      attention_norm(%one, %zero : tensor<16xf32>, tensor<16xf32>)
      up(%up, %bias : tensor<64x16xf32>, tensor<64xf32>) down(%down, %zero : tensor<16x64xf32>, tensor<16xf32>)
      output_norm(%one, %zero : tensor<16xf32>, tensor<16xf32>)
      {empty = #attn.empty<uniform>, epsilon = 1.0e-12 : f64, num_heads = 2 : i64}
      : tensor<?x?x16xf32> -> tensor<?x?x16xf32> loc("layer.0")
  return %y : tensor<?x?x16xf32>
}
