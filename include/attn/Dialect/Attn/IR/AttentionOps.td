//===- AttentionOps.td - Attention, whole and in tiles --*- tablegen -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_DIALECT_ATTN_IR_ATTENTIONOPS_TD
#define ATTN_DIALECT_ATTN_IR_ATTENTIONOPS_TD

include "attn/Dialect/Attn/IR/OpBase.td"

def Attn_AttentionOp : Attn_DestinationOp<"attention", [
    AttrSizedOperandSegments, IsolatedFromAbove,
    Attn_Tiling]> {
  let summary = "softmax(scale * Q K^T, masked) V";
  let description = [{
    Over the iteration space (b, h, q, k, d, e) of batch, head, query, key, query channel and value channel:

        s[b, h, q, k] = score(scale * sum_d Q[b, h, q, d] * K[b, h, k, d], b, h, q, k)
        p[b, h, q, :] = softmax over the keys that count of s[b, h, q, :]
        init[b, h, q, e] = sum_k p[b, h, q, k] * V[b, h, k, e]
        log_sum_exp[b, h, q] = log(sum over the keys that count of exp(s[b, h, q, k]))

    Key k counts for query q where all of these hold that are given:
    - `ranges[b, 0] <= k < ranges[b, 1]`, as `attn.key_ranges` computes them; `ranges[b, 2]` and `ranges[b, 3]` say of
      `key_mask` what can be known before its elements are read, and mean nothing without it;
    - `key_mask[b, k] != 0`;
    - the `mask` region yields true for (b, h, q, k).

    A query without keys yields what `empty` says, and a `log_sum_exp` of -infinity. A key that counts with a score of
    -infinity has weight 0; where all have, the row is zeros.

    Where an operand's elements stand is said by `maps`: one map for each of query, key, value, each of `mapped`, and the
    outputs, from (b, h, q, k, d, e) to the operand's dimensions, so that any layout, transpose or broadcast (grouped
    heads: `h floordiv G`) folds in. `scale` is 1 / sqrt(D) where it isn't given, D being the extent of d.

    The regions are isolated from above. `score` takes (score, b, h, q, k, elements of `mapped`..., `whole`...) and
    yields a score; `mask` takes (b, h, q, k, elements of `mapped`..., `whole`...) and yields an i1. `offsets`, none or
    four indices, are added to b, h, q, k so that regions and ranges see the same indices after tiling.

    Constraints:
    - C1: one map of six dimensions for each of query, key, value, `mapped`, `init` and `log_sum_exp`.
    - C2: results of maps are dimensions or a dimension `floordiv` a constant, none twice; query uses d and may use b,
      h, q; key uses k, d and may use b, h; value uses k, e and may use b, h; mapped may use b, h, q, k. What must be
      used is not divided. init has each of b, h, q, e and log_sum_exp each of b, h, q once, undivided.
    - C3: floating-point element types; static extents that stand for one dimension agree.
    - C4: `ranges` is [B, 4] of i64, `key_mask` is [B, K] of integers.
    - C5: region arguments and yields as above, the score in any floating-point type, arguments for `whole` in types
      that their operands could be cast to. There are no or four offsets.
    - C6: `scale` is a finite number, also in f32.

    ```mlir
    %o = attn.attention ins(%q, %k, %v : tensor<2x128x4x64xf32>, tensor<2x128x4x64xf32>, tensor<2x128x4x64xf32>)
        outs(%init : tensor<2x128x4x64xf32>) -> tensor<2x128x4x64xf32>
        maps [affine_map<(b, h, q, k, d, e) -> (b, q, h, d)>, affine_map<(b, h, q, k, d, e) -> (b, k, h, d)>,
              affine_map<(b, h, q, k, d, e) -> (b, k, h, e)>, affine_map<(b, h, q, k, d, e) -> (b, q, h, e)>]
    ```

    Source: Vaswani et al., 2017, section 3.2.1; Milakov and Gimelshein, Online normalizer calculation for softmax, 2018.
  }];
  let arguments = (ins Attn_Shaped:$query, Attn_Shaped:$key, Attn_Shaped:$value,
                       Optional<Attn_Shaped>:$ranges, Optional<Attn_Shaped>:$key_mask,
                       Variadic<Attn_Shaped>:$mapped, Variadic<Attn_Shaped>:$whole, Variadic<Index>:$offsets,
                       Attn_Shaped:$init, Optional<Attn_Shaped>:$log_sum_exp,
                       AffineMapArrayAttr:$maps, OptionalAttr<F64Attr>:$scale,
                       DefaultValuedAttr<Attn_EmptyRowAttr, "::attn::EmptyRow::Zero">:$empty,
                       OptionalAttr<Attn_ScheduleAttr>:$schedule);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let regions = (region MaxSizedRegion<1>:$score, MaxSizedRegion<1>:$mask);
  let hasCanonicalizer = 1;
  let assemblyFormat = [{
    `ins` `(` $query `,` $key `,` $value `:` type($query) `,` type($key) `,` type($value) `)`
    (`ranges` `(` $ranges^ `:` type($ranges) `)`)? (`key_mask` `(` $key_mask^ `:` type($key_mask) `)`)?
    (`mapped` `(` $mapped^ `:` type($mapped) `)`)? (`whole` `(` $whole^ `:` type($whole) `)`)?
    (`offsets` `(` $offsets^ `)`)?
    `outs` `(` $init (`,` $log_sum_exp^)? `:` type($init) (`,` type($log_sum_exp)^)? `)` (`->` type($results)^)?
    `maps` $maps attr-dict-with-keyword (`score` $score^)? (`mask` $mask^)?
  }];
  let extraClassDeclaration = [{
    /// The dimensions of the iteration space.
    enum Dim : unsigned { Batch, Head, Query, Key, QueryChannel, ValueChannel };
    ::mlir::MutableOperandRange getDpsInitsMutable();
    ::mlir::AffineMap getMap(unsigned i) {
      return ::llvm::cast<::mlir::AffineMapAttr>(getMaps()[i]).getValue();
    }
    ::mlir::AffineMap getQueryMap() { return getMap(0); }
    ::mlir::AffineMap getKeyMap() { return getMap(1); }
    ::mlir::AffineMap getValueMap() { return getMap(2); }
    ::mlir::AffineMap getMappedMap(unsigned i) { return getMap(3 + i); }
    ::mlir::AffineMap getInitMap() { return getMap(3 + getMapped().size()); }
    ::mlir::AffineMap getLogSumExpMap() { return getMap(4 + getMapped().size()); }
    /// The extent of `dim` where a static operand says it, else ShapedType::kDynamic.
    int64_t getStaticExtent(Dim dim);
    /// `scale`, or 1 / sqrt(D) where it isn't given; failure where D is dynamic.
    ::mlir::FailureOr<double> getScaleOrDefault();
    /// True where the ranges say of the key mask what attn.key_ranges does: a caller's own need not know where it has
    /// holes.
    bool rangesFollowMask();
  }];
}

