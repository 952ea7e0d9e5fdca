//===- TaskMask.cpp - The regions of attention in one task ------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TaskMask.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace attn;

void attn::arrangeMapped(AttentionOp op) {
  OpBuilder b(op);
  Location loc = op.getLoc();
  SmallVector<Attribute> maps(op.getMaps().getValue());
  for (unsigned i = 0; i < op.getMapped().size(); ++i) {
    AffineMap map = op.getMappedMap(i);
    // Others first, then queries, then keys.
    auto rank = [&](int64_t position) {
      AffineExpr result = map.getResult(position);
      return result == b.getAffineDimExpr(AttentionOp::Key) ? 2 : result == b.getAffineDimExpr(AttentionOp::Query);
    };
    SmallVector<int64_t> order = llvm::to_vector(llvm::seq<int64_t>(0, map.getNumResults()));
    if (isMappedByTask(op, i) || rank(order.back()) != 0)
      continue;
    llvm::sort(order, [&](int64_t lhs, int64_t rhs) { return std::pair(rank(lhs), lhs) < std::pair(rank(rhs), rhs); });
    Value operand = op.getMapped()[i];
    SmallVector<OpFoldResult> sizes;
    SmallVector<AffineExpr> results;
    for (int64_t from : order) {
      sizes.push_back(tensor::getMixedSize(b, loc, operand, from));
      results.push_back(map.getResult(from));
    }
    Value init = tensor::EmptyOp::create(b, loc, sizes, getElementTypeOrSelf(operand.getType()));
    Value turned = linalg::TransposeOp::create(b, loc, operand, init, order).getResult()[0];
    op.getMappedMutable()[i].set(turned);
    maps[3 + i] = AffineMapAttr::get(AffineMap::get(6, 0, results, op.getContext()));
  }
  op.setMapsAttr(b.getArrayAttr(maps));
}

Value TaskMask::constant(int64_t value) { return arith::ConstantIndexOp::create(b, loc, value); }

/// A map's result in b and h at this task.
Value TaskMask::indexOf(AffineExpr result) {
  SmallVector<Value> operands{task.batch, task.head, constant(0), constant(0), constant(0), constant(0)};
  return affine::AffineApplyOp::create(b, loc, AffineMap::get(6, 0, result), operands);
}

bool TaskMask::hasUpperDiagonal() const {
  return llvm::any_of(conditions.bounds, [](const MaskBound &bound) { return bound.isUpper && bound.ofDifference; });
}

Value TaskMask::extractMapped(unsigned i) {
  SmallVector<Value> indices;
  for (AffineExpr result : op.getMappedMap(i).getResults())
    indices.push_back(indexOf(result));
  return tensor::ExtractOp::create(b, loc, op.getMapped()[i], indices);
}

void TaskMask::emitBounds(const AttentionTask &current, Value &begin, Value &end) {
  task = current;
  lower = upper = Value();
  if (conditions.bounds.empty())
    return;
  Block &block = op.getMask().front();
  IRMapping arguments;
  arguments.map(block.getArgument(AttentionOp::Batch), task.batch);
  arguments.map(block.getArgument(AttentionOp::Head), task.head);
  for (unsigned i = 0, e = op.getMapped().size(); i < e; ++i)
    if (BlockArgument argument = block.getArgument(4 + i); !argument.use_empty() && isMappedByTask(op, i))
      arguments.map(argument, extractMapped(i));

  auto smaller = [&](Value lhs, Value rhs) { return lhs ? arith::MinSIOp::create(b, loc, lhs, rhs).getResult() : rhs; };
  auto larger = [&](Value lhs, Value rhs) { return lhs ? arith::MaxSIOp::create(b, loc, lhs, rhs).getResult() : rhs; };
  auto add = [&](Value lhs, Value rhs) { return b.createOrFold<arith::AddIOp>(loc, lhs, rhs); };
  for (const MaskBound &bound : conditions.bounds) {
    Value rest = emitLinearIndex(b, loc, bound.rest, arguments);
    if (bound.ofDifference) {
      Value &side = bound.isUpper ? upper : lower;
      side = bound.isUpper ? smaller(side, rest) : larger(side, rest);
    } else if (bound.isUpper) {
      end = smaller(end, add(rest, constant(1)));
    } else {
      begin = larger(begin, rest);
    }
  }
  if (upper)
    end = smaller(end, add(add(task.queryBegin, task.queryCount), upper));
  if (lower)
    begin = larger(begin, add(task.queryBegin, lower));
}

std::pair<Value, AffineMap> TaskMask::sliceMapped(unsigned i, Value first, Value count) {
  Value operand = op.getMapped()[i];
  auto type = llvm::cast<RankedTensorType>(operand.getType());
  SmallVector<OpFoldResult> offsets, sizes, strides(type.getRank(), b.getIndexAttr(1));
  SmallVector<AffineExpr> results;
  for (AffineExpr result : op.getMappedMap(i).getResults()) {
    bool isQuery = result == b.getAffineDimExpr(AttentionOp::Query);
    bool isKey = result == b.getAffineDimExpr(AttentionOp::Key);
    offsets.push_back(isQuery ? task.queryBegin : isKey ? first : indexOf(result));
    sizes.push_back(isQuery ? OpFoldResult(task.queryCount) : isKey ? OpFoldResult(count) : b.getIndexAttr(1));
    if (isQuery || isKey)
      results.push_back(b.getAffineDimExpr(isKey));
  }
  SmallVector<int64_t> shape(results.size(), ShapedType::kDynamic);
  auto sliceType = RankedTensorType::get(shape, type.getElementType());
  Value slice = tensor::ExtractSliceOp::create(b, loc, sliceType, operand, offsets, sizes, strides);
  return {slice, AffineMap::get(2, 0, results, b.getContext())};
}

void TaskMask::addTo(OnlineAttentionOp online, Parts parts, Value first, Value count) {
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(online);
  Value distance = b.createOrFold<arith::SubIOp>(loc, task.queryBegin, first);
  auto local = [&](Value side) { return b.createOrFold<arith::AddIOp>(loc, side, distance); };
  if (parts.mask && lower)
    online.getLowerMutable().assign(local(lower));
  if (parts.mask && upper)
    online.getUpperMutable().assign(local(upper));

  bool asksMask = parts.mask && !conditions.others.empty();
  bool asksScore = parts.score && !op.getScore().empty();
  if (asksMask)
    copyConditions(op, conditions.others, online.getMask());
  if (asksScore) {
    IRMapping mapping;
    op.getScore().cloneInto(&online.getScore(), mapping);
  }
  if (!asksMask && !asksScore)
    return;
  online.getIndicesMutable().assign(ValueRange{task.batch, task.head, task.queryBegin, first});
  // Operands that no region reads aren't cut.
  SmallVector<Value> mapped;
  SmallVector<AffineMap> maps;
  for (unsigned i = 0; i < op.getMapped().size(); ++i) {
    unsigned at = mapped.size();
    bool isRead = (asksMask && !online.getMask().getArgument(4 + at).use_empty()) ||
                  (asksScore && !online.getScore().getArgument(5 + at).use_empty());
    if (isRead) {
      auto [slice, map] = sliceMapped(i, first, count);
      mapped.push_back(slice);
      maps.push_back(map);
      continue;
    }
    if (asksMask)
      online.getMask().eraseArgument(4 + at);
    if (asksScore)
      online.getScore().eraseArgument(5 + at);
  }
  online.getMappedMutable().assign(mapped);
  online.setMapsAttr(b.getAffineMapArrayAttr(maps));
}
