//===- OutlineTasks.cpp - Make a function of the body of each parallel loop -*- C++ -*-===//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Conversion/AttnToLLVM/Passes.h"
#include "attn/Dialect/Attn/IR/Attn.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Transforms/RegionUtils.h"

namespace attn {
#define GEN_PASS_DEF_OUTLINETASKS
#include "attn/Conversion/AttnToLLVM/Passes.h.inc"
} // namespace attn

using namespace mlir;
using namespace attn;

namespace {

/// Values that a task makes itself rather than getting them from outside.
bool isCheap(Value value) {
  Operation *op = value.getDefiningOp();
  return op && (matchPattern(op, m_Constant()) || llvm::isa<GetWeightOp>(op));
}

LogicalResult outline(scf::ForallOp loop, func::FuncOp entry, unsigned number) {
  if (loop.getNumResults() != 0)
    return loop.emitError("a parallel loop still has tensor results");
  if (!loop.isNormalized())
    return loop.emitError("a parallel loop needs lower bounds 0 and steps 1");
  Location loc = loop.getLoc();
  OpBuilder b(loop);
  SmallVector<Value> extents = loop.getUpperBound(b);
  Value count = arith::ConstantIndexOp::create(b, loc, 1);
  for (Value extent : extents)
    count = extents.size() == 1 ? extent : arith::MulIOp::create(b, loc, count, extent).getResult();

  llvm::SetVector<Value> above;
  getUsedValuesDefinedAbove(loop.getRegion(), above);
  if (extents.size() > 1)
    above.insert(extents.begin(), extents.end());
  SmallVector<Value> captures, cheap;
  for (Value value : above)
    (isCheap(value) ? cheap : captures).push_back(value);

  std::string name = (entry.getName() + ".task." + Twine(number)).str();
  SmallVector<Type> inputs(3, b.getIndexType());
  for (Value capture : captures)
    inputs.push_back(capture.getType());
  OpBuilder outside(entry);
  auto task = func::FuncOp::create(outside, loc, name, b.getFunctionType(inputs, {}));
  task.setPrivate();
  ParallelForOp::create(b, loc, name, count, captures);

  Block *block = task.addEntryBlock();
  b.setInsertionPointToStart(block);
  IRMapping mapping;
  for (Value value : cheap)
    b.clone(*value.getDefiningOp(), mapping);
  for (auto [capture, arg] : llvm::zip(captures, block->getArguments().drop_front(3)))
    mapping.map(capture, arg);
  Value one = arith::ConstantIndexOp::create(b, loc, 1);
  auto each = scf::ForOp::create(b, loc, block->getArgument(0), block->getArgument(1), one);
  func::ReturnOp::create(b, loc);
  b.setInsertionPointToStart(each.getBody());
  Value left = each.getInductionVar();
  for (int64_t i = extents.size() - 1; i >= 0; --i) {
    Value extent = mapping.lookupOrDefault(extents[i]);
    mapping.map(loop.getInductionVar(i), i == 0 ? left : arith::RemUIOp::create(b, loc, left, extent).getResult());
    if (i != 0)
      left = arith::DivUIOp::create(b, loc, left, extent);
  }
  for (Operation &op : loop.getBody()->without_terminator())
    b.clone(op, mapping);
  task.walk([&](WorkerOp worker) {
    worker.getResult().replaceAllUsesWith(block->getArgument(2));
    worker.erase();
  });
  loop.erase();
  return success();
}

struct OutlineTasks final : attn::impl::OutlineTasksBase<OutlineTasks> {
  using Base::Base;

  void runOnOperation() override {
    SmallVector<func::FuncOp> entries(getOperation().getOps<func::FuncOp>());
    for (func::FuncOp entry : entries) {
      if (!entry.isPublic() || entry.isExternal())
        continue;
      SmallVector<scf::ForallOp> loops;
      entry.walk<WalkOrder::PreOrder>([&](scf::ForallOp loop) {
        loops.push_back(loop);
        return WalkResult::skip();
      });
      for (auto [number, loop] : llvm::enumerate(loops)) {
        if (failed(outline(loop, entry, number)))
          return signalPassFailure();
        ++numTasks;
      }
    }
  }
};

} // namespace
