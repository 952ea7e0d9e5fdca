// Divisions of all kinds, for division.test.
func.func @f(%x: tensor<?xi32> {attn.name = "x"}, %y: tensor<?xi32> {attn.name = "y"})
    -> (tensor<?xi32> {attn.name = "div"}, tensor<?xi32> {attn.name = "floor"}, tensor<?xi32> {attn.name = "ceil"},
        tensor<?xi32> {attn.name = "rem"}, tensor<?xi32> {attn.name = "udiv"}, tensor<?xi32> {attn.name = "uceil"},
        tensor<?xi32> {attn.name = "urem"}, tensor<?xi32> {attn.name = "by7"}, tensor<?xi64> {attn.name = "wide"}) {
  %div = arith.divsi %x, %y : tensor<?xi32>
  %floor = arith.floordivsi %x, %y : tensor<?xi32>
  %ceil = arith.ceildivsi %x, %y : tensor<?xi32>
  %rem = arith.remsi %x, %y : tensor<?xi32>
  %udiv = arith.divui %x, %y : tensor<?xi32>
  %uceil = arith.ceildivui %x, %y : tensor<?xi32>
  %urem = arith.remui %x, %y : tensor<?xi32>
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?xi32>
  %e = tensor.empty(%n) : tensor<?xi32>
  %c7 = arith.constant 7 : i32
  %seven = linalg.fill ins(%c7 : i32) outs(%e : tensor<?xi32>) -> tensor<?xi32>
  %by7 = arith.divsi %x, %seven : tensor<?xi32>
  // The least of 64 bits, where x is the least of 32.
  %x64 = arith.extsi %x : tensor<?xi32> to tensor<?xi64>
  %y64 = arith.extsi %y : tensor<?xi32> to tensor<?xi64>
  %c32 = arith.constant 4294967296 : i64
  %e64 = tensor.empty(%n) : tensor<?xi64>
  %factor = linalg.fill ins(%c32 : i64) outs(%e64 : tensor<?xi64>) -> tensor<?xi64>
  %large = arith.muli %x64, %factor : tensor<?xi64>
  %wide = arith.divsi %large, %y64 : tensor<?xi64>
  return %div, %floor, %ceil, %rem, %udiv, %uceil, %urem, %by7, %wide
      : tensor<?xi32>, tensor<?xi32>, tensor<?xi32>, tensor<?xi32>, tensor<?xi32>, tensor<?xi32>, tensor<?xi32>,
        tensor<?xi32>, tensor<?xi64>
}
