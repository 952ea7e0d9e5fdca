//===- LowerChecks.cpp - Return early where a check fails -*- C++ -*-===//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Conversion/AttnToLLVM/Passes.h"
#include "attn/Dialect/Attn/IR/ErrorCodes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/BuiltinOps.h"

namespace attn {
#define GEN_PASS_DEF_LOWERCHECKS
#include "attn/Conversion/AttnToLLVM/Passes.h.inc"
} // namespace attn

using namespace mlir;
using namespace attn;

namespace {

/// The runtime's function that keeps the first error of a run, declared once a module.
func::FuncOp flagFunction(ModuleOp module, SymbolTable &symbols) {
  constexpr StringLiteral name = "attn_rt_v1_flag";
  if (auto found = symbols.lookup<func::FuncOp>(name))
    return found;
  OpBuilder b(module.getContext());
  Type ptr = LLVM::LLVMPointerType::get(b.getContext());
  auto function = func::FuncOp::create(b, module.getLoc(), name, b.getFunctionType({ptr, b.getI32Type()}, {}));
  function.setPrivate();
  symbols.insert(function);
  return function;
}

LogicalResult lower(CheckOp op, ModuleOp module, SymbolTable &symbols) {
  auto function = llvm::dyn_cast<func::FuncOp>(op->getParentOp());
  if (!function || !op.getCall() || function.getNumResults() != 0)
    return op.emitError("can end the run only in an entry or a task");
  Location loc = op.getLoc();
  Block *block = op->getBlock(), *rest = block->splitBlock(op->getNextNode());
  OpBuilder b(op);
  Block *violated = b.createBlock(&function.getBody());
  Value code = arith::ConstantIntOp::create(b, loc, b.getI32Type(), getErrorCode(op.getViolation()));
  func::CallOp::create(b, loc, flagFunction(module, symbols), ValueRange{op.getCall(), code});
  func::ReturnOp::create(b, loc);
  b.setInsertionPoint(op);
  cf::CondBranchOp::create(b, loc, op.getCondition(), rest, violated);
  op.erase();
  return success();
}

struct LowerChecks final : attn::impl::LowerChecksBase<LowerChecks> {
  using Base::Base;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    SymbolTable symbols(module);
    SmallVector<CheckOp> checks;
    module.walk([&](CheckOp op) { checks.push_back(op); });
    for (CheckOp op : checks) {
      if (failed(lower(op, module, symbols)))
        return signalPassFailure();
      ++numChecks;
    }
  }
};

} // namespace
