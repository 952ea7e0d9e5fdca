// Ops that no kernel knows, written by hand: they take the generic path. check_generic.py has the same in NumPy.

#id2 = affine_map<(m, n) -> (m, n)>
#row = affine_map<(m, n) -> (m)>
#col = affine_map<(m, n) -> (n)>
#swap = affine_map<(m, n) -> (n, m)>

// Softmax over the last dimension, with an additive mask of the batch row.
func.func @softmax(%x: tensor<?x?x?xf32> {attn.name = "x", attn.shape = ["a", "b", "c"]},
                   %bias: tensor<?x?xf32> {attn.name = "bias", attn.shape = ["a", "c"]})
    -> (tensor<?x?x?xf32> {attn.name = "y", attn.shape = ["a", "b", "c"]}) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %lowest = arith.constant 0xFF800000 : f32
  %zero = arith.constant 0.0 : f32
  %a = tensor.dim %x, %c0 : tensor<?x?x?xf32>
  %b = tensor.dim %x, %c1 : tensor<?x?x?xf32>
  %c = tensor.dim %x, %c2 : tensor<?x?x?xf32>
  %full = tensor.empty(%a, %b, %c) : tensor<?x?x?xf32>
  %rows = tensor.empty(%a, %b) : tensor<?x?xf32>
  %s = linalg.generic {indexing_maps = [affine_map<(a, b, c) -> (a, b, c)>, affine_map<(a, b, c) -> (a, c)>,
                                        affine_map<(a, b, c) -> (a, b, c)>],
                       iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%x, %bias : tensor<?x?x?xf32>, tensor<?x?xf32>) outs(%full : tensor<?x?x?xf32>) {
  ^bb0(%e: f32, %f: f32, %o: f32):
    %0 = arith.addf %e, %f : f32
    linalg.yield %0 : f32
  } -> tensor<?x?x?xf32>
  %m0 = linalg.fill ins(%lowest : f32) outs(%rows : tensor<?x?xf32>) -> tensor<?x?xf32>
  %max = linalg.generic {indexing_maps = [affine_map<(a, b, c) -> (a, b, c)>, affine_map<(a, b, c) -> (a, b)>],
                         iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%s : tensor<?x?x?xf32>) outs(%m0 : tensor<?x?xf32>) {
  ^bb0(%e: f32, %o: f32):
    %0 = arith.maximumf %e, %o : f32
    linalg.yield %0 : f32
  } -> tensor<?x?xf32>
  %p = linalg.generic {indexing_maps = [affine_map<(a, b, c) -> (a, b, c)>, affine_map<(a, b, c) -> (a, b)>,
                                        affine_map<(a, b, c) -> (a, b, c)>],
                       iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%s, %max : tensor<?x?x?xf32>, tensor<?x?xf32>) outs(%full : tensor<?x?x?xf32>) {
  ^bb0(%e: f32, %m: f32, %o: f32):
    %0 = arith.subf %e, %m : f32
    %1 = math.exp %0 : f32
    linalg.yield %1 : f32
  } -> tensor<?x?x?xf32>
  %s0 = linalg.fill ins(%zero : f32) outs(%rows : tensor<?x?xf32>) -> tensor<?x?xf32>
  %sum = linalg.generic {indexing_maps = [affine_map<(a, b, c) -> (a, b, c)>, affine_map<(a, b, c) -> (a, b)>],
                         iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%p : tensor<?x?x?xf32>) outs(%s0 : tensor<?x?xf32>) {
  ^bb0(%e: f32, %o: f32):
    %0 = arith.addf %o, %e : f32
    linalg.yield %0 : f32
  } -> tensor<?x?xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(a, b, c) -> (a, b, c)>, affine_map<(a, b, c) -> (a, b)>,
                                        affine_map<(a, b, c) -> (a, b, c)>],
                       iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%p, %sum : tensor<?x?x?xf32>, tensor<?x?xf32>) outs(%full : tensor<?x?x?xf32>) {
  ^bb0(%e: f32, %m: f32, %o: f32):
    %0 = arith.divf %e, %m : f32
    linalg.yield %0 : f32
  } -> tensor<?x?x?xf32>
  return %y : tensor<?x?x?xf32>
}

