//===- Ops.td - All ops of the dialect --*- tablegen -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_DIALECT_ATTN_IR_OPS_TD
#define ATTN_DIALECT_ATTN_IR_OPS_TD

include "attn/Dialect/Attn/IR/AttentionOps.td"
include "attn/Dialect/Attn/IR/BlockOps.td"
include "attn/Dialect/Attn/IR/RowOps.td"
include "attn/Dialect/Attn/IR/TaskOps.td"
include "attn/Dialect/Attn/IR/WeightOps.td"

#endif
