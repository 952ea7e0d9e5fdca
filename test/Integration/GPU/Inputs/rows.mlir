func.func @double_and_sum(%x: tensor<?x?xf32> {attn.name = "x", attn.shape = ["m", "n"]})
    -> (tensor<?x?xf32> {attn.name = "y", attn.shape = ["m", "n"]}) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : f32
  %two = arith.constant 2.0 : f32
  %m = tensor.dim %x, %c0 : tensor<?x?xf32>
  %n = tensor.dim %x, %c1 : tensor<?x?xf32>
  %rows = tensor.empty(%m) : tensor<?xf32>
  %zeros = linalg.fill ins(%zero : f32) outs(%rows : tensor<?xf32>) -> tensor<?xf32>
  %sums = linalg.reduce ins(%x : tensor<?x?xf32>) outs(%zeros : tensor<?xf32>) dimensions = [1]
    (%a: f32, %b: f32) {
      %s = arith.addf %a, %b : f32
      linalg.yield %s : f32
    }
  %e = tensor.empty(%m, %n) : tensor<?x?xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>, affine_map<(i, j) -> (i, j)>],
      iterator_types = ["parallel", "parallel"]} ins(%x, %sums : tensor<?x?xf32>, tensor<?xf32>) outs(%e : tensor<?x?xf32>) {
    ^bb0(%a: f32, %s: f32, %o: f32):
      %d = arith.mulf %a, %two : f32
      %r = arith.addf %d, %s : f32
      linalg.yield %r : f32
  } -> tensor<?x?xf32>
  return %y : tensor<?x?xf32>
}

func.func @gather(%ids: tensor<?xi64> {attn.name = "ids", attn.shape = ["k"], attn.index_range = array<i64: 0, 5>},
                  %table: tensor<5x4xf32> {attn.name = "table", attn.shape = [5, 4]})
    -> (tensor<?x4xf32> {attn.name = "y", attn.shape = ["k", 4]}) {
  %c0 = arith.constant 0 : index
  %k = tensor.dim %ids, %c0 : tensor<?xi64>
  %e = tensor.empty(%k) : tensor<?x4xf32>
  %y = attn.embedding ins(%ids : tensor<?xi64>) tables(%table : tensor<5x4xf32>) outs(%e : tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}