// Sums over the middle dimension, over the first, and over everything.
func.func @sums(%x: tensor<?x?x?xf32> {attn.name = "x", attn.shape = ["a", "b", "c"]})
    -> (tensor<?x?xf32> {attn.name = "middle", attn.shape = ["a", "c"]},
        tensor<?x?xf32> {attn.name = "first", attn.shape = ["b", "c"]},
        tensor<?xf32> {attn.name = "last_two", attn.shape = ["a"]},
        tensor<f32> {attn.name = "all", attn.shape = []}) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %zero = arith.constant 0.0 : f32
  %a = tensor.dim %x, %c0 : tensor<?x?x?xf32>
  %b = tensor.dim %x, %c1 : tensor<?x?x?xf32>
  %c = tensor.dim %x, %c2 : tensor<?x?x?xf32>
  %eac = tensor.empty(%a, %c) : tensor<?x?xf32>
  %ebc = tensor.empty(%b, %c) : tensor<?x?xf32>
  %ea = tensor.empty(%a) : tensor<?xf32>
  %e0 = tensor.empty() : tensor<f32>
  %zac = linalg.fill ins(%zero : f32) outs(%eac : tensor<?x?xf32>) -> tensor<?x?xf32>
  %zbc = linalg.fill ins(%zero : f32) outs(%ebc : tensor<?x?xf32>) -> tensor<?x?xf32>
  %za = linalg.fill ins(%zero : f32) outs(%ea : tensor<?xf32>) -> tensor<?xf32>
  %z0 = linalg.fill ins(%zero : f32) outs(%e0 : tensor<f32>) -> tensor<f32>
  %middle = linalg.reduce ins(%x : tensor<?x?x?xf32>) outs(%zac : tensor<?x?xf32>) dimensions = [1]
    (%e: f32, %o: f32) {
      %0 = arith.addf %e, %o : f32
      linalg.yield %0 : f32
    }
  %first = linalg.reduce ins(%x : tensor<?x?x?xf32>) outs(%zbc : tensor<?x?xf32>) dimensions = [0]
    (%e: f32, %o: f32) {
      %0 = arith.addf %e, %o : f32
      linalg.yield %0 : f32
    }
  %lastTwo = linalg.reduce ins(%x : tensor<?x?x?xf32>) outs(%za : tensor<?xf32>) dimensions = [1, 2]
    (%e: f32, %o: f32) {
      %0 = arith.addf %e, %o : f32
      linalg.yield %0 : f32
    }
  %all = linalg.reduce ins(%x : tensor<?x?x?xf32>) outs(%z0 : tensor<f32>) dimensions = [0, 1, 2]
    (%e: f32, %o: f32) {
      %0 = arith.addf %e, %o : f32
      linalg.yield %0 : f32
    }
  return %middle, %first, %lastTwo, %all : tensor<?x?xf32>, tensor<?x?xf32>, tensor<?xf32>, tensor<f32>
}

// Elementwise ops on whole tensors, a chain of them, with compares, selects and integers.
func.func @elementwise(%x: tensor<?x?xf32> {attn.name = "x", attn.shape = ["m", "n"]},
                       %y: tensor<?x?xf32> {attn.name = "y", attn.shape = ["m", "n"]},
                       %k: tensor<?x?xi64> {attn.name = "k", attn.shape = ["m", "n"]})
    -> (tensor<?x?xf32> {attn.name = "r", attn.shape = ["m", "n"]},
        tensor<?x?xi64> {attn.name = "q", attn.shape = ["m", "n"]}) {
  %0 = arith.addf %x, %y : tensor<?x?xf32>
  %1 = attn.gelu %0 : tensor<?x?xf32>
  %2 = math.tanh %y : tensor<?x?xf32>
  %3 = arith.mulf %1, %2 : tensor<?x?xf32>
  %4 = arith.cmpf ogt, %x, %y : tensor<?x?xf32>
  %5 = arith.select %4, %3, %0 : tensor<?x?xi1>, tensor<?x?xf32>
  %6 = arith.sitofp %k : tensor<?x?xi64> to tensor<?x?xf32>
  %7 = arith.addf %5, %6 : tensor<?x?xf32>
  %8 = arith.muli %k, %k : tensor<?x?xi64>
  %9 = arith.divsi %8, %k : tensor<?x?xi64>
  return %7, %9 : tensor<?x?xf32>, tensor<?x?xi64>
}

