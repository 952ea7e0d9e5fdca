//===- RowChains.cpp - Chains of row ops -*- C++ -*-===//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A scan in program order with one open chain. What is neither a row op nor depends on the chain stays before the loop;
// what depends on the chain stays after it, and a row op that reads such a value opens the next chain.
//
//===----------------------------------------------------------------------===//

#include "attn/Codegen/Tiling/RowChains.h"

using namespace mlir;
using namespace attn;

ScheduleAttr attn::scheduleOfRowOp(Operation *op) {
  if (auto linear = llvm::dyn_cast<LinearOp>(op))
    return linear.getScheduleAttr();
  if (auto norm = llvm::dyn_cast<NormOpInterface>(op))
    return norm.getScheduleAttr();
  if (auto embedding = llvm::dyn_cast<EmbeddingOp>(op))
    return embedding.getScheduleAttr();
  return {};
}

/// True where row i of the result reads of this operand row i alone.
static bool isReadByRows(OpOperand &operand) {
  Operation *op = operand.getOwner();
  if (auto linear = llvm::dyn_cast<LinearOp>(op)) {
    if (operand.get() == linear.getInput())
      return true;
    unsigned first = linear.getExtras().empty() ? 0 : linear.getExtras().getBeginOperandIndex();
    unsigned number = operand.getOperandNumber();
    if (linear.getExtras().empty() || number < first || number >= first + linear.getExtras().size())
      return false;
    AffineMap map = llvm::cast<AffineMapAttr>(linear.getExtraMaps()[number - first]).getValue();
    return map.getNumResults() > 0 && map.getResult(0) == getAffineDimExpr(0, op->getContext());
  }
  if (auto norm = llvm::dyn_cast<NormOpInterface>(op))
    return operand.get() == norm.getInput();
  return false;
}

SmallVector<RowChain> attn::findRowChains(Block &block) {
  SmallVector<RowChain> chains;
  // Values that exist only after the open chain's loop: its results, and what was computed from them.
  llvm::DenseSet<Value> chainResults, dependent;
  for (Operation &op : block) {
    bool readsChain = false, readsDependent = false, onlyByRows = true;
    op.walk([&](Operation *inner) {
      for (OpOperand &operand : inner->getOpOperands()) {
        bool inChain = chainResults.contains(operand.get());
        readsChain |= inChain;
        readsDependent |= dependent.contains(operand.get());
        onlyByRows &= !inChain || (inner == &op && isReadByRows(operand));
      }
    });
    if (scheduleOfRowOp(&op)) {
      bool joins = readsChain && onlyByRows && !readsDependent && !llvm::isa<EmbeddingOp>(op);
      if (!joins) {
        chains.emplace_back();
        chainResults.clear();
        dependent.clear();
      }
      chains.back().ops.push_back(llvm::cast<TilingInterface>(op));
      chainResults.insert(op.result_begin(), op.result_end());
    } else if (readsChain || readsDependent) {
      dependent.insert(op.result_begin(), op.result_end());
    }
  }
  return chains;
}
