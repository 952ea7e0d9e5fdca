//===- WriteResults.cpp - Entries write their results into buffers of the caller -*- C++ -*-===//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Destinations are tensors, not buffers: what is computed in one and what still reads it is then for the analysis of
// bufferization to see.
//
//===----------------------------------------------------------------------===//

#include "attn/Codegen/Memory/EntrySignature.h"
#include "attn/Codegen/Memory/Passes.h"
#include "mlir/Dialect/Bufferization/IR/BufferizableOpInterface.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace attn {
#define GEN_PASS_DEF_WRITERESULTS
#include "attn/Codegen/Memory/Passes.h.inc"
} // namespace attn

using namespace mlir;
using namespace attn;

namespace {

/// True where `value` is the result of a loop that began with `before` and alone uses it, and so has its buffer.
bool isWrittenByLoop(Value value, Value before) {
  if (value == before)
    return true;
  while (auto loop = value.getDefiningOp<scf::ForOp>())
    value = loop.getTiedLoopInit(llvm::cast<OpResult>(value))->get();
  return value == before && before.hasOneUse();
}

/// What an iteration carries to the next is written where this iteration found it: a loop has no buffers of its own.
void writeCarriedValues(scf::ForOp loop) {
  auto yield = llvm::cast<scf::YieldOp>(loop.getBody()->getTerminator());
  OpBuilder builder(yield);
  for (OpOperand &carried : yield->getOpOperands()) {
    Value before = loop.getRegionIterArg(carried.getOperandNumber());
    if (isWrittenByLoop(carried.get(), before) || !llvm::isa<RankedTensorType>(before.getType()))
      continue;
    carried.set(bufferization::MaterializeInDestinationOp::create(builder, yield.getLoc(), before.getType(),
                                                                  carried.get(), before)
                    .getResult());
  }
}

/// What the branches of an scf.if yield as `source` is written in `destination` by each of them.
void writeInBranches(Value source, Value destination) {
  auto branch = source.getDefiningOp<scf::IfOp>();
  if (!branch || branch->getBlock() != destination.getParentBlock())
    return;
  for (Block *block : {branch.thenBlock(), branch.elseBlock()}) {
    OpOperand &yielded = block->getTerminator()->getOpOperand(llvm::cast<OpResult>(source).getResultNumber());
    OpBuilder builder(block->getTerminator());
    yielded.set(bufferization::MaterializeInDestinationOp::create(builder, source.getLoc(), source.getType(),
                                                                  yielded.get(), destination)
                    .getResult());
  }
}

/// `value` in `output`. What only another shape was given of is computed in the output seen in the shape before.
Value materialize(OpBuilder &builder, Value value, BlockArgument output) {
  Location loc = value.getLoc();
  auto inPlace = [&](Value source, Value destination) {
    writeInBranches(source, destination);
    return bufferization::MaterializeInDestinationOp::create(builder, loc, source.getType(), source, destination)
        .getResult();
  };
  auto expand = value.getDefiningOp<tensor::ExpandShapeOp>();
  if (!expand)
    return inPlace(value, output);
  // At the begin, before whatever is computed in it.
  OpBuilder begin = OpBuilder::atBlockBegin(output.getOwner());
  Value collapsed = tensor::CollapseShapeOp::create(begin, loc, expand.getSrcType(), output, expand.getReassociation());
  Value result = inPlace(expand.getSrc(), collapsed);
  return tensor::ExpandShapeOp::create(builder, loc, expand.getResultType(), result, expand.getReassociationIndices(),
                                       expand.getMixedOutputShape());
}

struct WriteResults final : attn::impl::WriteResultsBase<WriteResults> {
  using Base::Base;

  void runOnOperation() override {
    func::FuncOp entry = getOperation();
    if (!entry.isPublic() || entry.isExternal())
      return;
    for (unsigned arg = 0, e = entry.getNumArguments(); arg < e; ++arg)
      setWritable(entry, arg, false);
    if (!entry.getBody().hasOneBlock()) {
      entry.emitError("an entry needs a body of one block");
      return signalPassFailure();
    }

    entry.walk(writeCarriedValues);
    auto ret = llvm::cast<func::ReturnOp>(entry.getBody().front().getTerminator());
    OpBuilder builder(ret);
    for (OpOperand &result : ret->getOpOperands()) {
      unsigned number = result.getOperandNumber();
      if (!llvm::isa<RankedTensorType>(result.get().getType())) {
        entry.emitError() << "result " << number << " of an entry is a tensor, got " << result.get().getType();
        return signalPassFailure();
      }
      Location loc = result.get().getLoc();
      unsigned position = entry.getNumArguments();
      NamedAttrList attributes(entry.getResultAttrDict(number));
      attributes.set(kOutputAttr, builder.getUnitAttr());
      if (failed(entry.insertArgument(position, result.get().getType(), attributes.getDictionary(&getContext()), loc)))
        return signalPassFailure();
      setWritable(entry, position, true);
      result.set(materialize(builder, result.get(), entry.getArgument(position)));
    }
    entry.removeResAttrsAttr();
  }

private:
  void setWritable(func::FuncOp entry, unsigned arg, bool writable) {
    if (llvm::isa<RankedTensorType>(entry.getArgumentTypes()[arg]))
      entry.setArgAttr(arg, bufferization::BufferizationDialect::kWritableAttrName,
                       BoolAttr::get(&getContext(), writable));
  }
};

} // namespace
