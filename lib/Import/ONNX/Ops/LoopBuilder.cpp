//===- LoopBuilder.cpp - Loops over tensors that are carried ----*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "LoopBuilder.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace attn;
using namespace attn::onnx;

/// `number`, or count - 1 - number.
static Value placeOf(Node &node, Value number, const Size &count, bool isReversed) {
  return isReversed ? arith::SubIOp::create(node.builder, node.loc, node.index(count - Size(1)), number).getResult()
                    : number;
}

FailureOr<Tensor> attn::onnx::elementOf(Node &node, const Tensor &input, int64_t axis, Value number, const Size &count,
                                        bool isReversed) {
  SmallVector<OpFoldResult> offsets(input.rank(), node.builder.getIndexAttr(0));
  SmallVector<OpFoldResult> strides(input.rank(), node.builder.getIndexAttr(1));
  Shape shape(input.shape);
  shape[axis] = Size(1);
  offsets[axis] = placeOf(node, number, count, isReversed);
  Value value = tensor::ExtractSliceOp::create(node.builder, node.loc, node.tensorType(input.type, shape),
                                               node.value(input), offsets, node.mixed(shape), strides);
  Shape rest(shape);
  rest.erase(rest.begin() + axis);
  return reshape(node, node.make(value, input.type, shape), rest);
}

/// The next states, as they have to be for the next iteration.
static LogicalResult settleStates(Node &node, ArrayRef<Tensor> states, MutableArrayRef<Tensor> next) {
  for (auto [i, before, after] : llvm::enumerate(states, next)) {
    if (before.type != after.type)
      return node.error() << "state " << i << " has elements of " << nameOf(before.type)
                          << " before an iteration and of " << nameOf(after.type) << " after it";
    if (failed(expectEqual(node, after.shape, before.shape,
                           "the shapes of state " + Twine(i) + " after and before an iteration")))
      return failure();
    after.shape = before.shape;
  }
  return success();
}

FailureOr<SmallVector<Tensor>> attn::onnx::buildLoop(Node &node, const Size &count, ArrayRef<Tensor> states,
                                                     ArrayRef<Stack> stacks, Iteration iteration) {
  // The body is built first: what it stacks says which outputs the loop has.
  Region region;
  Block &body = region.emplaceBlock();
  Value number = body.addArgument(node.builder.getIndexType(), node.loc);
  SmallVector<Value> inits;
  SmallVector<Tensor> carried, results;
  for (const Tensor &state : states) {
    inits.push_back(node.value(state));
    carried.push_back(node.make(body.addArgument(inits.back().getType(), node.loc), state.type, state.shape));
  }
  SmallVector<Tensor> next;
  {
    OpBuilder::InsertionGuard guard(node.builder);
    node.builder.setInsertionPointToStart(&body);
    FailureOr<SmallVector<Tensor>> computed = iteration(number, carried);
    if (failed(computed))
      return failure();
    if (computed->size() != states.size() + stacks.size())
      return node.error() << "an iteration has " << computed->size() << " results, expected " << states.size()
                          << " states and " << stacks.size() << " outputs";
    next = std::move(*computed);
    if (failed(settleStates(node, states, MutableArrayRef<Tensor>(next).take_front(states.size()))))
      return failure();
  }
  for (const Tensor &state : states)
    results.push_back(node.make(Value(), state.type, state.shape));
  SmallVector<int64_t> axes;
  for (auto [i, stack, element] : llvm::enumerate(stacks, ArrayRef<Tensor>(next).drop_front(states.size()))) {
    FailureOr<int64_t> axis = node.axis(stack.axis, element.rank() + 1);
    if (failed(axis))
      return failure();
    if (!llvm::all_of(element.shape, [&](const Size &size) { return node.symbols.isKnownOutside(size, region); }))
      return node.unsupported() << "output " << i << " of an iteration has a shape, "
                                << node.symbols.toString(element.shape) << ", that is computed in the iteration";
    axes.push_back(*axis);
    Shape shape(element.shape);
    shape.insert(shape.begin() + *axis, count);
    inits.push_back(empty(node, shape, element.type));
    body.addArgument(inits.back().getType(), node.loc);
    results.push_back(node.make(Value(), element.type, shape));
  }
  {
    OpBuilder::InsertionGuard guard(node.builder);
    node.builder.setInsertionPointToEnd(&body);
    SmallVector<Value> yielded;
    for (size_t i = 0; i < states.size(); ++i)
      yielded.push_back(node.value(next[i]));
    for (auto [i, stack] : llvm::enumerate(stacks)) {
      const Tensor &element = next[states.size() + i], &output = results[states.size() + i];
      Shape shape(output.shape);
      shape[axes[i]] = Size(1);
      SmallVector<OpFoldResult> offsets(output.rank(), node.builder.getIndexAttr(0));
      SmallVector<OpFoldResult> strides(output.rank(), node.builder.getIndexAttr(1));
      offsets[axes[i]] = placeOf(node, number, count, stack.isReversed);
      yielded.push_back(tensor::InsertSliceOp::create(node.builder, node.loc, node.value(element),
                                                      body.getArgument(1 + states.size() + i), offsets,
                                                      node.mixed(shape), strides));
    }
    scf::YieldOp::create(node.builder, node.loc, yielded);
  }
  Value zero = node.index(Size(0)), one = node.index(Size(1));
  auto loop = scf::ForOp::create(node.builder, node.loc, zero, node.index(count), one, inits);
  loop.getRegion().takeBody(region);
  for (auto [result, value] : llvm::zip_equal(results, loop.getResults()))
    result.value = value;
  return results;
}
