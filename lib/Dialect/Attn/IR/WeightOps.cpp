//===- WeightOps.cpp - Weights as symbols -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Dialect/Attn/IR/Attn.h"

using namespace mlir;
using namespace attn;

LogicalResult WeightOp::verify() {
  RankedTensorType type = llvm::cast<WeightExprInterface>(getValue()).getValueType();
  if (type != getType())
    return emitOpError() << "C2: has type " << getType() << " but its expression has type " << type;
  return success();
}

WeightOp WeightOp::lookup(Operation *from, FlatSymbolRefAttr name) {
  for (Operation *table = SymbolTable::getNearestSymbolTable(from); table;
       table = table->getParentOp() ? SymbolTable::getNearestSymbolTable(table->getParentOp()) : nullptr)
    if (auto weight = llvm::dyn_cast_or_null<WeightOp>(SymbolTable::lookupSymbolIn(table, name)))
      return weight;
  return {};
}

LogicalResult GetWeightOp::verifySymbolUses(SymbolTableCollection &symbols) {
  WeightOp weight;
  for (Operation *table = SymbolTable::getNearestSymbolTable(*this); table && !weight;
       table = table->getParentOp() ? SymbolTable::getNearestSymbolTable(table->getParentOp()) : nullptr)
    weight = llvm::dyn_cast_or_null<WeightOp>(symbols.lookupSymbolIn(table, getNameAttr()));
  if (!weight)
    return emitOpError() << "C1: there is no attn.weight " << getNameAttr();
  auto have = llvm::cast<ShapedType>(getResult().getType());
  auto want = llvm::cast<ShapedType>(weight.getType());
  if (have.getShape() != want.getShape() || have.getElementType() != want.getElementType())
    return emitOpError() << "C2: result " << have << " does not match weight " << getNameAttr() << " of type " << want;
  return success();
}
