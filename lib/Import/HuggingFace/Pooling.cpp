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
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace attn;
using namespace attn::huggingface;
using utils::IteratorType;

namespace {
/// Builds elementwise and reducing ops on f32.
class RowBuilder {
public:
  explicit RowBuilder(ModelBuilder &model) : ops(model.builder()), loc(model.loc()) {}

  Value constant(double value) {
    return arith::ConstantOp::create(ops, loc, ops.getF32FloatAttr(float(value))).getResult();
  }
  Value empty(ArrayRef<OpFoldResult> sizes) {
    return tensor::EmptyOp::create(ops, loc, sizes, ops.getF32Type()).getResult();
  }
  Value zeros(ArrayRef<OpFoldResult> sizes) {
    return linalg::FillOp::create(ops, loc, constant(0), empty(sizes)).getResult(0);
  }
  /// `maps` are the inputs' and then the output's, as lists of loop dimensions.
  Value generic(ValueRange inputs, Value init, ArrayRef<ArrayRef<unsigned>> maps, ArrayRef<IteratorType> iterators,
                function_ref<Value(OpBuilder &, Location, ValueRange)> body) {
    SmallVector<AffineMap> affine;
    for (ArrayRef<unsigned> map : maps) {
      SmallVector<AffineExpr> results;
      for (unsigned dim : map)
        results.push_back(ops.getAffineDimExpr(dim));
      affine.push_back(AffineMap::get(iterators.size(), 0, results, ops.getContext()));
    }
    return linalg::GenericOp::create(ops, loc, init.getType(), inputs, init, affine, iterators,
                                     [&](OpBuilder &b, Location l, ValueRange arguments) {
                                       linalg::YieldOp::create(b, l, body(b, l, arguments));
                                     })
        .getResult(0);
  }

  OpBuilder &ops;
  Location loc;
};
} // namespace

static constexpr IteratorType P = IteratorType::parallel, R = IteratorType::reduction;

/// sum_s hidden[b, s, e] * mask[b, s] / max(sum_s mask[b, s], 1e-9)
static Value buildMean(RowBuilder &rows, Value hidden, Value mask, ArrayRef<OpFoldResult> sizes) {
  Type f32 = rows.ops.getF32Type();
  Value sum = rows.generic({hidden, mask}, rows.zeros({sizes[0], sizes[2]}), {{0, 1, 2}, {0, 1}, {0, 2}}, {P, R, P},
                           [&](OpBuilder &b, Location l, ValueRange v) -> Value {
                             Value weight = arith::SIToFPOp::create(b, l, f32, v[1]);
                             Value term = arith::MulFOp::create(b, l, v[0], weight);
                             return arith::AddFOp::create(b, l, v[2], term);
                           });
  Value count = rows.generic({mask}, rows.zeros({sizes[0]}), {{0, 1}, {0}}, {P, R},
                             [&](OpBuilder &b, Location l, ValueRange v) -> Value {
                               Value weight = arith::SIToFPOp::create(b, l, f32, v[0]);
                               return arith::AddFOp::create(b, l, v[1], weight);
                             });
  Value least = rows.constant(1e-9);
  return rows.generic({sum, count}, rows.empty({sizes[0], sizes[2]}), {{0, 1}, {0}, {0, 1}}, {P, P},
                      [&](OpBuilder &b, Location l, ValueRange v) -> Value {
                        Value divisor = arith::MaximumFOp::create(b, l, v[1], least);
                        return arith::DivFOp::create(b, l, v[0], divisor);
                      });
}

/// hidden[b, 0, e], as the sum over the first min(S, 1) rows, so that a sequence of length 0 reads nothing.
static Value buildFirst(RowBuilder &rows, Value hidden, ArrayRef<OpFoldResult> sizes) {
  OpBuilder &ops = rows.ops;
  Value one = arith::ConstantIndexOp::create(ops, rows.loc, 1);
  Value length = getValueOrCreateConstantIndexOp(ops, rows.loc, sizes[1]);
  Value first = arith::MinUIOp::create(ops, rows.loc, length, one);
  SmallVector<OpFoldResult> offsets(3, ops.getIndexAttr(0)), strides(3, ops.getIndexAttr(1));
  Value head = tensor::ExtractSliceOp::create(ops, rows.loc, hidden, offsets,
                                              ArrayRef<OpFoldResult>{sizes[0], first, sizes[2]}, strides);
  return rows.generic(
      {head}, rows.zeros({sizes[0], sizes[2]}), {{0, 1, 2}, {0, 2}}, {P, R, P},
      [&](OpBuilder &b, Location l, ValueRange v) -> Value { return arith::AddFOp::create(b, l, v[1], v[0]); });
}

Value attn::huggingface::buildPooling(ModelBuilder &model, Value hidden, Value mask, ArrayRef<OpFoldResult> sizes,
                                      Pooling pooling) {
  RowBuilder rows(model);
  return pooling == Pooling::Mean ? buildMean(rows, hidden, mask, sizes) : buildFirst(rows, hidden, sizes);
}

Value attn::huggingface::buildNormalize(ModelBuilder &model, Value input, ArrayRef<OpFoldResult> sizes) {
  RowBuilder rows(model);
  Value squares = rows.generic({input}, rows.zeros({sizes[0]}), {{0, 1}, {0}}, {P, R},
                               [&](OpBuilder &b, Location l, ValueRange v) -> Value {
                                 Value square = arith::MulFOp::create(b, l, v[0], v[0]);
                                 return arith::AddFOp::create(b, l, v[1], square);
                               });
  Value least = rows.constant(1e-12);
  return rows.generic({input, squares}, rows.empty(sizes), {{0, 1}, {0}, {0, 1}}, {P, P},
                      [&](OpBuilder &b, Location l, ValueRange v) -> Value {
                        Value length = math::SqrtOp::create(b, l, v[1]);
                        Value divisor = arith::MaximumFOp::create(b, l, length, least);
                        return arith::DivFOp::create(b, l, v[0], divisor);
                      });
}
