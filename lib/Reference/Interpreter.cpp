//===- Interpreter.cpp - Runs functions op by op ----------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Values are kept in one map for the whole run: SSA makes a value's last definition the one that is meant, also in
// loops.
//
//===----------------------------------------------------------------------===//

#include "attn/Reference/Interpreter.h"
#include "Machine.h"
#include "attn/Support/Errors.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/Matchers.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace attn;
using namespace attn::reference;

llvm::Error reference::fail(Operation *op, const llvm::Twine &message) {
  std::string text;
  llvm::raw_string_ostream os(text);
  op->getLoc().print(os);
  os << ": " << op->getName() << ": " << message;
  return makeError(text);
}

bool reference::isFloat(Type type) { return isa<FloatType>(getElementTypeOrSelf(type)); }

int64_t Machine::index(OpFoldResult value) {
  if (std::optional<int64_t> constant = getConstantIntValue(value))
    return *constant;
  return get(cast<Value>(value)).integer;
}

SmallVector<int64_t> Machine::indices(ArrayRef<OpFoldResult> values) {
  return llvm::map_to_vector(values, [&](OpFoldResult value) { return index(value); });
}

int64_t reference::evaluateAffine(AffineExpr expr, ArrayRef<int64_t> dims, ArrayRef<int64_t> symbols) {
  if (auto constant = dyn_cast<AffineConstantExpr>(expr))
    return constant.getValue();
  if (auto dim = dyn_cast<AffineDimExpr>(expr))
    return dims[dim.getPosition()];
  if (auto symbol = dyn_cast<AffineSymbolExpr>(expr))
    return symbols[symbol.getPosition()];
  auto binary = cast<AffineBinaryOpExpr>(expr);
  int64_t left = evaluateAffine(binary.getLHS(), dims, symbols), right = evaluateAffine(binary.getRHS(), dims, symbols);
  switch (expr.getKind()) {
  case AffineExprKind::Add:
    return left + right;
  case AffineExprKind::Mul:
    return left * right;
  case AffineExprKind::Mod:
    return llvm::mod(left, right);
  case AffineExprKind::FloorDiv:
    return llvm::divideFloorSigned(left, right);
  default:
    return llvm::divideCeilSigned(left, right);
  }
}

SmallVector<int64_t> reference::evaluateAffine(AffineMap map, ArrayRef<int64_t> dims, ArrayRef<int64_t> symbols) {
  return llvm::map_to_vector(map.getResults(), [&](AffineExpr expr) { return evaluateAffine(expr, dims, symbols); });
}

llvm::Error Machine::run(Operation *op) {
  using Family = llvm::Expected<bool> (*)(Machine &, Operation *);
  static constexpr Family families[] = {runScalarOp,    runTensorOp, runLinalgOp, runRowOp,
                                        runAttentionOp, runBlockOp,  runControlOp};
  for (Family family : families) {
    llvm::Expected<bool> done = family(*this, op);
    if (!done)
      return done.takeError();
    if (*done)
      return llvm::Error::success();
  }
  return fail(op, "the reference does not know this op");
}

llvm::Expected<SmallVector<Item>> Machine::run(Block &block, ArrayRef<Item> arguments) {
  for (auto [argument, item] : llvm::zip_equal(block.getArguments(), arguments))
    set(argument, item);
  for (Operation &op : block.without_terminator())
    if (llvm::Error error = run(&op))
      return std::move(error);
  return llvm::map_to_vector(block.getTerminator()->getOperands(), [&](Value value) { return get(value); });
}

llvm::Expected<Item> Machine::evaluate(Block &block, ArrayRef<Item> arguments) {
  llvm::Expected<SmallVector<Item>> results = run(block, arguments);
  if (!results)
    return results.takeError();
  return results->front();
}

/// An input as the argument of type `type` receives it; an error where it doesn't fit.
static llvm::Expected<Item> inputOf(func::FuncOp function, unsigned number, Type type, const Tensor &input) {
  auto shaped = dyn_cast<RankedTensorType>(type);
  auto wrong = [&](const llvm::Twine &what) { return fail(function, "input " + llvm::Twine(number) + " " + what); };
  if (input.isFloat != isFloat(type))
    return wrong(input.isFloat ? "holds floating-point numbers, but the argument doesn't"
                               : "holds integers, but the argument doesn't");
  if (input.rank() != (shaped ? shaped.getRank() : 0))
    return wrong("has " + llvm::Twine(input.rank()) + " dimensions, which is not the argument's rank");
  if (!shaped)
    return Item::elementOf(input, 0);
  for (auto [i, extent, have] : llvm::enumerate(shaped.getShape(), input.shape))
    if (!ShapedType::isDynamic(extent) && extent != have)
      return wrong("has extent " + llvm::Twine(have) + " in dimension " + llvm::Twine(i) + ", expected " +
                   llvm::Twine(extent));
  return Item::of(input);
}

llvm::Expected<std::vector<Tensor>> reference::interpret(func::FuncOp function, ArrayRef<Tensor> inputs,
                                                         WeightReader reader) {
  if (!function.getBody().hasOneBlock())
    return fail(function, "a function with one block is expected");
  if (inputs.size() != function.getNumArguments())
    return fail(function, "there are " + llvm::Twine(inputs.size()) + " inputs for " +
                              llvm::Twine(function.getNumArguments()) + " arguments");
  SmallVector<Item> arguments;
  for (auto [i, type, input] : llvm::enumerate(function.getArgumentTypes(), inputs)) {
    llvm::Expected<Item> item = inputOf(function, i, type, input);
    if (!item)
      return item.takeError();
    arguments.push_back(std::move(*item));
  }
  Machine machine(reader);
  llvm::Expected<SmallVector<Item>> results = machine.run(function.getBody().front(), arguments);
  if (!results)
    return results.takeError();
  std::vector<Tensor> outputs;
  for (auto [item, type] : llvm::zip_equal(*results, function.getResultTypes())) {
    if (item.tensor) {
      outputs.push_back(*item.tensor);
    } else {
      outputs.emplace_back(ArrayRef<int64_t>(), isFloat(type));
      store(outputs.back(), 0, item);
    }
  }
  return outputs;
}
