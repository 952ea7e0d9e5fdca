//===- AssignTargets.cpp - Give each target a nested module -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Codegen/Schedule/Passes.h"
#include "attn/Dialect/Attn/IR/Attn.h"
#include "attn/TargetInfo/TargetInfo.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"

namespace attn {
#define GEN_PASS_DEF_ASSIGNTARGETS
#include "attn/Codegen/Schedule/Passes.h.inc"
} // namespace attn

using namespace mlir;
using namespace attn;

namespace {

/// `x86-64-v4` as a symbol: `x86_64_v4`.
std::string symbolOf(StringRef target) {
  std::string symbol = target.str();
  std::replace_if(symbol.begin(), symbol.end(), [](char c) { return !llvm::isAlnum(c); }, '_');
  return symbol;
}

struct AssignTargets final : attn::impl::AssignTargetsBase<AssignTargets> {
  using Base::Base;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    SmallVector<const Target *> chosen;
    for (const std::string &name : targets) {
      const Target *target = lookupTarget(name);
      if (!target) {
        module.emitError() << "unknown target '" << name << "'; the known ones are " << targetNames();
        return signalPassFailure();
      }
      if (!llvm::is_contained(chosen, target))
        chosen.push_back(target);
    }
    if (chosen.empty()) {
      llvm::Expected<const Target *> host = hostTarget();
      if (!host) {
        module.emitError() << llvm::toString(host.takeError());
        return signalPassFailure();
      }
      chosen.push_back(*host);
    }

    SmallVector<func::FuncOp> functions(module.getOps<func::FuncOp>());
    OpBuilder builder = OpBuilder::atBlockEnd(module.getBody());
    for (const Target *target : chosen) {
      auto nested = ModuleOp::create(builder, module.getLoc(), symbolOf(target->name));
      nested->setAttr(kTargetAttr, TargetAttr::get(&getContext(), target->name));
      OpBuilder inner = OpBuilder::atBlockEnd(nested.getBody());
      for (func::FuncOp function : functions)
        inner.clone(*function);
    }
    for (func::FuncOp function : functions)
      function.erase();
  }
};

} // namespace
