//===- BufferizableOpInterfaceImpl.cpp - Tensors to memrefs -----*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A destination-style op becomes the same op on memrefs, without results. That a destination is only written is what
// spares a copy where a caller's buffer serves as one. The regions of attn.attention are isolated and run once for each
// element: they are repetitive, and their `whole` arguments become memrefs as the operands do.
//
//===----------------------------------------------------------------------===//

#include "attn/Dialect/Attn/IR/BufferizableOpInterfaceImpl.h"
#include "attn/Dialect/Attn/IR/Attn.h"
#include "mlir/Dialect/Bufferization/IR/BufferizableOpInterface.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Bufferization/IR/DstBufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace attn;
using namespace mlir::bufferization;

/// The operands of `op` with buffers in the place of tensors.
static FailureOr<SmallVector<Value>> bufferizeOperands(RewriterBase &rewriter, Operation *op,
                                                       const BufferizationOptions &options,
                                                       const BufferizationState &state) {
  SmallVector<Value> operands;
  for (Value operand : op->getOperands()) {
    if (!isa<TensorType>(operand.getType())) {
      operands.push_back(operand);
      continue;
    }
    FailureOr<Value> buffer = getBuffer(rewriter, operand, options, state);
    if (failed(buffer))
      return failure();
    operands.push_back(*buffer);
  }
  return operands;
}

/// The layout of `type` with nothing known of offset and strides.
static StridedLayoutAttr dynamicLayout(MemRefType type) {
  SmallVector<int64_t> strides(type.getRank(), ShapedType::kDynamic);
  return StridedLayoutAttr::get(type.getContext(), ShapedType::kDynamic, strides);
}

/// Gives the tensor arguments of an attention's region the types of `buffers`, the bufferized operands `whole`.
static void bufferizeArguments(RewriterBase &rewriter, Region &region, ValueRange buffers) {
  if (region.empty() || buffers.empty())
    return;
  Block &block = region.front();
  OpBuilder::InsertionGuard guard(rewriter);
  rewriter.setInsertionPointToStart(&block);
  for (auto [argument, buffer] : llvm::zip(block.getArguments().take_back(buffers.size()), buffers)) {
    auto tensorType = dyn_cast<RankedTensorType>(argument.getType());
    if (!tensorType)
      continue;
    argument.setType(buffer.getType());
    // The region may know less of the shape than the operand.
    Value memref = argument;
    auto type = cast<MemRefType>(buffer.getType());
    if (type.getShape() != tensorType.getShape()) {
      MemRefType known = MemRefType::Builder(type).setShape(tensorType.getShape()).setLayout(dynamicLayout(type));
      memref = memref::CastOp::create(rewriter, argument.getLoc(), known, argument);
    }
    auto tensor = ToTensorOp::create(rewriter, argument.getLoc(), tensorType, memref);
    rewriter.replaceAllUsesExcept(argument, tensor,
                                  memref == argument ? tensor.getOperation() : memref.getDefiningOp());
  }
}

namespace {

/// An op that writes its destinations, and reads them only if `readsInits`.
template <typename OpTy, bool readsInits = false>
struct DestinationModel : DstBufferizableOpInterfaceExternalModel<DestinationModel<OpTy, readsInits>, OpTy> {
  bool bufferizesToMemoryRead(Operation *op, OpOperand &operand, const bufferization::AnalysisState &) const {
    return readsInits || !cast<DestinationStyleOpInterface>(op).isDpsInit(&operand);
  }

  bool isRepetitiveRegion(Operation *, unsigned) const { return true; }

