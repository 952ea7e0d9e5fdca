//===- Passes.td - Target-independent rewrites of the stage `fuse` ---*- tablegen -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// In the order in which the stage runs them. Every rewrite says what it did, and what it could not do and why, as a
// remark of the category `attn-fuse`.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_DIALECT_ATTN_TRANSFORMS_PASSES_TD
#define ATTN_DIALECT_ATTN_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

class Attn_FunctionPass<string flag> : Pass<flag, "::mlir::func::FuncOp"> {
  let dependentDialects = ["::attn::AttnDialect", "::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect",
                           "::mlir::linalg::LinalgDialect", "::mlir::math::MathDialect",
                           "::mlir::tensor::TensorDialect"];
}

def RaiseLinearPass : Pass<"attn-raise-linear", "::mlir::ModuleOp"> {
  let summary = "Make matrix products with a weight attn.linear";
  let description = [{
    A contraction of f32 `[m..., k] x [k, n]` (`linalg.matmul`, a `linalg.generic` of that form) whose second factor is an
    `attn.weight` becomes an `attn.linear` with that weight transposed, which is an expression and costs nothing at run
    time. One whose second factor stands as `[n, k]` becomes one with the matrix as it is. What the product is added to
    becomes an addition after it.

    ```mlir
    %w = attn.get_weight @w : tensor<384x1536xf32>
    %y = linalg.matmul ins(%x, %w : tensor<?x384xf32>, tensor<384x1536xf32>) outs(%zeros : ...) -> tensor<?x1536xf32>
    // becomes
    %w = attn.get_weight @w_transposed : tensor<1536x384xf32>
    %y = attn.linear ins(%x, %w : tensor<?x384xf32>, tensor<1536x384xf32>) outs(...) -> tensor<?x1536xf32> ...
    ```
  }];
  let dependentDialects = ["::attn::AttnDialect", "::mlir::arith::ArithDialect", "::mlir::tensor::TensorDialect"];
  let statistics = [Statistic<"numRaised", "raised", "Number of products that became linears">];
}

def RaiseGeluPass : Attn_FunctionPass<"attn-raise-gelu"> {
  let summary = "Make the parts of a GELU attn.gelu";
  let description = [{
    `x * 0.5 * (1 + erf(x / sqrt(2)))` in any order of its factors becomes `attn.gelu`, and
    `x * 0.5 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x^3)))`, with the cube as a power or a product,
    `attn.gelu approximate`. Constants must be those of the formula but for float32's rounding.

    ```mlir
    %0 = arith.mulf %x, %inverse_root_two : tensor<?x1536xf32>
    %1 = math.erf %0 : tensor<?x1536xf32>
    %2 = arith.addf %1, %one : tensor<?x1536xf32>
    %3 = arith.mulf %x, %2 : tensor<?x1536xf32>
    %4 = arith.mulf %3, %half : tensor<?x1536xf32>
    // becomes
    %4 = attn.gelu %x : tensor<?x1536xf32>
    ```

    Source: Hendrycks and Gimpel, Gaussian Error Linear Units, 2016.
  }];
  let statistics = [Statistic<"numRaised", "raised", "Number of GELUs found">];
}

def RaiseNormPass : Attn_FunctionPass<"attn-raise-norm"> {
  let summary = "Make the parts of a norm attn.layer_norm or attn.rms_norm";
  let description = [{
    `(x - mean(x)) / sqrt(mean((x - mean(x))^2) + epsilon) * scale`, in f32, with means over the last dimension, a
    positive constant epsilon and a scale along that dimension, becomes `attn.layer_norm`; with the root as a divisor,
    or as an inverse that is multiplied with; the same without subtracting the mean becomes `attn.rms_norm`. A vector
    along the last dimension that is added to the only use of a layer norm becomes its shift.

    ```mlir
    %d = linalg.generic ... ins(%x, %mean : tensor<?x384xf32>, tensor<?xf32>) { arith.subf } -> tensor<?x384xf32>
    ...
    %q = linalg.generic ... ins(%d, %root : tensor<?x384xf32>, tensor<?xf32>) { arith.divf } -> tensor<?x384xf32>
    %y = linalg.generic ... ins(%q, %scale : tensor<?x384xf32>, tensor<384xf32>) { arith.mulf } -> tensor<?x384xf32>
    // becomes
    %y = attn.layer_norm ins(%x, %scale : tensor<?x384xf32>, tensor<384xf32>) outs(...) -> tensor<?x384xf32> {epsilon = 1.0e-5}
    ```

    Source: Ba et al., Layer Normalization, 2016; Zhang and Sennrich, Root Mean Square Layer Normalization, 2019.
  }];
  let statistics = [Statistic<"numRaised", "raised", "Number of norms found">];
}

