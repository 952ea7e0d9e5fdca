//===- Pooling.cpp - From a sentence's rows to its embedding -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Plain linalg: a small part of the time, and nothing that a name of its own would help to compile. The constants are
// those of sentence-transformers.
//
//===----------------------------------------------------------------------===//

#include "Architectures.h"
#include "GenericBuilder.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace attn;
using namespace attn::huggingface;

/// sum_s hidden[b, s, e] * mask[b, s] / max(sum_s mask[b, s], 1e-9)
static Value buildMean(GenericBuilder &rows, Value hidden, Value mask, ArrayRef<OpFoldResult> sizes) {
  Type f32 = rows.ops.getF32Type();
  Value sum = rows.generic({hidden, mask}, rows.zeros({sizes[0], sizes[2]}), {{0, 1, 2}, {0, 1}, {0, 2}}, 3,
                           [&](OpBuilder &b, Location l, ValueRange v) -> Value {
                             Value weight = arith::SIToFPOp::create(b, l, f32, v[1]);
                             Value term = arith::MulFOp::create(b, l, v[0], weight);
                             return arith::AddFOp::create(b, l, v[2], term);
                           });
  Value count = rows.generic({mask}, rows.zeros({sizes[0]}), {{0, 1}, {0}}, 2,
                             [&](OpBuilder &b, Location l, ValueRange v) -> Value {
                               Value weight = arith::SIToFPOp::create(b, l, f32, v[0]);
                               return arith::AddFOp::create(b, l, v[1], weight);
                             });
  Value least = rows.constant(1e-9);
  return rows.generic({sum, count}, rows.empty({sizes[0], sizes[2]}), {{0, 1}, {0}, {0, 1}}, 2,
                      [&](OpBuilder &b, Location l, ValueRange v) -> Value {
                        Value divisor = arith::MaximumFOp::create(b, l, v[1], least);
                        return arith::DivFOp::create(b, l, v[0], divisor);
                      });
}

/// hidden[b, 0, e], as the sum over the first min(S, 1) rows, so that a sequence of length 0 reads nothing.
static Value buildFirst(GenericBuilder &rows, Value hidden, ArrayRef<OpFoldResult> sizes) {
  OpBuilder &ops = rows.ops;
  Value one = arith::ConstantIndexOp::create(ops, rows.loc, 1);
  Value length = getValueOrCreateConstantIndexOp(ops, rows.loc, sizes[1]);
  Value first = arith::MinUIOp::create(ops, rows.loc, length, one);
  SmallVector<OpFoldResult> offsets(3, ops.getIndexAttr(0)), strides(3, ops.getIndexAttr(1));
  Value head = tensor::ExtractSliceOp::create(ops, rows.loc, hidden, offsets,
                                              ArrayRef<OpFoldResult>{sizes[0], first, sizes[2]}, strides);
  return rows.generic(
      {head}, rows.zeros({sizes[0], sizes[2]}), {{0, 1, 2}, {0, 2}}, 3,
      [&](OpBuilder &b, Location l, ValueRange v) -> Value { return arith::AddFOp::create(b, l, v[1], v[0]); });
}

Value attn::huggingface::buildPooling(ModelBuilder &model, Value hidden, Value mask, ArrayRef<OpFoldResult> sizes,
                                      Pooling pooling) {
  GenericBuilder rows(model);
  return pooling == Pooling::Mean ? buildMean(rows, hidden, mask, sizes) : buildFirst(rows, hidden, sizes);
}

Value attn::huggingface::buildNormalize(ModelBuilder &model, Value input, ArrayRef<OpFoldResult> sizes) {
  GenericBuilder rows(model);
  Value squares = rows.generic({input}, rows.zeros({sizes[0]}), {{0, 1}, {0}}, 2,
                               [&](OpBuilder &b, Location l, ValueRange v) -> Value {
                                 Value square = arith::MulFOp::create(b, l, v[0], v[0]);
                                 return arith::AddFOp::create(b, l, v[1], square);
                               });
  Value least = rows.constant(1e-12);
  return rows.generic({input, squares}, rows.empty(sizes), {{0, 1}, {0}, {0, 1}}, 2,
                      [&](OpBuilder &b, Location l, ValueRange v) -> Value {
                        Value length = math::SqrtOp::create(b, l, v[1]);
                        Value divisor = arith::MaximumFOp::create(b, l, length, least);
                        return arith::DivFOp::create(b, l, v[0], divisor);
                      });
}
