//===- BlockOps.td - Whole blocks of attention models --*- tablegen -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_DIALECT_ATTN_IR_BLOCKOPS_TD
#define ATTN_DIALECT_ATTN_IR_BLOCKOPS_TD

include "attn/Dialect/Attn/IR/OpBase.td"

// Blocks are values on tensors; the stage `fuse` decomposes them, so they need neither destinations nor tiling.

def Attn_MultiHeadAttentionOp : Attn_Op<"multi_head_attention", [Pure, AttrSizedOperandSegments,
    DeclareOpInterfaceMethods<ReifyRankedShapedTypeOpInterface, ["reifyResultShapes"]>]> {
  let summary = "Projections, attention over several heads, output projection";
  let description = [{
    With H = `num_heads`, D = Eq / H and heads split as `x[b, s, h * D + d]`:

        Q = query Wq^T + bq,  K = key Wk^T + bk,  V = value Wv^T + bv
        O[b, h] = softmax(Q[b, h] K[b, h]^T / sqrt(D)  over keys k with mask[b, k] != 0) V[b, h]
        result = concat_h(O) Wo^T + bo

    `key` and `value` default to `query` (self-attention). A row without keys follows `empty`.

    Constraints:
    - C1: `query` is [B, S, E]; `key`, `value` are [B, T, *].
    - C2: weights are [out, in]; Wq, Wk have Eq rows, Wv and Wo's columns agree; biases have the rows of their weight;
      all of the floating-point element type of `query`.
    - C3: `num_heads` is positive and divides Eq and the rows of Wv.
    - C4: `mask` is [B, T] of integers.
    - C5: the result is [B, S, rows of Wo] with the element type of `query`.

    ```mlir
    %y = attn.multi_head_attention %x, mask(%mask : tensor<?x?xi64>)
        query_projection(%wq, %bq : tensor<384x384xf32>, tensor<384xf32>) key_projection(%wk : tensor<384x384xf32>)
        value_projection(%wv : tensor<384x384xf32>) output_projection(%wo : tensor<384x384xf32>)
        {num_heads = 12} : tensor<?x?x384xf32> -> tensor<?x?x384xf32>
    ```

    Source: Vaswani et al., Attention Is All You Need, 2017, section 3.2.2.
  }];
  let arguments = (ins AnyRankedTensor:$query, Optional<AnyRankedTensor>:$key, Optional<AnyRankedTensor>:$value,
                       Optional<AnyRankedTensor>:$mask,
                       AnyRankedTensor:$query_weight, Optional<AnyRankedTensor>:$query_bias,
                       AnyRankedTensor:$key_weight, Optional<AnyRankedTensor>:$key_bias,
                       AnyRankedTensor:$value_weight, Optional<AnyRankedTensor>:$value_bias,
                       AnyRankedTensor:$output_weight, Optional<AnyRankedTensor>:$output_bias,
                       I64Attr:$num_heads,
                       DefaultValuedAttr<Attn_EmptyRowAttr, "::attn::EmptyRow::Zero">:$empty);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = [{
    custom<Context>($query, $key, type($key), $value, type($value), $mask, type($mask))
    `query_projection` `(` $query_weight (`,` $query_bias^)? `:` type($query_weight) (`,` type($query_bias)^)? `)`
    `key_projection` `(` $key_weight (`,` $key_bias^)? `:` type($key_weight) (`,` type($key_bias)^)? `)`
    `value_projection` `(` $value_weight (`,` $value_bias^)? `:` type($value_weight) (`,` type($value_bias)^)? `)`
    `output_projection` `(` $output_weight (`,` $output_bias^)? `:` type($output_weight) (`,` type($output_bias)^)? `)`
    attr-dict `:` type($query) `->` type($result)
  }];
  let hasVerifier = 1;
}

