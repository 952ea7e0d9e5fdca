//===- PackWeights.cpp - Lay the weights of linear layers out in panels -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Codegen/Schedule/GPUSupport.h"
#include "attn/Codegen/Schedule/Passes.h"
#include "attn/Dialect/Attn/IR/Attn.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/SymbolTable.h"

namespace attn {
#define GEN_PASS_DEF_PACKWEIGHTS
#include "attn/Codegen/Schedule/Passes.h.inc"
} // namespace attn

using namespace mlir;
using namespace attn;

namespace {

struct PackWeights final : attn::impl::PackWeightsBase<PackWeights> {
  using Base::Base;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    if (width <= 0) {
      module.emitError() << "the width of a panel is at least 1";
      return signalPassFailure();
    }
    SymbolTable symbols(module);
    llvm::DenseMap<WeightOp, WeightOp> packed;
    WalkResult result = module.walk([&](LinearOp linear) {
      if (linear.isPacked() || findGPU(linear))
        return WalkResult::advance();
      OpBuilder builder(linear);
      auto get = linear.getWeight().getDefiningOp<GetWeightOp>();
      WeightOp weight = get ? WeightOp::lookup(get, get.getNameAttr()) : WeightOp();
      if (weight) {
        WeightOp &panels = packed[weight];
        if (!panels)
          panels = addPanels(symbols, weight);
        auto value = GetWeightOp::create(builder, get.getLoc(), panels.getType(),
                                         FlatSymbolRefAttr::get(panels.getSymNameAttr()));
        linear.getWeightMutable().assign(value);
        return WalkResult::advance();
      }
      return packAtRunTime(builder, linear);
    });
    if (result.wasInterrupted())
      return signalPassFailure();
    eraseUnusedWeights(module);
  }

  WeightOp addPanels(SymbolTable &symbols, WeightOp weight) {
    OpBuilder builder(weight);
    builder.setInsertionPointAfter(weight);
    auto value = PanelsAttr::get(&getContext(), weight.getValue(), width);
    auto panels = WeightOp::create(builder, weight.getLoc(), (weight.getSymName() + "_panels").str(),
                                   value.getValueType(), value);
    symbols.insert(panels);
    ++numPacked;
    return panels;
  }

  WalkResult packAtRunTime(OpBuilder &builder, LinearOp linear) {
    auto type = llvm::dyn_cast<RankedTensorType>(linear.getWeight().getType());
    if (!type || !type.hasStaticShape()) {
      linear.emitError() << "a linear layer needs a weight of static shape, got " << linear.getWeight().getType();
      return WalkResult::interrupt();
    }
    int64_t panels = llvm::divideCeil(type.getDimSize(0), int64_t(width));
    Value init = tensor::EmptyOp::create(builder, linear.getLoc(), {panels, type.getDimSize(1), int64_t(width)},
                                         type.getElementType());
    auto pack = PackOp::create(builder, linear.getLoc(), init.getType(), linear.getWeight(), init, RowKernelAttr());
    linear.getWeightMutable().assign(pack.getResult(0));
    ++numPackedAtRunTime;
    return WalkResult::advance();
  }

  void eraseUnusedWeights(ModuleOp module) {
    module.walk([](GetWeightOp get) {
      if (get->use_empty())
        get->erase();
    });
    llvm::DenseSet<StringAttr> used;
    module.walk([&](GetWeightOp get) { used.insert(get.getNameAttr().getAttr()); });
    for (WeightOp weight : llvm::make_early_inc_range(module.getOps<WeightOp>()))
      if (!used.contains(weight.getSymNameAttr()))
        weight.erase();
  }
};

} // namespace
