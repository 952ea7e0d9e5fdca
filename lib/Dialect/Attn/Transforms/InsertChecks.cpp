//===- InsertChecks.cpp - Check what types and symbols don't say ---*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Every other stage believes that sizes which an operation needs to be equal are equal, and that slices and indices lie
// inside of their tensors. Here is where that becomes true: what cannot be shown is checked when the library runs. A
// check's condition is believed from there on, so that the same one is not checked again.
//
//===----------------------------------------------------------------------===//

#include "CheckBuilder.h"
#include "attn/Dialect/Attn/Transforms/Passes.h"
#include "attn/Dialect/Attn/Transforms/Transforms.h"

namespace attn {
#define GEN_PASS_DEF_INSERTCHECKSPASS
#include "attn/Dialect/Attn/Transforms/Passes.h.inc"
} // namespace attn

using namespace mlir;
using namespace attn;

/// The library checks that dimensions of one symbol are equal before it runs an entry.
static void joinSymbols(func::FuncOp function, Extents &extents) {
  if (!function.isPublic())
    return;
  llvm::DenseMap<StringAttr, Extents::Size> first;
  for (BlockArgument argument : function.getArguments())
    if (auto shape = function.getArgAttrOfType<ArrayAttr>(argument.getArgNumber(), kShapeAttr))
      for (auto [dim, size] : llvm::enumerate(shape))
        if (auto symbol = dyn_cast<StringAttr>(size)) {
          Extents::Size here{argument, int64_t(dim)};
          auto [place, inserted] = first.try_emplace(symbol, here);
          if (!inserted)
            extents.join(here, place->second);
        }
}

static LogicalResult checkEqual(const Extents::Requirement &requirement, func::FuncOp function, CheckBuilder &builder) {
  Extents &extents = builder.getExtents();
  if (extents.areEqual(requirement.a, requirement.b))
    return success();
  builder.startAt(requirement.op);
  Value equal = builder.compare(arith::CmpIPredicate::eq, builder.value(requirement.a), builder.value(requirement.b));
  if (failed(builder.check(equal, Violation::Shape, "two sizes to be equal")))
    return failure();
  // What a branch or loop checks does not hold outside of it.
  if (requirement.op->getBlock() == &function.getBody().front())
    extents.join(requirement.a, requirement.b);
  return success();
}

FailureOr<int64_t> attn::insertChecks(func::FuncOp function) {
  if (function.isDeclaration() || !function.getBody().hasOneBlock())
    return 0;
  SmallVector<Operation *> ops;
  function.getBody().walk<WalkOrder::PreOrder>([&](Operation *op) { ops.push_back(op); });
  Extents extents(function);
  joinSymbols(function, extents);
  CheckBuilder builder(function, extents);
  ArrayRef<Extents::Requirement> requirements = extents.getRequirements();
  for (Operation *op : ops) {
    for (; !requirements.empty() && requirements.front().op == op; requirements = requirements.drop_front())
      if (failed(checkEqual(requirements.front(), function, builder)))
        return failure();
    if (failed(checkBounds(op, builder)))
      return failure();
  }
  return builder.getNumChecks();
}

namespace {

struct InsertChecksPass final : attn::impl::InsertChecksPassBase<InsertChecksPass> {
  using Base::Base;

  void runOnOperation() override {
    FailureOr<int64_t> checks = insertChecks(getOperation());
    if (failed(checks))
      return signalPassFailure();
    numChecks += *checks;
  }
};

} // namespace