// Broadcasts of a row and of a column, written out and read transposed.
func.func @broadcasts(%x: tensor<?x?xf32> {attn.name = "x", attn.shape = ["m", "n"]},
                      %r: tensor<?xf32> {attn.name = "r", attn.shape = ["n"]},
                      %c: tensor<?xf32> {attn.name = "c", attn.shape = ["m"]})
    -> (tensor<?x?xf32> {attn.name = "y", attn.shape = ["m", "n"]},
        tensor<?x?xf32> {attn.name = "t", attn.shape = ["n", "m"]},
        tensor<?x?xf32> {attn.name = "positions", attn.shape = ["m", "n"]}) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %m = tensor.dim %x, %c0 : tensor<?x?xf32>
  %n = tensor.dim %x, %c1 : tensor<?x?xf32>
  %e = tensor.empty(%m, %n) : tensor<?x?xf32>
  %et = tensor.empty(%n, %m) : tensor<?x?xf32>
  %y = linalg.generic {indexing_maps = [#id2, #col, #row, #id2], iterator_types = ["parallel", "parallel"]}
      ins(%x, %r, %c : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>) outs(%e : tensor<?x?xf32>) {
  ^bb0(%i: f32, %f: f32, %g: f32, %o: f32):
    %0 = math.sqrt %g : f32
    %1 = arith.mulf %i, %f : f32
    %2 = arith.addf %1, %0 : f32
    linalg.yield %2 : f32
  } -> tensor<?x?xf32>
  %t = linalg.transpose ins(%y : tensor<?x?xf32>) outs(%et : tensor<?x?xf32>) permutation = [1, 0]
  %p = linalg.generic {indexing_maps = [#id2], iterator_types = ["parallel", "parallel"]} outs(%e : tensor<?x?xf32>) {
  ^bb0(%o: f32):
    %i = linalg.index 0 : index
    %j = linalg.index 1 : index
    %hundred = arith.constant 100 : index
    %0 = arith.muli %i, %hundred : index
    %1 = arith.addi %0, %j : index
    %2 = arith.index_cast %1 : index to i64
    %3 = arith.sitofp %2 : i64 to f32
    linalg.yield %3 : f32
  } -> tensor<?x?xf32>
  return %y, %t, %p : tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x?xf32>
}

// Products of matrices, also with the second one transposed, also in batches.
func.func @products(%x: tensor<?x?xf32> {attn.name = "x", attn.shape = ["m", "k"]},
                    %y: tensor<?x?xf32> {attn.name = "y", attn.shape = ["k", "n"]},
                    %z: tensor<?x?xf32> {attn.name = "z", attn.shape = ["n", "k"]},
                    %u: tensor<?x?x?xf32> {attn.name = "u", attn.shape = ["b", "m", "k"]},
                    %v: tensor<?x?x?xf32> {attn.name = "v", attn.shape = ["b", "k", "n"]})
    -> (tensor<?x?xf32> {attn.name = "xy", attn.shape = ["m", "n"]},
        tensor<?x?xf32> {attn.name = "xz", attn.shape = ["m", "n"]},
        tensor<?x?x?xf32> {attn.name = "uv", attn.shape = ["b", "m", "n"]}) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : f32
  %m = tensor.dim %x, %c0 : tensor<?x?xf32>
  %n = tensor.dim %y, %c1 : tensor<?x?xf32>
  %b = tensor.dim %u, %c0 : tensor<?x?x?xf32>
  %e = tensor.empty(%m, %n) : tensor<?x?xf32>
  %eb = tensor.empty(%b, %m, %n) : tensor<?x?x?xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<?x?xf32>) -> tensor<?x?xf32>
  %fb = linalg.fill ins(%zero : f32) outs(%eb : tensor<?x?x?xf32>) -> tensor<?x?x?xf32>
  %xy = linalg.matmul ins(%x, %y : tensor<?x?xf32>, tensor<?x?xf32>) outs(%f : tensor<?x?xf32>) -> tensor<?x?xf32>
  %xz = linalg.generic {indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>,
                                         affine_map<(m, n, k) -> (m, n)>],
                        iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %z : tensor<?x?xf32>, tensor<?x?xf32>) outs(%f : tensor<?x?xf32>) {
  ^bb0(%i: f32, %j: f32, %o: f32):
    %0 = arith.mulf %i, %j : f32
    %1 = arith.addf %o, %0 : f32
    linalg.yield %1 : f32
  } -> tensor<?x?xf32>
  %uv = linalg.batch_matmul ins(%u, %v : tensor<?x?x?xf32>, tensor<?x?x?xf32>) outs(%fb : tensor<?x?x?xf32>)
      -> tensor<?x?x?xf32>
  return %xy, %xz, %uv : tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x?x?xf32>
}

