//===- RowOps.td - Ops on rows: linear, norms, embedding, activations, pooling --*- tablegen -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_DIALECT_ATTN_IR_ROWOPS_TD
#define ATTN_DIALECT_ATTN_IR_ROWOPS_TD

include "attn/Dialect/Attn/IR/OpBase.td"

def Attn_LinearOp : Attn_DestinationOp<"linear", [
    AttrSizedOperandSegments, IsolatedFromAbove, SingleBlock,
    Attn_Tiling,
    DeclareOpInterfaceMethods<Attn_KernelOpInterface, ["getScratchTypes", "getScratchOperands"]>]> {
  let summary = "A matrix product with a weight, and what follows it on each element";
  let description = [{
        init[m..., n] = epilogue(sum_k input[m..., k] * W[n, k], extras at (m..., n))

    The weight is [N, K] as models store it, or panels [ceil(N / P), K, P] as `#attn.panels` lays them out; its rank says
    which. Products and sums are in the element type of `init`. The epilogue's block takes the sum and one scalar for each
    of `extras`, read through its map of `extra_maps` from the dimensions of `init`, and yields the element to store. It
    may hold `arith`, `math` and `attn.gelu` on scalars, and is isolated from above. `kernel` is set in the stage `tile`.

    Constraints:
    - C1: `init` is [m..., N], `input` is [m..., K] of the same rank, at least 2.
    - C2: the weight is [N, K], or [ceil(N / P), K, P].
    - C3: there is one map for each of `extras`, from rank(init) dimensions to as many results as the extra has
      dimensions; each result is a dimension of the same extent, or 0.
    - C4: the block takes 1 + #extras scalars: the element type of `init`, then those of the extras; it yields the
      element type of `init`.
    - C5: floating-point element types.
    - C6: there is no scratch or what `kernel` needs.

    ```mlir
    %y = attn.linear ins(%x, %w : tensor<?x384xf32>, tensor<1536x384xf32>)
        extras(%bias : tensor<1536xf32>) outs(%init : tensor<?x1536xf32>) -> tensor<?x1536xf32>
        maps [affine_map<(m, n) -> (n)>] {
    ^bb0(%sum: f32, %b: f32):
      %0 = arith.addf %sum, %b : f32
      attn.yield %0 : f32
    }
    ```

    Source: the layout of the weight is that of PyTorch's torch.nn.functional.linear.
  }];
  let arguments = (ins Attn_Shaped:$input, Attn_Shaped:$weight, Variadic<Attn_Shaped>:$extras, Attn_Shaped:$init,
                       Variadic<AnyStridedMemRef>:$scratch,
                       DefaultValuedAttr<AffineMapArrayAttr, "{}">:$extra_maps, OptionalAttr<Attn_LinearKernelAttr>:$kernel,
                       OptionalAttr<Attn_ScheduleAttr>:$schedule);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let regions = (region SizedRegion<1>:$epilogue);
  let assemblyFormat = [{
    `ins` `(` $input `,` $weight `:` type($input) `,` type($weight) `)`
    (`extras` `(` $extras^ `:` type($extras) `)`)?
    `outs` `(` $init `:` type($init) `)` (`scratch` `(` $scratch^ `:` type($scratch) `)`)? (`->` type($results)^)?
    (`maps` $extra_maps^)? attr-dict-with-keyword $epilogue
  }];
  let builders = [
    // With an epilogue that yields the sum as it is.
    OpBuilder<(ins "::mlir::Value":$input, "::mlir::Value":$weight, "::mlir::Value":$init)>,
    // With an epilogue that adds a bias [N].
    OpBuilder<(ins "::mlir::Value":$input, "::mlir::Value":$weight, "::mlir::Value":$bias, "::mlir::Value":$init)>
  ];
  let hasCanonicalizer = 1;
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() { return getInitMutable(); }
    /// True where the weight is in panels.
    bool isPacked() { return ::llvm::cast<::mlir::ShapedType>(getWeight().getType()).getRank() == 3; }
    /// True where the epilogue yields the sum itself.
    bool hasTrivialEpilogue();
  }];
}

class Attn_NormOp<string mnemonic> : Attn_DestinationOp<mnemonic, [
    Attn_Tiling, Attn_NormOpInterface,
    DeclareOpInterfaceMethods<Attn_KernelOpInterface>]> {
  let results = (outs Variadic<AnyRankedTensor>:$results);
}

