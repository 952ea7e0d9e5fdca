//===- PruneWeights.cpp - Weights that nothing reads ---*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Every weight that stays is written to the library. After merging, parts have lived on in their concatenation only;
// and importers may leave weights of heads that the entries don't use.
//
//===----------------------------------------------------------------------===//

#include "attn/Dialect/Attn/Transforms/Passes.h"
#include "attn/Dialect/Attn/Transforms/Transforms.h"

namespace attn {
#define GEN_PASS_DEF_PRUNEWEIGHTSPASS
#include "attn/Dialect/Attn/Transforms/Passes.h.inc"
} // namespace attn

using namespace mlir;
using namespace attn;

int64_t attn::pruneWeights(ModuleOp module) {
  llvm::DenseSet<Operation *> used;
  module.walk([&](GetWeightOp get) {
    if (get.getResult().use_empty())
      return;
    if (WeightOp weight = WeightOp::lookup(get, get.getNameAttr()))
      used.insert(weight);
  });
  SmallVector<Operation *> dead;
  module.walk([&](Operation *op) {
    if (auto get = dyn_cast<GetWeightOp>(op); get && get.getResult().use_empty())
      dead.push_back(op);
    else if (isa<WeightOp>(op) && !used.contains(op))
      dead.push_back(op);
  });
  int64_t pruned = llvm::count_if(dead, llvm::IsaPred<WeightOp>);
  for (Operation *op : dead)
    op->erase();
  return pruned;
}

namespace {

struct PruneWeightsPass final : attn::impl::PruneWeightsPassBase<PruneWeightsPass> {
  using Base::Base;

  void runOnOperation() override { numPruned += pruneWeights(getOperation()); }
};

} // namespace