// Bits in memory, a byte each: a mask that comes in, one that goes out.
func.func @bits(%x: tensor<?x?xf32> {attn.name = "x", attn.shape = ["m", "n"]},
                %keep: tensor<?x?xi1> {attn.name = "keep", attn.shape = ["m", "n"]})
    -> (tensor<?x?xf32> {attn.name = "y", attn.shape = ["m", "n"]},
        tensor<?x?xi1> {attn.name = "positive", attn.shape = ["m", "n"]}) {
  %z = arith.subf %x, %x : tensor<?x?xf32>
  %y = arith.select %keep, %x, %z : tensor<?x?xi1>, tensor<?x?xf32>
  %p = arith.cmpf ogt, %x, %z : tensor<?x?xf32>
  return %y, %p : tensor<?x?xf32>, tensor<?x?xi1>
}

// Half precision in memory; bfloat16 is rounded to and computed in.
func.func @halves(%h: tensor<?x?xf16> {attn.name = "h", attn.shape = ["m", "n"]},
                  %x: tensor<?x?xf32> {attn.name = "x", attn.shape = ["m", "n"]})
    -> (tensor<?x?xf16> {attn.name = "hx", attn.shape = ["m", "n"]},
        tensor<?x?xf32> {attn.name = "bf16", attn.shape = ["m", "n"]}) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %m = tensor.dim %x, %c0 : tensor<?x?xf32>
  %n = tensor.dim %x, %c1 : tensor<?x?xf32>
  %0 = arith.extf %h : tensor<?x?xf16> to tensor<?x?xf32>
  %1 = arith.addf %0, %x : tensor<?x?xf32>
  %2 = arith.truncf %1 : tensor<?x?xf32> to tensor<?x?xf16>
  // Written to memory in one loop, read by rows reversed in order of dimensions in another.
  %e = tensor.empty(%n, %m) : tensor<?x?xbf16>
  %3 = arith.truncf %x : tensor<?x?xf32> to tensor<?x?xbf16>
  %4 = arith.addf %3, %3 : tensor<?x?xbf16>
  %t = linalg.transpose ins(%4 : tensor<?x?xbf16>) outs(%e : tensor<?x?xbf16>) permutation = [1, 0]
  %e2 = tensor.empty(%m, %n) : tensor<?x?xbf16>
  %u = linalg.transpose ins(%t : tensor<?x?xbf16>) outs(%e2 : tensor<?x?xbf16>) permutation = [1, 0]
  %5 = arith.extf %u : tensor<?x?xbf16> to tensor<?x?xf32>
  return %2, %5 : tensor<?x?xf16>, tensor<?x?xf32>
}