def Attn_LayerNormOp : Attn_NormOp<"layer_norm"> {
  let summary = "Normalizes each row to mean 0 and variance 1, then scales and shifts";
  let description = [{
    Over the last dimension, of size N:

        mean = sum_n x[n] / N,  var = sum_n (x[n] - mean)^2 / N
        init[n] = (x[n] - mean) / sqrt(var + epsilon) * scale[n] + shift[n]

    Constraints:
    - C1: `input` and `init` have the same shape and floating-point element type, rank at least 1.
    - C2: `scale` and `shift` are [N], of floating-point types.
    - C3: `epsilon` is not negative, and finite.

    Where var + epsilon is 0, which takes a row of one value, the quotient counts as 0.

    ```mlir
    %y = attn.layer_norm ins(%x, %scale, %shift : tensor<?x384xf32>, tensor<384xf32>, tensor<384xf32>)
        outs(%init : tensor<?x384xf32>) -> tensor<?x384xf32> {epsilon = 1.0e-12}
    ```

    Source: Ba et al., Layer Normalization, 2016.
  }];
  let arguments = (ins Attn_Shaped:$input, Attn_Shaped:$scale, Optional<Attn_Shaped>:$shift, Attn_Shaped:$init,
                       F64Attr:$epsilon, OptionalAttr<Attn_RowKernelAttr>:$kernel, OptionalAttr<Attn_ScheduleAttr>:$schedule);
  let assemblyFormat = [{
    `ins` `(` $input `,` $scale (`,` $shift^)? `:` type($input) `,` type($scale) (`,` type($shift)^)? `)`
    `outs` `(` $init `:` type($init) `)` (`->` type($results)^)? attr-dict
  }];
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() { return getInitMutable(); }
    bool isCentered() { return true; }
  }];
}

def Attn_RMSNormOp : Attn_NormOp<"rms_norm"> {
  let summary = "Divides each row by its root mean square, then scales";
  let description = [{
    Over the last dimension, of size N:

        init[n] = x[n] / sqrt(sum_k x[k]^2 / N + epsilon) * scale[n]

    Constraints:
    - C1: `input` and `init` have the same shape and floating-point element type, rank at least 1.
    - C2: `scale` is [N], of a floating-point type.
    - C3: `epsilon` is not negative, and finite.

    Where the root is 0, which takes a row of zeros, the quotient counts as 0.

    ```mlir
    %y = attn.rms_norm ins(%x, %scale : tensor<?x384xf32>, tensor<384xf32>)
        outs(%init : tensor<?x384xf32>) -> tensor<?x384xf32> {epsilon = 1.0e-6}
    ```

    Source: Zhang and Sennrich, Root Mean Square Layer Normalization, 2019.
  }];
  let arguments = (ins Attn_Shaped:$input, Attn_Shaped:$scale, Attn_Shaped:$init, F64Attr:$epsilon,
                       OptionalAttr<Attn_RowKernelAttr>:$kernel, OptionalAttr<Attn_ScheduleAttr>:$schedule);
  let assemblyFormat = [{
    `ins` `(` $input `,` $scale `:` type($input) `,` type($scale) `)`
    `outs` `(` $init `:` type($init) `)` (`->` type($results)^)? attr-dict
  }];
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() { return getInitMutable(); }
    ::mlir::Value getShift() { return {}; }
    bool isCentered() { return false; }
  }];
}

def Attn_RotaryOp : Attn_DestinationOp<"rotary"> {
  let summary = "Turns pairs of channels by angles";
  let description = [{
    The last dimension holds D channels in pairs, (i, i + D/2), or (2i, 2i + 1) where `interleaved`. With the pair
    (x, y) of channels c and d, at position p of the tables:

        init[..., c] = x * cosine[p, c] - y * sine[p, c]
        init[..., d] = y * cosine[p, d] + x * sine[p, d]

    Tables of D/2 columns have one angle for each pair i, in the place of columns c and d. `map` leads from the indices
    before the last dimension to p; a dimension that it doesn't use shares its angles.

    Constraints:
    - C1: `input` and `init` have the same shape and floating-point element type; D is static, even and not 0.
    - C2: `map` takes all dimensions before the last; its results are dimensions, none twice, or 0.
    - C3: `cosine` and `sine` have the same shape: the extents that `map` says, then D or D/2. They are of one
      floating-point type.

    ```mlir
    %y = attn.rotary ins(%x, %cos, %sin : tensor<?x?x12x64xf32>, tensor<?x32xf32>, tensor<?x32xf32>)
        outs(%init : tensor<?x?x12x64xf32>) -> tensor<?x?x12x64xf32> map affine_map<(b, s, h) -> (s)>
    ```

    Source: Su et al., RoFormer: Enhanced Transformer with Rotary Position Embedding, 2021.
  }];
  let arguments = (ins Attn_Shaped:$input, Attn_Shaped:$cosine, Attn_Shaped:$sine, Attn_Shaped:$init,
                       AffineMapAttr:$map, UnitAttr:$interleaved);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let assemblyFormat = [{
    `ins` `(` $input `,` $cosine `,` $sine `:` type($input) `,` type($cosine) `,` type($sine) `)`
    `outs` `(` $init `:` type($init) `)` (`->` type($results)^)? `map` $map (`interleaved` $interleaved^)? attr-dict
  }];
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() { return getInitMutable(); }
    /// Whether the tables have one angle for each pair.
    bool hasAngleOfPairs() {
      return ::llvm::cast<::mlir::ShapedType>(getCosine().getType()).getShape().back() !=
             ::llvm::cast<::mlir::ShapedType>(getInit().getType()).getShape().back();
    }
  }];
}

