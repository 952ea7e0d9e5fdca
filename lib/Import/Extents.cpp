//===- Extents.cpp - Which dimensions are equal in a function -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One rule per kind of operation. An operation without a rule is asked by its shape interface for what its result's
// sizes are, in terms of operations that have rules; one without that either makes nothing equal.
//
//===----------------------------------------------------------------------===//

#include "Extents.h"
#include "attn/Dialect/Attn/IR/Attn.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace attn;

static RankedTensorType tensorOf(Value value) { return llvm::dyn_cast<RankedTensorType>(value.getType()); }

Extents::Extents(func::FuncOp function) {
  // Collected first: asking for shapes adds operations, which are visited on their own.
  SmallVector<Operation *> ops;
  function.getBody().walk([&](Operation *op) { ops.push_back(op); });
  for (Operation *op : ops)
    visit(op);
  for (Operation *op : llvm::reverse(built))
    op->erase();
}

//===----------------------------------------------------------------------===//
// The union-find
//===----------------------------------------------------------------------===//

unsigned Extents::find(unsigned id) {
  while (parents[id] != id)
    id = parents[id] = parents[parents[id]];
  return id;
}

unsigned Extents::get(Key key) {
  auto [entry, inserted] = ids.try_emplace(key, parents.size());
  if (inserted) {
    parents.push_back(parents.size());
    constants.emplace_back();
  }
  return entry->second;
}

unsigned Extents::classOf(Value value, int64_t dim) {
  unsigned id = find(get({value.getAsOpaquePointer(), dim}));
  RankedTensorType type = tensorOf(value);
  if (type && dim != kScalar && !type.isDynamicDim(dim))
    constants[id] = type.getDimSize(dim);
  return id;
}

void Extents::join(unsigned a, unsigned b) {
  a = find(a);
  b = find(b);
  if (a == b)
    return;
  parents[b] = a;
  if (!constants[a])
    constants[a] = constants[b];
}

void Extents::equal(Value a, int64_t dimA, Value b, int64_t dimB) { join(classOf(a, dimA), classOf(b, dimB)); }

void Extents::equalShapes(Value a, Value b, int64_t count) {
  for (int64_t i = 0; i < count; ++i)
    equal(a, i, b, i);
}

unsigned Extents::scalar(OpFoldResult size) {
  if (auto value = llvm::dyn_cast<Value>(size)) {
    unsigned id = get({value.getAsOpaquePointer(), kScalar});
    if (std::optional<int64_t> constant = getConstantIntValue(size))
      constants[find(id)] = *constant;
    return id;
  }
  // A number stands for itself; no dimension has a null value.
  int64_t constant = *getConstantIntValue(size);
  unsigned id = get({nullptr, constant});
  constants[find(id)] = constant;
  return id;
}

//===----------------------------------------------------------------------===//
// Rules
//===----------------------------------------------------------------------===//

void Extents::visit(Operation *op) {
  bool known = visitTensorOp(op) || visitAttnOp(op);
  known |= visitStructured(op);
  if (!known)
    visitReified(op);
}

bool Extents::visitTensorOp(Operation *op) {
  return llvm::TypeSwitch<Operation *, bool>(op)
      .Case([&](tensor::DimOp dim) {
        std::optional<int64_t> index = dim.getConstantIndex();
        RankedTensorType source = tensorOf(dim.getSource());
        if (index && source && *index >= 0 && *index < source.getRank())
          join(classOf(dim.getSource(), *index), scalar(OpFoldResult(dim.getResult())));
        return true;
      })
      .Case([&](tensor::EmptyOp empty) {
        for (auto [i, size] : llvm::enumerate(empty.getMixedSizes()))
          join(classOf(empty.getResult(), i), scalar(size));
        return true;
      })
      .Case([&](tensor::CastOp cast) {
        if (tensorOf(cast.getSource()) && tensorOf(cast.getResult()))
          equalShapes(cast.getSource(), cast.getResult(), tensorOf(cast.getResult()).getRank());
        return true;
      })
      .Case([&](tensor::ExtractSliceOp slice) {
        llvm::SmallBitVector dropped = slice.getDroppedDims();
        int64_t dim = 0;
        for (auto [i, size] : llvm::enumerate(slice.getMixedSizes()))
          if (!dropped.test(i))
            join(classOf(slice.getResult(), dim++), scalar(size));
        return true;
      })
      .Case([&](tensor::CollapseShapeOp collapse) {
        for (auto [i, group] : llvm::enumerate(collapse.getReassociationIndices()))
          if (group.size() == 1)
            equal(collapse.getResult(), i, collapse.getSrc(), group.front());
        return true;
      })
      .Case([&](tensor::ExpandShapeOp expand) {
        for (auto [i, size] : llvm::enumerate(expand.getMixedOutputShape()))
          join(classOf(expand.getResult(), i), scalar(size));
        for (auto [i, group] : llvm::enumerate(expand.getReassociationIndices()))
          if (group.size() == 1)
            equal(expand.getSrc(), i, expand.getResult(), group.front());
        return true;
      })
      .Default(false);
}