def RaiseRotaryPass : Attn_FunctionPass<"attn-raise-rotary"> {
  let summary = "Make the parts of a rotary embedding attn.rotary";
  let description = [{
    `x * cos + rotate_half(x) * sin` in f32 becomes `attn.rotary`, where rotate_half puts the second half of the channels,
    negated, in front of the first one, and the tables broadcast along some of the dimensions before the channels. Where
    `x` is a transpose, what it transposes is turned and the result is transposed, so that attention can read through it.

    ```mlir
    %low = tensor.extract_slice %x[0, 0, 0] [%n, 4, 32] [1, 1, 1] : ...
    %high = tensor.extract_slice %x[0, 0, 32] [%n, 4, 32] [1, 1, 1] : ...
    %negated = arith.negf %high : tensor<?x4x32xf32>
    %0 = tensor.insert_slice %negated into %e[0, 0, 0] [%n, 4, 32] [1, 1, 1] : ...
    %half = tensor.insert_slice %low into %0[0, 0, 32] [%n, 4, 32] [1, 1, 1] : ...
    %p = linalg.generic ... ins(%x, %cos : tensor<?x4x64xf32>, tensor<?x64xf32>) { arith.mulf }
    %q = linalg.generic ... ins(%half, %sin : tensor<?x4x64xf32>, tensor<?x64xf32>) { arith.mulf }
    %y = arith.addf %p, %q : tensor<?x4x64xf32>
    // becomes
    %y = attn.rotary ins(%x, %cos, %sin : ...) outs(...) -> tensor<?x4x64xf32> map affine_map<(n, h) -> (n)>
    ```

    Source: Su et al., RoFormer, 2021; the form is that of Black et al., GPT-NeoX-20B, 2022.
  }];
  let statistics = [Statistic<"numRaised", "raised", "Number of rotary embeddings found">];
}

def RaiseAttentionPass : Attn_FunctionPass<"attn-raise-attention"> {
  let summary = "Make softmax(QK^T)V attn.attention";
  let description = [{
    A product of a softmax over its last dimension with values, where the softmax is of a product of queries and keys,
    becomes one `attn.attention`. The scores may be scaled by constants (at the product, the queries or the keys), and
    biases that broadcast over batch, heads, queries or keys may be added: they become a score region. A bias that is 0
    or a very negative constant, by a condition or as `(1 - mask) * value` with an integer mask of zeros and ones,
    becomes a mask region instead. What a row without keys yields follows from the value: zeros for -infinity (where the
    graph itself would give NaN), the mean of the values for one that absorbs every score (at most -1e8), and what the
    row yields without the mask for a moderate one (at most -9000).

    Products may be `[batch, head, query, key]` or `[batch, query, key]`, with operands in any layout.

    ```mlir
    %s = linalg.generic ... ins(%q, %k : tensor<?x12x?x32xf32>, tensor<?x12x?x32xf32>) -> tensor<?x12x?x?xf32>
    %p = linalg.softmax dimension(3) ins(%s : ...) outs(...) -> tensor<?x12x?x?xf32>
    %o = linalg.generic ... ins(%p, %v : ...) -> tensor<?x12x?x32xf32>
    // becomes
    %o = attn.attention ins(%q, %k, %v : ...) outs(...) -> tensor<?x12x?x32xf32> maps [...] {scale = 1.0}
    ```

    Source: Vaswani et al., 2017, section 3.2.1.
  }];
  let statistics = [Statistic<"numRaised", "raised", "Number of attention ops found">];
}

def DecomposeBlocksPass : Attn_FunctionPass<"attn-decompose-blocks"> {
  let summary = "Take encoder layers, multi-head attention and feed-forward blocks apart";
  let description = [{
    `attn.encoder_layer` becomes a multi-head attention, a feed-forward block, two layer norms and two additions;
    `attn.multi_head_attention` becomes four linears around one `attn.attention` on `[B, S, H, D]` tensors, whose mask
    region asks whether the key's element of the mask is not 0; `attn.feed_forward` becomes a linear, an activation and
    a linear. Biases stand in the epilogues of the linears. A part's location is its block's name with a suffix, such
    as `encoder.layer.0/attention/query`.

    ```mlir
    %r = attn.feed_forward %x up(%w1, %b1 : ...) down(%w2, %b2 : ...)
    // becomes
    %u = attn.linear ins(%x, %w1 : ...) extras(%b1 : ...) outs(...) -> ... { sum + b1 }
    %g = attn.gelu %u : tensor<?x?x1536xf32>
    %r = attn.linear ins(%g, %w2 : ...) extras(%b2 : ...) outs(...) -> ... { sum + b2 }
    ```
  }];
  let statistics = [Statistic<"numBlocks", "blocks", "Number of blocks taken apart">];
}

