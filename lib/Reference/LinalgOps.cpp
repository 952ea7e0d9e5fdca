//===- LinalgOps.cpp - Structured ops ---------------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Every linalg structured op, named or generic, is its indexing maps and its block: one loop nest serves all.
//
//===----------------------------------------------------------------------===//

#include "Machine.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

using namespace mlir;
using namespace attn;
using namespace attn::reference;

/// The extents of the loops, from the operands whose maps have a loop as a result.
static llvm::Expected<SmallVector<int64_t>> loopExtents(Machine &machine, linalg::LinalgOp op) {
  SmallVector<int64_t> extents(op.getNumLoops(), ShapedType::kDynamic);
  for (OpOperand &operand : op->getOpOperands()) {
    const Tensor *tensor = machine.get(operand.get()).tensor.get();
    AffineMap map = op.getMatchingIndexingMap(&operand);
    for (auto [i, result] : llvm::enumerate(map.getResults()))
      if (auto dim = dyn_cast<AffineDimExpr>(result); dim && tensor) {
        int64_t &extent = extents[dim.getPosition()];
        if (!ShapedType::isDynamic(extent) && extent != tensor->shape[i])
          return fail(op, "operands disagree about loop " + llvm::Twine(dim.getPosition()) + ": " +
                              llvm::Twine(extent) + " and " + llvm::Twine(tensor->shape[i]));
        extent = tensor->shape[i];
      }
  }
  if (llvm::is_contained(extents, ShapedType::kDynamic))
    return fail(op, "no operand says the extent of a loop");
  return extents;
}

static llvm::Error runStructured(Machine &machine, linalg::LinalgOp op) {
  llvm::Expected<SmallVector<int64_t>> extents = loopExtents(machine, op);
  if (!extents)
    return extents.takeError();
  SmallVector<Tensor> outputs;
  for (Value init : op.getDpsInits())
    outputs.push_back(machine.tensor(init));
  unsigned numInputs = op->getNumOperands() - outputs.size();
  SmallVector<AffineMap> maps = op.getIndexingMapsArray();
  llvm::Error error = llvm::Error::success();
  machine.loops.emplace_back();
  forEachIndex(*extents, [&](ArrayRef<int64_t> index) {
    machine.loops.back().assign(index.begin(), index.end());
    SmallVector<Item> arguments;
    SmallVector<int64_t> offsets;
    for (OpOperand &operand : op->getOpOperands()) {
      unsigned number = operand.getOperandNumber();
      const Item &item = machine.get(operand.get());
      const Tensor *tensor = number < numInputs ? item.tensor.get() : &outputs[number - numInputs];
      if (!tensor) {
        arguments.push_back(item);
        continue;
      }
      SmallVector<int64_t> at = evaluateAffine(maps[number], index);
      if (!tensor->contains(at)) {
        error = llvm::joinErrors(std::move(error), fail(op, "a map leaves operand " + llvm::Twine(number)));
        return false;
      }
      offsets.push_back(tensor->offset(at));
      arguments.push_back(Item::elementOf(*tensor, offsets.back()));
    }
    llvm::Expected<SmallVector<Item>> results = machine.run(*op.getBlock(), arguments);
    if (!results) {
      error = llvm::joinErrors(std::move(error), results.takeError());
      return false;
    }
    for (auto [output, offset, result] :
         llvm::zip_equal(outputs, ArrayRef(offsets).take_back(outputs.size()), *results))
      store(output, offset, result);
    return true;
  });
  machine.loops.pop_back();
  if (error)
    return error;
  for (auto [result, output] : llvm::zip_equal(op->getResults(), outputs))
    machine.set(result, std::move(output));
  return llvm::Error::success();
}

llvm::Expected<bool> reference::runLinalgOp(Machine &machine, Operation *op) {
  if (auto index = dyn_cast<linalg::IndexOp>(op)) {
    machine.set(index, Item::ofInteger(machine.loops.back()[index.getDim()]));
    return true;
  }
  auto structured = dyn_cast<linalg::LinalgOp>(op);
  if (!structured)
    return false;
  if (!structured.hasPureTensorSemantics())
    return fail(op, "the reference works on tensors only");
  if (llvm::Error error = runStructured(machine, structured))
    return std::move(error);
  return true;
}