def Attn_EmbeddingOp : Attn_DestinationOp<"embedding", [
    AttrSizedOperandSegments,
    Attn_Tiling,
    DeclareOpInterfaceMethods<Attn_KernelOpInterface>]> {
  let summary = "The sum of rows looked up in tables";
  let description = [{
        init[i..., n] = sum_t tables[t][indices[t][i...], n]  (+ positions[i_last, n])

    `positions` is a table that the last index dimension selects from: row s for i_last = s.
    An index outside its table is read as the nearest row inside; entries check the indices they are given before, so
    that this happens for computed indices only. Tables have rows and enough positions: entries check that too.

    Constraints:
    - C1: as many `indices` as `tables`, at least 1; indices are integers of more than one bit, all of one shape [i...]
      of at least one dimension.
    - C2: tables are [R_t, N]; `positions` is [P, N]; `init` is [i..., N]; one floating-point element type.

    ```mlir
    %x = attn.embedding ins(%ids, %types : tensor<?x?xi64>, tensor<?x?xi64>)
        tables(%words, %kinds : tensor<30522x384xf32>, tensor<2x384xf32>) positions(%positions : tensor<512x384xf32>)
        outs(%init : tensor<?x?x384xf32>) -> tensor<?x?x384xf32>
    ```

    Source: Devlin et al., BERT, 2018, figure 2.
  }];
  let arguments = (ins Variadic<Attn_Shaped>:$indices, Variadic<Attn_Shaped>:$tables, Optional<Attn_Shaped>:$positions,
                       Attn_Shaped:$init, OptionalAttr<Attn_RowKernelAttr>:$kernel, OptionalAttr<Attn_ScheduleAttr>:$schedule);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let assemblyFormat = [{
    `ins` `(` $indices `:` type($indices) `)` `tables` `(` $tables `:` type($tables) `)`
    (`positions` `(` $positions^ `:` type($positions) `)`)?
    `outs` `(` $init `:` type($init) `)` (`->` type($results)^)? attr-dict
  }];
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() { return getInitMutable(); }
  }];
}

def Attn_KeyRangesOp : Attn_DestinationOp<"key_ranges", [DeclareOpInterfaceMethods<Attn_KernelOpInterface>]> {
  let summary = "Which keys of a batch row count: a range, and whether all of it does";
  let description = [{
    For a mask [B, S] of integers, `init` is [B, 4] of i64:

        init[b] = [begin, end, holes, empty]

    The keys k with mask[b, k] != 0 all lie in [begin, end), and begin and end - 1 are such keys. `holes` is 1 where the
    range has a key with mask 0. A row without such a key has begin = 0, end = S, holes = 0, empty = 1.

    Constraints:
    - C1: `mask` is [B, S] of integers, `init` is [B, 4] of i64.

    ```mlir
    %ranges = attn.key_ranges ins(%mask : tensor<?x?xi64>) outs(%init : tensor<?x4xi64>) -> tensor<?x4xi64>
    ```

    Source: this compiler's own form of a padding mask.
  }];
  let arguments = (ins Attn_Shaped:$mask, Attn_Shaped:$init, OptionalAttr<Attn_RowKernelAttr>:$kernel);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let assemblyFormat = [{
    `ins` `(` $mask `:` type($mask) `)` `outs` `(` $init `:` type($init) `)` (`->` type($results)^)? attr-dict
  }];
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() { return getInitMutable(); }
  }];
}

def Attn_GeluOp : Attn_Op<"gelu", !listconcat([Pure, SameOperandsAndResultType], ElementwiseMappable.traits)> {
  let summary = "Gaussian error linear unit, on a scalar, vector or tensor";
  let description = [{
    `gelu(x) = x / 2 * (1 + erf(x / sqrt(2)))`, or with `approximate`
    `gelu(x) = x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3)))`.

    Constraints:
    - C1: the operand is a floating-point scalar, vector or tensor; the result has its type.

    ```mlir
    %y = attn.gelu %x : f32
    %z = attn.gelu approximate %x : f32
    ```

    Source: Hendrycks and Gimpel, Gaussian Error Linear Units, 2016.
  }];
  let arguments = (ins FloatLike:$input, UnitAttr:$approximate);
  let results = (outs FloatLike:$result);
  let assemblyFormat = "(`approximate` $approximate^)? $input attr-dict `:` type($result)";
  let hasFolder = 1;
}

def Attn_YieldOp : Attn_Op<"yield", [Pure, ReturnLike, Terminator,
    ParentOneOf<["::attn::LinearOp", "::attn::AttentionOp", "::attn::OnlineAttentionOp"]>]> {
  let summary = "Ends a region of an attn op";
  let description = [{
    Its operand is what the region yields: the element to store of `attn.linear`, the score or whether the key counts of
    `attn.attention` and `attn.online_attention`.

    Constraints:
    - C1: it stands in a region of one of these ops, whose own constraints say what it yields.

    ```mlir
    attn.yield %0 : f32
    ```
  }];
  let arguments = (ins Variadic<AnyType>:$values);
  let assemblyFormat = "attr-dict ($values^ `:` type($values))?";
  let builders = [OpBuilder<(ins), [{ /* the implicit terminator */ }]>];
}

#endif
