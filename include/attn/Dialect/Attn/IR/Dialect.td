//===- Dialect.td - The attn dialect ------------------*- tablegen -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_DIALECT_ATTN_IR_DIALECT_TD
#define ATTN_DIALECT_ATTN_IR_DIALECT_TD

include "mlir/IR/OpBase.td"

def Attn_Dialect : Dialect {
  let name = "attn";
  let cppNamespace = "::attn";
  let summary = "Attention models: whole blocks, the ops that carry their time, weights and schedules";
  let description = [{
    The `attn` dialect names what attention models are made of, at three heights:

    - **whole blocks**, as importers and people write them: `attn.encoder_layer`, `attn.multi_head_attention`,
      `attn.feed_forward`. They take and return tensors and decompose in the stage `fuse`.
    - **the ops that carry the time**: `attn.attention`, `attn.linear`, `attn.layer_norm`, `attn.embedding` and the
      small ops beside them. They are destination-style, on tensors until the stage `memory` and on memrefs after,
      tile through TilingInterface, and keep their names until the stage `kernel`.
    - **tiles**: `attn.online_attention`, `attn.pack`, `attn.online_finish`, what one task computes at a time. A
      `#attn.*_kernel` attribute on an op says with which register tile.

    A model's parameters are `attn.weight` symbols, whose value is an attribute expression over slices of files; no
    weight bytes are in the IR.

    Discardable attributes of the dialect: `attn.name` (the name of an entry's argument or result), `attn.shape` (one
    string or integer a dimension: a symbol such as "batch", or the static size), `attn.index_range` (`array<i64: begin,
    end>`: an integer argument's values lie in [begin, end)), `attn.storage` (a type of 8 bits or less that the caller's
    elements have and the IR doesn't compute with: `f8E4M3FN`, `f8E4M3FNUZ`, `f8E5M2`, `f8E5M2FNUZ`, `f8E8M0FNU`,
    `f4E2M1FN`, `i4`, `i2`; in the IR each is an i8, with the bits of a float or the value of an integer),
    `attn.unsigned` (its integers are), `attn.dims` (on an entry: a `#attn.dim` for each symbol that is bounded or
    computed), `attn.state` (on a result: the number of the argument that it begins with, along one dimension),
    `attn.target` (on a nested module: the target it is compiled for), `attn.gpu_kernel` (on an op: the GPU kernel that
    computes it), `attn.gpu_launch` (on that kernel: how it is launched).
  }];
  let useDefaultAttributePrinterParser = 1;
  let hasCanonicalizer = 1;
  let hasConstantMaterializer = 1;
  let hasOperationAttrVerify = 1;
  let hasRegionArgAttrVerify = 1;
  let hasRegionResultAttrVerify = 1;
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::tensor::TensorDialect", "::mlir::math::MathDialect",
                           "::mlir::memref::MemRefDialect", "::mlir::linalg::LinalgDialect",
                           "::mlir::affine::AffineDialect"];
}

#endif
