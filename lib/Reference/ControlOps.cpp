//===- ControlOps.cpp - Loops, conditions, calls and affine index arithmetic -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tasks of an scf.forall run one after another, each on the outputs as they were before the loop: that is what parallel
// tasks may rely on.
//
//===----------------------------------------------------------------------===//

#include "Machine.h"
#include "Slices.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace attn;
using namespace attn::reference;

static void setResults(Machine &machine, Operation *op, ArrayRef<Item> items) {
  for (auto [result, item] : llvm::zip_equal(op->getResults(), items))
    machine.set(result, item);
}

static llvm::Error runFor(Machine &machine, scf::ForOp op) {
  int64_t begin = machine.get(op.getLowerBound()).integer, end = machine.get(op.getUpperBound()).integer;
  int64_t step = machine.get(op.getStep()).integer;
  if (step <= 0)
    return fail(op, "the step is not positive");
  auto carried = llvm::map_to_vector(op.getInitArgs(), [&](Value init) { return machine.get(init); });
  for (int64_t i = begin; i < end; i += step) {
    SmallVector<Item> arguments = {Item::ofInteger(i)};
    llvm::append_range(arguments, carried);
    llvm::Expected<SmallVector<Item>> results = machine.run(*op.getBody(), arguments);
    if (!results)
      return results.takeError();
    carried = std::move(*results);
  }
  setResults(machine, op, carried);
  return llvm::Error::success();
}

static llvm::Error runIf(Machine &machine, scf::IfOp op) {
  Region &region = machine.get(op.getCondition()).integer ? op.getThenRegion() : op.getElseRegion();
  if (region.empty())
    return llvm::Error::success();
  llvm::Expected<SmallVector<Item>> results = machine.run(region.front(), {});
  if (!results)
    return results.takeError();
  setResults(machine, op, *results);
  return llvm::Error::success();
}

static llvm::Error runForall(Machine &machine, scf::ForallOp op) {
  SmallVector<int64_t> begins = machine.indices(op.getMixedLowerBound());
  SmallVector<int64_t> ends = machine.indices(op.getMixedUpperBound());
  SmallVector<int64_t> steps = machine.indices(op.getMixedStep());
  SmallVector<int64_t> trips;
  for (auto [begin, end, step] : llvm::zip_equal(begins, ends, steps)) {
    if (step <= 0)
      return fail(op, "a step is not positive");
    trips.push_back(end > begin ? llvm::divideCeilSigned(end - begin, step) : 0);
  }
  SmallVector<Item> before = llvm::map_to_vector(op.getOutputs(), [&](Value value) { return machine.get(value); });
  SmallVector<Tensor> after = llvm::map_to_vector(before, [](const Item &item) { return *item.tensor; });
  llvm::Error error = llvm::Error::success();
  forEachIndex(trips, [&](ArrayRef<int64_t> trip) {
    SmallVector<Item> arguments;
    for (auto [i, begin, step] : llvm::zip_equal(trip, begins, steps))
      arguments.push_back(Item::ofInteger(begin + i * step));
    llvm::append_range(arguments, before);
    llvm::Expected<SmallVector<Item>> ran = machine.run(*op.getBody(), arguments);
    if (!ran) {
      error = llvm::joinErrors(std::move(error), ran.takeError());
      return false;
    }
    for (Operation &yielding : op.getTerminator().getYieldingOps()) {
      auto parallel = dyn_cast<tensor::ParallelInsertSliceOp>(yielding);
      auto target = parallel ? dyn_cast<BlockArgument>(parallel.getDest()) : BlockArgument();
      if (!target || target.getOwner() != op.getBody()) {
        error = llvm::joinErrors(std::move(error), fail(&yielding, "the reference does not know this end of a task"));
        return false;
      }
      Tensor &output = after[target.getArgNumber() - trip.size()];
      error = llvm::joinErrors(
          std::move(error), insert(parallel, output, machine.tensor(parallel.getSource()), sliceOf(machine, parallel)));
      if (error)
        return false;
    }
    return true;
  });
  if (error)
    return error;
  for (auto [result, output] : llvm::zip_equal(op->getResults(), after))
    machine.set(result, std::move(output));
  return llvm::Error::success();
}

static llvm::Error runCall(Machine &machine, func::CallOp op) {
  auto callee = SymbolTable::lookupNearestSymbolFrom<func::FuncOp>(op, op.getCalleeAttr());
  if (!callee || !callee.getBody().hasOneBlock())
    return fail(op, "the callee has no body of one block");
  auto arguments = llvm::map_to_vector(op.getOperands(), [&](Value value) { return machine.get(value); });
  llvm::Expected<SmallVector<Item>> results = machine.run(callee.getBody().front(), arguments);
  if (!results)
    return results.takeError();
  setResults(machine, op, *results);
  return llvm::Error::success();
}

/// Ops whose result is an index: affine.apply, affine.min, affine.max, and the worker.
static std::optional<int64_t> runIndex(Machine &machine, Operation *op) {
  auto values = [&](AffineMap map) {
    auto operands = llvm::map_to_vector(op->getOperands(), [&](Value value) { return machine.get(value).integer; });
    return evaluateAffine(map, ArrayRef(operands).take_front(map.getNumDims()),
                          ArrayRef(operands).drop_front(map.getNumDims()));
  };
  return llvm::TypeSwitch<Operation *, std::optional<int64_t>>(op)
      .Case([&](affine::AffineApplyOp apply) { return values(apply.getAffineMap()).front(); })
      .Case([&](affine::AffineMinOp op) { return *llvm::min_element(values(op.getMap())); })
      .Case([&](affine::AffineMaxOp op) { return *llvm::max_element(values(op.getMap())); })
      // Tasks run one after another, on one worker.
      .Case([](NumWorkersOp) { return 1; })
      .Case([](WorkerOp) { return 0; })
      .Default([](Operation *) { return std::nullopt; });
}

llvm::Expected<bool> reference::runControlOp(Machine &machine, Operation *op) {
  if (std::optional<int64_t> index = runIndex(machine, op)) {
    machine.set(op->getResult(0), Item::ofInteger(*index));
    return true;
  }
  if (auto check = dyn_cast<CheckOp>(op)) {
    if (machine.get(check.getCondition()).integer == 0)
      return fail(op, stringifyViolation(check.getViolation()) + " is violated");
    return true;
  }
  if (!isa<scf::ForOp, scf::IfOp, scf::ForallOp, func::CallOp>(op))
    return false;
  llvm::Error error = llvm::TypeSwitch<Operation *, llvm::Error>(op)
                          .Case([&](scf::ForOp op) { return runFor(machine, op); })
                          .Case([&](scf::IfOp op) { return runIf(machine, op); })
                          .Case([&](scf::ForallOp op) { return runForall(machine, op); })
                          .Case([&](func::CallOp op) { return runCall(machine, op); });
  if (error)
    return std::move(error);
  return true;
}
