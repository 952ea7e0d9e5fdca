//===- TaskOps.cpp - Parallel loops after outlining -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Dialect/Attn/IR/Attn.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/PatternMatch.h"

using namespace mlir;
using namespace attn;

LogicalResult WorkerOp::verify() {
  if (!(*this)->getParentOfType<scf::ForallOp>())
    return emitOpError() << "C1: it stands outside of any scf.forall, expected inside one, whose body becomes a task";
  return success();
}

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
  for (auto [i, type] : llvm::enumerate(getCaptures().getTypes()))
    if (isa<TensorType>(type))
      return emitOpError() << "C2: capture " << i << " is " << type
                           << ", expected no tensor; use scf.forall on tensors";
  return success();
}

LogicalResult CheckOp::canonicalize(CheckOp op, PatternRewriter &rewriter) {
  if (!matchPattern(op.getCondition(), m_One()))
    return failure();
  rewriter.eraseOp(op);
  return success();
}
