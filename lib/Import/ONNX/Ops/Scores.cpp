//===- Scores.cpp - What becomes of a score of attention -------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Scores.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace attn;
using namespace attn::onnx;
using namespace attn::onnx::scores;
using utils::IteratorType;

Value attn::onnx::scores::constantLike(OpBuilder &b, Location loc, Value scalar, double value) {
  return arith::ConstantOp::create(b, loc, b.getFloatAttr(scalar.getType(), value));
}

/// `tensor`, broadcast from the right, with only the dimensions that it isn't repeated along.
FailureOr<Mapped> ScoreCode::map(const Tensor &tensor, const Twine &what) const {
  if (tensor.rank() > 4)
    return node.error() << what.str() << " has rank " << tensor.rank() << ", expected at most 4";
  Mapped result;
  Shape kept;
  for (auto [i, size] : llvm::enumerate(tensor.shape)) {
    int64_t dim = 4 - tensor.rank() + i;
    if (size.isConstant(1))
      continue;
    if (failed(expectEqual(node, size, extents[dim], what + ", dimension " + Twine(i))))
      return failure();
    result.dims.push_back(dim);
    kept.push_back(size);
  }
  FailureOr<Tensor> reduced = reshape(node, tensor, kept);
  if (failed(reduced))
    return failure();
  result.tensor = *reduced;
  return result;
}

/// Which keys of a batch's row count for all heads and queries, as one tensor [B, K]: what FoldMask looks for.
FailureOr<Mapped> ScoreCode::keyMask(const std::optional<Tensor> &mask) const {
  SmallVector<Value> inputs;
  SmallVector<SmallVector<int64_t>> maps;
  if (mask) {
    FailureOr<Mapped> part = map(*mask, "the mask");
    if (failed(part))
      return failure();
    if (!attention.keyLengths && part->dims.size() == 2)
      return part;
    inputs.push_back(node.value(part->tensor));
    maps.emplace_back(llvm::map_range(part->dims, [](int64_t dim) { return dim == B ? 0 : 1; }));
  }
  if (attention.keyLengths) {
    inputs.push_back(node.value(*attention.keyLengths));
    maps.push_back({0});
  }
  maps.push_back({0, 1});
  Shape shape = {extents[B], extents[K]};
  Value value =
      generic(node, inputs, empty(node, shape, DataType::Bool), maps, {IteratorType::parallel, IteratorType::parallel},
              [&](OpBuilder &b, Location loc, ValueRange arguments) -> Value {
                if (!attention.keyLengths)
                  return arguments[0];
                Value length = arguments[mask ? 1 : 0];
                Value key = arith::IndexCastOp::create(b, loc, b.getI64Type(), linalg::IndexOp::create(b, loc, 1));
                Value inside = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, key, length);
                return mask ? arith::AndIOp::create(b, loc, arguments[0], inside).getResult() : inside;
              });
  return Mapped{node.make(value, DataType::Bool, shape), {B, K}};
}

LogicalResult ScoreCode::prepare() {
  if (attention.bias) {
    FailureOr<Mapped> bias = map(*attention.bias, "the mask");
    if (failed(bias))
      return failure();
    biasAt = add(std::move(*bias));
  }
  std::optional<Tensor> perKey;
  if (attention.mask) {
    FailureOr<Mapped> mask = map(*attention.mask, "the mask");
    if (failed(mask))
      return failure();
    if (llvm::is_contained(mask->dims, H) || llvm::is_contained(mask->dims, Q))
      maskAt = add(std::move(*mask));
    else
      perKey = attention.mask;
  }
  if (attention.keyLengths || perKey) {
    FailureOr<Mapped> mask = keyMask(perKey);
    if (failed(mask))
      return failure();
    keyMaskAt = add(std::move(*mask));
  }
  if (attention.causal || hasWindow()) {
    if (attention.offsets) {
      offsetAt = add({*attention.offsets, {B}});
    } else if (!attention.offset.getConstant()) {
      offsetAt = add({integers(attention.offset, {}), {}});
    }
  }
  return success();
}

Value ScoreCode::cap(OpBuilder &b, Location loc, Value score) const {
  Value cap = constantLike(b, loc, score, attention.softcap);
  Value bounded = math::TanhOp::create(b, loc, arith::DivFOp::create(b, loc, score, cap));
  return arith::MulFOp::create(b, loc, bounded, cap);
}

Value ScoreCode::lower(OpBuilder &b, Location loc, Value score, ValueRange elements) const {
  Value counts;
  for (std::optional<size_t> at : {maskAt, keyMaskAt})
    if (at)
      counts = counts ? arith::AndIOp::create(b, loc, counts, elements[*at]).getResult() : elements[*at];
  Value lowered = arith::AddFOp::create(b, loc, score, constantLike(b, loc, score, *attention.maskValue));
  return arith::SelectOp::create(b, loc, counts, score, lowered);
}

Value ScoreCode::bias(OpBuilder &b, Location loc, Value score, ValueRange elements) const {
  if (lowersMask())
    score = lower(b, loc, score, elements);
  if (!biasAt)
    return score;
  DataType type = mapped[*biasAt].tensor.type;
  Value bias =
      castScalar(b, loc, elements[*biasAt], type, score.getType().isF64() ? DataType::Double : DataType::Float);
  Value least = constantLike(b, loc, score, -std::numeric_limits<double>::infinity());
  Value sum = arith::AddFOp::create(b, loc, score, bias);
  if (!isFloat(type))
    return sum;
  Value isOut = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OEQ, bias, least);
  return arith::SelectOp::create(b, loc, isOut, least, sum);
}

Value ScoreCode::mask(OpBuilder &b, Location loc, ValueRange indices, ValueRange elements) const {
  Value all;
  auto require = [&](Value condition) {
    all = all ? arith::AndIOp::create(b, loc, all, condition).getResult() : condition;
  };
  if (keyMaskAt && !lowersMask())
    require(elements[*keyMaskAt]);
  if (maskAt && !lowersMask())
    require(elements[*maskAt]);
  if (!attention.causal && !hasWindow())
    return all;
  // How far behind the query the key is.
  Type i64 = b.getI64Type();
  Value position = arith::IndexCastOp::create(b, loc, i64, indices[Q]);
  Value key = arith::IndexCastOp::create(b, loc, i64, indices[K]);
  Value offset =
      offsetAt ? elements[*offsetAt]
               : arith::ConstantOp::create(b, loc, b.getI64IntegerAttr(*attention.offset.getConstant())).getResult();
  Value distance = arith::SubIOp::create(b, loc, arith::AddIOp::create(b, loc, position, offset), key);
  auto bound = [&](arith::CmpIPredicate predicate, int64_t value) {
    Value constant = arith::ConstantOp::create(b, loc, b.getI64IntegerAttr(value));
    require(arith::CmpIOp::create(b, loc, predicate, distance, constant));
  };
  if (attention.causal)
    bound(arith::CmpIPredicate::sge, 0);
  if (attention.leftWindow >= 0)
    bound(arith::CmpIPredicate::sle, attention.leftWindow);
  if (attention.rightWindow >= 0 && !attention.causal)
    bound(arith::CmpIPredicate::sge, -attention.rightWindow);
  return all;
}
