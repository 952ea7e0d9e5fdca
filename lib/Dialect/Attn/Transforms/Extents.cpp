//===- Extents.cpp - Which dimensions are equal in a function -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One rule per kind of operation; those of the dialect's own are in ExtentsOfAttnOps.cpp. An operation without a rule
// is asked by its shape interface for what its result's sizes are, in terms of operations that have rules; one without
// that either makes nothing equal.
//
//===----------------------------------------------------------------------===//

#include "attn/Dialect/Attn/Transforms/Extents.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace attn;

static RankedTensorType tensorOf(Value value) { return llvm::dyn_cast<RankedTensorType>(value.getType()); }

Extents::Size Extents::Size::of(OpFoldResult size) {
  if (std::optional<int64_t> constant = getConstantIntValue(size))
    return {Value(), *constant};
  return {llvm::cast<Value>(size), kScalar};
}

Extents::Extents(func::FuncOp function) {
  // What a loop carries is taken to keep its size, until the analysis shows that it needn't.
  while (!analyze(function))
    clear();
}

Extents::~Extents() { clear(); }

void Extents::clear() {
  for (Operation *op : llvm::reverse(built))
    op->erase();
  built.clear();
  ids.clear();
  parents.clear();
  constants.clear();
  requirements.clear();
  scalars.clear();
  loops.clear();
}

bool Extents::analyze(func::FuncOp function) {
  // Collected first: asking for shapes adds operations, which are visited on their own.
  SmallVector<Operation *> ops;
  function.getBody().walk<WalkOrder::PreOrder>([&](Operation *op) { ops.push_back(op); });
  for (Operation *op : ops)
    visit(op);
  bool holds = true;
  // Inner ones first, since outer ones yield their results.
  for (Operation *op : llvm::reverse(ops)) {
    if (auto branch = llvm::dyn_cast<scf::IfOp>(op); branch && branch.getNumResults()) {
      for (auto [result, left, right] :
           llvm::zip(branch.getResults(), branch.thenYield().getOperands(), branch.elseYield().getOperands()))
        for (int64_t i = 0; tensorOf(result) && i < tensorOf(result).getRank(); ++i)
          if (areEqual({left, i}, {right, i}))
            join(Size{result, i}, Size{left, i});
    } else if (auto loop = llvm::dyn_cast<scf::ForOp>(op)) {
      for (auto [carried, yielded] : llvm::zip(loop.getRegionIterArgs(), loop.getYieldedValues()))
        for (int64_t i = 0; keepsSize(carried) && i < tensorOf(carried).getRank(); ++i)
          if (!areEqual({carried, i}, {yielded, i})) {
            varying.insert(carried);
            holds = false;
          }
    }
  }
  return holds;
}

/// True for a tensor that a loop carries and that may be taken to have one size in all iterations.
bool Extents::keepsSize(Value carried) const { return tensorOf(carried) && !varying.contains(carried); }

