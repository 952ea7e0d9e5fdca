//===- WriteResults.cpp - Entries write their results into buffers of the caller -*- C++ -*-===//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Codegen/Memory/EntrySignature.h"
#include "attn/Codegen/Memory/Passes.h"
#include "mlir/Dialect/Bufferization/IR/BufferizableOpInterface.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

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

struct WriteResults final : attn::impl::WriteResultsBase<WriteResults> {
  using Base::Base;

  void runOnOperation() override {
    func::FuncOp entry = getOperation();
    if (!entry.isPublic() || entry.isExternal())
      return;
    for (unsigned arg = 0, e = entry.getNumArguments(); arg < e; ++arg)
      if (llvm::isa<RankedTensorType>(entry.getArgumentTypes()[arg]))
        entry.setArgAttr(arg, bufferization::BufferizationDialect::kWritableAttrName,
                         BoolAttr::get(&getContext(), false));
    if (!entry.getBody().hasOneBlock()) {
      entry.emitError("an entry needs a body of one block");
      return signalPassFailure();
    }

    entry.walk(writeCarriedValues);
    auto ret = llvm::cast<func::ReturnOp>(entry.getBody().front().getTerminator());
    OpBuilder builder(ret);
    SmallVector<Value> values(ret.getOperands());
    for (auto [i, value] : llvm::enumerate(values)) {
      auto type = llvm::dyn_cast<RankedTensorType>(value.getType());
      if (!type) {
        entry.emitError() << "result " << i << " of an entry is a tensor, got " << value.getType();
        return signalPassFailure();
      }
      auto buffer = MemRefType::get(type.getShape(), type.getElementType());
      unsigned position = entry.getNumArguments();
      DictionaryAttr attrs = entry.getResultAttrDict(i);
      SmallVector<NamedAttribute> named;
      if (attrs)
        llvm::append_range(named, attrs.getValue());
      named.emplace_back(builder.getStringAttr(kOutputAttr), builder.getUnitAttr());
      if (failed(entry.insertArgument(position, buffer, builder.getDictionaryAttr(named), value.getLoc())))
        return signalPassFailure();
      bufferization::MaterializeInDestinationOp::create(builder, value.getLoc(), TypeRange(), value,
                                                        entry.getArgument(position), /*restrict=*/true,
                                                        /*writable=*/true);
    }
    ret.getOperandsMutable().clear();
    llvm::BitVector all(entry.getNumResults(), true);
    if (failed(entry.eraseResults(all)))
      return signalPassFailure();
  }
};

} // namespace
