//===- DestinationOps.cpp - What destination-style ops share: effects and result shapes -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Dialect/Attn/IR/Attn.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace attn;

using Effects = SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>>;

/// Memrefs that are inputs are read, memrefs that are destinations are written, and read too where the op adds to them.
/// Scratch is written and read. Tensors have no effects.
static void addDestinationEffects(DestinationStyleOpInterface op, bool readsInits, Effects &effects) {
  auto add = [&](MemoryEffects::Effect *effect, OpOperand &operand) {
    effects.emplace_back(effect, &operand, SideEffects::DefaultResource::get());
  };
  for (OpOperand &operand : op->getOpOperands()) {
    if (!llvm::isa<MemRefType>(operand.get().getType()))
      continue;
    bool isInit = op.isDpsInit(&operand);
    if (!isInit || readsInits)
      add(MemoryEffects::Read::get(), operand);
    if (isInit)
      add(MemoryEffects::Write::get(), operand);
  }
  if (auto kernel = llvm::dyn_cast<KernelOpInterface>(op.getOperation())) {
    MutableOperandRange scratch = kernel.getScratchOperands();
    for (unsigned i = 0, e = scratch.size(); i < e; ++i)
      add(MemoryEffects::Write::get(), scratch[i]);
  }
}

/// A result has the shape of its destination.
static LogicalResult reifyFromDestinations(OpBuilder &b, DestinationStyleOpInterface op,
                                           ReifiedRankedShapedTypeDims &shapes) {
  for (OpResult result : op->getResults())
    shapes.push_back(tensor::getMixedSizes(b, op.getLoc(), op.getTiedOpOperand(result)->get()));
  return success();
}

#define ATTN_DESTINATION_OP(OP, READS_INITS)                                                                           \
  void OP::getEffects(Effects &effects) { addDestinationEffects(*this, READS_INITS, effects); }                        \
  LogicalResult OP::reifyResultShapes(OpBuilder &b, ReifiedRankedShapedTypeDims &shapes) {                             \
    return reifyFromDestinations(b, *this, shapes);                                                                    \
  }

ATTN_DESTINATION_OP(LinearOp, false)
ATTN_DESTINATION_OP(LayerNormOp, false)
ATTN_DESTINATION_OP(RMSNormOp, false)
ATTN_DESTINATION_OP(RotaryOp, false)
ATTN_DESTINATION_OP(EmbeddingOp, false)
ATTN_DESTINATION_OP(KeyRangesOp, false)
ATTN_DESTINATION_OP(AttentionOp, false)
ATTN_DESTINATION_OP(OnlineAttentionOp, true)
ATTN_DESTINATION_OP(OnlineFinishOp, false)
ATTN_DESTINATION_OP(PackOp, false)
