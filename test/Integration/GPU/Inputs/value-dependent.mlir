// How often something is doubled is a value.
func.func @f(%x: tensor<8xf32> {attn.name = "x"}, %n: tensor<i64> {attn.name = "n"}) -> (tensor<8xf32> {attn.name = "y"}) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %count = tensor.extract %n[] : tensor<i64>
  %times = arith.index_cast %count : i64 to index
  %y = scf.for %i = %c0 to %times step %c1 iter_args(%v = %x) -> tensor<8xf32> {
    %d = arith.addf %v, %v : tensor<8xf32>
    scf.yield %d : tensor<8xf32>
  }
  return %y : tensor<8xf32>
}