def Attn_FeedForwardOp : Attn_Op<"feed_forward", [Pure, AttrSizedOperandSegments,
    DeclareOpInterfaceMethods<ReifyRankedShapedTypeOpInterface, ["reifyResultShapes"]>]> {
  let summary = "Two linear layers with an activation between";
  let description = [{
        result = activation(input W1^T + b1) W2^T + b2

    Constraints:
    - C1: `input` is [..., E], W1 is [F, E], W2 is [E', F]; biases have the rows of their weight;
      one floating-point element type.
    - C2: the result is [..., E'].

    ```mlir
    %y = attn.feed_forward %x up(%w1, %b1 : tensor<1536x384xf32>, tensor<1536xf32>)
        down(%w2 : tensor<384x1536xf32>) {activation = #attn.activation<gelu>} : tensor<?x384xf32> -> tensor<?x384xf32>
    ```

    Source: Vaswani et al., 2017, section 3.3.
  }];
  let arguments = (ins AnyRankedTensor:$input,
                       AnyRankedTensor:$up_weight, Optional<AnyRankedTensor>:$up_bias,
                       AnyRankedTensor:$down_weight, Optional<AnyRankedTensor>:$down_bias,
                       DefaultValuedAttr<Attn_ActivationAttr, "::attn::Activation::Gelu">:$activation);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = [{
    $input
    `up` `(` $up_weight (`,` $up_bias^)? `:` type($up_weight) (`,` type($up_bias)^)? `)`
    `down` `(` $down_weight (`,` $down_bias^)? `:` type($down_weight) (`,` type($down_bias)^)? `)`
    attr-dict `:` type($input) `->` type($result)
  }];
  let hasVerifier = 1;
}

def Attn_EncoderLayerOp : Attn_Op<"encoder_layer", [Pure, AttrSizedOperandSegments,
    DeclareOpInterfaceMethods<ReifyRankedShapedTypeOpInterface, ["reifyResultShapes"]>]> {
  let summary = "A Transformer encoder layer";
  let description = [{
    Post-norm (`#attn.norm<post>`, BERT): `y = LN1(x + MHA(x)); result = LN2(y + FFN(y))`.
    Pre-norm: `y = x + MHA(LN1(x)); result = y + FFN(LN2(y))`.

    MHA and FFN are those of `attn.multi_head_attention` and `attn.feed_forward`, LN is `attn.layer_norm` with `epsilon`.

    Constraints:
    - C1: `input` is [B, S, E] and the result has its type.
    - C2: projections are [E, E] with biases [E]; `up_weight` is [F, E], `down_weight` is [E, F]; all of the
      floating-point element type of `input`. `num_heads` is positive and divides E.
    - C3: norm scales and shifts are [E]; `epsilon` is not negative.
    - C4: `mask` is [B, S] of integers: a key counts where it is not 0.

    ```mlir
    %y = attn.encoder_layer %x, mask(%mask : tensor<?x?xi64>)
        query_projection(%wq, %bq : tensor<384x384xf32>, tensor<384xf32>)
        key_projection(%wk, %bk : tensor<384x384xf32>, tensor<384xf32>)
        value_projection(%wv, %bv : tensor<384x384xf32>, tensor<384xf32>)
        output_projection(%wo, %bo : tensor<384x384xf32>, tensor<384xf32>)
        attention_norm(%s1, %t1 : tensor<384xf32>, tensor<384xf32>)
        up(%w1, %b1 : tensor<1536x384xf32>, tensor<1536xf32>) down(%w2, %b2 : tensor<384x1536xf32>, tensor<384xf32>)
        output_norm(%s2, %t2 : tensor<384xf32>, tensor<384xf32>)
        {num_heads = 12, epsilon = 1.0e-12} : tensor<?x?x384xf32> -> tensor<?x?x384xf32>
    ```

    Source: Vaswani et al., Attention Is All You Need, 2017, section 3.1; Devlin et al., BERT, 2018.
  }];
  let arguments = (ins AnyRankedTensor:$input, Optional<AnyRankedTensor>:$mask,
                       AnyRankedTensor:$query_weight, Optional<AnyRankedTensor>:$query_bias,
                       AnyRankedTensor:$key_weight, Optional<AnyRankedTensor>:$key_bias,
                       AnyRankedTensor:$value_weight, Optional<AnyRankedTensor>:$value_bias,
                       AnyRankedTensor:$output_weight, Optional<AnyRankedTensor>:$output_bias,
                       AnyRankedTensor:$attention_norm_scale, AnyRankedTensor:$attention_norm_shift,
                       AnyRankedTensor:$up_weight, Optional<AnyRankedTensor>:$up_bias,
                       AnyRankedTensor:$down_weight, Optional<AnyRankedTensor>:$down_bias,
                       AnyRankedTensor:$output_norm_scale, AnyRankedTensor:$output_norm_shift,
                       I64Attr:$num_heads, F64Attr:$epsilon,
                       DefaultValuedAttr<Attn_ActivationAttr, "::attn::Activation::Gelu">:$activation,
                       DefaultValuedAttr<Attn_NormPlacementAttr, "::attn::NormPlacement::Post">:$norm,
                       DefaultValuedAttr<Attn_EmptyRowAttr, "::attn::EmptyRow::Zero">:$empty);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = [{
    $input (`,` `mask` `(` $mask^ `:` type($mask) `)`)?
    `query_projection` `(` $query_weight (`,` $query_bias^)? `:` type($query_weight) (`,` type($query_bias)^)? `)`
    `key_projection` `(` $key_weight (`,` $key_bias^)? `:` type($key_weight) (`,` type($key_bias)^)? `)`
    `value_projection` `(` $value_weight (`,` $value_bias^)? `:` type($value_weight) (`,` type($value_bias)^)? `)`
    `output_projection` `(` $output_weight (`,` $output_bias^)? `:` type($output_weight) (`,` type($output_bias)^)? `)`
    `attention_norm` `(` $attention_norm_scale `,` $attention_norm_shift `:` type($attention_norm_scale) `,` type($attention_norm_shift) `)`
    `up` `(` $up_weight (`,` $up_bias^)? `:` type($up_weight) (`,` type($up_bias)^)? `)`
    `down` `(` $down_weight (`,` $down_bias^)? `:` type($down_weight) (`,` type($down_bias)^)? `)`
    `output_norm` `(` $output_norm_scale `,` $output_norm_shift `:` type($output_norm_scale) `,` type($output_norm_shift) `)`
    attr-dict `:` type($input) `->` type($result)
  }];
  let hasVerifier = 1;
}

#endif