  LogicalResult bufferize(Operation *op, RewriterBase &rewriter, const BufferizationOptions &options,
                          BufferizationState &state) const {
    OpBuilder::InsertionGuard guard(rewriter);
    rewriter.setInsertionPoint(op);
    FailureOr<SmallVector<Value>> operands = bufferizeOperands(rewriter, op, options, state);
    if (failed(operands))
      return failure();
    OperationState newState(op->getLoc(), op->getName(), *operands, TypeRange(), op->getAttrs());
    for (unsigned i = 0, e = op->getNumRegions(); i < e; ++i)
      newState.addRegion();
    Operation *newOp = rewriter.create(newState);
    for (auto [from, to] : llvm::zip(op->getRegions(), newOp->getRegions()))
      rewriter.inlineRegionBefore(from, to, to.begin());
    if (auto attention = dyn_cast<AttentionOp>(newOp))
      for (Region &region : newOp->getRegions())
        bufferizeArguments(rewriter, region, attention.getWhole());
    replaceOpWithBufferizedValues(rewriter, op, cast<DestinationStyleOpInterface>(newOp).getDpsInits());
    return success();
  }

  /// Of results as everywhere; of a region's argument the type of the operand of attn.attention that it stands for.
  FailureOr<BufferLikeType> getBufferType(Operation *op, Value value, const BufferizationOptions &options,
                                          const BufferizationState &state, SmallVector<Value> &invocationStack) const {
    auto argument = dyn_cast<BlockArgument>(value);
    if (!argument)
      return bufferization::detail::defaultGetBufferType(value, options, state, invocationStack);
    auto attention = dyn_cast<AttentionOp>(op);
    unsigned number = argument.getArgNumber(), count = argument.getOwner()->getNumArguments();
    if (!attention || number + attention.getWhole().size() < count)
      return op->emitOpError() << "has a tensor as argument " << number << " of a region";
    Value operand = attention.getWhole()[number + attention.getWhole().size() - count];
    return bufferization::getBufferType(operand, options, state, invocationStack);
  }
};

/// A weight lies in read-only memory, row by row.
struct GetWeightModel : BufferizableOpInterface::ExternalModel<GetWeightModel, GetWeightOp> {
  bool isWritable(Operation *, Value, const bufferization::AnalysisState &) const { return false; }

  FailureOr<BufferLikeType> getBufferType(Operation *, Value value, const BufferizationOptions &,
                                          const BufferizationState &, SmallVector<Value> &) const {
    auto type = cast<ShapedType>(value.getType());
    return cast<BufferLikeType>(MemRefType::get(type.getShape(), type.getElementType()));
  }

  LogicalResult bufferize(Operation *op, RewriterBase &rewriter, const BufferizationOptions &,
                          BufferizationState &) const {
    auto getWeight = cast<GetWeightOp>(op);
    auto type = dyn_cast<RankedTensorType>(getWeight.getResult().getType());
    if (!type)
      return success();
    auto memref = MemRefType::get(type.getShape(), type.getElementType());
    replaceOpWithNewBufferizedOp<GetWeightOp>(rewriter, op, memref, getWeight.getNameAttr());
    return success();
  }
};

} // namespace

void attn::registerBufferizableOpInterfaceExternalModels(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, AttnDialect *) {
    LinearOp::attachInterface<DestinationModel<LinearOp>>(*context);
    LayerNormOp::attachInterface<DestinationModel<LayerNormOp>>(*context);
    RMSNormOp::attachInterface<DestinationModel<RMSNormOp>>(*context);
    EmbeddingOp::attachInterface<DestinationModel<EmbeddingOp>>(*context);
    KeyRangesOp::attachInterface<DestinationModel<KeyRangesOp>>(*context);
    PackOp::attachInterface<DestinationModel<PackOp>>(*context);
    AttentionOp::attachInterface<DestinationModel<AttentionOp>>(*context);
    OnlineAttentionOp::attachInterface<DestinationModel<OnlineAttentionOp, /*readsInits=*/true>>(*context);
    OnlineFinishOp::attachInterface<DestinationModel<OnlineFinishOp>>(*context);
    GetWeightOp::attachInterface<GetWeightModel>(*context);
  });
}