def FoldTransposesPass : Attn_FunctionPass<"attn-fold-transposes"> {
  let summary = "Fold transposes and head broadcasts around attention into its indexing maps";
  let description = [{
    A transpose (`linalg.transpose`, or a `linalg.generic` that only permutes) that feeds the query, key, value or a
    mapped operand of `attn.attention`, or that alone consumes its output, becomes a permutation in the operand's map.
    A broadcast of each key and value head to a group of query heads (`linalg.broadcast` and a `tensor.collapse_shape`
    that merges the new dimension) becomes `h floordiv group`.

    ```mlir
    %t = linalg.transpose ins(%q : tensor<?x?x12x32xf32>) outs(...) permutation = [0, 2, 1, 3]
    %o = attn.attention ins(%t, ...) ... maps [affine_map<(b, h, q, k, d, e) -> (b, h, q, d)>, ...]
    // becomes
    %o = attn.attention ins(%q, ...) ... maps [affine_map<(b, h, q, k, d, e) -> (b, q, h, d)>, ...]
    ```
  }];
  let statistics = [Statistic<"numFolded", "folded", "Number of transposes and broadcasts folded">];
}

def FoldMaskPass : Attn_FunctionPass<"attn-fold-mask"> {
  let summary = "Turn mask regions that test a key mask or lengths into key ranges";
  let description = [{
    Where the mask region of `attn.attention` asks, alone or in a conjunction, whether an element of an integer tensor
    read by (b, k) is not 0, that tensor becomes `key_mask`, and its `attn.key_ranges` (computed once for each mask)
    becomes `ranges`. The test leaves the region, and an empty region leaves the op. `key_mask` stays beside `ranges`,
    since a range may have holes. A `key_mask` that comes without ranges gets them too.

    Comparisons of k with integers read by (b), such as `k < lengths[b]`, become `ranges` that a small `linalg.generic`
    computes, and need no `key_mask`.

    ```mlir
    %o = attn.attention ins(%q, %k, %v : ...) mapped(%mask : tensor<?x?xi64>) outs(...) -> ... mask {
    ^bb0(%b: index, %h: index, %q: index, %k: index, %m: i64):
      %zero = arith.constant 0 : i64
      %counts = arith.cmpi ne, %m, %zero : i64
      attn.yield %counts : i1
    }
    // becomes
    %r = attn.key_ranges ins(%mask : tensor<?x?xi64>) outs(...) -> tensor<?x4xi64>
    %o = attn.attention ins(%q, %k, %v : ...) ranges(%r : ...) key_mask(%mask : ...) outs(...) -> ...
    ```
  }];
  let statistics = [Statistic<"numFolded", "folded", "Number of attention ops that got key ranges">];
}

def FlattenRowsPass : Attn_FunctionPass<"attn-flatten-rows"> {
  let summary = "Make row-wise ops two-dimensional";
  let description = [{
    `attn.linear` and `attn.layer_norm` of a higher rank, and elementwise ops on reshaped matrices, become ops on
    `[M, N]` between a `tensor.collapse_shape` and a `tensor.expand_shape`. Reshapes of neighbours cancel, so that one
    pair remains where the shape matters, around attention and at results.

    ```mlir
    %n = attn.layer_norm ins(%x, %s : tensor<?x?x384xf32>, ...) ...
    // becomes
    %f = tensor.collapse_shape %x [[0, 1], [2]] : tensor<?x?x384xf32> into tensor<?x384xf32>
    %m = attn.layer_norm ins(%f, %s : tensor<?x384xf32>, ...) ...
    %n = tensor.expand_shape %m [[0, 1], [2]] output_shape [%B, %S, 384] : ...
    ```
  }];
  let statistics = [Statistic<"numFlattened", "flattened", "Number of linears and norms made two-dimensional">];
}

