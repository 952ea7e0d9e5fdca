//===- TaskOps.cpp - Parallel loops after outlining -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Dialect/Attn/IR/Attn.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace mlir;
using namespace attn;

LogicalResult ParallelForOp::verifySymbolUses(SymbolTableCollection &symbols) {
  auto task = symbols.lookupNearestSymbolFrom<func::FuncOp>(*this, getTaskAttr());
  if (!task)
    return emitOpError() << "C1: there is no function " << getTaskAttr();
  SmallVector<Type> inputs(3, IndexType::get(getContext()));
  llvm::append_range(inputs, getCaptures().getTypes());
  auto expected = FunctionType::get(getContext(), inputs, {});
  if (task.getFunctionType() != expected)
    return emitOpError() << "C1: task " << getTaskAttr() << " has type " << task.getFunctionType() << ", expected "
                         << expected;
  return success();
}