// Static shapes, constants, padding, a convolution.
func.func @static(%x: tensor<1x20x8xf32> {attn.name = "x", attn.shape = [1, 20, 8]},
                  %w: tensor<3x8x16xf32> {attn.name = "w", attn.shape = [3, 8, 16]},
                  %p: tensor<5x7xf32> {attn.name = "p", attn.shape = [5, 7]})
    -> (tensor<1x18x16xf32> {attn.name = "conv", attn.shape = [1, 18, 16]},
        tensor<9x13xf32> {attn.name = "padded", attn.shape = [9, 13]},
        tensor<5x7xf32> {attn.name = "shifted", attn.shape = [5, 7]}) {
  %zero = arith.constant 0.0 : f32
  %k = arith.constant dense<[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]> : tensor<7xf32>
  %e = tensor.empty() : tensor<1x18x16xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x18x16xf32>) -> tensor<1x18x16xf32>
  %conv = linalg.conv_1d_nwc_wcf ins(%x, %w : tensor<1x20x8xf32>, tensor<3x8x16xf32>) outs(%f : tensor<1x18x16xf32>)
      -> tensor<1x18x16xf32>
  %padded = tensor.pad %p low[1, 2] high[3, 4] {
  ^bb0(%i: index, %j: index):
    tensor.yield %zero : f32
  } : tensor<5x7xf32> to tensor<9x13xf32>
  %e1 = tensor.empty() : tensor<5x7xf32>
  %b = linalg.broadcast ins(%k : tensor<7xf32>) outs(%e1 : tensor<5x7xf32>) dimensions = [0]
  %shifted = arith.addf %p, %b : tensor<5x7xf32>
  return %conv, %padded, %shifted : tensor<1x18x16xf32>, tensor<9x13xf32>, tensor<5x7xf32>
}

// An argument is written over only in a copy; the softmax of linalg comes apart.
func.func @over(%x: tensor<?x?xf32> {attn.name = "x", attn.shape = ["m", "n"]})
    -> (tensor<?x?xf32> {attn.name = "twice", attn.shape = ["m", "n"]},
        tensor<?x?xf32> {attn.name = "soft", attn.shape = ["m", "n"]}) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %m = tensor.dim %x, %c0 : tensor<?x?xf32>
  %n = tensor.dim %x, %c1 : tensor<?x?xf32>
  %e = tensor.empty(%m, %n) : tensor<?x?xf32>
  %twice = linalg.generic {indexing_maps = [#id2], iterator_types = ["parallel", "parallel"]} outs(%x : tensor<?x?xf32>) {
  ^bb0(%o: f32):
    %0 = arith.addf %o, %o : f32
    linalg.yield %0 : f32
  } -> tensor<?x?xf32>
  %soft = linalg.softmax dimension(1) ins(%x : tensor<?x?xf32>) outs(%e : tensor<?x?xf32>) -> tensor<?x?xf32>
  return %twice, %soft : tensor<?x?xf32>, tensor<?x?xf32>
}

// A product with a weight is a linear layer, as one with a matrix that stands transposed is.
attn.weight @w : tensor<5x3xf32> = #attn.dense<dense<[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0],
                                                      [-1.0, -2.0, -3.0], [-4.0, -5.0, -6.0]]> : tensor<5x3xf32>>
func.func @linears(%x: tensor<?x5xf32> {attn.name = "x", attn.shape = ["m", 5]},
                   %z: tensor<7x5xf32> {attn.name = "z", attn.shape = [7, 5]})
    -> (tensor<?x3xf32> {attn.name = "xw", attn.shape = ["m", 3]},
        tensor<?x7xf32> {attn.name = "xz", attn.shape = ["m", 7]}) {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %w = attn.get_weight @w : tensor<5x3xf32>
  %m = tensor.dim %x, %c0 : tensor<?x5xf32>
  %e = tensor.empty(%m) : tensor<?x3xf32>
  %e7 = tensor.empty(%m) : tensor<?x7xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<?x3xf32>) -> tensor<?x3xf32>
  %f7 = linalg.fill ins(%zero : f32) outs(%e7 : tensor<?x7xf32>) -> tensor<?x7xf32>
  %xw = linalg.matmul ins(%x, %w : tensor<?x5xf32>, tensor<5x3xf32>) outs(%f : tensor<?x3xf32>) -> tensor<?x3xf32>
  %xz = linalg.generic {indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>,
                                         affine_map<(m, n, k) -> (m, n)>],
                        iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %z : tensor<?x5xf32>, tensor<7x5xf32>) outs(%f7 : tensor<?x7xf32>) {
  ^bb0(%i: f32, %j: f32, %o: f32):
    %0 = arith.mulf %i, %j : f32
    %1 = arith.addf %o, %0 : f32
    linalg.yield %1 : f32
  } -> tensor<?x7xf32>
  return %xw, %xz : tensor<?x3xf32>, tensor<?x7xf32>
}