void Extents::visitLoop(scf::ForOp loop) {
  for (auto [init, carried, result] : llvm::zip(loop.getInitArgs(), loop.getRegionIterArgs(), loop.getResults()))
    if (keepsSize(carried)) {
      equalShapes(loop, carried, init, tensorOf(init).getRank());
      equalShapes(loop, result, init, tensorOf(init).getRank());
    }
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

unsigned Extents::classOf(Size size) {
  unsigned id = find(get({size.value.getAsOpaquePointer(), size.dim}));
  if (!size.value) {
    constants[id] = size.dim;
  } else if (size.dim == kScalar) {
    scalars.insert(size.value);
    if (std::optional<int64_t> constant = getConstantIntValue(size.value))
      constants[id] = *constant;
  } else if (RankedTensorType type = tensorOf(size.value); type && !type.isDynamicDim(size.dim)) {
    constants[id] = type.getDimSize(size.dim);
  }
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

bool Extents::areEqual(Size a, Size b) {
  unsigned classA = classOf(a), classB = classOf(b);
  return find(classA) == find(classB) || (constantOf(classA) && constantOf(classA) == constantOf(classB));
}

void Extents::assume() {
  for (const Requirement &requirement : requirements)
    join(requirement.a, requirement.b);
}

/// `op` makes `result` equal to `source`. Where only the result's type says a number, it claims so.
void Extents::equal(Operation *op, Size result, Size source) {
  if (!tensorOf(result.value).isDynamicDim(result.dim) && tensorOf(source.value).isDynamicDim(source.dim))
    require(op, result, source);
  else
    join(result, source);
}

void Extents::equalShapes(Operation *op, Value result, Value source, int64_t count) {
  for (int64_t i = 0; i < count; ++i)
    equal(op, {result, i}, {source, i});
}

void Extents::requireShapes(Operation *op, Value a, Value b, int64_t count) {
  for (int64_t i = 0; i < count; ++i)
    require(op, {a, i}, {b, i});
}

void Extents::requireLoop(Operation *op, unsigned loop, Size size) {
  auto [first, inserted] = loops.try_emplace({op, loop}, size);
  if (!inserted)
    require(op, size, first->second);
}

//===----------------------------------------------------------------------===//
// Rules
//===----------------------------------------------------------------------===//

void Extents::visit(Operation *op) {
  if (auto loop = llvm::dyn_cast<scf::ForOp>(op))
    return visitLoop(loop);
  bool known = visitTensorOp(op) || visitAttnOp(op);
  known |= visitStructured(op);
  if (!known)
    visitReified(op);
}

/// The sizes of a slice are those of the tensor that it is read into or written from.
template <typename OpTy>
static void forEachSliceSize(OpTy slice, llvm::function_ref<void(int64_t, OpFoldResult)> visit) {
  llvm::SmallBitVector dropped = slice.getDroppedDims();
  int64_t dim = 0;
  for (auto [i, size] : llvm::enumerate(slice.getMixedSizes()))
    if (!dropped.test(i))
      visit(dim++, size);
}

bool Extents::visitTensorOp(Operation *op) {
  return llvm::TypeSwitch<Operation *, bool>(op)
      .Case([&](tensor::DimOp dim) {
        std::optional<int64_t> index = dim.getConstantIndex();
        RankedTensorType source = tensorOf(dim.getSource());
        if (index && source && *index >= 0 && *index < source.getRank())
          join(Size{dim.getSource(), *index}, Size{dim.getResult(), kScalar});
        return true;
      })
      .Case([&](tensor::EmptyOp empty) {
        for (auto [i, size] : llvm::enumerate(empty.getMixedSizes()))
          join(Size{empty.getResult(), int64_t(i)}, Size::of(size));
        return true;
      })
      .Case([&](tensor::CastOp cast) {
        if (tensorOf(cast.getSource()) && tensorOf(cast.getResult()))
          equalShapes(op, cast.getResult(), cast.getSource(), tensorOf(cast.getResult()).getRank());
        return true;
      })
      .Case([&](tensor::ExtractSliceOp slice) {
        forEachSliceSize(slice,
                         [&](int64_t dim, OpFoldResult size) { join(Size{slice.getResult(), dim}, Size::of(size)); });
        return true;
      })
      .Case([&](tensor::InsertSliceOp slice) {
        forEachSliceSize(
            slice, [&](int64_t dim, OpFoldResult size) { require(op, Size{slice.getSource(), dim}, Size::of(size)); });
        // Its result is that of a destination.
        return false;
      })
      .Case([&](tensor::ParallelInsertSliceOp slice) {
        forEachSliceSize(
            slice, [&](int64_t dim, OpFoldResult size) { require(op, Size{slice.getSource(), dim}, Size::of(size)); });
        return true;
      })
      .Case([&](tensor::CollapseShapeOp collapse) {
        for (auto [i, group] : llvm::enumerate(collapse.getReassociationIndices()))
          if (group.size() == 1)
            equal(op, {collapse.getResult(), int64_t(i)}, {collapse.getSrc(), group.front()});
        return true;
      })
      .Case([&](tensor::ExpandShapeOp expand) {
        for (auto [i, size] : llvm::enumerate(expand.getMixedOutputShape()))
          join(Size{expand.getResult(), int64_t(i)}, Size::of(size));
        // A group of one dimension is a claim like that of any other group.
        for (auto [i, group] : llvm::enumerate(expand.getReassociationIndices()))
          if (group.size() == 1)
            require(op, {expand.getSrc(), int64_t(i)}, {expand.getResult(), group.front()});
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
        equalShapes(op, result, destination.getTiedOpOperand(result)->get(), tensorOf(result).getRank());
    known = true;
  }
  if (auto structured = llvm::dyn_cast<linalg::LinalgOp>(op)) {
    for (OpOperand &operand : op->getOpOperands())
      if (tensorOf(operand.get()))
        for (auto [i, expr] : llvm::enumerate(structured.getMatchingIndexingMap(&operand).getResults()))
          if (auto dim = llvm::dyn_cast<AffineDimExpr>(expr))
            requireLoop(op, dim.getPosition(), {operand.get(), int64_t(i)});
    known = true;
  }
  if (op->hasTrait<OpTrait::Elementwise>() || op->hasTrait<OpTrait::SameOperandsAndResultShape>()) {
    Value first;
    for (Value operand : op->getOperands()) {
      if (!tensorOf(operand))
        continue;
      if (first)
        requireShapes(op, operand, first, std::min(tensorOf(first).getRank(), tensorOf(operand).getRank()));
      else
        first = operand;
    }
    for (Value result : op->getResults())
      if (first && tensorOf(result))
        equalShapes(op, result, first, std::min(tensorOf(first).getRank(), tensorOf(result).getRank()));
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
  size_t before = built.size(), required = requirements.size();
  ReifiedRankedShapedTypeDims shapes;
  bool succeeded = mlir::succeeded(reifier.reifyResultShapes(builder, shapes));
  for (size_t i = before; i < built.size(); ++i)
    visitTensorOp(built[i]);
  // Nobody runs what was built.
  requirements.resize(required, Requirement());
  if (!succeeded)
    return;
  for (auto [result, shape] : llvm::zip(op->getResults(), shapes))
    for (auto [i, size] : llvm::enumerate(shape))
      if (tensorOf(result))
        join(Size{result, int64_t(i)}, Size::of(size));
}
