//===- KeepState.cpp - Don't copy what is there already ---------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Codegen/Memory/EntrySignature.h"
#include "attn/Codegen/Memory/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

namespace attn {
#define GEN_PASS_DEF_KEEPSTATE
#include "attn/Codegen/Memory/Passes.h.inc"
} // namespace attn

using namespace mlir;
using namespace attn;

namespace {

/// The argument at whose first element `buffer` begins, with its strides.
BlockArgument beginOf(Value buffer) {
  while (Operation *op = buffer.getDefiningOp()) {
    auto view = llvm::dyn_cast<memref::SubViewOp>(op);
    if (view && (!llvm::all_of(view.getMixedOffsets(), isZeroInteger) || !view.hasUnitStride()))
      return {};
    if (!view && !llvm::isa<memref::CastOp>(op))
      return {};
    buffer = op->getOperand(0);
  }
  return llvm::cast<BlockArgument>(buffer);
}

struct KeepState final : attn::impl::KeepStateBase<KeepState> {
  using Base::Base;

  void runOnOperation() override {
    func::FuncOp entry = getOperation();
    entry.walk([&](memref::CopyOp copy) {
      BlockArgument from = beginOf(copy.getSource()), to = beginOf(copy.getTarget());
      if (!from || !to || from.getOwner() != &entry.getBody().front() || to.getOwner() != from.getOwner())
        return;
      auto state = entry.getArgAttrOfType<IntegerAttr>(to.getArgNumber(), kStateAttr);
      if (!state || state.getInt() != from.getArgNumber())
        return;
      OpBuilder builder(copy);
      Location loc = copy.getLoc();
      auto address = [&](Value buffer) -> Value {
        return memref::ExtractAlignedPointerAsIndexOp::create(builder, loc, buffer);
      };
      Value isElsewhere = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ne, address(from), address(to));
      auto branch = scf::IfOp::create(builder, loc, isElsewhere, /*withElseRegion=*/false);
      copy->moveBefore(branch.thenBlock()->getTerminator());
      ++numKept;
    });
  }
};

} // namespace
