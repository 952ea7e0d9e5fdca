//===- Loops.cpp - Scan and Loop --------------------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Loops of as many iterations as shapes say, over states that keep their shapes. Loops that end when something becomes
// true are not supported.
//
//===----------------------------------------------------------------------===//

#include "Graph.h"
#include "LoopBuilder.h"
#include "Registry.h"
#include "onnx.pb.h"

using namespace mlir;
using namespace attn;
using namespace attn::onnx;

namespace {

FailureOr<const GraphProto *> bodyOf(Node &node) {
  const AttributeProto *attribute = node.attribute("body");
  if (!attribute || !attribute->has_g())
    return node.error() << "attribute 'body' is " << (attribute ? "no graph" : "missing");
  return &attribute->g();
}

/// The attribute `name`: one number for each of `count` tensors, 0 where it isn't there.
FailureOr<SmallVector<int64_t>> readEach(Node &node, StringRef name, int64_t count) {
  FailureOr<std::optional<SmallVector<int64_t>>> given = node.integers(name);
  if (failed(given))
    return failure();
  if (!*given)
    return SmallVector<int64_t>(count, 0);
  if (int64_t((*given)->size()) != count)
    return node.error() << "attribute '" << name << "' has " << (*given)->size() << " numbers, expected " << count;
  return **given;
}

FailureOr<SmallVector<int64_t>> readDirections(Node &node, StringRef name, int64_t count) {
  FailureOr<SmallVector<int64_t>> directions = readEach(node, name, count);
  if (succeeded(directions))
    for (int64_t direction : *directions)
      if (direction != 0 && direction != 1)
        return node.error() << "attribute '" << name << "' has " << direction << " in it, expected 0 or 1";
  return directions;
}

/// Plain tensors of inputs [begin, end): what is known of their elements doesn't hold in later iterations.
FailureOr<SmallVector<Tensor>> statesOf(Node &node, size_t begin, size_t end) {
  SmallVector<Tensor> states;
  for (size_t i = begin; i < end; ++i) {
    if (!node.has(i))
      return node.error() << "input " << i << " is missing";
    states.push_back(node.make(node.value(i), node.input(i).type, node.input(i).shape));
  }
  return states;
}

LogicalResult importScan(Node &node) {
  FailureOr<const GraphProto *> body = bodyOf(node);
  FailureOr<int64_t> given = node.integer("num_scan_inputs");
  if (failed(body) || failed(given))
    return failure();
  int64_t inputs = int64_t(node.numInputs());
  if (*given < 1 || *given > inputs)
    return node.error() << "attribute 'num_scan_inputs' is " << *given << " of " << inputs << " inputs";
  int64_t numStates = inputs - *given, numOutputs = int64_t(node.numOutputs()) - numStates;
  if (numOutputs < 0)
    return node.error() << "has " << node.numOutputs() << " outputs, expected at least " << numStates
                        << ", one for each state";
  FailureOr<SmallVector<int64_t>> inputAxes = readEach(node, "scan_input_axes", *given);
  FailureOr<SmallVector<int64_t>> inputDirections = readDirections(node, "scan_input_directions", *given);
  FailureOr<SmallVector<int64_t>> outputAxes = readEach(node, "scan_output_axes", numOutputs);
  FailureOr<SmallVector<int64_t>> outputDirections = readDirections(node, "scan_output_directions", numOutputs);
  FailureOr<SmallVector<Tensor>> states = statesOf(node, 0, numStates), scanned = statesOf(node, numStates, inputs);
  if (failed(inputAxes) || failed(inputDirections) || failed(outputAxes) || failed(outputDirections) ||
      failed(states) || failed(scanned))
    return failure();
  Size count;
  for (auto [i, input] : llvm::enumerate(*scanned)) {
    FailureOr<int64_t> axis = node.axis((*inputAxes)[i], input.rank(), "scan_input_axes");
    if (failed(axis))
      return failure();
    (*inputAxes)[i] = *axis;
    if (i > 0 && failed(expectEqual(node, input.shape[*axis], count, "the lengths of what is scanned")))
      return failure();
    if (i == 0 || input.shape[*axis].getConstant())
      count = input.shape[*axis];
  }
  SmallVector<Stack> stacks;
  for (auto [axis, direction] : llvm::zip_equal(*outputAxes, *outputDirections))
    stacks.push_back({axis, direction == 1});
  FailureOr<SmallVector<Tensor>> results = buildLoop(
      node, count, *states, stacks, [&](Value number, ArrayRef<Tensor> carried) -> FailureOr<SmallVector<Tensor>> {
        SmallVector<Tensor> arguments(carried);
        for (auto [i, input] : llvm::enumerate(*scanned)) {
          FailureOr<Tensor> element =
              elementOf(node, input, (*inputAxes)[i], number, count, (*inputDirections)[i] == 1);
          if (failed(element))
            return failure();
          arguments.push_back(*element);
        }
        return node.graph.importSubgraph(node, **body, arguments);
      });
  if (failed(results))
    return failure();
  for (auto [i, result] : llvm::enumerate(*results))
    node.set(i, result);
  return success();
}

LogicalResult importLoop(Node &node) {
  FailureOr<const GraphProto *> body = bodyOf(node);
  if (failed(body) || failed(node.expectType(0, DataType::Int64)) || failed(node.expectType(1, DataType::Bool)))
    return failure();
  auto isTrue = [](const Tensor &tensor) {
    return tensor.elements && tensor.elements->size() == 1 && tensor.elements->front().isConstant(1);
  };
  if (node.has(1) && !isTrue(node.input(1)))
    return node.unsupported() << "a condition at the beginning that is not a constant true";
  if (!node.has(0))
    return node.unsupported() << "a loop without a number of iterations";
  const Tensor &trips = node.input(0);
  if (!trips.elements || trips.elements->size() != 1)
    return node.unsupported() << "the number of iterations must be known when compiling: a constant, or computed from "
                                 "shapes";
  Size count = trips.elements->front();
  if (std::optional<int64_t> constant = count.getConstant(); constant && *constant < 0)
    count = Size(0);
  else if (!node.symbols.leastOf(count) || *node.symbols.leastOf(count) < 0)
    return node.unsupported() << "the number of iterations, " << node.symbols.toString(count) << ", may be negative";
  size_t numStates = node.numInputs() < 2 ? 0 : node.numInputs() - 2;
  FailureOr<SmallVector<Tensor>> states = statesOf(node, 2, std::max<size_t>(2, node.numInputs()));
  if (failed(states))
    return failure();
  if (node.numOutputs() < numStates)
    return node.error() << "has " << node.numOutputs() << " outputs, expected at least " << numStates
                        << ", one for each state";
  SmallVector<Stack> stacks(node.numOutputs() - numStates);
  FailureOr<SmallVector<Tensor>> results = buildLoop(
      node, count, *states, stacks, [&](Value number, ArrayRef<Tensor> carried) -> FailureOr<SmallVector<Tensor>> {
        SmallVector<Tensor> arguments{integers(node.derived(number), {}), integers(Size(1), {}, DataType::Bool)};
        llvm::append_range(arguments, carried);
        FailureOr<SmallVector<Tensor>> all = node.graph.importSubgraph(node, **body, arguments);
        if (failed(all))
          return failure();
        if (all->empty() || !isTrue(all->front()))
          return node.unsupported() << "a condition that is computed in the loop; only counted loops are supported";
        return SmallVector<Tensor>(llvm::drop_begin(*all));
      });
  if (failed(results))
    return failure();
  for (auto [i, result] : llvm::enumerate(*results))
    node.set(i, result);
  return success();
}

} // namespace

void attn::onnx::registerLoops(Registry &registry) {
  registry.add("Scan", importScan);
  registry.add("Loop", importLoop);
}