// Elementwise ops in a loop of the model's own.
func.func @nested(%x: tensor<?x16xf32> {attn.name = "x", attn.shape = ["m", 16]})
    -> (tensor<?x16xf32> {attn.name = "s", attn.shape = ["m", 16]}) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %r = scf.for %i = %c0 to %c4 step %c1 iter_args(%a = %x) -> (tensor<?x16xf32>) {
    %0 = math.tanh %a : tensor<?x16xf32>
    %1 = arith.addf %0, %a : tensor<?x16xf32>
    scf.yield %1 : tensor<?x16xf32>
  }
  return %r : tensor<?x16xf32>
}

// Slices that are read, and one that is written over in a copy.
func.func @slices(%x: tensor<?x16xf32> {attn.name = "x", attn.shape = ["m", 16]})
    -> (tensor<?x8xf32> {attn.name = "s", attn.shape = ["m", 8]}, tensor<?x16xf32> {attn.name = "r", attn.shape = ["m", 16]}) {
  %c0 = arith.constant 0 : index
  %m = tensor.dim %x, %c0 : tensor<?x16xf32>
  %a = tensor.extract_slice %x[0, 0] [%m, 8] [1, 1] : tensor<?x16xf32> to tensor<?x8xf32>
  %b = tensor.extract_slice %x[0, 8] [%m, 8] [1, 1] : tensor<?x16xf32> to tensor<?x8xf32>
  %0 = arith.mulf %a, %b : tensor<?x8xf32>
  %1 = tensor.insert_slice %0 into %x[0, 8] [%m, 8] [1, 1] : tensor<?x8xf32> into tensor<?x16xf32>
  return %0, %1 : tensor<?x8xf32>, tensor<?x16xf32>
}

// One value as two results.
func.func @same(%x: tensor<?x16xf32> {attn.name = "x", attn.shape = ["m", 16]})
    -> (tensor<?x16xf32> {attn.name = "s", attn.shape = ["m", 16]}, tensor<?x16xf32> {attn.name = "r", attn.shape = ["m", 16]}) {
  %0 = math.exp %x : tensor<?x16xf32>
  return %0, %0 : tensor<?x16xf32>, tensor<?x16xf32>
}

// Two results of one reduction, each of which starts from its own fill.
func.func @argmax(%x: tensor<?x16xf32> {attn.name = "x", attn.shape = ["m", 16]})
    -> (tensor<?xf32> {attn.name = "mx", attn.shape = ["m"]}, tensor<?xi64> {attn.name = "ix", attn.shape = ["m"]}) {
  %c0 = arith.constant 0 : index
  %m = tensor.dim %x, %c0 : tensor<?x16xf32>
  %l = arith.constant 0xFF800000 : f32
  %z = arith.constant 0 : i64
  %e = tensor.empty(%m) : tensor<?xf32>
  %ei = tensor.empty(%m) : tensor<?xi64>
  %f = linalg.fill ins(%l : f32) outs(%e : tensor<?xf32>) -> tensor<?xf32>
  %fi = linalg.fill ins(%z : i64) outs(%ei : tensor<?xi64>) -> tensor<?xi64>
  %r:2 = linalg.generic {indexing_maps = [affine_map<(m, n) -> (m, n)>, affine_map<(m, n) -> (m)>, affine_map<(m, n) -> (m)>], iterator_types = ["parallel", "reduction"]}
    ins(%x : tensor<?x16xf32>) outs(%f, %fi : tensor<?xf32>, tensor<?xi64>) {
  ^bb0(%v: f32, %best: f32, %at: i64):
    %i = linalg.index 1 : index
    %j = arith.index_cast %i : index to i64
    %g = arith.cmpf ogt, %v, %best : f32
    %nb = arith.select %g, %v, %best : f32
    %na = arith.select %g, %j, %at : i64
    linalg.yield %nb, %na : f32, i64
  } -> (tensor<?xf32>, tensor<?xi64>)
  return %r#0, %r#1 : tensor<?xf32>, tensor<?xi64>
}