def Attn_OnlineAttentionOp : Attn_DestinationOp<"online_attention", [
    AttrSizedOperandSegments, IsolatedFromAbove,
    DeclareOpInterfaceMethods<Attn_KernelOpInterface, ["getScratchTypes", "getScratchOperands"]>]> {
  let summary = "A block of keys enters a tile of attention";
  let description = [{
    For one batch row and head, a tile of P queries (P lanes, zero-padded) and a block of T keys:

        s[k, j] = score(scale * sum_d key[k, d] * queries[0, d, j], ...), or -infinity where k does not count for j
        m'[j] = max(maximum[j], max_k s[k, j])
        p[k, j] = exp(s[k, j] - m'[j])
        accumulator[j, e] = accumulator[j, e] * exp(maximum[j] - m'[j]) + sum_k p[k, j] * value[k, e]
        sum[j] = sum[j] * exp(maximum[j] - m'[j]) + sum_k p[k, j],  maximum[j] = m'[j]

    where exp(-infinity - -infinity) is 0. Blocks may come in any order; `attn.online_finish` ends the tile.

    Key k of the block counts for query j of the tile where all of these hold that are given:
    - `key_mask[k] != 0`;
    - `lower <= k - j` and `k - j <= upper`, a band around a diagonal: causal masks and sliding windows;
    - the `mask` region yields true.

    The regions are those of `attn.attention`, without `whole` operands: `score` takes (score, b, h, q, k, elements of
    `mapped`...), `mask` the same without the score. Their indices are `indices`, which are b, h and those of the tile's
    first query and the block's first key, plus j and k. `maps` say for each of `mapped` where an element stands, from
    (j, k). Lanes past the R rows of such an operand see anything.

    `rows` are the tile's queries as they stand, without zeros. Where it is one, a kernel may take its keys to the lanes,
    and leave what the other rows of the destinations hold unspecified.

    Constraints:
    - C1: `queries` is [1, D, P], as `attn.pack` makes it; `key` is [T, D], `value` is [T, E].
    - C2: `accumulator` is [P, E], `maximum` and `sum` are [P].
    - C3: D, E and P are static; all floating-point element types are the same.
    - C4: `key_mask` is [T] of integers.
    - C5: there is no scratch or what `kernel` needs.
    - C6: there is a map of two dimensions for each of `mapped`, whose results are dimensions, none twice; there are no
      or four `indices`, four where there is a region; arguments and yields of regions as above.
    - C7: `rows` is [R, D] of the queries' elements.

    ```mlir
    %t:3 = attn.online_attention ins(%queries, %k, %v : tensor<1x64x32xf32>, tensor<?x64xf32>, tensor<?x64xf32>)
        outs(%a, %m, %s : tensor<32x64xf32>, tensor<32xf32>, tensor<32xf32>)
        -> tensor<32x64xf32>, tensor<32xf32>, tensor<32xf32> {scale = 0.125}
    ```

    Source: Milakov and Gimelshein, 2018; Dao et al., FlashAttention, 2022.
  }];
  let arguments = (ins Attn_Shaped:$queries, Attn_Shaped:$key, Attn_Shaped:$value, Optional<Attn_Shaped>:$key_mask,
                       Attn_Shaped:$accumulator, Attn_Shaped:$maximum, Attn_Shaped:$sum,
                       Variadic<AnyStridedMemRef>:$scratch,
                       Optional<Index>:$lower, Optional<Index>:$upper,
                       Variadic<Attn_Shaped>:$mapped, Variadic<Index>:$indices, Optional<Attn_Shaped>:$rows,
                       F64Attr:$scale, DefaultValuedAttr<AffineMapArrayAttr, "{}">:$maps,
                       OptionalAttr<Attn_AttentionKernelAttr>:$kernel);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let regions = (region MaxSizedRegion<1>:$score, MaxSizedRegion<1>:$mask);
  let hasCanonicalizer = 1;
  let assemblyFormat = [{
    `ins` `(` $queries `,` $key `,` $value `:` type($queries) `,` type($key) `,` type($value) `)`
    (`key_mask` `(` $key_mask^ `:` type($key_mask) `)`)?
    (`lower` `(` $lower^ `)`)? (`upper` `(` $upper^ `)`)?
    (`mapped` `(` $mapped^ `:` type($mapped) `)`)? (`indices` `(` $indices^ `)`)?
    (`rows` `(` $rows^ `:` type($rows) `)`)?
    `outs` `(` $accumulator `,` $maximum `,` $sum `:` type($accumulator) `,` type($maximum) `,` type($sum) `)`
    (`scratch` `(` $scratch^ `:` type($scratch) `)`)? (`->` type($results)^)? attr-dict
    (`score` $score^)? (`mask` $mask^)?
  }];
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable();
    ::mlir::AffineMap getMap(unsigned i) {
      return ::llvm::cast<::mlir::AffineMapAttr>(getMaps()[i]).getValue();
    }
    /// True where mapped operand `i` stands as [queries, keys], which a kernel needs the other way round.
    bool isQueryMajor(unsigned i);
  }];
}

def Attn_OnlineFinishOp : Attn_DestinationOp<"online_finish", [DeclareOpInterfaceMethods<Attn_KernelOpInterface>]> {
  let summary = "Divides a tile of attention by its sums";
  let description = [{
        init[j, e] = accumulator[j, e] / sum[j]      for j < rows of init; 0 where sum[j] = 0
        log_sum_exp[j] = maximum[j] + log(sum[j])

    Constraints:
    - C1: `accumulator` is [P, E], `maximum` and `sum` are [P]; `init` is [R, E] with R <= P; `log_sum_exp` is [R];
      floating-point element types.

    ```mlir
    %o = attn.online_finish ins(%a, %m, %s : tensor<32x64xf32>, tensor<32xf32>, tensor<32xf32>)
        outs(%init : tensor<?x64xf32>) -> tensor<?x64xf32>
    ```

    Source: Milakov and Gimelshein, 2018.
  }];
  let arguments = (ins Attn_Shaped:$accumulator, Attn_Shaped:$maximum, Attn_Shaped:$sum,
                       Attn_Shaped:$init, Optional<Attn_Shaped>:$log_sum_exp, OptionalAttr<Attn_RowKernelAttr>:$kernel);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let assemblyFormat = [{
    `ins` `(` $accumulator `,` $maximum `,` $sum `:` type($accumulator) `,` type($maximum) `,` type($sum) `)`
    `outs` `(` $init (`,` $log_sum_exp^)? `:` type($init) (`,` type($log_sum_exp)^)? `)` (`->` type($results)^)? attr-dict
  }];
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable();
  }];
}

def Attn_PackOp : Attn_DestinationOp<"pack", [DeclareOpInterfaceMethods<Attn_KernelOpInterface>]> {
  let summary = "A matrix as panels of transposed rows";
  let description = [{
    `init[p, k, j] = source[p * P + j, k]`, and 0 where `p * P + j` is not below the number of rows.

    Constraints:
    - C1: `source` is [N, K], `init` is [panels, K, P] with static K and P > 0 and at least ceil(N / P) panels; one element
      type.

    ```mlir
    %panels = attn.pack ins(%q : tensor<?x64xf32>) outs(%init : tensor<1x64x32xf32>) -> tensor<1x64x32xf32>
    ```

    Source: Goto and van de Geijn, Anatomy of High-Performance Matrix Multiplication, 2008.
  }];
  let arguments = (ins Attn_Shaped:$source, Attn_Shaped:$init, OptionalAttr<Attn_RowKernelAttr>:$kernel);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let assemblyFormat = [{
    `ins` `(` $source `:` type($source) `)` `outs` `(` $init `:` type($init) `)` (`->` type($results)^)? attr-dict
  }];
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() { return getInitMutable(); }
  }];
}

#endif