def MergeLinearsPass : Pass<"attn-merge-linears", "::mlir::ModuleOp"> {
  let summary = "Merge linears of one input into one with a taller weight";
  let description = [{
    Two-dimensional linears with the same input, nothing but a bias in the epilogue and weights that are `attn.weight`
    symbols become one linear, whose weight and bias are `#attn.concat` expressions (a missing bias is zeros). Where all
    parts are as wide and are expanded alike, as queries, keys and values are into heads, the result is expanded
    once to `[..., parts, heads, channels]` and each part is a rank-reducing slice of it; else a part is a slice of
    columns. A linear whose only user is an elementwise op is left for `attn-fuse-epilogues`.

    ```mlir
    %q = attn.linear ins(%x, %wq : tensor<?x384xf32>, tensor<384x384xf32>) ...
    %k = attn.linear ins(%x, %wk : tensor<?x384xf32>, tensor<384x384xf32>) ...
    // becomes
    %w = attn.get_weight @query_key : tensor<768x384xf32>
    %qk = attn.linear ins(%x, %w : tensor<?x384xf32>, tensor<768x384xf32>) ...
    %q = tensor.extract_slice %qk[0, 0] [%M, 384] [1, 1] : tensor<?x768xf32> to tensor<?x384xf32>
    %k = tensor.extract_slice %qk[0, 384] [%M, 384] [1, 1] : tensor<?x768xf32> to tensor<?x384xf32>
    ```
  }];
  let dependentDialects = ["::attn::AttnDialect", "::mlir::arith::ArithDialect", "::mlir::tensor::TensorDialect"];
  let statistics = [Statistic<"numMerged", "merged", "Number of linears that went into a merged one">];
}

def FuseEpiloguesPass : Attn_FunctionPass<"attn-fuse-epilogues"> {
  let summary = "Move elementwise ops after a linear into its epilogue";
  let description = [{
    An elementwise op (`arith`, `math`, `attn.gelu`, an elementwise `linalg.generic`) that is the only user of a linear's
    result moves into the linear's epilogue region. Its other operands become `extras` with their maps; constants go
    into the region.

    ```mlir
    %y = attn.linear ins(%x, %w : ...) outs(...) -> tensor<?x384xf32> ...
    %r = arith.addf %y, %residual : tensor<?x384xf32>
    // becomes
    %r = attn.linear ins(%x, %w : ...) extras(%residual : tensor<?x384xf32>) outs(...) -> tensor<?x384xf32>
        maps [affine_map<(m, n) -> (m, n)>] {
    ^bb0(%sum: f32, %e: f32):
      %0 = arith.addf %sum, %e : f32
      attn.yield %0 : f32
    }
    ```
  }];
  let statistics = [Statistic<"numFused", "fused", "Number of scalar ops that entered epilogues">];
}

def RemovePaddingPass : Pass<"attn-remove-padding", "::mlir::func::FuncOp"> {
  let summary = "Let row ops take the tokens of a padded batch alone";
  let description = [{
    Where the mask of `attn.key_ranges` says which rows of [batch, sequence] are tokens, `attn.linear` and norms between
    attentions on it work on a matrix [tokens, N]: for each sequence the rows up to its last key that counts, one after
    another. How many these are is known at run time. Attention gets its rows at their places again; its key ranges keep
    it from reading what stands between.

    It is done where nobody can tell: whoever else reads the rows is a sum that multiplies with the mask, or reads the
    first row of each sequence only. With `undefined-results` it may be the caller, too: the rows after a sequence's end
    in results become zeros.

    ```mlir
    %y = attn.linear ins(%x, %w : tensor<?x384xf32>, ...) ...        // batch * sequence rows
    // becomes
    %starts, %tokens = scf.for %b = ... { the sum of the ends of all ranges before %b }
    %p = scf.forall (%b) in (%batch) ... { the rows of %x in [%b * sequence, ... + end) to [%starts[%b], ...) }
    %q = attn.linear ins(%p, %w : tensor<?x384xf32>, ...) ...        // tokens rows
    %y = scf.forall (%b) in (%batch) ... { and back }
    ```

    Source: Zeng et al., Boosting Distributed Training Performance of the Unpadded BERT Model, 2022, section 3.
  }];
  let dependentDialects = ["::attn::AttnDialect", "::mlir::arith::ArithDialect",
                           "::mlir::bufferization::BufferizationDialect", "::mlir::linalg::LinalgDialect",
                           "::mlir::scf::SCFDialect", "::mlir::tensor::TensorDialect"];
  let options = [Option<"undefinedResults", "undefined-results", "bool", "false",
                        "Results may hold anything in the rows after a sequence's end">];
  let statistics = [Statistic<"numOps", "num-ops", "Row ops that take tokens alone">];
}

