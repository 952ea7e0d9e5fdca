//===- DropResults.cpp - Results stand in the caller's buffers -*- C++ -*-===//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Codegen/Memory/EntrySignature.h"
#include "attn/Codegen/Memory/Passes.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

namespace attn {
#define GEN_PASS_DEF_DROPRESULTS
#include "attn/Codegen/Memory/Passes.h.inc"
} // namespace attn

using namespace mlir;
using namespace attn;

namespace {

/// The buffer whose whole contents `buffer` are, in order: both are dense.
Value storageOf(Value buffer) {
  while (Operation *op = buffer.getDefiningOp()) {
    if (!llvm::isa<memref::CastOp, memref::CollapseShapeOp, memref::ExpandShapeOp>(op))
      break;
    buffer = op->getOperand(0);
  }
  return buffer;
}

struct DropResults final : attn::impl::DropResultsBase<DropResults> {
  using Base::Base;

  void runOnOperation() override {
    func::FuncOp entry = getOperation();
    if (!entry.isPublic() || entry.isExternal())
      return;
    SmallVector<Value> outputs;
    for (BlockArgument argument : entry.getArguments())
      if (entry.getArgAttr(argument.getArgNumber(), kOutputAttr))
        outputs.push_back(argument);
    auto ret = llvm::cast<func::ReturnOp>(entry.getBody().front().getTerminator());
    if (ret.getNumOperands() != outputs.size()) {
      entry.emitError() << "has " << ret.getNumOperands() << " results for " << outputs.size() << " outputs";
      return signalPassFailure();
    }
    OpBuilder builder(ret);
    for (auto [result, output] : llvm::zip(ret.getOperands(), outputs)) {
      if (storageOf(result) != output)
        memref::CopyOp::create(builder, ret.getLoc(), result, output);
    }
    ret.getOperandsMutable().clear();
    if (failed(entry.eraseResults(llvm::BitVector(entry.getNumResults(), true))))
      signalPassFailure();
  }
};

} // namespace