bool Extents::visitAttnOp(Operation *op) {
  auto rank = [](Value value) { return tensorOf(value).getRank(); };
  return llvm::TypeSwitch<Operation *, bool>(op)
      .Case([&](EncoderLayerOp layer) {
        equalShapes(layer.getInput(), layer.getResult(), rank(layer.getResult()));
        if (layer.getMask())
          equalShapes(layer.getMask(), layer.getInput(), 2);
        return true;
      })
      .Case([&](MultiHeadAttentionOp attention) {
        Value query = attention.getQuery(), key = attention.getKey() ? attention.getKey() : query;
        equalShapes(query, attention.getResult(), 2);
        equal(query, 0, key, 0);
        if (attention.getValue())
          equalShapes(key, attention.getValue(), 2);
        if (attention.getMask())
          equalShapes(key, attention.getMask(), 2);
        return true;
      })
      .Case([&](FeedForwardOp block) {
        equalShapes(block.getInput(), block.getResult(), rank(block.getResult()) - 1);
        return true;
      })
      .Case([&](LinearOp linear) {
        Value init = linear.getInit();
        equalShapes(linear.getInput(), init, rank(init) - 1);
        for (auto [extra, map] : llvm::zip(linear.getExtras(), linear.getExtraMaps().getAsValueRange<AffineMapAttr>()))
          for (auto [i, expr] : llvm::enumerate(map.getResults()))
            if (auto dim = llvm::dyn_cast<AffineDimExpr>(expr))
              equal(extra, i, init, dim.getPosition());
        return true;
      })
      .Case([&](LayerNormOp norm) {
        equalShapes(norm.getInput(), norm.getInit(), rank(norm.getInit()));
        return true;
      })
      .Case([&](EmbeddingOp embedding) {
        for (Value indices : embedding.getIndices())
          equalShapes(indices, embedding.getInit(), rank(indices));
        return true;
      })
      .Case([&](KeyRangesOp ranges) {
        equal(ranges.getMask(), 0, ranges.getInit(), 0);
        return true;
      })
      .Case([&](AttentionOp attention) {
        SmallVector<Value> values = {attention.getQuery(), attention.getKey(), attention.getValue()};
        llvm::append_range(values, attention.getMapped());
        values.push_back(attention.getInit());
        if (attention.getLogSumExp())
          values.push_back(attention.getLogSumExp());
        for (auto [i, value] : llvm::enumerate(values))
          for (auto [j, expr] : llvm::enumerate(attention.getMap(i).getResults()))
            if (auto dim = llvm::dyn_cast<AffineDimExpr>(expr))
              join(classOf(value, j), get({op, dim.getPosition()}));
        if (attention.getRanges())
          join(classOf(attention.getRanges(), 0), get({op, AttentionOp::Batch}));
        if (attention.getKeyMask()) {
          join(classOf(attention.getKeyMask(), 0), get({op, AttentionOp::Batch}));
          join(classOf(attention.getKeyMask(), 1), get({op, AttentionOp::Key}));
        }
        return true;
      })
      .Default(false);
}

/// What interfaces and traits say: a result has the shape of its destination, operands of a structured op share loops,
/// those of an elementwise op all dimensions.
bool Extents::visitStructured(Operation *op) {
  bool known = false;
  if (auto destination = llvm::dyn_cast<DestinationStyleOpInterface>(op)) {
    for (OpResult result : op->getResults())
      if (tensorOf(result))
        equalShapes(result, destination.getTiedOpOperand(result)->get(), tensorOf(result).getRank());
    known = true;
  }
  if (auto structured = llvm::dyn_cast<linalg::LinalgOp>(op)) {
    for (OpOperand &operand : op->getOpOperands())
      if (tensorOf(operand.get()))
        for (auto [i, expr] : llvm::enumerate(structured.getMatchingIndexingMap(&operand).getResults()))
          if (auto dim = llvm::dyn_cast<AffineDimExpr>(expr))
            join(classOf(operand.get(), i), get({op, dim.getPosition()}));
    known = true;
  }
  if (op->hasTrait<OpTrait::Elementwise>() || op->hasTrait<OpTrait::SameOperandsAndResultShape>()) {
    Value first;
    SmallVector<Value> values(op->getOperands());
    llvm::append_range(values, op->getResults());
    for (Value value : values) {
      if (!tensorOf(value))
        continue;
      if (first)
        equalShapes(first, value, std::min(tensorOf(first).getRank(), tensorOf(value).getRank()));
      else
        first = value;
    }
    known = true;
  }
  return known;
}

void Extents::visitReified(Operation *op) {
  auto reifier = llvm::dyn_cast<ReifyRankedShapedTypeOpInterface>(op);
  if (!reifier || llvm::none_of(op->getResults(), [](Value v) { return tensorOf(v) && !tensorOf(v).hasStaticShape(); }))
    return;
  struct Listener final : OpBuilder::Listener {
    explicit Listener(std::vector<Operation *> &built) : built(built) {}
    void notifyOperationInserted(Operation *op, OpBuilder::InsertPoint) override { built.push_back(op); }
    std::vector<Operation *> &built;
  } listener(built);
  OpBuilder builder(op->getContext(), &listener);
  builder.setInsertionPointAfter(op);
  size_t before = built.size();
  ReifiedRankedShapedTypeDims shapes;
  bool succeeded = mlir::succeeded(reifier.reifyResultShapes(builder, shapes));
  for (size_t i = before; i < built.size(); ++i)
    visitTensorOp(built[i]);
  if (!succeeded)
    return;
  for (auto [result, shape] : llvm::zip(op->getResults(), shapes))
    for (auto [i, size] : llvm::enumerate(shape))
      if (tensorOf(result))
        join(classOf(result, i), scalar(size));
}
