//===- TokenRows.cpp - What works on rows, and what reads them --*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TokenRows.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace attn;

bool attn::joinsRows(ArrayRef<ReassociationIndices> groups) {
  return groups.size() > 1 && ArrayRef<int64_t>(groups.front()) == ArrayRef<int64_t>{0, 1};
}

/// True for a reshape of dimensions behind the first two.
static bool keepsRows(ArrayRef<ReassociationIndices> groups) {
  return groups.size() > 1 && ArrayRef<int64_t>(groups[0]) == ArrayRef<int64_t>{0} &&
         ArrayRef<int64_t>(groups[1]) == ArrayRef<int64_t>{1};
}

tensor::ExpandShapeOp attn::findExpansion(Value operand) {
  SmallVector<tensor::ExtractSliceOp> slices;
  while (Operation *view = operand.getDefiningOp()) {
    if (auto expand = dyn_cast<tensor::ExpandShapeOp>(view); expand && joinsRows(expand.getReassociationIndices())) {
      auto isWhole = [&](tensor::ExtractSliceOp slice) {
        llvm::SmallBitVector dropped = slice.getDroppedDims();
        return llvm::all_of(ArrayRef<unsigned>{0, 1}, [&](unsigned dim) {
          return !dropped.test(dim) && isZeroInteger(slice.getMixedOffsets()[dim]) &&
                 isOneInteger(slice.getMixedStrides()[dim]) &&
                 slice.getMixedSizes()[dim] == expand.getMixedOutputShape()[dim];
        });
      };
      bool isMatrix = expand.getSrcType().getRank() == 2;
      return isMatrix && llvm::all_of(slices, isWhole) ? expand : tensor::ExpandShapeOp();
    }
    auto expand = dyn_cast<tensor::ExpandShapeOp>(view);
    auto collapse = dyn_cast<tensor::CollapseShapeOp>(view);
    auto slice = dyn_cast<tensor::ExtractSliceOp>(view);
    if (slice)
      slices.push_back(slice);
    else if (!(expand && keepsRows(expand.getReassociationIndices())) &&
             !(collapse && keepsRows(collapse.getReassociationIndices())))
      return {};
    operand = view->getOperand(0);
  }
  return {};
}

bool attn::hasRowsInFront(AffineMap map, unsigned row) {
  auto isDim = [&](unsigned i, unsigned dim) {
    return map.getNumResults() > i && map.getResult(i) == getAffineDimExpr(dim, map.getContext());
  };
  return isDim(0, AttentionOp::Batch) && isDim(1, row);
}

bool attn::isRowOp(Operation *op) {
  if (!isa<LinearOp, NormOpInterface>(op) || op->getNumResults() != 1)
    return false;
  return cast<RankedTensorType>(op->getResult(0).getType()).getRank() == 2;
}

SmallVector<OpOperand *> attn::rowOperands(Operation *op) {
  SmallVector<OpOperand *> operands = {&op->getOpOperand(0)};
  if (auto linear = dyn_cast<LinearOp>(op))
    for (auto [i, map] : llvm::enumerate(linear.getExtraMaps().getAsValueRange<AffineMapAttr>()))
      if (map.isFunctionOfDim(0))
        operands.push_back(&op->getOpOperand(linear.getExtras().getBeginOperandIndex() + i));
  return operands;
}

bool attn::isRowUse(OpOperand &use) {
  return isRowOp(use.getOwner()) && llvm::is_contained(rowOperands(use.getOwner()), &use);
}

bool attn::readsMatrices(Operation *op) {
  if (auto linear = dyn_cast<LinearOp>(op))
    for (AffineMap map : linear.getExtraMaps().getAsValueRange<AffineMapAttr>())
      if (map.isFunctionOfDim(0) && !map.isIdentity())
        return false;
  int64_t rows = cast<RankedTensorType>(op->getResult(0).getType()).getDimSize(0);
  return llvm::all_of(rowOperands(op), [&](OpOperand *operand) {
    auto type = cast<RankedTensorType>(operand->get().getType());
    return type.getRank() == 2 && type.getDimSize(0) == rows;
  });
}

bool attn::haveSameRows(Value a, Value b) {
  auto x = a.getDefiningOp<LinearOp>(), y = b.getDefiningOp<LinearOp>();
  return a == b || (x && y && x.getInput() == y.getInput());
}

bool attn::isMaskedSum(OpOperand &use, Value mask) {
  auto generic = dyn_cast<linalg::GenericOp>(use.getOwner());
  if (!generic || generic.getNumDpsInits() != 1 || !generic.isDpsInput(&use))
    return false;
  AffineMap map = generic.getMatchingIndexingMap(&use);
  auto isFactor = [&](Value factor) {
    while (Operation *op = factor.getDefiningOp()) {
      if (!isa<arith::SIToFPOp, arith::UIToFPOp, arith::ExtSIOp, arith::ExtUIOp, arith::TruncIOp>(op))
        return false;
      factor = op->getOperand(0);
    }
    auto argument = cast<BlockArgument>(factor);
    if (argument.getOwner() != generic.getBody() || argument.getArgNumber() >= generic.getNumDpsInputs())
      return false;
    OpOperand *operand = generic.getDpsInputOperand(argument.getArgNumber());
    AffineMap of = generic.getMatchingIndexingMap(operand);
    return operand->get() == mask && of.getNumResults() == 2 && map.getNumResults() >= 2 &&
           of.getResult(0) == map.getResult(0) && of.getResult(1) == map.getResult(1);
  };
  return llvm::all_of(generic.getMatchingBlockArgument(&use).getUses(), [&](OpOperand &inner) {
    auto product = dyn_cast<arith::MulFOp>(inner.getOwner());
    return product && isFactor(product.getOperand(1 - inner.getOperandNumber()));
  });
}

bool attn::isFirstRow(OpOperand &use) {
  auto slice = dyn_cast<tensor::ExtractSliceOp>(use.getOwner());
  return slice && isZeroInteger(slice.getMixedOffsets()[1]) && isOneInteger(slice.getMixedSizes()[1]);
}