def PruneWeightsPass : Pass<"attn-prune-weights", "::mlir::ModuleOp"> {
  let summary = "Remove weights that nothing reads";
  let description = [{
    Removes each `attn.weight` that no `attn.get_weight` in the module names.

    ```mlir
    attn.weight @used : tensor<4xf32> = #attn.file<"w", 0 : tensor<4xf32>>
    attn.weight @unused : tensor<4xf32> = #attn.file<"w", 16 : tensor<4xf32>>     // goes
    func.func @f() -> tensor<4xf32> {
      %w = attn.get_weight @used : tensor<4xf32>
      return %w : tensor<4xf32>
    }
    ```
  }];
  let dependentDialects = ["::attn::AttnDialect"];
  let statistics = [Statistic<"numPruned", "pruned", "Number of weights removed">];
}

def InferBoundsPass : Attn_FunctionPass<"attn-infer-bounds"> {
  let summary = "Find which indices and sizes an entry's arguments may have";
  let description = [{
    An integer argument of an entry (a public function whose arguments carry `attn.shape`) that indexes tables of
    `attn.embedding` gets `attn.index_range = [0, rows of the smallest table)`. A symbolic dimension along which a
    table of positions is read gets an upper bound in the function's `attn.dims`. The library checks both
    before it runs.

    ```mlir
    func.func @f(%ids: tensor<?x?xi64> {attn.name = "ids", attn.shape = ["batch", "sequence"]}) ...
      ... attn.embedding ins(%ids : ...) tables(%words : tensor<30522x384xf32>) positions(%p : tensor<512x384xf32>) ...
    // becomes
    func.func @f(%ids: tensor<?x?xi64> {attn.index_range = array<i64: 0, 30522>, ...}) ...
      attributes {attn.dims = {sequence = #attn.dim<max = 512>}}
    ```
  }];
  let statistics = [Statistic<"numBounds", "bounds", "Number of arguments and dimensions that got a bound">];
}

def InsertChecksPass : Attn_FunctionPass<"attn-insert-checks"> {
  let summary = "Check at run time what static types and symbols do not say";
  let description = [{
    Where an operation needs two sizes to be equal, a slice or an index to lie inside of its tensor or a size not to be
    negative, and neither types nor the symbols of the entry's arguments say so, an `attn.check` is put before it; where
    the condition depends on the shapes of arguments only, at the beginning of the entry, before anything is written.
    A condition that never holds is an error.

    ```mlir
    %y = tensor.extract_slice %x[3] [4] [1] : tensor<?xf32> to tensor<4xf32>
    // becomes
    %n = tensor.dim %x, %c0 : tensor<?xf32>
    ...
    attn.check %fits violates shape
    %y = tensor.extract_slice %x[3] [4] [1] : tensor<?xf32> to tensor<4xf32>
    ```
  }];
  let statistics = [Statistic<"numChecks", "checks", "Number of checks inserted">];
}

def MarkStatePass : Attn_FunctionPass<"attn-mark-state"> {
  let summary = "Find results that continue an argument, such as caches of keys and values";
  let description = [{
    A result of an entry that is an argument and another tensor after it, along one dimension, gets `attn.state`: the
    argument's number. A caller who gives both in one place, the argument as the beginning of the result, spares the copy.

    ```mlir
    func.func @step(%past: tensor<?x64xf32>, %new: tensor<?x64xf32>) -> tensor<?x64xf32> {
      ...
      %0 = tensor.insert_slice %past into %empty[0, 0] [%p, 64] [1, 1] : tensor<?x64xf32> into tensor<?x64xf32>
      %1 = tensor.insert_slice %new into %0[%p, 0] [%n, 64] [1, 1] : tensor<?x64xf32> into tensor<?x64xf32>
      return %1 : tensor<?x64xf32>
    // becomes
    func.func @step(...) -> (tensor<?x64xf32> {attn.state = 0}) {
    ```
  }];
  let statistics = [Statistic<"numMarked", "marked", "Number of results that continue an argument">];
}

def VerifyFusedPass : Pass<"attn-verify-fused", "::mlir::ModuleOp"> {
  let summary = "Check what must hold after the stage `fuse`";
  let description = [{
    No whole block is left, `attn.linear` and `attn.layer_norm` are two-dimensional, each linear's weight is still
    [N, K], nothing has a schedule or kernel yet, and every weight that is read exists. A violation is an error at the
    op's location.

    ```mlir
    %0 = attn.feed_forward %x ...     // error: a whole block is left after the stage `fuse`
    ```
  }];
  let dependentDialects = ["::attn::AttnDialect"];
  let statistics = [Statistic<"numChecked", "checked", "Number of ops of the dialect checked">];
}

#endif // ATTN_DIALECT_ATTN_TRANSFORMS_PASSES_TD
